//! The JSON reader against `serde_json`, over random texts, whole and broken.
//!
//! Both take the same texts and read the same from them, with these differences, which are meant:
//!
//! - A key that is given twice in an object is a fault here, since IAM refuses such documents.
//! - Values nest 64 deep here, and 127 deep there.
//! - A number is kept as it is written, so that one beyond the range of a double is none of a fault.

#![expect(
    clippy::unwrap_used,
    reason = "a test may fail where it stands, also in the functions that build its cases"
)]

use std::collections::HashSet;
use std::fmt;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use rstest::rstest;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use tableferry_policy::json::{Node, TextSpan, Value, read};

/// What `serde_json` reads, keys that are given twice among it.
#[derive(Debug, PartialEq)]
enum Tree {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(truth))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "both readers' numbers are compared as doubles"
    )]
    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Number(number as f64))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "both readers' numbers are compared as doubles"
    )]
    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Tree, E> {
        Ok(Tree::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(member) = members.next_entry()? {
            list.push(member);
        }
        Ok(Tree::Object(list))
    }
}

impl Tree {
    fn has_duplicate(&self) -> bool {
        match self {
            Self::Array(items) => items.iter().any(Self::has_duplicate),
            Self::Object(members) => {
                let mut keys = HashSet::new();
                members
                    .iter()
                    .any(|(key, value)| !keys.insert(key) || value.has_duplicate())
            }
            _ => false,
        }
    }
}

fn tree(node: &Node<'_>) -> Tree {
    match &node.value {
        Value::Null => Tree::Null,
        Value::Bool(truth) => Tree::Bool(*truth),
        // Rounded as the other reader rounds; that the digits are the text's own is checked beside.
        Value::Number(text) => serde_json::from_str(text).unwrap(),
        Value::String(text) => Tree::String(text.clone().into_owned()),
        Value::Array(items) => Tree::Array(items.iter().map(tree).collect()),
        Value::Object(members) => Tree::Object(
            members
                .iter()
                .map(|member| (member.key.clone().into_owned(), tree(&member.node)))
                .collect(),
        ),
    }
}

