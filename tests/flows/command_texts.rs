//! What the commands print for people, as reviewed snapshots: a text says what is the case, why, and what to
//! do. Each snapshot is a chapter of invocations in one home; times, ids and the home's path are filtered.

use std::fmt::Write as _;

use rstest::rstest;

use crate::program::{Ended, Home};

/// The plan of a table that the sandbox lets its profiles export.
const ALLOWED: &str = r#"
[source]
profile = "prod-oncall"
[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "output"
[[tables]]
name = "Empty"
"#;

/// Two things that are wrong in it.
const WRONG: &str = r#"
[source]
profile = "prod-oncall"
egion = "eu-west-1"
[destination]
profile = "dev-admin"
bucket = "Export_Landing"
[[tables]]
name = "Em pty"
"#;

/// The invocations of a chapter as they read on a terminal: the line, both outputs, and the status.
fn chapter(home: &Home, invocations: &[&str]) -> String {
    let mut text = String::new();
    for line in invocations {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let ended = Ended::of(home.sandbox(&arguments).current_dir(home.path()));
        let _ = writeln!(text, "$ tableferry {line}");
        text.push_str(&ended.out);
        for line in ended.err.lines() {
            let _ = writeln!(text, "stderr: {line}");
        }
        let _ = writeln!(text, "exit {}\n", ended.status);
    }
    filtered(&text.replace(&home.path().display().to_string(), "HOME"))
}

/// The text with `TIME` for times, and `ID` for what a service or this program makes up.
fn filtered(text: &str) -> String {
    let mut kept = String::new();
    let mut word = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || matches!(character, '-' | ':' | '.') {
            word.push(character);
        } else {
            kept.push_str(&of_kind(&word));
            word.clear();
            kept.push(character);
        }
    }
    kept + &of_kind(&word)
}

/// A word, or what stands for its kind.
fn of_kind(word: &str) -> String {
    let bare = word.trim_end_matches(['.', ':']);
    let end = &word[bare.len()..];
    let is_time = bare.len() >= 16 && bare.as_bytes()[4] == b'-' && bare.as_bytes()[10] == b'T';
    // The token of a call is this program's name and a UUID.
    let made_up = bare.strip_prefix("tableferry-").unwrap_or(bare);
    let parts: Vec<&str> = made_up.split('-').collect();
    let is_hex = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    // An export is a time in milliseconds and eight hexadecimal digits.
    let is_id = parts.iter().all(is_hex)
        && matches!(
            parts.iter().map(|part| part.len()).collect::<Vec<_>>()[..],
            [14 | 17, 8] | [8, 4, 4, 4, 12]
        );
    match (is_time, is_id) {
        (true, _) => format!("TIME{end}"),
        (_, true) => format!("ID{end}"),
        _ => word.to_owned(),
    }
}

#[rstest]
#[case::usage("usage", &[
    "run",
    "rum",
    "run absent.toml --yes",
    "run wrong.toml --yes",
    "run plan.toml",
    "run plan.toml --yes --only Nope",
    "run plan.toml --yes --read-only",
    "check plan.toml --facts absent.json",
    "check plan.toml --probe",
    "check plan.toml --scp plan.toml",
    "policies plan.toml --as message --account 999999999999",
    "policies plan.toml --as cli --expires 2020-01-01T00:00:00Z",
    "changes plan.toml --events absent.json",
    "policy lint absent.json --kind bucket",
    "simulate absent.jsonl",
    "inventory show plan.toml",
    "survey absent.toml",
    "",
])]
#[case::nothing_there("nothing-there", &[
    "exports",
    "history",
    "apply --list",
    "resume",
    "resume 7",
    "report 7",
    "explain 7",
    "undo 7 --yes",
    "verify 7",
    "verify absent",
    "verify s3://export-landing",
    "fetch arn:aws:dynamodb:eu-west-1:111111111111:table/Empty copy",
    "archives export-landing",
    "athena 7",
])]
#[case::refused("refused", &[
    "check no-grant.toml",
    "run no-grant.toml --yes",
    "run no-grant.toml --dry-run",
    "policies no-grant.toml --as message",
    "apply no-grant.toml",
    "apply no-grant.toml --yes",
    "check unread-identity.toml --strict",
])]
fn a_failure_says_what_is_the_case_why_and_what_to_do(
    #[case] name: &str,
    #[case] invocations: &[&str],
) {
    let home = Home::new();
    write_plans(&home);
    snapshot(name, &chapter(&home, invocations));
}

#[test]
fn what_was_done_is_told_afterwards() {
    let home = Home::new();
    write_plans(&home);
    let run = Ended::of(
        home.sandbox(&["run", "plan.toml", "--yes"])
            .current_dir(home.path()),
    );
    assert_eq!(run.status, 0, "{run:?}");
    let invocations = [
        "check plan.toml",
        "policies plan.toml --as cli",
        "apply plan.toml --yes",
        "exports",
        "history",
        "resume",
        "verify 1",
        "explain 1",
        "run plan.toml --yes",
    ];
    snapshot("done", &chapter(&home, &invocations));
}

fn write_plans(home: &Home) {
    home.write("plan.toml", ALLOWED);
    home.write("wrong.toml", WRONG);
    for name in ["no-grant", "unread-identity"] {
        let path = format!("{}/assets/plans/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let plan = std::fs::read_to_string(path).unwrap();
        home.write(&format!("{name}.toml"), &plan);
    }
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text);
    });
}
