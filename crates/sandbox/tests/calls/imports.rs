//! Imports of S3 objects into new tables: their life, their failures, and what a token does. What is held
//! here against the sandbox was seen in live answers (aws-controllers-k8s/dynamodb-controller,
//! `docs/api-quirks/import.md`), where no other page is named.

use std::collections::HashMap;
use std::io::Write as _;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::import_table::builders::ImportTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, ImportStatus,
    ImportTableDescription, InputCompressionType, InputFormat, KeySchemaElement, KeyType,
    Projection, ProjectionType, S3BucketSource, ScalarAttributeType, SseSpecification, SseType,
    TableCreationParameters, TableStatus,
};
use aws_sdk_s3::primitives::ByteStream;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tableferry_sandbox::{Faults, Options, Sandbox};

use super::clients::{profile, profile_in, refusal, sandbox};
use super::items::{client, scan};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Lines of items with the text keys given.
fn lines(keys: &[&str]) -> String {
    let line = |key: &&str| json!({"Item": {"pk": {"S": key}}}).to_string() + "\n";
    keys.iter().map(line).collect()
}

async fn upload(sandbox: &Sandbox, key: &str, content: Vec<u8>) {
    let s3 = aws_sdk_s3::Client::new(&profile(sandbox, "dev-admin").await);
    let put = s3.put_object().bucket("export-landing").key(key);
    put.body(ByteStream::from(content)).send().await.unwrap();
}

/// A world with a data file of three items under `in/data/`.
async fn filled() -> Sandbox {
    let sandbox = sandbox();
    upload(
        &sandbox,
        "in/data/a.json.gz",
        gzip(&lines(&["a", "b", "c"])),
    )
    .await;
    sandbox
}

/// The same with imports of a minute, and a client that goes by the world's clock as it is moved.
async fn slow() -> (Sandbox, Client) {
    let options = Options {
        job_length: Duration::from_mins(1),
        ..Options::default()
    };
    let sandbox = Sandbox::open(options).unwrap();
    upload(
        &sandbox,
        "in/data/a.json.gz",
        gzip(&lines(&["a", "b", "c"])),
    )
    .await;
    let config = super::clock::correcting(&profile(&sandbox, "dev-admin").await);
    (sandbox, Client::new(&config))
}

/// Moves the clock to so many seconds after the start.
fn pass(sandbox: &Sandbox, seconds: i64) {
    sandbox.set_clock_offset(jiff::SignedDuration::from_secs(seconds));
}

fn key(name: &str) -> KeySchemaElement {
    let key = KeySchemaElement::builder().attribute_name(name);
    key.key_type(KeyType::Hash).build().unwrap()
}

fn attribute(name: &str) -> AttributeDefinition {
    let attribute = AttributeDefinition::builder().attribute_name(name);
    attribute
        .attribute_type(ScalarAttributeType::S)
        .build()
        .unwrap()
}

fn table(name: &str) -> aws_sdk_dynamodb::types::builders::TableCreationParametersBuilder {
    TableCreationParameters::builder()
        .table_name(name)
        .attribute_definitions(attribute("pk"))
        .key_schema(key("pk"))
        .billing_mode(BillingMode::PayPerRequest)
}

fn source(prefix: &str) -> S3BucketSource {
    let source = S3BucketSource::builder().s3_bucket("export-landing");
    source.s3_key_prefix(prefix).build().unwrap()
}

/// The call for a table `Copy` from `in/data/`.
fn request(dynamodb: &Client) -> ImportTableFluentBuilder {
    dynamodb
        .import_table()
        .s3_bucket_source(source("in/data/"))
        .input_format(InputFormat::DynamodbJson)
        .input_compression_type(InputCompressionType::Gzip)
        .table_creation_parameters(table("Copy").build().unwrap())
}

async fn describe(dynamodb: &Client, arn: &str) -> ImportTableDescription {
    let answer = dynamodb.describe_import().import_arn(arn).send().await;
    answer.unwrap().import_table_description.unwrap()
}

async fn start(request: ImportTableFluentBuilder) -> ImportTableDescription {
    request
        .send()
        .await
        .unwrap()
        .import_table_description
        .unwrap()
}

