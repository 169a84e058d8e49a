//! Another machine, or a lost journal: what is in progress to the same place is not started a second time
//! without a word.

use rstest::rstest;

use crate::killed::exports;
use crate::program::{Ended, Home, Server};
use crate::relay::{self, Fate, is_for, refusal};

const PLAN: &str = r#"
[source]
profile = "prod-oncall"
[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "duplicates"
[[tables]]
name = "Orders"
"#;

/// A home whose server has an export in progress for a minute that the journal does not know.
fn world() -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, 0, "60");
    let first = run(&home, PLAN, "first", &[]);
    assert_eq!(first.status, 0, "{first:?}");
    assert_eq!(exports(&home).len(), 1);
    (home, server)
}

/// Starts a plan from a machine with a journal of its own.
fn run(home: &Home, plan: &str, machine: &str, more: &[&str]) -> Ended {
    Ended::of(&mut command(home, plan, machine, more))
}

fn command(home: &Home, plan: &str, machine: &str, more: &[&str]) -> std::process::Command {
    let plan = home.write("plan.toml", plan);
    let mut command = home.command();
    command
        .env("TABLEFERRY_STATE_DIR", home.path().join(machine))
        .args(["run", "--yes", "--no-wait", "--output", "json"])
        .args(more)
        .arg(plan);
    command
}

#[test]
fn a_duplicate_of_another_machine_is_not_started_by_yes_alone() {
    let (home, _server) = world();
    let second = run(&home, PLAN, "second", &[]);
    assert_eq!(second.status, 3, "{second:?}");
    let arn = exports(&home).remove(0).to_string();
    assert!(second.out.contains(&arn), "{second:?}");
    assert!(second.out.contains("--again"), "{second:?}");
    assert_eq!(exports(&home).len(), 1, "{second:?}");
    let again = run(&home, PLAN, "second", &["--again"]);
    assert_eq!(again.status, 0, "{again:?}");
    assert_eq!(exports(&home).len(), 2, "{again:?}");
}

#[test]
fn what_the_journal_knows_is_followed_as_before() {
    let home = Home::new();
    let _server = Server::start(&home, 0, "3");
    let first = run(&home, PLAN, "first", &[]);
    assert_eq!(first.status, 0, "{first:?}");
    let again = run(&home, PLAN, "first", &[]);
    assert_eq!(again.status, 0, "{again:?}");
    assert_eq!(again.exports()[0]["status"], "COMPLETED", "{again:?}");
    assert_eq!(exports(&home).len(), 1);
}

#[rstest]
#[case::another_prefix(&PLAN.replace("\"duplicates\"", "\"elsewhere\""))]
#[case::another_table(&PLAN.replace("Orders", "Users"))]
#[case::a_window(&(PLAN.to_owned() + &window()))]
fn what_asks_for_something_else_is_started(#[case] plan: &str) {
    let (home, _server) = world();
    let second = run(&home, plan, "second", &[]);
    assert_eq!(second.status, 0, "{second:?}");
    assert_eq!(exports(&home).len(), 2, "{second:?}");
}

/// A window of the last half hour.
fn window() -> String {
    let to = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(10);
    let from = to - jiff::SignedDuration::from_mins(20);
    format!("type = \"INCREMENTAL_EXPORT\"\nfrom = \"{from:.0}\"\nto = \"{to:.0}\"\n")
}

#[rstest]
#[case::the_list("ListExports")]
#[case::the_description("DescribeExport")]
fn what_may_not_be_read_is_said_in_one_line(#[case] operation: &'static str) {
    let (home, server) = world();
    let mut second = command(&home, PLAN, "second", &[]);
    let second = relay::run(&home, &server, &mut second, move |head, _| {
        if is_for(head, operation) {
            refusal("AccessDeniedException")
        } else {
            Fate::Pass
        }
    });
    assert_eq!(second.status, 0, "{second:?}");
    let objects = second.objects();
    let summary = objects
        .iter()
        .find(|object| object["event"] == "start_summary");
    let warnings = summary.unwrap()["warnings"].as_array().unwrap();
    let told = warnings.iter().filter(|warning| {
        let warning = warning.as_str().unwrap();
        warning.contains("exported already") && warning.contains(operation)
    });
    assert_eq!(told.count(), 1, "{second:?}");
}
