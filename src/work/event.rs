//! What a run reports while it goes on, in the past tense.

use std::fmt;

use crate::aws::dynamodb::ExportStatus;
use crate::aws::session::Identity;
use crate::journal::{self, Operation, RunId, Verified};

/// One of the two sides of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Where the tables are.
    Source,
    /// Where the bucket is.
    Destination,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Source => "source",
            Self::Destination => "destination",
        })
    }
}

/// Whether an export's files are what its manifests say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// Every file is there with its ETag, and the counts add up.
    Verified {
        /// How many data files.
        files: u64,
        /// How many bytes they have together.
        bytes: u64,
        /// How many items they hold together.
        items: u64,
    },
    /// Something is missing or differs.
    Wrong {
        /// What, one line each.
        findings: Vec<String>,
    },
    /// Nobody could read the bucket.
    Unknown {
        /// Why, and what would make it known.
        reason: String,
    },
}

/// Which step an operation of a run has reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProgressStage {
    /// In the journal, not called yet.
    Planned,
    /// The call was sent; its answer has not come.
    Calling,
    /// Refused at the call.
    Refused,
    /// Not started, as somebody said who settled it.
    NotStarted,
    /// Accepted; AWS reports this.
    Running(ExportStatus),
}

/// One operation of a run, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationProgress {
    /// The word of its kind.
    pub kind: String,
    /// Its place in the plan, from 0.
    pub index: usize,
    /// The name of what it works on, such as the table's.
    pub name: String,
    /// The ARN of what it works on.
    pub subject: String,
    /// How far it is.
    pub stage: ProgressStage,
    /// Its ARN, once the call was answered.
    pub arn: Option<String>,
    /// The code of a refusal or failure.
    pub failure_code: Option<String>,
    /// The message of a refusal or failure.
    pub failure_message: Option<String>,
    /// Data files seen in the bucket so far, where it can be read.
    pub files_seen: Option<u64>,
    /// Their bytes.
    pub bytes_seen: Option<u64>,
    /// Items exported, at the end; items written so far.
    pub item_count: Option<u64>,
    /// Items that are to be written, where this program writes them.
    pub to_write: Option<u64>,
    /// Bytes billed, at the end.
    pub billed_size_bytes: Option<u64>,
    /// The manifest's key, at the end.
    pub manifest: Option<String>,
    /// The verification, once it was made.
    pub verification: Option<Verification>,
    /// When its files were looked at for that, where it was written down.
    pub verified_at: Option<jiff::Timestamp>,
    /// What else was seen then, which is no damage.
    pub remarks: Vec<String>,
    /// When it started.
    pub started_at: Option<jiff::Timestamp>,
    /// When it ended.
    pub ended_at: Option<jiff::Timestamp>,
}

/// Something that happened in a run.
#[expect(
    clippy::large_enum_variant,
    reason = "events are few, and each is moved once: a box for every one would save nothing"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A side was proved.
    Identified {
        /// Which side.
        side: Side,
        /// Who it is.
        identity: Identity,
    },
    /// The run was written to the journal.
    Journalled {
        /// Its number.
        run: RunId,
    },
    /// An operation's state is now this.
    Operation(OperationProgress),
    /// A passing difficulty: what failed and that it is tried again.
    Noted {
        /// The difficulty in a sentence.
        message: String,
    },
}

impl OperationProgress {
    /// What the journal knows of an operation.
    #[must_use]
    pub fn of(record: &Operation) -> Self {
        let result = record.to_export().map(|export| export.result);
        let mut result = result.unwrap_or_default();
        if let Some((_, import)) = record.to_import() {
            result.item_count = import.imported_items;
        }
        let load = record.to_load();
        if let Some((_, load)) = &load {
            result.item_count = Some(load.puts + load.deletes);
        }
        Self {
            kind: record.kind.clone(),
            index: record.position,
            name: record.name().to_owned(),
            subject: record.subject.clone(),
            stage: match record.stage {
                journal::Stage::Planned => ProgressStage::Planned,
                journal::Stage::Calling => ProgressStage::Calling,
                journal::Stage::Refused => ProgressStage::Refused,
                journal::Stage::NotStarted => ProgressStage::NotStarted,
                journal::Stage::InProgress => ProgressStage::Running(ExportStatus::InProgress),
                journal::Stage::Completed => ProgressStage::Running(ExportStatus::Completed),
                journal::Stage::Failed => ProgressStage::Running(ExportStatus::Failed),
            },
            arn: record.arn.clone(),
            failure_code: record.failure_code.clone(),
            failure_message: record.failure_message.clone(),
            files_seen: None,
            bytes_seen: None,
            item_count: result.item_count,
            to_write: load.map(|(request, _)| request.items),
            billed_size_bytes: result.billed_size_bytes,
            manifest: result.manifest,
            verification: Verification::of(record),
            verified_at: record.verified_at,
            remarks: record.remarks.clone(),
            started_at: record.started_at,
            ended_at: record.ended_at,
        }
    }
}

impl Verification {
    /// The verification of an operation, which the journal keeps as its outcome and a text; `None` where
    /// there was none.
    #[must_use]
    pub fn of(record: &Operation) -> Option<Self> {
        let text = record.verification.clone().unwrap_or_default();
        record.verified.map(|verified| match verified {
            Verified::Yes => serde_json::from_str(&text).map_or_else(
                |_| Self::Verified {
                    files: 0,
                    bytes: 0,
                    items: record
                        .to_export()
                        .and_then(|export| export.result.item_count)
                        .unwrap_or(0),
                },
                |(files, bytes, items)| Self::Verified {
                    files,
                    bytes,
                    items,
                },
            ),
            Verified::No => Self::Wrong {
                findings: text.lines().map(str::to_owned).collect(),
            },
            Verified::Unknown => Self::Unknown { reason: text },
        })
    }

    /// The outcome and the text that the journal keeps.
    #[must_use]
    pub(super) fn to_record(&self) -> (Verified, String) {
        match self {
            Self::Verified {
                files,
                bytes,
                items,
            } => (Verified::Yes, format!("[{files},{bytes},{items}]")),
            Self::Wrong { findings } => (Verified::No, findings.join("\n")),
            Self::Unknown { reason } => (Verified::Unknown, reason.clone()),
        }
    }
}
