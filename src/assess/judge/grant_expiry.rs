//! Grants that end: every upload is judged anew, so that one which ends while an export runs kills it.

use jiff::{SignedDuration, Timestamp};

use super::ruling::rule_all;
use crate::assess::facts::Facts;
use crate::assess::request::{PermissionRequest, asks};
use crate::job::Plan;
use crate::job::requirement::{Criticality, RequiredPermission};
use tableferry_policy::document::Document;

/// How far ahead is looked: exports of terabytes take over an hour.
const AHEAD: SignedDuration = SignedDuration::from_hours(3);

/// What to say of a need that is allowed now, and will not be while an export may still run.
pub(super) fn caution(
    plan: &Plan,
    facts: &Facts,
    need: &RequiredPermission,
    now: Timestamp,
    asked: &[PermissionRequest<'_>],
) -> Option<String> {
    if need.criticality != Criticality::Required
        || need.is_direct
        || !asked.iter().any(asks_for_time)
    {
        return None;
    }
    let then = now.checked_add(AHEAD).ok()?;
    let later = asks(plan, facts, need, then).ok()?;
    let is_over = !rule_all(facts, need, &later).outcome.is_allowed();
    is_over.then(|| {
        format!(
            "{} is allowed now and no more at {then}: an export that still runs then fails",
            need.action
        )
    })
}

fn asks_for_time(ask: &PermissionRequest<'_>) -> bool {
    ask.applicable_policies
        .documents()
        .flat_map(Document::statements)
        .flat_map(|statement| &statement.conditions)
        .any(|condition| {
            ["aws:CurrentTime", "aws:EpochTime"]
                .iter()
                .any(|key| condition.key.value.eq_ignore_ascii_case(key))
        })
}
