//! What each value of a plan must be: one rule a value, for the plan file and the wizard alike.
//!
//! A text becomes a value here, or is refused with what is wrong and what would be right. The plan
//! file adds the line, the wizard shows the same words beside the field.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::TableRef;
use tableferry_policy::arn::{AccountId, Arn, BucketName, Malformed, Region};

/// The shortest and the longest window of an incremental export ("Requesting a table export" in the
/// DynamoDB developer guide).
pub(super) const WINDOW: (SignedDuration, SignedDuration) = (
    SignedDuration::from_mins(15),
    SignedDuration::from_hours(24),
);

/// What the window of an incremental export needs.
pub const WINDOW_ENDS: &str = "an incremental export needs `from` (inclusive) and `to` (exclusive), 15 minutes to 24 hours apart";

/// Why a text is not the value that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} — {hint}")]
pub struct InvalidValue {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: String,
}

impl InvalidValue {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// What the objects' keys begin with (`S3Prefix`): not empty, and without a closing slash, since
/// DynamoDB itself puts one before `AWSDynamoDB`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(String);

/// A KMS key as the export call takes it (`S3SseKmsKeyId`): a full ARN, or an id or alias.
///
/// A request of the journal is read as it was written, whatever the rule was then.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyRef(String);

/// Implements the traits of a checked text.
macro_rules! reads_as_its_text {
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
    };
}

reads_as_its_text!(Prefix);
reads_as_its_text!(KeyRef);

impl FromStr for Prefix {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let kept = text.trim_end_matches('/');
        let length = kept.chars().count();
        if kept.is_empty() {
            return Err(InvalidValue::new(
                format!("the prefix `{text}` names no folder"),
                "leave `prefix` out to write to the bucket's root",
            ));
        }
        if length > 1024 {
            return Err(InvalidValue::new(
                format!("`prefix` has {length} characters"),
                "at most 1024",
            ));
        }
        if kept.chars().any(char::is_control) {
            return Err(InvalidValue::new(
                format!("the prefix `{text}` has a control character"),
                "letters, digits and ! - _ . * ' ( ) / are safe in keys",
            ));
        }
        if kept.starts_with("s3://") || kept.starts_with("arn:") {
            return Err(InvalidValue::new(
                format!("`{text}` is an address, not a prefix"),
                "give what follows the bucket's name",
            ));
        }
        Ok(Self(kept.to_owned()))
    }
}

