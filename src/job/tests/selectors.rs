//! Patterns in the list of tables and windows since the last export: how they are written, and what they
//! come to.

use super::super::*;
use super::{now, parse};

const HEAD: &str = "[source]\nprofile = 'prod'\n[destination]\nbucket = 'landing'\n";

fn plan(tables: &str) -> Plan {
    parse(&format!("{tables}\n{HEAD}")).unwrap()
}

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

/// The plan with tables of these names, of which the last exports ended then.
fn resolved(plan: &Plan, of: &[&str], last: Option<&str>) -> Result<Plan, UnresolvedEntries> {
    let last = last.map(|time| time.parse().unwrap());
    plan.resolved(&Known {
        names: &names(of),
        last_end: &|_| last,
        now: now(),
    })
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
        .filter_map(TableSelector::pattern)
        .map(TablePattern::as_str)
        .collect();
    assert_eq!(patterns, ["prod-*", "test-??"]);
    let known = [
        "Orders", "prod-a", "prod-b", "Prod-c", "test-12", "test-123",
    ];
    let resolved = resolved(&plan, &known, None).unwrap();
    // Names are case-sensitive (developer guide, "Naming rules").
    assert_eq!(tables(&resolved), ["Orders", "prod-a", "prod-b", "test-12"]);
    assert!(resolved.is_resolved() && !plan.is_resolved());
}

#[test]
fn the_settings_of_a_pattern_are_those_of_each_of_its_tables() {
    let text = format!("{HEAD}[[tables]]\nname = 'prod-*'\nformat = 'ION'\n");
    let plan = parse(&text).unwrap();
    let resolved = resolved(&plan, &["prod-a", "prod-b"], None).unwrap();
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
    let resolved = resolved(&plan, &["prod-a", "prod-b", "prod-c"], None).unwrap();
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
    let resolved = resolved(&plan, &["prod-a", "prod-b", "test-a"], None).unwrap();
    assert_eq!(tables(&resolved), ["prod-a", "prod-b", "test-a"]);
}

#[test]
fn a_pattern_that_nothing_is_like_is_told_with_all_others_of_its_sort() {
    let plan = plan("tables = ['Orders', 'prod-*', 'dev-*', 'test-*']");
    let unmatched = resolved(&plan, &["prod-a", "Orders"], None).unwrap_err();
    let expected = ["dev-*", "test-*"].map(|pattern| pattern.parse().unwrap());
    assert_eq!(unmatched, UnresolvedEntries::NoTable(expected.to_vec()));
}

#[test]
fn a_resolved_plan_is_written_without_patterns_and_an_unresolved_one_with_them() {
    let plan = plan("tables = ['prod-*']");
    assert!(plan.to_toml().contains("name = \"prod-*\""));
    let text = resolved(&plan, &["prod-a"], None).unwrap().to_toml();
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

fn windows(plan: &Plan) -> Vec<(String, String)> {
    let spans = plan.tables.iter().map(|job| match &job.span {
        Span::Incremental { from, to, .. } => (from.to_string(), to.to_string()),
        Span::Full { .. } => panic!("a window is expected"),
    });
    spans.collect()
}

fn changes(from: &str, to: &str) -> String {
    format!("{HEAD}[[tables]]\nname = 'Orders'\ntype = 'INCREMENTAL_EXPORT'\nfrom = '{from}'\n{to}")
}

#[test]
fn a_span_of_more_than_a_day_is_a_chain_of_windows() {
    let text = changes("2026-11-19T06:00:00Z", "to = '2026-11-21T18:00:00Z'\n");
    let plan = parse(&text).unwrap();
    let expected = [
        ("2026-11-19T06:00:00Z", "2026-11-20T06:00:00Z"),
        ("2026-11-20T06:00:00Z", "2026-11-21T06:00:00Z"),
        ("2026-11-21T06:00:00Z", "2026-11-21T18:00:00Z"),
    ];
    assert_eq!(
        windows(&plan),
        expected.map(|(from, to)| (from.to_owned(), to.to_owned()))
    );
    assert!(plan.is_resolved());
}

#[test]
fn relative_times_count_from_when_the_plan_is_read() {
    let plan = parse(&changes("3h", "to = '30m ago'\n")).unwrap();
    let expected = (
        "2026-11-22T09:00:00Z".to_owned(),
        "2026-11-22T11:30:00Z".to_owned(),
    );
    assert_eq!(windows(&plan), [expected]);
}

#[test]
fn changes_since_the_last_export_begin_where_it_ended_and_end_five_minutes_ago() {
    let plan = parse(&changes("last", "")).unwrap();
    assert!(!plan.is_resolved());
    assert!(plan.to_toml().contains("from = \"last\""));
    assert_eq!(Plan::parse(&plan.to_toml(), "plan", now()).unwrap(), plan);
    let resolved = resolved(&plan, &[], Some("2026-11-22T06:00:00Z")).unwrap();
    let expected = (
        "2026-11-22T06:00:00Z".to_owned(),
        "2026-11-22T11:55:00Z".to_owned(),
    );
    assert_eq!(windows(&resolved), [expected]);
}

#[test]
fn changes_since_an_export_of_days_ago_are_a_chain_up_to_now() {
    let plan = parse(&changes("last", "")).unwrap();
    let resolved = resolved(&plan, &[], Some("2026-11-20T06:00:00Z")).unwrap();
    let windows = windows(&resolved);
    assert_eq!(windows.len(), 3);
    assert_eq!(windows[2].1, "2026-11-22T11:55:00Z");
}

#[test]
fn without_an_earlier_export_there_is_nothing_to_go_on_from() {
    let plan = parse(&changes("last", "")).unwrap();
    let unresolved = resolved(&plan, &[], None).unwrap_err();
    assert_eq!(
        unresolved,
        UnresolvedEntries::NoLast(vec!["Orders".to_owned()])
    );
}

#[test]
fn a_window_since_the_last_export_that_is_too_short_is_told() {
    let plan = parse(&changes("last", "")).unwrap();
    let soon = resolved(&plan, &[], Some("2026-11-22T11:50:00Z")).unwrap_err();
    let UnresolvedEntries::NoWindow(table, invalid) = soon else {
        panic!("{soon:?}");
    };
    assert_eq!(table, "Orders");
    assert!(invalid.message.contains("at least 15 minutes"), "{invalid}");
}

#[test]
fn every_table_of_a_pattern_goes_on_from_its_own_last_export() {
    let plan = parse(&changes("last", "").replace("Orders", "prod-*")).unwrap();
    let last_end = |job: &TableJob| {
        let end = if job.table.is_named("prod-a") {
            "08"
        } else {
            "10"
        };
        Some(format!("2026-11-22T{end}:00:00Z").parse().unwrap())
    };
    let resolved = plan
        .resolved(&Known {
            names: &names(&["prod-a", "prod-b"]),
            last_end: &last_end,
            now: now(),
        })
        .unwrap();
    let begins: Vec<String> = windows(&resolved)
        .into_iter()
        .map(|(from, _)| from)
        .collect();
    assert_eq!(begins, ["2026-11-22T08:00:00Z", "2026-11-22T10:00:00Z"]);
}
