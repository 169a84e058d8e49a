//! Lines that are masked: each value, what stays as it was, and random items.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::archive::line::{KeySchema, LineChecker, LineRules};
use crate::job::{Format, View};

fn rule(path: &str, method: MaskMethod) -> MaskRule {
    MaskRule {
        path: path.parse().unwrap(),
        method,
    }
}

fn masking(rules: &[(&str, MaskMethod)]) -> Masking {
    let rules: Vec<MaskRule> = rules
        .iter()
        .map(|(path, method)| rule(path, method.clone()))
        .collect();
    let secret = MaskSecret::new(b"0123456789abcdef").unwrap();
    Masking::new(&rules, Some(&secret)).unwrap()
}

/// The masked item, and what each rule came to.
fn masked(item: &str, rules: &[(&str, MaskMethod)]) -> (String, Vec<RuleCounts>) {
    let masking = masking(rules);
    let mut masker = LineMasker::new(&masking);
    let line = masker.mask(&format!("{{\"Item\":{item}}}")).unwrap();
    let item = line.strip_prefix("{\"Item\":").unwrap();
    let item = item.strip_suffix('}').unwrap().to_owned();
    (item, masker.counts().to_vec())
}

const TEXT_OF_ALICE: &str = "4f9d8cc6567e17cabb435b668edfce7f";
const NUMBER_OF_42: &str = "21051968943561390812187739960967491316";
const BYTES_OF_0001: &str = "rCZaBupkfyJC8dK0g1XmfQ==";

// The hashes are those of keyed.rs, which come from openssl and Python's hmac.
#[rstest]
#[case::text(r#"{"a":{"S":"alice"},"b":{"N":"1"}}"#, "a", &format!(r#"{{"a":{{"S":"{TEXT_OF_ALICE}"}},"b":{{"N":"1"}}}}"#))]
#[case::escapes(r#"{"a":{"S":"\u0061lice"}}"#, "a", &format!(r#"{{"a":{{"S":"{TEXT_OF_ALICE}"}}}}"#))]
#[case::number(r#"{"a":{"N":"42"}}"#, "a", &format!(r#"{{"a":{{"N":"{NUMBER_OF_42}"}}}}"#))]
#[case::same_number(r#"{"a":{"N":"4.20E1"}}"#, "a", &format!(r#"{{"a":{{"N":"{NUMBER_OF_42}"}}}}"#))]
#[case::bytes(r#"{"a":{"B":"AAE="}}"#, "a", &format!(r#"{{"a":{{"B":"{BYTES_OF_0001}"}}}}"#))]
#[case::texts(r#"{"a":{"SS":["alice"]}}"#, "a", &format!(r#"{{"a":{{"SS":["{TEXT_OF_ALICE}"]}}}}"#))]
#[case::every_text(r#"{"a":{"SS":["alice"]}}"#, "a[*]", &format!(r#"{{"a":{{"SS":["{TEXT_OF_ALICE}"]}}}}"#))]
#[case::numbers(r#"{"a":{"NS":["42"]}}"#, "a", &format!(r#"{{"a":{{"NS":["{NUMBER_OF_42}"]}}}}"#))]
#[case::binaries(r#"{"a":{"BS":["AAE="]}}"#, "a", &format!(r#"{{"a":{{"BS":["{BYTES_OF_0001}"]}}}}"#))]
#[case::nested(r#"{"a":{"M":{"x":{"L":[{"S":"o"},{"S":"alice"}]}}}}"#, "a.x[1]", &format!(r#"{{"a":{{"M":{{"x":{{"L":[{{"S":"o"}},{{"S":"{TEXT_OF_ALICE}"}}]}}}}}}}}"#))]
#[case::every(r#"{"a":{"L":[{"M":{"n":{"S":"alice"}}},{"M":{"n":{"N":"42"}}}]}}"#, "a[*].n", &format!(r#"{{"a":{{"L":[{{"M":{{"n":{{"S":"{TEXT_OF_ALICE}"}}}}}},{{"M":{{"n":{{"N":"{NUMBER_OF_42}"}}}}}}]}}}}"#))]
#[case::null(r#"{"a":{"NULL":true}}"#, "a", r#"{"a":{"NULL":true}}"#)]
#[case::absent(r#"{"b":{"S":"alice"}}"#, "a", r#"{"b":{"S":"alice"}}"#)]
#[case::another_place(
    r#"{"b":{"M":{"a":{"S":"alice"}}}}"#,
    "a",
    r#"{"b":{"M":{"a":{"S":"alice"}}}}"#
)]
#[case::name_with_escapes(r#"{"\u0061.b":{"S":"alice"}}"#, r#""a.b""#, &format!(r#"{{"\u0061.b":{{"S":"{TEXT_OF_ALICE}"}}}}"#))]
#[case::space(r#"{ "a" : { "S" : "alice" } , "b":{"N":"1"}}"#, "a", &format!(r#"{{ "a" : {{"S":"{TEXT_OF_ALICE}"}} , "b":{{"N":"1"}}}}"#))]
fn hash_keeps_the_type_and_all_around_it(
    #[case] item: &str,
    #[case] path: &str,
    #[case] expected: &str,
) {
    let (found, counts) = masked(item, &[(path, MaskMethod::Hash)]);
    assert_eq!(found, expected);
    assert_eq!(counts[0].unexpected, 0);
}