impl FromStr for KeyRef {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        const RIGHT: &str = "give the key's full ARN: arn:aws:kms:REGION:ACCOUNT:key/ID";
        let length = text.chars().count();
        if length > 2048 {
            return Err(InvalidValue::new(
                format!("`key` has {length} characters"),
                RIGHT,
            ));
        }
        if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(InvalidValue::new("`key` has a space or line break", RIGHT));
        }
        if text.starts_with("arn:") {
            let arn = parsed::<Arn>(text, RIGHT)?;
            let is_key = arn.service == "kms"
                && arn.region_code().is_some()
                && arn.account_id().is_some()
                && ["key", "alias"]
                    .iter()
                    .any(|kind| arn.resource_after(kind).is_some_and(|id| !id.is_empty()));
            if !is_key {
                return Err(InvalidValue::new(
                    format!("`{text}` is not the ARN of a KMS key"),
                    RIGHT,
                ));
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl From<&Arn> for KeyRef {
    fn from(key: &Arn) -> Self {
        Self(key.to_string())
    }
}

impl FromStr for TableRef {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.starts_with("arn:") {
            return table_arn(text).map(Self::Arn);
        }
        match name_problem(text) {
            None => Ok(Self::Name(text.to_owned())),
            Some(problem) => Err(InvalidValue::new(
                format!("`{text}` is not a table's name: {problem}"),
                "3 to 255 letters, digits, hyphens, underscores and dots, or a full table ARN",
            )),
        }
    }
}

/// What is wrong with a table's name (the developer guide's naming rules), if anything.
fn name_problem(name: &str) -> Option<String> {
    let length = name.chars().count();
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || "_.-".contains(*c);
    if let Some(other) = name.chars().find(|c| !is_allowed(c)) {
        return Some(format!("it has `{other}`"));
    }
    (!(3..=255).contains(&length)).then(|| format!("it has {}", characters(length)))
}

/// A number of characters, in words.
fn characters(count: usize) -> String {
    match count {
        1 => "1 character".to_owned(),
        count => format!("{count} characters"),
    }
}

fn table_arn(text: &str) -> Result<Arn, InvalidValue> {
    const RIGHT: &str = "give the table's ARN: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME";
    let arn = parsed::<Arn>(text, RIGHT)?;
    let is_table = arn.service == "dynamodb"
        && arn.region_code().is_some()
        && arn.account_id().is_some()
        && text.len() <= 1024
        && arn
            .resource_after("table")
            .is_some_and(|name| name_problem(name).is_none());
    if is_table {
        Ok(arn)
    } else {
        Err(InvalidValue::new(
            format!("`{text}` is not the ARN of a DynamoDB table"),
            RIGHT,
        ))
    }
}

/// A value of the policy crate, with what would be right where it is none.
fn parsed<T: FromStr<Err = Malformed>>(
    text: &str,
    hint: impl Into<String>,
) -> Result<T, InvalidValue> {
    text.parse()
        .map_err(|error: Malformed| InvalidValue::new(error.to_string(), hint))
}

/// The bucket that receives the export, by its name.
pub fn bucket(text: &str) -> Result<BucketName, InvalidValue> {
    let name = text
        .strip_prefix("s3://")
        .or_else(|| text.split(":::").nth(1))
        .and_then(|rest| rest.split('/').next())
        .filter(|name| name.parse::<BucketName>().is_ok());
    parsed(
        text,
        match name {
            Some(name) => format!("the name is \"{name}\"; what follows a slash is the `prefix`"),
            None => {
                "2 to 255 letters, digits, dots, hyphens and underscores, a letter or digit first and last"
                    .to_owned()
            }
        },
    )
}

/// The account that owns the bucket.
pub fn bucket_owner(text: &str) -> Result<AccountId, InvalidValue> {
    parsed(
        text,
        "give the id of the account that owns the bucket: twelve digits, without hyphens",
    )
}

/// A profile's name.
pub(super) fn profile(text: &str) -> Result<String, InvalidValue> {
    if text.trim() == text && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(InvalidValue::new(
        format!("`{text}` is not a profile's name"),
        "give the name as it stands in brackets in the shared config file, without `profile`",
    ))
}

/// A Region's code.
pub fn region(text: &str) -> Result<Region, InvalidValue> {
    parsed(
        text,
        "give the code, such as eu-west-1, not the Region's name or an Availability Zone",
    )
}

/// A role's own ARN.
pub fn role(text: &str) -> Result<Arn, InvalidValue> {
    const RIGHT: &str =
        "give the role's own ARN: arn:aws:iam::111111111111:role/NAME, with its path";
    let arn = parsed::<Arn>(text, RIGHT)?;
    if arn.service == "sts" && arn.resource.starts_with("assumed-role/") {
        return Err(InvalidValue::new(
            format!("`{text}` is a session of a role, not the role"),
            RIGHT,
        ));
    }
    let is_role = arn.service == "iam"
        && arn.region.is_empty()
        && arn.account_id().is_some()
        && arn
            .resource_after("role")
            .is_some_and(|name| is_made_of(name, "+=,.@-/") && !name.ends_with('/'));
    if is_role {
        Ok(arn)
    } else {
        Err(InvalidValue::new(
            format!("`{text}` is not the ARN of an IAM role"),
            RIGHT,
        ))
    }
}

/// The ARN of a user, a role or a session of a role; `does` is what it does, such as `uploads`.
pub fn principal(text: &str, does: &str) -> Result<Arn, InvalidValue> {
    let right = format!(
        "give the ARN of the user or role that {does}: \
         arn:aws:iam::111111111111:user/NAME or arn:aws:iam::111111111111:role/NAME"
    );
    let arn = parsed::<Arn>(text, &right)?;
    let name = match arn.service.as_str() {
        "iam" => arn.resource_after("user").or(arn.resource_after("role")),
        "sts" => arn
            .resource_after("assumed-role")
            .filter(|names| names.split('/').count() == 2),
        _ => None,
    };
    let is_principal = arn.region.is_empty()
        && arn.account_id().is_some()
        && name.is_some_and(|name| is_made_of(name, "_+=,.@-/") && !name.ends_with('/'));
    if is_principal {
        Ok(arn)
    } else {
        Err(InvalidValue::new(
            format!("`{text}` is not the ARN of a user or role"),
            right,
        ))
    }
}

/// The longest id that the console and Terraform take.
const LONGEST_ID: usize = 64;

/// The id of an inventory configuration, which stands in the keys of the reports, and in a query.
pub fn inventory_id(text: &str) -> Result<String, InvalidValue> {
    let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text.len() > LONGEST_ID || !text.chars().all(is_known) {
        return Err(InvalidValue {
            message: format!("`{text}` is no id of an inventory configuration"),
            hint: format!(
                "at most {LONGEST_ID} letters, digits, full stops, dashes and underscores"
            ),
        });
    }
    Ok(text.to_owned())
}

/// A text whose length and characters the API reference of `AssumeRole` limits.
#[derive(Debug, Clone, Copy)]
pub enum SessionText {
    /// `ExternalId`.
    ExternalId,
    /// `RoleSessionName`.
    SessionName,
    /// `SourceIdentity`.
    SourceIdentity,
    /// `SerialNumber`.
    MfaSerial,
}

impl SessionText {
    /// The plan's key for it.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::ExternalId => "external_id",
            Self::SessionName => "session_name",
            Self::SourceIdentity => "source_identity",
            Self::MfaSerial => "mfa_serial",
        }
    }

    /// The text, if it keeps the limits: so many characters, each a letter, a digit, an underscore
    /// or one of a few more.
    pub fn parse(self, text: &str) -> Result<String, InvalidValue> {
        let (least, most, also) = match self {
            Self::ExternalId => (2, 1224, "+=,.@:/-"),
            Self::SessionName | Self::SourceIdentity => (2, 64, "+=,.@-"),
            Self::MfaSerial => (9, 256, "+=/:,.@-"),
        };
        let length = text.chars().count();
        let is_made_of_them = is_made_of(text, also);
        if (least..=most).contains(&length) && is_made_of_them {
            return Ok(text.to_owned());
        }
        let key = self.key();
        let message = if is_made_of_them {
            format!("`{key}` has {}", characters(length))
        } else {
            format!("`{key}` has a character that AWS does not take")
        };
        let also: Vec<String> = also.chars().map(String::from).collect();
        Err(InvalidValue::new(
            message,
            format!(
                "{least} to {most} letters, digits, underscores and {}",
                also.join(" ")
            ),
        ))
    }
}

