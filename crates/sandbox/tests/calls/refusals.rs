//! Exports that are refused at once, and exports that fail afterwards.

use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::export_table_to_point_in_time::builders::ExportTableToPointInTimeFluentBuilder as Request;
use aws_sdk_dynamodb::primitives::DateTime;
use aws_sdk_dynamodb::types::{
    ExportStatus, ExportType, FilterSpecification, IncrementalExportSpecification, S3SseAlgorithm,
};
use tableferry_sandbox::SourceAddress;

use super::clients::{profile, refusal, sandbox, with};
use super::exports::{finish, request};

const ONCALL: &str = "arn:aws:sts::111111111111:assumed-role/OnCallExporter/oncall";

fn at(minutes: i64) -> DateTime {
    let distance = Duration::from_mins(minutes.unsigned_abs());
    let now = SystemTime::now();
    DateTime::from(if minutes < 0 {
        now - distance
    } else {
        now + distance
    })
}

fn window(from: i64, to: i64) -> IncrementalExportSpecification {
    IncrementalExportSpecification::builder()
        .export_from_time(at(from))
        .export_to_time(at(to))
        .build()
}

fn incremental(dynamodb: &Client, from: i64, to: i64) -> Request {
    request(dynamodb, "Orders", "export-landing")
        .export_type(ExportType::IncrementalExport)
        .incremental_export_specification(window(from, to))
}

/// Sends each request, which is refused with a code and a message that begins as given.
async fn refused(cases: Vec<(Request, &str, &str)>) {
    for (request, code, message) in cases {
        let (actual, text) = refusal(request.send().await);
        assert_eq!(actual, code, "{text}");
        assert!(text.starts_with(message), "{text}");
    }
}

#[tokio::test]
async fn times_outside_the_window_are_refused_at_once() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    let orders = || request(&dynamodb, "Orders", "export-landing");
    refused(vec![
        (
            request(&dynamodb, "Sessions", "export-landing"),
            "PointInTimeRecoveryUnavailableException",
            "Point in time recovery is not enabled for table 'Sessions'",
        ),
        (
            orders().export_time(at(60)),
            "InvalidExportTimeException",
            "Export Time is invalid",
        ),
        (
            orders().export_time(at(-60 * 24 * 36)),
            "InvalidExportTimeException",
            "Export Time is invalid",
        ),
        (
            orders().export_time(at(-1)),
            "InvalidExportTimeException",
            "Point in Time Recovery is not available for specified export time",
        ),
        (
            incremental(&dynamodb, -60, -50),
            "InvalidExportTimeException",
            "Difference between export period from time and export period to time is less than 15 minutes",
        ),
        (
            incremental(&dynamodb, -60 * 26, -60),
            "InvalidExportTimeException",
            "Difference between export period from time and export period to time is greater than 24 hours",
        ),
        (
            incremental(&dynamodb, -60 * 24 * 36, -60),
            "InvalidExportTimeException",
            "Incremental export period from time cannot be less than the table creation time : ",
        ),
        (
            incremental(&dynamodb, -60, 60),
            "InvalidExportTimeException",
            "Incremental export period to time cannot be greater than the current time : ",
        ),
    ])
    .await;
}

#[tokio::test]
async fn members_that_do_not_go_together_are_refused_at_once() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    let orders = || request(&dynamodb, "Orders", "export-landing");
    refused(vec![
        (
            orders().incremental_export_specification(window(-120, -60)),
            "ValidationException",
            "Invalid Request: Export Type expected to be Incremental Export when incremental export specification is provided",
        ),
        (
            orders()
                .export_type(ExportType::FullExport)
                .incremental_export_specification(window(-120, -60)),
            "ValidationException",
            "Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be provided",
        ),
        (
            orders().export_type(ExportType::IncrementalExport),
            "ValidationException",
            "Invalid Request: Incremental Export Specification expected when export type is set as Incremental Export",
        ),
        (
            orders().s3_sse_kms_key_id("alias/exports"),
            "ValidationException",
            "Invalid Request: KMS Key Id is not supported for this encryption type",
        ),
    ])
    .await;
}

#[tokio::test]
async fn malformed_and_foreign_names_are_refused_at_once() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    let orders = || request(&dynamodb, "Orders", "export-landing");
    let table = |arn: &str| {
        dynamodb
            .export_table_to_point_in_time()
            .table_arn(arn)
            .s3_bucket("export-landing")
    };
    let foreign = "arn:aws:dynamodb:eu-west-1:222222222222:table/Fixtures";
    let other_region = "arn:aws:dynamodb:us-east-1:111111111111:table/Shipments";
    refused(vec![
        (table(foreign), "AccessDeniedException", "Access is denied"),
        (
            table(other_region),
            "TableNotFoundException",
            "Table not found: arn:aws:dynamodb:us-east-1:111111111111:table/Shipments",
        ),
        (
            table("Orders"),
            "ValidationException",
            "One or more parameter values were invalid: tableArn is not a valid ARN",
        ),
        (
            orders().s3_bucket("arn:aws:s3:::export-landing"),
            "ValidationException",
            "1 validation error detected: Value 'arn:aws:s3:::export-landing' at 's3Bucket' failed to satisfy constraint: ",
        ),
        (
            orders().s3_prefix(""),
            "ValidationException",
            "1 validation error detected: Value '' at 's3Prefix' failed to satisfy constraint: ",
        ),
        (
            orders().s3_sse_algorithm(S3SseAlgorithm::from("aws:kms")),
            "ValidationException",
            "1 validation error detected: Value 'aws:kms' at 's3SseAlgorithm' failed to satisfy constraint: ",
        ),
    ])
    .await;
}

