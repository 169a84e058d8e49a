//! DynamoDB: tables, their recovery window, and exports.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::list_exports::ListExportsOutput;
use aws_sdk_dynamodb::types::{self as sdk, TableDescription};
use jiff::Timestamp;

use super::error_mapper::ErrorMapper;
use super::failure::Failure;
use super::service_clock::ServiceClock;
use super::write_guard::WriteGuard;
pub use crate::job::ExportStatus;
use crate::job::{ImportStatus, Span, TableStatus, View};
use tableferry_policy::arn::Arn;

mod definition;
mod export_request;
mod import;
mod items;
mod recovery;
mod resource_policy;
mod start;

pub use definition::DescribedTable;
pub use export_request::DescribedFilter;
pub use import::Import;
pub use items::{BatchAnswer, ItemWrite, WriteBatch};
pub use start::StartAnswer;

/// A table as `DescribeTable` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The table's name.
    pub name: String,
    /// Its ARN.
    pub arn: Arn,
    /// Its id, which changes when a table of this name is made again.
    pub id: Option<String>,
    /// What state it is in.
    pub status: TableStatus,
    /// Items, as counted about every six hours.
    pub item_count: Option<u64>,
    /// Bytes, as counted about every six hours.
    pub size_bytes: Option<u64>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// The partition key and, if any, the sort key.
    pub key_attributes: Vec<String>,
    /// The types of the attributes that keys and indexes name: `S`, `N` or `B`.
    pub attribute_types: BTreeMap<String, String>,
    /// The KMS key that encrypts the table, where it is not DynamoDB's own.
    pub kms_key: Option<String>,
    /// Its provisioned write units; `None` where each request is paid for.
    pub write_units: Option<u64>,
    /// The global indexes, each with its state, such as `CREATING`.
    pub indexes: Vec<(String, String)>,
}

/// Point-in-time recovery, as `DescribeContinuousBackups` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointInTimeRecovery {
    /// Whether it is enabled.
    pub is_enabled: bool,
    /// The window's beginning.
    pub earliest: Option<Timestamp>,
    /// The window's end.
    pub latest: Option<Timestamp>,
    /// `RecoveryPeriodInDays`.
    pub period_days: Option<u32>,
}

/// An export as AWS describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// Its ARN.
    pub arn: Arn,
    /// The bucket it writes to.
    pub bucket: Option<String>,
    /// The bucket's owner that it named.
    pub owner: Option<String>,
    /// What its objects' keys begin with.
    pub prefix: Option<String>,
    /// The KMS key that it names.
    pub kms_key: Option<String>,
    /// `AES256` or `KMS`.
    pub sse_algorithm: Option<String>,
    /// `DYNAMODB_JSON` or `ION`.
    pub format: Option<String>,
    /// The time or window that it is of, where AWS says it.
    pub span: Option<Span>,
    /// Which items and attributes it is of, where not of all.
    pub filter: Option<DescribedFilter>,
    /// How far it is.
    pub status: ExportStatus,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The manifest's key in the bucket, once completed.
    pub manifest: Option<String>,
    /// The client token it was started with.
    pub client_token: Option<String>,
    /// The code of its failure.
    pub failure_code: Option<String>,
    /// The message of its failure.
    pub failure_message: Option<String>,
    /// Items exported, once completed.
    pub item_count: Option<u64>,
    /// Bytes billed, once completed.
    pub billed_size_bytes: Option<u64>,
}

/// DynamoDB in one Region, for one identity.
#[derive(Debug, Clone)]
pub struct Dynamodb {
    pub(super) client: aws_sdk_dynamodb::Client,
    pub(super) mapper: ErrorMapper,
    pub(super) write_guard: WriteGuard,
    pub(super) clock: ServiceClock,
}

impl Dynamodb {
    /// The names of all tables, by `ListTables`.
    pub async fn list_tables(&self) -> Result<Vec<String>, Failure> {
        let names = self.client.list_tables().into_paginator().items().send();
        let call = names.collect::<Result<Vec<_>, _>>();
        self.mapper
            .answer("dynamodb:ListTables", "all tables", call)
            .await
    }

