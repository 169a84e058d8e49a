//! Reading one side's principal: its role, its policies, its organization, and what IAM's simulation
//! makes of them.

mod controls;

pub use controls::{ControlDocuments, ControlFile, ControlFileError};

use futures_util::future;
use jiff::Timestamp;

use super::reading::{hanging_on, is_silent, read, read_optional};
use crate::assess::facts::{
    AccountFacts, Caller, ControlLevel, Fact, Facts, Organization, PolicyText, PrincipalFacts,
    RoleFacts, Simulated, Unasked,
};
use crate::assess::simulation::questions;
use crate::aws::Session;
use crate::aws::failure::Failure;
use crate::aws::iam::{Iam, PolicyHolder};
use crate::aws::organizations::ControlKind;
use crate::job::Plan;
use tableferry_policy::arn::{AccountId, Arn};

const LIST_PARENTS: &str = "organizations:ListParents";
const SIMULATE: &str = "iam:SimulatePrincipalPolicy";
const LIST_POLICIES: &str = "organizations:ListPoliciesForTarget";

/// What was read of a side: its principal, and the account of that.
pub(super) struct SideRead {
    pub(super) principal: PrincipalFacts,
    pub(super) account: AccountFacts,
}

/// Reads all that bears on a side's principal, but the simulation.
pub(super) async fn read_all(session: &Session) -> SideRead {
    let identity = &session.identity;
    let caller = Caller {
        arn: identity.arn.clone(),
        account: identity.account.clone(),
        user_id: identity.user_id.clone(),
    };
    let mut facts = PrincipalFacts::new(caller, session.region.clone());
    let now = Timestamp::now();
    let is_user = identity.arn.service == "iam";
    facts.expires_at = match session.expires_at {
        Some(end) => Fact::known(end, now, "the credentials"),
        None if is_user => Fact::absent(now, "the credentials"),
        None => Fact::unasked(Unasked::NoCallTells),
    };
    facts.assumed_from = match &session.assumed_from {
        Some(from) => Fact::known(from.clone(), now, "the profile's chain of roles"),
        None if is_user => Fact::absent(now, "sts:GetCallerIdentity"),
        None => Fact::unasked(Unasked::NoCallTells),
    };
    let (own, controls) = future::join(
        read_own(session, &identity.arn),
        read_controls(session, &identity.account, None),
    )
    .await;
    facts.role = or_assumed(own.role, session);
    facts.identity_policies = own.policies;
    facts.some_identity_policies = own.some_policies;
    facts.boundary = own.boundary;
    facts.attached_boundary = own.attached_boundary;
    let account = AccountFacts {
        organization: controls.organization,
        service_control: controls.service,
        resource_control: controls.resource,
        ..AccountFacts::UNREAD
    };
    SideRead {
        principal: facts,
        account,
    }
}

/// The name that stands for whatever session a role is used in.
const ANY_SESSION: &str = "any-session";

/// Reads what an identity of the same account may read of a principal that is named, and that nobody
/// signs in as. A role is taken as one of its sessions.
pub(super) async fn read_named(named: &Arn, reader: &Session) -> SideRead {
    let account = named.account_id();
    let account = account.unwrap_or_else(|| reader.identity.account.clone());
    let role = named.resource_after("role");
    let arn = match role {
        None => named.clone(),
        Some(path) => Arn {
            service: "sts".to_owned(),
            resource: format!(
                "assumed-role/{}/{ANY_SESSION}",
                path.rsplit('/').next().unwrap_or(path)
            ),
            ..named.clone()
        },
    };
    let is_own = reader.identity.account == account;
    let caller = Caller {
        arn,
        account,
        // Only anyone who signs in is told it.
        user_id: String::new(),
    };
    let mut facts = PrincipalFacts::new(caller, reader.region.clone());
    let mut account = AccountFacts::UNREAD;
    if is_own {
        let (own, controls) = future::join(
            read_own(reader, &facts.caller.arn),
            read_controls(reader, &facts.caller.account, None),
        )
        .await;
        facts.role = own.role;
        facts.identity_policies = own.policies;
        facts.some_identity_policies = own.some_policies;
        facts.boundary = own.boundary;
        facts.attached_boundary = own.attached_boundary;
        account.organization = controls.organization;
        account.service_control = controls.service;
        account.resource_control = controls.resource;
    } else {
        facts.identity_policies = Fact::unasked(Unasked::OwnerOnly);
        facts.boundary = Fact::unasked(Unasked::OwnerOnly);
    }
    if role.is_some() && facts.role.value().is_none() {
        let role = RoleFacts {
            arn: named.clone(),
            id: None,
            created_at: None,
        };
        facts.role = Fact::known(role, Timestamp::now(), "the plan");
    }
    SideRead {
        principal: facts,
        account,
    }
}

