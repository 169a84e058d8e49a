//! `retry` and `export`: starts that come from no plan file.

use serde_json::Value;

use super::{plan, with_tables};
use crate::program::{Ended, Home};

/// The stages of the exports of a run in the journal, table by table.
fn stages(home: &Home, run: i64) -> Vec<(String, String)> {
    let journal = home.journal();
    let mut statement = journal
        .prepare("SELECT subject, state FROM operation WHERE run = ?1 ORDER BY position")
        .unwrap();
    let rows = statement
        .query_map([run], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))
        .unwrap();
    let name = |subject: String| subject.rsplit('/').next().unwrap().to_owned();
    rows.map(|row| row.map(|(subject, state)| (name(subject), state)).unwrap())
        .collect()
}

fn tokens(home: &Home) -> Vec<String> {
    let journal = home.journal();
    let mut statement = journal
        .prepare("SELECT token FROM operation WHERE kind = 'export'")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn what_failed_or_was_refused_is_started_again_as_a_new_run_with_new_tokens() {
    let home = Home::new();
    // No such table: its start is refused, and --force makes it anyway.
    let text = plan("[\"Bulk-0001\", \"Missing\", \"Bulk-0002\"]");
    let first = with_tables(&home, "2", &["run", "--yes", "--force"], &text);
    assert_eq!(first.status, 3, "{first:?}");
    let refused = |run| {
        let stages = stages(&home, run).into_iter();
        stages
            .filter(|(_, stage)| stage == "REFUSED")
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    assert_eq!(refused(1), ["Missing"]);
    let again = Ended::of(&mut home.sandbox(&["retry", "1", "--yes", "--force", "--again"]));
    assert_eq!(again.status, 3, "{again:?}");
    assert!(again.out.contains("again, of run 1: Missing"), "{again:?}");
    assert_eq!(
        stages(&home, 2),
        [("Missing".to_owned(), "REFUSED".to_owned())]
    );
    let mut tokens = tokens(&home);
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 4, "each with a token of its own");
}

#[test]
fn what_is_required_is_assessed_again_before_a_retry() {
    let home = Home::new();
    let text = plan("[\"Missing\"]");
    let first = with_tables(&home, "1", &["run", "--yes", "--force"], &text);
    assert_eq!(first.status, 3, "{first:?}");
    let again = Ended::of(&mut home.sandbox(&["retry", "1", "--yes"]));
    assert_eq!(again.status, 3, "{again:?}");
    assert!(again.err.contains("there is no table"), "{again:?}");
    assert!(stages(&home, 2).is_empty(), "nothing was started");
}

#[test]
fn a_run_that_went_well_has_nothing_to_be_started_again() {
    let home = Home::new();
    let first = with_tables(&home, "1", &["run", "--yes"], &plan("[\"Bulk-0001\"]"));
    assert_eq!(first.status, 0, "{first:?}");
    let again = Ended::of(&mut home.sandbox(&["retry", "1", "--yes"]));
    assert_eq!(again.status, 0, "{again:?}");
    assert!(again.out.contains("nothing to start again"), "{again:?}");
    let unknown = Ended::of(&mut home.sandbox(&["retry", "9", "--yes"]));
    assert_eq!(unknown.status, 2, "{unknown:?}");
}

const SIDES: [&str; 8] = [
    "--from",
    "prod-admin",
    "--to",
    "dev-admin",
    "--bucket",
    "export-landing",
    "--prefix",
    "typed",
];

#[test]
fn export_needs_no_plan_file_and_does_what_run_does() {
    let home = Home::new();
    let mut command = home.sandbox(&["export", "--table", "Orders", "--yes", "--output", "json"]);
    let ended = Ended::of(command.args(SIDES));
    assert_eq!(ended.status, 0, "{ended:?}");
    let exports = ended.exports();
    assert_eq!(exports[0]["table"], "Orders", "{ended:?}");
    assert_eq!(exports[0]["status"], Value::from("COMPLETED"), "{ended:?}");
    let again = Ended::of(
        home.sandbox(&["export", "--table", "Orders", "--yes"])
            .args(SIDES),
    );
    assert!(again.out.contains("nothing new was started"), "{again:?}");
}

#[test]
fn export_asks_before_it_starts_as_run_does() {
    let home = Home::new();
    let ended = Ended::of(home.sandbox(&["export", "--table", "Orders"]).args(SIDES));
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.contains("add --yes"), "{ended:?}");
}

#[test]
fn export_takes_patterns_and_times_and_saves_the_plan() {
    let home = Home::new();
    let path = home.path().join("saved.toml");
    let mut command = home.sandbox(&["export", "--table", "Bulk-*", "--time", "1h", "--dry-run"]);
    command
        .args(["--sandbox-tables", "3", "--format", "ion", "--save-plan"])
        .arg(&path);
    let ended = Ended::of(command.args(SIDES));
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(
        ended.out.contains("export table Bulk-0003 as it was at "),
        "{ended:?}"
    );
    let saved = std::fs::read_to_string(&path).unwrap();
    assert!(
        saved.contains("name = \"Bulk-*\"") && saved.contains("ION"),
        "{saved}"
    );
    let mut command = home.sandbox(&["export", "--table", "Orders", "--dry-run", "--save-plan"]);
    let refused = Ended::of(command.arg(&path).args(SIDES));
    assert_eq!(refused.status, 2, "an existing file stays: {refused:?}");
}

#[test]
fn what_is_wrong_on_the_command_line_is_told_by_the_rules_of_a_plan() {
    let home = Home::new();
    let mut command = home.sandbox(&["export", "--table", "Orders", "--time", "noon", "--yes"]);
    let ended = Ended::of(command.args(SIDES));
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.contains("`noon` is not a time"), "{ended:?}");
}

#[test]
fn changes_since_the_last_export_continue_it() {
    let home = Home::new();
    let since_last = [
        "export",
        "--table",
        "Orders",
        "--changes-from",
        "last",
        "--dry-run",
    ];
    let nothing = Ended::of(home.sandbox(&since_last).args(SIDES));
    assert_eq!(nothing.status, 3, "{nothing:?}");
    assert!(
        nothing.err.contains("no completed export of Orders"),
        "{nothing:?}"
    );
    let full = ["export", "--table", "Orders", "--time", "2h", "--yes"];
    let full = Ended::of(home.sandbox(&full).args(SIDES));
    assert_eq!(full.status, 0, "{full:?}");
    let changes = Ended::of(home.sandbox(&since_last).args(SIDES));
    assert_eq!(changes.status, 0, "{changes:?}");
    assert!(
        changes
            .out
            .contains("export what changed in table Orders from "),
        "{changes:?}"
    );
}
