//! What a shell makes of the script, whatever stands in the facts.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::documents::example;
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
    facts["bucket"]["policy"] = serde_json::json!({
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
