//! docs/plan.md names every key that a plan takes, and docs/permissions.md what each kind requires.

use super::*;

const DOCUMENT: &str = include_str!("../../../docs/plan.md");
const PERMISSIONS: &str = include_str!("../../../docs/permissions.md");

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
#[case::load("kind = 'load'\nzzqx = 1")]
#[case::destination_of_a_replay("kind = 'replay'\n[destination]\nzzqx = 1")]
#[case::written_table("kind = 'load'\n[table]\nzzqx = 1")]
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

const ACCOUNT: &str = "111111111111";
const TABLE_KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/TABLE-KEY";

/// What a plan requires, as rows of docs/permissions.md.
fn rows(plan: &str) -> Vec<String> {
    let plan = parse(plan).unwrap_or_else(|violations| panic!("{violations}"));
    let account: AccountId = ACCOUNT.parse().unwrap();
    let owner: AccountId = "222222222222".parse().unwrap();
    let region: Region = "eu-west-1".parse().unwrap();
    let table_keys = [TABLE_KEY.parse().unwrap()];
    let required = plan.requirements(requirement::JobContext {
        account: &account,
        region: &region,
        owner: Some(&owner),
        default_key: requirement::DefaultKey::None,
        stored_keys: &requirement::StoredKeys::Unread,
        table_keys: &table_keys,
    });
    let row = |need: &requirement::RequiredPermission| {
        let who = match need.who {
            requirement::Actor::Exporter => "source",
            requirement::Actor::Reader => "destination",
            requirement::Actor::Service => "service",
        };
        let criticality = match need.criticality {
            requirement::Criticality::Required => "yes",
            requirement::Criticality::Optional => "no",
        };
        format!(
            "| {who} | `{}` | `{}` | {criticality} | {} |",
            need.action, need.resource, need.reason
        )
    };
    required.iter().map(row).collect()
}

/// The rows of a section of the page are what the plan beneath its heading requires, and no others.
#[rstest::rstest]
#[case::export("Export")]
#[case::upload("Upload")]
#[case::inventory("S3 Inventory")]
#[case::reading("Reading back")]
#[case::import("Import")]
fn the_permissions_of_each_kind_are_documented(#[case] heading: &str) {
    let (_, section) = PERMISSIONS
        .split_once(&format!("\n## {heading}\n"))
        .unwrap();
    let section = section.split("\n## ").next().unwrap();
    let (_, plan) = section.split_once("```toml\n").unwrap();
    let (plan, table) = plan.split_once("```\n").unwrap();
    let documented: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    let expected = rows(plan);
    assert_eq!(documented[2..], expected, "{}", expected.join("\n"));
}
