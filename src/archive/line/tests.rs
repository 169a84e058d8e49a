//! Lines as the developer guide and public exports show them, and each fault of one.
//!
//! The lines of JSON are those of real exports, rebuilt: github.com/gurre/ddb-pitr (`s3exportdata`) and
//! github.com/scylladb/scylla-migrator (`tests/src/test/s3`). Those of Ion are in the form of the
//! developer guide's page on the output of a table export.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::job::table_definition::KeyType;

const TWO_KEYS: &[&str] = &["pk:S", "sk:S"];

fn schema(keys: &[&str]) -> Option<KeySchema> {
    let attributes = keys.iter().map(|text| text.parse().unwrap());
    (!keys.is_empty()).then(|| KeySchema::new(attributes.collect()).unwrap())
}

fn checker(format: Format, view: Option<View>, keys: &[&str]) -> LineChecker {
    LineChecker::new(&LineRules {
        format,
        view,
        keys: schema(keys),
    })
}

/// What a line results in: its key, or the place and the name of its fault.
fn found(checker: &mut LineChecker, line: &str) -> Result<Option<Vec<u8>>, String> {
    match checker.check(line) {
        Ok(content) => Ok(content.key.map(<[u8]>::to_vec)),
        Err(fault) => Err(format!("{} {}", fault.path, fault.kind.as_str())),
    }
}

fn json(keys: &[&str], line: &str) -> Result<Option<Vec<u8>>, String> {
    found(&mut checker(Format::DynamoDbJson, None, keys), line)
}

fn ion(keys: &[&str], line: &str) -> Result<Option<Vec<u8>>, String> {
    found(&mut checker(Format::Ion, None, keys), line)
}

/// An item of every type.
const EVERY_TYPE: &str = r#"{"Item":{"id":{"S":"K3TXQk84Si"},"a":{"BOOL":false},"b":{"NULL":true},"c":{"SS":["8gfX8dh0xa","fRjHZJ2Ce9"]},"d":{"NS":["3","2"]},"e":{"L":[{"N":"1"},{"S":"Dsb87qc6Es"}]},"f":{"M":{"h":{"NULL":true},"i":{"BOOL":true},"g":{"N":"9"}}},"j":{"B":"aGVsbG8="},"k":{"BS":["aXMgZmFzdA==","c2N5bGxhZGI="]}}}"#;

const ION_OF_EVERY_TYPE: &str = r#"$ion_1_0 {Item:{id:"K3TXQk84Si",a:false,b:null,c:$dynamodb_SS::["8gfX8dh0xa","fRjHZJ2Ce9"],d:$dynamodb_NS::[3.,2.],e:[1.,"Dsb87qc6Es"],f:{h:null,i:true,g:9.},j:{{aGVsbG8=}},k:$dynamodb_BS::[{{aXMgZmFzdA==}},{{c2N5bGxhZGI=}}],'an odd ''name':6d2}}"#;

#[test]
fn an_item_of_every_type_is_sound_and_has_its_key() {
    assert!(json(&["id:S"], EVERY_TYPE).unwrap().is_some());
    assert_eq!(json(&[], EVERY_TYPE), Ok(None));
    let line = ION_OF_EVERY_TYPE.replace("''", "\\'");
    assert!(ion(&["id:S"], &line).unwrap().is_some());
    assert_eq!(json(&["id:S"], EVERY_TYPE), ion(&["id:S"], &line));
}

#[rstest]
#[case(r#"{"Item":{}}"#)]
#[case(r#"{"Item":{"a":{"S":""},"b":{"B":""},"c":{"L":[]},"d":{"M":{}},"e":{"SS":[""]},"f":{"BS":[""]}}}"#)]
#[case(
    r#" { "Item" : { "a" : { "S" : "x" } , "b" : { "L" : [ { "N" : "1" } , { "N" : "2" } ] } } } "#
)]
#[case(r#"{"Item":{"a":{"S":"\"\\\/\b\f\n\r\t\u0041\ud83c\udf86"}}}"#)]
#[case(r#"{"Item":{"名前":{"S":"花子 — “ring twice”"},"{}[]":{"S":"{\"Item\""}}}"#)]
#[case(r#"{"Item":{"m":{"M":{"":{"N":"1"},"x":{"N":"1"}}},"x":{"N":"1"}}}"#)]
#[case(r#"{"Item":{"n":{"N":"-1.5E-7"},"z":{"N":"0"},"l":{"N":"10000000000000000000000000000000000000000"}}}"#)]
fn a_line_that_dynamodb_can_have_is_sound(#[case] line: &str) {
    assert_eq!(json(&[], line), Ok(None), "{line}");
}

