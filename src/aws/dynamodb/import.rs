//! Imports of S3 objects into new tables: the call that starts one, and what `DescribeImport` and
//! `ListImports` tell.

use aws_sdk_dynamodb::operation::list_imports::ListImportsOutput;
use aws_sdk_dynamodb::types as sdk;
use jiff::Timestamp;

use super::start::{StartAnswer, once_signed_at, unanswered_or_refused};
use super::{Dynamodb, ImportStatus, timestamp};
use crate::aws::failure::Failure;
use crate::job::import::ImportRequest;
use crate::job::table_definition::{
    Capacity, IndexDefinition, KeyType, Projection, TableDefinition, TableKeys,
};
use tableferry_policy::arn::Arn;

/// An import as AWS describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its ARN.
    pub arn: Arn,
    /// How far it is.
    pub status: ImportStatus,
    /// The bucket that it reads.
    pub bucket: Option<String>,
    /// The client token it was started with.
    pub client_token: Option<String>,
    /// The id of the table that it makes.
    pub table_id: Option<String>,
    /// The group of its CloudWatch log.
    pub log_group: Option<String>,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Lines read.
    pub processed_items: Option<u64>,
    /// Items written.
    pub imported_items: Option<u64>,
    /// Lines that were not imported.
    pub errors: Option<u64>,
    /// The code of its failure.
    pub failure_code: Option<String>,
    /// The message of its failure; some failures have none.
    pub failure_message: Option<String>,
}

impl Dynamodb {
    /// Starts an import, by one `ImportTable`, word for word as requested.
    ///
    /// `signed_at` is AWS's time, which the call is signed with; without it, this machine's is.
    pub async fn start_import(
        &self,
        request: &ImportRequest,
        signed_at: Option<Timestamp>,
    ) -> StartAnswer<Import> {
        const OPERATION: &str = "dynamodb:ImportTable";
        let target = request.table_arn.to_string();
        if let Err(failure) = self.write_guard.check(OPERATION, &target) {
            return StartAnswer::Refused(failure);
        }
        let parts = creation(&request.definition).and_then(|parameters| {
            let source = sdk::S3BucketSource::builder()
                .s3_bucket(request.bucket.as_str())
                .set_s3_bucket_owner(request.bucket_owner.as_ref().map(ToString::to_string))
                .s3_key_prefix(&request.key_prefix)
                .build()?;
            Ok((parameters, source))
        });
        let (parameters, source) = match parts {
            Ok(parts) => parts,
            Err(problem) => {
                let problem = problem.to_string();
                let failure = self.mapper.invalid_request(OPERATION, &target, &problem);
                return StartAnswer::Refused(failure);
            }
        };
        let call = self
            .client
            .import_table()
            .s3_bucket_source(source)
            .input_format(sdk::InputFormat::DynamodbJson)
            .input_compression_type(sdk::InputCompressionType::Gzip)
            .table_creation_parameters(parameters)
            .client_token(&request.client_token);
        let once = once_signed_at(signed_at);
        match call.customize().config_override(once).send().await {
            Ok(answer) => match answer.import_table_description().and_then(import) {
                Some(import) => StartAnswer::Started(Box::new(import)),
                None => StartAnswer::Unanswered(self.no_import(OPERATION, &target)),
            },
            Err(error) => {
                let failure = self.mapper.failure(OPERATION, &target, &error);
                unanswered_or_refused(&error, failure)
            }
        }
    }

    /// An import by its ARN, by `DescribeImport`.
    pub async fn describe_import(&self, arn: &Arn) -> Result<Import, Failure> {
        const OPERATION: &str = "dynamodb:DescribeImport";
        let target = arn.to_string();
        let call = self.client.describe_import().import_arn(&target).send();
        let answer = self.mapper.answer(OPERATION, &target, call).await?;
        let described = answer.import_table_description().and_then(import);
        described.ok_or_else(|| self.no_import(OPERATION, &target))
    }

    /// The imports of the account, of one table or of all, with their states, by `ListImports`.
    pub async fn list_imports(
        &self,
        table: Option<&Arn>,
    ) -> Result<Vec<(Arn, ImportStatus)>, Failure> {
        let table = table.map(Arn::to_string);
        let target = table.as_deref().unwrap_or("all tables");
        let call = self.client.list_imports().set_table_arn(table.clone());
        let call = call.into_paginator().send().collect::<Result<Vec<_>, _>>();
        let pages = self
            .mapper
            .answer("dynamodb:ListImports", target, call)
            .await?;
        let summaries = pages
            .iter()
            .flat_map(ListImportsOutput::import_summary_list);
        let imports = summaries.filter_map(|summary| {
            let arn = summary.import_arn()?.parse().ok()?;
            Some((arn, status(summary.import_status()?)))
        });
        Ok(imports.collect())
    }

