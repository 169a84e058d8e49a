//! A group of CloudWatch Logs, as the world keeps it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A log group: events by stream, in their order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct LogGroup {
    pub name: String,
    pub created_at: Timestamp,
    pub streams: BTreeMap<String, Vec<(Timestamp, String)>>,
}
