//! On a terminal each change is asked about, and the name of a production account is typed.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rstest::rstest;

use crate::account_changes::world::example;
use crate::program::{Ended, Home};

const PATIENCE: Duration = Duration::from_secs(30);

const PRODUCTION: &str = "[accounts.\"111111111111\"]\nname = \"prod\"\nproduction = true\n";

/// Runs `apply` in a terminal, answers each question once it is asked, and gives the exit status and
/// all that was shown.
fn apply(home: &Home, more: &[&str], answers: &[(&str, &str)]) -> (u32, String) {
    let plan = home.write("plan.toml", &example("no-grant"));
    let config = home.write("guards.toml", PRODUCTION);
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tableferry"));
    command.env_clear();
    command.env("HOME", home.path());
    command.args(["--sandbox", "--sandbox-state"]);
    command.arg(home.path().join("world.json"));
    command.args(["--config", config.to_str().unwrap(), "apply"]);
    command.arg(plan);
    command.args(more);
    let size = PtySize {
        rows: 200,
        cols: 200,
        ..PtySize::default()
    };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut program = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let shown = Arc::new(Mutex::new(String::new()));
    let mut output = pair.master.try_clone_reader().unwrap();
    let kept = Arc::clone(&shown);
    let reader = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = output.read(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
            kept.lock().unwrap().push_str(&text);
        }
    });
    let mut keys = pair.master.take_writer().unwrap();
    for (question, answer) in answers {
        let begun = Instant::now();
        while !shown.lock().unwrap().contains(question) {
            let text = shown.lock().unwrap().clone();
            assert!(
                begun.elapsed() < PATIENCE,
                "{question} is not asked: {text}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        keys.write_all(format!("{answer}\n").as_bytes()).unwrap();
    }
    let status = program.wait().unwrap().exit_code();
    drop(keys);
    drop(pair.master);
    reader.join().unwrap();
    let text = shown.lock().unwrap().clone();
    (status, text)
}

const QUESTION: &str = "write the bucket policy of export-nopolicy (y/N)?";
const NAME: &str = "type the account's name, prod, to go on";

#[rstest]
#[case::no(&[(QUESTION, "n")], 3)]
#[case::nothing(&[(QUESTION, "")], 3)]
#[case::yes_without_the_name(&[(QUESTION, "y"), (NAME, "yes")], 3)]
#[case::yes_and_the_name(&[(QUESTION, "y"), (NAME, "prod")], 0)]
fn a_change_is_made_only_after_each_answer_was_right(
    #[case] answers: &[(&str, &str)],
    #[case] status: u32,
) {
    let home = Home::new();
    let (ended, text) = apply(&home, &[], answers);
    assert_eq!(ended, status, "{text}");
    // The difference and what it fixes were shown before the question.
    let (before, _) = text.split_once(QUESTION).unwrap();
    assert!(before.contains("TableferryWrite"), "{before}");
    assert!(before.contains("in account 222222222222"), "{before}");
    let changes: i64 = home
        .journal()
        .query_row(
            "SELECT count(*) FROM operation WHERE kind = 'change'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(changes, i64::from(status == 0), "{text}");
}

/// The bucket's policy in the sandbox's state.
fn bucket_policy(home: &Home) -> serde_json::Value {
    let text = std::fs::read_to_string(home.path().join("world.json")).unwrap();
    let world: serde_json::Value = serde_json::from_str(&text).unwrap();
    let policy = &world["buckets"]["export-nopolicy"]["policy"]["current"];
    serde_json::from_str(policy.as_str().unwrap()).unwrap()
}

/// Gives the bucket a Deny that names the exporter, beside another.
fn deny_the_exporter(home: &Home) -> serde_json::Value {
    let plan = home.write("plan.toml", &example("no-grant"));
    let _ = Ended::of(home.sandbox(&["check"]).arg(plan));
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "NotThisOne", "Effect": "Deny",
         "Principal": {"AWS": "arn:aws:iam::111111111111:role/OnCallExporter"},
         "Action": "s3:PutObject", "Resource": "arn:aws:s3:::export-nopolicy/*"},
        {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
         "Resource": "arn:aws:s3:::export-nopolicy/*",
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]});
    let path = home.path().join("world.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut world: serde_json::Value = serde_json::from_str(&text).unwrap();
    world["buckets"]["export-nopolicy"]["policy"]["current"] = policy.to_string().into();
    std::fs::write(&path, world.to_string()).unwrap();
    policy
}

const SID: &str = "type its Sid to change it";
const CHANGE: [&str; 3] = ["--change-deny", "NotThisOne", "--no-wait"];

#[test]
fn a_deny_that_names_the_exporter_is_changed_once_its_sid_is_typed_and_comes_back_by_undo() {
    let home = Home::new();
    let before = deny_the_exporter(&home);
    let (_, text) = apply(
        &home,
        &CHANGE,
        &[(QUESTION, "y"), (NAME, "prod"), (SID, "yes")],
    );
    assert!(text.contains("that is not the Deny's Sid"), "{text}");
    assert_eq!(bucket_policy(&home), before);

    let typed = [(QUESTION, "y"), (NAME, "prod"), (SID, "NotThisOne")];
    let (_, text) = apply(&home, &CHANGE, &typed);
    let labels = |policy: &serde_json::Value| -> Vec<serde_json::Value> {
        let statements = policy["Statement"].as_array().unwrap().iter();
        statements.map(|one| one["Sid"].clone()).collect()
    };
    assert_eq!(
        labels(&bucket_policy(&home)),
        ["Tls", "TableferryWrite"],
        "{text}"
    );
    let undone = Ended::of(&mut home.sandbox(&["undo", "1", "--yes"]));
    assert_eq!(undone.status, 0, "{undone:?}");
    assert_eq!(bucket_policy(&home), before);
}

#[test]
fn no_yes_on_the_command_line_changes_a_deny_that_names_the_exporter() {
    let home = Home::new();
    let before = deny_the_exporter(&home);
    let plan = home.path().join("plan.toml");
    let yes = ["apply", "--yes", "--allow", "bucket-policy", "--no-wait"];
    let told = Ended::of(home.sandbox(&yes).arg(&plan));
    assert!(told.out.contains("--change-deny NotThisOne"), "{told:?}");
    let both = [&yes[..], &CHANGE[..2]].concat();
    let refused = Ended::of(home.sandbox(&both).arg(&plan));
    assert_eq!(refused.status, 2, "{refused:?}");
    let kept = bucket_policy(&home);
    let kept = &kept["Statement"];
    assert_eq!(kept[0], before["Statement"][0]);
    assert_eq!(kept[1], before["Statement"][1]);
}