#[rstest]
#[case::nothing("", " syntax")]
#[case::an_array("[]", " syntax")]
#[case::cut_off(r#"{"Item":{"a":{"S":"x"}}"#, " syntax")]
#[case::cut_in_a_string(r#"{"Item":{"a":{"S":"x"#, "Item.a syntax")]
#[case::two(r#"{"Item":{}}{"Item":{}}"#, " trailing_text")]
#[case::a_comma(r#"{"Item":{"a":{"S":"x"},}}"#, "Item syntax")]
#[case::another_member(r#"{"Items":{}}"#, "Items unexpected_member")]
#[case::one_more_member(r#"{"Item":{},"x":{}}"#, "x unexpected_member")]
#[case::no_member("{}", " missing_member")]
#[case::twice(r#"{"Item":{},"Item":{}}"#, "Item named_twice")]
#[case::a_change(r#"{"Keys":{}}"#, "Keys unexpected_member")]
#[case::no_item(r#"{"Item":[]}"#, "Item syntax")]
#[case::a_name_twice(r#"{"Item":{"a":{"S":"x"},"a":{"S":"y"}}}"#, "Item.a named_twice")]
#[case::a_name_twice_with_escapes(
    r#"{"Item":{"a":{"S":"x"},"\u0061":{"S":"y"}}}"#,
    "Item.a named_twice"
)]
#[case::a_name_twice_within(
    r#"{"Item":{"m":{"M":{"b":{"NULL":true},"b":{"N":"1"}}}}}"#,
    "Item.m.b named_twice"
)]
#[case::no_name(r#"{"Item":{"":{"S":"x"}}}"#, r#"Item."" empty_name"#)]
#[case::an_unknown_type(r#"{"Item":{"a":{"X":"x"}}}"#, "Item.a unknown_type")]
#[case::two_types(r#"{"Item":{"a":{"S":"x","N":"1"}}}"#, "Item.a unknown_type")]
#[case::no_type(r#"{"Item":{"a":"x"}}"#, "Item.a syntax")]
#[case::a_bare_number(r#"{"Item":{"a":{"N":1}}}"#, "Item.a not_of_its_type")]
#[case::no_number(r#"{"Item":{"a":{"N":"one"}}}"#, "Item.a not_of_its_type")]
#[case::too_many_digits(
    r#"{"Item":{"a":{"N":"123456789012345678901234567890123456789"}}}"#,
    "Item.a number_out_of_range"
)]
#[case::too_large(r#"{"Item":{"a":{"N":"1E126"}}}"#, "Item.a number_out_of_range")]
#[case::no_base64(r#"{"Item":{"a":{"B":"aGVsbG8"}}}"#, "Item.a not_of_its_type")]
#[case::loose_base64(r#"{"Item":{"a":{"B":"aGVsbG9="}}}"#, "Item.a not_of_its_type")]
#[case::url_base64(r#"{"Item":{"a":{"B":"__--"}}}"#, "Item.a not_of_its_type")]
#[case::bool_as_text(r#"{"Item":{"a":{"BOOL":"true"}}}"#, "Item.a not_of_its_type")]
#[case::null_that_is_false(r#"{"Item":{"a":{"NULL":false}}}"#, "Item.a not_of_its_type")]
#[case::an_empty_set(r#"{"Item":{"a":{"SS":[]}}}"#, "Item.a empty_set")]
#[case::an_empty_set_of_numbers(r#"{"Item":{"a":{"NS":[]}}}"#, "Item.a empty_set")]
#[case::a_member_twice(r#"{"Item":{"a":{"SS":["x","y","x"]}}}"#, "Item.a[2] member_twice")]
#[case::a_number_twice(r#"{"Item":{"a":{"NS":["1","2","1.0"]}}}"#, "Item.a[2] member_twice")]
#[case::bytes_twice(r#"{"Item":{"a":{"BS":["AAAA","AAAA"]}}}"#, "Item.a[1] member_twice")]
#[case::a_set_of_others(r#"{"Item":{"a":{"NS":["1","x"]}}}"#, "Item.a[1] not_of_its_type")]
#[case::a_list_of_bare_values(r#"{"Item":{"a":{"L":[{"N":"1"},"x"]}}}"#, "Item.a[1] syntax")]
#[case::deep_inside(
    r#"{"Item":{"a":{"M":{"b c":{"L":[{"S":"x"},{"M":{"d":{"N":"-"}}}]}}}}}"#,
    r#"Item.a."b c"[1].d not_of_its_type"#
)]
#[case::half_a_pair(r#"{"Item":{"a":{"S":"\ud83c"}}}"#, "Item.a syntax")]
#[case::the_other_half(r#"{"Item":{"a":{"S":"\udf86"}}}"#, "Item.a syntax")]
#[case::no_escape(r#"{"Item":{"a":{"S":"\x"}}}"#, "Item.a syntax")]
#[case::a_control_character("{\"Item\":{\"a\":{\"S\":\"x\ty\"}}}", "Item.a syntax")]
fn a_line_that_dynamodb_cannot_have_is_told_by_its_place(#[case] line: &str, #[case] fault: &str) {
    assert_eq!(json(&[], line), Err(fault.to_owned()));
}

