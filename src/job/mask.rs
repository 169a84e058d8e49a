//! What must not leave an account as it is: which attributes of an export's items are masked, how, and
//! where the export lies until they are.
//!
//! A plan with a mask exports into a staging bucket, which is why [`Plan::destination`] of such a plan is
//! the staging bucket: nothing that runs or assesses an export can send the unmasked items anywhere else.
//! Where the masked items go is a part of the mask.
//!
//! [`Plan::destination`]: super::Plan

pub(super) mod parse;
mod path;

use std::path::PathBuf;

use serde_json::Value;

use super::{Destination, Encryption};

pub use path::{MaskPath, MaskStep};

/// The mask of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// Where the masked items go.
    pub destination: Destination,
    /// How they are encrypted there.
    pub encryption: Encryption,
    /// Whether the staging bucket may be of another account than the table, which then holds items that
    /// are not masked.
    pub staging_leaves_the_account: bool,
    /// Where the secret of the keyed methods comes from; there where one of them is used.
    pub secret: Option<SecretSource>,
    /// What is masked: at least one attribute, and none by two rules.
    pub rules: Vec<MaskRule>,
}

/// Where the secret of the keyed methods comes from. It is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// A file; a line end behind the secret is no part of it.
    File(PathBuf),
    /// A variable of the environment, by its name.
    Environment(String),
}

/// What is done to one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskRule {
    /// Where it stands in its item.
    pub path: MaskPath,
    /// What is done.
    pub method: MaskMethod,
}

/// What is done to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaskMethod {
    /// The attribute or element is left out.
    Drop,
    /// `NULL` stands in its place.
    Null,
    /// This attribute value stands in its place, in `DynamoDB` JSON.
    Replace(Value),
    /// A keyed hash stands in its place, of the same type.
    Hash,
    /// An address that follows from the value and the secret, below example.com.
    Email,
    /// As many digits, which follow from the value and the secret.
    Digits,
}

impl MaskMethod {
    /// The plan's word for it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Null => "null",
            Self::Replace(_) => "replace",
            Self::Hash => "hash",
            Self::Email => "email",
            Self::Digits => "digits",
        }
    }

    /// Whether what it makes follows from the secret.
    #[must_use]
    pub const fn is_keyed(&self) -> bool {
        matches!(self, Self::Hash | Self::Email | Self::Digits)
    }
}

impl Mask {
    /// The rule of an attribute of the table's key that is masked otherwise than by `hash`, which alone
    /// keeps different keys different.
    pub fn unfit_for_keys<'k>(&self, mut keys: impl Iterator<Item = &'k str>) -> Option<&MaskRule> {
        let rule_of = |key: &str| {
            let mut rules = self.rules.iter();
            rules.find(|rule| rule.path.attribute() == key && rule.method != MaskMethod::Hash)
        };
        keys.find_map(rule_of)
    }
}