/// Asks for an import until it has ended.
async fn ended(dynamodb: &Client, arn: &str) -> ImportTableDescription {
    for _ in 0..2000 {
        let import = describe(dynamodb, arn).await;
        if import.import_status != Some(ImportStatus::InProgress) {
            return import;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("{arn} does not end");
}

async fn finish(dynamodb: &Client, request: ImportTableFluentBuilder) -> ImportTableDescription {
    let started = start(request).await;
    assert_eq!(started.import_status, Some(ImportStatus::InProgress));
    ended(dynamodb, &started.import_arn.unwrap()).await
}

/// Status, failure code, and the three counts.
fn outcome(import: &ImportTableDescription) -> (&str, Option<&str>, (i64, i64, i64)) {
    (
        import.import_status().unwrap().as_str(),
        import.failure_code(),
        (
            import.processed_item_count(),
            import.imported_item_count(),
            import.error_count(),
        ),
    )
}

const ITEM_ERROR: Option<&str> = Some("ItemValidationError");

#[tokio::test]
async fn an_import_makes_a_table_with_the_items() {
    let sandbox = filled().await;
    let dynamodb = client(&sandbox, "dev-admin").await;
    let import = finish(&dynamodb, request(&dynamodb)).await;
    assert_eq!(outcome(&import), ("COMPLETED", None, (3, 3, 0)));
    assert_eq!(scan(&dynamodb, "Copy").await.len(), 3);
    assert_eq!(
        import.cloud_watch_log_group_arn(),
        Some("arn:aws:logs:eu-west-1:222222222222:log-group:/aws-dynamodb/imports:*")
    );
    let source = import.s3_bucket_source().unwrap();
    assert_eq!(source.s3_bucket_owner(), Some("222222222222"), "filled in");
    assert_eq!(source.s3_key_prefix(), Some("in/data/"));
    let table = dynamodb.describe_table().table_name("Copy").send().await;
    assert_eq!(table.unwrap().table.unwrap().table_id(), import.table_id());
}

#[tokio::test]
async fn the_table_appears_late_and_is_active_before_the_import_has_ended() {
    let (sandbox, dynamodb) = slow().await;
    let arn = start(request(&dynamodb)).await.import_arn.unwrap();
    let mut seen = Vec::new();
    for seconds in [10, 20, 50, 58] {
        pass(&sandbox, seconds);
        let import = describe(&dynamodb, &arn).await;
        assert_eq!(import.import_status, Some(ImportStatus::InProgress));
        let table = dynamodb.describe_table().table_name("Copy").send().await;
        seen.push(table.ok().and_then(|answer| answer.table?.table_status));
    }
    let (creating, active) = (TableStatus::Creating, TableStatus::Active);
    assert_eq!(
        seen,
        [None, Some(creating.clone()), Some(creating), Some(active)]
    );
    pass(&sandbox, 70);
    let import = describe(&dynamodb, &arn).await;
    assert_eq!(import.import_status, Some(ImportStatus::Completed));
}

#[tokio::test]
async fn an_empty_prefix_makes_an_empty_table() {
    let sandbox = sandbox();
    let dynamodb = client(&sandbox, "dev-admin").await;
    let import = finish(&dynamodb, request(&dynamodb)).await;
    assert_eq!(outcome(&import), ("COMPLETED", None, (0, 0, 0)));
    assert_eq!(scan(&dynamodb, "Copy").await, []);
}

#[tokio::test]
async fn a_bucket_that_is_not_there_fails_soon_and_leaves_a_dangling_table_id() {
    let sandbox = sandbox();
    let dynamodb = client(&sandbox, "dev-admin").await;
    let nowhere = S3BucketSource::builder()
        .s3_bucket("nowhere-at-all")
        .build()
        .unwrap();
    let import = finish(&dynamodb, request(&dynamodb).s3_bucket_source(nowhere)).await;
    assert_eq!(outcome(&import).1, Some("S3NoSuchBucket"));
    let message = import.failure_message().unwrap();
    assert!(message.starts_with("The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket; Request ID: "), "{message}");
    assert!(import.table_id().is_some());
    let (code, _) = refusal(dynamodb.describe_table().table_name("Copy").send().await);
    assert_eq!(code, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_bad_key_is_one_error_and_leaves_the_others_in_an_active_table() {
    let sandbox = sandbox();
    let mut text = lines(&["a", "b", "c", "d", "e", "f", "g", "h", "i"]);
    text.push_str("{\"Item\":{\"pk\":{\"N\":\"1\"}}}\n");
    upload(&sandbox, "in/data/a.json.gz", gzip(&text)).await;
    let dynamodb = client(&sandbox, "dev-admin").await;
    let import = finish(&dynamodb, request(&dynamodb)).await;
    assert_eq!(outcome(&import), ("FAILED", ITEM_ERROR, (10, 9, 1)));
    assert_eq!(
        import.failure_message(),
        Some(
            "Some of the items failed validation checks and were not imported. Please check \
             CloudWatch error logs for more details."
        )
    );
    assert_eq!(scan(&dynamodb, "Copy").await.len(), 9);
}

#[tokio::test]
async fn a_line_that_cannot_be_parsed_ends_its_object() {
    let sandbox = sandbox();
    let text = lines(&["a", "b", "c", "d", "e"]) + "{\"Item\":\n" + &lines(&["f", "g", "h", "i"]);
    upload(&sandbox, "in/data/a.json.gz", gzip(&text)).await;
    let dynamodb = client(&sandbox, "dev-admin").await;
    let import = finish(&dynamodb, request(&dynamodb)).await;
    assert_eq!(outcome(&import), ("FAILED", ITEM_ERROR, (6, 5, 1)));
}

/// Manifests and checksums are read as data where the prefix is the export's root.
#[tokio::test]
async fn the_root_of_an_export_and_a_missing_compression_are_item_errors() {
    let sandbox = filled().await;
    for name in [
        "manifest-files.json",
        "manifest-files.md5",
        "manifest-summary.json",
        "manifest-summary.md5",
    ] {
        upload(&sandbox, &format!("in/{name}"), b"text".to_vec()).await;
    }
    upload(&sandbox, "in/_started", Vec::new()).await;
    let dynamodb = client(&sandbox, "dev-admin").await;
    let root = request(&dynamodb).s3_bucket_source(source("in/"));
    let import = finish(&dynamodb, root).await;
    assert_eq!(outcome(&import), ("FAILED", ITEM_ERROR, (7, 3, 4)));
    let plain = request(&dynamodb)
        .input_compression_type(InputCompressionType::None)
        .table_creation_parameters(table("Plain").build().unwrap());
    let import = finish(&dynamodb, plain).await;
    assert_eq!(outcome(&import), ("FAILED", ITEM_ERROR, (1, 0, 1)));
}

#[tokio::test]
async fn a_prefix_is_a_plain_text() {
    let sandbox = filled().await;
    upload(&sandbox, "in/data2/b.json.gz", gzip(&lines(&["x"]))).await;
    let dynamodb = client(&sandbox, "dev-admin").await;
    let wide = request(&dynamodb).s3_bucket_source(source("in/data"));
    assert_eq!(finish(&dynamodb, wide).await.imported_item_count(), 4);
}

#[tokio::test]
async fn an_object_that_changes_during_the_import_is_an_item_error() {
    let (sandbox, dynamodb) = slow().await;
    let arn = start(request(&dynamodb)).await.import_arn.unwrap();
    pass(&sandbox, 6);
    describe(&dynamodb, &arn).await;
    upload(&sandbox, "in/data/a.json.gz", gzip(&lines(&["b"]))).await;
    pass(&sandbox, 90);
    let import = describe(&dynamodb, &arn).await;
    assert_eq!(import.failure_code(), ITEM_ERROR);
}

#[tokio::test]
async fn the_same_call_gives_the_same_import_while_it_runs_and_the_name_is_taken_then() {
    let (sandbox, dynamodb) = slow().await;
    let call = || request(&dynamodb).client_token("one");
    let arn = start(call()).await.import_arn.unwrap();
    assert_eq!(start(call()).await.import_arn.as_ref(), Some(&arn));
    pass(&sandbox, 30);
    assert_eq!(
        start(call()).await.import_arn.as_ref(),
        Some(&arn),
        "also when its table is there"
    );
    let other_prefix = call().s3_bucket_source(source("elsewhere/"));
    let answer = start(other_prefix).await;
    assert_eq!(
        answer.import_arn.as_ref(),
        Some(&arn),
        "another prefix is not noticed"
    );
    assert_eq!(
        answer.s3_bucket_source().unwrap().s3_key_prefix(),
        Some("in/data/")
    );
    let other_table = call().table_creation_parameters(table("Other").build().unwrap());
    let (code, message) = refusal(other_table.send().await);
    assert_eq!(code, "ImportConflictException");
    assert_eq!(
        message,
        "Import conflict: Duplicate request detected with conflicting parameters"
    );
    pass(&sandbox, 90);
    let (code, message) = refusal(call().send().await);
    assert_eq!(code, "ResourceInUseException");
    assert_eq!(message, "Table already exists: Copy");
    dynamodb
        .delete_table()
        .table_name("Copy")
        .send()
        .await
        .unwrap();
    pass(&sandbox, 120);
    let answer = start(call()).await;
    assert_eq!(answer.import_arn, Some(arn), "the old import is told");
    assert_eq!(answer.import_status, Some(ImportStatus::Completed));
}

#[tokio::test]
async fn of_two_imports_to_one_name_one_fails() {
    let (sandbox, dynamodb) = slow().await;
    let one = start(request(&dynamodb)).await.import_arn.unwrap();
    let other = start(request(&dynamodb)).await.import_arn.unwrap();
    pass(&sandbox, 90);
    let (one, other) = (
        describe(&dynamodb, &one).await,
        describe(&dynamodb, &other).await,
    );
    let mut codes = [one.failure_code(), other.failure_code()];
    codes.sort_unstable();
    assert_eq!(codes, [None, Some("TableAlreadyExists")]);
    assert_eq!(scan(&dynamodb, "Copy").await.len(), 3);
}

#[tokio::test]
async fn fifty_imports_run_at_once_and_one_more_is_refused() {
    let options = Options {
        job_length: Duration::from_mins(10),
        ..Options::default()
    };
    let sandbox = Sandbox::open(options).unwrap();
    let dynamodb = client(&sandbox, "dev-admin").await;
    let call = |number: u32| {
        let table = table(&format!("Copy-{number}")).build().unwrap();
        request(&dynamodb).table_creation_parameters(table)
    };
    for number in 0..50 {
        start(call(number)).await;
    }
    let (code, _) = refusal(call(50).send().await);
    assert_eq!(code, "LimitExceededException");
    let pages = dynamodb.list_imports().into_paginator().send();
    let pages: Vec<_> = pages.collect::<Result<_, _>>().await.unwrap();
    assert_eq!(pages.len(), 5, "ten a page");
    let first = pages[0].import_summary_list()[0].table_arn().unwrap();
    let is_late = |arn: &str| arn.ends_with("Copy-49") || arn.contains("table/Copy-4");
    assert!(is_late(first), "the newest first: {first}");
}

/// The message was seen live (hashicorp/terraform-provider-aws#38946).
#[tokio::test]
async fn without_the_right_to_log_the_import_fails_with_a_sentence() {
    let mut world: Value = serde_json::from_str(include_str!("../../assets/world.json")).unwrap();
    let mut user = world["accounts"]["222222222222"]["users"]["dev-admin"].take();
    user["attached"] = json!(["arn:aws:iam::222222222222:policy/NoLogs"]);
    world["accounts"]["222222222222"]["users"]["dev-admin"] = user;
    world["managed_policies"]["arn:aws:iam::222222222222:policy/NoLogs"] = json!({
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["dynamodb:*", "s3:*"], "Resource": "*"},
            {"Effect": "Allow", "Action": ["logs:Describe*", "logs:CreateLogGroup", "logs:Put*"], "Resource": "*"},
        ],
    });
    let options = Options {
        job_length: Duration::from_millis(40),
        ..Options::default()
    };
    let sandbox = Sandbox::of_world(&world.to_string(), options).unwrap();
    let dynamodb = client(&sandbox, "dev-admin").await;
    let import = finish(&dynamodb, request(&dynamodb)).await;
    assert_eq!(import.import_status, Some(ImportStatus::Failed));
    let message = import.failure_message().unwrap();
    let id = import.import_arn().unwrap().rsplit('/').next().unwrap();
    assert!(
        message.ends_with(&format!(
            "is not authorized to perform: logs:CreateLogStream on resource: arn:aws:logs:eu-west-1:222222222222:log-group:/aws-dynamodb/imports:log-stream:{id}/info because no identity-based policy allows the logs:CreateLogStream action"
        )),
        "{message}"
    );
}

#[tokio::test]
async fn wrong_arns_are_told_apart() {
    let sandbox = filled().await;
    let dynamodb = client(&sandbox, "dev-admin").await;
    let arn = start(request(&dynamodb)).await.import_arn.unwrap();
    let ask = async |dynamodb: &Client, arn: &str| {
        refusal(dynamodb.describe_import().import_arn(arn).send().await)
    };
    let malformed = "arn:aws:dynamodb:eu-west-1:222222222222:table/Copy";
    assert_eq!(
        ask(&dynamodb, malformed).await,
        (
            "ValidationException".to_owned(),
            "Invalid Import ARN".to_owned()
        )
    );
    let foreign = Client::new(&profile(&sandbox, "prod-admin").await);
    assert_eq!(ask(&foreign, &arn).await.0, "AccessDeniedException");
    let elsewhere = Client::new(&profile_in(&sandbox, "dev-admin", "us-east-1").await);
    assert_eq!(ask(&elsewhere, &arn).await.0, "ImportNotFoundException");
}

#[tokio::test]
async fn the_rules_of_a_definition_are_told_in_awss_words() {
    let sandbox = filled().await;
    let dynamodb = client(&sandbox, "dev-admin").await;
    let ask = async |table: TableCreationParameters| {
        let call = request(&dynamodb).table_creation_parameters(table);
        refusal(call.send().await).1
    };
    let left_over = table("Copy").attribute_definitions(attribute("of-a-local-index"));
    assert_eq!(
        ask(left_over.build().unwrap()).await,
        "One or more parameter values were invalid: Number of attributes in KeySchema does not \
         exactly match number of attributes defined in AttributeDefinitions"
    );
    let provisioned = table("Copy").billing_mode(BillingMode::Provisioned);
    assert_eq!(
        ask(provisioned.build().unwrap()).await,
        "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must \
         both be specified when BillingMode is PROVISIONED"
    );
    let key = SseSpecification::builder()
        .enabled(true)
        .sse_type(SseType::Kms);
    let missing_key = table("Copy").sse_specification(key.kms_master_key_id("alias/none").build());
    assert_eq!(
        ask(missing_key.build().unwrap()).await,
        "KMS validation error: com.amazonaws.services.kms.model.NotFoundException: Alias \
         arn:aws:kms:eu-west-1:222222222222:alias/none is not found."
    );
}

#[tokio::test]
async fn an_index_is_made_and_its_keys_must_have_their_type() {
    let sandbox = sandbox();
    let bad = "{\"Item\":{\"pk\":{\"S\":\"a\"},\"city\":{\"N\":\"1\"}}}\n";
    upload(&sandbox, "in/data/a.json.gz", gzip(&(lines(&["b"]) + bad))).await;
    let index = GlobalSecondaryIndex::builder()
        .index_name("by-city")
        .key_schema(key("city"))
        .projection(
            Projection::builder()
                .projection_type(ProjectionType::All)
                .build(),
        );
    let table = table("Copy")
        .attribute_definitions(attribute("city"))
        .global_secondary_indexes(index.build().unwrap());
    let dynamodb = client(&sandbox, "dev-admin").await;
    let call = request(&dynamodb).table_creation_parameters(table.build().unwrap());
    let import = finish(&dynamodb, call).await;
    assert_eq!(outcome(&import), ("FAILED", ITEM_ERROR, (2, 1, 1)));
    let table = dynamodb.describe_table().table_name("Copy").send().await;
    let table = table.unwrap().table.unwrap();
    assert_eq!(
        table.global_secondary_indexes()[0].index_name(),
        Some("by-city")
    );
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_an_import_that_the_token_finds() {
    let (sandbox, dynamodb) = slow().await;
    sandbox.set_faults(Faults {
        lost_import_answers: 1,
        ..Faults::default()
    });
    let config = profile(&sandbox, "dev-admin").await;
    let once = Client::new(&config);
    assert!(request(&once).client_token("one").send().await.is_err());
    start(request(&dynamodb).client_token("one")).await;
    let listed = dynamodb.list_imports().send().await.unwrap();
    assert_eq!(listed.import_summary_list().len(), 1);
}

/// A whole copy in the sandbox: what one account exports, another one imports.
#[tokio::test]
async fn what_an_export_leaves_is_imported_item_for_item_in_the_other_account() {
    let sandbox = sandbox();
    let exporter = Client::new(&profile(&sandbox, "prod-oncall").await);
    let call = super::exports::request(&exporter, "Users", "export-landing");
    let export = super::exports::finish(&exporter, call).await;
    let id = export.export_arn().unwrap().rsplit('/').next().unwrap();
    let importer = client(&sandbox, "dev-admin").await;
    let table = TableCreationParameters::builder()
        .table_name("Users-copy")
        .attribute_definitions(attribute("userId"))
        .key_schema(key("userId"))
        .billing_mode(BillingMode::PayPerRequest);
    let call = request(&importer)
        .s3_bucket_source(source(&format!("AWSDynamoDB/{id}/data/")))
        .table_creation_parameters(table.build().unwrap());
    let import = finish(&importer, call).await;
    assert_eq!(outcome(&import), ("COMPLETED", None, (1200, 1200, 0)));
    let written = super::exports::lines(&sandbox, "export-landing", &export).await;
    let names: HashMap<&str, &str> = written
        .iter()
        .map(|line| &line["Item"])
        .map(|item| {
            (
                item["userId"]["S"].as_str().unwrap(),
                item["name"]["S"].as_str().unwrap(),
            )
        })
        .collect();
    let copied = scan(&importer, "Users-copy").await;
    assert_eq!(copied.len(), names.len());
    for item in copied {
        let AttributeValue::S(id) = &item["userId"] else {
            panic!("{item:?}");
        };
        assert_eq!(item["name"].as_s().unwrap(), names[id.as_str()]);
    }
}
