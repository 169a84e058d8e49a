//! Patterns in the list of tables: how they are written, and which tables they come to.

use super::super::*;
use super::{now, parse};

const HEAD: &str = "[source]\nprofile = 'prod'\n[destination]\nbucket = 'landing'\n";

fn plan(tables: &str) -> Plan {
    parse(&format!("{tables}\n{HEAD}")).unwrap()
}

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

fn tables(plan: &Plan) -> Vec<String> {
    plan.tables
        .iter()
        .map(|job| job.table.to_string())
        .collect()
}

#[test]
fn names_and_patterns_stand_side_by_side_in_one_list() {
    let plan = plan("tables = ['Orders', 'prod-*', 'test-??']");
    assert_eq!(tables(&plan), ["Orders"]);
    let patterns: Vec<&str> = plan
        .selectors
        .iter()
        .map(|one| one.pattern.as_str())
        .collect();
    assert_eq!(patterns, ["prod-*", "test-??"]);
    let known = names(&[
        "Orders", "prod-a", "prod-b", "Prod-c", "test-12", "test-123",
    ]);
    let resolved = plan.resolved(&known).unwrap();
    // Names are case-sensitive (developer guide, "Naming rules").
    assert_eq!(tables(&resolved), ["Orders", "prod-a", "prod-b", "test-12"]);
    assert!(resolved.is_resolved() && !plan.is_resolved());
}

#[test]
fn the_settings_of_a_pattern_are_those_of_each_of_its_tables() {
    let text = format!("{HEAD}[[tables]]\nname = 'prod-*'\nformat = 'ION'\n");
    let plan = parse(&text).unwrap();
    let resolved = plan.resolved(&names(&["prod-a", "prod-b"])).unwrap();
    assert!(resolved.tables.iter().all(|job| job.format == Format::Ion));
    assert_eq!(tables(&resolved), ["prod-a", "prod-b"]);
}

#[test]
fn a_table_that_is_named_is_exported_as_its_own_entry_says_and_by_no_pattern() {
    let text = format!(
        "{HEAD}[[tables]]\nname = 'prod-*'\n[[tables]]\nname = 'prod-a'\nformat = 'ION'\n\
         [[tables]]\nname = 'arn:aws:dynamodb:eu-west-1:111111111111:table/prod-c'\n"
    );
    let plan = parse(&text).unwrap();
    let resolved = plan
        .resolved(&names(&["prod-a", "prod-b", "prod-c"]))
        .unwrap();
    let expected = [
        "prod-a",
        "arn:aws:dynamodb:eu-west-1:111111111111:table/prod-c",
        "prod-b",
    ];
    assert_eq!(tables(&resolved), expected);
    assert_eq!(resolved.tables[0].format, Format::Ion);
    assert_eq!(resolved.tables[2].format, Format::DynamoDbJson);
}

#[test]
fn two_patterns_that_ask_for_the_same_export_it_once() {
    let plan = plan("tables = ['prod-*', '*-a']");
    let resolved = plan
        .resolved(&names(&["prod-a", "prod-b", "test-a"]))
        .unwrap();
    assert_eq!(tables(&resolved), ["prod-a", "prod-b", "test-a"]);
}

#[test]
fn a_pattern_that_nothing_is_like_is_told_with_all_others_of_its_sort() {
    let plan = plan("tables = ['Orders', 'prod-*', 'dev-*', 'test-*']");
    let unmatched = plan.resolved(&names(&["prod-a", "Orders"])).unwrap_err();
    let patterns: Vec<&str> = unmatched.0.iter().map(TablePattern::as_str).collect();
    assert_eq!(patterns, ["dev-*", "test-*"]);
}

#[test]
fn a_resolved_plan_is_written_without_patterns_and_an_unresolved_one_with_them() {
    let plan = plan("tables = ['prod-*']");
    assert!(plan.to_toml().contains("name = \"prod-*\""));
    let text = plan.resolved(&names(&["prod-a"])).unwrap().to_toml();
    assert!(
        text.contains("name = \"prod-a\"") && !text.contains('*'),
        "{text}"
    );
    assert_eq!(Plan::parse(&plan.to_toml(), "plan", now()).unwrap(), plan);
}

#[test]
fn what_is_no_pattern_of_names_is_told_where_it_stands() {
    let violations = parse(&format!("tables = ['prod/*']\n{HEAD}")).unwrap_err();
    let told = violations.to_string();
    assert!(
        told.contains("`prod/*` is not a pattern of table names"),
        "{told}"
    );
    let violations = parse(&format!("tables = [7]\n{HEAD}")).unwrap_err();
    assert!(
        violations
            .to_string()
            .contains("`tables` must be a list of tables")
    );
}
