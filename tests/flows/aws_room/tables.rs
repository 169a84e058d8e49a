//! Tables and exports through the real DynamoDB client.

use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::{Value, json};
use tableferry::aws::FailureKind;
use tableferry::aws::dynamodb::{Export, ExportStatus, StartAnswer};
use tableferry::job::{Encryption, ExportRequest, Filter, Format, Span, View};

use crate::aws_room::fake::{Fake, Reply, region, signed_in};

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders";
const EXPORT: &str =
    "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/export/01795341600000-0123abcd";

fn request() -> ExportRequest {
    ExportRequest {
        table_arn: TABLE.parse().unwrap(),
        bucket: "landing".parse().unwrap(),
        bucket_owner: Some("222222222222".parse().unwrap()),
        prefix: Some("prod".to_owned()),
        encryption: Encryption::Kms {
            key: Some("arn:aws:kms:eu-west-1:222222222222:key/1".parse().unwrap()),
        },
        format: Format::DynamoDbJson,
        span: Span::Full { time: None },
        filter: None,
        client_token: "run-7-0".to_owned(),
    }
}

fn described(status: &str) -> Reply {
    let body = json!({"ExportDescription": {
        "ExportArn": EXPORT, "ExportStatus": status, "StartTime": 1_795_341_600.5,
        "ClientToken": "run-7-0", "TableArn": TABLE,
    }});
    Reply::json(200, &body.to_string())
}

async fn sent(request: &ExportRequest) -> Value {
    let fake = Fake::with_sts(|_| described("IN_PROGRESS"));
    let session = signed_in(&fake).await;
    let dynamodb = session.dynamodb(&region("eu-west-1"));
    let StartAnswer::Started(export) = dynamodb.start_export(request, None).await else {
        panic!("not started");
    };
    assert_eq!(export.arn.to_string(), EXPORT);
    assert_eq!(export.status, ExportStatus::InProgress);
    serde_json::from_str(&fake.seen_of("ExportTableToPointInTime")[0].body).unwrap()
}

#[tokio::test]
async fn an_export_is_requested_word_for_word_with_our_own_token() {
    let expected = json!({
        "TableArn": TABLE, "S3Bucket": "landing", "S3BucketOwner": "222222222222",
        "S3Prefix": "prod", "S3SseAlgorithm": "KMS",
        "S3SseKmsKeyId": "arn:aws:kms:eu-west-1:222222222222:key/1",
        "ExportFormat": "DYNAMODB_JSON", "ExportType": "FULL_EXPORT", "ClientToken": "run-7-0",
    });
    assert_eq!(sent(&request()).await, expected);
}

#[tokio::test]
async fn what_a_plan_leaves_out_is_not_sent() {
    let bare = ExportRequest {
        bucket_owner: None,
        prefix: None,
        encryption: Encryption::Aes256,
        span: Span::Full {
            time: Some("2026-11-22T10:00:00Z".parse().unwrap()),
        },
        ..request()
    };
    let expected = json!({
        "TableArn": TABLE, "S3Bucket": "landing", "S3SseAlgorithm": "AES256",
        "ExportFormat": "DYNAMODB_JSON", "ExportType": "FULL_EXPORT",
        "ExportTime": 1_795_341_600, "ClientToken": "run-7-0",
    });
    assert_eq!(sent(&bare).await, expected);
}

#[tokio::test]
async fn an_incremental_export_with_a_filter_is_sent_in_full() {
    let filtered = ExportRequest {
        format: Format::Ion,
        span: Span::Incremental {
            from: "2026-11-21T00:00:00Z".parse().unwrap(),
            to: "2026-11-21T12:00:00Z".parse().unwrap(),
            view: View::NewImage,
        },
        filter: Some(Filter {
            key_condition: Some("#a = :v".to_owned()),
            names: BTreeMap::from([("#a".to_owned(), "id".to_owned())]),
            values: BTreeMap::from([(":v".to_owned(), json!({"S": "x"}))]),
            ..Filter::default()
        }),
        ..request()
    };
    let sent = sent(&filtered).await;
    assert_eq!(sent["ExportType"], "INCREMENTAL_EXPORT");
    assert_eq!(sent["ExportFormat"], "ION");
    assert_eq!(
        sent["IncrementalExportSpecification"],
        json!({"ExportFromTime": 1_795_219_200, "ExportToTime": 1_795_262_400, "ExportViewType": "NEW_IMAGE"})
    );
    assert_eq!(
        sent["FilterSpecification"],
        json!({
            "KeyConditionExpression": "#a = :v", "ExpressionAttributeNames": {"#a": "id"},
            "ExpressionAttributeValues": {":v": {"S": "x"}},
        })
    );
}

