//! A fact: one value, and how it came to be known or not.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One thing to be known, and how it came to be known or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Fact<T> {
    /// It was read.
    Known {
        /// What it is.
        value: T,
        /// When it was read.
        read_at: Timestamp,
        /// The call or file that told it, such as `s3:GetBucketPolicy`.
        source: String,
    },
    /// It was asked for, and there is none: a bucket without a policy, a table without a key.
    Absent {
        /// When it was asked for.
        read_at: Timestamp,
        /// The call or file that told it.
        source: String,
    },
    /// We may not read it.
    Refused(ReadError),
    /// It could not be read for another reason, such as a server that did not answer.
    Failed(ReadError),
    /// Nobody asked.
    Unasked {
        /// Why not.
        #[serde(default)]
        why: Unasked,
    },
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReadError {
    /// The permission that reading it takes; empty where none would make it known.
    pub permission: String,
    /// AWS's error code, where it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// AWS's message, or what went wrong. In facts of version 1, the code and a colon are before it.
    pub detail: String,
    /// AWS's request id, where there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// When it was asked for; not noted in facts of version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// Whether nothing answered in time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unanswered: bool,
}

impl ReadError {
    /// The code, where there is one, and the message.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.code {
            Some(code) => format!("{code}: {}", self.detail),
            None => self.detail.clone(),
        }
    }

    /// AWS's error code; where there is none, what went wrong.
    #[must_use]
    pub fn code_or_detail(&self) -> &str {
        self.code.as_deref().unwrap_or(&self.detail)
    }
}

/// Why nobody asked for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unasked {
    /// The reading was not about it.
    #[default]
    NotRequested,
    /// No call tells it: the policies of a federated user, the end of a session of unknown length.
    NoCallTells,
    /// Nothing of the kind can bear on it: control policies over a management account.
    NotApplicable,
    /// What it belongs to is not there, or is not known.
    OwnerMissing,
    /// It is told to the owning account alone, and nobody signs in to that.
    OwnerOnly,
    /// It was asked about other circumstances than the job's.
    AskedOtherwise,
}

impl Unasked {
    /// The reason in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotRequested => "it was not asked for",
            Self::NoCallTells => "no call tells it",
            Self::NotApplicable => "it was not asked for, since it cannot apply",
            Self::OwnerMissing => "it was not asked for, since what it belongs to is not known",
            Self::OwnerOnly => {
                "only the account that owns it is told, and no profile signs in to that"
            }
            Self::AskedOtherwise => "it was asked about other circumstances than the plan's",
        }
    }
}

impl<T> Default for Fact<T> {
    fn default() -> Self {
        Self::UNASKED
    }
}

impl<T> Fact<T> {
    /// A thing that the reading was not about.
    pub const UNASKED: Self = Self::unasked(Unasked::NotRequested);

    /// A thing that was read.
    pub fn known(value: T, read_at: Timestamp, source: impl Into<String>) -> Self {
        Self::Known {
            value,
            read_at,
            source: source.into(),
        }
    }

    /// A thing that is not there.
    pub fn absent(read_at: Timestamp, source: impl Into<String>) -> Self {
        Self::Absent {
            read_at,
            source: source.into(),
        }
    }

    /// A thing that nobody asked for.
    #[must_use]
    pub const fn unasked(why: Unasked) -> Self {
        Self::Unasked { why }
    }

