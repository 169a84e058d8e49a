//! What an assessment says about the causes of an error: which hold, and which are excluded.
//!
//! It decides nothing about permissions: the assessment did. It decides whether an error is of the plan that
//! was assessed, and which of the plan's requirements speak for or against a cause.

use tableferry_policy::evaluate::PolicyKind;

use super::circumstance::{Circumstance, Circumstances};
use super::group::without_session;
use super::reported::{ReportedError, arn_part};
use crate::assess::assessment::Assessment;
use crate::assess::deny::is_for_encryption;
use crate::assess::job_facts::owner_sent;
use crate::assess::principal::is_same_principal;
use crate::assess::verdict::{AssessedRequirement, Verdict};
use crate::job::requirement::{Actor, Check, RequiredPermission, Requirement};

/// What the text shows, and what an assessment adds where the error is of its plan.
#[must_use]
pub fn circumstances(error: &ReportedError, assessment: &Assessment) -> Circumstances {
    let mut known = Circumstances::of_text(error);
    if !is_of_plan(error, assessment) {
        return known;
    }
    add_permissions(error, assessment, &mut known);
    add_stale_principals(assessment, &mut known);
    let mut owners = assessment
        .requirements
        .iter()
        .filter(|found| found.is_of(Check::BucketOwner));
    let is_owner_right = owners.all(|found| found.outcome.is_allowed());
    match owner_sent(&assessment.plan, &assessment.facts) {
        Some(_) => known.add(Circumstance::OwnerSent),
        None if !is_owner_right => known.add(Circumstance::OwnerNotSent),
        None => {}
    }
    for found in &assessment.requirements {
        if let Requirement::Check { check, .. } = &found.requirement {
            add_check(*check, &found.outcome, &mut known);
            let is_denied = found.outcome == Verdict::Denied;
            match check {
                Check::KeyName if is_denied => known.add(Circumstance::KeyNameIsForeign),
                Check::SourceBucket
                | Check::SameRegion
                | Check::ExpectedOwner
                | Check::DefaultEncryption
                    if is_denied =>
                {
                    known.add(Circumstance::DeliveryIsPrevented);
                }
                // Objects here are their writer's, whose access control lists nobody has read.
                Check::ObjectOwner if matches!(found.outcome, Verdict::Depends { .. }) => {
                    known.add(Circumstance::ObjectIsForeign);
                }
                _ => {}
            }
        }
    }
    known
}

/// Whether caller and bucket of the error, as far as it names them, are those of the plan.
#[must_use]
pub fn is_of_plan(error: &ReportedError, assessment: &Assessment) -> bool {
    let caller = assessment.facts.source().caller.arn.to_string();
    let is_caller = error.principal.as_deref().is_none_or(|principal| {
        // A plan may name the role, and the error its session.
        without_session(principal) == without_session(&caller)
            || is_same_principal(principal, &caller)
    });
    let bucket = error
        .resource
        .as_deref()
        .filter(|arn| arn_part(arn, 2) == Some("s3"))
        .and_then(|arn| arn_part(arn, 5))
        .and_then(|name| name.split('/').next());
    let is_bucket =
        bucket.is_none_or(|bucket| bucket == assessment.plan.destination.bucket.as_str());
    is_caller && is_bucket
}

/// The permissions that the error may be about: of its action, or all that the export needs on the bucket
/// and on the key of its objects.
fn add_permissions(error: &ReportedError, assessment: &Assessment, known: &mut Circumstances) {
    let actor = if known.holds(Circumstance::InventoryDelivery) {
        Actor::Service
    } else {
        Actor::Exporter
    };
    let concerns = |need: &RequiredPermission| match error.action.as_deref() {
        Some(action) => need.action.eq_ignore_ascii_case(action),
        None => need.subject.is_of_bucket() || need.subject.object_key().is_some(),
    };
    let mut bucket = Vec::new();
    let mut key = Vec::new();
    for found in &assessment.requirements {
        let Requirement::Permission(need) = &found.requirement else {
            continue;
        };
        if need.who != actor || !concerns(need) {
            continue;
        }
        if need.action.starts_with("kms:") {
            key.push(found);
        } else {
            bucket.push(found);
        }
    }
    for found in &bucket {
        add_denial(found, false, known);
        let mut denies = found.deciding.iter().filter(|statement| statement.is_deny);
        if denies.any(|deny| is_for_encryption(&assessment.facts, deny)) {
            known.add(Circumstance::EncryptionIsDemanded);
        }
        if let Verdict::Depends { on, .. } = &found.outcome
            && on.names().iter().any(|name| name.contains("s3:x-amz-acl"))
        {
            known.add(Circumstance::AclIsDemanded);
        }
    }
    for found in &key {
        add_denial(found, true, known);
    }
    if all_allowed(&bucket) {
        known.add(Circumstance::IdentityPolicyAllows);
        known.add(Circumstance::ResourcePolicyAllows);
        known.add(Circumstance::ResourcePolicyDoesNotDeny);
    }
    if all_allowed(&key) {
        known.add(Circumstance::KeyPolicyAllows);
        known.add(Circumstance::KeyPolicyDoesNotDeny);
        known.add(Circumstance::KeyIdentityPolicyAllows);
    }
}

