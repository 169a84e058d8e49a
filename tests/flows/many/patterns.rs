//! `tables = ["prod-*"]`: looked up when a command begins, and frozen in what is started.

use super::{plan, with_tables};
use crate::program::{Ended, Home};

/// The names of the tables that a run of the journal has exports of, in its order.
fn exported(home: &Home) -> Vec<String> {
    let journal = home.journal();
    let mut statement = journal
        .prepare("SELECT subject FROM operation WHERE kind = 'export' ORDER BY position")
        .unwrap();
    let subjects = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap();
    let name = |subject: String| subject.rsplit('/').next().unwrap().to_owned();
    subjects.map(|subject| name(subject.unwrap())).collect()
}

#[test]
fn a_run_exports_the_tables_that_are_named_like_it_and_keeps_their_names() {
    let home = Home::new();
    let text = plan("[\"Orders\", \"Bulk-000?\"]");
    let ended = with_tables(&home, "12", &["run", "--yes", "--output", "json"], &text);
    assert_eq!(ended.status, 0, "{ended:?}");
    let mut expected = vec!["Orders".to_owned()];
    expected.extend((1..=9).map(|number| format!("Bulk-000{number}")));
    assert_eq!(exported(&home), expected);
    let kept: String = home
        .journal()
        .query_row("SELECT plan FROM run", [], |row| row.get(0))
        .unwrap();
    assert!(kept.contains("Bulk-0009") && !kept.contains('?'), "{kept}");
}

#[test]
fn a_dry_run_and_a_check_and_policies_judge_the_tables_themselves() {
    let home = Home::new();
    let text = plan("[\"Bulk-*\"]");
    let dry = with_tables(&home, "3", &["run", "--dry-run"], &text);
    assert_eq!(dry.status, 0, "{dry:?}");
    assert!(dry.out.contains("export table Bulk-0003"), "{dry:?}");
    let checked = with_tables(&home, "3", &["check", "--output", "json"], &text);
    assert_eq!(checked.status, 0, "{checked:?}");
    let judged = checked.objects();
    let resources = judged
        .iter()
        .filter_map(|object| object["subject"]["resource"].as_str());
    let starts = resources.filter(|resource| resource.ends_with("table/Bulk-0002"));
    assert_eq!(starts.count(), 3, "one for each action on the table itself");
    let policies = with_tables(&home, "3", &["policies", "--all", "--as", "json"], &text);
    assert_eq!(policies.status, 0, "{policies:?}");
    assert!(policies.out.contains("table/Bulk-0001"), "{policies:?}");
}

#[test]
fn a_pattern_that_no_table_is_like_is_told_before_anything_is_asked() {
    let home = Home::new();
    let ended = with_tables(
        &home,
        "3",
        &["run", "--yes"],
        &plan("[\"Orders\", \"bulk-*\"]"),
    );
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.err.contains("is named like `bulk-*`"), "{ended:?}");
    assert!(ended.err.contains("case-sensitive"), "{ended:?}");
    assert!(exported(&home).is_empty());
}

#[test]
fn who_may_not_list_tables_is_told_what_to_ask_for() {
    let home = Home::new();
    let text = plan("[\"Bulk-*\"]");
    let command = ["check", "--sandbox-fault", "ListTables=expired:100"];
    let ended = with_tables(&home, "3", &command, &text);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.err.contains("dynamodb:ListTables"), "{ended:?}");
    assert!(
        ended.err.contains("name the tables one by one"),
        "{ended:?}"
    );
}

#[test]
fn limits_are_held_against_all_tables_that_a_pattern_means() {
    let home = Home::new();
    // Bulk tables have three items each, a few hundred bytes: one is within the limit, not all twenty.
    let config = home.write("limits.toml", "[allowed]\nlargest_size = \"2 kB\"\n");
    let check = |tables: &str| {
        let plan = home.write("plan.toml", &plan(tables));
        let mut command = home.sandbox(&["check", "--sandbox-tables", "20", "--config"]);
        Ended::of(command.arg(&config).arg(plan))
    };
    let one = check("[\"Bulk-0001\"]");
    assert_eq!(one.status, 0, "{one:?}");
    let all = check("[\"Bulk-*\"]");
    assert_eq!(all.status, 3, "{all:?}");
    assert!(all.err.contains("the plan's tables have"), "{all:?}");
}

#[test]
fn facts_tell_which_tables_there_were_when_they_were_read_for_the_pattern() {
    let home = Home::new();
    let text = plan("[\"Bulk-*\"]");
    let surveyed = with_tables(&home, "4", &["survey"], &text);
    assert_eq!(surveyed.status, 0, "{surveyed:?}");
    let facts = home.write("facts.json", &surveyed.out);
    let check = |plan: &str| {
        let plan = home.write("other.toml", plan);
        let mut command = home.command();
        command
            .args(["check", "--output", "json", "--facts"])
            .arg(&facts);
        Ended::of(command.arg(plan))
    };
    let judged = check(&text);
    assert_eq!(judged.status, 0, "{judged:?}");
    assert!(judged.out.contains("table/Bulk-0004"), "{judged:?}");
    let other = check(&plan("[\"B*\"]"));
    assert_eq!(other.status, 2, "{other:?}");
    assert!(other.out.contains("do not tell which tables"), "{other:?}");
}

#[test]
fn a_run_that_is_gone_on_with_is_not_looked_up_again() {
    let home = Home::new();
    let text = plan("[\"Bulk-*\"]");
    let begun = with_tables(&home, "3", &["run", "--yes", "--no-wait"], &text);
    assert_eq!(begun.status, 0, "{begun:?}");
    // Nobody may list the tables by now.
    let mut command = home.sandbox(&["resume", "--sandbox-fault", "ListTables=expired:100"]);
    let resumed = Ended::of(&mut command);
    assert_eq!(resumed.status, 0, "{resumed:?}");
    assert_eq!(exported(&home).len(), 3);
}

#[test]
fn only_takes_a_table_that_a_pattern_means() {
    let home = Home::new();
    let text = plan("[\"Bulk-*\"]");
    let ended = with_tables(&home, "3", &["run", "--yes", "--only", "Bulk-0002"], &text);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(exported(&home), ["Bulk-0002"]);
    let unknown = with_tables(&home, "3", &["run", "--yes", "--only", "Bulk-0009"], &text);
    assert_eq!(unknown.status, 2, "{unknown:?}");
}
