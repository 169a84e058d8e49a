//! The words of AWS that are easily swapped, each a type of its own: an account id, a Region, a bucket
//! name and an ARN.
//!
//! This module decides what is well formed, and nothing else: whether a thing exists is for the
//! accounts to say.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use crate::malformed::Malformed;
pub use crate::partition::Partition;

/// Implements the traits that every checked text shares: it reads and prints as its text.
macro_rules! checked_text {
    ($name:ident) => {
        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;
            fn try_from(text: String) -> Result<Self, Malformed> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

/// An AWS account id: twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);
checked_text!(AccountId);

impl FromStr for AccountId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(text, "an account id: twelve digits"))
        }
    }
}

/// A Region's code, such as `eu-west-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(String);
checked_text!(Region);

impl Region {
    /// The partition that the Region lies in, told from its code as the SDKs' partition rules do; a
    /// code that none of them knows is of the commercial partition.
    #[must_use]
    pub fn partition(&self) -> Partition {
        Partition::of_region(&self.0)
    }
}

impl FromStr for Region {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut parts = text.split('-').rev();
        let has_number = parts
            .next()
            .is_some_and(|last| !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()));
        let words: Vec<&str> = parts.collect();
        let has_words = words.len() >= 2
            && words.iter().all(|word| {
                !word.is_empty()
                    && word
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            });
        if has_number && has_words {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(text, "a Region's code, such as eu-west-1"))
        }
    }
}

/// A bucket's name, by the pattern that the export call takes.
///
/// The pattern is wider than S3's own rules for new buckets, since old ones may still carry
/// capitals and underscores (`S3Bucket` in the API reference of `ExportTableToPointInTime`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BucketName(String);
checked_text!(BucketName);

impl BucketName {
    /// The bucket's own ARN.
    #[must_use]
    pub fn arn(&self, partition: Partition) -> String {
        format!("arn:{partition}:s3:::{self}")
    }
}

impl FromStr for BucketName {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.starts_with("arn:") {
            return Err(Malformed::new(
                text,
                "a bucket's name but an ARN: give the name alone, what follows `:::`",
            ));
        }
        let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let outer = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = text.as_bytes();
        if (2..=255).contains(&bytes.len())
            && bytes.iter().all(|b| inner(*b))
            && outer(bytes.first())
            && outer(bytes.last())
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                text,
                "a bucket's name: letters, digits, dots, hyphens and underscores, a letter or digit first and last",
            ))
        }
    }
}

/// An Amazon Resource Name, in its six parts.
///
/// Account and Region stay text here, because ARNs of some services leave them empty and policies
/// put wildcards there; [`Arn::account_id`] and [`Arn::region_code`] give the checked ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn {
    /// The partition.
    pub partition: Partition,
    /// The service's namespace, such as `dynamodb`.
    pub service: String,
    /// The Region's code, or empty.
    pub region: String,
    /// The account id, or empty.
    pub account: String,
    /// All that follows the fifth colon.
    pub resource: String,
}

impl Arn {
    /// The ARN of an IAM resource, such as `role/Exporter`.
    #[must_use]
    pub fn iam(partition: Partition, account: &AccountId, resource: impl Into<String>) -> Self {
        Self {
            partition,
            service: "iam".to_owned(),
            region: String::new(),
            account: account.to_string(),
            resource: resource.into(),
        }
    }

    /// The account, where the ARN names one.
    #[must_use]
    pub fn account_id(&self) -> Option<AccountId> {
        self.account.parse().ok()
    }

    /// The Region, where the ARN names one.
    #[must_use]
    pub fn region_code(&self) -> Option<Region> {
        self.region.parse().ok()
    }

    /// What follows `prefix/` in the resource part, such as the table's name for `table`.
    #[must_use]
    pub fn resource_after(&self, prefix: &str) -> Option<&str> {
        self.resource.strip_prefix(prefix)?.strip_prefix('/')
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "arn:{}:{}:{}:{}:{}",
            self.partition, self.service, self.region, self.account, self.resource
        )
    }
}

impl FromStr for Arn {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || {
            Malformed::new(
                text,
                "an ARN: arn:partition:service:region:account:resource",
            )
        };
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or_else(malformed);
        if next()? != "arn" {
            return Err(malformed());
        }
        let partition = next()?.parse().map_err(|_| malformed())?;
        let arn = Self {
            partition,
            service: next()?.to_owned(),
            region: next()?.to_owned(),
            account: next()?.to_owned(),
            resource: next()?.to_owned(),
        };
        if arn.service.is_empty() || arn.resource.is_empty() {
            return Err(malformed());
        }
        Ok(arn)
    }
}

impl TryFrom<String> for Arn {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> Self {
        arn.to_string()
    }
}

/// Whether a text is the unique id of a role or user, which AWS shows in place of a principal that
/// was deleted ("AWS JSON policy elements: Principal").
#[must_use]
pub fn is_unique_id(text: &str) -> bool {
    (text.starts_with("AROA") || text.starts_with("AIDA"))
        && text.len() >= 16
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_keeps_colons_in_its_resource() {
        let text = "arn:aws-cn:logs:cn-north-1:111111111111:log-group:/aws-dynamodb/imports:*";
        let arn: Arn = text.parse().unwrap();
        assert_eq!(arn.resource, "log-group:/aws-dynamodb/imports:*");
        assert_eq!(arn.partition, Partition::China);
        assert_eq!(arn.to_string(), text);
    }

    #[test]
    fn a_table_arn_gives_its_table_account_and_region() {
        let arn: Arn = "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders"
            .parse()
            .unwrap();
        assert_eq!(arn.resource_after("table"), Some("Orders"));
        assert_eq!(arn.account_id().unwrap().as_str(), "111111111111");
        assert_eq!(arn.region_code().unwrap().as_str(), "eu-west-1");
    }

    #[test]
    fn texts_that_are_no_arn_are_refused() {
        for text in [
            "",
            "Orders",
            "arn:aws:s3::",
            "arn:mars:s3:::b",
            "arn:aws::r:a:x",
        ] {
            assert!(text.parse::<Arn>().is_err(), "{text}");
        }
    }

    #[test]
    fn account_ids_have_twelve_digits() {
        assert!("111111111111".parse::<AccountId>().is_ok());
        for text in [
            "11111111111",
            "1111111111111",
            "11111111111a",
            "１１１１１１１１１１１１",
        ] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_bucket_given_as_an_arn_says_so() {
        let error = "arn:aws:s3:::landing".parse::<BucketName>().unwrap_err();
        assert!(error.to_string().contains("name alone"), "{error}");
    }

    #[test]
    fn bucket_names_begin_and_end_with_a_letter_or_digit() {
        assert!("export-landing.v2_x".parse::<BucketName>().is_ok());
        for text in ["-landing", "landing-", "a b", "", "a/b"] {
            assert!(text.parse::<BucketName>().is_err(), "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_region_are_refused() {
        for text in ["eu", "EU-WEST-1", "eu-west-1a", "eu--1", ""] {
            assert!(text.parse::<Region>().is_err(), "{text}");
        }
    }
}
