//! Row by row: `check` names the failure and what decides it, and the export that is forced all the
//! same fails with just the words that were predicted.

use rstest::rstest;
use serde_json::Value;

use crate::program::{Ended, Home};

pub(super) fn example(name: &str) -> String {
    let path = format!("{}/assets/plans/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// An example plan for which somebody signs in on the destination's side too.
fn with_destination(name: &str) -> String {
    let text = example(name);
    if text.contains("[destination]\nprofile") {
        return text;
    }
    text.replace(
        "[destination]\n",
        "[destination]\nprofile = \"dev-admin\"\n",
    )
}

pub(super) fn check(home: &Home, plan: &str, more: &[&str]) -> Ended {
    let plan = home.write("plan.toml", plan);
    let arguments = [&["check", "--output", "json"], more].concat();
    Ended::of(home.sandbox(&arguments).arg(plan))
}

/// The verdicts of an output.
pub(super) fn verdicts(ended: &Ended) -> Vec<Value> {
    let mut objects = ended.objects();
    objects.retain(|object| object["event"] == "verdict");
    objects
}

/// The verdict on an action of the exporter, or on a setting.
pub(super) fn verdict<'v>(verdicts: &'v [Value], about: &str) -> &'v Value {
    let found = verdicts.iter().find(|verdict| {
        let requirement = &verdict["subject"];
        requirement["check"] == about
            || (requirement["action"] == about && requirement["who"] == "exporter")
    });
    found.unwrap_or_else(|| panic!("nothing on {about}: {verdicts:#?}"))
}

fn force(home: &Home, plan: &str) -> Value {
    let plan = home.write("plan.toml", plan);
    let arguments = ["run", "--yes", "--force", "--output", "json"];
    let ended = Ended::of(home.sandbox(&arguments).arg(plan));
    let mut exports = ended.exports();
    assert_eq!(exports.len(), 1, "{ended:?}");
    exports.remove(0)
}

#[rstest]
#[case::no_grant(
    "no-grant",
    3,
    "s3:PutObject",
    "denied",
    "no resource-based policy allows it"
)]
#[case::a_deny_by_address("deny", 5, "s3:PutObject", "depends", "OfficeOnly")]
#[case::no_such_bucket(
    "no-such-bucket",
    3,
    "bucket",
    "denied",
    "there is no bucket export-nowhere"
)]
#[case::a_key_without_a_grant(
    "key-without-grant",
    3,
    "kms:GenerateDataKey",
    "denied",
    "EnableIamPolicies"
)]
#[case::an_alias("key-alias", 3, "key_state", "denied", "there is no key alias/exports")]
#[case::an_aws_managed_key("key-aws-managed", 3, "key_name", "denied", "AWS managed key")]
#[case::a_key_of_another_region(
    "key-other-region",
    3,
    "key_region",
    "denied",
    "the key is in us-east-1, and the bucket in eu-west-1"
)]
#[case::recovery_is_off(
    "pitr-off",
    3,
    "recovery",
    "denied",
    "point-in-time recovery is not enabled for table Sessions"
)]
#[case::a_time_outside_the_window(
    "time-outside-window",
    3,
    "window",
    "denied",
    "before the recovery window"
)]
#[case::an_identity_that_may_not_write(
    "may-not-export",
    3,
    "s3:PutObject",
    "denied",
    "no identity-based policy allows it"
)]
fn what_is_named_before_the_start_is_what_a_forced_export_fails_with(
    #[case] name: &str,
    #[case] status: i32,
    #[case] about: &str,
    #[case] word: &str,
    #[case] reason: &str,
) {
    let home = Home::new();
    let plan = with_destination(name);
    let ended = check(&home, &plan, &[]);
    assert_eq!(ended.status, status, "{ended:?}");
    let verdicts = verdicts(&ended);
    let verdict = verdict(&verdicts, about);
    assert_eq!(verdict["verdict"], word, "{verdict:#}");
    let told = format!("{} {}", verdict["explanation"], verdict["deciding"]);
    assert!(told.contains(reason), "`{reason}` is not in {verdict:#}");

    let export = force(&home, &plan);
    let failed = export["failure_message"].as_str().unwrap();
    // Who may not even start the export learns of nothing else.
    if name != "may-not-export" {
        let predicted = verdict["expected_error"].as_str().unwrap();
        assert!(
            failed.contains(predicted),
            "`{predicted}` is not in `{failed}`"
        );
    }
}

