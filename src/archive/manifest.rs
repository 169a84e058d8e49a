//! The two manifests of an export: the summary, and the list of its data files.
//!
//! Reading takes what the documentation shows and more: unknown members are ignored, and only what
//! a verification cannot do without is required. Writing gives the documented members in their
//! documented order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::job::{Format, Span, View};

/// `manifest-summary.json`: the whole export in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The format's version; see [`Summary::FULL_VERSION`] and [`Summary::INCREMENTAL_VERSION`].
    pub version: String,
    /// The export's ARN.
    pub export_arn: String,
    /// When the export started.
    pub start_time: Option<Timestamp>,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// The table's ARN.
    pub table_arn: String,
    /// The table's id, which changes when a table is made again.
    pub table_id: Option<String>,
    /// The time or the window that was exported; `None` where the manifest names neither.
    pub span: Option<Span>,
    /// The bucket.
    pub bucket: String,
    /// The prefix, as it was sent.
    pub prefix: Option<String>,
    /// `AES256` or `KMS`.
    pub sse_algorithm: Option<String>,
    /// The key, as it was sent.
    pub sse_kms_key_id: Option<String>,
    /// The key of the list of data files; see [`super::layout::key_candidates`].
    pub manifest_files_key: String,
    /// Bytes billed.
    pub billed_size_bytes: Option<u64>,
    /// Items in all data files together.
    pub item_count: u64,
    /// The format of the data files, where it is one that we know.
    pub format: Option<Format>,
    /// Of what it is a masked copy; no export of AWS's has it.
    pub masked: Option<MaskedCopy>,
}

/// What the summary of a masked copy says beside what an export's says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MaskedCopy {
    /// Where AWS wrote the export that it is a copy of, as an `s3://` address.
    pub of: String,
    /// When the masking was begun.
    pub masked_at: Timestamp,
    /// What was masked: each path, with the method.
    pub attributes: Vec<MaskedAttribute>,
}

/// One attribute that was masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskedAttribute {
    /// Its path.
    pub path: String,
    /// The method.
    #[serde(rename = "as")]
    pub method: String,
}

/// One line of `manifest-files.json`: a data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Items in the file; files of empty partitions have none.
    #[serde(rename = "itemCount")]
    pub item_count: u64,
    /// The file's MD5 in base64.
    #[serde(rename = "md5Checksum", default)]
    pub md5: String,
    /// The object's `ETag`.
    pub etag: String,
    /// The object's key; see [`super::layout::key_candidates`].
    #[serde(rename = "dataFileS3Key")]
    pub key: String,
}

/// Why a manifest cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file is not UTF-8 text.
    #[error("{file} is not text: byte {at} is not UTF-8")]
    NotText {
        /// The file's name.
        file: &'static str,
        /// The first byte that is not text, from 0.
        at: usize,
    },
    /// A line is not the JSON that it should be.
    #[error("{file}, line {line}: {reason}")]
    Line {
        /// The file's name.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        reason: serde_json::Error,
    },
}

/// The summary's name.
pub const SUMMARY_FILE: &str = "manifest-summary.json";
/// The name of the list of data files.
pub const LIST_FILE: &str = "manifest-files.json";

impl Summary {
    /// The version of a full export's summary.
    pub const FULL_VERSION: &'static str = "2020-06-30";
    /// The version of an incremental export's summary.
    pub const INCREMENTAL_VERSION: &'static str = "2023-08-01";

    /// Reads a summary.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let text = text_of(SUMMARY_FILE, bytes)?;
        let raw: RawSummary = serde_json::from_str(text).map_err(|reason| ManifestError::Line {
            file: SUMMARY_FILE,
            line: reason.line(),
            reason,
        })?;
        Ok(raw.into())
    }

    /// Writes a summary on one line, as the service does.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Only a map with keys that are no strings, or a failing Serialize, could fail; neither is here.
        serde_json::to_string(&RawSummary::from(self)).unwrap_or_default()
    }
}

impl FileEntry {
    /// Reads the whole list of data files; blank lines are passed over.
    pub fn parse_list(bytes: &[u8]) -> Result<Vec<Self>, ManifestError> {
        let text = text_of(LIST_FILE, bytes)?;
        let lines = text.lines().enumerate();
        lines
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(index, line)| {
                serde_json::from_str(line).map_err(|reason| ManifestError::Line {
                    file: LIST_FILE,
                    line: index + 1,
                    reason,
                })
            })
            .collect()
    }

    /// Writes the entry as one line, without the line's end.
    #[must_use]
    pub fn to_json_line(&self) -> String {
        // A struct of texts and a number cannot fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Writes the whole list, each entry with a line's end.
    #[must_use]
    pub fn write_list(entries: &[Self]) -> String {
        let mut text = String::new();
        for entry in entries {
            text.push_str(&entry.to_json_line());
            text.push('\n');
        }
        text
    }
}