#[tokio::test]
async fn a_value_that_is_none_sends_nothing() {
    let fake = Fake::with_sts(|_| described("IN_PROGRESS"));
    let session = signed_in(&fake).await;
    let wrong = ExportRequest {
        filter: Some(Filter {
            values: BTreeMap::from([(":v".to_owned(), json!("x"))]),
            ..Filter::default()
        }),
        ..request()
    };
    let dynamodb = session.dynamodb(&region("eu-west-1"));
    let StartAnswer::Refused(failure) = dynamodb.start_export(&wrong, None).await else {
        panic!("something was sent");
    };
    assert!(failure.message.contains(":v"), "{}", failure.message);
    assert!(fake.seen_of("ExportTableToPointInTime").is_empty());
}

/// What a start came to, and how often it was sent.
async fn attempts(
    answer: impl Fn() -> Reply + Send + Sync + 'static,
) -> (StartAnswer<Export>, usize) {
    let fake = Fake::with_sts(move |_| answer());
    let session = signed_in(&fake).await;
    let dynamodb = session.dynamodb(&region("eu-west-1"));
    let answer = dynamodb.start_export(&request(), None).await;
    (answer, fake.seen_of("ExportTableToPointInTime").len())
}

fn error(status: u16, code: &str) -> Reply {
    Reply::json(
        status,
        &json!({"__type": code, "message": "no"}).to_string(),
    )
}

/// An answer of something between, which has no request id of AWS's.
fn between(status: u16, body: &str) -> Reply {
    let headers = vec![("content-type", "application/json".to_owned())];
    Reply::Answer(status, headers, body.to_owned())
}

/// Whether the export was started is open: another attempt might be refused, or start a second.
#[rstest]
#[case::connection_cut(|| Reply::Reset)]
#[case::failed_on_its_side(|| error(500, "InternalServerError"))]
#[case::unavailable(|| error(503, "ServiceUnavailable"))]
#[case::a_proxys_page(Reply::page)]
#[case::a_proxys_403(|| between(403, ""))]
#[case::a_proxys_json(|| between(403, r#"{"code":"blocked","message":"by the proxy"}"#))]
#[tokio::test(start_paused = true)]
async fn a_start_without_dynamodbs_word_is_unanswered_and_made_once(#[case] answer: fn() -> Reply) {
    let (answer, sent) = attempts(answer).await;
    assert!(matches!(answer, StartAnswer::Unanswered(_)), "{answer:?}");
    assert_eq!(sent, 1);
}

