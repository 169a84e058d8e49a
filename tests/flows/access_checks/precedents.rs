//! An export that completed before as evidence: what could not be read then or now stops nobody who
//! did the same, until something that can be read has changed, or the same has failed.

use rstest::rstest;
use serde_json::{Value, json};
use tableferry::aws::iam::PolicyHolder;
use tableferry::aws::{Environment, Session};
use tableferry::job::SignIn;
use tableferry_sandbox::{Options, Sandbox};

use crate::access_checks::predicted::{check, example, verdict, verdicts};
use crate::program::{Ended, Home};

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// An example whose destination may read what arrives, and no policy of its account.
fn as_reader(name: &str) -> String {
    example(name).replace("dev-admin", "dev-reader")
}

/// An example for which nobody signs in on the destination's side.
fn as_nobody(name: &str) -> String {
    example(name).replace("profile = \"dev-admin\"\n", "")
}

fn run(home: &Home, plan: &str, more: &[&str]) -> Ended {
    let plan = home.write("plan.toml", plan);
    let arguments = [&["run", "--yes", "--output", "json"], more].concat();
    Ended::of(home.sandbox(&arguments).arg(plan))
}

/// The ARN of the one export of a run, which ended like this.
fn exported(ended: &Ended, status: &str) -> String {
    let exports = ended.exports();
    assert_eq!(exports.len(), 1, "{ended:?}");
    assert_eq!(exports[0]["status"], status, "{ended:?}");
    exports[0]["export_arn"].as_str().unwrap().to_owned()
}

/// What is not allowed, each with its word.
fn not_allowed(ended: &Ended) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found = verdicts(ended);
    found.retain(|verdict| verdict["verdict"] != "allowed");
    let pairs = found.iter().map(|verdict| {
        let requirement = &verdict["subject"];
        let about = requirement.get("action").unwrap_or(&requirement["check"]);
        (text(about), text(&verdict["verdict"]))
    });
    pairs.collect()
}

/// What could not be read of the other side is unknown again, and the earlier export is told of.
fn is_unknown_with(ended: &Ended, caution: &str) {
    assert_eq!(ended.status, 5, "{ended:?}");
    let verdicts = verdicts(ended);
    let put = verdict(&verdicts, "s3:PutObject");
    assert_eq!(put["verdict"], "unknown", "{put:#}");
    let told = put["cautions"][0].as_str().unwrap_or_default();
    assert!(told.contains(caution), "{put:#}");
}

/// The API of an account, over the world that a home keeps.
struct Api {
    session: Session,
    /// Dropped last: the world is written by it.
    _sandbox: Sandbox,
}

impl Api {
    async fn open(home: &Home, profile: &str) -> Self {
        let sandbox = Sandbox::open(Options {
            state: Some(home.path().join("world.json")),
            ..Options::default()
        })
        .unwrap();
        let files = sandbox.profiles(None);
        let environment =
            Environment::in_memory(files.config, files.credentials, sandbox.http_client());
        let how = SignIn {
            profile: profile.to_owned(),
            region: Some("eu-west-1".parse().unwrap()),
            ..SignIn::default()
        };
        Self {
            session: environment.sign_in(&how, None).await.unwrap(),
            _sandbox: sandbox,
        }
    }

    async fn put_policy_of_role(&self, name: &str, actions: &[&str]) {
        let document = json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }]
        });
        let role = PolicyHolder::Role("OnCallExporter");
        let iam = self.session.iam();
        iam.put_inline_policy(role, name, &document.to_string())
            .await
            .unwrap();
    }
}

/// The caller may read its own rights, as few may.
async fn let_the_caller_read_itself(home: &Home) {
    let admin = Api::open(home, "prod-admin").await;
    admin
        .put_policy_of_role("ReadOwnRights", &["iam:Get*", "iam:List*"])
        .await;
}

const WRITES: [&str; 3] = ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"];