/// An export that is sent to the wrong account is what no override may bring about.
#[test]
fn an_owner_that_does_not_match_is_named_and_not_forced() {
    let home = Home::new();
    let plan = with_destination("wrong-owner");
    let ended = check(&home, &plan, &[]);
    assert_eq!(ended.status, 3, "{ended:?}");
    let verdicts = verdicts(&ended);
    let owner = verdict(&verdicts, "bucket_owner");
    assert_eq!(owner["verdict"], "denied", "{owner:#}");
    let why = owner["explanation"].as_str().unwrap();
    let sent =
        "the plan sends 333333333333 as the owner, and bucket export-landing is of 222222222222";
    assert!(why.contains(sent), "{why}");

    let plan = home.write("plan.toml", &plan);
    let forced = Ended::of(home.sandbox(&["run", "--yes", "--force"]).arg(plan));
    assert_eq!(forced.status, 3, "{forced:?}");
    assert!(forced.out.contains("nothing was started"), "{forced:?}");
    assert!(!forced.out.contains("--force starts"), "{forced:?}");
}

#[rstest]
#[case::one_table("one-table")]
#[case::several("several")]
#[case::a_customer_key("kms-customer-key")]
#[case::a_bucket_in_another_region("another-region")]
fn what_is_allowed_completes(#[case] name: &str) {
    let home = Home::new();
    let ended = check(&home, &example(name), &[]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let plan = home.write("plan.toml", &example(name));
    let ran = Ended::of(
        home.sandbox(&["run", "--yes", "--output", "json"])
            .arg(plan),
    );
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[test]
fn what_could_not_be_read_is_named_and_counts_only_where_the_check_is_strict() {
    let home = Home::new();
    let plan = example("one-table");
    let lenient = check(&home, &plan, &[]);
    let last = lenient.objects().pop().unwrap();
    assert_eq!(last["event"], "checked", "{lenient:?}");
    assert_eq!(last["overall"], "allowed");
    let permissions: Vec<&str> = last["assumed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|unread| unread["permission"].as_str().unwrap())
        .collect();
    // The role reads its own policies; the organization's it may not.
    assert!(
        permissions.contains(&"organizations:ListParents"),
        "{permissions:?}"
    );
    assert_eq!(check(&home, &plan, &["--strict"]).status, 5);
}

#[test]
fn an_owner_that_is_missing_is_unknown_until_somebody_may_list_the_buckets() {
    let home = Home::new();
    let plan = example("missing-owner");
    assert_eq!(check(&home, &plan, &[]).status, 5);
    let as_admin = plan.replace("prod-oncall", "prod-admin");
    let ended = check(&home, &as_admin, &[]);
    assert_eq!(ended.status, 3, "{ended:?}");
    let verdicts = verdicts(&ended);
    let owner = verdict(&verdicts, "bucket_owner");
    assert_eq!(owner["verdict"], "denied", "{owner:#}");
    let failed = force(&home, &as_admin);
    let predicted = owner["expected_error"].as_str().unwrap();
    let message = failed["failure_message"].as_str().unwrap();
    assert!(message.contains(predicted), "{failed}");
}

#[test]
fn a_service_control_policy_from_a_file_denies() {
    let home = Home::new();
    let scp = home.write(
        "scp.json",
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"NoExports","Effect":"Deny","Action":"dynamodb:ExportTableToPointInTime","Resource":"*"}]}"#,
    );
    let plan = example("one-table");
    let ended = check(&home, &plan, &["--scp", scp.to_str().unwrap()]);
    assert_eq!(ended.status, 3, "{ended:?}");
    let verdicts = verdicts(&ended);
    let export = verdict(&verdicts, "dynamodb:ExportTableToPointInTime");
    assert_eq!(export["verdict"], "denied");
    assert_eq!(export["deciding"][0]["sid"], "NoExports", "{export:#}");
    assert_eq!(export["responsible"], "the organization's administrators");
    // The policy of full access that AWS attaches beside it still lets the rest through.
    assert_eq!(verdict(&verdicts, "s3:PutObject")["verdict"], "allowed");

    let broken = home.write("broken.json", "Deny everything");
    let ended = check(&home, &plan, &["--rcp", broken.to_str().unwrap()]);
    assert_eq!(ended.status, 2, "{ended:?}");
}

