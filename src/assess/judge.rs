//! The judging: what the facts make of each requirement of a plan.
//!
//! This module decides whether an export would work before it is started. It takes the permissions one
//! by one, then the settings and times: the bucket's, the keys', the tables', the session's.

mod bucket;
mod decision;
mod earlier_failure;
mod evidence;
mod grant_expiry;
mod key;
mod not_surveyed;
mod partition;
mod permission;
mod prior_export;
mod ruling;
mod session;
mod simulated;
mod stale;
mod stored;
mod table;
mod words;

use jiff::Timestamp;

use super::facts::Facts;
use super::job_facts::required_permissions;
use super::verdict::{AssessedRequirement, Requirement};
use crate::job::Plan;

pub(super) use key::is_out_of_reach as is_key_out_of_reach;
pub use stale::{StalePrincipal, stale_principals};

/// Judges every need, setting and time of a plan.
///
/// The order is that of the needs, then bucket, keys, tables, session. `now` is the time at which
/// the export would be started.
#[must_use]
pub fn judge(plan: &Plan, facts: &Facts, now: Timestamp) -> Vec<AssessedRequirement> {
    let mut verdicts: Vec<AssessedRequirement> = required_permissions(plan, facts)
        .into_iter()
        .map(|need| permission::judge(plan, facts, need, now))
        .collect();
    verdicts.extend(bucket::judge(plan, facts));
    verdicts.extend(stored::judge(plan, facts));
    verdicts.extend(key::judge(plan, facts));
    verdicts.extend(stale::judge(plan, facts));
    verdicts.extend(table::judge(plan, facts, now));
    verdicts.extend(session::judge(plan, facts, now));
    verdicts.extend(earlier_failure::judge(plan, facts));
    verdicts.extend(partition::judge(plan, facts));
    verdicts.retain(|verdict| match &verdict.requirement {
        Requirement::Check { check, .. } => plan.checks().contains(check),
        Requirement::Permission(_) => true,
    });
    verdicts
        .into_iter()
        .map(|verdict| not_surveyed::settle(plan, facts, verdict))
        .collect()
}
