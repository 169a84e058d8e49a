//! What an earlier version wrote is read: a journal, a sandbox's state, facts, plans and a
//! configuration of commit 8818de0, as `tests/fixtures/8818de0/README.md` tells.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};
use tableferry::job::{Format, Plan, Span, View};

use crate::program::{Ended, Home, Server};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/8818de0")
        .join(name)
}

/// A home with the earlier version's journal and accounts, and the server that goes on with them.
fn earlier() -> (Home, Server) {
    let home = Home::new();
    let state = home.path().join(".local/state/tableferry");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::copy(fixture("journal.db"), state.join("journal.db")).unwrap();
    std::fs::copy(fixture("sandbox.json"), home.path().join("served.json")).unwrap();
    let server = Server::start(&home, 0, "0.2");
    (home, server)
}

fn ran(home: &Home, arguments: &[&str]) -> Ended {
    Ended::of(home.command().args(arguments))
}

/// How many requirements are denied, depend and are unknown, as a check sums them up.
fn not_allowed(ended: &Ended) -> &str {
    let mut lines = ended.out.lines();
    let line = lines.find(|line| line.contains(" denied, "));
    let line = line.unwrap_or_else(|| panic!("no summary: {ended:?}"));
    let (_, counts) = line.split_once(" denied, ").unwrap();
    &line[line.len() - counts.len() - "0 denied, ".len()..]
}

