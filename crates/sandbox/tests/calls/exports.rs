//! Exports that succeed, and what they leave behind.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::export_table_to_point_in_time::builders::ExportTableToPointInTimeFluentBuilder;
use aws_sdk_dynamodb::primitives::DateTime;
use aws_sdk_dynamodb::types::{
    AttributeValue, ExportDescription, ExportStatus, ExportType, ExportViewType,
    FilterSpecification, IncrementalExportSpecification, S3SseAlgorithm,
};
use serde_json::Value;
use tableferry_sandbox::Sandbox;

use super::clients::{profile, profile_in, refusal, sandbox};

/// The call of a job into 222222222222.
pub(crate) fn request(
    dynamodb: &Client,
    table: &str,
    bucket: &str,
) -> ExportTableToPointInTimeFluentBuilder {
    dynamodb
        .export_table_to_point_in_time()
        .table_arn(format!(
            "arn:aws:dynamodb:eu-west-1:111111111111:table/{table}"
        ))
        .s3_bucket(bucket)
        .s3_bucket_owner("222222222222")
}

/// Starts an export and asks until it has ended.
pub(crate) async fn finish(
    dynamodb: &Client,
    request: ExportTableToPointInTimeFluentBuilder,
) -> ExportDescription {
    let started = request.send().await.unwrap().export_description.unwrap();
    assert_eq!(started.export_status, Some(ExportStatus::InProgress));
    ended(dynamodb, &started.export_arn.unwrap()).await
}

/// Asks for an export until it has ended.
pub(crate) async fn ended(dynamodb: &Client, arn: &str) -> ExportDescription {
    for _ in 0..2000 {
        let answer = dynamodb
            .describe_export()
            .export_arn(arn)
            .send()
            .await
            .unwrap();
        let export = answer.export_description.unwrap();
        if export.export_status != Some(ExportStatus::InProgress) {
            return export;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("{arn} does not end");
}

async fn read(sandbox: &Sandbox, bucket: &str, key: &str) -> (Vec<u8>, String) {
    let s3 = aws_sdk_s3::Client::new(&profile(sandbox, "dev-admin").await);
    let object = s3
        .get_object()
        .bucket(bucket)
        .key(key)
        .send()
        .await
        .unwrap();
    let etag = object.e_tag().unwrap().trim_matches('"').to_owned();
    (object.body.collect().await.unwrap().to_vec(), etag)
}

async fn read_json(sandbox: &Sandbox, bucket: &str, key: &str) -> Value {
    serde_json::from_slice(&read(sandbox, bucket, key).await.0).unwrap()
}

/// The data lines of an export, each file held against its manifest.
pub(crate) async fn lines(
    sandbox: &Sandbox,
    bucket: &str,
    export: &ExportDescription,
) -> Vec<Value> {
    let summary = read_json(sandbox, bucket, export.export_manifest().unwrap()).await;
    assert_eq!(summary["itemCount"].as_i64(), export.item_count());
    let files_key = summary["manifestFilesS3Key"].as_str().unwrap();
    let (manifest, _) = read(sandbox, bucket, files_key).await;
    let mut all = Vec::new();
    for line in String::from_utf8(manifest).unwrap().lines() {
        let file: Value = serde_json::from_str(line).unwrap();
        let (content, etag) = read(sandbox, bucket, file["dataFileS3Key"].as_str().unwrap()).await;
        assert_eq!(file["etag"], etag.as_str());
        let mut text = String::new();
        flate2::read::GzDecoder::new(content.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(
            file["itemCount"].as_u64(),
            Some(text.lines().count() as u64)
        );
        all.extend(
            text.lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap()),
        );
    }
    assert_eq!(i64::try_from(all.len()).ok(), export.item_count());
    all
}

#[tokio::test]
async fn an_export_completes_and_its_manifests_add_up() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    let export = finish(
        &dynamodb,
        request(&dynamodb, "Users", "export-landing").s3_prefix("prod"),
    )
    .await;
    assert_eq!(
        export.export_status,
        Some(ExportStatus::Completed),
        "{export:?}"
    );
    assert_eq!(export.item_count(), Some(1200));
    assert_eq!(
        export.export_type(),
        None,
        "a full export does not echo its type"
    );
    let id = export.export_arn().unwrap().rsplit('/').next().unwrap();
    assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [14, 8]);
    let start = export.start_time().unwrap().to_millis().unwrap();
    // The wire has seconds with decimals, which the SDK may read a hair too low.
    assert!((id[..14].parse::<i64>().unwrap() - start).abs() <= 1);
    let items = lines(&sandbox, "export-landing", &export).await;
    let keys: BTreeSet<String> = items
        .iter()
        .map(|line| line["Item"]["userId"].to_string())
        .collect();
    assert_eq!(keys.len(), 1200);

    let s3 = aws_sdk_s3::Client::new(&profile(&sandbox, "dev-reader").await);
    let listed = s3
        .list_objects_v2()
        .bucket("export-landing")
        .prefix(format!("prod/AWSDynamoDB/{id}/"))
        .send()
        .await
        .unwrap();
    let names: Vec<&str> = listed
        .contents()
        .iter()
        .filter_map(|object| object.key()?.rsplit('/').next())
        .filter(|name| !name.contains(".json.gz"))
        .collect();
    assert_eq!(
        names,
        [
            "_started",
            "manifest-files.json",
            "manifest-files.md5",
            "manifest-summary.json",
            "manifest-summary.md5"
        ]
    );
    assert_eq!(
        listed.contents().len(),
        names.len() + 5,
        "four partitions and an empty one"
    );
}

