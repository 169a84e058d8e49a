//! Text of others, with all that steers a terminal or hides its neighbours: none of it is printed,
//! whatever way it came in, and JSON keeps its meaning.

use rstest::rstest;
use serde_json::{Value, json};

use crate::program::{Ended, Home};

/// A window's title, a colour, C1's own sequence, DEL, a carriage return, an override, an isolate,
/// characters of no width, and a tag.
const HOSTILE: &str = "a\u{1b}]0;pwned\u{7}b\u{1b}[31mc\u{9b}2Jd\u{7f}e\rf\u{202e}g\u{2066}h\u{200b}i\u{2060}j\u{feff}k\u{200d}l\u{ad}m\u{e0041}n";

/// Written down apart from the program's own list.
fn assert_harmless(ended: &Ended) {
    for text in [&ended.out, &ended.err] {
        let found: Vec<char> = text
            .chars()
            .filter(|c| {
                matches!(*c, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}')
                    || matches!(*c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
                    || matches!(*c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
            })
            .collect();
        assert!(found.is_empty(), "{found:?} in {ended:?}");
    }
}

/// A home with hostile text wherever a file of the operator's may hold some.
fn home() -> Home {
    let home = Home::new();
    // A header ends at its first bracket.
    let header = HOSTILE.replace(']', "P");
    home.write(
        ".aws/config",
        &format!(
            "[profile {header}]\nregion = eu-west-1\n[profile x]\nregion = {HOSTILE}\n\
             mfa_serial = {HOSTILE}\nendpoint_url = http://{HOSTILE}\n[{header}]\n"
        ),
    );
    home.write(
        ".aws/credentials",
        "[x]\naws_access_key_id = A\naws_secret_access_key = s\n",
    );
    let in_toml = json!(HOSTILE)
        .to_string()
        .replace("\\u001b", "\\u001B")
        .replace('\u{7f}', "\\u007F");
    home.write(
        "plan.toml",
        &format!(
            "{in_toml} = 1\n[source]\nprofile = {in_toml}\nregion = {in_toml}\n[destination]\n\
             bucket = {in_toml}\nprefix = {in_toml}\n[[tables]]\nname = {in_toml}\n"
        ),
    );
    home.write(
        "profile.toml",
        &format!(
            "[source]\nprofile = {in_toml}\n[destination]\nbucket = 'export-landing'\n\
             [[tables]]\nname = 'Orders'\n"
        ),
    );
    let sid = json!(HOSTILE);
    let policy = format!(
        "{{\"Version\": {sid}, \"Statement\": [{{\"Sid\": {sid}, \"Effect\": {sid}, \"Principal\": {{\"AWS\": \
         {sid}}}, {sid}: {sid}, \"Action\": {sid}, \"Resource\": {sid}, \"Condition\": {{{sid}: {{{sid}: {sid}}}}}}}]}}"
    );
    home.write(&format!("{HOSTILE}.json"), &policy);
    home.write("config.toml", &format!("{in_toml} = 1\n"));
    home
}

#[rstest]
#[case::lint("policy lint PATH.json --kind bucket", 1)]
#[case::lint_of_a_file_that_is_not_there("policy lint PATH --kind bucket", 2)]
#[case::plan("check plan.toml", 2)]
#[case::plan_in_json("check plan.toml --output json", 2)]
#[case::plan_that_is_not_there("run PATH --yes", 2)]
#[case::profile("check profile.toml", 2)]
#[case::profile_in_json("check profile.toml --output json", 2)]
#[case::profiles("profiles", 0)]
#[case::profiles_in_json("profiles --output json", 0)]
#[case::configuration("exports --config config.toml", 2)]
#[case::configuration_that_is_not_there("exports --config PATH", 2)]
#[case::control("check plan.toml --scp PATH.json", 2)]
#[case::simulated_file("simulate PATH", 2)]
#[case::argument("check plan.toml --PATH", 2)]
#[case::value("check plan.toml --output PATH", 2)]
#[case::world("--sandbox --sandbox-state PATH.json exports", 2)]
fn what_is_printed_steers_no_terminal(#[case] command: &str, #[case] status: i32) {
    let home = home();
    let mut program = home.command();
    let arguments = command.split(' ').map(|word| word.replace("PATH", HOSTILE));
    let ended = Ended::of(program.current_dir(home.path()).args(arguments));
    assert_eq!(ended.status, status, "{ended:?}");
    assert!(!(ended.out.is_empty() && ended.err.is_empty()));
    assert_harmless(&ended);
}

/// A bucket's policy of another team, told as verdicts, as remedies and as facts.
#[test]
fn a_policy_of_others_is_told_and_written_out_harmless_and_with_its_meaning() {
    let home = Home::new();
    let plan = std::fs::read_to_string(format!(
        "{}/assets/plans/no-grant.toml",
        env!("CARGO_MANIFEST_DIR")
    ));
    let plan = home.write("plan.toml", &plan.unwrap());
    let surveyed = Ended::of(home.sandbox(&["survey"]).arg(&plan));
    let mut facts: Value = serde_json::from_str(&surveyed.out).unwrap();
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": HOSTILE, "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::export-nopolicy/*",
            "Condition": { "StringNotEquals": { "aws:PrincipalTag/team": HOSTILE } }
        }]
    });
    facts["buckets"]["export-nopolicy"]["policy"] = json!({
        "state": "known", "value": policy.to_string(), "read_at": "2026-11-22T10:00:00Z",
        "source": HOSTILE
    });
    let facts = home.write("facts.json", &facts.to_string());
    for command in [
        "check",
        "check --output json",
        "check --explain-needs json",
        "policies --as json",
        "policies --as cli",
        "policies --as terraform",
        "policies --as cloudformation",
        "policies --as message",
    ] {
        let mut program = home.command();
        program
            .args(command.split(' '))
            .arg("--facts")
            .args([&facts, &plan]);
        let ended = Ended::of(&mut program);
        assert!(!ended.out.is_empty(), "{command}: {ended:?}");
        assert_harmless(&ended);
        if command == "policies --as json" {
            let written: Value = serde_json::from_str(&ended.out).unwrap();
            let kept = &written["remedies"][0]["before"]["Statement"][0]["Sid"];
            assert_eq!(kept, HOSTILE, "{ended:?}");
        }
        if command == "policies --as cli" {
            let script = ended.out.split("before=").nth(1).unwrap();
            let quoted = script.split("\nwanted=").next().unwrap();
            let shown = std::process::Command::new("/bin/sh")
                .args(["-c", &format!("before={quoted}\nprintf %s \"$before\"")])
                .output()
                .unwrap();
            let read: Value = serde_json::from_slice(&shown.stdout).unwrap();
            assert_eq!(read, policy);
        }
    }
}

#[test]
fn an_answer_of_simulate_keeps_its_meaning() {
    let home = Home::new();
    let request = json!({
        "id": HOSTILE, "principal": "arn:aws:iam::111111111111:user/ann", "action": "s3:GetObject",
        "resource": "arn:aws:s3:::landing/x", "resource_account": "111111111111"
    });
    let file = home.write("requests.jsonl", &format!("{request}\n"));
    let ended = Ended::of(home.command().arg("simulate").arg(file));
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_harmless(&ended);
    assert_eq!(ended.objects()[0]["id"], HOSTILE);
}
