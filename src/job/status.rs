//! How far an export, an import or a table is, in AWS's words.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

/// `ExportStatus` of `DescribeExport`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, IntoStaticStr, Serialize, Deserialize)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExportStatus {
    /// Under way.
    InProgress,
    /// Done.
    Completed,
    /// Failed.
    Failed,
}

impl ExportStatus {
    /// AWS's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// `ImportStatus` of `DescribeImport`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ImportStatus {
    /// Under way.
    InProgress,
    /// Done.
    Completed,
    /// Being cancelled.
    Cancelling,
    /// Cancelled.
    Cancelled,
    /// Failed.
    Failed,
}

/// `TableStatus` of `DescribeTable`.
#[derive(Debug, Clone, PartialEq, Eq, Display, EnumString, Serialize, Deserialize)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TableStatus {
    /// Being made.
    Creating,
    /// Being changed; it can be used.
    Updating,
    /// Being deleted.
    Deleting,
    /// Ready for use.
    Active,
    /// Its key cannot be used any more.
    InaccessibleEncryptionCredentials,
    /// Being archived, since its key could not be used.
    Archiving,
    /// Archived.
    Archived,
    /// Another one, in AWS's word.
    #[strum(default)]
    #[serde(untagged)]
    Other(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_status_that_is_not_known_keeps_its_word() {
        // "CREATING | UPDATING | DELETING | ACTIVE | INACCESSIBLE_ENCRYPTION_CREDENTIALS | ARCHIVING |
        // ARCHIVED" (API reference, TableDescription).
        for (word, status) in [
            ("ACTIVE", TableStatus::Active),
            (
                "INACCESSIBLE_ENCRYPTION_CREDENTIALS",
                TableStatus::InaccessibleEncryptionCredentials,
            ),
            ("DREAMING", TableStatus::Other("DREAMING".to_owned())),
        ] {
            assert_eq!(TableStatus::from(word), status);
            assert_eq!(status.to_string(), word);
            let json = format!("\"{word}\"");
            assert_eq!(serde_json::to_string(&status).unwrap(), json);
            assert_eq!(serde_json::from_str::<TableStatus>(&json).unwrap(), status);
        }
    }
}
