//! Exports as operations: what their requests and results hold.

use serde::{Deserialize, Serialize};

use super::JournalError;
use super::operation::{NewOperation, Operation};
use crate::assess::fingerprint::Fingerprint;
use crate::job::ExportRequest;

/// The word of the kind.
pub const EXPORT: &str = "export";

/// What is known of a completed export beside what every operation has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportResult {
    /// Items exported.
    pub item_count: Option<u64>,
    /// Bytes billed.
    pub billed_size_bytes: Option<u64>,
    /// The manifest's key.
    pub manifest: Option<String>,
}

/// An operation that is an export, with its request and result read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRecord {
    /// The operation.
    pub operation: Operation,
    /// What the call sends, token included.
    pub request: ExportRequest,
    /// What is known of it once it is complete.
    pub result: ExportResult,
}

impl Operation {
    /// The operation as an export; `None` where it is of another kind.
    #[must_use]
    pub fn to_export(&self) -> Option<ExportRecord> {
        read_export(self).ok().flatten()
    }
}

/// An export before it has a number; its calls are made in the account that exports.
#[must_use]
pub fn new_export(
    request: &ExportRequest,
    account: &str,
    fingerprint: Option<Fingerprint>,
) -> NewOperation {
    NewOperation {
        kind: EXPORT,
        account: account.to_owned(),
        subject: request.table_arn.to_string(),
        token: request.client_token.clone(),
        request: serde_json::to_value(request).unwrap_or_default(),
        fingerprint,
    }
}

/// Reads the request and the result of an export.
pub(super) fn read_export(operation: &Operation) -> Result<Option<ExportRecord>, JournalError> {
    if operation.kind != EXPORT {
        return Ok(None);
    }
    let unreadable = |error: serde_json::Error| JournalError::Entry(error.to_string());
    Ok(Some(ExportRecord {
        request: ExportRequest::deserialize(&operation.request).map_err(unreadable)?,
        result: ExportResult::deserialize(&operation.result).map_err(unreadable)?,
        operation: operation.clone(),
    }))
}
