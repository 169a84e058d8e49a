//! Resources as the `Resource` of a policy can name them.

use std::fmt;

use serde::Serialize;

use super::JobContext;
use tableferry_policy::arn::Arn;

/// A resource, as a policy's `Resource` names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum Resource {
    /// An ARN or a pattern of ARNs.
    Pattern(String),
    /// The key that has this alias in an account; a policy cannot name a key by its alias, but by
    /// the condition key `kms:ResourceAliases`.
    KeyByAlias {
        /// The pattern of all keys that it may be.
        pattern: String,
        /// The alias, `alias/…`.
        alias: String,
    },
}

impl Resource {
    /// The key as a policy can name it; `None` for an AWS managed key, for which nothing can be
    /// granted.
    ///
    /// An id or an alias without an account is looked for in the caller's.
    #[must_use]
    pub fn of_key(key: &str, context: JobContext<'_>) -> Option<Self> {
        let partition = context.partition();
        let (region, account, id) = match key.parse::<Arn>() {
            Ok(arn) => (arn.region, arn.account, arn.resource),
            Err(_) if key.starts_with("alias/") => {
                ("*".to_owned(), context.account.to_string(), key.to_owned())
            }
            Err(_) => (
                "*".to_owned(),
                context.account.to_string(),
                format!("key/{key}"),
            ),
        };
        if id.starts_with("alias/aws/") || id.starts_with("key/aws/") {
            return None;
        }
        let arn = |resource: &str| format!("arn:{partition}:kms:{region}:{account}:{resource}");
        Some(if id.starts_with("alias/") {
            Self::KeyByAlias {
                pattern: arn("key/*"),
                alias: id,
            }
        } else {
            Self::Pattern(arn(&id))
        })
    }

    /// The pattern for `Resource`.
    #[must_use]
    pub fn pattern(&self) -> &str {
        match self {
            Self::Pattern(pattern) | Self::KeyByAlias { pattern, .. } => pattern,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(pattern) => f.write_str(pattern),
            Self::KeyByAlias { pattern, alias } => match pattern.parse::<Arn>() {
                Ok(arn) => write!(f, "the key of {alias} in {}", arn.account),
                Err(_) => write!(f, "the key of {alias}"),
            },
        }
    }
}

/// A text as a policy's `Resource` takes it word for word: what would be a wildcard or the
/// beginning of a variable is written as the variable that stands for it (the IAM user guide's
/// page on policy variables, "Special characters").
#[must_use]
pub fn literal(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' => written.push_str("${*}"),
            '?' => written.push_str("${?}"),
            '$' if characters.peek() == Some(&'{') => written.push_str("${$}"),
            other => written.push(other),
        }
    }
    written
}
