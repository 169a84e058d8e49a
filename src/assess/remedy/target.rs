//! The documents that remedies change: which, what stands there now, and the new text in its place.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::assess::facts::{Fact, Facts, ObservedCall, PolicyText, PrincipalFacts, ReadError};
use crate::assess::refusal::is_for_want_of_identity;
use crate::assess::simulation;
use crate::job::Plan;
use crate::job::requirement::{Actor, RequiredPermission, Subject};
use tableferry_policy::arn::BucketName;
use tableferry_policy::document::{Document, Statement};
use tableferry_policy::evaluate::{
    Context, Decision, Named, Policies, Principal, Request, evaluate,
};
use tableferry_policy::policy::Policy;

/// What a document is called that only stands for one.
const ONE_OF_OURS: &str = "tableferry";

/// Which document a remedy changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A policy of its own on the principal of a side.
    IdentityPolicy {
        /// Which side.
        who: Actor,
        /// The inline policy's name, which is free.
        name: String,
    },
    /// The bucket's policy.
    BucketPolicy {
        /// The bucket.
        bucket: BucketName,
    },
    /// A key's policy.
    KeyPolicy {
        /// The key's ARN.
        key: String,
    },
}

impl Target {
    /// Whether the document names principals.
    pub(in crate::assess) const fn is_resource_policy(&self) -> bool {
        !matches!(self, Self::IdentityPolicy { .. })
    }

    /// A policy of its own on the principal of a side, under a name that is free.
    ///
    /// Where one identity signs in for both sides, it has one such policy.
    pub(super) fn identity(plan: &Plan, facts: &Facts, who: Actor) -> Self {
        let who = if facts.is_one_identity() {
            Actor::Exporter
        } else {
            who
        };
        let side = facts.principal(who);
        let taken = |name: &str| {
            let known = side.known_identity_policies();
            known.iter().any(|policy| policy.name == name)
        };
        let wanted = plan.words().policy;
        let mut name = wanted.to_owned();
        let mut number = 1;
        while taken(&name) {
            number += 1;
            name = format!("{wanted}-{number}");
        }
        Self::IdentityPolicy { who, name }
    }

    /// The policy of the resource that a need is about, where it has one that can be edited.
    pub(super) fn of_resource(facts: &Facts, need: &RequiredPermission) -> Option<Self> {
        match &need.subject {
            Subject::Object | Subject::Folder | Subject::SourceBucket => Some(Self::BucketPolicy {
                bucket: need.bucket()?,
            }),
            Subject::ObjectKey(named) => {
                let key = facts.key(named)?;
                Some(Self::KeyPolicy {
                    key: key.arn()?.to_string(),
                })
            }
            Subject::TableKey => Some(Self::KeyPolicy {
                key: need.resource.pattern().to_owned(),
            }),
            Subject::Table | Subject::TableExport | Subject::ExportList | Subject::Named { .. } => {
                None
            }
        }
    }

    /// The live document of a target.
    pub(super) fn live<'f>(&self, facts: &'f Facts) -> Option<&'f Policy> {
        match self {
            Self::IdentityPolicy { .. } => None,
            Self::BucketPolicy { bucket } => facts.bucket(bucket).policy.value(),
            Self::KeyPolicy { key } => facts.key(key)?.policy.value(),
        }
    }

    /// The text of the live document.
    pub(super) fn text<'f>(&self, facts: &'f Facts) -> Option<&'f str> {
        self.live(facts).map(Policy::text)
    }

    /// Why nobody can tell what stands there now; `None` where it was read, or nothing stands there.
    pub(in crate::assess) fn obstacle(&self, facts: &Facts) -> Option<ReadError> {
        match self {
            Self::IdentityPolicy { .. } => None,
            Self::BucketPolicy { bucket } => {
                facts.bucket(bucket).policy.obstacle("s3:GetBucketPolicy")
            }
            Self::KeyPolicy { key } => match facts.key(key) {
                Some(known) => known.policy.obstacle("kms:GetKeyPolicy"),
                None => Fact::<Policy>::UNASKED.obstacle("kms:GetKeyPolicy"),
            },
        }
    }

    /// Puts a document in its place.
    pub(super) fn put(&self, facts: &mut Facts, text: String, now: Timestamp) {
        match self {
            Self::IdentityPolicy { who, name } => {
                let is_one = facts.is_one_identity();
                let policy = PolicyText {
                    name: name.clone(),
                    document: text.into(),
                };
                let sides = [Actor::Exporter, Actor::Reader];
                for side in sides.into_iter().filter(|side| is_one || side == who) {
                    give(facts, side, &policy);
                }
            }
            Self::BucketPolicy { bucket } => {
                let after = Policy::from(text);
                let before = facts.bucket_mut(bucket).policy.value().cloned();
                forget_refusals(facts, before.as_ref(), &after);
                facts.bucket_mut(bucket).policy = Fact::known(after, now, "remedy");
            }
            Self::KeyPolicy { key } => {
                let before = facts.key(key).and_then(|key| key.policy.value().cloned());
                let after = Policy::from(text);
                forget_refusals(facts, before.as_ref(), &after);
                if let Some(known) = facts.key_mut(key) {
                    known.policy = Fact::known(after, now, "remedy");
                }
            }
        }
    }
}