#[rstest]
#[case::denied("AccessDeniedException")]
#[case::throttled("ThrottlingException")]
#[case::limited("LimitExceededException")]
#[case::skewed("InvalidSignatureException")]
#[tokio::test(start_paused = true)]
async fn a_start_that_dynamodb_refuses_is_refused_and_made_once(#[case] code: &'static str) {
    let (answer, sent) = attempts(move || error(400, code)).await;
    assert!(matches!(answer, StartAnswer::Refused(_)), "{answer:?}");
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn a_failed_export_is_described_with_its_code_and_message() {
    let fake = Fake::with_sts(|_| {
        let body = json!({"ExportDescription": {
            "ExportArn": EXPORT, "ExportStatus": "FAILED", "StartTime": 1_795_341_600,
            "EndTime": 1_795_341_616, "FailureCode": "S3NoSuchBucket",
            "FailureMessage": "The specified bucket does not exist (Service: Amazon S3; …)",
        }});
        Reply::json(200, &body.to_string())
    });
    let session = signed_in(&fake).await;
    let dynamodb = session.dynamodb(&region("eu-west-1"));
    let export = dynamodb
        .describe_export(&EXPORT.parse().unwrap())
        .await
        .unwrap();
    assert_eq!(export.status, ExportStatus::Failed);
    assert_eq!(export.failure_code.as_deref(), Some("S3NoSuchBucket"));
    assert!(
        export
            .failure_message
            .unwrap()
            .starts_with("The specified bucket")
    );
    assert_eq!(
        export.ended_at,
        Some("2026-11-22T10:00:16Z".parse().unwrap())
    );
}

#[tokio::test]
async fn all_pages_of_tables_and_exports_are_read() {
    let fake = Fake::with_sts(|request| {
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let summary =
            |n: u32| json!({"ExportArn": format!("{EXPORT}{n}"), "ExportStatus": "COMPLETED"});
        let answer = match (
            request.operation().as_str(),
            body.get("ExclusiveStartTableName"),
            body.get("NextToken"),
        ) {
            ("ListTables", None, _) => {
                json!({"TableNames": ["A", "B"], "LastEvaluatedTableName": "B"})
            }
            ("ListTables", Some(_), _) => json!({"TableNames": ["C"]}),
            (_, _, None) => json!({"ExportSummaries": [summary(1)], "NextToken": "n"}),
            _ => json!({"ExportSummaries": [summary(2)]}),
        };
        Reply::json(200, &answer.to_string())
    });
    let session = signed_in(&fake).await;
    let dynamodb = session.dynamodb(&region("eu-west-1"));
    assert_eq!(dynamodb.list_tables().await.unwrap(), ["A", "B", "C"]);
    let exports = dynamodb
        .list_exports(Some(&TABLE.parse().unwrap()))
        .await
        .unwrap();
    assert_eq!(exports.len(), 2);
    assert_eq!(exports[1].1, ExportStatus::Completed);
    assert!(fake.seen_of("ListExports")[0].body.contains(TABLE));
}

#[tokio::test]
async fn a_table_and_its_recovery_window_are_described() {
    let fake = Fake::with_sts(|request| {
        let answer = match request.operation().as_str() {
            "DescribeTable" => json!({"Table": {
                "TableName": "Orders", "TableArn": TABLE, "TableId": "id-1", "TableStatus": "ACTIVE",
                "ItemCount": 12, "TableSizeBytes": 3400, "CreationDateTime": 1_795_000_000.0,
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                "SSEDescription": {"Status": "ENABLED", "SSEType": "KMS",
                    "KMSMasterKeyArn": "arn:aws:kms:eu-west-1:111111111111:key/t"},
            }}),
            _ => json!({"ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED",
                    "EarliestRestorableDateTime": 1_795_000_100, "LatestRestorableDateTime": 1_795_341_300},
            }}),
        };
        Reply::json(200, &answer.to_string())
    });
    let session = signed_in(&fake).await;
    let dynamodb = session.dynamodb(&region("eu-west-1"));
    let table = dynamodb.describe_table("Orders").await.unwrap();
    assert_eq!(table.arn.to_string(), TABLE);
    assert_eq!((table.item_count, table.size_bytes), (Some(12), Some(3400)));
    assert_eq!(table.key_attributes, ["pk", "sk"]);
    assert!(table.kms_key.unwrap().ends_with("key/t"));
    let recovery = dynamodb.describe_recovery("Orders").await.unwrap();
    assert!(recovery.is_enabled);
    assert_eq!(
        recovery.latest,
        Some("2026-11-22T09:55:00Z".parse().unwrap())
    );
}

#[tokio::test]
async fn an_answer_that_describes_nothing_is_unreadable() {
    let fake = Fake::with_sts(|_| Reply::json(200, "{}"));
    let session = signed_in(&fake).await;
    let failure = session
        .dynamodb(&region("eu-west-1"))
        .describe_table("Orders")
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreadable);
}