#[test]
fn more_names_than_are_compared_one_by_one_are_still_told_apart() {
    let attributes = |names: &[String]| {
        let all: Vec<String> = names
            .iter()
            .map(|name| format!("\"{name}\":{{\"N\":\"1\"}}"))
            .collect();
        format!("{{\"Item\":{{{}}}}}", all.join(","))
    };
    let mut names: Vec<String> = (0..200).map(|index| format!("n{index}")).collect();
    assert_eq!(json(&[], &attributes(&names)), Ok(None));
    names.push("n7".to_owned());
    assert_eq!(
        json(&[], &attributes(&names)),
        Err("Item.n7 named_twice".to_owned())
    );
    let set = |members: &[String]| {
        format!(
            "{{\"Item\":{{\"a\":{{\"NS\":[\"{}\"]}}}}}}",
            members.join("\",\"")
        )
    };
    let mut members: Vec<String> = (0..100).map(|index| index.to_string()).collect();
    assert_eq!(json(&[], &set(&members)), Ok(None));
    members.push("7.0".to_owned());
    assert_eq!(
        json(&[], &set(&members)),
        Err("Item.a[100] member_twice".to_owned())
    );
}

#[test]
fn nesting_beyond_all_measure_is_a_fault_and_32_levels_are_none() {
    let lists = |depth| {
        let (open, close) = ("{\"L\":[".repeat(depth), "]}".repeat(depth));
        format!("{{\"Item\":{{\"a\":{open}{close}}}}}")
    };
    assert_eq!(json(&[], &lists(32)), Ok(None));
    assert!(
        json(&[], &lists(100_000))
            .unwrap_err()
            .ends_with("too_deep")
    );
    let ion_lists = |depth| {
        format!(
            "$ion_1_0 {{Item:{{a:{}{}}}}}",
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    assert_eq!(ion(&[], &ion_lists(32)), Ok(None));
    assert!(
        ion(&[], &ion_lists(100_000))
            .unwrap_err()
            .ends_with("too_deep")
    );
}

#[rstest]
#[case::missing(r#"{"Item":{"pk":{"S":"1"}}}"#, [0, 1])]
#[case::both_missing(r#"{"Item":{"x":{"S":"1"}}}"#, [1, 1])]
#[case::only_deeper(r#"{"Item":{"m":{"M":{"pk":{"S":"1"}}},"sk":{"S":"1"}}}"#, [1, 0])]
fn a_key_that_is_missing_is_counted(#[case] line: &str, #[case] missing: [u8; 2]) {
    let mut checker = checker(Format::DynamoDbJson, None, TWO_KEYS);
    let content = checker.check(line).unwrap();
    assert_eq!(
        (content.key, content.missing, content.images),
        (None, missing, 1)
    );
}

#[rstest]
#[case(
    r#"{"Item":{"pk":{"N":"1"},"sk":{"S":"1"}}}"#,
    "Item.pk key_of_another_type"
)]
#[case(
    r#"{"Item":{"pk":{"S":"1"},"sk":{"NULL":true}}}"#,
    "Item.sk key_of_another_type"
)]
#[case(r#"{"Item":{"pk":{"S":""},"sk":{"S":"1"}}}"#, "Item.pk empty_key")]
fn a_key_of_another_type_is_a_fault(#[case] line: &str, #[case] fault: &str) {
    assert_eq!(json(TWO_KEYS, line), Err(fault.to_owned()));
}

