//! An import: what was asked for, how far it is, and what `DescribeImport` tells of it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::caller::Caller;
use super::export::epoch;
use super::open_questions::SourceAddress;
use super::table_definition::TableDefinition;

/// An import.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Import {
    pub arn: String,
    pub id: String,
    pub region: String,
    /// The principal that started it, reads the objects and writes the log.
    pub caller: Caller,
    pub token: String,
    /// The request, as `DescribeImport` echoes it.
    pub request: Value,
    pub source: ImportSource,
    pub definition: TableDefinition,
    pub table_arn: String,
    /// Told even where no table is made.
    pub table_id: String,
    pub source_address: SourceAddress,
    pub started_at: Timestamp,
    /// How long the whole job takes.
    pub length: Duration,
    pub ended_at: Option<Timestamp>,
    pub state: ImportState,
    pub steps_done: usize,
    /// What the prefix named when the import looked: keys and their `ETag`s.
    pub objects: Vec<(String, String)>,
    pub counts: ImportCounts,
}

/// Which objects an import reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ImportSource {
    pub bucket: String,
    pub owner: String,
    pub prefix: Option<String>,
    pub is_gzip: bool,
}

/// What an import has read and written so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ImportCounts {
    pub processed_bytes: u64,
    pub processed: u64,
    pub imported: u64,
    pub errors: u64,
}

/// How an import stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ImportState {
    InProgress,
    Completed,
    Failed {
        /// A failure for want of a right to write the log was seen without one.
        code: Option<String>,
        message: String,
    },
}

impl Import {
    pub(super) fn fail(&mut self, code: Option<&str>, message: String, at: Timestamp) {
        self.state = ImportState::Failed {
            code: code.map(str::to_owned),
            message,
        };
        self.ended_at = Some(at);
    }

    /// Whether a token still stands for this import: for 8 hours, as for an export (API reference of
    /// `ImportTable`).
    pub(super) fn holds_token(&self, token: &str, now: Timestamp) -> bool {
        self.token == token && now.duration_since(self.started_at) < SignedDuration::from_hours(8)
    }

    /// `ImportStatus`.
    pub(super) const fn status(&self) -> &'static str {
        match self.state {
            ImportState::InProgress => "IN_PROGRESS",
            ImportState::Completed => "COMPLETED",
            ImportState::Failed { .. } => "FAILED",
        }
    }

    /// The ARN of the log group that imports of the account and Region write to.
    pub(super) fn log_group(&self) -> String {
        let parts: Vec<&str> = self.arn.splitn(6, ':').collect();
        let part = |index: usize| parts.get(index).copied().unwrap_or_default();
        format!(
            "arn:{}:logs:{}:{}:log-group:/aws-dynamodb/imports",
            part(1),
            part(3),
            part(4)
        )
    }

    /// `ImportTableDescription`: the request is echoed, with what was left out of it filled in.
    pub(super) fn description(&self) -> Value {
        let mut description = self.request.clone();
        description["S3BucketSource"]["S3BucketOwner"] = self.source.owner.as_str().into();
        if description["InputCompressionType"].is_null() {
            description["InputCompressionType"] = "NONE".into();
        }
        let own = json!({
            "ImportArn": self.arn,
            "ImportStatus": self.status(),
            "TableArn": self.table_arn,
            "TableId": self.table_id,
            "ClientToken": self.token,
            "CloudWatchLogGroupArn": format!("{}:*", self.log_group()),
            "StartTime": epoch(self.started_at),
            "ErrorCount": self.counts.errors,
            "ProcessedSizeBytes": self.counts.processed_bytes,
            "ProcessedItemCount": self.counts.processed,
            "ImportedItemCount": self.counts.imported,
        });
        add_members(&mut description, own);
        if let Some(ended_at) = self.ended_at {
            description["EndTime"] = epoch(ended_at);
        }
        if let ImportState::Failed { code, message } = &self.state {
            if let Some(code) = code {
                description["FailureCode"] = code.as_str().into();
            }
            description["FailureMessage"] = message.as_str().into();
        }
        description
    }

    /// `ImportSummary`.
    pub(super) fn summary(&self) -> Value {
        let description = self.description();
        let members = [
            "ImportArn",
            "ImportStatus",
            "TableArn",
            "S3BucketSource",
            "CloudWatchLogGroupArn",
            "InputFormat",
            "StartTime",
            "EndTime",
        ];
        members
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), description.get(name)?.clone())))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

fn add_members(description: &mut Value, more: Value) {
    if let (Some(members), Value::Object(more)) = (description.as_object_mut(), more) {
        members.extend(more);
    }
}
