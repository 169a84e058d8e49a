//! What `CreateTable` and the `TableCreationParameters` of an import say of a table: read, checked by the
//! rules of the API reference, and described again as `DescribeTable` does.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::json_members::{check_enum, require, text, violation};
use super::refusal::Refusal;

/// How a table was made by a call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Making {
    /// `TableId`.
    pub id: String,
    pub at: Timestamp,
    /// From when it is `ACTIVE`.
    pub active_at: Timestamp,
    pub definition: TableDefinition,
}

/// Keys, indexes and capacity of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TableDefinition {
    pub name: String,
    /// Names and types of the attributes of all keys.
    pub attributes: Vec<(String, String)>,
    /// The names of the partition key and the sort key.
    pub keys: Vec<String>,
    /// The capacity where it is provisioned; `None` for `PAY_PER_REQUEST`.
    pub throughput: Option<(u64, u64)>,
    /// `OnDemandThroughput`, as it was sent.
    pub on_demand: Option<Value>,
    pub global_indexes: Vec<IndexDefinition>,
    pub local_indexes: Vec<IndexDefinition>,
    /// `StreamSpecification`, as it was sent.
    pub stream: Option<Value>,
    /// `TableClass`, where it was sent.
    pub class: Option<String>,
    /// `KMSMasterKeyId` of a customer managed key.
    pub key: Option<String>,
    /// Whether an AWS managed or a customer managed key encrypts it.
    pub is_kms_encrypted: bool,
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct IndexDefinition {
    pub name: String,
    pub keys: Vec<String>,
    /// `Projection`, as it was sent.
    pub projection: Value,
    pub throughput: Option<(u64, u64)>,
}

fn invalid(problem: impl std::fmt::Display) -> Refusal {
    Refusal::validation(format!(
        "One or more parameter values were invalid: {problem}"
    ))
}

/// The entries of a list member; none where it is absent.
fn list<'v>(input: &'v Value, name: &str) -> &'v [Value] {
    input
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A member that is not there, or null, is absent.
fn member(input: &Value, name: &str) -> Option<Value> {
    input.get(name).filter(|value| !value.is_null()).cloned()
}

impl TableDefinition {
    /// Reads a definition, or says which rule it breaks.
    pub(super) fn read(input: &Value) -> Result<Self, Refusal> {
        let name = table_name(require(input, "TableName")?)?.to_owned();
        check_enum(input, "BillingMode", &["PROVISIONED", "PAY_PER_REQUEST"])?;
        let attributes = attributes(input)?;
        let is_provisioned = text(input, "BillingMode") != Some("PAY_PER_REQUEST");
        let sse = member(input, "SSESpecification").unwrap_or_default();
        let definition = Self {
            name,
            attributes,
            keys: key_schema(input, "KeySchema")?,
            throughput: throughput(input, is_provisioned)?,
            on_demand: member(input, "OnDemandThroughput"),
            global_indexes: indexes(input, "GlobalSecondaryIndexes", is_provisioned)?,
            local_indexes: indexes(input, "LocalSecondaryIndexes", false)?,
            stream: member(input, "StreamSpecification"),
            class: text(input, "TableClass").map(str::to_owned),
            key: text(&sse, "KMSMasterKeyId").map(str::to_owned),
            is_kms_encrypted: sse.get("Enabled").and_then(Value::as_bool) == Some(true),
        };
        definition.check_throughput()?;
        definition.check_keys()?;
        Ok(definition)
    }

    fn check_throughput(&self) -> Result<(), Refusal> {
        let Some(on_demand) = &self.on_demand else {
            return Ok(());
        };
        let is_limited = on_demand.get("MaxWriteRequestUnits").is_some();
        if self.throughput.is_some() && is_limited {
            return Err(invalid(
                "MaxWriteRequestUnits for OnDemandThroughput cannot be specified when table \
                 BillingMode is PROVISIONED.",
            ));
        }
        Ok(())
    }

    /// Every attribute of a key is defined, and every defined one is of a key.
    fn check_keys(&self) -> Result<(), Refusal> {
        let defined: BTreeSet<&str> = self.attributes.iter().map(|(name, _)| &**name).collect();
        let indexes = || self.global_indexes.iter().chain(&self.local_indexes);
        let of_indexes = indexes().flat_map(|index| &index.keys);
        let used: BTreeSet<&str> = self
            .keys
            .iter()
            .chain(of_indexes)
            .map(String::as_str)
            .collect();
        if let Some(missing) = used.iter().find(|name| !defined.contains(**name)) {
            return Err(invalid(format!(
                "Some index key attributes are not defined in AttributeDefinitions. Keys: \
                 [{missing}], AttributeDefinitions: {}",
                bracketed(&defined)
            )));
        }
        if used.len() == defined.len() {
            return Ok(());
        }
        Err(if indexes().next().is_some() {
            invalid(format!(
                "Some AttributeDefinitions are not used. AttributeDefinitions: {}, keys used: {}",
                bracketed(&defined),
                bracketed(&used)
            ))
        } else {
            invalid(
                "Number of attributes in KeySchema does not exactly match number of attributes \
                 defined in AttributeDefinitions",
            )
        })
    }