    fn no_import(&self, operation: &str, target: &str) -> Failure {
        self.mapper
            .unreadable(operation, target, "the answer describes no import")
    }
}

fn import(described: &sdk::ImportTableDescription) -> Option<Import> {
    // Zero stands for what was not told, too; the counts are complete once the import has ended.
    let count = |n: i64| u64::try_from(n).ok();
    Some(Import {
        arn: described.import_arn()?.parse().ok()?,
        status: status(described.import_status()?),
        bucket: described
            .s3_bucket_source()
            .map(|source| source.s3_bucket().to_owned()),
        client_token: described.client_token().map(str::to_owned),
        table_id: described.table_id().map(str::to_owned),
        log_group: described.cloud_watch_log_group_arn().map(str::to_owned),
        started_at: timestamp(described.start_time()),
        ended_at: timestamp(described.end_time()),
        processed_items: count(described.processed_item_count()),
        imported_items: count(described.imported_item_count()),
        errors: count(described.error_count()),
        failure_code: described.failure_code().map(str::to_owned),
        failure_message: described.failure_message().map(str::to_owned),
    })
}

/// An unknown status counts as under way: anyone who follows the import asks again.
fn status(status: &sdk::ImportStatus) -> ImportStatus {
    match status {
        sdk::ImportStatus::Completed => ImportStatus::Completed,
        sdk::ImportStatus::Failed => ImportStatus::Failed,
        sdk::ImportStatus::Cancelling => ImportStatus::Cancelling,
        sdk::ImportStatus::Cancelled => ImportStatus::Cancelled,
        _ => ImportStatus::InProgress,
    }
}

type BuildError = aws_sdk_dynamodb::error::BuildError;

/// `TableCreationParameters`.
fn creation(table: &TableDefinition) -> Result<sdk::TableCreationParameters, BuildError> {
    let mode = match table.capacity {
        Some(_) => sdk::BillingMode::Provisioned,
        None => sdk::BillingMode::PayPerRequest,
    };
    let key = table.kms_key.as_ref().map(|key| {
        sdk::SseSpecification::builder()
            .enabled(true)
            .sse_type(sdk::SseType::Kms)
            .kms_master_key_id(key)
            .build()
    });
    let mut call = sdk::TableCreationParameters::builder()
        .table_name(&table.name)
        .billing_mode(mode)
        .set_provisioned_throughput(table.capacity.map(throughput).transpose()?)
        .set_sse_specification(key);
    for (name, kind) in table.attributes() {
        let kind = match kind {
            KeyType::S => sdk::ScalarAttributeType::S,
            KeyType::N => sdk::ScalarAttributeType::N,
            KeyType::B => sdk::ScalarAttributeType::B,
        };
        let attribute = sdk::AttributeDefinition::builder().attribute_name(name);
        call = call.attribute_definitions(attribute.attribute_type(kind).build()?);
    }
    for element in schema(&table.keys)? {
        call = call.key_schema(element);
    }
    for index in &table.indexes {
        call = call.global_secondary_indexes(global_index(index)?);
    }
    call.build()
}

fn throughput(capacity: Capacity) -> Result<sdk::ProvisionedThroughput, BuildError> {
    let units = |units: u64| i64::try_from(units).unwrap_or(i64::MAX);
    sdk::ProvisionedThroughput::builder()
        .read_capacity_units(units(capacity.read_units))
        .write_capacity_units(units(capacity.write_units))
        .build()
}

fn schema(keys: &TableKeys) -> Result<Vec<sdk::KeySchemaElement>, BuildError> {
    keys.parts()
        .zip([sdk::KeyType::Hash, sdk::KeyType::Range])
        .map(|(part, kind)| {
            sdk::KeySchemaElement::builder()
                .attribute_name(&part.name)
                .key_type(kind)
                .build()
        })
        .collect()
}

fn global_index(index: &IndexDefinition) -> Result<sdk::GlobalSecondaryIndex, BuildError> {
    let projection = sdk::Projection::builder();
    let projection = match &index.projection {
        Projection::All => projection.projection_type(sdk::ProjectionType::All),
        Projection::KeysOnly => projection.projection_type(sdk::ProjectionType::KeysOnly),
        Projection::Include(names) => projection
            .projection_type(sdk::ProjectionType::Include)
            .set_non_key_attributes(Some(names.clone())),
    };
    sdk::GlobalSecondaryIndex::builder()
        .index_name(&index.name)
        .set_key_schema(Some(schema(&index.keys)?))
        .projection(projection.build())
        .set_provisioned_throughput(index.capacity.map(throughput).transpose()?)
        .build()
}
