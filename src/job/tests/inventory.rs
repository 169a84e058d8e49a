//! Plans of inventories: their fields, their defaults, the configuration that they come to, and what is
//! wrong with one.

use rstest::rstest;
use serde_json::json;

use super::super::inventory::{InventoryFormat, InventoryFrequency, InventoryVersions};
use super::super::*;
use super::parse;
use tableferry_policy::arn::Partition;

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn inventory(head: &str, source: &str, rest: &str) -> String {
    format!(
        "kind = \"inventory\"\n{head}\n[source]\n{source}\n\
         [destination]\nprofile = \"dev-admin\"\nbucket = \"inventory-landing\"\nprefix = \"in\"\n{rest}\n"
    )
}

const SOURCE: &str = "profile = 'p'\nbucket = 'orders-files'";

#[test]
fn an_inventory_is_daily_in_csv_of_the_current_versions() {
    let plan = parse(&inventory("id = 'all'", SOURCE, "")).unwrap();
    let wanted = Kind::Inventory(inventory::Inventory {
        bucket: "orders-files".parse().unwrap(),
        id: "all".to_owned(),
        format: InventoryFormat::Csv,
        frequency: InventoryFrequency::Daily,
        versions: InventoryVersions::Current,
        filter: None,
        fields: Vec::new(),
    });
    assert_eq!(plan.kind, wanted);
    assert_eq!(plan.encryption, Encryption::BucketDefault);
}

#[rstest]
#[case::by_default("id = 'all'", "")]
#[case::in_full(
    "id = 'a.b-c_1'\nformat = 'Parquet'\nfrequency = 'Weekly'\nversions = 'All'\nfilter = 'a/'\n\
     fields = ['Size', 'ETag']",
    "[encryption]\nalgorithm = 'AES256'"
)]
fn an_inventory_is_read_as_it_is_written(#[case] head: &str, #[case] rest: &str) {
    let plan = parse(&inventory(head, SOURCE, rest)).unwrap();
    assert_eq!(parse(&plan.to_toml()).unwrap(), plan);
}

/// The members are those of `PutBucketInventoryConfiguration` (S3 API reference), as the AWS CLI takes
/// them.
#[test]
fn the_configuration_is_the_apis() {
    let head = "id = 'all'\nfilter = 'a/'\nfields = ['Size']";
    let rest = format!("[encryption]\nalgorithm = 'KMS'\nkey = '{KEY}'");
    let plan = parse(&inventory(head, SOURCE, &rest)).unwrap();
    let Kind::Inventory(wanted) = &plan.kind else {
        panic!("{plan:?}");
    };
    let owner = "222222222222".parse().unwrap();
    let configuration = wanted.configuration(&plan, Some(&owner), Partition::Aws);
    let written: serde_json::Value = serde_json::from_str(&configuration.to_json()).unwrap();
    let expected = json!({
        "Destination": { "S3BucketDestination": {
            "AccountId": "222222222222", "Bucket": "arn:aws:s3:::inventory-landing",
            "Format": "CSV", "Prefix": "in", "Encryption": { "SSEKMS": { "KeyId": KEY } },
        }},
        "IsEnabled": true, "Filter": { "Prefix": "a/" }, "Id": "all",
        "IncludedObjectVersions": "Current", "OptionalFields": ["Size"],
        "Schedule": { "Frequency": "Daily" },
    });
    assert_eq!(written, expected);
}

/// The properties are those of `AWS::S3::Bucket` `InventoryConfiguration` and its `Destination`
/// (CloudFormation template reference); cfn-lint holds them in `tests/foreign/generated.sh`.
#[test]
fn a_template_holds_the_configuration_and_tells_what_it_cannot_hold() {
    let head = "id = 'all'\nfields = ['Size']";
    let rest = format!("[encryption]\nalgorithm = 'KMS'\nkey = '{KEY}'");
    let plan = parse(&inventory(head, SOURCE, &rest)).unwrap();
    let Kind::Inventory(wanted) = &plan.kind else {
        panic!("{plan:?}");
    };
    let owner = "222222222222".parse().unwrap();
    let configuration = wanted.configuration(&plan, Some(&owner), Partition::Aws);
    let (template, left_out) = inventory::render::cloudformation(wanted, &configuration);
    for line in [
        "    Type: AWS::S3::Bucket",
        "        - Id: \"all\"",
        "          ScheduleFrequency: Daily",
        "            BucketArn: \"arn:aws:s3:::inventory-landing\"",
        "            BucketAccountId: \"222222222222\"",
    ] {
        assert!(
            template.lines().any(|found| found == line),
            "{line}: {template}"
        );
    }
    assert!(
        left_out.iter().any(|text| text.contains("encryption")),
        "{left_out:?}"
    );
}

#[rstest]
#[case::without_an_id("", SOURCE, "", "lacks `id`")]
#[case::without_a_bucket("id = 'a'", "profile = 'p'", "", "[source] lacks `bucket`")]
#[case::an_id_with_a_slash("id = 'a/b'", SOURCE, "", "`a/b` is no id")]
#[case::another_format("id = 'a'\nformat = 'csv'", SOURCE, "", "`csv` is no format")]
#[case::no_such_column("id = 'a'\nfields = ['size']", SOURCE, "", "`size` is no column")]
#[case::a_column_twice("id = 'a'\nfields = ['Size', 'Size']", SOURCE, "", "twice")]
#[case::a_key_by_its_id(
    "id = 'a'",
    SOURCE,
    "[encryption]\nalgorithm = 'KMS'\nkey = '1234abcd-12ab-34cd-56ef-1234567890ab'",
    "not named by its full ARN"
)]
#[case::the_managed_key(
    "id = 'a'",
    SOURCE,
    "[encryption]\nalgorithm = 'KMS'",
    "AWS managed key"
)]
#[case::tables("id = 'a'", SOURCE, "[[tables]]\nname = 'T'", "unknown key `tables`")]
fn what_is_wrong_with_an_inventory_is_told(
    #[case] head: &str,
    #[case] source: &str,
    #[case] rest: &str,
    #[case] wanted: &str,
) {
    let told = parse(&inventory(head, source, rest))
        .unwrap_err()
        .to_string();
    assert!(told.contains(wanted), "{told}");
}