/// The words behind the frame are those of DynamoDB's other requests with a `FilterExpression`; nobody
/// has published the frame of an export's.
#[tokio::test]
async fn filters_that_are_no_expressions_are_refused() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    let orders = || request(&dynamodb, "Orders", "export-landing");
    refused(vec![(
        orders().filter_specification(
            FilterSpecification::builder()
                .filter_expression("attribute_exists(pk")
                .build(),
        ),
        "ValidationException",
        "Invalid Request: Invalid FilterSpecification: Invalid FilterExpression: Syntax error; token: <EOF>",
    )])
    .await;
}

/// An export that fails, and what its code is and its message begins with and says after.
struct Failing {
    request: Request,
    code: &'static str,
    begins: String,
    tells: &'static str,
}

const DENIED: &str = "Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: ";
const NOT_FOUND: &str =
    "Service: Amazon S3; Status Code: 400; Error Code: KMS.NotFoundException; Request ID: ";

fn case(request: Request, code: &'static str, begins: &str, tells: &'static str) -> Failing {
    Failing {
        request,
        code,
        begins: begins.to_owned(),
        tells,
    }
}

/// Starts each export, which fails with a code and a message as given.
async fn fail_later(asker: &Client, cases: Vec<Failing>) {
    for failing in cases {
        let export = finish(asker, failing.request).await;
        let message = export.failure_message().unwrap_or_default();
        assert_eq!(
            export.export_status,
            Some(ExportStatus::Failed),
            "{}",
            failing.begins
        );
        assert_eq!(export.failure_code(), Some(failing.code), "{message}");
        assert!(message.starts_with(&failing.begins), "{message}");
        assert!(message.contains(failing.tells), "{message}");
        assert_eq!(export.item_count(), None);
        assert_eq!(export.export_manifest(), None);
    }
}

#[tokio::test]
async fn mistakes_about_the_bucket_fail_the_export_later() {
    let sandbox = sandbox();
    let oncall = Client::new(&profile(&sandbox, "prod-oncall").await);
    let admin = Client::new(&profile(&sandbox, "prod-admin").await);
    let to = |bucket: &str| request(&oncall, "Events", bucket);
    let without_owner = oncall
        .export_table_to_point_in_time()
        .table_arn("arn:aws:dynamodb:eu-west-1:111111111111:table/Events")
        .s3_bucket("export-landing");
    let cases = vec![
        case(without_owner, "S3AccessDenied", "Access Denied (", DENIED),
        case(
            to("export-landing").s3_bucket_owner("333333333333"),
            "S3AccessDenied",
            "Access Denied (",
            DENIED,
        ),
        case(
            to("export-nopolicy"),
            "S3AccessDenied",
            &format!(
                "User: {ONCALL} is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::export-nopolicy/AWSDynamoDB/"
            ),
            "because no resource-based policy allows the s3:PutObject action",
        ),
        case(
            to("prod-archive").s3_bucket_owner("111111111111"),
            "S3AccessDenied",
            &format!("User: {ONCALL} is not authorized to perform: s3:PutObject on resource: "),
            "because no identity-based policy allows the s3:PutObject action",
        ),
        case(
            to("export-office-only"),
            "S3AccessDenied",
            &format!("User: {ONCALL} is not authorized to perform: s3:PutObject on resource: "),
            "with an explicit deny in a resource-based policy",
        ),
        case(
            to("export-kms-only"),
            "S3AccessDenied",
            &format!("User: {ONCALL} is not authorized to perform: s3:PutObject on resource: "),
            "with an explicit deny in a resource-based policy",
        ),
        case(
            to("no-such-bucket-anywhere"),
            "S3NoSuchBucket",
            "The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket; Request ID: ",
            "",
        ),
    ];
    fail_later(&admin, cases).await;
}