    /// The type of an attribute of a key.
    pub(super) fn type_of(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(attribute, _)| attribute == name)
            .map(|(_, kind)| kind.as_str())
    }

    /// Adds what `DescribeTable` tells of it.
    pub(super) fn describe(&self, description: &mut Value, (arn, status): (&str, &str)) {
        let attributes: Vec<Value> = self
            .attributes
            .iter()
            .map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}))
            .collect();
        description["AttributeDefinitions"] = attributes.into();
        description["KeySchema"] = schema(&self.keys);
        description["ProvisionedThroughput"] = described_throughput(self.throughput);
        if self.throughput.is_none() {
            description["BillingModeSummary"] = json!({"BillingMode": "PAY_PER_REQUEST"});
        }
        if let Some(on_demand) = &self.on_demand {
            description["OnDemandThroughput"] = on_demand.clone();
        }
        if let Some(stream) = &self.stream {
            description["StreamSpecification"] = stream.clone();
        }
        if let Some(class) = &self.class {
            description["TableClassSummary"] = json!({"TableClass": class});
        }
        if !self.global_indexes.is_empty() {
            let indexes = self.global_indexes.iter();
            description["GlobalSecondaryIndexes"] = indexes
                .map(|index| {
                    let mut index = index.description(arn);
                    index["IndexStatus"] = status.into();
                    index
                })
                .collect();
        }
        if !self.local_indexes.is_empty() {
            let indexes = self.local_indexes.iter();
            description["LocalSecondaryIndexes"] =
                indexes.map(|index| index.description(arn)).collect();
        }
    }
}

impl IndexDefinition {
    fn description(&self, table: &str) -> Value {
        json!({
            "IndexName": self.name,
            "KeySchema": schema(&self.keys),
            "Projection": self.projection,
            "ProvisionedThroughput": described_throughput(self.throughput),
            "IndexSizeBytes": 0,
            "ItemCount": 0,
            "IndexArn": format!("{table}/index/{}", self.name),
        })
    }
}

/// `KeySchema` of keys by name.
pub(super) fn schema(keys: &[impl AsRef<str>]) -> Value {
    keys.iter()
        .zip(["HASH", "RANGE"])
        .map(|(name, kind)| json!({"AttributeName": name.as_ref(), "KeyType": kind}))
        .collect()
}

fn described_throughput(units: Option<(u64, u64)>) -> Value {
    let (reads, writes) = units.unwrap_or_default();
    json!({"NumberOfDecreasesToday": 0, "ReadCapacityUnits": reads, "WriteCapacityUnits": writes})
}

fn bracketed(names: &BTreeSet<&str>) -> String {
    format!("[{}]", names.iter().copied().collect::<Vec<_>>().join(", "))
}

/// A name by the rules of tables and indexes.
pub(super) fn table_name(name: &str) -> Result<&str, Refusal> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if name.len() < 3 {
        return Err(violation(
            "tableName",
            name,
            "Member must have length greater than or equal to 3",
        ));
    }
    if name.len() > 255 {
        return Err(violation(
            "tableName",
            name,
            "Member must have length less than or equal to 255",
        ));
    }
    if name.chars().all(fits) {
        return Ok(name);
    }
    Err(violation(
        "tableName",
        name,
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
    ))
}

fn attributes(input: &Value) -> Result<Vec<(String, String)>, Refusal> {
    let attributes = list(input, "AttributeDefinitions");
    attributes
        .iter()
        .map(|attribute| {
            check_enum(attribute, "AttributeType", &["B", "N", "S"])?;
            Ok((
                require(attribute, "AttributeName")?.to_owned(),
                require(attribute, "AttributeType")?.to_owned(),
            ))
        })
        .collect()
}

/// A partition key, and a sort key that may be there.
fn key_schema(input: &Value, member: &str) -> Result<Vec<String>, Refusal> {
    let elements = list(input, member);
    if elements.is_empty() {
        return Err(violation(
            "keySchema",
            "[]",
            "Member must have length greater than or equal to 1",
        ));
    }
    elements
        .iter()
        .zip(0..)
        .map(|(element, position)| {
            check_enum(element, "KeyType", &["HASH", "RANGE"])?;
            let kind = require(element, "KeyType")?;
            match (position, kind) {
                (0, "HASH") | (1, "RANGE") => Ok(require(element, "AttributeName")?.to_owned()),
                (0, _) => Err(Refusal::validation(
                    "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
                )),
                (1, _) => Err(Refusal::validation(
                    "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
                )),
                _ => Err(violation(
                    "keySchema",
                    "",
                    "Member must have length less than or equal to 2",
                )),
            }
        })
        .collect()
}

/// The capacity units, which belong to the mode `PROVISIONED` and to no other.
fn throughput(input: &Value, is_provisioned: bool) -> Result<Option<(u64, u64)>, Refusal> {
    let units = member(input, "ProvisionedThroughput").unwrap_or_default();
    let unit = |name: &str| units.get(name).and_then(Value::as_u64);
    let pair = unit("ReadCapacityUnits").zip(unit("WriteCapacityUnits"));
    match (is_provisioned, pair) {
        (true, None) => Err(invalid(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is \
             PROVISIONED",
        )),
        (false, Some(_)) => Err(invalid(
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode \
             is PAY_PER_REQUEST",
        )),
        (_, pair) => Ok(pair),
    }
}

fn indexes(
    input: &Value,
    member_name: &str,
    is_provisioned: bool,
) -> Result<Vec<IndexDefinition>, Refusal> {
    list(input, member_name)
        .iter()
        .map(|index| {
            Ok(IndexDefinition {
                name: table_name(require(index, "IndexName")?)?.to_owned(),
                keys: key_schema(index, "KeySchema")?,
                projection: member(index, "Projection").unwrap_or_default(),
                throughput: throughput(index, is_provisioned)?,
            })
        })
        .collect()
}
