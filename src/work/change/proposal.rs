//! Proposals: the remedies that we can carry out ourselves, with the account and the session that
//! they take.

use crate::assess::facts::{Facts, KeyFacts, KeyManager, PrincipalFacts};
use crate::assess::principal::SourcePrincipal;
use crate::assess::remedy::{Fix, Remedies, Remedy, Target};
use crate::job::requirement::Actor;
use crate::journal::{ChangeKind, ChangeTarget};
use crate::work::event::Side;
use tableferry_policy::arn::{AccountId, BucketName};

/// A change to an account as it is proposed: a remedy that we can carry out ourselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What kind of change it is.
    pub kind: ChangeKind,
    /// The account that is changed.
    pub account: AccountId,
    /// The account that exports.
    pub source_account: AccountId,
    /// Whose session writes.
    pub side: Side,
    /// What is changed, such as `bucket policy of export-landing`.
    pub title: String,
    /// What the calls are made on.
    pub target: ChangeTarget,
    /// The remedy that it carries out.
    pub remedy: Remedy,
}

/// The proposals among remedies, in the order in which they are to be done.
#[must_use]
pub fn proposals(remedies: &Remedies, facts: &Facts) -> Vec<Proposal> {
    let proposed = remedies
        .remedies
        .iter()
        .map(|remedy| propose(remedy, facts));
    proposed.filter_map(Result::ok).collect()
}

/// The remedies that change an account and that we cannot carry out, each with the reason.
#[must_use]
pub fn not_proposed<'r>(remedies: &'r Remedies, facts: &Facts) -> Vec<(&'r Remedy, String)> {
    let changes = remedies.remedies.iter().filter(|remedy| {
        matches!(
            remedy.fix,
            Fix::Document { .. } | Fix::EnableRecovery { .. }
        )
    });
    changes
        .filter_map(|remedy| Some((remedy, propose(remedy, facts).err()?)))
        .collect()
}

/// The proposal that a remedy results in, or why it is none.
fn propose(remedy: &Remedy, facts: &Facts) -> Result<Proposal, String> {
    let (side, account, target) = match &remedy.fix {
        Fix::Document { target, .. } => match target {
            Target::BucketPolicy { bucket } => of_bucket(bucket, facts)?,
            Target::KeyPolicy { key } => of_key(key, facts)?,
            Target::IdentityPolicy { who, name } => of_principal(*who, name, facts)?,
        },
        Fix::EnableRecovery { table } => {
            let owner = table.account_id();
            let account = owner.ok_or_else(|| format!("{table} names no account"))?;
            if account != facts.source().caller.account {
                return Err(format!("{table} is not of the account that exports"));
            }
            let target = ChangeTarget::Recovery {
                table: table.clone(),
            };
            (Side::Source, account, target)
        }
        Fix::Plan { .. } => return Err("it changes the plan, not an account".to_owned()),
        Fix::RequestText { .. } => return Err("it is a text for somebody else".to_owned()),
    };
    if let Some(problem) = remedy.problems.first() {
        return Err(format!("it must not be done as it stands: {problem}"));
    }
    Ok(Proposal {
        kind: target.kind(),
        account,
        source_account: facts.source().caller.account.clone(),
        side,
        title: target.to_string(),
        target,
        remedy: remedy.clone(),
    })
}

type OwnedTarget = (Side, AccountId, ChangeTarget);

fn of_bucket(name: &BucketName, facts: &Facts) -> Result<OwnedTarget, String> {
    let bucket = facts.bucket(name);
    let owner = bucket.owner.value();
    let owner = owner.ok_or_else(|| format!("whose bucket {name} is was not read"))?;
    let region = bucket.region.value();
    let region = region.ok_or_else(|| format!("the Region of {name} was not read"))?;
    let side = side_of(owner, facts)
        .ok_or_else(|| format!("bucket {name} is of {owner}, for which nobody is signed in"))?;
    let target = ChangeTarget::BucketPolicy {
        bucket: name.clone(),
        owner: owner.clone(),
        region: region.clone(),
    };
    Ok((side, owner.clone(), target))
}

fn of_key(key: &str, facts: &Facts) -> Result<OwnedTarget, String> {
    let known = facts.key(key);
    if known
        .and_then(|known| known.description.value())
        .is_some_and(|description| description.manager == KeyManager::Aws)
    {
        return Err(format!("AWS manages {key}, and its policy with it"));
    }
    let arn = known
        .and_then(KeyFacts::arn)
        .or_else(|| key.parse().ok())
        .ok_or_else(|| format!("{key} is not known by its ARN"))?;
    let owner = arn.account_id();
    let owner = owner.ok_or_else(|| format!("{arn} names no account"))?;
    let side = side_of(&owner, facts)
        .ok_or_else(|| format!("{arn} is of {owner}, for which nobody is signed in"))?;
    Ok((side, owner, ChangeTarget::KeyPolicy { key: arn }))
}

/// Whose session changes what an account owns. Of two identities of one account, the destination's
/// is the likelier to be one that manages it.
fn side_of(owner: &AccountId, facts: &Facts) -> Option<Side> {
    let is_destinations = facts
        .destination()
        .is_some_and(|side| side.caller.account == *owner);
    if is_destinations {
        Some(Side::Destination)
    } else {
        (facts.source().caller.account == *owner).then_some(Side::Source)
    }
}

fn of_principal(who: Actor, policy: &str, facts: &Facts) -> Result<OwnedTarget, String> {
    let (side, principal) = match (who, facts.destination()) {
        (Actor::Exporter, _) => (Side::Source, facts.source()),
        (Actor::Reader, Some(destination)) => (Side::Destination, destination),
        (Actor::Reader, None) => return Err("nobody signs in for the destination".to_owned()),
        (Actor::Service, _) => return Err("a service takes no policy".to_owned()),
    };
    if !principal.identity_policies.is_settled() {
        return Err("the policies that the principal has were not read".to_owned());
    }
    let target = inline_policy(principal, policy)?;
    Ok((side, principal.caller.account.clone(), target))
}

/// An inline policy on the user or role, where IAM lets one be written.
fn inline_policy(principal: &PrincipalFacts, policy: &str) -> Result<ChangeTarget, String> {
    let policy = policy.to_owned();
    let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    match principal.naming() {
        SourcePrincipal::User { arn } => {
            let user = last(&arn.resource);
            Ok(ChangeTarget::UserPolicy { user, policy })
        }
        SourcePrincipal::Role { arn, .. } if arn.resource.starts_with("role/aws-service-role/") => {
            Err(format!("{arn} is a service-linked role, which AWS manages"))
        }
        SourcePrincipal::Role { arn, .. } => {
            let role = last(&arn.resource);
            Ok(ChangeTarget::RolePolicy { role, policy })
        }
        SourcePrincipal::IdentityCenter { permission_set, .. } => Err(format!(
            "the role is of the permission set {permission_set}, and cannot be edited by hand"
        )),
        SourcePrincipal::Root { .. } => Err("the root user takes no policy".to_owned()),
        SourcePrincipal::Service(service) => Err(format!("{} takes no policy", service.name)),
        SourcePrincipal::Other { arn } => Err(format!("{arn} is a session that takes no policy")),
    }
}