/// What neither the bucket's nor the key's policy says, a grant may.
#[test]
fn a_key_that_is_opened_by_a_grant_is_allowed() {
    let home = Home::new();
    let granted = "arn:aws:kms:eu-west-1:222222222222:key/09a47ed0-09a4-4e11-8000-000000000222";
    let text = example("kms-customer-key");
    let line = text
        .lines()
        .find(|line| line.starts_with("key = "))
        .unwrap();
    let plan = text.replace(line, &format!("key = \"{granted}\""));
    let ended = check(&home, &plan, &[]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let export = force(&home, &plan);
    assert_eq!(export["status"], "COMPLETED", "{export}");
}

/// The path of a role of Identity Center is read, and who can change its permissions is named.
#[test]
fn a_role_of_identity_center_is_fixed_by_the_owner_of_its_permission_set() {
    let home = Home::new();
    let plan = example("one-table")
        .replace("prod-oncall", "prod-sso")
        .replace("export-landing", "prod-archive")
        .replace("dev-admin", "prod-admin");
    let ended = check(&home, &plan, &[]);
    // It may not read itself, but the destination's user of the same account may: nothing of it
    // allows this bucket.
    assert_eq!(ended.status, 3, "{ended:?}");
    let verdicts = verdicts(&ended);
    let put = verdict(&verdicts, "s3:PutObject");
    assert_eq!(put["verdict"], "denied", "{put:#}");
    let owner = "the owner of the permission set ExportOperators";
    assert_eq!(put["responsible"], owner, "{put:#}");
}

#[test]
fn people_read_one_line_a_need_and_who_can_fix_it() {
    let home = Home::new();
    let plan = home.write("plan.toml", &example("no-grant"));
    let ended = Ended::of(home.sandbox(&["check"]).arg(plan));
    assert_eq!(ended.status, 3, "{ended:?}");
    for line in [
        "you:",
        "the destination's owner (222222222222):",
        "  denied   s3:PutObject on arn:aws:s3:::export-nopolicy/prod/AWSDynamoDB/*",
        "not read, and assumed not to forbid it:",
        "remedy for the destination's owner (222222222222): write the bucket policy of export-nopolicy",
        // The start, its following and the destination's reading rest on policies of the organization,
        // which neither side may read.
        "the export would be refused: 14 allowed (3 assumed), 3 denied, 0 depend, 0 unknown",
    ] {
        assert!(
            ended.out.lines().any(|told| told == line),
            "{line}: {ended:?}"
        );
    }
    assert!(ended.out.contains(", just read"), "{ended:?}");
}

/// The role has no right to this bucket, and may not read that it has none: nobody said that it is
/// allowed, and the export fails.
#[test]
fn an_allow_that_nobody_read_is_not_called_allowed() {
    let home = Home::new();
    let plan = example("unread-identity")
        .replace("profile = \"dev-admin\"\n", "owner = \"111111111111\"\n")
        .replace("export-landing", "prod-archive");
    let ended = check(&home, &plan, &[]);
    assert_eq!(ended.status, 5, "{ended:?}");
    let verdicts = verdicts(&ended);
    let put = verdict(&verdicts, "s3:PutObject");
    assert_eq!(put["verdict"], "unknown", "{put:#}");
    assert_eq!(put["settled_by"], "probe", "{put:#}");
    let start = verdict(&verdicts, "dynamodb:ExportTableToPointInTime");
    assert_eq!(start["settled_by"], "start", "{start:#}");
    let file = home.write("plan.toml", &plan);
    let run = |options: &[&str]| {
        Ended::of(
            home.sandbox(&["run", "--yes", "--output", "json"])
                .args(options)
                .arg(&file),
        )
    };
    let strict = run(&["--strict"]);
    assert_eq!(strict.status, 3, "{strict:?}");
    assert_eq!(strict.exports(), Vec::<Value>::new());
    let ran = run(&[]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert_eq!(ran.exports()[0]["status"], "FAILED");
}

/// The role may not read itself, but the destination's user, of the same account, may read it.
#[test]
fn what_the_one_identity_may_not_read_the_other_is_asked_for() {
    let home = Home::new();
    let plan = example("unread-identity")
        .replace("dev-admin", "prod-admin")
        .replace("export-landing", "prod-archive");
    let ended = check(&home, &plan, &[]);
    assert_eq!(ended.status, 3, "{ended:?}");
    let last = ended.objects().pop().unwrap();
    assert_eq!(last["counts"]["unknown"], 0, "{last:#}");
    let verdicts = verdicts(&ended);
    let put = verdict(&verdicts, "s3:PutObject");
    assert_eq!(put["verdict"], "denied", "{put:#}");
}

/// In a few lines: unknowns of one cause are one.
#[test]
fn unknowns_of_one_cause_are_one_line() {
    let home = Home::new();
    let plan = home.write("plan.toml", &example("unread-identity"));
    let ended = Ended::of(home.sandbox(&["check"]).arg(plan));
    assert_eq!(ended.status, 5, "{ended:?}");
    let unknown = ended
        .out
        .lines()
        .filter(|line| line.starts_with("  unknown "));
    let lines: Vec<&str> = unknown.collect();
    // By what settles them: the start, a probe, the export.
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.contains("s3:PutObject on")
            && line.contains(", and s3:AbortMultipartUpload on")),
        "{lines:#?}"
    );
}
