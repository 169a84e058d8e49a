//! What is written into a table, as the journal keeps it, and how far that is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ArchiveAddress;
use tableferry_policy::arn::Arn;

/// One export that is written into a table, as the journal keeps it from before the first write on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadRequest {
    /// The table's ARN, whose Region is called.
    pub table_arn: Arn,
    /// The table's id: one that was made again is another table.
    pub table_id: Option<String>,
    /// The export.
    pub export_arn: String,
    /// Where its files are read.
    pub archive: ArchiveAddress,
    /// A digest of its manifests, so that nothing is gone on with in an archive that was changed.
    pub manifests: String,
    /// What its manifest counts.
    pub files: u64,
    /// Bytes of the data files, compressed.
    pub bytes: u64,
    /// Items of a full export, changes of an incremental one.
    pub items: u64,
    /// The window of an incremental export.
    pub window: Option<(Timestamp, Timestamp)>,
    /// The most write units a second.
    pub most_write_units: u64,
    /// What no other operation has.
    pub token: String,
}

/// A place in an archive's files, in the order of its manifest. What lies before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Position {
    /// The file, from 0.
    pub file: u64,
    /// The lines of it that lie before.
    pub line: u64,
}
