//! The data lines of an export in DynamoDB JSON: whole items of a full export, and changes of an
//! incremental one.
//!
//! Lines are read into values that borrow from them. Nothing is converted: numbers stay texts and
//! bytes stay base64, since DynamoDB's numbers fit into none of Rust's types.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A text that borrows from its line unless it has escapes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl Text<'_> {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

/// An item, or a key: attributes by name.
pub type Item<'a> = BTreeMap<Text<'a>, AttributeValue<'a>>;

/// An attribute's value with its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttributeValue<'a> {
    /// A string.
    #[serde(borrow)]
    S(Text<'a>),
    /// A number, as its decimal text.
    #[serde(borrow)]
    N(Text<'a>),
    /// Bytes, in base64.
    #[serde(borrow)]
    B(Text<'a>),
    /// A truth value.
    #[serde(rename = "BOOL")]
    Bool(bool),
    /// Null; its content is always true.
    #[serde(rename = "NULL")]
    Null(bool),
    /// A list.
    #[serde(borrow)]
    L(Vec<AttributeValue<'a>>),
    /// A map.
    #[serde(borrow)]
    M(Item<'a>),
    /// A set of strings.
    #[serde(rename = "SS", borrow)]
    StringSet(Vec<Text<'a>>),
    /// A set of numbers.
    #[serde(rename = "NS", borrow)]
    NumberSet(Vec<Text<'a>>),
    /// A set of byte strings.
    #[serde(rename = "BS", borrow)]
    BinarySet(Vec<Text<'a>>),
}

/// A line of a full export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullLine<'a> {
    /// The item.
    #[serde(rename = "Item", borrow)]
    pub item: Item<'a>,
}

/// A line of an incremental export: one item that changed in the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeLine<'a> {
    /// When the item was written last.
    #[serde(rename = "Metadata", borrow)]
    pub metadata: ChangeMetadata<'a>,
    /// The item's key.
    #[serde(rename = "Keys", borrow)]
    pub keys: Item<'a>,
    /// The item at the end of the window; absent if it was deleted.
    #[serde(
        rename = "NewImage",
        borrow,
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub new_image: Option<Item<'a>>,
    /// The item at the beginning of the window; absent if it is new, or the view leaves it out.
    #[serde(
        rename = "OldImage",
        borrow,
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub old_image: Option<Item<'a>>,
}

/// What an incremental export says about a change beside its images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeMetadata<'a> {
    /// The time of the last write, in microseconds since 1970: an `N`.
    #[serde(rename = "WriteTimestampMicros", borrow)]
    pub write_timestamp_micros: AttributeValue<'a>,
}

/// What a data line can be.
pub trait DataLine<'a>: Sized + Serialize {
    /// Reads one line.
    fn parse(line: &'a str) -> serde_json::Result<Self>;

    /// Writes the line, without its end.
    fn to_json(&self) -> String {
        // Texts and maps with texts as keys cannot fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl<'a> DataLine<'a> for FullLine<'a> {
    fn parse(line: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(line)
    }
}

impl<'a> DataLine<'a> for ChangeLine<'a> {
    fn parse(line: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(line)
    }
}

/// Why a data file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct DataError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    #[source]
    pub reason: serde_json::Error,
}

/// The lines of an uncompressed data file; blank ones are passed over.
pub fn lines<'a, L: DataLine<'a> + 'a>(
    text: &'a str,
) -> impl Iterator<Item = Result<L, DataError>> + 'a {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            L::parse(line).map_err(|reason| DataError {
                line: index + 1,
                reason,
            })
        })
}
