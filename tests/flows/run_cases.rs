//! `tableferry --sandbox run` on the example plans: exit status, failure, and what the journal holds.
//!
//! The codes and messages are those that were seen from AWS itself: in the troubleshooting pages of
//! the IAM, S3 and KMS guides, and in reports of exports that failed.

use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use serde_json::Value;

use crate::program::{Ended, Home};

/// The text of an example plan.
fn plan(name: &str) -> String {
    let path = format!("{}/assets/plans/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn run_text(home: &Home, text: &str, more: &[&str]) -> Ended {
    let plan = home.write("plan.toml", text);
    let arguments = [&["run", "--yes", "--output", "json"], more].concat();
    Ended::of(home.sandbox(&arguments).arg(plan))
}

fn run(home: &Home, name: &str, more: &[&str]) -> Ended {
    run_text(home, &plan(name), more)
}

/// What the journal holds of each export: table, stage, whether it has an ARN, what was verified.
fn journal(home: &Home) -> Vec<(String, String, bool, Option<String>)> {
    let connection = home.journal();
    let mut statement = connection
        .prepare("SELECT subject, state, arn IS NOT NULL, verified FROM operation ORDER BY run, position")
        .unwrap();
    let rows = statement
        .query_map([], |row| {
            let arn: String = row.get(0)?;
            let table = arn.rsplit('/').next().unwrap_or_default().to_owned();
            Ok((table, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[rstest]
#[case::one_table("one-table", &["Orders"])]
#[case::several("several", &["Orders", "Users", "Events", "Empty"])]
#[case::a_customer_key("kms-customer-key", &["Orders"])]
#[case::a_table_with_its_own_key("table-own-key", &["Ledger"])]
#[case::a_bucket_in_another_region("another-region", &["Orders"])]
fn an_export_that_may_be_done_is_completed_and_verified(
    #[case] name: &str,
    #[case] tables: &[&str],
) {
    let home = Home::new();
    let ended = run(&home, name, &[]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let exports = ended.exports();
    assert_eq!(
        exports
            .iter()
            .map(|export| &export["table"])
            .collect::<Vec<_>>(),
        tables
    );
    for export in &exports {
        assert_completed(export);
        assert_eq!(export["verified"], true, "{ended:?}");
    }
    let expected: Vec<_> = tables
        .iter()
        .map(|table| {
            (
                (*table).to_owned(),
                "COMPLETED".to_owned(),
                true,
                Some("yes".to_owned()),
            )
        })
        .collect();
    assert_eq!(journal(&home), expected);
}

fn assert_completed(export: &Value) {
    assert_eq!(export["status"], "COMPLETED", "{export}");
    assert!(export["item_count"].is_u64(), "{export}");
    assert!(export["billed_size_bytes"].is_u64(), "{export}");
    assert!(
        export["manifest"]
            .as_str()
            .unwrap()
            .ends_with("manifest-summary.json"),
        "{export}"
    );
    assert_eq!(export["failure_code"], Value::Null);
}

#[test]
fn an_incremental_export_is_completed_and_verified() {
    let home = Home::new();
    let now = Timestamp::now();
    let text = plan("incremental")
        .replace(
            "2026-11-21T00:00:00Z",
            &(now - SignedDuration::from_hours(13)).to_string(),
        )
        .replace(
            "2026-11-21T12:00:00Z",
            &(now - SignedDuration::from_hours(1)).to_string(),
        );
    let ended = run_text(&home, &text, &[]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let exports = ended.exports();
    assert_completed(&exports[0]);
    assert_eq!(exports[0]["verified"], true, "{ended:?}");
    assert!(exports[0]["item_count"].as_u64().unwrap() > 0, "{ended:?}");
}

#[test]
fn without_a_destination_profile_an_export_completes_unverified() {
    let home = Home::new();
    let ended = run(&home, "no-destination-profile", &[]);
    assert_eq!(ended.status, 5, "{ended:?}");
    assert_completed(&ended.exports()[0]);
    assert_eq!(ended.exports()[0]["verified"], "unknown");
    assert_eq!(journal(&home)[0].3.as_deref(), Some("unknown"));
}

/// The call is accepted, and the export fails afterwards; where that can be predicted, only by force.
#[rstest]
#[case::a_bucket_that_does_not_grant(
    "no-grant",
    true,
    "S3AccessDenied",
    &["is not authorized to perform: s3:PutObject on resource: ", "because no resource-based policy allows the s3:PutObject action"]
)]
#[case::a_deny(
    "deny",
    false,
    "S3AccessDenied",
    &["is not authorized to perform: s3:PutObject on resource: ", "with an explicit deny in a resource-based policy"]
)]
#[case::a_missing_owner(
    "missing-owner",
    false,
    "S3AccessDenied",
    &["Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: "]
)]
#[case::a_wrong_owner(
    "wrong-owner",
    false,
    "S3AccessDenied",
    &["Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: "]
)]
#[case::no_such_bucket(
    "no-such-bucket",
    true,
    "S3NoSuchBucket",
    &["The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket; "]
)]
#[case::a_key_without_a_grant(
    "key-without-grant",
    true,
    "S3AccessDenied",
    &["is not authorized to perform: kms:GenerateDataKey on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"]
)]
#[case::an_alias("key-alias", true, "KmsNotFoundException", &["KMS.NotFoundException"])]
#[case::an_aws_managed_key("key-aws-managed", true, "KmsNotFoundException", &["Invalid keyId aws/s3"])]
#[case::a_key_of_another_region(
    "key-other-region",
    true,
    "KmsNotFoundException",
    &["Invalid arn us-east-1 (Service: Amazon S3; Status Code: 400; Error Code: KMS.NotFoundException"]
)]
fn an_export_that_may_not_be_done_fails_in_awss_words(
    #[case] name: &str,
    #[case] is_predicted: bool,
    #[case] code: &str,
    #[case] messages: &[&str],
) {
    let home = Home::new();
    if is_predicted {
        let refused = run(&home, name, &[]);
        assert_eq!(refused.status, 3, "{refused:?}");
        assert!(refused.exports().is_empty(), "{refused:?}");
    }
    let force: &[&str] = if is_predicted { &["--force"] } else { &[] };
    let ended = run(&home, name, force);
    assert_eq!(ended.status, 1, "{ended:?}");
    let export = &ended.exports()[0];
    assert_eq!(export["status"], "FAILED", "{ended:?}");
    assert_eq!(export["failure_code"], code, "{ended:?}");
    let message = export["failure_message"].as_str().unwrap();
    for expected in messages {
        assert!(
            message.contains(expected),
            "`{expected}` is not in `{message}`"
        );
    }
    assert_eq!(
        journal(&home),
        [("Orders".to_owned(), "FAILED".to_owned(), true, None)]
    );
}

