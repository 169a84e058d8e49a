//! More exports than an account may have in progress: what finds no room waits, and starts once.

use std::collections::BTreeMap;

use rstest::rstest;

use super::plan;
use crate::killed::exports;
use crate::program::{Ended, Home, Server};

/// A server in which so many exports run at once, with twelve small tables.
fn served(home: &Home, most: &str, job: &str) -> Server {
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n",
    );
    home.write("plan.toml", &plan("[\"Bulk-*\"]"));
    let options = ["--sandbox-tables", "12", "--sandbox-most-exports", most];
    Server::serve(home, &options, job)
}

fn command(home: &Home, words: &[&str]) -> std::process::Command {
    let mut command = home.command();
    command.args(words).args(["--output", "json"]);
    command
}

fn run(home: &Home, more: &[&str]) -> Ended {
    let plan = home.path().join("plan.toml").display().to_string();
    let words = [&["run", "--yes"], more, &[plan.as_str()]].concat();
    Ended::of(&mut command(home, &words))
}

/// How often each table was exported.
fn times(home: &Home) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for export in exports(home) {
        let table = export.resource.split('/').nth(1).unwrap().to_owned();
        *times.entry(table).or_default() += 1;
    }
    times
}

fn assert_each_once(home: &Home) {
    let times = times(home);
    assert_eq!(times.len(), 12, "{times:?}");
    assert!(times.values().all(|count| *count == 1), "{times:?}");
}

#[test]
fn what_finds_no_room_waits_and_each_table_is_exported_once() {
    let home = Home::new();
    let _server = served(&home, "3", "5");
    let ended = run(&home, &[]);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_each_once(&home);
    let notes: Vec<String> = ended
        .objects()
        .iter()
        .filter_map(|object| object["message"].as_str().map(str::to_owned))
        .filter(|message| message.contains("wait for room"))
        .collect();
    assert_eq!(notes.len(), 1, "told once: {notes:?}");
    assert!(notes[0].starts_with("9 exports wait"), "{notes:?}");
}

#[test]
fn what_runs_elsewhere_counts_and_is_waited_for() {
    let home = Home::new();
    let _server = served(&home, "2", "10");
    let other = home.write("other.toml", &plan("[\"Orders\", \"Users\"]"));
    let mut elsewhere = command(&home, &["run", "--yes", "--no-wait"]);
    elsewhere.env("TABLEFERRY_STATE_DIR", home.path().join("elsewhere"));
    let begun = Ended::of(elsewhere.arg(other));
    assert_eq!(begun.status, 0, "{begun:?}");
    let ended = run(&home, &["--only", "Bulk-0001", "--only", "Bulk-0002"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(ended.out.contains("2 exports wait for room"), "{ended:?}");
    let times = times(&home);
    assert_eq!(
        (times["Bulk-0001"], times["Bulk-0002"]),
        (1, 1),
        "{times:?}"
    );
}

#[rstest]
#[case::not_waited_for(&["--no-wait"])]
fn what_waits_is_planned_in_the_journal_and_resumed(#[case] more: &[&str]) {
    let home = Home::new();
    let _server = served(&home, "5", "6");
    let begun = run(&home, more);
    assert_eq!(begun.status, 4, "{begun:?}");
    let stages: Vec<String> = begun
        .exports()
        .iter()
        .map(|export| export["status"].as_str().unwrap().to_owned())
        .collect();
    let planned = stages.iter().filter(|stage| *stage == "PLANNED").count();
    assert_eq!((stages.len(), planned), (12, 7), "{stages:?}");
    let resumed = Ended::of(&mut command(&home, &["resume"]));
    assert_eq!(resumed.status, 0, "{resumed:?}");
    assert_each_once(&home);
}