#[tokio::test]
async fn an_incremental_export_holds_what_changed_with_both_images() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    let now = SystemTime::now();
    let window = IncrementalExportSpecification::builder()
        .export_from_time(DateTime::from(now - Duration::from_hours(3)))
        .export_to_time(DateTime::from(now - Duration::from_hours(1)))
        .export_view_type(ExportViewType::NewAndOldImages)
        .build();
    let request = request(&dynamodb, "Orders", "export-landing")
        .export_type(ExportType::IncrementalExport)
        .incremental_export_specification(window);
    let export = finish(&dynamodb, request).await;
    assert_eq!(
        export.export_status,
        Some(ExportStatus::Completed),
        "{export:?}"
    );
    assert_eq!(export.export_type(), Some(&ExportType::IncrementalExport));
    let changes = lines(&sandbox, "export-landing", &export).await;
    assert_eq!(changes.len(), 360, "one order changes every twenty seconds");
    for change in changes {
        assert!(change["Metadata"]["WriteTimestampMicros"]["N"].is_string());
        assert_eq!(change["Keys"]["orderId"], change["NewImage"]["orderId"]);
        assert_ne!(change["OldImage"], change["NewImage"]);
    }
    let summary = read_json(
        &sandbox,
        "export-landing",
        export.export_manifest().unwrap(),
    )
    .await;
    assert_eq!(summary["version"], "2023-08-01");
    assert_eq!(summary["outputView"], "NEW_AND_OLD_IMAGES");
}

#[tokio::test]
async fn an_empty_table_exports_empty_files() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-sso").await);
    let export = finish(&dynamodb, request(&dynamodb, "Empty", "export-landing")).await;
    assert_eq!(export.item_count(), Some(0));
    assert!(lines(&sandbox, "export-landing", &export).await.is_empty());
}

#[tokio::test]
async fn keys_buckets_and_regions_that_are_right_complete() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    let own = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let kms = |bucket: &str| {
        request(&dynamodb, "Events", bucket)
            .s3_sse_algorithm(S3SseAlgorithm::Kms)
            .s3_sse_kms_key_id(own)
    };
    let granted = "arn:aws:kms:eu-west-1:222222222222:key/09a47ed0-09a4-4e11-8000-000000000222";
    let admin = Client::new(&profile(&sandbox, "prod-admin").await);
    let requests = [
        kms("export-landing"),
        kms("export-landing").s3_sse_kms_key_id(granted),
        kms("export-kms-only"),
        kms("export-kms-default"),
        request(&dynamodb, "Events", "export-frankfurt"),
        request(&dynamodb, "Ledger", "export-landing"),
        request(&dynamodb, "Events", "partner-drop").s3_bucket_owner("333333333333"),
        request(&admin, "Events", "prod-archive").s3_bucket_owner("111111111111"),
        request(&admin, "Events", "prod-archive")
            .s3_bucket_owner("111111111111")
            .s3_sse_algorithm(S3SseAlgorithm::Kms),
    ];
    for request in requests {
        let export = finish(&admin, request).await;
        assert_eq!(
            export.export_status,
            Some(ExportStatus::Completed),
            "{export:?}"
        );
    }
    let overseas = Client::new(&profile_in(&sandbox, "prod-oncall", "us-east-1").await);
    let export = finish(
        &overseas,
        overseas
            .export_table_to_point_in_time()
            .table_arn("arn:aws:dynamodb:us-east-1:111111111111:table/Shipments")
            .s3_bucket("export-landing")
            .s3_bucket_owner("222222222222"),
    )
    .await;
    assert_eq!(export.item_count(), Some(350));
}