#[rstest]
#[case("a", r#"{"b":{"S":"2"},"c":{"S":"3"}}"#)]
#[case("b", r#"{"a":{"S":"1"},"c":{"S":"3"}}"#)]
#[case("c", r#"{"a":{"S":"1"},"b":{"S":"2"}}"#)]
fn what_is_dropped_takes_one_comma_with_it(#[case] path: &str, #[case] expected: &str) {
    let item = r#"{"a":{"S":"1"},"b":{"S":"2"},"c":{"S":"3"}}"#;
    assert_eq!(masked(item, &[(path, MaskMethod::Drop)]).0, expected);
    let spaced = r#"{"a":{"S":"1"} , "b":{"S":"2"} , "c":{"S":"3"} }"#;
    let found: Value =
        serde_json::from_str(&masked(spaced, &[(path, MaskMethod::Drop)]).0).unwrap();
    assert_eq!(found, serde_json::from_str::<Value>(expected).unwrap());
}

#[test]
fn several_and_all_members_can_be_dropped() {
    let item = r#"{"a":{"S":"1"},"b":{"M":{"x":{"S":"2"},"y":{"BOOL":true}}},"c":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]}}"#;
    let drop = |paths: &[&'static str]| {
        let rules: Vec<_> = paths.iter().map(|path| (*path, MaskMethod::Drop)).collect();
        masked(item, &rules).0
    };
    assert_eq!(drop(&["b", "c"]), r#"{"a":{"S":"1"}}"#);
    assert_eq!(drop(&["a", "b", "c"]), "{}");
    assert_eq!(
        drop(&["b.x", "b.y", "c[*]"]),
        r#"{"a":{"S":"1"},"b":{"M":{}},"c":{"L":[]}}"#
    );
    assert_eq!(
        drop(&["b.y", "c[0]", "c[2]"]),
        r#"{"a":{"S":"1"},"b":{"M":{"x":{"S":"2"}}},"c":{"L":[{"N":"2"}]}}"#
    );
}

#[test]
fn null_and_replace_stand_in_the_place_of_any_value() {
    let item = r#"{"a":{"S":"1"},"b":{"M":{"x":{"S":"2"}}},"c":{"NS":["1","2"]}}"#;
    let removed = MaskMethod::Replace(json!({"S": "say \"no\""}));
    let rules = [
        ("a", removed.clone()),
        ("b", removed),
        ("c", MaskMethod::Null),
    ];
    let (found, counts) = masked(item, &rules);
    assert_eq!(
        found,
        r#"{"a":{"S":"say \"no\""},"b":{"S":"say \"no\""},"c":{"NULL":true}}"#
    );
    let unexpected: Vec<u64> = counts.iter().map(|counts| counts.unexpected).collect();
    assert_eq!(unexpected, [0, 1, 0]);
}

#[test]
fn email_and_digits_make_what_looks_alike_and_hash_what_does_not_fit() {
    let item = r#"{"e":{"S":"a@b.c"},"f":{"S":"no address"},"d":{"S":"+49 (170) 12-34"},"n":{"N":"-1234567"},"x":{"N":"1.5"},"y":{"N":"7"}}"#;
    let rules = [
        ("e", MaskMethod::Email),
        ("f", MaskMethod::Email),
        ("d", MaskMethod::Digits),
        ("n", MaskMethod::Digits),
        ("x", MaskMethod::Digits),
        ("y", MaskMethod::Email),
    ];
    let (found, counts) = masked(item, &rules);
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(
        found["e"]["S"],
        "48a526ee8688a8997a0ec24bc0e15f33@example.com"
    );
    assert_eq!(found["f"]["S"].as_str().unwrap().len(), 32);
    assert_eq!(found["d"]["S"], "+49 (388) 83-79");
    assert_eq!(found["n"]["N"], "-9111032");
    assert_eq!(found["x"]["N"].as_str().unwrap().len(), 38);
    assert_eq!(found["y"]["N"].as_str().unwrap().len(), 38);
    let told: Vec<(u64, u64)> = counts
        .iter()
        .map(|counts| (counts.hashed, counts.unexpected))
        .collect();
    assert_eq!(told, [(0, 0), (1, 0), (0, 0), (0, 0), (1, 0), (0, 1)]);
}

#[test]
fn a_set_keeps_its_members_apart_where_digits_would_make_two_of_them_one() {
    // Of eleven different digits and ten places two must meet; of ten, some meet with this secret.
    let item = r#"{"a":{"SS":["0","1","2","3","4","5","6","7","8","9"]},"b":{"NS":["11","4711"]}}"#;
    let rules = [("a", MaskMethod::Digits), ("b", MaskMethod::Digits)];
    let (found, counts) = masked(item, &rules);
    let found: Value = serde_json::from_str(&found).unwrap();
    let members: BTreeSet<&str> = found["a"]["SS"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member.as_str().unwrap())
        .collect();
    assert_eq!(members.len(), 10);
    assert!(members.iter().all(|member| member.len() == 32));
    assert_eq!(counts[0].hashed, 1);
    assert_eq!(found["b"]["NS"][1].as_str().unwrap().len(), 4);
}

#[test]
fn values_of_another_type_are_hashed_whole_and_counted() {
    let one = r#"{"a":{"M":{"x":{"S":"1"},"y":{"BOOL":true}}},"b":{"BOOL":false},"c":{"L":[]}}"#;
    let other =
        r#"{"a":{"M":{"y":{"BOOL":true},"x":{"S":"\u0031"}}},"b":{"BOOL":true},"c":{"L":[]}}"#;
    let rules = ["a", "b", "c"].map(|path| (path, MaskMethod::Hash));
    let (one, counts) = masked(one, &rules);
    let (other, _) = masked(other, &rules);
    let (one, other): (Value, Value) = (
        serde_json::from_str(&one).unwrap(),
        serde_json::from_str(&other).unwrap(),
    );
    assert_eq!(one["a"]["S"].as_str().unwrap().len(), 32);
    assert_eq!(one["a"], other["a"]);
    assert_ne!(one["b"], other["b"]);
    assert!(counts.iter().all(|counts| counts.unexpected == 1));
}

#[test]
fn a_path_that_ends_before_its_value_is_counted_and_changes_nothing() {
    let item = r#"{"a":{"S":"alice"},"b":{"L":[{"S":"x"}]},"c":{"NULL":true},"d":{"SS":["x"]}}"#;
    let rules = ["a.x", "b.x", "c.x", "d[0]"].map(|path| (path, MaskMethod::Drop));
    let (found, counts) = masked(item, &rules);
    assert_eq!(found, item);
    let told: Vec<(u64, u64)> = counts
        .iter()
        .map(|counts| (counts.values, counts.unexpected))
        .collect();
    assert_eq!(told, [(0, 1), (0, 1), (0, 0), (0, 1)]);
}

#[test]
fn a_masked_value_that_stands_elsewhere_in_its_line_is_counted() {
    let item = r#"{"a":{"S":"alice@example.org"},"b":{"S":"write to alice@example.org"},"c":{"S":"bob"},"d":{"S":"bob"}}"#;
    let rules = [("a", MaskMethod::Email), ("c", MaskMethod::Drop)];
    let (_, counts) = masked(item, &rules);
    let copies: Vec<u64> = counts.iter().map(|counts| counts.copies).collect();
    // Three bytes stand anywhere by chance, and are not looked for.
    assert_eq!(copies, [1, 0]);
}

#[test]
fn a_change_is_masked_in_its_keys_and_both_images() {
    let line = r#"{"Metadata":{"WriteTimestampMicros":{"N":"1768387654353205"}},"Keys":{"id":{"S":"alice"}},"OldImage":{"id":{"S":"alice"},"x":{"N":"1"}},"NewImage":{"id":{"S":"alice"},"x":{"N":"42"}}}"#;
    let masking = masking(&[("id", MaskMethod::Hash), ("x", MaskMethod::Hash)]);
    let mut masker = LineMasker::new(&masking);
    let found = masker.mask(line).unwrap();
    assert_eq!(found.matches(TEXT_OF_ALICE).count(), 3);
    assert!(found.contains(r#""N":"1768387654353205""#));
    assert!(found.contains(NUMBER_OF_42));
    let mut checker = LineChecker::new(&LineRules {
        format: Format::DynamoDbJson,
        view: Some(View::NewAndOldImages),
        keys: None,
    });
    checker.check(found).unwrap();
    assert_eq!(masker.counts()[0].values, 3);
}

#[test]
fn an_item_that_would_grow_beyond_400_kb_is_refused_by_its_line() {
    let masking = masking(&[("a", MaskMethod::Hash)]);
    let members: Vec<String> = (0..9000).map(|n| format!("\"{n}\"")).collect();
    let members = members.join(",");
    let mut masker = LineMasker::new(&masking);
    let small = format!(r#"{{"Item":{{"id":{{"S":"x"}},"a":{{"SS":[{members}]}}}}}}"#);
    // 9000 members of 32 bytes are 288,000, and with 150,000 more they are above 409,600.
    masker.mask(&small).unwrap();
    let filler = "x".repeat(150_000);
    let large = small.replace(r#""S":"x""#, &format!(r#""S":"{filler}""#));
    let fault = masker.mask(&large).unwrap_err();
    assert_eq!(fault.kind, LineFaultKind::ItemTooLarge);
    assert_eq!(fault.path.to_string(), "Item");
}

#[test]
fn an_item_of_400_kb_is_masked_and_stays_one() {
    // 2 + 32 bytes of the key, 1 of a name, and the rest of the filler.
    let filler = "x".repeat(LARGEST_ITEM - 35);
    let line = format!(
        r#"{{"Item":{{"id":{{"S":"{}"}},"a":{{"S":"{filler}"}}}}}}"#,
        "k".repeat(32)
    );
    let item = |line: &str| serde_json::from_str::<Value>(line).unwrap()["Item"].clone();
    assert_eq!(item_size(&item(&line)), LARGEST_ITEM);
    let masking = masking(&[("id", MaskMethod::Hash)]);
    let mut masker = LineMasker::new(&masking);
    let found = item(masker.mask(&line).unwrap());
    assert_eq!(item_size(&found), LARGEST_ITEM);
    assert_eq!(found["a"]["S"], filler);
}

#[test]
fn a_keyed_method_needs_a_secret_and_others_need_none() {
    let drop = [rule("a", MaskMethod::Drop)];
    assert!(Masking::new(&drop, None).is_ok());
    let hash = [rule("a", MaskMethod::Hash)];
    assert_eq!(Masking::new(&hash, None).unwrap_err(), NoSecret);
}

/// A text that is found nowhere by chance: 16 random bytes.
fn secret_text() -> impl Strategy<Value = String> {
    any::<[u8; 16]>().prop_map(hex::encode)
}

/// A number of 32 digits.
fn secret_number() -> impl Strategy<Value = String> {
    secret_text().prop_map(|text| {
        text.bytes()
            .map(|byte| char::from(b'1' + byte % 9))
            .collect()
    })
}

/// Any value whose texts are all secret.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        secret_text().prop_map(|text| json!({"S": text})),
        secret_number().prop_map(|number| json!({"N": number})),
        any::<[u8; 16]>()
            .prop_map(|bytes| json!({"B": base64_simd::STANDARD.encode_to_string(bytes)})),
        any::<bool>().prop_map(|value| json!({"BOOL": value})),
        Just(json!({"NULL": true})),
        prop::collection::btree_set(secret_text(), 1..4).prop_map(|texts| json!({"SS": texts})),
        prop::collection::btree_set(secret_number(), 1..4)
            .prop_map(|numbers| json!({"NS": numbers})),
        (secret_text(), 1000..90_000_usize)
            .prop_map(|(text, length)| json!({"S": format!("{text}{}", "y".repeat(length))})),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|values| json!({"L": values})),
            prop::collection::btree_map(secret_text(), inner, 0..4)
                .prop_map(|values| json!({"M": values})),
        ]
    })
}

