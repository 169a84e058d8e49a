//! The table's keys: which attributes they are, and the canonical form of an item's key.

use std::fmt;
use std::str::FromStr;

use super::fault::{LineFault, LineFaultKind};
use super::number::Number;
use crate::job::table_definition::KeyType;

/// A key attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAttribute {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: KeyType,
}

/// Why a text names no key attribute, or attributes are no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeySchema {
    /// The text has not the form `NAME:TYPE`.
    #[error("`{0}` is no key attribute: give its name and its type S, N or B, as in `orderId:S`")]
    Attribute(String),
    /// A table has one or two.
    #[error("a table has one or two key attributes, of different names")]
    Count,
}

impl FromStr for KeyAttribute {
    type Err = InvalidKeySchema;

    fn from_str(text: &str) -> Result<Self, InvalidKeySchema> {
        let wrong = || InvalidKeySchema::Attribute(text.to_owned());
        let (name, kind) = text.rsplit_once(':').ok_or_else(wrong)?;
        let kind = kind.parse().map_err(|_| wrong())?;
        if name.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            name: name.to_owned(),
            kind,
        })
    }
}

/// A table's key attributes, the partition key first where it is known which it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySchema(Vec<KeyAttribute>);

impl KeySchema {
    /// One or two attributes.
    ///
    /// # Errors
    /// Where there are none, more, or two of one name.
    pub fn new(attributes: Vec<KeyAttribute>) -> Result<Self, InvalidKeySchema> {
        match attributes.as_slice() {
            [_] => Ok(Self(attributes)),
            [one, other] if one.name != other.name => Ok(Self(attributes)),
            _ => Err(InvalidKeySchema::Count),
        }
    }

    /// The attributes.
    pub fn attributes(&self) -> std::slice::Iter<'_, KeyAttribute> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Each attribute as `NAME:TYPE`.
    #[must_use]
    pub fn to_texts(&self) -> Vec<String> {
        let attributes = self.0.iter();
        attributes
            .map(|attribute| format!("{}:{}", attribute.name, attribute.kind))
            .collect()
    }

    /// Attributes that are each `NAME:TYPE`.
    ///
    /// # Errors
    /// As of [`KeySchema::new`], or where a text is no attribute.
    pub fn from_texts(texts: &[String]) -> Result<Self, InvalidKeySchema> {
        let attributes = texts.iter().map(|text| text.parse());
        Self::new(attributes.collect::<Result<_, _>>()?)
    }

    pub(super) fn position(&self, name: &[u8]) -> Option<usize> {
        let mut attributes = self.0.iter();
        attributes.position(|attribute| attribute.name.as_bytes() == name)
    }

    /// Whether it has the same attributes, in whichever order.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.len() == other.len() && self.0.iter().all(|attribute| other.0.contains(attribute))
    }
}

impl fmt::Display for KeySchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_texts().join(", "))
    }
}

/// The key of one item, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct KeyBuffer {
    /// Whether there was such an item.
    pub(super) is_present: bool,
    parts: [Vec<u8>; 2],
    is_found: [bool; 2],
}

impl KeyBuffer {
    pub(super) fn clear(&mut self) {
        self.is_present = false;
        self.is_found = [false; 2];
    }

    /// The canonical form of one attribute.
    pub(super) fn part(&self, index: usize) -> Option<&[u8]> {
        let is_found = *self.is_found.get(index)?;
        is_found.then(|| self.parts.get(index).map(Vec::as_slice))?
    }

    /// Keeps an attribute: a string's text, a number in any spelling, bytes in base64.
    pub(super) fn keep(
        &mut self,
        index: usize,
        attribute: &KeyAttribute,
        found: Option<KeyType>,
        value: &[u8],
    ) -> Result<(), Box<LineFault>> {
        if found != Some(attribute.kind) {
            return Err(LineFault::new(LineFaultKind::KeyOfAnotherType {
                expected: attribute.kind,
            }));
        }
        if value.is_empty() {
            return Err(LineFault::new(LineFaultKind::EmptyKey));
        }
        let Some(part) = self.parts.get_mut(index) else {
            return Ok(());
        };
        part.clear();
        if attribute.kind == KeyType::N {
            let number = Number::parse(value).map_err(LineFault::new)?;
            number.write(part);
        } else {
            part.extend_from_slice(value);
        }
        if let Some(is_found) = self.is_found.get_mut(index) {
            *is_found = true;
        }
        Ok(())
    }

    /// Writes the whole key, where all its attributes were found.
    pub(super) fn write(&self, count: usize, out: &mut Vec<u8>) -> bool {
        for index in 0..count {
            let Some(part) = self.part(index) else {
                return false;
            };
            // The length keeps ("a", "bc") apart from ("ab", "c"); a key has at most 2048 bytes.
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(part);
        }
        true
    }
}