#[rstest]
#[case::as_one_who_reads_what_arrives(as_reader("one-table"), &[])]
#[case::with_a_key_and_nobody_on_the_other_side(
    as_nobody("kms-customer-key"),
    &["bucket_owner", "kms:GenerateDataKey", "kms:Decrypt"]
)]
#[tokio::test]
async fn what_was_done_once_is_allowed_until_what_can_be_read_has_changed(
    #[case] plan: String,
    #[case] more: &[&str],
) {
    let home = Home::new();
    let_the_caller_read_itself(&home).await;
    let unread = [&WRITES[..], more].concat();
    let before = check(&home, &plan, &[]);
    assert_eq!(before.status, 5, "{before:?}");
    let unknown = |action: &&str| ((*action).to_owned(), "unknown".to_owned());
    let expected: Vec<_> = unread.iter().map(unknown).collect();
    assert_eq!(not_allowed(&before), expected, "{before:?}");

    let ran = run(&home, &plan, &[]);
    let export = exported(&ran, "COMPLETED");

    let after = check(&home, &plan, &[]);
    assert_eq!(after.status, 0, "{after:?}");
    for about in unread {
        let verdicts = verdicts(&after);
        let verdict = verdict(&verdicts, about);
        assert_eq!(verdict["verdict"], "allowed", "{verdict:#}");
        let why = verdict["explanation"].as_str().unwrap();
        assert!(why.contains(&export), "{why}");
        assert!(
            why.ends_with("and nothing that can be read has changed since"),
            "{why}"
        );
    }
    // It is evidence: what was not read is told, and anyone who is strict is not content with it.
    let assumed = after.objects().pop().unwrap()["assumed"].to_string();
    assert!(
        assumed.contains("the bucket policy of export-landing"),
        "{assumed}"
    );
    assert_eq!(check(&home, &plan, &["--strict"]).status, 5);

    let admin = Api::open(&home, "prod-admin").await;
    admin.put_policy_of_role("More", &["s3:ListBucket"]).await;
    drop(admin);
    let changed = check(&home, &plan, &[]);
    is_unknown_with(
        &changed,
        &format!("the export {export} completed the same way"),
    );
    is_unknown_with(&changed, "something has changed since");
}

#[test]
fn people_read_which_export_it_rests_on() {
    let home = Home::new();
    let plan = as_reader("one-table");
    let export = exported(&run(&home, &plan, &[]), "COMPLETED");
    let id = export.rsplit('/').next().unwrap();
    let file = home.write("plan.toml", &plan);
    let ended = Ended::of(home.sandbox(&["check"]).arg(file));
    assert_eq!(ended.status, 0, "{ended:?}");
    let note = format!(
        "           note: it rests on the export {id}: what cannot be read may have changed since"
    );
    assert!(ended.out.lines().any(|line| line == note), "{ended:?}");
}

/// Nobody signs in on the other side, so that whose the bucket is cannot be read either.
#[test]
fn an_export_that_nobody_could_verify_is_evidence_too() {
    let home = Home::new();
    let plan = example("no-destination-profile");
    let before = check(&home, &plan, &[]);
    assert_eq!(before.status, 5, "{before:?}");
    exported(&run(&home, &plan, &[]), "COMPLETED");
    let after = check(&home, &plan, &[]);
    assert_eq!(after.status, 0, "{after:?}");
    // Another table to the same place rests on the same; one with another key does not.
    let users = plan.replace("\"Orders\"", "\"Users\"");
    assert_eq!(check(&home, &users, &[]).status, 0);
    let with_key = plan.replace(
        "[[tables]]",
        &format!("[encryption]\nalgorithm = \"KMS\"\nkey = \"{KEY}\"\n\n[[tables]]"),
    );
    let other = check(&home, &with_key, &[]);
    assert_eq!(other.status, 5, "{other:?}");
    let verdicts = verdicts(&other);
    assert_eq!(verdict(&verdicts, "s3:PutObject")["cautions"], json!([]));
}