    /// What is known; `None` where it is absent too.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The same fact about something made of what was read.
    #[must_use]
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known {
                value,
                read_at,
                source,
            } => Fact::Known {
                value: make(value),
                read_at,
                source,
            },
            Self::Absent { read_at, source } => Fact::Absent { read_at, source },
            Self::Refused(error) => Fact::Refused(error),
            Self::Failed(error) => Fact::Failed(error),
            Self::Unasked { why } => Fact::Unasked { why },
        }
    }

    /// The value, to be changed in place.
    pub const fn value_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Known { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Whether it is known to be there or not to be there.
    pub const fn is_settled(&self) -> bool {
        matches!(self, Self::Known { .. } | Self::Absent { .. })
    }

    /// Whether it is known not to be there.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// Why it could not be read, where it was asked for.
    pub const fn error(&self) -> Option<&ReadError> {
        match self {
            Self::Refused(error) | Self::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// The permission that would make it known, and what stood in the way; `None` where it is
    /// settled. `usual` is the permission where nobody asked.
    pub fn obstacle(&self, usual: &str) -> Option<ReadError> {
        match self {
            Self::Known { .. } | Self::Absent { .. } => None,
            Self::Refused(error) => Some(error.clone()),
            // No permission would make it known.
            Self::Failed(error) => Some(ReadError {
                permission: String::new(),
                code: None,
                detail: match error.permission.as_str() {
                    "" => error.words(),
                    permission => format!("{permission}: {}", error.words()),
                },
                ..error.clone()
            }),
            Self::Unasked { why } => Some(ReadError {
                permission: usual.to_owned(),
                detail: why.as_str().to_owned(),
                ..ReadError::default()
            }),
        }
    }

    /// Takes what another identity read, where this one could not.
    pub fn fill(&mut self, other: Self) {
        if !self.is_settled() && other.is_settled() {
            *self = other;
        }
    }

    /// Takes another reading of the same thing, where this one did not settle it: what is known of it,
    /// or why it could not be read where nobody asked here.
    pub fn fill_or_explain(&mut self, other: Self) {
        if matches!(self, Self::Unasked { .. }) {
            *self = other;
        } else {
            self.fill(other);
        }
    }

    /// When it was read, or asked for in vain, where that is known.
    pub const fn read_at(&self) -> Option<Timestamp> {
        match self {
            Self::Known { read_at, .. } | Self::Absent { read_at, .. } => Some(*read_at),
            Self::Refused(error) | Self::Failed(error) => error.asked_at,
            Self::Unasked { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refusal_of_version_1_is_read_with_its_words_as_they_are() {
        let text = json!({
            "state": "refused",
            "permission": "kms:ListGrants",
            "detail": "AccessDeniedException: not authorized",
        });
        let fact: Fact<String> = serde_json::from_value(text.clone()).unwrap();
        let error = fact.error().unwrap();
        assert_eq!(error.words(), "AccessDeniedException: not authorized");
        assert_eq!((&error.code, &error.request_id), (&None, &None));
        assert_eq!(serde_json::to_value(&fact).unwrap(), text);
    }

    #[test]
    fn a_refusal_carries_aws_s_code_and_request_id_apart_from_its_message() {
        let error = ReadError {
            permission: "kms:ListGrants".to_owned(),
            code: Some("AccessDeniedException".to_owned()),
            detail: "not authorized".to_owned(),
            request_id: Some("4442587FB7D0A2F9".to_owned()),
            ..ReadError::default()
        };
        let fact: Fact<String> = Fact::Refused(error);
        let text = serde_json::to_string(&fact).unwrap();
        assert_eq!(serde_json::from_str::<Fact<String>>(&text).unwrap(), fact);
        let error = fact.obstacle("").unwrap();
        assert_eq!(error.words(), "AccessDeniedException: not authorized");
        assert_eq!(error.code_or_detail(), "AccessDeniedException");
        assert_eq!(error.permission, "kms:ListGrants");
    }

    #[rstest]
    #[case::of_version_1(json!({"state": "unasked"}), "it was not asked for")]
    #[case::with_a_reason(json!({"state": "unasked", "why": "no_call_tells"}), "no call tells it")]
    fn what_nobody_asked_for_says_why(#[case] text: serde_json::Value, #[case] why: &str) {
        let fact: Fact<String> = serde_json::from_value(text).unwrap();
        let obstacle = fact.obstacle("iam:GetRole").unwrap();
        assert_eq!(
            (obstacle.permission.as_str(), obstacle.words().as_str()),
            ("iam:GetRole", why)
        );
    }
}
