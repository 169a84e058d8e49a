//! Facts as a file: written by one team, judged by another, without an account.

use serde_json::Value;

use crate::foreseen::{check, example, verdicts};
use crate::program::{Ended, Home};

/// What `survey` writes about an example plan.
fn survey(home: &Home, name: &str) -> Ended {
    let plan = home.write("plan.toml", &example(name));
    Ended::of(home.sandbox(&["survey"]).arg(plan))
}

/// Each verdict's subject and word, which the time of judging does not change.
fn gist(ended: &Ended) -> Vec<(Value, Value)> {
    let verdicts = verdicts(ended);
    let gist = verdicts
        .iter()
        .map(|verdict| (verdict["subject"].clone(), verdict["verdict"].clone()));
    gist.collect()
}

#[test]
fn facts_in_a_file_are_judged_as_the_accounts_themselves_without_any() {
    for name in ["one-table", "no-grant", "deny", "key-without-grant"] {
        let home = Home::new();
        let surveyed = survey(&home, name);
        assert_eq!(surveyed.status, 0, "{surveyed:?}");
        assert!(surveyed.err.contains("account ids"), "{surveyed:?}");
        let live = check(&home, &example(name), &[]);

        let elsewhere = Home::new();
        let facts = elsewhere.write("facts.json", &surveyed.out);
        let plan = elsewhere.write("plan.toml", &example(name));
        let judged = Ended::of(
            elsewhere
                .command()
                .args(["check", "--output", "json", "--facts"])
                .args([facts, plan]),
        );
        assert_eq!(judged.status, live.status, "{judged:?}");
        assert_eq!(gist(&judged), gist(&live));
        assert!(judged.objects().pop().unwrap()["facts_age_seconds"].is_i64());
    }
}

#[test]
fn facts_hold_no_secret() {
    let home = Home::new();
    let surveyed = survey(&home, "kms-customer-key");
    let facts: Value = serde_json::from_str(&surveyed.out).unwrap();
    assert_eq!(facts["version"], 1);
    for secret in [
        "sandbox-only/",
        "sandbox-session-token",
        "AKIASANDBOX",
        "ASIA",
    ] {
        assert!(!surveyed.out.contains(secret), "{secret}");
    }
}

#[test]
fn facts_that_are_none_are_told_with_what_writes_some() {
    let home = Home::new();
    let plan = home.write("plan.toml", &example("one-table"));
    for text in ["", "[]", r#"{"version": 7}"#] {
        let facts = home.write("facts.json", text);
        let ended = Ended::of(
            home.command()
                .args(["check", "--facts"])
                .args([facts, plan.clone()]),
        );
        assert_eq!(ended.status, 2, "{ended:?}");
        assert!(ended.err.contains("tableferry survey"), "{ended:?}");
    }
}

/// The lines of `--explain-needs` are what `simulate` reads, and it says of them what `check` says.
#[test]
fn needs_are_printed_as_simulate_takes_them() {
    let home = Home::new();
    let plan = home.write("plan.toml", &example("no-grant"));
    let needs = Ended::of(
        home.sandbox(&["check", "--explain-needs", "json"])
            .arg(plan),
    );
    assert_eq!(needs.status, 3, "{needs:?}");
    let lines = home.write("needs.jsonl", &needs.out);
    let simulated = Ended::of(home.command().arg("simulate").arg(lines));
    assert_eq!(simulated.status, 0, "{simulated:?}");
    let answers = simulated.objects();
    assert_eq!(answers.len(), needs.objects().len());
    let of_put: Vec<String> = needs
        .objects()
        .iter()
        .zip(&answers)
        .filter(|(need, _)| need["action"] == "s3:PutObject")
        .map(|(_, answer)| answer.to_string())
        .collect();
    assert!(!of_put.is_empty());
    for answer in of_put {
        assert!(!answer.contains("\"allowed\""), "{answer}");
    }
}