#[test]
fn two_spellings_of_a_key_are_equal_and_two_keys_are_not() {
    let numbered = |text: &str| {
        json(
            &["n:N"],
            &format!("{{\"Item\":{{\"n\":{{\"N\":\"{text}\"}}}}}}"),
        )
        .unwrap()
    };
    assert_eq!(numbered("10"), numbered("1.0E1"));
    assert_ne!(numbered("10"), numbered("1"));
    let decimal = ion(&["n:N"], "$ion_1_0 {Item:{n:1d1}}").unwrap();
    assert_eq!(decimal, numbered("10"));
    assert_eq!(ion(&["n:N"], "$ion_1_0 {Item:{n:10.}}").unwrap(), decimal);
    let text = |pk: &str, sk: &str| {
        let line = format!("{{\"Item\":{{\"sk\":{{\"S\":\"{sk}\"}},\"pk\":{{\"S\":\"{pk}\"}}}}}}");
        json(TWO_KEYS, &line).unwrap().unwrap()
    };
    assert_eq!(text("a", "b"), text(r"\u0061", "b"));
    assert_ne!(text("a", "bc"), text("ab", "c"));
    assert_ne!(text("a", "b"), text("b", "a"));
}

const INSERT: &str = r#"{"Metadata":{"WriteTimestampMicros":{"N":"1768386096366933"}},"Keys":{"pk":{"S":"2"},"sk":{"S":"1"}},"NewImage":{"pk":{"S":"2"},"sk":{"S":"1"},"test":{"S":"test2"}}}"#;
const UPDATE: &str = r#"{"Metadata":{"WriteTimestampMicros":{"N":"1768387673917155"}},"Keys":{"pk":{"S":"1"},"sk":{"S":"3"}},"OldImage":{"pk":{"S":"1"},"sk":{"S":"3"},"test1":{"S":"1"},"test2":{"S":"2"}},"NewImage":{"bin_update":{"BS":["0000","0001"]},"pk":{"S":"1"},"sk":{"S":"3"},"test1":{"S":"1"},"test2":{"S":"2"}}}"#;
const DELETE: &str = r#"{"Metadata":{"WriteTimestampMicros":{"N":"1768387654353205"}},"Keys":{"pk":{"S":"2"},"sk":{"S":"3"}},"OldImage":{"pk":{"S":"2"},"sk":{"S":"3"},"test":{"S":"test"}}}"#;
const DELETE_BY_NEW_IMAGE: &str = r#"{"Metadata":{"WriteTimestampMicros":{"N":"1768387654353205"}},"Keys":{"pk":{"S":"2"},"sk":{"S":"3"}}}"#;
const BOTH: View = View::NewAndOldImages;

fn change(view: View, line: &str) -> Result<Option<Vec<u8>>, String> {
    found(
        &mut checker(Format::DynamoDbJson, Some(view), TWO_KEYS),
        line,
    )
}

