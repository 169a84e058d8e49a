//! DynamoDB's tables and their recovery windows.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{PointInTimeRecoverySpecification, PointInTimeRecoveryStatus};

use super::clients::{profile, profile_in, refusal, sandbox};

#[tokio::test]
async fn tables_are_listed_by_region_and_in_pages() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    let first = dynamodb.list_tables().limit(4).send().await.unwrap();
    assert_eq!(first.table_names(), ["Empty", "Events", "Ledger", "Orders"]);
    let rest = dynamodb
        .list_tables()
        .exclusive_start_table_name(first.last_evaluated_table_name().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(rest.table_names(), ["Sessions", "Users"]);
    assert_eq!(rest.last_evaluated_table_name(), None);
    let overseas = Client::new(&profile_in(&sandbox, "prod-oncall", "us-east-1").await);
    let tables = overseas.list_tables().send().await.unwrap();
    assert_eq!(tables.table_names(), ["Shipments"]);
}

#[tokio::test]
async fn a_table_is_described_with_size_keys_and_encryption() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-reader").await);
    let orders = dynamodb
        .describe_table()
        .table_name("Orders")
        .send()
        .await
        .unwrap();
    let orders = orders.table().unwrap();
    assert_eq!(orders.item_count(), Some(10_000));
    assert!(orders.table_size_bytes().unwrap() > 1_000_000);
    assert_eq!(
        orders.table_arn(),
        Some("arn:aws:dynamodb:eu-west-1:111111111111:table/Orders")
    );
    assert!(orders.sse_description().is_none());
    let ledger = dynamodb
        .describe_table()
        .table_name("Ledger")
        .send()
        .await
        .unwrap();
    let ledger = ledger.table().unwrap();
    assert_eq!(ledger.key_schema().len(), 2);
    assert_eq!(
        ledger.sse_description().unwrap().kms_master_key_arn(),
        Some("arn:aws:kms:eu-west-1:111111111111:key/0ed6e700-1edc-4e11-8000-000000000001")
    );
    let (code, message) = refusal(dynamodb.describe_table().table_name("Nothing").send().await);
    assert_eq!(code, "ResourceNotFoundException");
    assert_eq!(
        message,
        "Requested resource not found: Table: Nothing not found"
    );
}

#[tokio::test]
async fn recovery_can_be_enabled_and_its_window_begins_then() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-admin").await);
    let status = async || {
        let answer = dynamodb
            .describe_continuous_backups()
            .table_name("Sessions")
            .send()
            .await
            .unwrap();
        let backups = answer.continuous_backups_description.unwrap();
        backups.point_in_time_recovery_description.unwrap()
    };
    assert_eq!(
        status().await.point_in_time_recovery_status,
        Some(PointInTimeRecoveryStatus::Disabled)
    );
    let on = PointInTimeRecoverySpecification::builder()
        .point_in_time_recovery_enabled(true)
        .build()
        .unwrap();
    dynamodb
        .update_continuous_backups()
        .table_name("Sessions")
        .point_in_time_recovery_specification(on)
        .send()
        .await
        .unwrap();
    let recovery = status().await;
    assert_eq!(
        recovery.point_in_time_recovery_status,
        Some(PointInTimeRecoveryStatus::Enabled)
    );
    assert_eq!(recovery.recovery_period_in_days, Some(35));
    assert_eq!(
        recovery.earliest_restorable_date_time,
        recovery.latest_restorable_date_time
    );
}

#[tokio::test]
async fn a_reader_is_refused_in_full_words() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-reader").await);
    let (code, message) = refusal(
        dynamodb
            .export_table_to_point_in_time()
            .table_arn("arn:aws:dynamodb:eu-west-1:111111111111:table/Orders")
            .s3_bucket("export-landing")
            .send()
            .await,
    );
    assert_eq!(code, "AccessDeniedException");
    assert_eq!(
        message,
        "User: arn:aws:iam::111111111111:user/prod-reader is not authorized to perform: \
         dynamodb:ExportTableToPointInTime on resource: \
         arn:aws:dynamodb:eu-west-1:111111111111:table/Orders because no identity-based policy \
         allows the dynamodb:ExportTableToPointInTime action"
    );
}

#[tokio::test]
async fn the_endpoint_that_carries_the_account_id_is_answered_too() {
    let sandbox = sandbox();
    let own = super::clients::keys(&sandbox, "prod-admin");
    let with_account = aws_credential_types::Credentials::builder()
        .access_key_id(own.access_key_id())
        .secret_access_key(own.secret_access_key())
        .account_id("111111111111")
        .provider_name("test")
        .build();
    let dynamodb = Client::new(&super::clients::config(&sandbox, with_account, "eu-west-1"));
    let tables = dynamodb.list_tables().send().await.unwrap();
    assert_eq!(tables.table_names().len(), 6);
}
