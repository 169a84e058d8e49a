//! The resources of a job whose changes bear on it, and when the job last succeeded.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tableferry_policy::arn::Arn;

use super::history::WatchedResource;
use super::names::ResourceKind;
use crate::assess::facts::{Facts, PrincipalFacts};
use crate::job::ExportStatus;
use crate::job::Plan;

/// The bucket, keys, tables and principals of a plan, as far as the plan and the facts name them; without
/// facts, what the plan names.
#[must_use]
pub fn watched_resources(plan: &Plan, facts: Option<&Facts>) -> Vec<WatchedResource> {
    let mut watched = BTreeSet::new();
    let bucket = &plan.destination.bucket;
    let owner = facts.and_then(|facts| facts.bucket(bucket).owner.value());
    let owner = owner.or(plan.destination.owner.as_ref());
    watched.insert(WatchedResource {
        kind: ResourceKind::Bucket,
        name: bucket.to_string(),
        account: owner.map(ToString::to_string),
    });
    watched.extend(owner.map(|account| WatchedResource {
        kind: ResourceKind::Account,
        name: account.to_string(),
        account: Some(account.to_string()),
    }));
    watched.extend(plan.source_bucket().map(|bucket| WatchedResource {
        kind: ResourceKind::Bucket,
        name: bucket.to_string(),
        account: facts.map(|facts| facts.source().caller.account.to_string()),
    }));
    if let Some(principal) = plan.principal() {
        watched.extend(of_principal(principal));
    }
    if let Some(facts) = facts {
        watched.extend(
            facts
                .keys()
                .filter_map(|key| of_arn(ResourceKind::Key, &key.arn()?)),
        );
        watched.extend(of_facts(facts.source()));
        let source = facts.source();
        watched.extend(plan.tables.iter().filter_map(|job| {
            let arn = plan.table_arn(job, &source.caller.account, &source.region);
            of_arn(ResourceKind::Table, &arn)
        }));
    } else {
        watched.extend(plan.tables.iter().map(|job| WatchedResource {
            kind: ResourceKind::Table,
            name: job.table.to_string(),
            account: None,
        }));
    }
    watched.into_iter().collect()
}

fn of_arn(kind: ResourceKind, arn: &Arn) -> Option<WatchedResource> {
    // Nobody changes what AWS manages.
    (!arn.account.is_empty() && arn.account != "aws").then(|| WatchedResource {
        kind,
        name: arn.to_string(),
        account: Some(arn.account.clone()),
    })
}

/// The role or user, and the policies that are attached to it.
fn of_facts(principal: &PrincipalFacts) -> Vec<WatchedResource> {
    let attached = principal.known_identity_policies().iter();
    let mut watched: Vec<WatchedResource> = attached
        .filter_map(|policy| of_arn(ResourceKind::ManagedPolicy, &policy.name.parse().ok()?))
        .collect();
    watched.extend(of_principal(&principal.caller.arn));
    let boundary = principal.attached_boundary.as_deref();
    let boundary = boundary.and_then(|arn| of_arn(ResourceKind::ManagedPolicy, &arn.parse().ok()?));
    watched.extend(boundary);
    watched
}

/// The role of a session or of a role's ARN, or the user.
fn of_principal(arn: &Arn) -> Option<WatchedResource> {
    let (kind, name) = if let Some(session) = arn.resource_after("assumed-role") {
        (ResourceKind::Role, session.split('/').next()?)
    } else if let Some(role) = arn.resource_after("role") {
        (ResourceKind::Role, role.rsplit('/').next()?)
    } else {
        (
            ResourceKind::User,
            arn.resource_after("user")?.rsplit('/').next()?,
        )
    };
    Some(WatchedResource {
        kind,
        name: name.to_owned(),
        account: Some(arn.account.clone()),
    })
}

/// When an export of the plan's tables to its bucket was last completed, as far as the facts know.
#[must_use]
pub fn last_success(plan: &Plan, facts: &Facts) -> Option<Timestamp> {
    let source = facts.source();
    let tables: BTreeSet<String> = plan
        .tables
        .iter()
        .map(|job| {
            plan.table_arn(job, &source.caller.account, &source.region)
                .to_string()
        })
        .collect();
    facts
        .exports
        .iter()
        .filter(|export| {
            export.status == ExportStatus::Completed
                && export.bucket == plan.destination.bucket.as_str()
                && tables.contains(&export.table_arn)
        })
        .filter_map(|export| export.ended_at)
        .max()
}