#[test]
fn an_earlier_journal_tells_its_runs_and_has_nothing_to_go_on_with() {
    let (home, _server) = earlier();
    let listed = ran(&home, &["exports", "--output", "json"]);
    assert_eq!(listed.status, 0, "{listed:?}");
    let told: Vec<Value> = listed
        .objects()
        .iter()
        .filter(|object| object["event"] == "export")
        .map(|export| {
            json!([
                export["run"],
                export["status"],
                export["export_arn"].as_str().unwrap().rsplit('/').next(),
                export["item_count"],
                export["verified"],
                export["failure_code"],
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!([1, "COMPLETED", "01795706426592-b2578b1d", 1200, true, null]),
            json!([
                2,
                "FAILED",
                "01795706429234-ae5537d4",
                null,
                "unknown",
                "S3AccessDenied"
            ]),
            json!([3, "COMPLETED", "01795706437251-587dbddf", 1200, true, null]),
        ]
    );
    let resumed = ran(&home, &["resume"]);
    assert_eq!(resumed.status, 0, "{resumed:?}");
    assert!(resumed.out.contains("nothing is under way"), "{resumed:?}");
    // The files that run 1 left lie in the sandbox's state, and are as they were.
    let verified = ran(&home, &["resume", "1", "--verify-again"]);
    assert_eq!(verified.status, 0, "{verified:?}");
    assert!(verified.out.contains("counts add up"), "{verified:?}");
}

#[test]
fn a_run_after_earlier_ones_has_the_next_number() {
    let (home, _server) = earlier();
    let plan = fixture("plan.toml");
    let ended = ran(&home, &["run", "--yes", "--again", plan.to_str().unwrap()]);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(ended.out.contains("run 4 is in the journal"), "{ended:?}");
}

#[test]
fn a_change_that_an_earlier_version_made_is_listed_and_taken_away() {
    let (home, _server) = earlier();
    let plan = fixture("plan.toml");
    let plan = plan.to_str().unwrap();
    let listed = ran(&home, &["apply", "--list", "--output", "json"]);
    let changes = listed.objects();
    assert_eq!(changes.len(), 1, "{listed:?}");
    assert_eq!(changes[0]["change"], 1);
    assert_eq!(changes[0]["stage"], "HELD");
    // It did not write down who made it, but by which profile.
    assert_eq!(changes[0]["caller"], Value::Null);
    let listed = ran(&home, &["apply", "--list"]);
    let profile = changes[0]["profile"].as_str().unwrap();
    let who = format!("made as profile {profile}");
    assert!(listed.out.contains(&who), "{listed:?}");
    let checked = ran(&home, &["check", plan]);
    assert!(not_allowed(&checked).starts_with("0 denied"), "{checked:?}");

    let undone = ran(&home, &["undo", "--yes", "1"]);
    assert_eq!(undone.status, 0, "{undone:?}");
    assert!(undone.out.contains("change 1 is undone"), "{undone:?}");
    let listed = ran(&home, &["apply", "--list", "--output", "json"]);
    assert!(!listed.out.contains("HELD"), "{listed:?}");
    let checked = ran(&home, &["check", plan]);
    assert!(not_allowed(&checked).starts_with("3 denied"), "{checked:?}");
    // What did not come about then, and what was undone then, is not undone now.
    for number in ["2", "3"] {
        let again = ran(&home, &["undo", "--yes", "--recovery", number]);
        assert!(again.err.contains("is not in place"), "{again:?}");
    }
}

/// Of version 1, whatever later versions write. The version that read them judged: "13 allowed,
/// 2 assumed, 0 denied, 4 depend, 0 unknown", since a Deny hits other source addresses.
#[test]
fn facts_of_an_earlier_version_give_the_verdicts_that_it_gave() {
    let text = std::fs::read(fixture("facts.json")).unwrap();
    let facts: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(facts["version"], 1);
    let home = Home::new();
    let mut command = home.command();
    command.arg("check").arg(fixture("facts-plan.toml"));
    let ended = Ended::of(command.arg("--facts").arg(fixture("facts.json")));
    assert_eq!(ended.status, 5, "{ended:?}");
    assert_eq!(not_allowed(&ended), "0 denied, 4 depend, 0 unknown");
    assert!(
        ended.out.contains("facts of 2026-11-26T15:28:43Z"),
        "{ended:?}"
    );
}

#[test]
fn a_plan_of_an_earlier_version_is_read_with_every_key() {
    let text = std::fs::read(fixture("every-key.toml")).unwrap();
    let now: Timestamp = "2026-11-26T15:30:00Z".parse().unwrap();
    let plan = Plan::from_bytes(&text, "every-key.toml", now).unwrap();
    assert_eq!(plan.source.sign_in.external_id.as_deref(), Some("ticket-7"));
    assert_eq!(plan.source.sign_in.session_name.as_deref(), Some("pat"));
    assert_eq!(plan.source.sign_in.duration_seconds, Some(3600));
    assert_eq!(plan.destination.prefix(), Some("prod"));
    assert!(plan.encryption.key().unwrap().ends_with("1234567890ab"));
    let tables = &plan.tables;
    assert_eq!(tables.len(), 3);
    assert_eq!(tables[0].format, Format::Ion);
    assert_eq!(
        tables[0].span,
        Span::Full {
            time: Some("2026-11-26T14:00:00Z".parse().unwrap())
        }
    );
    let window = Span::Incremental {
        from: "2026-11-25T00:00:00Z".parse().unwrap(),
        to: "2026-11-25T12:00:00Z".parse().unwrap(),
        view: View::NewImage,
    };
    assert_eq!(tables[1].span, window);
    let filter = tables[2].filter.as_ref().unwrap();
    assert_eq!(filter.projected_attributes().unwrap(), ["id", "total"]);
}

#[test]
fn a_configuration_of_an_earlier_version_holds_back_as_it_did() {
    let (home, _server) = earlier();
    let with_config = |arguments: &[&str]| {
        let state = home.path().join(".local/state/tableferry");
        let mut command = home.command();
        command
            .args(arguments)
            .arg("--config")
            .arg(fixture("config.toml"));
        Ended::of(command.env("TABLEFERRY_STATE_DIR", state))
    };
    let elsewhere = std::fs::read_to_string(fixture("plan.toml")).unwrap();
    let elsewhere = elsewhere.replace("export-nopolicy", "export-office-only");
    let elsewhere = home.write("elsewhere.toml", &elsewhere);
    let refused = with_config(&["run", "--yes", elsewhere.to_str().unwrap()]);
    assert_eq!(refused.status, 3, "{refused:?}");
    assert!(refused.err.contains("[allowed]"), "{refused:?}");

    let unnamed = with_config(&["undo", "--yes", "1"]);
    assert_eq!(unnamed.status, 3, "{unnamed:?}");
    let named = with_config(&["undo", "--yes", "--production", "lab", "1"]);
    assert_eq!(named.status, 0, "{named:?}");
}
