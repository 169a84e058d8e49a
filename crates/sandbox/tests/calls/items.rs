//! Tables that calls make, and the items in them.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, PutRequest, ScalarAttributeType, TableStatus,
    TimeToLiveSpecification, WriteRequest,
};
use rstest::rstest;
use serde_json::Value;
use tableferry_sandbox::{Faults, Sandbox};

use super::clients::{profile, refusal, sandbox};
use super::clock::correcting;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// An item with a text key, and more attributes.
pub(crate) fn item(key: &str, more: &[(&str, AttributeValue)]) -> Item {
    let more = more
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    std::iter::once(("pk".to_owned(), AttributeValue::S(key.to_owned())))
        .chain(more)
        .collect()
}

pub(crate) async fn client(sandbox: &Sandbox, name: &str) -> Client {
    Client::new(&profile(sandbox, name).await)
}

/// Makes a table with the text key `pk`.
async fn create_table(dynamodb: &Client, name: &str) {
    let attribute = AttributeDefinition::builder()
        .attribute_name("pk")
        .attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder()
        .attribute_name("pk")
        .key_type(KeyType::Hash);
    dynamodb
        .create_table()
        .table_name(name)
        .attribute_definitions(attribute.build().unwrap())
        .key_schema(key.build().unwrap())
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}

/// Makes a table, and waits until it is active.
pub(crate) async fn make_table(dynamodb: &Client, name: &str) {
    create_table(dynamodb, name).await;
    for _ in 0..2000 {
        if status(dynamodb, name).await == Some(TableStatus::Active) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{name} is never active");
}

async fn status(dynamodb: &Client, name: &str) -> Option<TableStatus> {
    let answer = dynamodb.describe_table().table_name(name).send().await;
    answer.ok()?.table?.table_status
}

pub(crate) async fn put(dynamodb: &Client, table: &str, item: Item) {
    let put = dynamodb.put_item().table_name(table).set_item(Some(item));
    put.send().await.unwrap();
}

/// All items of a table, page by page.
pub(crate) async fn scan(dynamodb: &Client, table: &str) -> Vec<Item> {
    let pages = dynamodb.scan().table_name(table).into_paginator();
    let pages: Vec<_> = pages.send().collect::<Result<_, _>>().await.unwrap();
    pages
        .into_iter()
        .flat_map(|page| page.items.unwrap_or_default())
        .collect()
}

#[tokio::test]
async fn what_is_put_is_read_with_its_numbers_in_their_normal_form() {
    let sandbox = sandbox();
    let dynamodb = client(&sandbox, "dev-admin").await;
    make_table(&dynamodb, "Notes").await;
    let number = AttributeValue::N("01.500".to_owned());
    put(&dynamodb, "Notes", item("a", &[("n", number)])).await;
    let get = dynamodb.get_item().table_name("Notes");
    let got = get.set_key(Some(item("a", &[]))).send().await.unwrap();
    assert_eq!(
        got.item.unwrap(),
        item("a", &[("n", AttributeValue::N("1.5".to_owned()))])
    );
    let delete = dynamodb.delete_item().table_name("Notes");
    delete.set_key(Some(item("a", &[]))).send().await.unwrap();
    assert_eq!(scan(&dynamodb, "Notes").await, []);
}

/// The texts are those that moto's tests checked against AWS (`aws_verified`).
#[rstest]
#[case(
    HashMap::new(),
    "One or more parameter values were invalid: Missing the key pk in the item"
)]
#[case(
    HashMap::from([("pk".to_owned(), AttributeValue::N("1".to_owned()))]),
    "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N"
)]
#[case(
    item("", &[]),
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot \
     contain an empty string value. Key: pk"
)]
#[case(
    item("a", &[("big", AttributeValue::S("x".repeat(400 * 1024)))]),
    "Item size has exceeded the maximum allowed size"
)]
#[tokio::test]
async fn an_item_that_breaks_a_rule_is_refused(#[case] item: Item, #[case] text: &str) {
    let sandbox = sandbox();
    let dynamodb = client(&sandbox, "dev-admin").await;
    make_table(&dynamodb, "Notes").await;
    let put = dynamodb.put_item().table_name("Notes");
    let (code, message) = refusal(put.set_item(Some(item)).send().await);
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("ValidationException", text)
    );
}