    /// A table by its name or ARN, by `DescribeTable`.
    pub async fn describe_table(&self, name_or_arn: &str) -> Result<Table, Failure> {
        const OPERATION: &str = "dynamodb:DescribeTable";
        let call = self.client.describe_table().table_name(name_or_arn).send();
        let answer = self.mapper.answer(OPERATION, name_or_arn, call).await?;
        answer.table().and_then(table).ok_or_else(|| {
            self.mapper
                .unreadable(OPERATION, name_or_arn, "the answer describes no table")
        })
    }

    /// A table's point-in-time recovery, by `DescribeContinuousBackups`.
    pub async fn describe_recovery(&self, name: &str) -> Result<PointInTimeRecovery, Failure> {
        const OPERATION: &str = "dynamodb:DescribeContinuousBackups";
        let call = self
            .client
            .describe_continuous_backups()
            .table_name(name)
            .send();
        let answer = self.mapper.answer(OPERATION, name, call).await?;
        let recovery = answer
            .continuous_backups_description()
            .and_then(|backups| backups.point_in_time_recovery_description());
        Ok(PointInTimeRecovery {
            is_enabled: recovery
                .and_then(|recovery| recovery.point_in_time_recovery_status())
                .is_some_and(|status| *status == sdk::PointInTimeRecoveryStatus::Enabled),
            earliest: recovery.and_then(|r| timestamp(r.earliest_restorable_date_time())),
            latest: recovery.and_then(|r| timestamp(r.latest_restorable_date_time())),
            period_days: recovery
                .and_then(sdk::PointInTimeRecoveryDescription::recovery_period_in_days)
                .and_then(|days| days.try_into().ok()),
        })
    }

    /// An export by its ARN, by `DescribeExport`.
    pub async fn describe_export(&self, arn: &Arn) -> Result<Export, Failure> {
        const OPERATION: &str = "dynamodb:DescribeExport";
        let target = arn.to_string();
        let call = self.client.describe_export().export_arn(&target).send();
        let answer = self.mapper.answer(OPERATION, &target, call).await?;
        let described = answer.export_description().and_then(export);
        described.ok_or_else(|| self.no_export(OPERATION, &target))
    }

    /// The exports of the last 90 days, of one table or of all, by `ListExports`.
    pub async fn list_exports(
        &self,
        table_arn: Option<&Arn>,
    ) -> Result<Vec<(Arn, ExportStatus)>, Failure> {
        let table = table_arn.map(Arn::to_string);
        let target = table.as_deref().unwrap_or("all tables");
        let call = self.client.list_exports().set_table_arn(table.clone());
        let call = call.into_paginator().send().collect::<Result<Vec<_>, _>>();
        let pages = self
            .mapper
            .answer("dynamodb:ListExports", target, call)
            .await?;
        let summaries = pages.iter().flat_map(ListExportsOutput::export_summaries);
        Ok(summaries.filter_map(listed).collect())
    }

    /// One page of the exports of the last 90 days, by `ListExports`, and what the next is asked for with.
    pub async fn list_exports_page(
        &self,
        token: Option<String>,
    ) -> Result<(Vec<(Arn, ExportStatus)>, Option<String>), Failure> {
        const OPERATION: &str = "dynamodb:ListExports";
        let call = self.client.list_exports().set_next_token(token).send();
        let answer = self.mapper.answer(OPERATION, "all tables", call).await?;
        let exports = answer.export_summaries().iter().filter_map(listed);
        // An empty token would ask for the first page again.
        let next = answer.next_token().filter(|next| !next.is_empty());
        Ok((exports.collect(), next.map(str::to_owned)))
    }

    fn no_export(&self, operation: &str, target: &str) -> Failure {
        self.mapper
            .unreadable(operation, target, "the answer describes no export")
    }
}