fn all_allowed(found: &[&AssessedRequirement]) -> bool {
    !found.is_empty() && found.iter().all(|found| found.outcome.is_allowed())
}

/// The policy by which a permission is denied, as the assessment names it.
fn add_denial(found: &AssessedRequirement, is_of_key: bool, known: &mut Circumstances) {
    let mut deciding = found.deciding.iter();
    if let Verdict::Depends { .. } = found.outcome {
        let is_of_resource =
            deciding.any(|statement| statement.is_deny && statement.kind == PolicyKind::Resource);
        if is_of_resource && !is_of_key {
            known.add(Circumstance::ResourcePolicyMayDeny);
        }
        return;
    }
    if found.outcome != Verdict::Denied {
        return;
    }
    let is_deny = deciding.any(|statement| statement.is_deny);
    let circumstance = match (found.denied_by, is_deny, is_of_key) {
        (Some(PolicyKind::Identity), true, _) => Circumstance::IdentityPolicyDenies,
        (Some(PolicyKind::Identity), false, false) => Circumstance::IdentityPolicyDoesNotAllow,
        (Some(PolicyKind::Identity), false, true) => Circumstance::KeyIdentityPolicyDoesNotAllow,
        (Some(PolicyKind::Resource), true, false) => Circumstance::ResourcePolicyDenies,
        (Some(PolicyKind::Resource), true, true) => Circumstance::KeyPolicyDenies,
        (Some(PolicyKind::Resource), false, false) => {
            // A Deny would have decided before an Allow is missed.
            known.add(Circumstance::ResourcePolicyDoesNotDeny);
            Circumstance::ResourcePolicyDoesNotAllow
        }
        (Some(PolicyKind::Resource), false, true) => {
            known.add(Circumstance::KeyPolicyDoesNotDeny);
            Circumstance::KeyPolicyDoesNotAllow
        }
        (Some(PolicyKind::ServiceControl), _, _) => Circumstance::ScpDenies,
        (Some(PolicyKind::ResourceControl), _, _) => Circumstance::RcpDenies,
        _ => return,
    };
    known.add(circumstance);
}

/// A policy that names a deleted principal is told as a caution, and only where there is one.
fn add_stale_principals(assessment: &Assessment, known: &mut Circumstances) {
    let mut requirements = assessment.requirements.iter();
    if requirements.any(|found| found.is_of(Check::StalePrincipal)) {
        known.add(Circumstance::PrincipalIsStale);
        return;
    }
    let bucket = assessment.facts.bucket(&assessment.plan.destination.bucket);
    if bucket.policy.value().is_some() {
        known.add(Circumstance::PrincipalIsNotStale);
    }
}

/// A setting or a time: in order, or not.
fn add_check(check: Check, outcome: &Verdict, known: &mut Circumstances) {
    let (denied, allowed) = match check {
        Check::BucketOwner => (Circumstance::OwnerIsWrong, Circumstance::OwnerIsRight),
        Check::PublicAccess => (
            Circumstance::PolicyIsPublic,
            Circumstance::PolicyIsNotPublic,
        ),
        Check::RequesterPays => (
            Circumstance::BucketIsRequesterPays,
            Circumstance::BucketIsNotRequesterPays,
        ),
        Check::KeyRegion => (
            Circumstance::KeyRegionDiffers,
            Circumstance::KeyRegionIsTheSame,
        ),
        _ => return,
    };
    match outcome {
        Verdict::Denied => known.add(denied),
        Verdict::Allowed { assumed } if assumed.is_empty() => known.add(allowed),
        _ => {}
    }
}
