//! `check --probe`: what it sends, what its outcome says, and that nothing is left of it.

use serde_json::Value;
use tableferry::journal::Journal;

use crate::access_checks::predicted::{check, example, verdicts};
use crate::program::{Ended, Home};

/// The probe's own line of an output.
fn probed(ended: &Ended) -> Value {
    let objects = ended.objects();
    let found = objects.iter().find(|object| object["event"] == "probed");
    found
        .unwrap_or_else(|| panic!("nothing was probed: {ended:?}"))
        .clone()
}

/// The permissions that were tried, with whether they were refused.
fn tried(ended: &Ended) -> Vec<(String, bool)> {
    let tried = probed(ended)["tried"].as_array().unwrap().clone();
    tried
        .iter()
        .map(|tried| {
            let action = tried["action"].as_str().unwrap().to_owned();
            (action, !tried["refusal"].is_null())
        })
        .collect()
}

fn worked(action: &str) -> (String, bool) {
    (action.to_owned(), false)
}

/// Objects and uploads of a bucket, as the sandbox keeps them.
fn left_in(home: &Home, bucket: &str) -> (usize, Vec<String>) {
    let text = std::fs::read_to_string(home.path().join("world.json")).unwrap();
    let world: Value = serde_json::from_str(&text).unwrap();
    let bucket = &world["buckets"][bucket];
    let objects = bucket["objects"].as_object().unwrap().len();
    let uploads = bucket["uploads"]
        .as_object()
        .map(|uploads| uploads.keys().cloned().collect())
        .unwrap_or_default();
    (objects, uploads)
}

fn probe(home: &Home, plan: &str) -> Ended {
    check(home, plan, &["--probe", "--yes"])
}

#[test]
fn a_probe_tries_the_writes_for_real_and_leaves_nothing() {
    let home = Home::new();
    let ended = probe(&home, &example("one-table"));
    assert_eq!(ended.status, 0, "{ended:?}");
    let found = tried(&ended);
    assert_eq!(
        found,
        [worked("s3:PutObject"), worked("s3:AbortMultipartUpload")]
    );
    assert!(probed(&ended)["left"].is_null());
    let key = probed(&ended)["key"].as_str().unwrap().to_owned();
    assert!(
        key.starts_with("prod/AWSDynamoDB/tableferry-probe-"),
        "{key}"
    );
    assert_eq!(left_in(&home, "export-landing"), (0, Vec::new()));
}

#[test]
fn a_probe_with_a_key_tries_the_key_too() {
    let home = Home::new();
    let ended = probe(&home, &example("kms-customer-key"));
    assert_eq!(ended.status, 0, "{ended:?}");
    let found = tried(&ended);
    for action in [
        "s3:PutObject",
        "kms:GenerateDataKey",
        "kms:Decrypt",
        "s3:AbortMultipartUpload",
    ] {
        assert!(found.contains(&worked(action)), "{action}: {found:?}");
    }
    assert_eq!(left_in(&home, "export-landing"), (0, Vec::new()));
}

/// The key of the example has a policy that does not name the account that exports.
#[test]
fn a_key_that_refuses_is_told_by_the_permission_that_it_refuses() {
    let home = Home::new();
    let ended = probe(&home, &example("key-without-grant"));
    assert_eq!(ended.status, 3, "{ended:?}");
    let refused = ("kms:GenerateDataKey".to_owned(), true);
    assert_eq!(tried(&ended), [refused]);
    assert_eq!(left_in(&home, "export-landing"), (0, Vec::new()));
}

/// A bucket that asks for an encryption header asks it of the upload's beginning, not of its parts.
#[test]
fn a_part_is_judged_by_the_encryption_that_its_upload_began_with() {
    let home = Home::new();
    let plan = example("kms-customer-key").replace("export-landing", "export-kms-only");
    let ended = probe(&home, &plan);
    assert!(tried(&ended).contains(&worked("kms:Decrypt")), "{ended:?}");
    let unencrypted = example("one-table").replace("export-landing", "export-kms-only");
    let ended = probe(&home, &unencrypted);
    assert_eq!(tried(&ended), [("s3:PutObject".to_owned(), true)]);
}

#[test]
fn without_consent_nothing_is_sent() {
    let home = Home::new();
    let ended = check(&home, &example("one-table"), &["--probe"]);
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.out.contains("--yes"), "{ended:?}");
    assert!(!ended.out.contains("\"identity\""), "{ended:?}");
}

