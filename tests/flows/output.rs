//! What is written, and where it cannot be written.

use std::fs::OpenOptions;
use std::process::Stdio;

use rstest::rstest;
use serde_json::Value;

use crate::program::{Ended, Home};

/// The keys of an export in the last line, and no others.
const KEYS: [&str; 22] = [
    "account",
    "billed_size_bytes",
    "bucket",
    "ended_at",
    "export_arn",
    "failure_code",
    "failure_message",
    "failure_request_id",
    "item_count",
    "kind",
    "manifest",
    "prefix",
    "remarks",
    "settled_at",
    "settled_by",
    "started_at",
    "status",
    "table",
    "table_arn",
    "uri",
    "verified",
    "verified_at",
];

const PLAN: &str = r#"
[source]
profile = "prod-oncall"
[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "output"
[[tables]]
name = "Empty"
"#;

#[test]
fn the_last_line_of_every_command_on_runs_has_the_documented_keys() {
    let home = Home::new();
    let plan = home.write("plan.toml", PLAN);
    let run = Ended::of(
        home.sandbox(&["run", "--yes", "--output", "json"])
            .arg(plan),
    );
    let list = Ended::of(&mut home.sandbox(&["exports", "--output", "json"]));
    for ended in [&run, &list] {
        assert_eq!(ended.status, 0, "{ended:?}");
        let exports = ended.exports();
        assert_eq!(exports.len(), 1, "{ended:?}");
        let mut keys: Vec<&str> = exports[0]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        keys.sort_unstable();
        assert_eq!(keys, KEYS);
    }
    for (ended, started) in [(&run, 1), (&list, 0)] {
        let objects = ended.objects();
        let finished = objects.last().unwrap();
        assert_eq!(finished["started"], started, "{ended:?}");
        assert_eq!(finished["maybe_started"], 0, "{ended:?}");
    }
    for command in [&["resume"][..], &["exports", "--watch"]] {
        let arguments = [command, &["--output", "json"]].concat();
        let ended = Ended::of(&mut home.sandbox(&arguments));
        assert_eq!(ended.status, 0, "{ended:?}");
        assert!(ended.exports().is_empty(), "{ended:?}");
    }
}

#[test]
fn what_fails_before_the_work_is_told_in_json_too() {
    let home = Home::new();
    home.write(".config/tableferry/config.toml", "[poll]\nfirst = 1\n");
    let ended = Ended::of(home.command().args(["exports", "--output", "json"]));
    assert_eq!(ended.status, 2, "{ended:?}");
    let objects = ended.objects();
    assert_eq!(objects[0]["event"], "error", "{ended:?}");
    let message = objects[0]["message"].as_str().unwrap();
    assert!(message.contains("line 2, column 1"), "{message}");
    assert_eq!(objects.last().unwrap()["exports"], Value::Array(Vec::new()));
}

#[rstest]
#[case(&["completions", "bash"])]
#[case(&["man"])]
fn a_full_disk_is_an_error_and_no_panic(#[case] arguments: &[&str]) {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ended = Ended::of(Home::new().command().args(arguments).stdout(full));
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.starts_with("error: "), "{ended:?}");
}

#[test]
fn a_run_whose_result_could_not_be_told_is_not_called_done() {
    let home = Home::new();
    let plan = home.write("plan.toml", PLAN);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ended = Ended::of(home.sandbox(&["run", "--yes"]).arg(plan).stdout(full));
    assert_eq!(ended.status, 5, "{ended:?}");
    assert_eq!(
        ended.err.matches("cannot be written").count(),
        1,
        "{ended:?}"
    );
    let list = Ended::of(&mut home.sandbox(&["exports"]));
    assert!(list.out.contains("COMPLETED, verified"), "{list:?}");
}

#[rstest]
#[case(&["completions", "zsh"])]
#[case(&["man"])]
#[case(&["--sandbox", "profiles"])]
fn a_reader_that_goes_away_is_no_error(#[case] arguments: &[&str]) {
    let mut child = Home::new()
        .command()
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{ended:?}");
}