/// All texts of 32 characters or more in a value, names included.
fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= 24 => into.push(text[..24].to_owned()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, into)),
        Value::Object(members) => {
            for (name, value) in members {
                if name.len() >= 24 {
                    into.push(name.clone());
                }
                texts(value, into);
            }
        }
        _ => {}
    }
}

fn any_method() -> impl Strategy<Value = MaskMethod> {
    prop_oneof![
        Just(MaskMethod::Drop),
        Just(MaskMethod::Null),
        Just(MaskMethod::Replace(json!({"S": "removed"}))),
        Just(MaskMethod::Hash),
        Just(MaskMethod::Email),
        Just(MaskMethod::Digits),
    ]
}

fn checker() -> LineChecker {
    let keys = KeySchema::from_texts(&["id:S".to_owned()]).unwrap();
    LineChecker::new(&LineRules {
        format: Format::DynamoDbJson,
        view: None,
        keys: Some(keys),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_of_a_masked_value_is_left_and_the_line_is_sound(
        id in secret_text(),
        hidden in value(),
        nested in value(),
        listed in prop::collection::vec(value(), 1..4),
        shown in value(),
        methods in prop::collection::vec(any_method(), 3),
    ) {
        let line = json!({"Item": {
            "id": {"S": id},
            "shown": shown,
            "hidden": hidden,
            "m": {"M": {"kept": {"S": "kept"}, "hidden": nested}},
            "l": {"L": listed},
        }});
        // Numbers may grow by six digits each, of which an item has some dozens.
        prop_assume!(item_size(&line["Item"]) + 1024 <= LARGEST_ITEM);
        let text = line.to_string();
        checker().check(&text).unwrap();
        let mut secrets = vec![id];
        for value in [&hidden, &nested].into_iter().chain(&listed) {
            texts(value, &mut secrets);
        }
        let masking = masking(&[
            ("id", MaskMethod::Hash),
            ("hidden", methods[0].clone()),
            ("m.hidden", methods[1].clone()),
            ("l[*]", methods[2].clone()),
        ]);
        let mut masker = LineMasker::new(&masking);
        let found = masker.mask(&text).unwrap();
        for secret in &secrets {
            prop_assert!(!found.contains(secret.as_str()), "{secret} is left");
        }
        let mut checker = checker();
        let content = checker.check(found).unwrap();
        prop_assert!(content.key.is_some());
        let found: Value = serde_json::from_str(found).unwrap();
        prop_assert!(item_size(&found["Item"]) <= LARGEST_ITEM);
        prop_assert_eq!(&found["Item"]["shown"], &line["Item"]["shown"]);
        prop_assert_eq!(&found["Item"]["m"]["M"]["kept"]["S"], "kept");
        for set in ["SS", "NS", "BS"] {
            if let (Some(before), Some(after)) = (hidden[set].as_array(), found["Item"]["hidden"][set].as_array()) {
                prop_assert_eq!(before.len(), after.len());
            }
        }
        prop_assert_eq!(masker.counts()[3].values, listed.len() as u64);
    }

    #[test]
    fn equal_values_have_equal_results_wherever_they_stand(value in value()) {
        let rules = [("a", MaskMethod::Hash), ("b.c[*]", MaskMethod::Hash)];
        let item = json!({"a": value, "b": {"M": {"c": {"L": [value, value]}}}});
        let (found, _) = masked(&item.to_string(), &rules);
        let found: Value = serde_json::from_str(&found).unwrap();
        let list = &found["b"]["M"]["c"]["L"];
        prop_assert_eq!(&found["a"], &list[0]);
        prop_assert_eq!(&list[0], &list[1]);
    }
}
