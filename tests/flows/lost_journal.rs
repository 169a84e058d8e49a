//! The journal is lost or its disk full: what runs is told all the same.

use std::path::PathBuf;
use std::process::Command;

use crate::killed::started_exports;
use crate::program::{Ended, Home, Server};
use crate::relay::{self, Fate, Passing, is_for};

const PLAN: &str = r#"
[source]
profile = "prod-oncall"
[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "lost"
[[tables]]
name = "Orders"
[[tables]]
name = "Users"
"#;

fn world() -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, 0, "1");
    home.write("plan.toml", PLAN);
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n",
    );
    (home, server)
}

fn state(home: &Home) -> PathBuf {
    home.path().join(".local/state/tableferry")
}

/// Takes the journal's directory away once a message comes by; puts it back afterwards.
fn run_without_journal(
    home: &Home,
    server: &Server,
    is_now: impl Fn(&str, Passing) -> bool + Send + 'static,
) -> Ended {
    let (from, to) = (state(home), home.path().join("elsewhere"));
    let (taken, away) = (from.clone(), to.clone());
    let mut command = home.command();
    command.args(["run", "--yes", "--output", "json"]);
    command.arg(home.path().join("plan.toml"));
    let ended = relay::run(home, server, &mut command, move |head, passing| {
        if is_now(head, passing) && taken.exists() {
            std::fs::rename(&taken, &away).unwrap();
        }
        Fate::Pass
    });
    std::fs::rename(to, from).unwrap();
    ended
}

fn statuses(ended: &Ended) -> Vec<String> {
    let exports = ended.exports();
    let text = |export: &serde_json::Value| export["status"].as_str().unwrap().to_owned();
    exports.iter().map(text).collect()
}

fn count(ended: &Ended, name: &str) -> u64 {
    ended.objects().last().unwrap()[name].as_u64().unwrap()
}

#[test]
fn what_runs_is_told_where_the_journal_is_lost_during_the_calls() {
    let (home, server) = world();
    let ended = run_without_journal(&home, &server, |head, passing| {
        is_for(head, "ExportTableToPointInTime") && passing == Passing::Answer
    });
    assert_eq!(ended.status, 4, "{ended:?}");
    assert_eq!(statuses(&ended), ["IN_PROGRESS", "PLANNED"], "{ended:?}");
    assert!(ended.exports()[0]["export_arn"].is_string(), "{ended:?}");
    assert_eq!(count(&ended, "started"), 1, "{ended:?}");
    assert!(ended.out.contains("tableferry resume 1"), "{ended:?}");

    let resumed = Ended::of(home.command().args(["resume", "--output", "json"]));
    assert_eq!(resumed.status, 0, "{resumed:?}");
    assert_eq!(
        statuses(&resumed),
        ["COMPLETED", "COMPLETED"],
        "{resumed:?}"
    );
    assert_eq!(count(&resumed, "started"), 1, "{resumed:?}");
    assert_eq!(started_exports(&home), ["Orders", "Users"]);
}

#[test]
fn what_runs_is_told_where_the_journal_is_lost_while_waiting() {
    let (home, server) = world();
    let ended = run_without_journal(&home, &server, |head, passing| {
        is_for(head, "DescribeExport") && passing == Passing::Answer
    });
    assert_eq!(ended.status, 4, "{ended:?}");
    for export in ended.exports() {
        assert!(export["export_arn"].is_string(), "{ended:?}");
    }
    assert_eq!(count(&ended, "started"), 2, "{ended:?}");
}

#[test]
fn a_journal_lost_before_the_first_call_leaves_nothing_started_and_says_so() {
    let (home, server) = world();
    let ended = run_without_journal(&home, &server, |head, _| {
        is_for(head, "DescribeContinuousBackups")
    });
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.exports().is_empty(), "{ended:?}");
    assert_eq!(count(&ended, "started"), 0, "{ended:?}");
    assert_eq!(count(&ended, "maybe_started"), 0, "{ended:?}");
    assert!(!ended.out.contains("resume"), "{ended:?}");
    assert!(started_exports(&home).is_empty());
}

/// A limit on the size of files stands for a full disk; `trap` makes it an error instead of a signal.
#[test]
fn a_full_disk_before_the_start_is_no_reason_to_resume() {
    let (home, _server) = world();
    let made = Ended::of(home.command().arg("exports"));
    assert_eq!(made.status, 0, "{made:?}");
    let mut full: Command = home.command_under("sh");
    full.args(["-c", r#"trap "" XFSZ; ulimit -f 1; exec "$@""#, "sh"])
        .arg(env!("CARGO_BIN_EXE_tableferry"))
        .args(["run", "--yes"])
        .arg(home.path().join("plan.toml"));
    let ended = Ended::of(&mut full);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.out.contains("nothing was started"), "{ended:?}");
    assert!(ended.err.contains("hint: check the disk"), "{ended:?}");
    assert!(!ended.err.contains("resume"), "{ended:?}");
    assert!(started_exports(&home).is_empty());
}
