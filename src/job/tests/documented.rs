//! docs/plan.md names every key that a plan takes.

use super::*;

const DOCUMENT: &str = include_str!("../../../docs/plan.md");

/// What a plan with an unknown key is told that its section takes.
#[rstest::rstest]
#[case::export("zzqx = 1")]
#[case::upload("kind = 'upload'\nzzqx = 1")]
#[case::inventory("kind = 'inventory'\nzzqx = 1")]
#[case::reading("kind = 'read'\nzzqx = 1")]
#[case::source_of_a_reading("kind = 'read'\n[source]\nzzqx = 1")]
#[case::destination_of_a_reading("kind = 'read'\n[destination]\nzzqx = 1")]
#[case::source("[source]\nzzqx = 1")]
#[case::source_of_an_upload("kind = 'upload'\n[source]\nzzqx = 1")]
#[case::source_of_an_inventory("kind = 'inventory'\n[source]\nzzqx = 1")]
#[case::destination("[destination]\nzzqx = 1")]
#[case::encryption("[encryption]\nzzqx = 1")]
#[case::import("kind = 'import'\nzzqx = 1")]
#[case::destination_of_an_import("kind = 'import'\n[destination]\nzzqx = 1")]
#[case::new_table("kind = 'import'\n[table]\nzzqx = 1")]
#[case::index("kind = 'import'\n[[table.indexes]]\nzzqx = 1")]
#[case::mask("[mask]\nzzqx = 1")]
#[case::masked_attribute("[mask]\n[[mask.attributes]]\nzzqx = 1")]
#[case::table("[[tables]]\nzzqx = 1")]
#[case::filter("[[tables]]\n[tables.filter]\nzzqx = 1")]
fn every_key_of_the_section_is_documented(#[case] text: &str) {
    let violations = parse(text).unwrap_err();
    let told = violations
        .iter()
        .find(|violation| violation.message.contains("`zzqx`"))
        .unwrap();
    let (_, keys) = told.hint.split_once(" takes ").unwrap();
    for key in keys.split('`').skip(1).step_by(2) {
        let is_documented = ["| `{key}`", "`[{key}]`", "`[[{key}]]`", "`{key}` says"]
            .iter()
            .any(|form| DOCUMENT.contains(&form.replace("{key}", key)));
        assert!(is_documented, "docs/plan.md lacks {key}");
    }
}
