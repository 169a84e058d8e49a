//! An export: what was asked for, how far it is, and what `DescribeExport` tells of it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::caller::Caller;
use super::open_questions::{AclContext, ExportAcl, SourceAddress};

/// An export.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Export {
    pub arn: String,
    pub id: String,
    pub region: String,
    pub table_name: String,
    pub table_id: String,
    /// The principal that started it, and writes.
    pub caller: Caller,
    /// What it was asked for.
    #[serde(rename = "order")]
    pub spec: ExportSpec,
    pub source_address: SourceAddress,
    #[serde(default)]
    pub acl: ExportAcl,
    #[serde(default)]
    pub acl_context: AclContext,
    pub started_at: Timestamp,
    /// How long the whole job takes.
    pub length: Duration,
    pub ended_at: Option<Timestamp>,
    pub state: ExportState,
    /// How many steps are done.
    pub steps_done: usize,
    pub files: Vec<WrittenFile>,
}

/// What `ExportTableToPointInTime` asked for, checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ExportSpec {
    pub table_arn: String,
    pub bucket: String,
    pub bucket_owner: Option<String>,
    pub prefix: Option<String>,
    /// `AES256` or `KMS`.
    pub algorithm: String,
    pub key: Option<String>,
    pub span: ExportSpan,
    /// Whether its lines are Amazon Ion.
    #[serde(default)]
    pub is_ion: bool,
    pub token: String,
    /// The request without its token, to compare a repetition with.
    pub request: Value,
}

/// Which state or changes an export holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum ExportSpan {
    Full {
        time: Timestamp,
    },
    Incremental {
        from: Timestamp,
        to: Timestamp,
        has_old_images: bool,
    },
}

/// A data file that was written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WrittenFile {
    pub key: String,
    pub item_count: u64,
    pub md5: String,
    pub etag: String,
}

/// How an export stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ExportState {
    InProgress,
    Completed {
        item_count: u64,
        billed_size_bytes: u64,
    },
    Failed {
        code: String,
        message: String,
    },
}

impl ExportSpec {
    /// `ExportFormat`.
    pub(super) const fn format(&self) -> &'static str {
        if self.is_ion { "ION" } else { "DYNAMODB_JSON" }
    }
}

impl Export {
    pub(super) fn fail(&mut self, code: &str, message: String, at: Timestamp) {
        self.state = ExportState::Failed {
            code: code.to_owned(),
            message,
        };
        self.ended_at = Some(at);
    }

    /// What the objects' keys begin with, up to `AWSDynamoDB`.
    pub(super) fn root(&self) -> String {
        match &self.spec.prefix {
            Some(prefix) => format!("{prefix}/AWSDynamoDB"),
            None => "AWSDynamoDB".to_owned(),
        }
    }

    /// The key of the manifest's summary.
    pub(super) fn manifest_key(&self) -> String {
        format!("{}/{}/manifest-summary.json", self.root(), self.id)
    }

    /// Whether a token still returns this export: for "8 hours after the first request that uses it is
    /// completed" (API reference of `ExportTableToPointInTime`), which the call is at once, and not the
    /// export.
    pub(super) fn holds_token(&self, token: &str, now: Timestamp) -> bool {
        self.spec.token == token
            && now.duration_since(self.started_at) < SignedDuration::from_hours(8)
    }

    /// `ExportDescription`; members that are absent stay out of it.
    pub(super) fn description(&self) -> Value {
        let spec = &self.spec;
        let mut description = json!({
            "ExportArn": self.arn,
            "ExportStatus": self.status(),
            "StartTime": epoch(self.started_at),
            "TableArn": spec.table_arn,
            "TableId": self.table_id,
            "ClientToken": spec.token,
            "S3Bucket": spec.bucket,
            "S3SseAlgorithm": spec.algorithm,
            "ExportFormat": spec.format(),
            "DestinationType": "S3",
        });
        let optional = [
            ("S3BucketOwner", spec.bucket_owner.clone().map(Value::from)),
            ("S3Prefix", spec.prefix.clone().map(Value::from)),
            ("S3SseKmsKeyId", spec.key.clone().map(Value::from)),
            ("EndTime", self.ended_at.map(epoch)),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                description[name] = value;
            }
        }
        if let Some(filter) = spec.request.get("FilterSpecification") {
            description["FilterSpecification"] = filter.clone();
        }
        self.describe_span(&mut description);
        self.describe_state(&mut description);
        description
    }

    fn describe_span(&self, description: &mut Value) {
        match &self.spec.span {
            // A full export does not echo its ExportType.
            ExportSpan::Full { time } => description["ExportTime"] = epoch(*time),
            ExportSpan::Incremental {
                from,
                to,
                has_old_images,
            } => {
                description["ExportType"] = "INCREMENTAL_EXPORT".into();
                description["IncrementalExportSpecification"] = json!({
                    "ExportFromTime": epoch(*from),
                    "ExportToTime": epoch(*to),
                    "ExportViewType": view(*has_old_images),
                });
            }
        }
    }

    fn describe_state(&self, description: &mut Value) {
        match &self.state {
            ExportState::InProgress => {}
            ExportState::Completed {
                item_count,
                billed_size_bytes,
            } => {
                description["ItemCount"] = (*item_count).into();
                description["BilledSizeBytes"] = (*billed_size_bytes).into();
                description["ExportManifest"] = self.manifest_key().into();
            }
            ExportState::Failed { code, message } => {
                description["FailureCode"] = code.as_str().into();
                description["FailureMessage"] = message.as_str().into();
            }
        }
    }

    /// `ExportStatus`.
    pub(super) const fn status(&self) -> &'static str {
        match self.state {
            ExportState::InProgress => "IN_PROGRESS",
            ExportState::Completed { .. } => "COMPLETED",
            ExportState::Failed { .. } => "FAILED",
        }
    }

    /// `ExportType`, which listings show.
    pub(super) const fn kind(&self) -> &'static str {
        match self.spec.span {
            ExportSpan::Full { .. } => "FULL_EXPORT",
            ExportSpan::Incremental { .. } => "INCREMENTAL_EXPORT",
        }
    }
}

/// `ExportViewType`.
pub(super) const fn view(has_old_images: bool) -> &'static str {
    if has_old_images {
        "NEW_AND_OLD_IMAGES"
    } else {
        "NEW_IMAGE"
    }
}

/// A time as the JSON protocols write it: seconds, with milliseconds as decimals.
pub(super) fn epoch(time: Timestamp) -> Value {
    let text = format!(
        "{}.{:03}",
        time.as_second(),
        time.subsec_millisecond().unsigned_abs()
    );
    text.parse::<f64>().map_or(Value::Null, Value::from)
}