fn text_of<'a>(file: &'static str, bytes: &'a [u8]) -> Result<&'a str, ManifestError> {
    let text = std::str::from_utf8(bytes).map_err(|error| ManifestError::NotText {
        file,
        at: error.valid_up_to(),
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The summary as it stands in the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSummary {
    #[serde(default)]
    version: String,
    export_arn: String,
    #[serde(default, with = "milliseconds")]
    start_time: Option<Timestamp>,
    #[serde(default, with = "milliseconds")]
    end_time: Option<Timestamp>,
    table_arn: String,
    #[serde(default)]
    table_id: Option<String>,
    #[serde(
        default,
        with = "milliseconds",
        skip_serializing_if = "Option::is_none"
    )]
    export_time: Option<Timestamp>,
    #[serde(
        default,
        with = "milliseconds",
        skip_serializing_if = "Option::is_none"
    )]
    export_from_time: Option<Timestamp>,
    #[serde(
        default,
        with = "milliseconds",
        skip_serializing_if = "Option::is_none"
    )]
    export_to_time: Option<Timestamp>,
    #[serde(rename = "s3Bucket")]
    bucket: String,
    #[serde(rename = "s3Prefix", default)]
    prefix: Option<String>,
    #[serde(rename = "s3SseAlgorithm", default)]
    sse_algorithm: Option<String>,
    #[serde(rename = "s3SseKmsKeyId", default)]
    sse_kms_key_id: Option<String>,
    #[serde(rename = "manifestFilesS3Key")]
    manifest_files_key: String,
    #[serde(default)]
    billed_size_bytes: Option<u64>,
    item_count: u64,
    #[serde(default)]
    output_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output_view: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    export_type: Option<String>,
    #[serde(
        rename = "tableferryMask",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    masked: Option<MaskedCopy>,
}

impl From<RawSummary> for Summary {
    fn from(raw: RawSummary) -> Self {
        let span = match (raw.export_from_time, raw.export_to_time, raw.export_time) {
            (Some(from), Some(to), _) => Some(Span::Incremental {
                from,
                to,
                view: match raw.output_view.as_deref() {
                    Some("NEW_IMAGE") => View::NewImage,
                    _ => View::NewAndOldImages,
                },
            }),
            (_, _, Some(time)) => Some(Span::Full { time: Some(time) }),
            _ => None,
        };
        Self {
            version: raw.version,
            export_arn: raw.export_arn,
            start_time: raw.start_time,
            end_time: raw.end_time,
            table_arn: raw.table_arn,
            table_id: raw.table_id,
            span,
            bucket: raw.bucket,
            prefix: raw.prefix,
            sse_algorithm: raw.sse_algorithm,
            sse_kms_key_id: raw.sse_kms_key_id,
            manifest_files_key: raw.manifest_files_key,
            billed_size_bytes: raw.billed_size_bytes,
            item_count: raw.item_count,
            format: match raw.output_format.as_deref() {
                Some("DYNAMODB_JSON") => Some(Format::DynamoDbJson),
                Some("ION") => Some(Format::Ion),
                _ => None,
            },
            masked: raw.masked,
        }
    }
}

impl From<&Summary> for RawSummary {
    fn from(summary: &Summary) -> Self {
        let (mut time, mut from_time, mut to_time, mut output_view) = (None, None, None, None);
        match &summary.span {
            Some(Span::Full { time: exported }) => time = *exported,
            Some(Span::Incremental { from, to, view }) => {
                from_time = Some(*from);
                to_time = Some(*to);
                output_view = Some(view.as_str().to_owned());
            }
            None => {}
        }
        Self {
            version: summary.version.clone(),
            export_arn: summary.export_arn.clone(),
            start_time: summary.start_time,
            end_time: summary.end_time,
            table_arn: summary.table_arn.clone(),
            table_id: summary.table_id.clone(),
            export_time: time,
            export_from_time: from_time,
            export_to_time: to_time,
            bucket: summary.bucket.clone(),
            prefix: summary.prefix.clone(),
            sse_algorithm: summary.sse_algorithm.clone(),
            sse_kms_key_id: summary.sse_kms_key_id.clone(),
            manifest_files_key: summary.manifest_files_key.clone(),
            billed_size_bytes: summary.billed_size_bytes,
            item_count: summary.item_count,
            output_format: summary.format.map(|format| format.as_str().to_owned()),
            export_type: output_view
                .is_some()
                .then(|| "INCREMENTAL_EXPORT".to_owned()),
            output_view,
            masked: summary.masked.clone(),
        }
    }
}

/// Times as the manifests write them: UTC, with three digits of a second.
mod milliseconds {
    use jiff::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(
        clippy::ref_option,
        reason = "serde's `with` hands the field over by reference"
    )]
    pub(super) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(&format_args!("{time:.3}")),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Option::<Timestamp>::deserialize(deserializer)
    }
}
