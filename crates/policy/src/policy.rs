//! A policy as it was read: its text, and what that says, parsed once.
//!
//! The one who reads a policy keeps it in this form, so that all who ask what it says share one parse. A
//! text that is no policy document is kept as well: what could not be understood is told, not lost.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::document::{Document, ParseError};

/// A policy's text and its document. Clones share both.
#[derive(Clone)]
pub struct Policy(Parsed);

#[derive(Clone)]
enum Parsed {
    Document(Arc<Document<'static>>),
    Malformed(Arc<str>, ParseError),
}

impl Policy {
    /// The text, byte for byte as it was read.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.0 {
            Parsed::Document(document) => document.text(),
            Parsed::Malformed(text, _) => text,
        }
    }

    /// What the text says.
    ///
    /// # Errors
    ///
    /// What AWS would refuse as malformed, with its place.
    pub const fn document(&self) -> Result<&Arc<Document<'static>>, &ParseError> {
        match &self.0 {
            Parsed::Document(document) => Ok(document),
            Parsed::Malformed(_, error) => Err(error),
        }
    }
}

impl From<&str> for Policy {
    fn from(text: &str) -> Self {
        Self(match Document::parse(text) {
            Ok(document) => Parsed::Document(Arc::new(document.into_owned())),
            Err(error) => Parsed::Malformed(text.into(), error),
        })
    }
}

impl From<String> for Policy {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

/// Two policies are equal where their texts are.
impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Policy {}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Policy").field(&self.text()).finish()
    }
}

/// A policy is written as its text.
impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(String::deserialize(deserializer)?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_keeps_its_bytes_and_what_they_say() {
        let text = "{ \"Statement\" : {\"Sid\":\"\\u0041\",\"Effect\":\"Deny\",\n\"Action\":\"s3:*\",\"Resource\":\"*\"} }\n";
        let policy = Policy::from(text);
        assert_eq!(policy.text(), text);
        let statement = &policy.document().unwrap().statements()[0];
        assert_eq!(statement.label(0), "A");
        let written = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        assert_eq!(serde_json::from_str::<Policy>(&written).unwrap(), policy);
    }

    #[test]
    fn a_text_that_is_no_policy_is_kept_with_what_is_wrong() {
        let policy = Policy::from("{\"Statement\": 1}");
        assert_eq!(policy.text(), "{\"Statement\": 1}");
        let error = policy.document().unwrap_err();
        assert!(
            error.message.contains("a statement must be an object"),
            "{error}"
        );
    }
}