/// Asks another identity of the plan for what a side may not read of itself: its policies one of the
/// same account, the organization's policies anyone who may read them.
/// `known` is the organization of the other's account, as it was read.
pub(super) async fn fill_in(side: &mut SideRead, other: &Session, known: Fact<Organization>) {
    let id = side.principal.caller.account.clone();
    fill_in_principal(&mut side.principal, other).await;
    let account = &mut side.account;
    let has_controls = is_whole(&account.service_control) && is_whole(&account.resource_control);
    let organization = account.organization.value();
    let lacks_path = organization.is_some_and(|known| known.path.is_none());
    if !account.is_beyond_control(&id) && !has_controls || lacks_path {
        let controls = read_controls(other, &id, Some(known)).await;
        if let (Some(known), Some(told)) = (
            account.organization.value_mut(),
            controls.organization.value(),
        ) && known.id == told.id
            && known.path.is_none()
        {
            known.path.clone_from(&told.path);
        }
        // An organization that knows the account is the account's.
        if controls.service.is_settled() || other.identity.account == id {
            account.organization.fill(controls.organization);
        }
        fill_levels(&mut account.service_control, controls.service);
        fill_levels(&mut account.resource_control, controls.resource);
    }
}

async fn fill_in_principal(facts: &mut PrincipalFacts, other: &Session) {
    let account = &facts.caller.account;
    let lacks_own = !facts.identity_policies.is_settled()
        || !facts.boundary.is_settled()
        || !facts.role.is_settled();
    if lacks_own && other.identity.account == *account && other.identity.arn != facts.caller.arn {
        let own = read_own(other, &facts.caller.arn).await;
        if came_further(facts, &own) {
            facts.identity_policies = own.policies;
            facts.some_identity_policies = own.some_policies;
        }
        facts.role.fill(own.role);
        // The one who learned which boundary it is came further, and names what is still missing.
        if facts.attached_boundary.is_none() && own.attached_boundary.is_some() {
            facts.boundary = own.boundary;
            facts.attached_boundary = own.attached_boundary;
        } else {
            facts.boundary.fill(own.boundary);
        }
    }
}

/// Whether another reader learned more of the identity policies: all of them, or some, or which one it
/// is that may not be read.
fn came_further(facts: &PrincipalFacts, own: &Own) -> bool {
    let is_list_unread = |policies: &Fact<Vec<PolicyText>>| {
        let error = policies.error();
        error.is_none_or(|error| error.permission.starts_with("iam:List"))
    };
    let (known, found) = (&facts.identity_policies, &own.policies);
    if known.is_settled() || found.is_settled() {
        return !known.is_settled();
    }
    own.some_policies.len() > facts.some_identity_policies.len()
        || is_list_unread(known) && !is_list_unread(found)
}

/// Whether no control policy is left that could not be read.
fn is_whole(levels: &Fact<Vec<ControlLevel>>) -> bool {
    let known = levels.value().into_iter().flatten();
    levels.is_settled() && known.clone().all(|level| level.unread.is_empty())
}

/// Takes the levels that another identity read, where this one could not, or not all of them.
fn fill_levels(levels: &mut Fact<Vec<ControlLevel>>, other: Fact<Vec<ControlLevel>>) {
    if !is_whole(levels) && is_whole(&other) {
        *levels = other;
    } else {
        levels.fill(other);
    }
}