/// Where the bucket's policy cannot be read, the probe is what there is to know. It cannot show the
/// permission to send an access control list.
#[test]
fn what_could_not_be_read_is_settled_by_a_probe_that_worked() {
    let home = Home::new();
    let plan = example("no-destination-profile");
    let word = |ended: &Ended, action: &str| {
        let verdicts = verdicts(ended);
        let of_action = verdicts
            .iter()
            .find(|verdict| verdict["subject"]["action"] == action);
        of_action.unwrap()["verdict"].as_str().unwrap().to_owned()
    };
    let before = check(&home, &plan, &[]);
    assert_eq!(word(&before, "s3:PutObject"), "unknown", "{before:?}");
    let after = probe(&home, &plan);
    assert_eq!(word(&after, "s3:PutObject"), "allowed", "{after:?}");
    assert_eq!(word(&after, "s3:AbortMultipartUpload"), "allowed");
    assert_eq!(word(&after, "s3:PutObjectAcl"), "unknown");
    // S3 let a request in that expects the plan's owner.
    let owner = |ended: &Ended| {
        let verdicts = verdicts(ended);
        let found = verdicts
            .iter()
            .find(|verdict| verdict["subject"]["check"] == "bucket_owner");
        found.unwrap()["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(owner(&before), "unknown");
    assert_eq!(owner(&after), "allowed");
    assert_eq!(left_in(&home, "export-landing"), (0, Vec::new()));
}

/// Changes the words of the policy of `export-landing`.
fn change_policy(home: &Home, from: &str, to: &str) {
    let path = home.path().join("world.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut world: Value = serde_json::from_str(&text).unwrap();
    let before = world["buckets"]["export-landing"]["policy"].to_string();
    let after = before.replace(from, to);
    assert_ne!(before, after);
    world["buckets"]["export-landing"]["policy"] = serde_json::from_str(&after).unwrap();
    std::fs::write(&path, world.to_string()).unwrap();
}

const ABORT: &str = "s3:AbortMultipartUpload";

/// Stands in the policy where nobody may abort.
const NO_ABORT: &str = "s3:ListMultipartUploadParts";

/// A home whose bucket lets the source abort nothing, and the probe that was made there.
fn with_an_upload_left() -> (Home, Ended) {
    let home = Home::new();
    // One run writes the world down, with the policy that is then narrowed.
    check(&home, &example("one-table"), &[]);
    change_policy(&home, ABORT, NO_ABORT);
    let ended = probe(&home, &example("no-destination-profile"));
    assert_eq!(left_in(&home, "export-landing").1.len(), 1, "{ended:?}");
    (home, ended)
}

/// What became of each earlier probe.
fn taken_back(ended: &Ended) -> Vec<Value> {
    let mut objects = ended.objects();
    objects.retain(|object| object["event"] == "probe_taken_back");
    objects.iter().map(|object| object["end"].clone()).collect()
}

/// The probes that are told as unfinished.
fn unfinished(ended: &Ended) -> usize {
    let objects = ended.objects();
    let told = objects
        .iter()
        .filter(|object| object["event"] == "unfinished_probe");
    told.count()
}

/// A bucket that lets nobody abort: the upload stays, and what takes it away is told.
#[test]
fn an_upload_that_cannot_be_taken_back_is_told_with_what_removes_it() {
    let (home, ended) = with_an_upload_left();
    let found = tried(&ended);
    assert!(found.contains(&(ABORT.to_owned(), true)), "{found:?}");
    let (objects, uploads) = left_in(&home, "export-landing");
    assert_eq!((objects, uploads.len()), (0, 1));
    let left = &probed(&ended)["left"];
    assert_eq!(left["upload_id"], uploads[0].as_str());
    let command = left["removed_by"].as_str().unwrap();
    assert!(
        command.starts_with("aws s3api abort-multipart-upload --bucket export-landing"),
        "{command}"
    );
    assert!(ended.out.contains("\"error\""), "{ended:?}");
}

#[test]
fn while_an_upload_cannot_be_taken_back_no_other_is_begun() {
    let (home, _) = with_an_upload_left();
    let left = left_in(&home, "export-landing");
    let plan = example("no-destination-profile");
    let again = probe(&home, &plan);
    assert_eq!(taken_back(&again), ["failed"]);
    assert_eq!(probed(&again)["steps"], serde_json::json!([]));
    assert!(again.out.contains("nothing more was sent"), "{again:?}");
    assert_eq!(left_in(&home, "export-landing"), left);

    change_policy(&home, NO_ABORT, ABORT);
    let at_last = probe(&home, &plan);
    assert_eq!(taken_back(&at_last), ["aborted"]);
    assert_eq!(probed(&at_last)["steps"].as_array().unwrap().len(), 3);
    assert_eq!(left_in(&home, "export-landing"), (0, Vec::new()));
}

/// What the source may not abort, the bucket's owner may.
#[test]
fn what_the_source_may_not_take_back_the_destination_does() {
    let (home, _) = with_an_upload_left();
    let ended = probe(&home, &example("one-table"));
    assert_eq!(taken_back(&ended), ["aborted"]);
    // The new probe's own too, although the source is refused and the verdict says so.
    assert!(tried(&ended).contains(&(ABORT.to_owned(), true)));
    assert!(probed(&ended)["left"].is_null(), "{ended:?}");
    assert_eq!(ended.status, 3, "{ended:?}");
    assert_eq!(left_in(&home, "export-landing"), (0, Vec::new()));
}

#[test]
fn a_probe_of_an_account_that_nobody_is_signed_in_to_is_told_and_left() {
    let (home, _) = with_an_upload_left();
    let left = left_in(&home, "export-landing").1;
    change_policy(&home, NO_ABORT, ABORT);
    let moved = home.journal().execute(
        "UPDATE operation SET account = '999999999999',
                request = json_set(request, '$.owner', '888888888888') WHERE kind = 'probe'",
        [],
    );
    assert_eq!(moved.unwrap(), 1);
    let ended = probe(&home, &example("one-table"));
    assert_eq!(taken_back(&ended), [""; 0]);
    assert_eq!(unfinished(&ended), 1, "{ended:?}");
    assert_eq!(left_in(&home, "export-landing").1, left);
}

/// A probe that another process is making has no end in the journal either.
#[test]
fn while_another_process_probes_nothing_is_taken_back() {
    let (home, _) = with_an_upload_left();
    let left = left_in(&home, "export-landing").1;
    change_policy(&home, NO_ABORT, ABORT);
    let journal = Journal::open(&home.path().join("world.json.journal")).unwrap();
    let making = journal.try_lock_probe().unwrap();
    let ended = probe(&home, &example("one-table"));
    assert_eq!(taken_back(&ended), ["under_way"]);
    assert_eq!(probed(&ended)["steps"].as_array().unwrap().len(), 3);
    assert_eq!(left_in(&home, "export-landing").1, left);
    drop(making);
    assert_eq!(
        taken_back(&probe(&home, &example("one-table"))),
        ["aborted"]
    );
}

/// Makes the journal refuse what is done to its probes.
fn refuse(home: &Home, deed: &str) {
    let trigger = format!(
        "CREATE TRIGGER refusing BEFORE {deed} ON operation WHEN NEW.kind = 'probe'
         BEGIN SELECT RAISE(ABORT, 'no room'); END"
    );
    home.journal().execute_batch(&trigger).unwrap();
}

#[test]
fn what_cannot_be_written_down_is_not_begun() {
    let home = Home::new();
    check(&home, &example("one-table"), &[]);
    refuse(&home, "INSERT");
    let ended = probe(&home, &example("one-table"));
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.out.contains("nothing was sent"), "{ended:?}");
    assert!(!ended.out.contains("\"probed\""), "{ended:?}");
}

/// Once it is begun it is taken back, whatever becomes of the journal.
#[test]
fn a_journal_that_fails_midway_keeps_nothing_in_the_bucket() {
    let home = Home::new();
    check(&home, &example("one-table"), &[]);
    refuse(&home, "UPDATE");
    let ended = probe(&home, &example("one-table"));
    assert_eq!(probed(&ended)["steps"].as_array().unwrap().len(), 3);
    assert!(
        ended
            .out
            .contains("the journal does not say how the probe ended"),
        "{ended:?}"
    );
    assert_eq!(left_in(&home, "export-landing"), (0, Vec::new()));
    let listed = Ended::of(&mut home.sandbox(&["apply", "--list", "--output", "json"]));
    assert_eq!(unfinished(&listed), 1, "{listed:?}");
}

#[test]
fn read_only_tells_what_a_probe_left_and_takes_nothing_back() {
    let (home, _) = with_an_upload_left();
    let left = left_in(&home, "export-landing").1;
    change_policy(&home, NO_ABORT, ABORT);
    let ended = check(&home, &example("one-table"), &["--read-only"]);
    assert_eq!(unfinished(&ended), 1, "{ended:?}");
    let refused = check(
        &home,
        &example("one-table"),
        &["--read-only", "--probe", "--yes"],
    );
    assert_eq!(refused.status, 3, "{refused:?}");
    assert_eq!(left_in(&home, "export-landing").1, left);
}

#[test]
fn people_read_what_is_sent_and_what_it_does_not_show() {
    let home = Home::new();
    let plan = home.write("plan.toml", &example("one-table"));
    let ended = Ended::of(home.sandbox(&["check", "--probe", "--yes"]).arg(plan));
    assert_eq!(ended.status, 0, "{ended:?}");
    for text in [
        "the probe sends:",
        "CreateMultipartUpload of s3://export-landing/prod/AWSDynamoDB/tableferry-probe-",
        "expected bucket owner 222222222222",
        "  tried, and allowed: s3:PutObject, s3:AbortMultipartUpload",
        "not shown: s3:PutObjectAcl",
        "aws:ViaAWSService",
    ] {
        assert!(ended.out.contains(text), "`{text}` is not in {ended:?}");
    }
}
