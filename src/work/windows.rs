//! What is worth knowing of the windows of incremental exports before a start: changes that no export holds,
//! and changes that can soon be exported no more.

use jiff::{SignedDuration, Timestamp};

use super::Work;
use super::resolve::end_of;
use crate::assess::facts::Facts;
use crate::job::{ExportRequest, Span};
use crate::journal::{ExportRecord, JournalError, RunRecord};

/// How long before it is too late a window is told of.
const SOON: SignedDuration = SignedDuration::from_hours(3 * 24);

/// How many tables are told of one by one.
const MOST: usize = 5;

impl Work {
    /// The gaps before a plan's windows, and the windows that leave the recovery window within days.
    pub(super) fn window_warnings(
        &self,
        requests: &[ExportRequest],
        facts: &Facts,
        now: Timestamp,
    ) -> Result<Vec<String>, JournalError> {
        let is_incremental =
            |request: &&ExportRequest| matches!(request.span, Span::Incremental { .. });
        if !requests.iter().any(|request| is_incremental(&request)) {
            return Ok(Vec::new());
        }
        let runs = self.inner.journal.runs()?;
        let known: Vec<ExportRecord> = runs.iter().flat_map(RunRecord::exports).collect();
        let mut warnings = Vec::new();
        for request in requests.iter().filter(is_incremental) {
            warnings.extend(gap(request, requests, &known));
            warnings.extend(leaves_soon(request, facts, now));
        }
        let more = warnings.len().saturating_sub(MOST);
        warnings.truncate(MOST);
        if more > 0 {
            warnings.push(format!(
                "{more} more windows with gaps, or that leave recovery soon"
            ));
        }
        Ok(warnings)
    }
}

fn name(request: &ExportRequest) -> &str {
    let arn = &request.table_arn;
    arn.resource_after("table").unwrap_or(&arn.resource)
}

/// The changes before a window that neither an earlier export nor another window of the plan holds.
fn gap(request: &ExportRequest, plan: &[ExportRequest], known: &[ExportRecord]) -> Option<String> {
    let Span::Incremental { from, .. } = request.span else {
        return None;
    };
    let before = known
        .iter()
        .filter_map(|export| end_of(export, request))
        .max();
    let in_plan = plan.iter().filter_map(|other| match other.span {
        Span::Incremental { to, .. } if other.table_arn == request.table_arn && to <= from => {
            Some(to)
        }
        _ => None,
    });
    let end = in_plan.chain(before).max()?;
    (end < from).then(|| {
        format!(
            "what changed in table {} from {end} to {from} is in no export to this place: \
             `from = \"last\"` goes on without a gap",
            name(request)
        )
    })
}

/// The time from which a window's changes can be exported no more, where it is near.
fn leaves_soon(request: &ExportRequest, facts: &Facts, now: Timestamp) -> Option<String> {
    let Span::Incremental { from, .. } = request.span else {
        return None;
    };
    let arn = request.table_arn.to_string();
    let table = facts.table(&arn).or_else(|| facts.table(name(request)))?;
    let days = table.recovery.value()?.period_days?;
    let until = from
        .checked_add(SignedDuration::from_hours(24 * i64::from(days)))
        .ok()?;
    let is_soon = until > now && until.duration_since(now) < SOON;
    is_soon.then(|| {
        format!(
            "what changed in table {} at {from} leaves its recovery window of {days} days at {until}: \
             it can be exported until then only",
            name(request)
        )
    })
}