/// What is known before the start: nothing is called, and the journal holds nothing.
#[rstest]
#[case::recovery_is_off("pitr-off", "point-in-time recovery is not enabled for table Sessions")]
#[case::a_time_outside_the_window(
    "time-outside-window",
    "before the recovery window of table Orders"
)]
fn what_is_certain_to_be_refused_is_not_started(#[case] name: &str, #[case] words: &str) {
    let home = Home::new();
    let ended = run(&home, name, &[]);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.exports().is_empty(), "{ended:?}");
    let is_told = ended.objects().iter().any(|object| {
        object["event"] == "error" && object["message"].as_str().unwrap().contains(words)
    });
    assert!(is_told, "{ended:?}");
    assert!(journal(&home).is_empty());
}

/// The call itself is refused.
#[rstest]
#[case::recovery_is_off(
    "pitr-off",
    "Sessions",
    "PointInTimeRecoveryUnavailableException",
    "Point in time recovery is not enabled for table 'Sessions'"
)]
#[case::a_time_outside_the_window(
    "time-outside-window",
    "Orders",
    "InvalidExportTimeException",
    "Export Time is invalid"
)]
#[case::a_role_that_may_not_export(
    "may-not-export",
    "Orders",
    "AccessDeniedException",
    "is not authorized to perform: dynamodb:ExportTableToPointInTime on resource: arn:aws:dynamodb:eu-west-1:111111111111:table/Orders because no identity-based policy allows the dynamodb:ExportTableToPointInTime action"
)]
fn a_call_that_is_refused_is_told_in_awss_words(
    #[case] name: &str,
    #[case] table: &str,
    #[case] code: &str,
    #[case] words: &str,
) {
    let home = Home::new();
    let ended = run(&home, name, &["--force"]);
    assert_eq!(ended.status, 3, "{ended:?}");
    let export = &ended.exports()[0];
    assert_eq!(export["status"], "REFUSED", "{ended:?}");
    assert_eq!(export["failure_code"], code, "{ended:?}");
    let message = export["failure_message"].as_str().unwrap();
    assert!(message.contains(words), "`{words}` is not in `{message}`");
    assert_eq!(
        journal(&home),
        [(table.to_owned(), "REFUSED".to_owned(), false, None)]
    );
}

