//! Records in the forms that AWS's pages and public samples show: what is read of them, and in which order.

use std::io::Write as _;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::history::SinceSuccess;
use super::*;

const BUCKET: &str = "export-landing";
const OWNER: &str = "222222222222";

/// The part that all events have (CloudTrail user guide, cloudtrail-event-reference-record-contents).
fn event(time: &str, source: &str, name: &str, parameters: &Value) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROAEXAMPLE:ann", "accountId": OWNER,
            "arn": "arn:aws:sts::222222222222:assumed-role/Platform/ann",
        },
        "eventTime": time, "eventSource": source, "eventName": name, "awsRegion": "eu-west-1",
        "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli/2.36.7",
        "requestParameters": parameters, "responseElements": null,
        "requestID": format!("request-{time}"), "eventID": format!("event-{time}"), "readOnly": false,
        "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": OWNER,
    })
}

fn policy(sid: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Deny", "Principal": "*",
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::export-landing/*"}]})
}

fn put_policy(time: &str, sid: &str) -> Value {
    // The form of S3's events in public rules: the policy as parsed JSON, and an empty `policy`.
    let parameters = json!({"bucketName": BUCKET, "Host": "export-landing.s3.eu-west-1.amazonaws.com",
        "policy": "", "bucketPolicy": policy(sid)});
    event(time, "s3.amazonaws.com", "PutBucketPolicy", &parameters)
}

fn watched() -> Vec<WatchedResource> {
    vec![WatchedResource {
        kind: ResourceKind::Bucket,
        name: BUCKET.to_owned(),
        account: Some(OWNER.to_owned()),
    }]
}

fn read(text: String) -> Vec<RecordedChange> {
    read_changes(std::io::Cursor::new(text)).unwrap().changes
}

fn history(events: &[Value], last_success: Option<&str>) -> ChangeHistory {
    let changes = read(json!({ "Records": events }).to_string());
    let success = last_success.map(|time| time.parse().unwrap());
    ChangeHistory::of(changes, &watched(), success)
}

#[test]
fn an_event_tells_who_changed_what_from_where() {
    let change = read(put_policy("2026-11-20T10:00:00Z", "Guard").to_string()).remove(0);
    assert_eq!(change.at.to_string(), "2026-11-20T10:00:00Z");
    assert_eq!(
        (change.event.as_str(), change.setting),
        ("PutBucketPolicy", "bucket policy")
    );
    assert_eq!(change.resource.name, BUCKET);
    let principal = "arn:aws:sts::222222222222:assumed-role/Platform/ann";
    assert_eq!(change.principal.as_deref(), Some(principal));
    assert_eq!(change.address.as_deref(), Some("198.51.100.7"));
    assert_eq!(change.refusal, None);
    let document: Value = serde_json::from_str(&change.document.unwrap()).unwrap();
    assert_eq!(document, policy("Guard"));
}

/// The parameters are those of the pages and samples that FACTS names: KMS developer guide,
/// ct-put-key-policy; public rules and tests for the others.
#[rstest]
#[case::key("kms.amazonaws.com", "PutKeyPolicy",
    json!({"keyId": "1234abcd-12ab-34cd-56ef-1234567890ab", "policyName": "default",
        "policy": "{\"Version\":\"2012-10-17\"}", "bypassPolicyLockoutSafetyCheck": false}),
    "1234abcd-12ab-34cd-56ef-1234567890ab", None, Some("{\"Version\":\"2012-10-17\"}"))]
#[case::inline("iam.amazonaws.com", "PutRolePolicy",
    json!({"roleName": "Exporter", "policyName": "Writes", "policyDocument": "{}"}),
    "Exporter", Some("Writes"), Some("{}"))]
#[case::attached("iam.amazonaws.com", "AttachRolePolicy",
    json!({"roleName": "Exporter", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
    "Exporter", Some("arn:aws:iam::aws:policy/ReadOnlyAccess"), None)]
#[case::trust("iam.amazonaws.com", "UpdateAssumeRolePolicy",
    json!({"roleName": "Exporter", "policyDocument": "{\"Statement\":[]}"}),
    "Exporter", None, Some("{\"Statement\":[]}"))]
#[case::deletion("kms.amazonaws.com", "ScheduleKeyDeletion",
    json!({"keyId": "arn:aws:kms:eu-west-1:222222222222:key/1", "pendingWindowInDays": 7}),
    "arn:aws:kms:eu-west-1:222222222222:key/1", None, None)]
#[case::account("s3.amazonaws.com", "PutAccountPublicAccessBlock",
    json!({"accountId": "222222222222", "PublicAccessBlockConfiguration": {"BlockPublicPolicy": true}}),
    "222222222222", None, Some("{\"BlockPublicPolicy\":true}"))]
#[case::recovery("dynamodb.amazonaws.com", "UpdateContinuousBackups",
    json!({"tableName": "Orders", "pointInTimeRecoverySpecification": {"pointInTimeRecoveryEnabled": false}}),
    "Orders", None, Some("{\"pointInTimeRecoveryEnabled\":false}"))]
fn each_kind_of_event_names_its_resource_and_document(
    #[case] source: &str,
    #[case] name: &str,
    #[case] parameters: Value,
    #[case] resource: &str,
    #[case] part: Option<&str>,
    #[case] document: Option<&str>,
) {
    let change =
        read(event("2026-11-20T10:00:00Z", source, name, &parameters).to_string()).remove(0);
    assert_eq!(change.resource.name, resource);
    assert_eq!(change.part.as_deref(), part);
    assert_eq!(change.document.as_deref(), document);
}

#[test]
fn a_refused_change_is_told_as_refused_and_is_not_what_the_next_is_compared_with() {
    let mut refused = put_policy("2026-11-20T11:00:00Z", "Refused");
    refused["errorCode"] = "AccessDenied".into();
    refused["errorMessage"] = "Access Denied".into();
    let events = [
        put_policy("2026-11-20T10:00:00Z", "First"),
        refused,
        put_policy("2026-11-20T12:00:00Z", "Second"),
    ];
    let told = history(&events, None);
    let refusals: Vec<bool> = told
        .entries
        .iter()
        .map(|entry| entry.change.refusal.is_some())
        .collect();
    assert_eq!(refusals, [false, true, false]);
    let difference = told.entries[0].difference.as_deref().unwrap();
    assert!(
        difference.contains('-') && difference.contains("First"),
        "{difference}"
    );
    assert!(difference.contains("Second"), "{difference}");
    assert!(!difference.contains("Refused"), "{difference}");
    assert_eq!(told.since_success().count(), 2);
}

#[test]
fn a_change_stands_before_or_after_the_last_success() {
    let events = [
        put_policy("2026-11-20T10:00:00Z", "First"),
        put_policy("2026-11-20T12:00:00Z", "Second"),
    ];
    let told = history(&events, Some("2026-11-20T11:00:00Z"));
    let since: Vec<Option<SinceSuccess>> = told
        .entries
        .iter()
        .map(|entry| entry.since_success)
        .collect();
    assert_eq!(
        since,
        [Some(SinceSuccess::After), Some(SinceSuccess::Before)]
    );
    assert_eq!(told.since_success().count(), 1);
}

#[test]
fn a_change_of_the_same_second_may_have_come_after_the_success() {
    let events = [put_policy("2026-11-20T11:00:00Z", "First")];
    let told = history(&events, Some("2026-11-20T11:00:00.523Z"));
    assert_eq!(told.entries[0].since_success, None);
    assert_eq!(told.since_success().count(), 1);
}

/// CloudTrail's eventTime has no parts of a second.
#[rstest]
#[case::long_before("2026-11-20T10:49:59Z", Some(false))]
#[case::ten_minutes_before("2026-11-20T10:50:00Z", Some(true))]
#[case::the_second_before("2026-11-20T10:59:59Z", Some(true))]
#[case::in_the_same_second("2026-11-20T11:00:00Z", None)]
#[case::after_it("2026-11-20T11:00:01Z", Some(false))]
fn whether_something_was_changed_before_a_failure_is_open_within_one_second(
    #[case] changed: &str,
    #[case] expected: Option<bool>,
) {
    let told = history(&[put_policy(changed, "First")], None);
    let failed: Timestamp = "2026-11-20T11:00:00.523Z".parse().unwrap();
    let span = SignedDuration::from_mins(10);
    assert_eq!(told.was_changed_before(failed, span), expected);
}

#[test]
fn a_change_before_and_one_after_a_failure_say_nothing_of_what_stood_then() {
    let events = [
        put_policy("2026-11-20T10:55:00Z", "First"),
        put_policy("2026-11-20T11:05:00Z", "Second"),
    ];
    let told = history(&events, None);
    let failed: Timestamp = "2026-11-20T11:00:00Z".parse().unwrap();
    let span = SignedDuration::from_mins(10);
    assert_eq!(told.was_changed_before(failed, span), None);
}

/// The identity is that of the CloudTrail user guide's sample of an AWS service event.
#[test]
fn a_service_that_changes_something_by_itself_is_named() {
    let mut event = put_policy("2026-11-20T10:00:00Z", "Guard");
    event["userIdentity"] =
        json!({"type": "AWSService", "invokedBy": "delivery.logs.amazonaws.com"});
    let change = read(event.to_string()).remove(0);
    let principal = change.principal.as_deref();
    assert_eq!(principal, Some("delivery.logs.amazonaws.com"));
    assert_eq!(change.invoked_by, None);
}

#[test]
fn a_policy_that_was_deleted_between_leaves_nothing_to_compare_with() {
    let parameters = json!({"bucketName": BUCKET});
    let events = [
        put_policy("2026-11-20T10:00:00Z", "First"),
        event(
            "2026-11-20T11:00:00Z",
            "s3.amazonaws.com",
            "DeleteBucketPolicy",
            &parameters,
        ),
        put_policy("2026-11-20T12:00:00Z", "Second"),
    ];
    let told = history(&events, None);
    assert_eq!(told.entries.len(), 3);
    assert!(told.entries.iter().all(|entry| entry.difference.is_none()));
}

#[test]
fn what_is_of_another_bucket_or_changes_nothing_is_left_out() {
    let other = json!({"bucketName": "another", "bucketPolicy": policy("Guard")});
    let read_only = json!({"bucketName": BUCKET});
    let events = [
        event(
            "2026-11-20T10:00:00Z",
            "s3.amazonaws.com",
            "PutBucketPolicy",
            &other,
        ),
        event(
            "2026-11-20T10:00:00Z",
            "s3.amazonaws.com",
            "GetBucketPolicy",
            &read_only,
        ),
    ];
    assert!(history(&events, None).entries.is_empty());
}

/// The line is of a public test of a log reader, its names replaced (S3 user guide, `LogFormat`).
const LINE: &str = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be export-landing \
    [20/Nov/2026:12:00:00 +0000] 203.0.113.9 arn:aws:iam::222222222222:user/alice 7E8F9A0B1C2D3E4F \
    REST.PUT.BUCKETPOLICY - \"PUT /?policy HTTP/1.1\" 204 - - 512 60 - \"-\" \"aws-cli/2.17.0\" - hostid= SigV4 \
    ECDHE-RSA-AES128-GCM-SHA256 AuthHeader export-landing.s3.eu-west-1.amazonaws.com TLSv1.2 - -";

#[test]
fn a_line_of_an_access_log_tells_a_change_without_its_document() {
    let refused = LINE.replace(" 204 - ", " 403 AccessDenied ");
    let object = LINE.replace("BUCKETPOLICY - ", "ACL folder/key ");
    let told = read(format!("{LINE}\n{refused}\n{object}\nnothing\n"));
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].at.to_string(), "2026-11-20T12:00:00Z");
    assert_eq!(told[0].event, "PutBucketPolicy");
    assert_eq!(told[0].resource.name, BUCKET);
    assert_eq!(
        told[0].principal.as_deref(),
        Some("arn:aws:iam::222222222222:user/alice")
    );
    assert_eq!(told[0].address.as_deref(), Some("203.0.113.9"));
    assert_eq!((&told[0].refusal, &told[0].document), (&None, &None));
    assert_eq!(told[1].refusal.as_ref().unwrap().code, "AccessDenied");
}

#[test]
fn what_both_records_tell_is_one_change_with_cloudtrails_document() {
    let mut both = put_policy("2026-11-20T12:00:00Z", "Guard");
    both["requestID"] = "7E8F9A0B1C2D3E4F".into();
    let mut changes = read(LINE.to_owned());
    changes.extend(read(both.to_string()));
    let told = ChangeHistory::of(changes, &watched(), None);
    assert_eq!(told.entries.len(), 1);
    assert!(told.entries[0].change.document.is_some());
}

#[test]
fn a_look_up_a_packed_file_and_events_one_a_line_are_read_alike() {
    let one = put_policy("2026-11-20T12:00:00Z", "Guard");
    let two = put_policy("2026-11-20T13:00:00Z", "Guard");
    let records = json!({"Records": [one, two]}).to_string();
    let look_up = json!({"Events": [
        {"EventId": "e1", "EventName": "PutBucketPolicy", "CloudTrailEvent": one.to_string()},
        {"EventId": "e2", "EventName": "PutBucketPolicy", "CloudTrailEvent": two.to_string()},
    ]});
    let laid_out = serde_json::to_string_pretty(&look_up).unwrap();
    let lines = format!("{one}\n{two}\n");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(records.as_bytes()).unwrap();
    let expected = read(records);
    assert_eq!(expected.len(), 2);
    assert_eq!(read(look_up.to_string()), expected);
    assert_eq!(read(laid_out), expected);
    assert_eq!(read(lines), expected);
    let unpacked = read_changes(std::io::Cursor::new(packed.finish().unwrap())).unwrap();
    assert_eq!(unpacked.changes, expected);
}

#[test]
fn a_table_and_a_key_are_known_by_name_and_by_arn() {
    let table = WatchedResource {
        kind: ResourceKind::Table,
        name: "arn:aws:dynamodb:eu-west-1:222222222222:table/Orders".to_owned(),
        account: Some(OWNER.to_owned()),
    };
    let changed = |name: &str, region: &str| ChangedResource {
        kind: ResourceKind::Table,
        name: name.to_owned(),
        account: Some(OWNER.to_owned()),
        region: Some(region.to_owned()),
    };
    assert!(table.is_meant(&changed("Orders", "eu-west-1")));
    assert!(table.is_meant(&changed(&table.name, "eu-west-1")));
    assert!(!table.is_meant(&changed("Orders", "us-east-1")));
    assert!(!table.is_meant(&changed("Orders2", "eu-west-1")));
}

proptest! {
    #[test]
    fn no_bytes_make_the_reading_of_changes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_changes(std::io::Cursor::new(bytes));
    }

    /// An event of which any part is cut off or another value.
    #[test]
    fn no_damaged_event_makes_it_panic(cut in 0..900_usize, line in "[ -~]{0,120}") {
        let event = put_policy("2026-11-20T12:00:00Z", "Guard").to_string();
        let cut = event.get(..cut).unwrap_or(&event).to_owned();
        let changes = read_changes(std::io::Cursor::new(format!("{cut}\n{line}\n{LINE}{line}")));
        let told = ChangeHistory::of(changes.map(|read| read.changes).unwrap_or_default(), &watched(), None);
        for entry in &told.entries {
            let _ = (words::describe(entry), words::to_json(entry));
        }
    }
}
