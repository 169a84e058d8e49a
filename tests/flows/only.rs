//! `run --only`: the tables of a plan that did not start or failed, and no other twice.

use serde_json::Value;

use crate::killed::started_exports;
use crate::program::{Ended, Home, Server};
use crate::relay::{self, Fate, Passing, is_for, refusal};

const PLAN: &str = r#"
[source]
profile = "prod-oncall"
[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "only"
[[tables]]
name = "Orders"
[[tables]]
name = "Users"
"#;

fn world(job_seconds: &str) -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, 0, job_seconds);
    home.write("plan.toml", PLAN);
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n",
    );
    (home, server)
}

fn command(home: &Home, more: &[&str]) -> std::process::Command {
    let mut command = home.command();
    command
        .args(["run", "--yes", "--output", "json"])
        .args(more);
    command.arg(home.path().join("plan.toml"));
    command
}

fn run(home: &Home, more: &[&str]) -> Ended {
    Ended::of(&mut command(home, more))
}

/// Runs the whole plan, and refuses the start of Users.
fn run_but_users(home: &Home, server: &Server, code: &'static str) -> Ended {
    let mut command = command(home, &[]);
    relay::run(home, server, &mut command, move |head, passing| {
        let is_users = is_for(head, "ExportTableToPointInTime") && head.contains("table/users");
        if is_users && passing == Passing::Request {
            refusal(code)
        } else {
            Fate::Pass
        }
    })
}

/// Each export of the last line: its table and status.
fn standing(ended: &Ended) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    ended
        .exports()
        .iter()
        .map(|export| (text(&export["table"]), text(&export["status"])))
        .collect()
}

fn started(ended: &Ended) -> u64 {
    ended.objects().last().unwrap()["started"].as_u64().unwrap()
}

fn pair(table: &str, status: &str) -> (String, String) {
    (table.to_owned(), status.to_owned())
}

#[test]
fn only_what_was_refused_is_started_and_what_is_complete_only_if_asked_again() {
    let (home, server) = world("1");
    let first = run_but_users(&home, &server, "AccessDeniedException");
    assert_eq!(
        standing(&first),
        [pair("Orders", "COMPLETED"), pair("Users", "REFUSED")],
        "{first:?}"
    );

    let users = run(&home, &["--only", "Users"]);
    assert_eq!(users.status, 0, "{users:?}");
    assert_eq!(standing(&users), [pair("Users", "COMPLETED")], "{users:?}");
    assert_eq!(started_exports(&home), ["Orders", "Users"]);

    let done = run(&home, &["--only", "Orders", "--only", "Users"]);
    assert_eq!(done.status, 0, "{done:?}");
    assert_eq!(started(&done), 0, "{done:?}");
    assert_eq!(
        done.exports()[0]["export_arn"],
        first.exports()[0]["export_arn"]
    );

    let again = run(&home, &["--only", "Orders", "--again"]);
    assert_eq!(again.status, 0, "{again:?}");
    assert_eq!(started(&again), 1, "{again:?}");
    assert_eq!(started_exports(&home), ["Orders", "Orders", "Users"]);
}

#[test]
fn of_several_tables_only_those_that_are_not_complete_are_started() {
    let (home, server) = world("1");
    run_but_users(&home, &server, "AccessDeniedException");
    let both = run(&home, &["--only", "Orders", "--only", "Users"]);
    assert_eq!(both.status, 0, "{both:?}");
    assert_eq!(standing(&both), [pair("Users", "COMPLETED")], "{both:?}");
    assert!(both.out.contains("run 1 has completed it"), "{both:?}");
    assert_eq!(started_exports(&home), ["Orders", "Users"]);
}

#[test]
fn what_was_planned_and_never_called_is_given_up_for_the_new_export() {
    let (home, server) = world("1");
    let first = run_but_users(&home, &server, "ExpiredTokenException");
    assert_eq!(first.status, 4, "{first:?}");
    assert_eq!(standing(&first)[1], pair("Users", "PLANNED"), "{first:?}");
    let users = run(&home, &["--only", "Users"]);
    assert_eq!(users.status, 0, "{users:?}");
    let nothing = Ended::of(home.command().arg("resume"));
    assert!(nothing.out.contains("nothing is under way"), "{nothing:?}");
    assert_eq!(started_exports(&home), ["Orders", "Users"]);
}

#[test]
fn what_is_under_way_is_not_started_beside_itself() {
    let (home, _server) = world("600");
    let first = run(&home, &["--no-wait"]);
    assert_eq!(first.status, 0, "{first:?}");
    let users = run(&home, &["--only", "Users"]);
    assert_eq!(users.status, 4, "{users:?}");
    assert_eq!(
        standing(&users),
        [pair("Users", "IN_PROGRESS")],
        "{users:?}"
    );
    assert!(users.out.contains("tableferry resume 1"), "{users:?}");
    assert_eq!(started_exports(&home), ["Orders", "Users"]);
}

#[test]
fn a_table_that_the_plan_does_not_have_is_told_with_those_that_it_has() {
    let home = Home::new();
    let plan = home.write("plan.toml", PLAN);
    let arguments = ["run", "--yes", "--only", "Order"];
    let ended = Ended::of(home.sandbox(&arguments).arg(plan));
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.contains("it has Orders, Users"), "{ended:?}");
}
