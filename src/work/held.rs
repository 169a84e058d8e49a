//! What the journal holds of the exports that a plan asks for, table by table.
//!
//! It decides which tables `run --only` starts: those whose export is neither complete nor under way. An
//! export that was planned and never called is given up for the new one, so that `resume` does not start
//! it besides.

use super::event::Side;
use super::{StartError, Work};
use crate::job::{ExportRequest, Plan};
use crate::journal::{ExportRecord, Operation, RunId, RunRecord, Stage, Verified};

/// What the journal holds of a table's export.
#[derive(Debug, Clone, Default)]
pub struct HeldExport {
    /// The export that is under way, or else the newest if it is complete.
    pub held: Option<Operation>,
    /// Exports that were planned, and of which no call was made.
    pub planned: Vec<(RunId, usize)>,
}

impl Work {
    /// What the journal holds of each table of a plan, in the plan's order; the source is signed in.
    pub fn held_exports(&self, plan: &Plan) -> Result<Vec<HeldExport>, StartError> {
        let source = self.session(Side::Source).ok_or(StartError::NotSignedIn)?;
        // The newest first.
        let runs = self.inner.journal.runs()?;
        let records: Vec<ExportRecord> = runs.iter().flat_map(RunRecord::exports).collect();
        let held = plan.tables.iter().map(|job| {
            let arn = plan.table_arn(job, &source.identity.account, &source.region);
            let request = plan.request(job, arn, None, String::new());
            let same = records
                .iter()
                .filter(|record| is_same(&record.request, &request));
            held_among(same.map(|record| &record.operation))
        });
        Ok(held.collect())
    }
}

/// Judges the records of one export, the newest first.
fn held_among<'a>(records: impl Iterator<Item = &'a Operation>) -> HeldExport {
    let mut found = HeldExport::default();
    let mut is_newest = true;
    for record in records {
        match record.stage {
            Stage::Planned => found.planned.push((record.run, record.position)),
            Stage::Calling | Stage::InProgress => {
                let is_running = |held: &Operation| held.stage != Stage::Completed;
                if !found.held.as_ref().is_some_and(is_running) {
                    found.held = Some(record.clone());
                }
            }
            Stage::Completed if is_newest && record.verified != Some(Verified::No) => {
                found.held = Some(record.clone());
            }
            Stage::Completed | Stage::Failed | Stage::Refused | Stage::NotStarted => {}
        }
        is_newest &= record.stage == Stage::Planned;
    }
    found
}

/// Whether two requests ask for the same export. A bucket's name is its own in the whole partition, so
/// that its owner, which may be found out or not, makes no difference.
fn is_same(one: &ExportRequest, other: &ExportRequest) -> bool {
    let bare = |request: &ExportRequest| ExportRequest {
        client_token: String::new(),
        bucket_owner: None,
        ..request.clone()
    };
    bare(one) == bare(other)
}