/// What changed could not be read: the export that is predicted to work fails, once.
#[tokio::test]
async fn a_failure_since_leaves_the_earlier_export_no_evidence() {
    let home = Home::new();
    let plan = as_reader("one-table");
    assert_eq!(run(&home, &plan, &[]).status, 0);
    let owner = Api::open(&home, "dev-admin").await;
    let region = owner.session.region.clone();
    let emptied = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": "arn:aws:iam::333333333333:root" },
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::export-landing/*"
        }]
    });
    let s3 = owner.session.s3(&region);
    let (bucket, account) = (
        "export-landing".parse().unwrap(),
        "222222222222".parse().unwrap(),
    );
    s3.put_bucket_policy(&bucket, &account, &emptied.to_string())
        .await
        .unwrap();
    drop(s3);
    drop(owner);
    assert_eq!(check(&home, &plan, &[]).status, 0);
    let failed = run(&home, &plan, &["--again"]);
    assert_eq!(failed.status, 1, "{failed:?}");
    let failed = exported(&failed, "FAILED");
    let after = check(&home, &plan, &[]);
    is_unknown_with(&after, &format!("the export {failed} failed since"));
}

/// What we changed ourselves is known, no matter who can read it.
#[test]
fn an_undo_leaves_the_earlier_export_no_evidence() {
    let home = Home::new();
    let as_owner = example("no-grant");
    let file = home.write("plan.toml", &as_owner);
    let arguments = ["apply", "--yes", "--allow", "bucket-policy"];
    let applied = Ended::of(home.sandbox(&arguments).arg(file));
    assert_eq!(applied.status, 0, "{applied:?}");
    let plan = as_reader("no-grant");
    assert_eq!(run(&home, &plan, &[]).status, 0);
    assert_eq!(check(&home, &plan, &[]).status, 0);

    // Cut off before it was told that it was done.
    let begun = home.journal();
    begun
        .execute(
            "UPDATE operation SET result = json_set(result, '$.undone_from', request ->> '$.after')
             WHERE kind = 'change'",
            [],
        )
        .unwrap();
    is_unknown_with(&check(&home, &plan, &[]), "something has changed since");
    begun
        .execute("UPDATE operation SET result = json_remove(result, '$.undone_from') WHERE kind = 'change'", [])
        .unwrap();
    drop(begun);
    assert_eq!(check(&home, &plan, &[]).status, 0);

    let undone = Ended::of(&mut home.sandbox(&["undo", "1", "--yes"]));
    assert_eq!(undone.status, 0, "{undone:?}");
    is_unknown_with(&check(&home, &plan, &[]), "something has changed since");
}

/// Of an export that was started without a survey, or by an earlier version, nobody knows.
#[test]
fn an_export_of_which_nothing_was_recorded_is_told_and_settles_nothing() {
    let home = Home::new();
    let plan = as_reader("one-table");
    assert_eq!(run(&home, &plan, &[]).status, 0);
    home.journal()
        .execute("UPDATE operation SET fingerprint = NULL", [])
        .unwrap();
    let after = check(&home, &plan, &[]);
    is_unknown_with(&after, "whether anything was changed since is not known");
}

/// The bucket grants nothing, and nobody of the plan may read that: the export fails, and is started
/// again by nobody's yes until something was changed.
#[tokio::test]
async fn a_failure_speaks_against_the_next_start_until_something_changed() {
    let home = Home::new();
    let plan = as_reader("no-grant");
    let failed = run(&home, &plan, &[]);
    assert_eq!(failed.status, 1, "{failed:?}");
    let export = exported(&failed, "FAILED");

    let told = check(&home, &plan, &[]);
    assert_eq!(told.status, 5, "{told:?}");
    let verdicts_told = verdicts(&told);
    let failure = verdict(&verdicts_told, "earlier_failure");
    assert_eq!(failure["verdict"], "depends", "{failure:#}");
    let why = failure["explanation"].as_str().unwrap();
    assert!(
        why.starts_with(&format!("the export {export} failed at 20")),
        "{why}"
    );
    assert!(why.contains(": S3AccessDenied: "), "{why}");

    let refused = run(&home, &plan, &[]);
    assert_eq!(refused.status, 3, "{refused:?}");
    assert_eq!(refused.exports(), Vec::<Value>::new());
    let again = run(&home, &plan, &["--again"]);
    exported(&again, "FAILED");

    // What can be read of the caller changed: the failure may be fixed.
    let admin = Api::open(&home, "prod-admin").await;
    admin.put_policy_of_role("More", &["s3:ListBucket"]).await;
    drop(admin);
    let changed = verdicts(&check(&home, &plan, &[]));
    let is_told = |found: &Value| found["subject"]["check"] == "earlier_failure";
    assert!(!changed.iter().any(is_told), "{changed:#?}");
}