#[tokio::test]
async fn a_token_returns_the_export_that_it_started_and_no_other() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    let call = || request(&dynamodb, "Events", "export-landing").client_token("token-1");
    let first = finish(&dynamodb, call()).await;
    let again = call().send().await.unwrap().export_description.unwrap();
    assert_eq!(first.export_arn, again.export_arn);
    let (code, message) = refusal(call().s3_prefix("other").send().await);
    assert_eq!(code, "ExportConflictException");
    assert_eq!(
        message,
        "Export conflict: Duplicate request detected with conflicting parameters"
    );
    let other = request(&dynamodb, "Events", "export-landing").client_token("token-2");
    let other = other.send().await.unwrap().export_description.unwrap();
    assert_ne!(first.export_arn, other.export_arn);
}

#[tokio::test]
async fn exports_are_listed_newest_first_by_twenty_five() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    for _ in 0..27 {
        request(&dynamodb, "Empty", "export-landing")
            .send()
            .await
            .unwrap();
    }
    let table = "arn:aws:dynamodb:eu-west-1:111111111111:table/Empty";
    let first = dynamodb
        .list_exports()
        .table_arn(table)
        .send()
        .await
        .unwrap();
    assert_eq!(first.export_summaries().len(), 25);
    let rest = dynamodb
        .list_exports()
        .table_arn(table)
        .next_token(first.next_token().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(rest.export_summaries().len(), 2);
    assert_eq!(rest.next_token(), None);
    let arns: Vec<_> = first
        .export_summaries()
        .iter()
        .map(|e| e.export_arn())
        .collect();
    assert!(arns.is_sorted_by(|a, b| a > b));
}

#[tokio::test]
async fn data_files_appear_one_after_another() {
    let sandbox = super::clients::with(|options| options.job_length = Duration::from_hours(1));
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    let started = request(&dynamodb, "Events", "export-landing")
        .send()
        .await
        .unwrap();
    assert_eq!(
        started.export_description().unwrap().export_status(),
        Some(&ExportStatus::InProgress)
    );
    let s3 = aws_sdk_s3::Client::new(&profile(&sandbox, "dev-admin").await);
    let listed = s3
        .list_objects_v2()
        .bucket("export-landing")
        .send()
        .await
        .unwrap();
    assert_eq!(listed.key_count(), Some(0), "the first step is due later");
}

#[tokio::test]
async fn a_filtered_export_holds_what_its_expressions_keep() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    let whole = finish(&dynamodb, request(&dynamodb, "Orders", "export-landing")).await;
    let all = lines(&sandbox, "export-landing", &whole).await;
    let id = |line: &Value| line["Item"]["orderId"]["S"].as_str().unwrap().to_owned();
    let wanted = id(&all[0]);
    let filter = FilterSpecification::builder()
        .filter_expression("#id = :id")
        .projection_expression("#id")
        .expression_attribute_names("#id", "orderId")
        .expression_attribute_values(":id", AttributeValue::S(wanted.clone()))
        .build();
    let call = request(&dynamodb, "Orders", "export-landing").filter_specification(filter.clone());
    let filtered = finish(&dynamodb, call).await;
    assert_eq!(filtered.filter_specification, Some(filter));
    assert_eq!(filtered.item_count, Some(1));
    // "A filter does not reduce what is read": the whole table is billed.
    assert_eq!(filtered.billed_size_bytes, whole.billed_size_bytes);
    let kept = lines(&sandbox, "export-landing", &filtered).await;
    let expected = serde_json::json!({"Item": {"orderId": {"S": wanted}}});
    assert_eq!(kept, [expected]);
}
