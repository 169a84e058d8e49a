//! `tableferry doctor`: it says what is wrong, and makes and reveals nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::program::{Home, Server};

fn tableferry(home: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tableferry"))
        .args(args)
        .env_clear()
        .env("HOME", home)
        .current_dir(home)
        .output()
        .unwrap()
}

/// What it found, and how it ended.
fn findings(home: &Path, args: &[&str]) -> (Vec<Value>, Option<i32>) {
    let args = [args, &["doctor", "--output", "json"]].concat();
    let output = tableferry(home, &args);
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["schema"], 1);
    let findings = object["findings"].as_array().unwrap().clone();
    (findings, output.status.code())
}

/// The states of a section, each with its subject and message.
fn of_section(findings: &[Value], section: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings
        .iter()
        .filter(|found| found["section"] == section)
        .map(|found| {
            let [state, subject, message] =
                ["state", "subject", "message"].map(|key| text(&found[key]));
            format!("{state} {subject}: {message}")
        })
        .collect()
}

#[test]
fn an_empty_home_has_no_profiles_and_stays_empty() {
    let home = tempfile::tempdir().unwrap();
    let (found, exit) = findings(home.path(), &[]);
    assert_eq!(exit, Some(1), "{found:#?}");
    let profiles = of_section(&found, "profiles");
    assert_eq!(
        profiles,
        ["wrong profiles: there is none that can be chosen"]
    );
    let journal = of_section(&found, "journal");
    assert_eq!(
        journal,
        ["right ~/.local/state/tableferry/journal.db: not there yet: the first command makes it"]
    );
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn in_the_sandbox_sts_answers_and_the_clock_agrees() {
    let home = tempfile::tempdir().unwrap();
    let (found, _) = findings(home.path(), &["--sandbox"]);
    let reached = of_section(&found, "reachability");
    assert!(
        reached
            .iter()
            .any(|line| line.contains("STS in eu-west-1") && line.ends_with("answers")),
        "{reached:?}"
    );
    assert!(
        reached.contains(&"right clock: agrees with AWS's".to_owned()),
        "{reached:?}"
    );
    let wrong: Vec<_> = found
        .iter()
        .filter(|found| found["state"] == "wrong")
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_clock_that_is_off_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let (found, exit) = findings(home.path(), &["--sandbox", "--clock-offset", "+2h"]);
    assert_eq!(exit, Some(1));
    let clock = of_section(&found, "reachability")
        .into_iter()
        .find(|line| line.contains("clock"))
        .unwrap();
    assert!(
        clock.starts_with("wrong clock: this machine's clock is 2h behind"),
        "{clock}"
    );
}

#[test]
fn an_endpoint_at_which_nobody_answers_is_wrong_and_offline_asks_nothing() {
    let home = Home::new();
    // The port of a server that has gone.
    drop(Server::start(&home, 0, "1"));
    let (found, exit) = findings(home.path(), &[]);
    assert_eq!(exit, Some(1), "{found:#?}");
    let reached = of_section(&found, "reachability");
    assert!(reached[0].starts_with("wrong STS in "), "{reached:?}");
    let output = tableferry(home.path(), &["doctor", "--offline", "--output", "json"]);
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let offline = of_section(object["findings"].as_array().unwrap(), "reachability");
    assert_eq!(offline, ["right STS: not asked: --offline"]);
}

#[test]
fn keys_that_others_may_read_and_a_broken_configuration_are_told_without_any_secret() {
    let home = Home::new();
    home.write(
        ".aws/credentials",
        "[prod]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = s3cret\nregion = eu-west-1\n\
         role_arn = arn:aws:iam::123456789012:role/R\nsource_profile = prod\n",
    );
    let credentials = home.path().join(".aws/credentials");
    std::fs::set_permissions(&credentials, std::fs::Permissions::from_mode(0o644)).unwrap();
    home.write(".config/tableferry/config.toml", "read-only = true\n");
    let output = tableferry(home.path(), &["doctor", "--offline"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("notable  ~/.aws/credentials: mode 644: others may read it"),
        "{text}"
    );
    assert!(text.contains("did you mean `read_only`?"), "{text}");
    for secret in [
        "s3cret",
        "AKIAEXAMPLE",
        "123456789012",
        home.path().to_str().unwrap(),
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn a_run_that_was_left_is_told_and_a_damaged_journal_is_wrong() {
    let home = Home::new();
    let server = Server::start(&home, 0, "600");
    home.write(
        "plan.toml",
        include_str!("../../assets/plans/one-table.toml"),
    );
    let mut run = Command::new(env!("CARGO_BIN_EXE_tableferry"))
        .args(["run", "plan.toml", "--yes"])
        .env_clear()
        .env("HOME", home.path())
        .current_dir(home.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(run.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("in progress") {
        line.clear();
        let read = std::io::BufRead::read_line(&mut lines, &mut line).unwrap();
        assert!(read > 0, "it ended before its export was under way");
    }
    run.kill().unwrap();
    run.wait().unwrap();
    let (found, _) = findings(home.path(), &[]);
    let journal = of_section(&found, "journal");
    assert!(
        journal[1].starts_with("notable") && journal[1].ends_with("1 run, left to do: 1"),
        "{journal:?}"
    );
    let plans = of_section(&found, "files");
    assert!(
        plans
            .iter()
            .any(|line| line.contains("plan.toml: a plan (export)")),
        "{plans:?}"
    );
    drop(server);

    let path = home.path().join(".local/state/tableferry/journal.db");
    std::fs::write(&path, "x".repeat(8192)).unwrap();
    let (found, exit) = findings(home.path(), &[]);
    assert_eq!(exit, Some(1));
    let journal = of_section(&found, "journal");
    assert!(journal[1].starts_with("wrong"), "{journal:?}");
}
