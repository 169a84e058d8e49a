//! How long a plan's exports may take.
//!
//! AWS documents no throughput and no duration, so that there is nothing to reckon with but exports
//! of the same tables that completed before.

use jiff::SignedDuration;

use crate::assess::facts::{Facts, PastExport};
use crate::job::ExportStatus;
use crate::job::Plan;

/// The longest that a completed export of one of the plan's tables took; `None` where there is none
/// of one of them. The exports of a plan run at the same time.
#[must_use]
pub fn estimate(plan: &Plan, facts: &Facts) -> Option<SignedDuration> {
    let source = facts.source();
    let longest = plan.tables.iter().map(|job| {
        let table = plan
            .table_arn(job, &source.caller.account, &source.region)
            .to_string();
        let took = facts.exports.iter().filter_map(|export| {
            let is_like_it = export.table_arn == table && export.status == ExportStatus::Completed;
            is_like_it.then(|| length(export)).flatten()
        });
        took.max()
    });
    longest.collect::<Option<Vec<_>>>()?.into_iter().max()
}

fn length(export: &PastExport) -> Option<SignedDuration> {
    let length = export.ended_at?.duration_since(export.started_at);
    (length > SignedDuration::ZERO).then_some(length)
}
