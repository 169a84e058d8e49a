//! Witnesses beside the policies: what was tried for real, and exports that completed before.

use jiff::Timestamp;

use super::decision::PermissionDecision;
use super::prior_export::by_precedent;
use super::ruling::rule_all;
use crate::assess::facts::{Facts, ObservedCall};
use crate::assess::refusal::is_for_want_of_identity;
use crate::assess::request::direct_asks;
use crate::assess::verdict::{Evidence, MissingInput, Verdict};
use crate::job::Plan;
use crate::job::requirement::{RequiredPermission, SettledBy, Subject};
use tableferry_policy::evaluate::{Dependency, PolicyKind};

/// Whether a resource is the one named, or falls under a pattern that ends in a star.
fn covers(pattern: &str, resource: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(head) => resource.starts_with(head),
        None => pattern == resource,
    }
}

/// What was tried for real, and exports that completed before, settle what the policies leave open.
pub(super) fn with_witnesses(
    plan: &Plan,
    facts: &Facts,
    need: &RequiredPermission,
    decision: PermissionDecision,
    now: Timestamp,
) -> (PermissionDecision, Vec<String>) {
    let tried = facts.tried.iter().rev().find(|tried| {
        // What is tried of a key is S3's use of it, and no policy need treat DynamoDB's alike.
        need.subject != Subject::TableKey
            && tried.who == need.who
            && tried.action.eq_ignore_ascii_case(need.action)
            && (covers(need.resource.pattern(), &tried.resource)
                || tried.resource == need.resource.pattern())
    });
    let mut cautions = Vec::new();
    let decision = match tried {
        Some(tried) if need.is_direct && need.settled_by != SettledBy::Probe => {
            rule_by_trial(tried, need, decision)
        }
        Some(tried) if need.is_direct => {
            let is_known_why = || is_known_why(plan, facts, need, now);
            rule_by_probe(plan, tried, need, decision, is_known_why, &mut cautions)
        }
        // The probe makes the calls itself; while an export runs, DynamoDB forwards them.
        Some(tried) => match &tried.refusal {
            None if matches!(decision.outcome, Verdict::Unknown { .. }) => {
                as_far_as_alike(plan, tried, need, decision.outcome)
            }
            Some(refusal) if !matches!(decision.outcome, Verdict::Denied) => {
                cautions.push(format!("tried directly, it was refused: {refusal}"));
                if is_known_why(plan, facts, need, now) {
                    decision
                } else {
                    refused_directly(need, decision, refusal)
                }
            }
            _ => decision,
        },
        None => decision,
    };
    (
        by_precedent(plan, facts, need, decision, now, &mut cautions),
        cautions,
    )
}

/// Whether the policies that were read tell by themselves why a direct call may be refused, so that
/// its refusal says nothing new about the one that DynamoDB forwards.
fn is_known_why(plan: &Plan, facts: &Facts, need: &RequiredPermission, now: Timestamp) -> bool {
    direct_asks(plan, facts, need, now).is_ok_and(|asks| {
        let direct = rule_all(facts, need, &asks).outcome;
        matches!(direct, Verdict::Denied | Verdict::Depends { .. })
    })
}

/// A refusal that nothing that was read explains comes from what was not read, or was changed since.
/// That is evidence against the export, and no proof: a policy may let in forwarded calls alone.
fn refused_directly(
    need: &RequiredPermission,
    decision: PermissionDecision,
    refusal: &str,
) -> PermissionDecision {
    if matches!(decision.outcome, Verdict::Depends { .. }) {
        return decision;
    }
    PermissionDecision {
        outcome: Verdict::Depends {
            on: Dependency::on(
                "whether what refuses the direct call lets in the one that DynamoDB forwards",
            ),
            unread: Vec::new(),
        },
        explanation: format!(
            "{} was tried directly and refused, and nothing that was read says why: {refusal}",
            need.action
        ),
        evidence: Evidence::ObservedCall {
            refusal: refusal.to_owned(),
        },
        deciding: Vec::new(),
        // Any other reason that AWS gives names what is not ours to write.
        denied_by: is_for_want_of_identity(refusal).then_some(PolicyKind::Identity),
    }
}

