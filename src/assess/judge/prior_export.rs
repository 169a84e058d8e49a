//! Exports that completed before, as evidence on what could not be read.
//!
//! One that completed the same way shows that nothing stood in its way then. It makes an unknown
//! allowed where all that can be read is as it was, and nothing has failed the same way since. It is
//! no proof: what could not be read may have changed, and stays listed as assumed. A denial that the
//! policies show stays one, and what depends on the circumstances still does.

use jiff::Timestamp;

use super::decision::PermissionDecision;
use super::simulated::with_simulation;
use crate::assess::facts::{Drift, Facts, PastExport};
use crate::assess::principal::is_same_principal;
use crate::assess::request::asks;
use crate::assess::simulation;
use crate::assess::verdict::{Evidence, MissingInput, Verdict};
use crate::job::ExportStatus;
use crate::job::Plan;
use crate::job::requirement::{Actor, Criticality, RequiredPermission, Subject};
use tableferry_policy::arn::AccountId;

/// An export that completed, and rested on the same permission.
pub(super) struct PriorExport<'f> {
    export: &'f PastExport,
    since: Drift,
    /// One that rested on the same, and failed no earlier than this one completed.
    failed: Option<&'f PastExport>,
}

impl PriorExport<'_> {
    /// Whether it speaks for an export that is started now.
    pub(super) fn holds(&self) -> bool {
        self.since == Drift::Unchanged && self.failed.is_none()
    }

    /// The export, and what has become since of what it relied on.
    pub(super) fn describe(&self) -> String {
        let PastExport { export_arn, .. } = self.export;
        let ended = in_seconds(ended(self.export));
        let completed = format!("the export {export_arn} completed the same way at {ended}");
        if let Some(failed) = self.failed {
            return format!(
                "{completed}, and the export {} failed since",
                failed.export_arn
            );
        }
        match self.since {
            Drift::Unchanged => {
                format!("{completed}, and nothing that can be read has changed since")
            }
            Drift::Changed => format!("{completed}, and something has changed since"),
            Drift::Unknown => {
                format!("{completed}; whether anything was changed since is not known")
            }
        }
    }

    /// What to know of a verdict that rests on it.
    pub(super) fn caveat(&self) -> String {
        let export = &self.export.export_arn;
        let id = export.rsplit('/').next().unwrap_or(export);
        format!("it rests on the export {id}: what cannot be read may have changed since")
    }
}

/// What exports that completed before make of a ruling.
pub(super) fn by_precedent(
    plan: &Plan,
    facts: &Facts,
    need: &RequiredPermission,
    decision: PermissionDecision,
    now: Timestamp,
    cautions: &mut Vec<String>,
) -> PermissionDecision {
    let is_open = matches!(
        decision.outcome,
        Verdict::Unknown { .. } | Verdict::Depends { .. }
    );
    let Some(found) = prior_export(plan, facts, need).filter(|_| is_open) else {
        return decision;
    };
    match decision.outcome {
        Verdict::Unknown { unread, .. } if found.holds() => {
            cautions.push(found.caveat());
            PermissionDecision {
                outcome: Verdict::Allowed {
                    assumed: all_unread(plan, facts, need, unread, now),
                },
                explanation: found.describe(),
                evidence: Evidence::Policies,
                deciding: Vec::new(),
                denied_by: None,
            }
        }
        outcome => {
            cautions.push(found.describe());
            PermissionDecision {
                outcome,
                ..decision
            }
        }
    }
}

/// All that could not be read of a need: an unknown names only what must allow, and what may forbid
/// is assumed not to as well.
fn all_unread(
    plan: &Plan,
    facts: &Facts,
    need: &RequiredPermission,
    mut unread: Vec<MissingInput>,
    now: Timestamp,
) -> Vec<MissingInput> {
    for ask in asks(plan, facts, need, now).unwrap_or_default() {
        let answer = simulation::answer(facts, need, &ask);
        for more in with_simulation(&ask, answer).unread {
            if !unread.contains(&more) {
                unread.push(more);
            }
        }
    }
    unread.sort_by_key(|unread| unread.layer);
    unread
}

/// An export of the same principal to the same bucket with the same key that completed; for what is
/// needed on a table, one of that table; for a table's own key, one of every table that has it.
fn prior_export<'f>(
    plan: &Plan,
    facts: &'f Facts,
    need: &RequiredPermission,
) -> Option<PriorExport<'f>> {
    let of_table = |table: &str| {
        let is_of_it = |export: &PastExport| export.table_arn == table;
        best(facts, is_of_it, |export| export.reading)
    };
    if need.who != Actor::Exporter {
        return None;
    }
    match need.subject {
        // What the principal calls itself, no export showed.
        Subject::Object | Subject::ObjectKey(_) if !need.is_direct => of_place(plan, facts),
        Subject::Table if need.criticality == Criticality::Required => {
            of_table(need.resource.pattern())
        }
        Subject::TableKey => {
            let encrypted = facts.tables().filter_map(|(_, table)| {
                let known = table.description.value()?;
                let key = known.key.as_ref()?.to_string();
                (key == need.resource.pattern()).then(|| known.arn.to_string())
            });
            let found = encrypted.map(|table| of_table(&table));
            let found = found.collect::<Option<Vec<_>>>()?;
            found.into_iter().min_by_key(PriorExport::holds)
        }
        _ => None,
    }
}

/// One that wrote to where the plan's exports will write.
fn of_place<'f>(plan: &Plan, facts: &'f Facts) -> Option<PriorExport<'f>> {
    let is_there = |export: &PastExport| {
        export.bucket == plan.destination.bucket.as_str()
            && export.prefix.as_deref() == plan.destination.prefix()
            && export.key.as_deref() == plan.encryption.key()
    };
    best(facts, is_there, |export| export.writing)
}

/// One that wrote to where the plan's exports will write, and was told of the same owner: S3 would
/// have refused it had the bucket been another's.
pub(super) fn of_owner<'f>(
    plan: &Plan,
    facts: &'f Facts,
    sent: Option<&AccountId>,
) -> Option<PriorExport<'f>> {
    of_place(plan, facts).filter(|found| found.export.owner.as_ref() == sent)
}

/// Of the exports that fit, one that speaks for a start now; the newest of several.
fn best(
    facts: &Facts,
    fits: impl Fn(&PastExport) -> bool,
    since: impl Fn(&PastExport) -> Drift,
) -> Option<PriorExport<'_>> {
    let caller = facts.source().caller.arn.to_string();
    let that = |status: ExportStatus| {
        let mut same: Vec<&PastExport> = facts.exports.iter().collect();
        same.retain(|export| {
            export.status == status && is_same_principal(&export.principal, &caller) && fits(export)
        });
        same.into_iter()
    };
    let failed = that(ExportStatus::Failed).max_by_key(|export| ended(export));
    let found = that(ExportStatus::Completed).map(|export| PriorExport {
        export,
        since: since(export),
        failed: failed.filter(|failed| ended(failed) >= ended(export)),
    });
    found.max_by_key(|found| (found.holds(), ended(found.export)))
}

fn ended(export: &PastExport) -> Timestamp {
    export.ended_at.unwrap_or(export.started_at)
}

fn in_seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
