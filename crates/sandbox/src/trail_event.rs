//! An event of CloudTrail as a world keeps it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An event of an account's history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TrailEvent {
    pub at: Timestamp,
    pub region: String,
    pub name: String,
    pub source: String,
    /// What `LookupEvents` finds it by.
    pub resources: Vec<(String, String)>,
    /// The event as CloudTrail writes it.
    pub event: String,
}
