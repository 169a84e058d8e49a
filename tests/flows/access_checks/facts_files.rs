//! Facts as a file: written by one team, judged by another, without an account.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::access_checks::predicted::{check, example, verdicts};
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
    for name in [
        "one-table",
        "several",
        "no-destination-profile",
        "no-grant",
        "deny",
        "key-alias",
        "key-without-grant",
        "table-own-key",
        "wrong-owner",
    ] {
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
    assert_eq!(facts["version"], 2);
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

/// An example's facts and the example, in one home.
struct Surveyed {
    home: Home,
    facts: PathBuf,
    text: String,
}

impl Surveyed {
    fn of(name: &str) -> Self {
        let home = Home::new();
        let surveyed = survey(&home, name);
        assert_eq!(surveyed.status, 0, "{surveyed:?}");
        Self {
            facts: home.write("facts.json", &surveyed.out),
            text: surveyed.out,
            home,
        }
    }

    /// The same facts, changed.
    fn changed(&self, change: impl FnOnce(&mut Value)) -> PathBuf {
        let mut facts: Value = serde_json::from_str(&self.text).unwrap();
        change(&mut facts);
        self.home.write("changed.json", &facts.to_string())
    }

    /// A command that judges a plan by facts.
    fn judge(&self, command: &[&str], facts: &Path, plan: &str) -> Ended {
        let plan = self.home.write("judged.toml", plan);
        let mut program = self.home.command();
        program.args(command).arg("--facts").args([facts, &plan]);
        Ended::of(&mut program)
    }
}

const CHECK: [&str; 3] = ["check", "--output", "json"];
const CLI: [&str; 3] = ["policies", "--as", "cli"];

#[test]
fn facts_of_another_bucket_are_refused_and_no_script_is_written_by_them() {
    let surveyed = Surveyed::of("no-grant");
    let plan = example("no-grant").replace("export-nopolicy", "export-elsewhere");
    for command in [&CHECK[..1], &CLI] {
        let ended = surveyed.judge(command, &surveyed.facts, &plan);
        assert_eq!(ended.status, 2, "{ended:?}");
        for bucket in ["export-nopolicy", "export-elsewhere", "tableferry survey"] {
            assert!(ended.err.contains(bucket), "{bucket}: {ended:?}");
        }
        for unwanted in ["put-bucket-policy", "allowed", "denied"] {
            assert!(!ended.out.contains(unwanted), "{ended:?}");
        }
    }
}

/// The plan's bucket is of an account outside, the facts' bucket of one inside.
#[test]
fn facts_of_an_allowed_bucket_get_no_other_bucket_past_the_limits() {
    let surveyed = Surveyed::of("no-grant");
    let limits = surveyed
        .home
        .write("config.toml", "[allowed]\naccounts = [\"222222222222\"]\n");
    let config = limits.to_str().unwrap();
    let command = [&CLI[..], &["--config", config]].concat();
    let own = surveyed.judge(&command, &surveyed.facts, &example("no-grant"));
    assert!(own.out.contains("put-bucket-policy"), "{own:?}");
    let plan = example("no-grant").replace("export-nopolicy", "prod-archive");
    let ended = surveyed.judge(&command, &surveyed.facts, &plan);
    assert_eq!(ended.status, 2, "{ended:?}");
    assert_eq!(ended.out, "", "{ended:?}");
}

#[test]
fn facts_of_another_profile_are_judged_only_where_somebody_vouches_for_the_identity() {
    let surveyed = Surveyed::of("one-table");
    let plan = example("one-table").replace("prod-oncall", "prod-reader");
    let refused = surveyed.judge(&CHECK[..1], &surveyed.facts, &plan);
    assert_eq!(refused.status, 2, "{refused:?}");
    let role = "arn:aws:iam::111111111111:role/OnCallExporter";
    for told in ["prod-oncall", "prod-reader", role] {
        assert!(refused.err.contains(told), "{told}: {refused:?}");
    }
    let vouched = [&CHECK[..], &["--facts-of", role]].concat();
    let judged = surveyed.judge(&vouched, &surveyed.facts, &plan);
    assert_eq!(judged.status, 0, "{judged:?}");
    let another = "arn:aws:iam::111111111111:role/ProdReader";
    let wrongly = [&CHECK[..1], &["--facts-of", another]].concat();
    let refused = surveyed.judge(&wrongly, &surveyed.facts, &example("one-table"));
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.err.contains(another), "{refused:?}");
}

#[test]
fn whose_the_facts_are_is_always_told() {
    let surveyed = Surveyed::of("no-grant");
    let whose = [
        "arn:aws:sts::111111111111:assumed-role/OnCallExporter/",
        "arn:aws:iam::222222222222:user/dev-admin",
    ];
    let plan = example("no-grant");
    let [source, destination] = whose;
    let text = surveyed.judge(&CHECK[..1], &surveyed.facts, &plan);
    let head: Vec<&str> = text.out.lines().take(2).collect();
    assert!(
        head[0].starts_with("source") && head[0].contains(source),
        "{text:?}"
    );
    assert!(
        head[1].starts_with("destination") && head[1].contains(destination),
        "{text:?}"
    );
    let objects = surveyed.judge(&CHECK, &surveyed.facts, &plan).objects();
    assert_eq!(objects[0]["event"], "identity");
    assert_eq!(objects[1]["arn"], destination);
    let script = surveyed.judge(&CLI, &surveyed.facts, &plan);
    for told in [source, destination, "facts of 20"] {
        assert!(script.err.contains(told), "{told}: {script:?}");
    }
}

