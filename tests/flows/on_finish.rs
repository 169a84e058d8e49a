//! What the operator has called when a run ends: once for each run, and nothing of it changes how it ended.

use std::path::{Path, PathBuf};

use portable_pty::CommandBuilder;
use rstest::rstest;

use crate::program::{Ended, Home, JOB_SECONDS, Server};
use crate::terminal::Terminal;

const PLAN: &str = r#"
[source]
profile = "prod-oncall"
[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "finish"
[[tables]]
name = "Orders"
[[tables]]
name = "Empty"
"#;

/// A program that adds the facts to a file, behind a line of its own.
fn recorder(home: &Home) -> (PathBuf, Vec<String>) {
    let file = home.path().join("called");
    let script = "{ echo called; env | grep ^TABLEFERRY_ | sort; } >> \"$1\"; exit \"$2\"";
    let words = ["--on-finish", "sh", "-c", script, "sh"].map(str::to_owned);
    let mut words = words.to_vec();
    words.push(file.display().to_string());
    (file, words)
}

/// What the recorder was told, a call an entry.
fn calls(file: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let calls = text.split("called\n").skip(1);
    calls
        .map(|call| call.lines().map(str::to_owned).collect())
        .collect()
}

fn run(home: &Home, before: &[&str], plan: &str, on_finish: &[String]) -> Ended {
    let plan = home.write("plan.toml", plan);
    let mut command = home.sandbox(&[&["run", "--yes"], before].concat());
    Ended::of(command.arg(plan).args(on_finish))
}

#[test]
fn a_program_is_told_of_a_run_that_ended_and_its_failure_is_told_and_changes_nothing() {
    let home = Home::new();
    let (file, mut words) = recorder(&home);
    words.push("3".to_owned());
    let ended = run(&home, &["--output", "json"], PLAN, &words);
    assert_eq!(ended.status, 0, "{ended:?}");
    let expected = [
        "TABLEFERRY_COMPLETED=2",
        "TABLEFERRY_FAILED=0",
        "TABLEFERRY_OPERATIONS=2",
        "TABLEFERRY_RUN=1",
        "TABLEFERRY_SANDBOX=1",
        "TABLEFERRY_STATUS=done",
        "TABLEFERRY_URI=s3://export-landing/finish",
        "TABLEFERRY_VERIFIED=2",
    ];
    assert_eq!(calls(&file), [expected.map(str::to_owned).to_vec()]);
    let notes = ended.objects().into_iter();
    let mut notes = notes.filter(|object| object["event"] == "note");
    let is_told = notes.any(|note| {
        let message = note["message"].as_str().unwrap_or_default();
        message.contains("`sh`") && message.contains("exit status: 3")
    });
    assert!(is_told, "{ended:?}");
    assert_eq!(ended.exports().len(), 2);
}

#[test]
fn a_run_that_failed_is_told_as_failed() {
    let home = Home::new();
    let (file, mut words) = recorder(&home);
    words.push("0".to_owned());
    let plan = PLAN.replace("export-landing", "export-nopolicy");
    let ended = run(&home, &["--force"], &plan, &words);
    assert_eq!(ended.status, 1, "{ended:?}");
    let called = calls(&file);
    assert_eq!(called.len(), 1);
    for fact in ["TABLEFERRY_STATUS=failed", "TABLEFERRY_FAILED=2"] {
        assert!(called[0].iter().any(|line| line == fact), "{called:?}");
    }
}

/// By `resume`, by `watch`, or by a resume of what has ended.
#[rstest]
#[case::by_resume(&["resume", "1"])]
#[case::by_watch(&["watch"])]
fn it_is_called_once_for_a_run_whoever_follows_it_to_its_end(#[case] follow: &[&str]) {
    let home = Home::new();
    let _server = Server::start(&home, 0, "1");
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n",
    );
    let (file, mut words) = recorder(&home);
    words.push("0".to_owned());
    home.write("plan.toml", PLAN);
    let command = |arguments: &[&str], words: &[String]| {
        let mut command = home.command();
        let command = command.current_dir(home.path()).args(arguments);
        Ended::of(command.args(words))
    };
    let begun = command(&["run", "plan.toml", "--yes", "--no-wait"], &[]);
    assert_eq!(begun.status, 0, "{begun:?}");
    let followed = command(follow, &words);
    assert_eq!(followed.status, 0, "{followed:?}");
    assert_eq!(calls(&file).len(), 1);
    let again = command(&["resume", "1", "--verify-again"], &words);
    assert_eq!(again.status, 0, "{again:?}");
    assert_eq!(calls(&file).len(), 1);
}