/// A direct call that worked settles what could not be read as far as the forwarded one is like it:
/// "allowed, assuming no condition" on what tells them apart.
fn as_far_as_alike(
    plan: &Plan,
    tried: &ObservedCall,
    need: &RequiredPermission,
    outcome: Verdict,
) -> PermissionDecision {
    let unread = match outcome {
        Verdict::Unknown { unread, .. } => unread,
        _ => Vec::new(),
    };
    let tells_apart = if !need.is_direct {
        TELLS_APART
    } else if plan.reads_objects() {
        OF_READINGS
    } else {
        OF_UPLOADS
    };
    let assumed = unread.into_iter().map(|unread| MissingInput {
        what: format!("{tells_apart} in {}", unread.what),
        ..unread
    });
    PermissionDecision {
        outcome: Verdict::Allowed {
            assumed: assumed.collect(),
        },
        ..PermissionDecision::allowed(format!(
            "{} was tried at {:.0}, and worked: allowed, assuming {tells_apart}",
            need.action, tried.at
        ))
    }
}

/// What a probe's own call and an export's, which DynamoDB forwards, differ in.
const TELLS_APART: &str = "no condition on aws:SourceIp, aws:SourceVpc*, aws:ViaAWSService, \
                           aws:CalledVia* or the ACL";

/// What a probe's calls and those of a whole upload by the same principal differ in.
const OF_UPLOADS: &str = "no condition on aws:SourceIp, aws:SourceVpc*, the ACL, tags or \
                          s3:ObjectCreationOperation";

/// What a probe's reading of a few objects and that of the others by the same principal differ in.
const OF_READINGS: &str = "no condition on aws:SourceIp, aws:SourceVpc*, s3:prefix, s3:delimiter, s3:max-keys or \
                           tags, and no statement of some of the objects alone";

/// The probe makes the principal's own calls, but for the one that ends an upload: what it shows
/// overrules no denial, and its refusal is a denial where nothing that was read depends on more.
fn rule_by_probe(
    plan: &Plan,
    tried: &ObservedCall,
    need: &RequiredPermission,
    decision: PermissionDecision,
    is_known_why: impl FnOnce() -> bool,
    cautions: &mut Vec<String>,
) -> PermissionDecision {
    match (&tried.refusal, &decision.outcome) {
        (None, Verdict::Unknown { .. }) => as_far_as_alike(plan, tried, need, decision.outcome),
        (Some(refusal), Verdict::Depends { .. }) => {
            cautions.push(format!("tried from here, it was refused: {refusal}"));
            if is_known_why() {
                decision
            } else {
                rule_by_trial(tried, need, decision)
            }
        }
        (Some(_), _) => rule_by_trial(tried, need, decision),
        (None, _) => decision,
    }
}

/// A call that worked is proof, whatever the policies seem to say; one that was refused, too.
fn rule_by_trial(
    tried: &ObservedCall,
    need: &RequiredPermission,
    decision: PermissionDecision,
) -> PermissionDecision {
    match &tried.refusal {
        None => PermissionDecision::allowed(format!(
            "{} was tried at {:.0}, and worked",
            need.action, tried.at
        )),
        Some(_) if decision.outcome == Verdict::Denied => decision,
        Some(refusal) => PermissionDecision {
            outcome: Verdict::Denied,
            explanation: format!("{} was tried, and refused: {refusal}", need.action),
            evidence: Evidence::ObservedCall {
                refusal: refusal.clone(),
            },
            deciding: Vec::new(),
            // Any other reason that AWS gives names what is not ours to write.
            denied_by: is_for_want_of_identity(refusal).then_some(PolicyKind::Identity),
        },
    }
}
