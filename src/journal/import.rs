//! Imports as operations: what their requests and results hold.

use serde::{Deserialize, Serialize};

use super::operation::{NewOperation, Operation};
use crate::job::import::ImportRequest;

/// The word of the kind.
pub const IMPORT: &str = "import";

/// What is known of an import beside what every operation has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportResult {
    /// Lines read.
    pub processed_items: Option<u64>,
    /// Items written.
    pub imported_items: Option<u64>,
    /// Lines that were not imported.
    pub errors: Option<u64>,
    /// The id of the table that it makes.
    pub table_id: Option<String>,
    /// The group of its CloudWatch log.
    pub log_group: Option<String>,
}

impl Operation {
    /// The request and the result of an import; `None` where the operation is of another kind.
    #[must_use]
    pub fn to_import(&self) -> Option<(ImportRequest, ImportResult)> {
        if self.kind != IMPORT {
            return None;
        }
        let request = ImportRequest::deserialize(&self.request).ok()?;
        let result = ImportResult::deserialize(&self.result).ok()?;
        Some((request, result))
    }
}

/// An import before it has a number; its calls are made in the account of the new table.
#[must_use]
pub fn new_import(request: &ImportRequest, account: &str) -> NewOperation {
    NewOperation {
        kind: IMPORT,
        account: account.to_owned(),
        subject: request.table_arn.to_string(),
        token: request.client_token.clone(),
        request: serde_json::to_value(request).unwrap_or_default(),
        fingerprint: None,
    }
}
