//! What a table is made with, and what of it an import cannot carry, as AWS describes the table.

use aws_sdk_dynamodb::types::{self as sdk, TableDescription};

use super::Dynamodb;
use crate::aws::failure::Failure;
use crate::job::table_definition::{
    Capacity, IndexDefinition, KeyPart, KeyType, Projection, TableDefinition, TableKeys,
};

/// A table's own settings, and those that `ImportTable` has no parameter for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedTable {
    /// What the new table can be made with.
    pub definition: TableDefinition,
    /// The names of the local secondary indexes, which only `CreateTable` makes.
    pub local_indexes: Vec<String>,
    /// The view of the stream, where one is on.
    pub stream: Option<String>,
    /// Whether deletion protection is on.
    pub is_protected: bool,
    /// The table class, where it is not the standard one.
    pub class: Option<String>,
    /// The Regions of replicas.
    pub replicas: Vec<String>,
    /// The attribute of the time to live, where it is on; the failure where it could not be read.
    pub time_to_live: Result<Option<String>, Failure>,
    /// The tags; the failure where they could not be read.
    pub tags: Result<Vec<(String, String)>, Failure>,
}

impl Dynamodb {
    /// What a table is made with, by `DescribeTable`, `DescribeTimeToLive` and `ListTagsOfResource`.
    pub async fn describe_definition(&self, arn: &str) -> Result<DescribedTable, Failure> {
        const OPERATION: &str = "dynamodb:DescribeTable";
        let call = self.client.describe_table().table_name(arn).send();
        let answer = self.mapper.answer(OPERATION, arn, call).await?;
        let described = answer.table().and_then(definition).ok_or_else(|| {
            self.mapper
                .unreadable(OPERATION, arn, "the answer describes no table with keys")
        })?;
        Ok(DescribedTable {
            time_to_live: self.time_to_live(arn).await,
            tags: self.tags(arn).await,
            ..described
        })
    }

    async fn time_to_live(&self, arn: &str) -> Result<Option<String>, Failure> {
        let call = self.client.describe_time_to_live().table_name(arn).send();
        let operation = "dynamodb:DescribeTimeToLive";
        let answer = self.mapper.answer(operation, arn, call).await?;
        let described = answer.time_to_live_description();
        Ok(described
            .filter(|ttl| ttl.time_to_live_status() == Some(&sdk::TimeToLiveStatus::Enabled))
            .and_then(|ttl| ttl.attribute_name().map(str::to_owned)))
    }

    async fn tags(&self, arn: &str) -> Result<Vec<(String, String)>, Failure> {
        let mut tags = Vec::new();
        let mut token = None;
        loop {
            let call = self.client.list_tags_of_resource().resource_arn(arn);
            let call = call.set_next_token(token).send();
            let operation = "dynamodb:ListTagsOfResource";
            let page = self.mapper.answer(operation, arn, call).await?;
            let pair = |tag: &sdk::Tag| (tag.key().to_owned(), tag.value().to_owned());
            tags.extend(page.tags().iter().map(pair));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(tags);
            }
        }
    }
}

fn definition(described: &TableDescription) -> Option<DescribedTable> {
    let keys = |schema: &[sdk::KeySchemaElement]| keys(schema, described);
    let is_on_demand = described
        .billing_mode_summary()
        .is_some_and(|mode| mode.billing_mode() == Some(&sdk::BillingMode::PayPerRequest));
    let capacity = |units: Option<&sdk::ProvisionedThroughputDescription>| {
        let units = units.filter(|_| !is_on_demand)?;
        Some(Capacity {
            read_units: u64::try_from(units.read_capacity_units()?).ok()?,
            write_units: u64::try_from(units.write_capacity_units()?).ok()?,
        })
    };
    let indexes = described.global_secondary_indexes().iter().map(|index| {
        Some(IndexDefinition {
            name: index.index_name()?.to_owned(),
            keys: keys(index.key_schema())?,
            projection: projection(index.projection()),
            capacity: capacity(index.provisioned_throughput()),
        })
    });
    let local = described.local_secondary_indexes().iter();
    let replicas = described.replicas().iter();
    let stream = described
        .stream_specification()
        .filter(|stream| stream.stream_enabled());
    Some(DescribedTable {
        definition: TableDefinition {
            name: described.table_name()?.to_owned(),
            keys: keys(described.key_schema())?,
            capacity: capacity(described.provisioned_throughput()),
            // The key of the source's account does not serve another's table: it is chosen anew.
            kms_key: None,
            indexes: indexes.collect::<Option<_>>()?,
        },
        local_indexes: local
            .filter_map(|index| index.index_name().map(str::to_owned))
            .collect(),
        stream: stream
            .and_then(|stream| stream.stream_view_type())
            .map(|view| view.as_str().to_owned()),
        is_protected: described.deletion_protection_enabled() == Some(true),
        class: described
            .table_class_summary()
            .and_then(|class| class.table_class())
            .filter(|class| **class != sdk::TableClass::Standard)
            .map(|class| class.as_str().to_owned()),
        replicas: replicas
            .filter_map(|replica| replica.region_name().map(str::to_owned))
            .collect(),
        time_to_live: Ok(None),
        tags: Ok(Vec::new()),
    })
}

/// A key schema with the types of its attributes.
fn keys(schema: &[sdk::KeySchemaElement], table: &TableDescription) -> Option<TableKeys> {
    let mut parts = schema.iter().map(|element| {
        let mut attributes = table.attribute_definitions().iter();
        let attribute =
            attributes.find(|attribute| attribute.attribute_name() == element.attribute_name())?;
        Some(KeyPart {
            name: element.attribute_name().to_owned(),
            kind: match attribute.attribute_type() {
                sdk::ScalarAttributeType::S => KeyType::S,
                sdk::ScalarAttributeType::N => KeyType::N,
                sdk::ScalarAttributeType::B => KeyType::B,
                _ => return None,
            },
        })
    });
    let partition = parts.next()??;
    let sort = match parts.next() {
        Some(part) => Some(part?),
        None => None,
    };
    Some(TableKeys { partition, sort })
}

fn projection(described: Option<&sdk::Projection>) -> Projection {
    let Some(described) = described else {
        return Projection::All;
    };
    match described.projection_type() {
        Some(sdk::ProjectionType::KeysOnly) => Projection::KeysOnly,
        Some(sdk::ProjectionType::Include) => {
            Projection::Include(described.non_key_attributes().to_vec())
        }
        _ => Projection::All,
    }
}