/// What IAM tells of a principal.
struct Own {
    role: Fact<RoleFacts>,
    policies: Fact<Vec<PolicyText>>,
    /// What was read of the policies, where not all were.
    some_policies: Vec<PolicyText>,
    boundary: Fact<PolicyText>,
    /// The boundary's ARN, where it has one.
    attached_boundary: Option<String>,
}

/// Reads of a principal what IAM tells `reader`, which may be the principal itself.
async fn read_own(reader: &Session, arn: &Arn) -> Own {
    let iam = reader.iam();
    let now = Timestamp::now();
    if let Some(name) = role_name(arn) {
        let (role, (policies, some_policies)) = future::join(
            read_role(&iam, name),
            read_policies(&iam, PolicyHolder::Role(name)),
        )
        .await;
        let (role, boundary) = role;
        return Own {
            role,
            policies,
            some_policies,
            attached_boundary: boundary.value().cloned(),
            boundary: read_boundary(&iam, boundary).await,
        };
    }
    let role = Fact::absent(now, "sts:GetCallerIdentity");
    let Some(user) = arn.resource_after("user").filter(|_| arn.service == "iam") else {
        // The account's root user has no policies; a federated user's are not told by any call.
        let is_root = arn.resource == "root";
        return Own {
            role,
            policies: if is_root {
                Fact::absent(now, "sts:GetCallerIdentity")
            } else {
                Fact::unasked(Unasked::NoCallTells)
            },
            some_policies: Vec::new(),
            boundary: if is_root {
                Fact::absent(now, "sts:GetCallerIdentity")
            } else {
                Fact::unasked(Unasked::NoCallTells)
            },
            attached_boundary: None,
        };
    };
    let name = user.rsplit('/').next().unwrap_or(user);
    let ((policies, some_policies), boundary) = future::join(
        read_policies(&iam, PolicyHolder::User(name)),
        read_optional("iam:GetUser", iam.user_boundary(name)),
    )
    .await;
    Own {
        role,
        policies,
        some_policies,
        attached_boundary: boundary.value().cloned(),
        boundary: read_boundary(&iam, boundary).await,
    }
}

fn role_name(arn: &Arn) -> Option<&str> {
    let (role, _session) = arn.resource_after("assumed-role")?.split_once('/')?;
    Some(role)
}

/// The role, and its boundary's ARN.
async fn read_role(iam: &Iam, name: &str) -> (Fact<RoleFacts>, Fact<String>) {
    let role = read("iam:GetRole", &["NoSuchEntity"], iam.role(name)).await;
    let boundary = match &role {
        Fact::Known {
            value,
            read_at,
            source,
        } => match &value.boundary {
            Some(arn) => Fact::known(arn.clone(), *read_at, source.as_str()),
            None => Fact::absent(*read_at, source.as_str()),
        },
        other => hanging_on(other, "iam:GetRole"),
    };
    let role = role.map(|role| RoleFacts {
        arn: role.arn,
        id: Some(role.id),
        created_at: role.created_at,
    });
    (role, boundary)
}

/// The role as it was read; where it may not be read, as it was named when it was assumed.
fn or_assumed(role: Fact<RoleFacts>, session: &Session) -> Fact<RoleFacts> {
    match session.named_role() {
        Some(arn) if !role.is_settled() => {
            let named = RoleFacts {
                arn: arn.clone(),
                id: None,
                created_at: None,
            };
            Fact::known(named, Timestamp::now(), "the name it was assumed by")
        }
        _ => role,
    }
}

/// All identity policies, or those that could be read beside what stood in the way of the others.
async fn read_policies(
    iam: &Iam,
    holder: PolicyHolder<'_>,
) -> (Fact<Vec<PolicyText>>, Vec<PolicyText>) {
    let usual = match holder {
        PolicyHolder::Role(_) => "iam:ListAttachedRolePolicies",
        PolicyHolder::User(_) => "iam:ListAttachedUserPolicies",
    };
    let mut some = Vec::new();
    let gather = async {
        let gathered = iam.identity_policies(holder).await;
        let Some(failure) = gathered.failure else {
            return Ok(gathered.policies);
        };
        some = gathered.policies;
        Err(failure)
    };
    let all = read(usual, &[], gather).await;
    (all, some)
}