#[rstest]
#[case(BOTH, INSERT)]
#[case(BOTH, UPDATE)]
#[case(BOTH, DELETE)]
#[case(View::NewImage, INSERT)]
#[case(View::NewImage, DELETE_BY_NEW_IMAGE)]
fn changes_of_real_exports_are_sound(#[case] view: View, #[case] line: &str) {
    assert!(change(view, line).unwrap().is_some());
    // The keys need not be known beforehand, and the guide shows the time as a bare string.
    let bare = line
        .replace(r#"{"N":"17"#, r#""17"#)
        .replacen("\"}}", "\"}", 1);
    let mut unknown = checker(Format::DynamoDbJson, Some(view), &[]);
    assert!(found(&mut unknown, &bare).unwrap().is_some(), "{bare}");
    assert_eq!(unknown.keys().unwrap().to_string(), "pk:S, sk:S");
}

#[rstest]
#[case::old_image_in_the_other_view(View::NewImage, UPDATE.to_owned(), "OldImage unexpected_member")]
#[case::no_image(BOTH, DELETE_BY_NEW_IMAGE.to_owned(), " no_image")]
#[case::no_time(BOTH, INSERT.replace("WriteTimestampMicros", "Written"), "Metadata missing_member")]
#[case::time_of_words(BOTH, INSERT.replace("1768386096366933", "today"), "Metadata.WriteTimestampMicros not_of_its_type")]
#[case::no_metadata(BOTH, INSERT.replace(r#""Metadata":{"WriteTimestampMicros":{"N":"1768386096366933"}},"#, ""), " missing_member")]
#[case::no_keys(BOTH, INSERT.replace(r#""Keys":{"pk":{"S":"2"},"sk":{"S":"1"}},"#, ""), " missing_member")]
#[case::a_key_too_few(BOTH, INSERT.replace(r#""Keys":{"pk":{"S":"2"},"#, r#""Keys":{"#), "Keys.pk key_missing")]
#[case::a_key_too_many(BOTH, INSERT.replace(r#""Keys":{"#, r#""Keys":{"x":{"S":"1"},"#), "Keys no_key")]
#[case::another_key(BOTH, INSERT.replace(r#""NewImage":{"pk":{"S":"2"}"#, r#""NewImage":{"pk":{"S":"3"}"#), "NewImage.pk other_key")]
#[case::a_whole_item(BOTH, r#"{"Item":{}}"#.to_owned(), "Item unexpected_member")]
#[case::keys_twice(BOTH, INSERT.replace(r#""NewImage":{"pk""#, r#""Keys":{"pk""#), "Keys named_twice")]
#[case::a_fault_inside(BOTH, INSERT.replace(r#""test":{"S":"#, r#""test":{"N":"#), "NewImage.test not_of_its_type")]
fn a_change_that_its_view_cannot_have_is_told(
    #[case] view: View,
    #[case] line: String,
    #[case] fault: &str,
) {
    assert_eq!(change(view, &line), Err(fault.to_owned()), "{line}");
}

#[test]
fn images_before_the_keys_that_are_not_known_yet_are_checked_too() {
    let swapped = |test: &str| {
        format!(
            r#"{{"NewImage":{{"pk":{{"S":"2"}},"test":{{{test}}}}},"Keys":{{"pk":{{"S":"2"}}}},"Metadata":{{"WriteTimestampMicros":{{"N":"1"}}}}}}"#
        )
    };
    let unknown = |line: &str| found(&mut checker(Format::DynamoDbJson, Some(BOTH), &[]), line);
    assert!(unknown(&swapped(r#""S":"x""#)).unwrap().is_some());
    assert_eq!(
        unknown(&swapped(r#""N":"x""#)),
        Err("NewImage.test not_of_its_type".to_owned())
    );
}

#[test]
fn an_image_whose_keys_were_projected_away_is_counted_and_has_the_records_key() {
    let line = INSERT.replace(
        r#""NewImage":{"pk":{"S":"2"},"sk":{"S":"1"},"#,
        r#""NewImage":{"#,
    );
    let mut checker = checker(Format::DynamoDbJson, Some(BOTH), TWO_KEYS);
    let content = checker.check(&line).unwrap();
    assert_eq!((content.missing, content.images), ([1, 1], 1));
    assert!(content.key.is_some());
}

// The record of the developer guide's sample, with keys and images.
const ION_UPDATE: &str = r#"$ion_1_0 {Record:{Keys:{ISBN:"333-3333333333"},Metadata:{WriteTimestampMicros:1684374845117899.},OldImage:{Authors:$dynamodb_SS::["Author1","Author2"],ISBN:"333-3333333333",Id:103.},NewImage:{Authors:$dynamodb_SS::["Author1","Author2"],ISBN:"333-3333333333",Id:103.,Price:2d3}}}"#;

#[test]
fn a_change_in_ion_is_within_a_record() {
    let check = |line: &str, view| found(&mut checker(Format::Ion, Some(view), &[]), line);
    assert!(check(ION_UPDATE, BOTH).unwrap().is_some());
    let describe = |line: &str| check(line, BOTH).unwrap_err();
    assert_eq!(
        check(ION_UPDATE, View::NewImage).unwrap_err(),
        "Record.OldImage unexpected_member"
    );
    assert_eq!(
        describe(&ION_UPDATE.replace("Record", "Item")),
        "Item unexpected_member"
    );
    assert_eq!(
        describe(&ION_UPDATE.replace("Price:2d3", "Price:2e3")),
        "Record.NewImage.Price unknown_type"
    );
    let other = ION_UPDATE.replace(
        r#"NewImage:{Authors:$dynamodb_SS::["Author1","Author2"],ISBN:"3"#,
        r#"NewImage:{ISBN:"4"#,
    );
    assert_eq!(describe(&other), "NewImage.ISBN other_key");
}

#[rstest]
#[case::cut_off(r#"$ion_1_0 {Item:{a:"x"}"#, " syntax")]
#[case::two("$ion_1_0 {Item:{}} {Item:{}}", " trailing_text")]
#[case::another_version("$ion_1_1 {Item:{}}", " syntax")]
#[case::a_symbol_table("$ion_1_0 $ion_symbol_table::{symbols:[]}", " syntax")]
#[case::a_comment("$ion_1_0 {Item:{}/* */}", " syntax")]
#[case::json(r#"{"Item":{"a":{"S":"x"}},"x":1}"#, "x unexpected_member")]
#[case::a_float("$ion_1_0 {Item:{a:1e0}}", "Item.a unknown_type")]
#[case::a_timestamp("$ion_1_0 {Item:{a:2026-01-01}}", "Item.a unknown_type")]
#[case::a_symbol("$ion_1_0 {Item:{a:b}}", "Item.a unknown_type")]
#[case::null_of_a_type("$ion_1_0 {Item:{a:null.string}}", "Item.a unknown_type")]
#[case::an_unknown_set("$ion_1_0 {Item:{a:$dynamodb_XS::[]}}", "Item.a unknown_type")]
#[case::an_empty_set("$ion_1_0 {Item:{a:$dynamodb_SS::[]}}", "Item.a empty_set")]
#[case::a_number_twice(
    "$ion_1_0 {Item:{a:$dynamodb_NS::[1.,10d-1]}}",
    "Item.a[1] member_twice"
)]
#[case::of_another_type(
    r#"$ion_1_0 {Item:{a:$dynamodb_SS::["x",1.]}}"#,
    "Item.a[1] not_of_its_type"
)]
#[case::a_name_twice("$ion_1_0 {Item:{a:1.,a:2.}}", "Item.a named_twice")]
#[case::too_large("$ion_1_0 {Item:{a:1d126}}", "Item.a number_out_of_range")]
#[case::deep_inside("$ion_1_0 {Item:{a:{b:[1.,2e0]}}}", "Item.a.b[1] unknown_type")]
fn ion_that_dynamodb_cannot_have_is_told_by_its_place(#[case] line: &str, #[case] fault: &str) {
    assert_eq!(ion(&[], line), Err(fault.to_owned()));
}

#[test]
fn a_key_attribute_is_named_with_its_type() {
    let attribute: KeyAttribute = "a:b:N".parse().unwrap();
    assert_eq!(
        (attribute.name.as_str(), attribute.kind),
        ("a:b", KeyType::N)
    );
    for text in ["", "pk", "pk:", ":S", "pk:SS", "pk:s"] {
        assert!(text.parse::<KeyAttribute>().is_err(), "{text}");
    }
    let one: KeyAttribute = "pk:S".parse().unwrap();
    assert!(KeySchema::new(Vec::new()).is_err());
    assert!(KeySchema::new(vec![one.clone(), one]).is_err());
}

/// Any JSON value of `DynamoDB`, with what serde writes of it.
fn value() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::json;
    let scalar = prop_oneof![
        any::<String>().prop_map(|text| json!({"S": text})),
        any::<i64>().prop_map(|number| json!({"N": number.to_string()})),
        any::<bool>().prop_map(|is| json!({"BOOL": is})),
        Just(json!({"NULL": true})),
        proptest::collection::btree_set(any::<String>(), 1..6).prop_map(|set| json!({"SS": set})),
    ];
    scalar.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|list| json!({"L": list})),
            proptest::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|map| json!({"M": map})),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_serde_writes_of_an_item_is_sound(
        item in proptest::collection::btree_map("[^\\x00]{1,12}", value(), 0..8),
    ) {
        let line = serde_json::json!({"Item": item}).to_string();
        prop_assert_eq!(json(&[], &line), Ok(None), "{}", line);
    }

    /// serde_json is the outside source of what is JSON.
    #[test]
    fn a_line_that_is_no_json_is_never_sound(
        at in any::<proptest::sample::Index>(),
        patch in "[\"{}:,\\\\ax\\[\\]]{0,2}",
    ) {
        let at = at.index(EVERY_TYPE.len());
        prop_assume!(EVERY_TYPE.is_char_boundary(at) && EVERY_TYPE.is_char_boundary(at + 1));
        let line = format!("{}{patch}{}", &EVERY_TYPE[..at], &EVERY_TYPE[at + 1..]);
        if serde_json::from_str::<serde_json::Value>(&line).is_err() {
            prop_assert!(json(&[], &line).is_err(), "{}", line);
        }
        let _ = ion(&[], &line);
    }
}
