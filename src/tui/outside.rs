//! The words of the work room that the wizard speaks, in one place.

use jiff::Timestamp;

use crate::journal::RunRecord;
use crate::plan::Plan;
use crate::work::event::ExportProgress;
pub use crate::work::{Blocker, Briefing, Identified};

/// A run of the journal, as the wizard shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// Its number.
    pub id: i64,
    /// When it was written down.
    pub created_at: Timestamp,
    /// The account that exports.
    pub source: String,
    /// The bucket and prefix.
    pub destination: String,
    /// Its exports.
    pub exports: Vec<ExportProgress>,
    /// Its plan, so that its sides can be signed in again.
    pub plan: Option<Plan>,
}

impl From<RunRecord> for RunSummary {
    fn from(run: RunRecord) -> Self {
        let file = format!("the plan of run {}", run.id);
        Self {
            id: run.id.0,
            created_at: run.created_at,
            source: run.source_account,
            destination: run.destination,
            exports: run.exports.iter().map(ExportProgress::of).collect(),
            plan: Plan::parse(&run.plan, &file, run.created_at).ok(),
        }
    }
}