#[test]
fn exports_of_another_machine_are_told_without_a_run() {
    let home = Home::new();
    let _server = Server::start(&home, 0, "3");
    let config = "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n[finish]\ncommand = ";
    home.write("plan.toml", PLAN);
    let mut started = home.command();
    let started = started.current_dir(home.path());
    let begun = Ended::of(started.args(["run", "plan.toml", "--yes", "--no-wait"]));
    assert_eq!(begun.status, 0, "{begun:?}");
    let other = Home::new();
    for file in [".aws/config", ".aws/credentials"] {
        let text = std::fs::read_to_string(home.path().join(file)).unwrap();
        other.write(file, &text);
    }
    let (file, mut words) = recorder(&other);
    words.push("0".to_owned());
    let words: Vec<_> = words[1..]
        .iter()
        .map(|word| format!("'''{word}'''"))
        .collect();
    let text = format!("{config}[{}]\n", words.join(", "));
    other.write(".config/tableferry/config.toml", &text);
    let ended = Ended::of(other.command().args(["watch", "--account", "prod-oncall"]));
    assert_eq!(ended.status, 0, "{ended:?}");
    let expected = [
        "TABLEFERRY_COMPLETED=2",
        "TABLEFERRY_FAILED=0",
        "TABLEFERRY_OPERATIONS=2",
        "TABLEFERRY_STATUS=undecided",
        "TABLEFERRY_VERIFIED=0",
    ];
    assert_eq!(calls(&file), [expected.map(str::to_owned).to_vec()]);
}

#[test]
fn nothing_is_called_where_nothing_ended() {
    let home = Home::new();
    let (file, mut words) = recorder(&home);
    words.push("0".to_owned());
    let denied = PLAN.replace("export-landing", "export-nopolicy");
    let refused = run(&home, &[], &denied, &words);
    assert_eq!(refused.status, 3, "{refused:?}");
    for wrong in [["--no-wait"], ["--dry-run"]] {
        let ended = run(&home, &wrong, PLAN, &words);
        assert_eq!(ended.status, 2, "{ended:?}");
        assert!(ended.err.contains("cannot be used with"), "{ended:?}");
    }
    assert_eq!(calls(&file).len(), 0);
}

#[test]
fn a_plan_that_names_a_program_is_refused() {
    let home = Home::new();
    for lines in ["on_finish = ['sh']\n", "finish.command = ['sh']\n"] {
        let ended = run(&home, &[], &format!("{lines}{PLAN}"), &[]);
        assert_eq!(ended.status, 2, "{ended:?}");
        assert!(ended.err.contains("a plan names no program"), "{ended:?}");
    }
}

/// The bell alone, the notification alone, and both where nothing is said.
#[rstest]
#[case::by_default("", true, true)]
#[case::no_bell("[finish]\nbell = false\n", false, true)]
#[case::no_notification("[finish]\nnotification = false\n", true, false)]
fn a_terminal_hears_of_the_end(
    #[case] config: &str,
    #[case] has_bell: bool,
    #[case] has_notification: bool,
) {
    let home = Home::new();
    let config = home.write("config.toml", config).display().to_string();
    home.write("plan.toml", PLAN);
    let sandbox = [
        "--sandbox",
        "--sandbox-job",
        JOB_SECONDS,
        "--config",
        &config,
    ];
    let words = [&sandbox[..], &["run", "plan.toml", "--yes"]].concat();
    let mut terminal = Terminal::open(&home, 100, 30, &words);
    assert_eq!(terminal.ended(), 0, "{}", terminal.text());
    let sent = terminal.sent();
    let notification = "\u{1b}]9;tableferry: done and verified\u{1b}\\";
    assert_eq!(sent.contains(notification), has_notification, "{sent:?}");
    assert_eq!(sent.contains('\u{7}'), has_bell, "{sent:?}");
}

/// Standard output is a terminal that programs may read, and standard error is none.
#[test]
fn json_on_a_terminal_stays_json() {
    let home = Home::new();
    home.write("plan.toml", PLAN);
    let mut command = CommandBuilder::new("sh");
    let script = "exec \"$@\" 2>/dev/null";
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_tableferry")]);
    command.args([
        "--sandbox",
        "--sandbox-job",
        JOB_SECONDS,
        "run",
        "plan.toml",
    ]);
    command.args(["--yes", "--output", "json"]);
    command.env_clear();
    let mut terminal = Terminal::spawn(&home, command, 200, 50);
    assert_eq!(terminal.ended(), 0, "{}", terminal.text());
    let sent = terminal.sent();
    assert!(sent.contains("\"event\":\"finished\""), "{sent:?}");
    assert!(!sent.contains(['\u{7}', '\u{1b}']), "{sent:?}");
}