/// "A single Scan operation reads up to 1 MB" (API reference).
#[tokio::test]
async fn a_scan_pages_by_a_megabyte_and_its_segments_share_the_table() {
    let sandbox = sandbox();
    let dynamodb = client(&sandbox, "dev-admin").await;
    make_table(&dynamodb, "Notes").await;
    for key in 0..7 {
        let big = AttributeValue::S("x".repeat(300 * 1024));
        put(&dynamodb, "Notes", item(&key.to_string(), &[("big", big)])).await;
    }
    let first = dynamodb.scan().table_name("Notes").send().await.unwrap();
    assert_eq!(first.count, 3);
    assert!(first.last_evaluated_key.is_some());
    assert_eq!(scan(&dynamodb, "Notes").await.len(), 7);
    let mut keys = Vec::new();
    for segment in 0..3 {
        let pages = dynamodb
            .scan()
            .table_name("Notes")
            .segment(segment)
            .total_segments(3);
        let pages = pages.into_paginator().items().send();
        let items: Vec<Item> = pages.collect::<Result<_, _>>().await.unwrap();
        keys.extend(
            items
                .into_iter()
                .map(|item| item["pk"].as_s().unwrap().clone()),
        );
    }
    assert_eq!(keys.len(), 7);
    assert_eq!(keys.into_iter().collect::<BTreeSet<_>>().len(), 7);
}

fn requests(keys: std::ops::Range<u32>) -> Vec<WriteRequest> {
    keys.map(|key| {
        let put = PutRequest::builder().set_item(Some(item(&key.to_string(), &[])));
        WriteRequest::builder()
            .put_request(put.build().unwrap())
            .build()
    })
    .collect()
}

/// `UnprocessedItems`, and "If none of the items can be processed …" (API reference
/// of `BatchWriteItem`).
#[tokio::test]
async fn a_batch_gives_back_what_it_did_not_write() {
    let sandbox = sandbox();
    let dynamodb = client(&sandbox, "dev-admin").await;
    make_table(&dynamodb, "Notes").await;
    sandbox.set_faults(Faults {
        unprocessed_items: 4,
        ..Faults::default()
    });
    let batch = dynamodb
        .batch_write_item()
        .request_items("Notes", requests(0..10));
    let left = batch.send().await.unwrap().unprocessed_items.unwrap();
    assert_eq!(left["Notes"].len(), 4);
    assert_eq!(scan(&dynamodb, "Notes").await.len(), 6);
    let again = dynamodb.batch_write_item().set_request_items(Some(left));
    assert_eq!(
        again.send().await.unwrap().unprocessed_items,
        Some(HashMap::new())
    );
    assert_eq!(scan(&dynamodb, "Notes").await.len(), 10);
    sandbox.set_faults(Faults {
        unprocessed_items: 2,
        ..Faults::default()
    });
    let batch = dynamodb
        .batch_write_item()
        .request_items("Notes", requests(0..2));
    let (code, _) = refusal(batch.send().await);
    assert_eq!(code, "ProvisionedThroughputExceededException");
}

#[tokio::test]
async fn a_batch_takes_each_key_once_and_25_items_at_most() {
    let sandbox = sandbox();
    let dynamodb = client(&sandbox, "dev-admin").await;
    make_table(&dynamodb, "Notes").await;
    let twice = [requests(0..1), requests(0..1)].concat();
    for (requests, text) in [
        (twice, "Provided list of item keys contains duplicates"),
        (
            requests(0..26),
            "Too many items requested for the BatchWriteItem call",
        ),
    ] {
        let batch = dynamodb.batch_write_item().request_items("Notes", requests);
        let (code, message) = refusal(batch.send().await);
        assert_eq!(
            (code.as_str(), message.as_str()),
            ("ValidationException", text)
        );
    }
}

#[tokio::test]
async fn a_name_is_taken_until_its_table_is_gone_and_a_new_table_has_another_id() {
    let sandbox = super::clients::with(|options| options.job_length = Duration::from_mins(1));
    let dynamodb = Client::new(&correcting(&profile(&sandbox, "dev-admin").await));
    let pass = |seconds| sandbox.set_clock_offset(jiff::SignedDuration::from_secs(seconds));
    let id = async || {
        let answer = dynamodb.describe_table().table_name("Notes").send().await;
        answer.unwrap().table.unwrap().table_id.unwrap()
    };
    let delete = async || {
        let delete = dynamodb.delete_table().table_name("Notes");
        refusal(delete.send().await)
    };
    create_table(&dynamodb, "Notes").await;
    let first = id().await;
    let in_use = "Attempt to change a resource which is still in use: Table is being";
    let (code, message) = delete().await;
    assert_eq!(code, "ResourceInUseException");
    assert_eq!(message, format!("{in_use} created: Notes"));
    pass(10);
    dynamodb
        .delete_table()
        .table_name("Notes")
        .send()
        .await
        .unwrap();
    assert_eq!(delete().await.1, format!("{in_use} deleted: Notes"));
    pass(20);
    assert_eq!(status(&dynamodb, "Notes").await, None);
    create_table(&dynamodb, "Notes").await;
    assert_ne!(id().await, first);
}

