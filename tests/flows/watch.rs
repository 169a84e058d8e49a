//! `watch`: exports live, those of the journal and those that another machine started.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::program::{Ended, Home, Server};
use crate::terminal::Terminal;

const PLAN: &str = r#"
[source]
profile = "prod-oncall"
[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "output"
[[tables]]
name = "Orders"
[[tables]]
name = "Empty"
"#;

/// Long enough to begin watching, and short enough to wait for.
const JOB_SECONDS: &str = "6";

fn run(home: &Home, arguments: &[&str]) -> Ended {
    let mut command = home.command();
    Ended::of(command.args(arguments).current_dir(home.path()))
}

/// Starts the plan's exports, and leaves them.
fn started(home: &Home, plan: &str) {
    home.write("plan.toml", plan);
    let ended = run(home, &["run", "plan.toml", "--yes", "--no-wait", "--again"]);
    assert_eq!(ended.status, 0, "{ended:?}");
}

/// Another machine that knows the same accounts.
fn another(home: &Home) -> Home {
    let other = Home::new();
    for file in [".aws/config", ".aws/credentials"] {
        let text = std::fs::read_to_string(home.path().join(file)).unwrap();
        other.write(file, &text);
    }
    home_polls_fast(&other);
    other
}

fn home_polls_fast(home: &Home) {
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n",
    );
}

fn served(job_seconds: &str) -> (Home, Server) {
    let home = Home::new();
    let server = Server::start(&home, 0, job_seconds);
    home_polls_fast(&home);
    (home, server)
}

fn exports(ended: &Ended) -> Vec<Value> {
    let objects = ended.objects().into_iter();
    objects
        .filter(|object| object["event"] == "export")
        .collect()
}

/// The last object of each table.
fn last<'a>(exports: &'a [Value], table: &str) -> &'a Value {
    let mut of_table = exports.iter().filter(|object| object["table"] == table);
    of_table.next_back().unwrap()
}

