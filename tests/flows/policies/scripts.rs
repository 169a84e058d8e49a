//! What a shell makes of the script, whatever stands in the facts.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::policies::documents::example;
use crate::program::{Ended, Home};

/// Facts of another team may hold anything. The shell finds no program at all here: whatever leaves a
/// file behind was run by the shell itself.
#[test]
fn nothing_in_the_facts_is_run_by_the_shell() {
    let home = Home::new();
    let plan = home.write("plan.toml", &example("no-grant"));
    let surveyed = Ended::of(home.sandbox(&["survey"]).arg(&plan));
    let hostile = "x'$(: >pwned)`: >pwned`\"\n: >pwned\n";
    let policy = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": hostile,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::export-nopolicy/*",
            "Condition": { "StringNotEquals": { "aws:PrincipalTag/team": hostile } }
        }]
    });
    let mut facts: Value = serde_json::from_str(&surveyed.out).unwrap();
    facts["buckets"]["export-nopolicy"]["policy"] = serde_json::json!({
        "state": "known",
        "value": policy.to_string(),
        "read_at": "2026-11-22T10:00:00Z",
        "source": "s3:GetBucketPolicy"
    });
    let facts = home.write("facts.json", &facts.to_string());
    let ended = Ended::of(
        home.command()
            .args(["policies", "--as", "cli", "--facts"])
            .args([facts, plan]),
    );
    assert!(ended.out.contains("put-bucket-policy"), "{ended:?}");
    assert!(ended.out.contains(": >pwned"), "{ended:?}");
    let script = home.write("run/script.sh", &ended.out);
    let directory = script.parent().unwrap();
    let ran = Command::new("/bin/sh")
        .arg(&script)
        .current_dir(directory)
        .env_clear()
        .env("PATH", "")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(!ran.status.success(), "no program was to be found: {told}");
    assert!(told.contains("aws"), "{told}");
    assert!(!directory.join("pwned").exists(), "{}", ended.out);
}

/// As the AWS CLI reads its arguments: what begins with a hyphen is an option, and no value.
const AWS: &str = r#"#!/bin/sh
echo "$*" >> calls
before=
for word; do
  case $before$word in
    --profile-*|--region-*) echo "expected one argument: $before" >&2; exit 252 ;;
  esac
  case $word in --profile|--region) before=$word ;; *) before= ;; esac
done
case "$1 $2" in
  "sts get-caller-identity") echo 222222222222 ;;
  "s3api get-bucket-policy") echo NoSuchBucketPolicy; exit 254 ;;
esac
"#;

#[test]
fn a_profile_that_begins_with_a_hyphen_is_a_profile_to_the_script() {
    let home = Home::new();
    let text = example("no-grant");
    let surveyed = Ended::of(
        home.sandbox(&["survey"])
            .arg(home.write("plan.toml", &text)),
    );
    let facts: Value = serde_json::from_str(&surveyed.out).unwrap();
    let caller = facts["sides"]["destination"].as_str().unwrap();
    let facts_file = home.write("facts.json", &surveyed.out);
    let plan = home.write("plan.toml", &text.replace("\"dev-admin\"", "\"-dev\""));
    let mut program = home.command();
    program.args(["policies", "--as", "cli", "--facts-of", caller, "--facts"]);
    let ended = Ended::of(program.args([facts_file, plan]));
    let script = home.write("run/script.sh", &ended.out);
    let aws = home.write("run/aws", AWS);
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&aws, executable).unwrap();
    let directory = script.parent().unwrap();
    let ran = Command::new("/bin/sh")
        .arg(&script)
        .current_dir(directory)
        .env_clear()
        .env("PATH", directory)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}\n{}", ended.out);
    let calls = std::fs::read_to_string(directory.join("calls")).unwrap();
    assert_eq!(calls.matches("--profile=-dev").count(), 3, "{calls}");
    assert!(calls.contains("put-bucket-policy"), "{calls}");
}