#[tokio::test]
async fn who_may_not_write_items_is_refused() {
    let sandbox = sandbox();
    let reader = client(&sandbox, "prod-reader").await;
    let put = reader.put_item().table_name("Orders");
    let (code, message) = refusal(put.set_item(Some(item("a", &[]))).send().await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("is not authorized to perform: dynamodb:PutItem on resource: arn:aws:dynamodb:eu-west-1:111111111111:table/Orders because no identity-based policy allows the dynamodb:PutItem action"), "{message}");
}

#[tokio::test]
async fn time_to_live_and_tags_are_kept() {
    let sandbox = sandbox();
    let dynamodb = client(&sandbox, "dev-admin").await;
    make_table(&dynamodb, "Notes").await;
    let on = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name("expires");
    let update = dynamodb.update_time_to_live().table_name("Notes");
    let update = update.time_to_live_specification(on.build().unwrap());
    update.clone().send().await.unwrap();
    let (_, message) = refusal(update.send().await);
    assert_eq!(message, "TimeToLive is already enabled");
    let told = dynamodb
        .describe_time_to_live()
        .table_name("Notes")
        .send()
        .await
        .unwrap();
    let told = told.time_to_live_description.unwrap();
    assert_eq!(told.attribute_name(), Some("expires"));
    let arn = "arn:aws:dynamodb:eu-west-1:222222222222:table/Notes";
    let tag = aws_sdk_dynamodb::types::Tag::builder()
        .key("team")
        .value("port");
    let tagged = dynamodb
        .tag_resource()
        .resource_arn(arn)
        .tags(tag.build().unwrap());
    tagged.send().await.unwrap();
    let tags = dynamodb
        .list_tags_of_resource()
        .resource_arn(arn)
        .send()
        .await
        .unwrap();
    assert_eq!(tags.tags()[0].value(), "port");
}

async fn enable_recovery(dynamodb: &Client, table: &str) {
    let on = PointInTimeRecoverySpecification::builder()
        .point_in_time_recovery_enabled(true)
        .build()
        .unwrap();
    let update = dynamodb.update_continuous_backups().table_name(table);
    update
        .point_in_time_recovery_specification(on)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn an_export_holds_the_items_that_were_written_and_not_the_later_ones() {
    let sandbox = sandbox();
    let dynamodb = client(&sandbox, "dev-admin").await;
    make_table(&dynamodb, "Notes").await;
    enable_recovery(&dynamodb, "Notes").await;
    for key in ["a", "b", "c"] {
        put(&dynamodb, "Notes", item(key, &[])).await;
    }
    let request = dynamodb
        .export_table_to_point_in_time()
        .table_arn("arn:aws:dynamodb:eu-west-1:222222222222:table/Notes")
        .s3_bucket("export-landing")
        .send()
        .await
        .unwrap();
    put(&dynamodb, "Notes", item("d", &[])).await;
    let arn = request.export_description.unwrap().export_arn.unwrap();
    let export = super::exports::ended(&dynamodb, &arn).await;
    assert_eq!(export.item_count(), Some(3), "{export:?}");
    let lines = super::exports::lines(&sandbox, "export-landing", &export).await;
    let keys: BTreeSet<&str> = lines
        .iter()
        .filter_map(|line: &Value| line["Item"]["pk"]["S"].as_str())
        .collect();
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
}

/// `DescribeTable`'s counts are up to six hours old.
#[tokio::test]
async fn the_counts_of_a_young_table_are_zero() {
    let sandbox = sandbox();
    let dynamodb = client(&sandbox, "dev-admin").await;
    make_table(&dynamodb, "Notes").await;
    put(&dynamodb, "Notes", item("a", &[])).await;
    let count = async || {
        let answer = dynamodb.describe_table().table_name("Notes").send().await;
        answer.unwrap().table.unwrap().item_count
    };
    assert_eq!(count().await, Some(0));
    let corrected = correcting(&profile(&sandbox, "dev-admin").await);
    sandbox.set_clock_offset(jiff::SignedDuration::from_hours(7));
    let dynamodb = Client::new(&corrected);
    let answer = dynamodb.describe_table().table_name("Notes").send().await;
    assert_eq!(answer.unwrap().table.unwrap().item_count, Some(1));
}
