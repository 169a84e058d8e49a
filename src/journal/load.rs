//! Loads and replays as operations: what their requests and results hold.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::operation::{NewOperation, Operation};
use super::record::RunRecord;
use crate::job::load::{LoadRequest, Position};

/// The word of the kind that writes a full export's items.
pub const LOAD: &str = "load";
/// The word of the kind that writes an incremental export's changes.
pub const REPLAY: &str = "replay";

/// How far a load or a replay is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LoadResult {
    /// A moment before the first write, by AWS's clock, in whole seconds: what the table can be restored to.
    pub began_at: Option<Timestamp>,
    /// Everything that lies before this is written.
    pub done: Position,
    /// Items put.
    pub puts: u64,
    /// Keys deleted.
    pub deletes: u64,
    /// Write units that were used, as AWS told, or as they were reckoned where it did not.
    pub units: u64,
    /// Items in the table afterwards, where they were counted.
    pub counted: Option<u64>,
}

impl Operation {
    /// The request and the result of a load or a replay; `None` where the operation is of another kind.
    #[must_use]
    pub fn to_load(&self) -> Option<(LoadRequest, LoadResult)> {
        if self.kind != LOAD && self.kind != REPLAY {
            return None;
        }
        let request = LoadRequest::deserialize(&self.request).ok()?;
        let result = LoadResult::deserialize(&self.result).ok()?;
        Some((request, result))
    }
}

impl RunRecord {
    /// Whether this program does the run's work itself, item by item, and no service does it.
    #[must_use]
    pub fn is_written_here(&self) -> bool {
        let mut operations = self.operations.iter();
        operations.any(|operation| operation.kind == LOAD || operation.kind == REPLAY)
    }
}

/// A load or a replay before it has a number.
#[must_use]
pub fn new_load(request: &LoadRequest, account: &str) -> NewOperation {
    NewOperation {
        kind: if request.window.is_some() {
            REPLAY
        } else {
            LOAD
        },
        account: account.to_owned(),
        subject: request.table_arn.to_string(),
        token: request.token.clone(),
        request: serde_json::to_value(request).unwrap_or_default(),
        fingerprint: None,
    }
}