/// Gives the principal of a side one identity policy more. IAM's simulation and refused calls told what
/// the policies of before come to: what those did not allow and the new one does is refused no more.
fn give(facts: &mut Facts, who: Actor, policy: &PolicyText) {
    let Some(side) = facts.side_mut(who) else {
        return;
    };
    let known = match side.identity_policies.value_mut() {
        Some(all) => all,
        None => &mut side.some_identity_policies,
    };
    // Both sides may be one principal.
    if !known.contains(policy) {
        known.push(policy.clone());
    }
    let Ok(document) = policy.document.document() else {
        return;
    };
    let Some(principal) = Principal::parse(&side.caller.arn.to_string()) else {
        return;
    };
    // The conditions of what we add are those of the calls that it is for.
    let mut context = Context::default();
    for condition in document.statements().iter().flat_map(|one| &one.conditions) {
        context.set_unknown(&condition.key.value);
    }
    let account = side.caller.account.to_string();
    // What the identity policies come to by themselves: a key leaves it to them only so.
    let leave = format!(
        r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"{account}"}},"Action":"*","Resource":"*"}}}}"#
    );
    let leave = Document::parse(&leave).ok();
    let policies = Policies {
        identity: vec![Named::new(ONE_OF_OURS, Arc::clone(document))],
        resource: leave.map(|leave| Named::new(ONE_OF_OURS, leave)),
        ..Policies::default()
    };
    let is_granted = |action: &str, resource: &str| {
        let request = Request {
            principal: principal.clone(),
            action,
            resource,
            resource_account: &account,
            context: &context,
        };
        let decision = evaluate(&request, &policies).decision;
        matches!(decision, Decision::Allowed | Decision::Depends)
    };
    if let Some(answers) = side.simulation.value_mut() {
        simulation::grant(answers, is_granted);
    }
    // Any other reason that AWS gives stays one.
    let is_for_want_of_a_grant =
        |one: &ObservedCall| is_for_want_of_identity(one.refusal.as_deref().unwrap_or_default());
    facts.tried.retain(|one| {
        one.who != who || !is_for_want_of_a_grant(one) || !is_granted(&one.action, &one.resource)
    });
}

/// What the policy of a resource did not allow and the new one does is refused no more, where AWS gave
/// that reason or none.
fn forget_refusals(facts: &mut Facts, before: Option<&Policy>, after: &Policy) {
    let arn = |side: &PrincipalFacts| side.caller.arn.to_string();
    let sides = [
        (Actor::Exporter, Some(arn(facts.source()))),
        (Actor::Reader, facts.destination().map(arn)),
    ];
    facts.tried.retain(|one| {
        let is_explained_by_it = one.refusal.as_deref().is_some_and(|refusal| {
            let has_reason = ["because", "with an explicit deny"]
                .iter()
                .any(|word| refusal.contains(word));
            !has_reason || refusal.contains("no resource-based polic")
        });
        let arn = sides.iter().find(|(who, _)| *who == one.who);
        let principal = arn.and_then(|(_, arn)| Principal::parse(arn.as_deref()?));
        let Some(principal) = principal.filter(|_| is_explained_by_it) else {
            return true;
        };
        let decision = |policy| decision_of(policy, &principal, &one.action, &one.resource);
        let is_granted = matches!(decision(after), Decision::Allowed | Decision::Depends);
        !is_granted || before.is_some_and(|before| decision(before) == Decision::Allowed)
    });
}

/// What the policy of a resource makes of a call of another account whose own policies allow it.
fn decision_of(policy: &Policy, principal: &Principal, action: &str, resource: &str) -> Decision {
    /// None of those that call: both sides must allow then, so that the resource's decides.
    const OTHER: &str = "000000000000";
    const OWN: &str = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let Ok(document) = policy.document() else {
        return Decision::ImplicitDeny;
    };
    let mut context = Context::default();
    for condition in document.statements().iter().flat_map(|one| &one.conditions) {
        context.set_unknown(&condition.key.value);
    }
    let request = Request {
        principal: principal.clone(),
        action,
        resource,
        resource_account: OTHER,
        context: &context,
    };
    let own = Document::parse(OWN).into_iter();
    let own = own.map(|own| Named::new(ONE_OF_OURS, own));
    let policies = Policies {
        identity: own.collect(),
        resource: Some(Named::new(ONE_OF_OURS, Arc::clone(document))),
        ..Policies::default()
    };
    evaluate(&request, &policies).decision
}

/// A document of one statement of another.
pub(super) fn slice_as_document(text: &str, statement: &Statement<'_>) -> Option<Policy> {
    let own = text.get(statement.span.start..statement.span.end)?;
    Some(format!(r#"{{"Version":"2012-10-17","Statement":[{own}]}}"#).into())
}

/// Whether a resource's policy allows a need, by some values of the keys that its conditions ask for.
pub(super) fn grants_under_conditions(
    policy: &Policy,
    need: &RequiredPermission,
    facts: &Facts,
) -> bool {
    let principal = match &need.service {
        Some(service) => Some(Principal::Service {
            name: service.name.to_owned(),
        }),
        None => Principal::parse(&facts.principal(need.who).caller.arn.to_string()),
    };
    principal.is_some_and(|principal| {
        let decision = decision_of(policy, &principal, need.action, need.resource.pattern());
        matches!(decision, Decision::Allowed | Decision::Depends)
    })
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdentityPolicy { who, name } => {
                let whose = match who {
                    Actor::Exporter | Actor::Service => "the source's principal",
                    Actor::Reader => "the destination's principal",
                };
                write!(f, "inline policy {name} of {whose}")
            }
            Self::BucketPolicy { bucket } => write!(f, "bucket policy of {bucket}"),
            Self::KeyPolicy { key } => write!(f, "key policy of {key}"),
        }
    }
}
