//! What holds the operator back: read-only work, and the limits of the configuration.

use serde_json::Value;

use crate::access_checks::predicted::{check, example};
use crate::program::{Ended, Home};

fn run(home: &Home, plan: &str, more: &[&str]) -> Ended {
    let plan = home.write("plan.toml", plan);
    let arguments = [&["run", "--yes", "--output", "json"], more].concat();
    Ended::of(home.sandbox(&arguments).arg(plan))
}

/// The errors of an output, each with its hint.
fn errors(ended: &Ended) -> Vec<String> {
    let objects = ended.objects();
    let errors = objects.iter().filter(|object| object["event"] == "error");
    errors
        .map(|error| format!("{} {}", error["message"], error["hint"]))
        .collect()
}

fn runs_in_the_journal(home: &Home) -> i64 {
    home.journal()
        .query_row("SELECT count(*) FROM run", [], |row| row.get(0))
        .unwrap()
}

fn config(home: &Home, text: &str) -> String {
    home.write("config.toml", text).display().to_string()
}

#[test]
fn nothing_is_started_or_probed_where_nothing_may_be_changed() {
    let home = Home::new();
    let file = config(&home, "read_only = true");
    for guard in [&["--read-only"][..], &["--config", &file]] {
        let ended = run(&home, &example("one-table"), guard);
        assert_eq!(ended.status, 3, "{ended:?}");
        let told = errors(&ended).join("\n");
        assert!(told.contains("--read-only"), "{told}");
        // Not even who signs in was asked.
        assert!(!ended.out.contains("\"identity\""), "{ended:?}");
        let more = [&["--probe", "--yes"], guard].concat();
        let ended = check(&home, &example("one-table"), &more);
        assert_eq!(ended.status, 3, "{ended:?}");
        assert!(!ended.out.contains("\"probed\""), "{ended:?}");
    }
    assert_eq!(runs_in_the_journal(&home), 0);
}

#[test]
fn what_only_reads_goes_on_where_nothing_may_be_changed() {
    let home = Home::new();
    let ended = check(&home, &example("one-table"), &["--read-only"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let done = run(&home, &example("one-table"), &[]);
    assert_eq!(done.status, 0, "{done:?}");
    let exports = Ended::of(&mut home.sandbox(&["exports", "--read-only"]));
    assert_eq!(exports.status, 0, "{exports:?}");
}

/// A run that was cut off before its call stays as it is, and is neither refused nor forgotten, where
/// nothing may be changed any more, or where the limits that were set since keep it out.
#[test]
fn a_call_that_is_left_is_not_made_against_what_is_forbidden_by_now() {
    let home = Home::new();
    let done = run(&home, &example("one-table"), &[]);
    assert_eq!(done.status, 0, "{done:?}");
    let journal = home.journal();
    journal
        .execute(
            "UPDATE operation SET state = 'PLANNED', arn = NULL, called_at = NULL",
            [],
        )
        .unwrap();
    drop(journal);
    let limit = |name: &str, limit: &str| {
        let file = home.write(name, &format!("[allowed]\n{limit}\n"));
        file.display().to_string()
    };
    let buckets = limit("buckets.toml", "buckets = ['export-frankfurt']");
    let accounts = limit("accounts.toml", "accounts = ['333333333333']");
    let organization = limit(
        "organization.toml",
        "organization = 'o-anotherorganization'",
    );
    for (guard, reason) in [
        (vec!["--read-only"], "--read-only"),
        (vec!["--config", &buckets], "bucket export-landing is none"),
        (vec!["--config", &accounts], "is of account 222222222222"),
        (vec!["--config", &organization], "o-tableferry1"),
    ] {
        let arguments = [vec!["resume", "--output", "json"], guard].concat();
        let ended = Ended::of(&mut home.sandbox(&arguments));
        assert_eq!(ended.status, 4, "{ended:?}");
        assert!(ended.out.contains(reason), "{ended:?}");
        let stage: String = home
            .journal()
            .query_row("SELECT state FROM operation", [], |row| row.get(0))
            .unwrap();
        assert_eq!(stage, "PLANNED");
    }
}

/// Each limit, the plan that it keeps out, and what is told.
#[test]
fn a_plan_outside_the_limits_is_refused_by_check_and_run_whatever_is_forced() {
    for (limit, name, reason) in [
        (
            "accounts = ['333333333333']",
            "one-table",
            "bucket export-landing is of account 222222222222",
        ),
        (
            "buckets = ['export-frankfurt']",
            "one-table",
            "bucket export-landing is none of those",
        ),
        (
            "organization = 'o-anotherorganization'",
            "one-table",
            "it belongs to organization o-tableferry1",
        ),
        // Nobody signs in to the bucket's account.
        (
            "organization = 'o-tableferry1'",
            "no-destination-profile",
            "is not known",
        ),
        ("largest_size = '1 KB'", "one-table", "allows 1000 B"),
        (
            "accounts = ['222222222222']",
            "missing-owner",
            "whose bucket export-landing is is not known",
        ),
    ] {
        let home = Home::new();
        let file = config(&home, &format!("[allowed]\n{limit}\n"));
        let plan = example(name);
        let checked = check(&home, &plan, &["--config", &file]);
        assert_eq!(checked.status, 3, "{limit}: {checked:?}");
        let told = errors(&checked).join("\n");
        assert!(told.contains(reason), "{limit}: {told}");
        assert!(told.contains("[allowed]"), "{limit}: {told}");

        let ran = run(&home, &plan, &["--force", "--config", &file]);
        assert_eq!(ran.status, 3, "{limit}: {ran:?}");
        let told = errors(&ran).join("\n");
        assert!(told.contains(reason), "{limit}: {told}");
        assert_eq!(runs_in_the_journal(&home), 0, "{limit}");
    }
}

#[test]
fn a_plan_within_the_limits_goes_on() {
    let home = Home::new();
    let file = config(
        &home,
        "[allowed]\naccounts = ['333333333333']\norganization = 'o-tableferry1'\n\
         buckets = ['export-landing']\nlargest_size = '1 GiB'\n",
    );
    let checked = check(&home, &example("one-table"), &["--config", &file]);
    assert_eq!(checked.status, 0, "{checked:?}");
    let ran = run(&home, &example("one-table"), &["--config", &file]);
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[test]
fn facts_of_a_file_are_held_to_the_limits_too() {
    let home = Home::new();
    let plan = home.write("plan.toml", &example("one-table"));
    let surveyed = Ended::of(home.sandbox(&["survey"]).arg(&plan));
    let facts: Value = serde_json::from_str(&surveyed.out).unwrap();
    let facts = home.write("facts.json", &facts.to_string());
    let file = config(&home, "[allowed]\naccounts = ['333333333333']\n");
    let judged = |more: &[&str]| {
        let mut command = home.command();
        command.args(["check", "--output", "json", "--facts"]);
        Ended::of(command.args([&facts, &plan]).args(more))
    };
    assert_eq!(judged(&[]).status, 0);
    let refused = judged(&["--config", &file]);
    assert_eq!(refused.status, 3, "{refused:?}");
    assert!(errors(&refused)[0].contains("222222222222"), "{refused:?}");
}
