//! From a plan with patterns and with `from = "last"` to one with tables and windows, by the names that the
//! source lists and the exports that the journal knows.
//!
//! What is resolved is what a run's journal keeps, so that a run that is gone on with is never resolved
//! again, whatever tables were made since.

use jiff::Timestamp;

use super::event::Side;
use super::{StartError, Work};
use crate::aws::failure::Failure;
use crate::job::{ExportRequest, Known, Plan, Span, TableJob, UnresolvedEntries};
use crate::journal::{ExportRecord, RunRecord, Stage, Verified};
use tableferry_policy::arn::Region;

/// Why a plan's patterns could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The tables could not be listed.
    #[error("which tables the plan's patterns mean is not known: {0}")]
    NotListed(Box<Failure>),
    /// An entry of the plan comes to no export.
    #[error("{}", describe(.unresolved, .region))]
    Unresolved {
        /// The Region that was listed.
        region: Region,
        /// Why.
        unresolved: UnresolvedEntries,
        /// How many tables there are.
        tables: usize,
    },
}

impl ResolveError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotListed(_) => {
                "allow dynamodb:ListTables to the source, or name the tables one by one".to_owned()
            }
            Self::Unresolved {
                region,
                unresolved,
                tables,
            } => match unresolved {
                UnresolvedEntries::NoTable(_) => format!(
                    "the source has {tables} tables in {region}; check the pattern, which is \
                     case-sensitive, and source.region"
                ),
                UnresolvedEntries::NoLast(_) => {
                    "give `from` a time, or export the whole table first; `tableferry history --import` \
                     takes in what AWS still knows of earlier exports"
                        .to_owned()
                }
                UnresolvedEntries::NoWindow(_, invalid) => invalid.hint.clone(),
            },
        }
    }
}

fn describe(unresolved: &UnresolvedEntries, region: &Region) -> String {
    match unresolved {
        UnresolvedEntries::NoTable(patterns) => {
            let patterns: Vec<String> = patterns.iter().map(|one| format!("`{one}`")).collect();
            format!(
                "no table in {region} is named like {}",
                patterns.join(" or ")
            )
        }
        UnresolvedEntries::NoLast(tables) => format!(
            "the journal has no completed export of {} to the same place, after which the changes could \
             be exported",
            tables.join(", ")
        ),
        UnresolvedEntries::NoWindow(table, invalid) => {
            format!("table {table}: {}", invalid.message)
        }
    }
}

impl Work {
    /// The plan with tables in place of its patterns, and windows in place of `last`; the source is signed
    /// in. Without such entries nothing is asked.
    pub async fn resolve(&self, plan: &Plan) -> Result<Plan, StartError> {
        if plan.is_resolved() {
            return Ok(plan.clone());
        }
        let session = self.session(Side::Source).ok_or(StartError::NotSignedIn)?;
        let region = session.region.clone();
        let mut names = Vec::new();
        if plan.selectors.iter().any(|one| one.pattern().is_some()) {
            let dynamodb = session.dynamodb(&region);
            let listed = Box::pin(dynamodb.list_tables()).await;
            names = listed.map_err(|failure| ResolveError::NotListed(Box::new(failure)))?;
        }
        let earlier = if plan.is_since_last() {
            self.inner.journal.runs()?
        } else {
            Vec::new()
        };
        let earlier: Vec<ExportRecord> = earlier.iter().flat_map(RunRecord::exports).collect();
        let last_end = |job: &TableJob| {
            let arn = plan.table_arn(job, &session.identity.account, &region);
            let request = plan.request(job, arn, None, String::new());
            earlier.iter().filter_map(|one| end_of(one, &request)).max()
        };
        let resolved = plan.resolved(&Known {
            names: &names,
            last_end: &last_end,
            now: Timestamp::now(),
        });
        resolved.map_err(|unresolved| {
            StartError::Resolve(ResolveError::Unresolved {
                region,
                unresolved,
                tables: names.len(),
            })
        })
    }
}

/// Up to which time an export holds a table's state, where it is complete and goes to the same place with
/// the same filter; changes from there on continue it.
pub(super) fn end_of(export: &ExportRecord, request: &ExportRequest) -> Option<Timestamp> {
    let operation = &export.operation;
    let is_sound = operation.stage == Stage::Completed && operation.verified != Some(Verified::No);
    let held = &export.request;
    let is_of_place = held.table_arn == request.table_arn
        && held.bucket == request.bucket
        && held.prefix == request.prefix
        && held.filter == request.filter;
    if !is_sound || !is_of_place {
        return None;
    }
    match &held.span {
        Span::Incremental { to, .. } => Some(*to),
        Span::Full { time: Some(time) } => Some(*time),
        // "exportTime" is the start's where none was asked for.
        Span::Full { time: None } => operation.started_at,
    }
}