async fn read_boundary(iam: &Iam, arn: Fact<String>) -> Fact<PolicyText> {
    match &arn {
        Fact::Known { value, .. } => {
            read("iam:GetPolicyVersion", &[], iam.managed_policy(value)).await
        }
        Fact::Absent { read_at, source } => Fact::absent(*read_at, source.as_str()),
        other => hanging_on(other, "iam:GetRole"),
    }
}

/// What Organizations tells of an account.
struct ReadControls {
    organization: Fact<Organization>,
    service: Fact<Vec<ControlLevel>>,
    resource: Fact<Vec<ControlLevel>>,
}

/// Reads the organization of an account, and the control policies over it, as `reader`; `known` is the
/// organization of the reader's account, where that was read already.
async fn read_controls(
    reader: &Session,
    account: &AccountId,
    known: Option<Fact<Organization>>,
) -> ReadControls {
    let organizations = reader.organizations();
    let mut organization = if let Some(known) = known {
        known
    } else {
        let described = organizations.organization();
        read_optional("organizations:DescribeOrganization", described).await
    };
    let is_bound = organization
        .value()
        .is_none_or(|known| known.management_account != *account);
    let unbound = |organization| ReadControls {
        organization,
        service: Fact::unasked(Unasked::NotApplicable),
        resource: Fact::unasked(Unasked::NotApplicable),
    };
    if organization.is_absent() {
        return unbound(organization);
    }
    if is_silent(&organization) {
        return ReadControls {
            service: hanging_on(&organization, LIST_POLICIES),
            resource: hanging_on(&organization, LIST_POLICIES),
            organization,
        };
    }
    let ancestors = read(LIST_PARENTS, &[], organizations.ancestors(account)).await;
    if let (Some(known), Some(above)) = (organization.value_mut(), ancestors.value()) {
        known.path = Some(format!("{}/{}/", known.id, above.join("/")));
    }
    if !is_bound {
        return unbound(organization);
    }
    let Some(above) = ancestors.value() else {
        return ReadControls {
            organization,
            service: hanging_on(&ancestors, LIST_POLICIES),
            resource: hanging_on(&ancestors, LIST_POLICIES),
        };
    };
    let mut targets = above.clone();
    targets.push(account.to_string());
    let (service, resource) = future::join(
        read(
            LIST_POLICIES,
            &[],
            organizations.control_policies(&targets, ControlKind::Service),
        ),
        read(
            LIST_POLICIES,
            &[],
            organizations.control_policies(&targets, ControlKind::Resource),
        ),
    )
    .await;
    ReadControls {
        organization,
        service,
        resource,
    }
}

/// Asks IAM's simulation about every permission that the exporter needs. It is the only source for
/// service control policies that needs no rights in the organization.
pub(super) async fn simulate(plan: &Plan, facts: &Facts, reader: &Session) -> Fact<Vec<Simulated>> {
    let caller = &facts.source().caller.arn;
    let principal = match facts.source().role.value() {
        Some(role) => role.arn.clone(),
        None if caller.service == "iam" && caller.resource != "root" => caller.clone(),
        None => match role_name(caller) {
            // Right for a role without a path; IAM knows no such role otherwise.
            Some(role) => Arn::iam(
                caller.partition,
                &facts.source().caller.account,
                format!("role/{role}"),
            ),
            None => return Fact::unasked(Unasked::NoCallTells),
        },
    };
    if is_silent(&facts.source().identity_policies) {
        return hanging_on(&facts.source().identity_policies, SIMULATE);
    }
    let questions = questions(plan, facts, Timestamp::now());
    let iam = reader.iam();
    let calls = questions
        .iter()
        .map(|question| iam.simulate(&principal, question));
    read(SIMULATE, &[], one_then_all(calls)).await
}

/// The first call alone: where it is refused, the others would be too.
async fn one_then_all<F>(mut calls: impl Iterator<Item = F>) -> Result<Vec<Simulated>, Failure>
where
    F: Future<Output = Result<Vec<Simulated>, Failure>>,
{
    let Some(first) = calls.next() else {
        return Ok(Vec::new());
    };
    let mut simulated = first.await?;
    simulated.extend(future::try_join_all(calls).await?.into_iter().flatten());
    Ok(simulated)
}