fn table(described: &TableDescription) -> Option<Table> {
    let kms_key = described
        .sse_description()
        .and_then(|sse| sse.kms_master_key_arn())
        .map(str::to_owned);
    Some(Table {
        name: described.table_name()?.to_owned(),
        arn: described.table_arn()?.parse().ok()?,
        id: described.table_id().map(str::to_owned),
        status: described.table_status()?.as_str().into(),
        item_count: described.item_count().and_then(|n| n.try_into().ok()),
        size_bytes: described.table_size_bytes().and_then(|n| n.try_into().ok()),
        created_at: timestamp(described.creation_date_time()),
        key_attributes: described
            .key_schema()
            .iter()
            .map(|key| key.attribute_name().to_owned())
            .collect(),
        attribute_types: described
            .attribute_definitions()
            .iter()
            .map(|attribute| {
                let kind = attribute.attribute_type().as_str().to_owned();
                (attribute.attribute_name().to_owned(), kind)
            })
            .collect(),
        kms_key,
        // A table without units of its own has 0 of them.
        write_units: described
            .provisioned_throughput()
            .and_then(|units| u64::try_from(units.write_capacity_units()?).ok())
            .filter(|units| *units > 0),
        indexes: described
            .global_secondary_indexes()
            .iter()
            .filter_map(|index| {
                let status = index.index_status()?.as_str().to_owned();
                Some((index.index_name()?.to_owned(), status))
            })
            .collect(),
    })
}

fn export(described: &sdk::ExportDescription) -> Option<Export> {
    let count = |n: Option<i64>| n.and_then(|n| n.try_into().ok());
    Some(Export {
        arn: described.export_arn()?.parse().ok()?,
        bucket: described.s3_bucket().map(str::to_owned),
        owner: described.s3_bucket_owner().map(str::to_owned),
        prefix: described.s3_prefix().map(str::to_owned),
        kms_key: described.s3_sse_kms_key_id().map(str::to_owned),
        sse_algorithm: described
            .s3_sse_algorithm()
            .map(|algorithm| algorithm.as_str().to_owned()),
        format: described
            .export_format()
            .map(|format| format.as_str().to_owned()),
        span: span(described),
        filter: described
            .filter_specification()
            .cloned()
            .map(DescribedFilter::new),
        status: status(described.export_status()?),
        started_at: timestamp(described.start_time()),
        ended_at: timestamp(described.end_time()),
        manifest: described.export_manifest().map(str::to_owned),
        client_token: described.client_token().map(str::to_owned),
        failure_code: described.failure_code().map(str::to_owned),
        failure_message: described.failure_message().map(str::to_owned),
        item_count: count(described.item_count()),
        billed_size_bytes: count(described.billed_size_bytes()),
    })
}

/// The time or window of an export; a full one does not name its type.
fn span(described: &sdk::ExportDescription) -> Option<Span> {
    let Some(window) = described.incremental_export_specification() else {
        let time = timestamp(described.export_time())?;
        return Some(Span::Full { time: Some(time) });
    };
    Some(Span::Incremental {
        from: timestamp(window.export_from_time())?,
        to: timestamp(window.export_to_time())?,
        view: match window.export_view_type() {
            Some(sdk::ExportViewType::NewImage) => View::NewImage,
            _ => View::NewAndOldImages,
        },
    })
}

fn listed(summary: &sdk::ExportSummary) -> Option<(Arn, ExportStatus)> {
    let arn = summary.export_arn()?.parse().ok()?;
    Some((arn, status(summary.export_status()?)))
}

/// An unknown status counts as under way: anyone who follows the export asks again.
fn status(status: &sdk::ExportStatus) -> ExportStatus {
    match status {
        sdk::ExportStatus::Completed => ExportStatus::Completed,
        sdk::ExportStatus::Failed => ExportStatus::Failed,
        _ => ExportStatus::InProgress,
    }
}

fn timestamp(time: Option<&aws_sdk_dynamodb::primitives::DateTime>) -> Option<Timestamp> {
    let time = time?;
    Timestamp::new(time.secs(), time.subsec_nanos().try_into().ok()?).ok()
}
