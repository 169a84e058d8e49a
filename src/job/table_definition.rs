//! What a table is made with: keys, global indexes, capacity, encryption, as far as `ImportTable` takes
//! them (`TableCreationParameters`, `DynamoDB` API reference).
//!
//! Attributes are those of the keys, and no more: one that is left over is refused ("Number of attributes
//! in `KeySchema` does not exactly match number of attributes defined in `AttributeDefinitions`").

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

use super::value::InvalidValue;

/// A table that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDefinition {
    /// Its name.
    pub name: String,
    /// Its keys.
    pub keys: TableKeys,
    /// Its capacity units; `None` where each request is paid for (`PAY_PER_REQUEST`).
    pub capacity: Option<Capacity>,
    /// The customer managed key that encrypts it, where it is not `DynamoDB`'s own.
    pub kms_key: Option<String>,
    /// Its global secondary indexes.
    pub indexes: Vec<IndexDefinition>,
}

/// The keys of a table or an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableKeys {
    /// The partition key.
    pub partition: KeyPart,
    /// The sort key.
    pub sort: Option<KeyPart>,
}

/// An attribute of a key, written `name:S`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyPart {
    /// The attribute's name.
    pub name: String,
    /// Its type.
    pub kind: KeyType,
}

/// The types that an attribute of a key can have.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Display, EnumString, Serialize, Deserialize,
)]
pub enum KeyType {
    /// Text.
    S,
    /// A number.
    N,
    /// Bytes.
    B,
}

/// Provisioned capacity units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// Read capacity units.
    pub read_units: u64,
    /// Write capacity units.
    pub write_units: u64,
}

/// A global secondary index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexDefinition {
    /// Its name.
    pub name: String,
    /// Its keys.
    pub keys: TableKeys,
    /// Which attributes it holds.
    pub projection: Projection,
    /// Its capacity units, where the table's are provisioned.
    pub capacity: Option<Capacity>,
}

/// Which attributes an index holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Projection {
    /// All.
    All,
    /// The keys alone.
    KeysOnly,
    /// The keys and these.
    Include(Vec<String>),
}

impl FromStr for KeyPart {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let invalid = |message: String| InvalidValue {
            message,
            hint: "write the attribute's name and its type, S, N or B, such as `orderId:S`"
                .to_owned(),
        };
        let (name, letter) = text
            .rsplit_once(':')
            .ok_or_else(|| invalid(format!("`{text}` names no type")))?;
        let kind = letter
            .parse()
            .map_err(|_| invalid(format!("`{letter}` is no type of a key")))?;
        // "Attribute names for keys" have 1 to 255 characters ("Quotas", developer guide).
        if name.is_empty() || name.len() > 255 {
            return Err(invalid(format!(
                "`{name}` is no name of an attribute of a key"
            )));
        }
        Ok(Self {
            name: name.to_owned(),
            kind,
        })
    }
}

impl fmt::Display for KeyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.kind)
    }
}

impl TableKeys {
    /// The attributes, the partition key first.
    pub fn parts(&self) -> impl Iterator<Item = &KeyPart> {
        std::iter::once(&self.partition).chain(&self.sort)
    }
}

impl TableDefinition {
    /// The attributes of all keys, each once.
    #[must_use]
    pub fn attributes(&self) -> BTreeMap<&str, KeyType> {
        let of_indexes = self.indexes.iter().flat_map(|index| index.keys.parts());
        let all = self.keys.parts().chain(of_indexes);
        all.map(|part| (part.name.as_str(), part.kind)).collect()
    }

    /// An attribute that two keys take for different types, if there is one.
    #[must_use]
    pub fn ambiguous_attribute(&self) -> Option<&str> {
        let known = self.attributes();
        let of_indexes = self.indexes.iter().flat_map(|index| index.keys.parts());
        let mut all = self.keys.parts().chain(of_indexes);
        all.find(|part| known.get(part.name.as_str()) != Some(&part.kind))
            .map(|part| part.name.as_str())
    }

    /// The table in lines, as it is shown before the yes.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let capacity = |capacity: &Option<Capacity>| match capacity {
            Some(units) => format!(
                "{} read and {} write capacity units",
                units.read_units, units.write_units
            ),
            None => "on-demand capacity".to_owned(),
        };
        let encryption = match &self.kms_key {
            Some(key) => format!("encrypted with KMS key {key}"),
            None => "encrypted with DynamoDB's own key".to_owned(),
        };
        let mut lines = vec![format!(
            "new table {}: {}, {}, {encryption}",
            self.name,
            described(&self.keys),
            capacity(&self.capacity)
        )];
        lines.extend(self.indexes.iter().map(|index| {
            let projection = match &index.projection {
                Projection::All => "all attributes".to_owned(),
                Projection::KeysOnly => "keys only".to_owned(),
                Projection::Include(names) => format!("keys and {}", names.join(", ")),
            };
            let units = match &index.capacity {
                Some(_) => format!(", {}", capacity(&index.capacity)),
                None => String::new(),
            };
            format!(
                "global index {}: {}, {projection}{units}",
                index.name,
                described(&index.keys)
            )
        }));
        lines
    }
}

fn described(keys: &TableKeys) -> String {
    match &keys.sort {
        Some(sort) => format!("partition key {}, sort key {sort}", keys.partition),
        None => format!("partition key {}", keys.partition),
    }
}