fn is_made_of(text: &str, also: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || also.contains(c))
}

/// The range of `DurationSeconds` in the API reference of `AssumeRole`.
pub fn duration_seconds(text: &str) -> Result<u32, InvalidValue> {
    let seconds = text.parse().ok();
    seconds
        .filter(|seconds| (900..=43_200).contains(seconds))
        .ok_or_else(|| {
            InvalidValue::new(
                format!("`duration_seconds` is {text}"),
                "900 to 43200 seconds: a quarter of an hour to twelve hours; at most 3600 where roles are chained",
            )
        })
}

/// The window of an incremental export, `from` inclusive and `to` exclusive.
pub fn check_window(from: Timestamp, to: Timestamp) -> Result<(), InvalidValue> {
    let length = to.duration_since(from);
    let (shortest, longest) = WINDOW;
    let later = |by: SignedDuration| from.saturating_add(by).unwrap_or(Timestamp::MAX);
    if length <= SignedDuration::ZERO {
        return Err(InvalidValue::new(
            "`to` is not later than `from`",
            "`from` is the beginning of the window and `to` its end",
        ));
    }
    if length < shortest {
        return Err(InvalidValue::new(
            format!("the window is {length:#}, and at least 15 minutes are needed"),
            format!("set `to` to {} or later", later(shortest)),
        ));
    }
    if length > longest {
        return Err(InvalidValue::new(
            format!("the window is {length:#}, and at most 24 hours are taken"),
            format!(
                "set `to` to {}, and add another [[tables]] from there",
                later(longest)
            ),
        ));
    }
    Ok(())
}