#[test]
fn what_the_journal_has_under_way_is_watched_and_verified() {
    let (home, _server) = served(JOB_SECONDS);
    started(&home, PLAN);
    let ended = run(&home, &["watch", "--output", "json"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let told = exports(&ended);
    assert_eq!(told[0]["status"], "IN_PROGRESS");
    assert_eq!(told[0]["run"], 1);
    for table in ["Orders", "Empty"] {
        let last = last(&told, table);
        assert_eq!(last["status"], "COMPLETED", "{last}");
        assert_eq!(last["verified"], true, "{last}");
        assert!(
            last["uri"]
                .as_str()
                .unwrap()
                .starts_with("s3://export-landing/output/")
        );
    }
    assert_eq!(ended.exports().len(), 2);
    let again = run(&home, &["watch"]);
    assert_eq!(
        (again.status, again.out.as_str()),
        (0, "nothing is under way\n")
    );
}

#[test]
fn exports_of_another_machine_are_watched_by_account_and_by_arn() {
    let (home, _server) = served(JOB_SECONDS);
    started(&home, PLAN);
    let other = another(&home);
    let ended = run(
        &other,
        &["watch", "--account", "prod-oncall", "--output", "json"],
    );
    assert_eq!(ended.status, 0, "{ended:?}");
    let told = exports(&ended);
    let orders = last(&told, "Orders");
    assert_eq!(orders["status"], "COMPLETED", "{orders}");
    assert_eq!(orders["account"], "111111111111");
    assert_eq!(orders["run"], Value::Null);
    assert!(orders["table_bytes"].as_u64().unwrap() > 0, "{orders}");
    assert!(orders["elapsed_seconds"].as_i64().unwrap() >= 5, "{orders}");
    // Of no table two exports were completed before.
    assert!(told.iter().all(|export| export["seconds_left"].is_null()));
    let arn = orders["export_arn"].as_str().unwrap().to_owned();
    let named = run(&other, &["watch", &arn, "--profile", "prod-oncall"]);
    assert_eq!(named.status, 0, "{named:?}");
    assert!(
        named
            .out
            .contains("Orders (111111111111 eu-west-1): completed"),
        "{named:?}"
    );
    assert!(named.out.contains("tableferry verify ARN"), "{named:?}");
    let elsewhere = run(&other, &["watch", &arn, "--profile", "dev-admin"]);
    assert_eq!(elsewhere.status, 2, "{elsewhere:?}");
    assert!(
        elsewhere.err.contains("is of account 111111111111"),
        "{elsewhere:?}"
    );
}

#[test]
fn the_time_left_is_told_after_two_completed_exports_of_the_table() {
    let home = Home::new();
    let _server = Server::with_clock(&home, "60", "+0s");
    home_polls_fast(&home);
    let plan = PLAN.replace("[[tables]]\nname = \"Empty\"\n", "");
    for offset in ["+2m", "+4m"] {
        started(&home, &plan);
        home.move_clock(offset);
        assert_eq!(run(&home, &["watch"]).status, 0);
    }
    started(&home, &plan);
    // Another machine finds the first two by ListExports and DescribeExport.
    for watching in [&another(&home), &home] {
        let mut command = watching.command();
        command.args(["watch", "--account", "prod-oncall", "--output", "json"]);
        let (mut program, out) = spawned(&mut command);
        let guess = out.lines().map_while(Result::ok).find_map(|line| {
            let object: Value = serde_json::from_str(&line).unwrap();
            object["guessed_from_exports"].is_u64().then_some(object)
        });
        let guess = guess.unwrap();
        assert_eq!(guess["guessed_from_exports"], 2, "{guess}");
        let left = guess["seconds_left"].as_i64().unwrap();
        // Each was seen complete after 60 s of the service's clock.
        assert!((0..=60).contains(&left), "{guess}");
        program.kill().unwrap();
        program.wait().unwrap();
    }
}

/// The program, with its output to be read as it comes.
fn spawned(command: &mut Command) -> (Child, BufReader<ChildStdout>) {
    let spawned = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut program = spawned.unwrap();
    let out = BufReader::new(program.stdout.take().unwrap());
    (program, out)
}

#[test]
fn a_failed_export_of_another_machine_is_told_with_its_cause() {
    let (home, _server) = served("1");
    let plan = PLAN.replace("export-landing", "export-nopolicy");
    home.write("plan.toml", &plan);
    let options = ["--yes", "--no-wait", "--force", "--output", "json"];
    let begun = run(&home, &[&["run", "plan.toml"], &options[..]].concat());
    let arn = begun.exports()[0]["export_arn"]
        .as_str()
        .unwrap()
        .to_owned();
    let ended = run(
        &another(&home),
        &[
            "watch",
            &arn,
            "--profile",
            "prod-oncall",
            "--output",
            "json",
        ],
    );
    assert_eq!(ended.status, 1, "{ended:?}");
    let told = exports(&ended);
    let orders = last(&told, "Orders");
    assert_eq!(orders["failure_code"], "S3AccessDenied", "{orders}");
    assert!(orders["causes"].to_string().contains("bucket"), "{orders}");
}

#[test]
fn what_is_cut_off_goes_on_and_says_how_to_come_back() {
    let (home, _server) = served("60");
    started(&home, PLAN);
    let mut command = home.command();
    command.args(["watch", "--account", "prod-oncall"]);
    let (mut program, mut out) = spawned(&mut command);
    let mut text = String::new();
    while !text.contains("in progress") {
        assert_ne!(out.read_line(&mut text).unwrap(), 0, "{text}");
    }
    let pid = rustix::process::Pid::from_child(&program);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    out.read_to_string(&mut text).unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(4), "{text}");
    assert!(text.contains("exports go on without us"), "{text}");
}

#[test]
fn all_of_this_machine_and_of_others_in_its_accounts_are_watched_each_once() {
    let home = Home::new();
    let _server = Server::with_clock(&home, "600", "+0s");
    home_polls_fast(&home);
    let other = another(&home);
    started(&home, PLAN);
    started(&other, &PLAN.replace("\"output\"", "\"elsewhere\""));
    let mut command = home.command();
    let (mut program, out) = spawned(command.args(["watch", "--all", "--output", "json"]));
    let mut seen = BTreeSet::new();
    let mut verified = BTreeSet::new();
    let mut last = Value::Null;
    for line in out.lines().map_while(Result::ok) {
        last = serde_json::from_str(&line).unwrap();
        if last["event"] == "export" {
            let arn = last["export_arn"].as_str().unwrap_or_default().to_owned();
            if last["verified"] == true {
                verified.insert(arn.clone());
            }
            // Once all are in sight, they end.
            if seen.insert((arn, last["run"].as_u64())) && seen.len() == 4 {
                home.move_clock("+20m");
            }
        }
    }
    assert_eq!(program.wait().unwrap().code(), Some(0), "{seen:?}");
    let count = |run: Option<u64>| seen.iter().filter(|(_, of)| *of == run).count();
    assert_eq!((count(Some(1)), count(None)), (2, 2), "{seen:?}");
    assert_eq!(last["exports"].as_array().unwrap().len(), 4, "{last}");
    // Those of this machine are verified; of the others it does not know what was asked for.
    let own = seen.iter().filter(|(_, run)| run.is_some());
    let own: BTreeSet<String> = own.map(|(arn, _)| arn.clone()).collect();
    assert_eq!(verified, own);
}

#[test]
fn a_table_that_is_cut_off_leaves_no_line_of_itself() {
    let home = Home::new();
    home.write("plan.toml", PLAN);
    let words = [
        "--sandbox",
        "--sandbox-state",
        "world.json",
        "--sandbox-job",
        "60",
    ];
    let mut run = home.command();
    let run = run.current_dir(home.path()).args(words);
    let begun = Ended::of(run.args(["run", "plan.toml", "--yes", "--no-wait"]));
    assert_eq!(begun.status, 0, "{begun:?}");
    let mut terminal = Terminal::open(&home, 80, 24, &[&words[..], &["watch"]].concat());
    terminal.sees(&["of table", "2 under way"]);
    assert!(!terminal.text().contains('…'), "{}", terminal.text());
    terminal.press("\u{3}");
    assert_eq!(terminal.ended(), 4, "{}", terminal.text());
    let text = terminal.text();
    assert!(
        !text.contains("of table") && !text.contains("under way"),
        "{text}"
    );
}