fn has_huge_number(node: &Node<'_>) -> bool {
    match &node.value {
        Value::Number(text) => text.parse().is_ok_and(f64::is_infinite),
        Value::Array(items) => items.iter().any(has_huge_number),
        Value::Object(members) => members.iter().any(|member| has_huge_number(&member.node)),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

fn slice(text: &str, span: TextSpan) -> &str {
    text.get(span.start..span.end).unwrap()
}

/// Each value's stretch of the text holds that value and nothing else, and each key's that key.
fn check_spans(text: &str, node: &Node<'_>) {
    let own = slice(text, node.span);
    assert_eq!(
        serde_json::from_str::<Tree>(own).unwrap(),
        tree(node),
        "{own}"
    );
    assert_eq!(own.trim(), own);
    match &node.value {
        Value::Number(number) => assert_eq!(number, own),
        Value::Array(items) => items.iter().for_each(|item| check_spans(text, item)),
        Value::Object(members) => {
            for member in members {
                let key = slice(text, member.key_span);
                assert_eq!(serde_json::from_str::<String>(key).unwrap(), member.key);
                assert_eq!(key.trim(), key);
                check_spans(text, &member.node);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Reads a text both ways; whether it was taken.
fn compare(text: &str) -> bool {
    let expected = serde_json::from_str::<Tree>(text);
    match (read(text), expected) {
        (Ok(node), Ok(expected)) => {
            assert_eq!(tree(&node), expected, "{text:?}");
            assert!(!expected.has_duplicate(), "a key twice was taken: {text:?}");
            check_spans(text, &node);
            true
        }
        (Err(fault), Ok(expected)) => {
            assert!(expected.has_duplicate(), "refused: {fault:?}: {text:?}");
            assert!(
                fault.message.contains("is given twice"),
                "{fault:?}: {text:?}"
            );
            assert!(text.is_char_boundary(fault.offset), "{fault:?}: {text:?}");
            false
        }
        (Ok(node), Err(error)) => {
            let is_meant = error.to_string().starts_with("number out of range");
            assert!(
                is_meant && has_huge_number(&node),
                "{node:?}, and {error}: {text:?}"
            );
            true
        }
        (Err(fault), Err(_)) => {
            assert!(text.is_char_boundary(fault.offset), "{fault:?}: {text:?}");
            false
        }
    }
}

const SPACE: [&str; 8] = ["", "", "", " ", "\n", "\r\n", "\t", "  "];
/// What JSON takes for no white space.
const OTHER_SPACE: [&str; 5] = ["\u{b}", "\u{c}", "\u{a0}", "\u{2028}", "\u{feff}"];
const ESCAPES: [&str; 8] = [r#"\""#, r"\\", r"\/", r"\b", r"\f", r"\n", r"\r", r"\t"];
const NO_ESCAPES: [&str; 16] = [
    r"\", r"\a", r"\v", r"\0", r"\x41", r"\'", r"\U0041", r"\u", r"\u1", r"\u12", r"\u123",
    r"\u12g4", r"\u+123", r"\u 123", r"\u{41}", "\\ü",
];
const RAW: [&str; 16] = [
    "a",
    "0",
    "}",
    "]",
    ":",
    ",",
    "/",
    "'",
    "\u{7f}",
    "\u{80}",
    "é",
    "€",
    "\u{2028}",
    "\u{fffd}",
    "😀",
    "\u{10ffff}",
];
const CONTROLS: [&str; 6] = ["\0", "\u{1}", "\n", "\r", "\t", "\u{1f}"];

fn one_of(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    select(texts).prop_map(str::to_owned).boxed()
}

fn hex(unit: u16, is_upper: bool) -> String {
    if is_upper {
        format!("\\u{unit:04X}")
    } else {
        format!("\\u{unit:04x}")
    }
}

fn unit(range: std::ops::RangeInclusive<u16>) -> BoxedStrategy<String> {
    (range, any::<bool>())
        .prop_map(|(unit, is_upper)| hex(unit, is_upper))
        .boxed()
}

/// What a string is made of; nearly all of it sound, so that many texts are taken.
fn string_part() -> BoxedStrategy<String> {
    let high = || unit(0xD800..=0xDBFF);
    let low = || unit(0xDC00..=0xDFFF);
    prop_oneof![
        120 => "[ -!#-\\[\\]-~]{1,20}",
        60 => one_of(&RAW),
        80 => one_of(&ESCAPES),
        40 => unit(0..=0xD7FF),
        20 => unit(0xE000..=0xFFFF),
        40 => (high(), low()).prop_map(|(high, low)| high + &low),
        1 => high(),
        1 => low(),
        1 => (low(), high()).prop_map(|(low, high)| low + &high),
        1 => (high(), one_of(&ESCAPES)).prop_map(|(high, other)| high + &other),
        1 => (high(), "[a-z]{1,3}").prop_map(|(high, other)| high + &other),
        1 => (high(), unit(0..=0xD7FF)).prop_map(|(high, other)| high + &other),
        1 => one_of(&NO_ESCAPES),
        1 => one_of(&CONTROLS),
    ]
    .boxed()
}

fn string() -> BoxedStrategy<String> {
    proptest::collection::vec(string_part(), 0..6)
        .prop_map(|parts| format!("\"{}\"", parts.concat()))
        .boxed()
}

fn number() -> BoxedStrategy<String> {
    prop_oneof![
        100 => any::<i32>().prop_map(|number| number.to_string()),
        100 => "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
        1 => one_of(&["01", "-", "+1", "1.", ".5", "1e", "1e+", "--1", "0x1", "1_0", "-01", "0.0.0", "NaN", "Infinity"]),
    ]
    .boxed()
}

fn leaf() -> BoxedStrategy<String> {
    prop_oneof![
        120 => string(),
        60 => number(),
        60 => one_of(&["true", "false", "null"]),
        1 => one_of(&["", "True", "nul", "truee", "undefined", "'a'", "\"", "{", "]"]),
    ]
    .boxed()
}

fn spaced(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let space = || prop_oneof![300 => select(&SPACE[..]), 1 => select(&OTHER_SPACE[..])];
    (space(), inner, space())
        .prop_map(|(before, inner, after)| format!("{before}{inner}{after}"))
        .boxed()
}

/// Members whose keys are often the same, written in one way or another.
fn key() -> BoxedStrategy<String> {
    prop_oneof![
        4 => string(),
        1 => one_of(&["\"a\"", "\"\\u0061\"", "\"b\"", "\"\\/\"", "\"/\"", "\"😀\"", "\"\\ud83d\\ude00\""]),
    ]
    .boxed()
}

fn value() -> BoxedStrategy<String> {
    leaf()
        .prop_recursive(5, 40, 6, |inner| {
            let item = spaced(inner.boxed());
            let member = (spaced(key()), item.clone())
                .prop_map(|(key, value)| format!("{key}:{value}"))
                .boxed();
            let list = |item: BoxedStrategy<String>| proptest::collection::vec(item, 0..8);
            let comma =
                || prop_oneof![200 => Just(","), 1 => Just(""), 1 => Just(",,"), 1 => Just(";")];
            let end = |right, other, early| prop_oneof![80 => Just(right), 1 => Just(other), 1 => Just(early)];
            prop_oneof![
                (
                    list(item),
                    comma(),
                    end("]", "}", ",]")
                )
                    .prop_map(|(items, comma, end)| format!("[{}{end}", items.join(comma))),
                (
                    list(member),
                    comma(),
                    end("}", "]", ",}")
                )
                    .prop_map(|(members, comma, end)| format!("{{{}{end}", members.join(comma))),
            ]
        })
        .boxed()
}

/// What becomes of a text before it is read.
#[derive(Debug, Clone)]
enum Damage {
    None,
    Truncated(Index),
    Followed(String),
    Without(Index),
    With(Index, &'static str),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        6 => Just(Damage::None),
        2 => any::<Index>().prop_map(Damage::Truncated),
        1 => one_of(&["x", " 1", "]", "}", ",", "\"", "\0", "{}"]).prop_map(Damage::Followed),
        1 => any::<Index>().prop_map(Damage::Without),
        2 => (any::<Index>(), select(&["\"", "\\", "u", "d800", "{", "}", "[", "]", ":", ",", "\n", "0", "-", "e", "é", "😀"][..]))
            .prop_map(|(at, text)| Damage::With(at, text)),
    ]
}

fn damaged(text: &str, damage: &Damage) -> String {
    let characters: Vec<char> = text.chars().collect();
    let place = |at: &Index| at.index(characters.len() + 1);
    let part = |characters: &[char]| characters.iter().collect::<String>();
    match damage {
        Damage::None => text.to_owned(),
        Damage::Truncated(at) => part(&characters[..place(at)]),
        Damage::Followed(more) => format!("{text}{more}"),
        Damage::Without(at) => {
            let (head, tail) = characters.split_at(place(at));
            part(head) + &part(tail.get(1..).unwrap_or_default())
        }
        Damage::With(at, more) => {
            let (head, tail) = characters.split_at(place(at));
            part(head) + more + &part(tail)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn texts_are_read_as_by_another_reader(text in spaced(value()), damage in damage()) {
        compare(&damaged(&text, &damage));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn strings_are_read_as_by_another_reader(text in string(), damage in damage()) {
        compare(&damaged(&text, &damage));
    }
}

/// So that the random texts are not all refused, nor all taken.
#[test]
fn random_texts_are_taken_and_refused() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let count = |strategy: BoxedStrategy<String>,
                 runner: &mut proptest::test_runner::TestRunner| {
        let text = |runner: &mut _| strategy.new_tree(runner).unwrap().current();
        (0..400).filter(|_| compare(&text(runner))).count()
    };
    for strategy in [spaced(value()), string()] {
        let taken = count(strategy, &mut runner);
        assert!((80..390).contains(&taken), "{taken} of 400 were taken");
    }
}

/// Each escape of one character, each that is none, and each code unit, alone and among others.
#[test]
fn every_escape_is_read_as_by_another_reader() {
    let mut taken = 0;
    for byte in 0..=0x7f_u8 {
        let escape = format!("\"long enough \\{} to pass a word\"", char::from(byte));
        taken += usize::from(compare(&escape));
        compare(&format!("\"\\{}", char::from(byte)));
        compare(&format!("\"{}\"", char::from(byte)));
    }
    assert_eq!(taken, ESCAPES.len());
    let units =
        (0..=u16::MAX).filter(|unit| compare(&format!("\"{}\"", hex(*unit, unit % 2 == 0))));
    assert_eq!(units.count(), 0x10000 - 0x800, "all but the surrogates");
}

#[test]
fn every_surrogate_is_read_as_by_another_reader() {
    let mut taken = 0;
    for high in (0xD700..=0xE100).step_by(0x55) {
        for low in (0xDB00..=0xE100).step_by(0x11) {
            let is_pair = (0xD800..0xDC00).contains(&high) && (0xDC00..0xE000).contains(&low);
            let is_taken = compare(&format!("\"{}{}\"", hex(high, true), hex(low, false)));
            assert!(!is_pair || is_taken, "{high:x} {low:x}");
            taken += usize::from(is_pair);
        }
    }
    assert!(taken > 300, "{taken}");
    for text in [
        r#""\ud83d\ude00""#,
        r#""\uD800\uDC00""#,
        r#""\uDBFF\uDFFF""#,
    ] {
        assert!(compare(text), "{text}");
    }
}

/// The plain part of a string is found eight bytes at a time.
#[test]
fn a_special_character_is_found_wherever_it_stands() {
    for special in [
        "\"", "\\n", "\\", "\n", "\u{1f}", "\u{20}", "\u{7f}", "!", "#", "[", "]", "é", "\u{80}",
    ] {
        for before in 0..20 {
            for after in 0..10 {
                let (head, tail) = ("a".repeat(before), "z".repeat(after));
                compare(&format!("\"{head}{special}{tail}\""));
                compare(&format!("\"{head}{special}{tail}"));
                compare(&format!("{{\"{head}{special}{tail}\":[\"{special}\"]}}"));
            }
        }
    }
}

#[rstest]
#[case(r#"{"a":1,"a":2}"#, 7)]
#[case(r#"{"a":1,"\u0061":2}"#, 7)]
#[case(r#"[{"b":{"/":1,"\/":2}}]"#, 13)]
fn a_key_given_twice_is_a_fault_at_its_second_place(#[case] text: &str, #[case] offset: usize) {
    assert!(!compare(text));
    assert_eq!(read(text).unwrap_err().offset, offset);
}

/// With many members, keys are compared another way.
#[test]
fn a_key_given_twice_is_found_among_many() {
    for count in [2, 16, 17, 40] {
        let members: Vec<String> = (0..count)
            .map(|n| format!("\"k{}\":{n}", (n * 7) % count))
            .collect();
        let text = format!("{{{}}}", members.join(","));
        let is_taken = compare(&text);
        assert_eq!(is_taken, count % 7 != 0, "{text}");
        for first in 0..count {
            let twice = format!("{},\"k{first}\":0}}", text.strip_suffix('}').unwrap());
            assert!(!compare(&twice), "{twice}");
        }
    }
}

#[test]
fn values_nest_64_deep_and_no_deeper() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert!(compare(&nested(64)));
        assert_eq!(
            read(&nested(65)).unwrap_err().message,
            "values nest too deep"
        );
        assert_eq!(read(&nested(65)).unwrap_err().offset, 65 * open.len());
        assert!(serde_json::from_str::<Tree>(&nested(65)).is_ok());
    }
    assert!(read(&"[".repeat(100_000)).is_err());
}

#[test]
fn a_number_beyond_a_double_is_kept_as_it_is_written() {
    let node = read("[1e400]").unwrap();
    let Value::Array(items) = node.value else {
        panic!("a list")
    };
    assert!(matches!(&items[0].value, Value::Number(text) if text == "1e400"));
    assert!(serde_json::from_str::<Tree>("[1e400]").is_err());
}