#[test]
fn a_table_or_key_that_was_not_surveyed_is_unknown_and_the_rest_is_judged() {
    let surveyed = Surveyed::of("one-table");
    let key = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let more = [
        "\n[[tables]]\nname = \"Users\"\n".to_owned(),
        format!("\n[encryption]\nalgorithm = \"KMS\"\nkey = \"{key}\"\n"),
    ];
    for (more, about, count) in [(&more[0], "Users", 6), (&more[1], key, 3)] {
        let plan = example("one-table") + more;
        let ended = surveyed.judge(&CHECK, &surveyed.facts, &plan);
        assert_eq!(ended.status, 5, "{ended:?}");
        let verdicts = verdicts(&ended);
        let unknown: Vec<&Value> = verdicts
            .iter()
            .filter(|verdict| verdict["verdict"] == "unknown")
            .collect();
        assert!(unknown.len() >= count, "{unknown:#?}");
        for verdict in unknown {
            let requirement = verdict["subject"].to_string();
            assert!(requirement.contains(about), "{verdict:#}");
            assert!(
                verdict["hint"].to_string().contains("survey"),
                "{verdict:#}"
            );
        }
        let whole = verdicts.iter().filter(|verdict| {
            let check = &verdict["subject"]["check"];
            let is_by_name = check == "key_name" || check == "key_region";
            verdict["subject"].to_string().contains(about) && !is_by_name
        });
        for verdict in whole {
            assert_eq!(verdict["verdict"], "unknown", "{verdict:#}");
        }
    }
}

#[test]
fn facts_from_before_profiles_were_noted_are_judged_with_a_word_about_it() {
    let surveyed = Surveyed::of("one-table");
    let old = surveyed.changed(|facts| {
        let noted = facts.as_object_mut().unwrap().remove("surveyed_for");
        assert_eq!(noted.unwrap()["source"]["profile"], "prod-oncall");
    });
    let ended = surveyed.judge(&CHECK[..1], &old, &example("one-table"));
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(
        ended.out.contains("make sure that prod-oncall is"),
        "{ended:?}"
    );
}

#[test]
fn a_field_that_facts_do_not_have_is_refused_by_name() {
    let surveyed = Surveyed::of("deny");
    let misspelt = surveyed.changed(|facts| {
        let buckets = facts["buckets"].as_object_mut().unwrap();
        let bucket = buckets
            .values_mut()
            .next()
            .unwrap()
            .as_object_mut()
            .unwrap();
        let policy = bucket.remove("policy").unwrap();
        bucket.insert("polcy".to_owned(), policy);
    });
    let ended = surveyed.judge(&CHECK[..1], &misspelt, &example("deny"));
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.contains("no field `buckets."), "{ended:?}");
    assert!(ended.err.contains(".polcy`"), "{ended:?}");
}

#[test]
fn facts_from_the_future_are_not_called_fresh() {
    let surveyed = Surveyed::of("one-table");
    let early = surveyed.changed(|facts| facts["surveyed_at"] = "2100-01-01T00:00:00Z".into());
    let ended = surveyed.judge(&CHECK[..1], &early, &example("one-table"));
    assert!(ended.out.contains("clock"), "{ended:?}");
    assert!(!ended.out.contains("just read"), "{ended:?}");
}

/// Some editors and shells write a byte order mark before the text.
#[test]
fn a_byte_order_mark_before_facts_plan_or_policy_is_passed_over() {
    let surveyed = Surveyed::of("one-table");
    let marked = |text: &str| format!("\u{feff}{text}");
    let facts = surveyed.home.write("marked.json", &marked(&surveyed.text));
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Sid":"NoExports","Effect":"Deny","Action":"dynamodb:ExportTableToPointInTime","Resource":"*"}]}"#;
    let policy = surveyed.home.write("scp.json", &marked(policy));
    let policy = policy.to_str().unwrap();
    let plan = marked(&example("one-table"));
    let ended = surveyed.judge(&CHECK, &facts, &plan);
    assert_eq!(ended.status, 0, "{ended:?}");
    let command = [&CHECK[..], &["--scp", policy]].concat();
    let ended = surveyed.judge(&command, &facts, &plan);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.out.contains("NoExports"), "{ended:?}");
    let lint = ["policy", "lint", "--kind", "scp", policy];
    let ended = Ended::of(surveyed.home.command().args(lint));
    assert_eq!(ended.status, 0, "{ended:?}");
}

#[test]
fn the_sandbox_s_options_may_stand_apart_from_each_other() {
    let home = Home::new();
    let plan = home.write("plan.toml", &example("no-grant"));
    let state = home.path().join("world.json");
    let ended = Ended::of(
        home.command()
            .args([
                "--sandbox",
                "--sandbox-job",
                "0.2",
                "policies",
                "--as",
                "cli",
            ])
            .arg(plan)
            .arg("--sandbox-state")
            .arg(&state),
    );
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(state.exists(), "{ended:?}");
    let alone = Ended::of(
        home.command()
            .arg("profiles")
            .arg("--sandbox-state")
            .arg(&state),
    );
    assert_eq!(alone.status, 2, "{alone:?}");
    assert!(alone.err.contains("--sandbox"), "{alone:?}");
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
