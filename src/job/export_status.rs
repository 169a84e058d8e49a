//! How far an export is, in AWS's words.

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};

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