#[tokio::test]
async fn mistakes_about_the_key_fail_the_export_later() {
    let sandbox = sandbox();
    let oncall = Client::new(&profile(&sandbox, "prod-oncall").await);
    let admin = Client::new(&profile(&sandbox, "prod-admin").await);
    let to = |bucket: &str| request(&oncall, "Events", bucket);
    let kms = |key: &str| {
        to("export-landing")
            .s3_sse_algorithm(S3SseAlgorithm::Kms)
            .s3_sse_kms_key_id(key)
    };
    let key = |region: &str, id: &str| format!("arn:aws:kms:{region}:222222222222:key/{id}");
    let missing = key("eu-west-1", "deadbeef-dead-beef-dead-beefdeadbeef");
    let cases = vec![
        case(
            kms(&key("eu-west-1", "0000face-0000-4e11-8000-000000000222")),
            "S3AccessDenied",
            &format!(
                "User: {ONCALL} is not authorized to perform: kms:GenerateDataKey on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"
            ),
            DENIED,
        ),
        case(
            kms(&key("us-east-1", "0afa57ea-57ea-4e11-8000-000000000222")),
            "KmsNotFoundException",
            "Invalid arn us-east-1 (",
            NOT_FOUND,
        ),
        case(
            kms(&missing),
            "KmsNotFoundException",
            &format!("Key '{missing}' does not exist ("),
            NOT_FOUND,
        ),
        case(
            request(&admin, "Events", "prod-archive")
                .s3_bucket_owner("111111111111")
                .s3_sse_algorithm(S3SseAlgorithm::Kms)
                .s3_sse_kms_key_id("alias/retired"),
            "KmsDisabledException",
            "arn:aws:kms:eu-west-1:111111111111:key/0d15ab1e-dead-4e11-8000-000000000112 is disabled. (",
            "Error Code: KMS.DisabledException",
        ),
        case(
            kms("alias/exports"),
            "KmsNotFoundException",
            "Alias arn:aws:kms:eu-west-1:111111111111:alias/exports is not found. (",
            NOT_FOUND,
        ),
        case(
            kms("alias/aws/s3"),
            "KmsNotFoundException",
            "Invalid keyId aws/s3 (",
            NOT_FOUND,
        ),
        case(
            to("export-landing").s3_sse_algorithm(S3SseAlgorithm::Kms),
            "KmsNotFoundException",
            "Invalid keyId aws/s3 (",
            NOT_FOUND,
        ),
    ];
    fail_later(&admin, cases).await;
}

#[tokio::test]
async fn outside_the_organization_s3_gives_no_reason() {
    let sandbox = sandbox();
    sandbox.change_bucket_policy("partner-drop", None);
    let oncall = Client::new(&profile(&sandbox, "prod-oncall").await);
    let to_partner = request(&oncall, "Events", "partner-drop").s3_bucket_owner("333333333333");
    let export = finish(&oncall, to_partner).await;
    assert_eq!(export.failure_code(), Some("S3AccessDenied"));
    assert!(
        export
            .failure_message()
            .unwrap()
            .starts_with("Access Denied (Service: Amazon S3;")
    );
}

#[tokio::test]
async fn the_source_address_decides_as_it_is_played() {
    for (address, status) in [
        (SourceAddress::Operator, ExportStatus::Completed),
        (SourceAddress::Service, ExportStatus::Failed),
        (SourceAddress::Absent, ExportStatus::Failed),
    ] {
        let sandbox = with(|options| options.source_address = address);
        let oncall = Client::new(&profile(&sandbox, "prod-oncall").await);
        let export = finish(&oncall, request(&oncall, "Events", "export-office-only")).await;
        assert_eq!(export.export_status, Some(status), "{address:?}");
    }
}

#[tokio::test]
async fn a_table_with_a_key_of_its_own_asks_for_that_key_too() {
    let sandbox = sandbox();
    let sts = aws_sdk_sts::Client::new(&profile(&sandbox, "prod-admin").await);
    let answer = sts
        .assume_role()
        .role_arn("arn:aws:iam::111111111111:role/OnCallExporter")
        .role_session_name("keyless")
        .policy(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:*","s3:*"],"Resource":"*"}]}"#)
        .send()
        .await
        .unwrap();
    let keyless = super::clients::credentials(answer.credentials().unwrap());
    let dynamodb = Client::new(&super::clients::config(&sandbox, keyless, "eu-west-1"));
    let (code, message) = refusal(request(&dynamodb, "Ledger", "export-landing").send().await);
    assert_eq!(code, "AccessDeniedException");
    assert!(
        message
            .contains("kms:Decrypt on resource: arn:aws:kms:eu-west-1:111111111111:key/0ed6e700"),
        "{message}"
    );
}

#[tokio::test]
async fn arns_of_exports_that_are_not_there_have_aws_words() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    let describe =
        async |arn: &str| refusal(dynamodb.describe_export().export_arn(arn).send().await);
    let table = "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders";
    let nothing = format!("{table}/export/01693685827463-2d8752fd");
    assert_eq!(
        describe(&nothing).await,
        (
            "ExportNotFoundException".to_owned(),
            format!("Export not found: {nothing}")
        )
    );
    assert_eq!(
        describe(table).await,
        (
            "ValidationException".to_owned(),
            "Invalid Export ARN".to_owned()
        )
    );
    let elsewhere = nothing.replace("eu-west-1", "us-east-1");
    assert_eq!(
        describe(&elsewhere).await,
        (
            "ExportNotFoundException".to_owned(),
            "Export not found: Invalid export arn".to_owned()
        )
    );
    let foreign = nothing.replace("111111111111", "222222222222");
    assert_eq!(
        describe(&foreign).await,
        (
            "AccessDeniedException".to_owned(),
            "Access is denied".to_owned()
        )
    );
}