/// With a destination profile, the bucket's absence and a wrong owner are known before the start.
#[rstest]
#[case::no_such_bucket("no-such-bucket", "does not exist")]
#[case::a_wrong_owner(
    "wrong-owner",
    "the plan sends 333333333333 as the owner, and bucket export-landing is of 222222222222"
)]
fn a_destination_profile_tells_before_the_start(#[case] name: &str, #[case] words: &str) {
    let home = Home::new();
    let text = plan(name).replace(
        "[destination]\n",
        "[destination]\nprofile = \"dev-admin\"\n",
    );
    let ended = run_text(&home, &text, &[]);
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.out.contains(words), "{ended:?}");
    assert!(journal(&home).is_empty());
}

/// A table of tables: refused and completed exports of one run do not hide each other.
#[test]
fn one_refused_table_does_not_hold_up_the_others() {
    let home = Home::new();
    let text = plan("one-table") + "\n[[tables]]\nname = \"Sessions\"\n";
    let ended = run_text(&home, &text, &["--force"]);
    assert_eq!(ended.status, 3, "{ended:?}");
    let stages: Vec<_> = journal(&home).into_iter().map(|row| row.1).collect();
    assert_eq!(stages, ["COMPLETED", "REFUSED"]);
}

/// All that a run does before it asks, and nothing after: also where nothing may be changed.
#[rstest]
#[case::allowed("one-table", 0)]
#[case::denied("no-grant", 3)]
#[case::recovery_is_off("pitr-off", 3)]
fn a_dry_run_tells_the_commands_and_starts_nothing(#[case] name: &str, #[case] status: i32) {
    let home = Home::new();
    let path = home.write("plan.toml", &plan(name));
    for more in [&["--dry-run"][..], &["--dry-run", "--read-only"]] {
        let arguments = [&["run"], more].concat();
        let ended = Ended::of(home.sandbox(&arguments).arg(&path));
        assert_eq!(ended.status, status, "{ended:?}");
        let (_, commands) = ended.out.split_once("# The same by hand").unwrap();
        assert!(
            commands.contains("aws dynamodb export-table-to-point-in-time"),
            "{ended:?}"
        );
        assert!(commands.contains("--profile prod-oncall"), "{ended:?}");
        assert!(
            ended.out.contains("nothing is started: this is a dry run"),
            "{ended:?}"
        );
    }
    assert_eq!(journal(&home), []);
}

/// The profile alone would export as somebody else.
#[test]
fn the_commands_of_a_dry_run_assume_the_role_of_the_plan() {
    let home = Home::new();
    let partner = "profile = \"partner-admin\"\n\
        role = \"arn:aws:iam::111111111111:role/partners/PartnerExporter\"\n\
        external_id = \"ferry-4711\"";
    let text = plan("one-table").replace("profile = \"prod-oncall\"", partner);
    let path = home.write("plan.toml", &text);
    let arguments = ["run", "--dry-run", "--output", "json"];
    let ended = Ended::of(home.sandbox(&arguments).arg(path));
    let lines = ended.out.lines();
    let told: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let by_hand = told.iter().find(|line| line["event"] == "by_hand").unwrap();
    let commands = by_hand["commands"].as_str().unwrap();
    let sign_in = "credentials=$(aws sts assume-role \\\n  --profile partner-admin";
    assert!(commands.contains(sign_in), "{commands}");
    assert!(commands.contains("--external-id ferry-4711"), "{commands}");
    let (_, export) = commands
        .split_once("export-table-to-point-in-time")
        .unwrap();
    assert!(!export.contains("--profile"), "{commands}");
}
