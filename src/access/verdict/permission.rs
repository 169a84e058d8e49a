//! Verdicts on permissions: every request of a need against the policies that were read, with what
//! was tried for real and what IAM's simulation said as further witnesses.
//!
//! What could not be read is weighed by what it could do. A guardrail that could only forbid, and the
//! caller's own identity policies, which on-call staff can seldom read, are assumed to let it
//! through, and named. A policy of the other side that must allow is not assumed: without it the
//! verdict is unknown.

use jiff::Timestamp;

use super::witness::{
    held_by_simulation, is_for_want_of_identity, left_unread, refused_by_simulation, with_witnesses,
};
use super::words::foresees;
use super::{
    Layer, Mender, Outcome, Subject, Unread, Verdict, mender_of_bucket, mender_of_identity,
    mender_of_key,
};
use crate::access::context;
use crate::access::facts::Facts;
use crate::access::need::{Need, Purpose, Who, bucket_owner};
use crate::access::remedy::is_deny_of_encryption;
use crate::access::request::{Ask, asks};
use crate::access::simulation;
use crate::plan::Plan;
use tableferry_policy::evaluate::{Deciding, Decision, Evaluation, PolicyKind, evaluate};

/// What one request comes to.
#[derive(Debug, Clone)]
pub(super) struct Ruling {
    pub(super) outcome: Outcome,
    pub(super) explanation: String,
    pub(super) deciding: Vec<Deciding>,
    pub(super) denied_by: Option<PolicyKind>,
}

/// Judges one need.
pub(super) fn judge(plan: &Plan, facts: &Facts, need: Need, now: Timestamp) -> Verdict {
    let mut lasting = None;
    let ruling = match asks(plan, facts, &need, now) {
        Ok(asks) => {
            let ruling = rule_all(facts, &need, &asks);
            if ruling.outcome.is_allowed() {
                lasting = super::lasting::caution(plan, facts, &need, now, &asks);
            }
            ruling
        }
        Err(unclear) => Ruling::unknown(
            vec![Unread {
                layer: Layer::Resource,
                what: unclear.what.clone(),
                permission: unclear.permission.to_owned(),
                detail: "it is not known".to_owned(),
            }],
            format!("{} is not known", unclear.what),
        ),
    };
    let (ruling, mut cautions) = with_witnesses(plan, facts, &need, ruling, now);
    cautions.extend(lasting);
    let mender = mender(plan, facts, &need, &ruling);
    let owner = match need.purpose {
        Purpose::Write | Purpose::Verify => bucket_owner(plan, facts),
        _ => need.account.clone(),
    };
    Verdict {
        foresees: foresees(facts, &need, owner.as_ref(), &ruling),
        outcome: ruling.outcome,
        explanation: ruling.explanation,
        deciding: ruling.deciding,
        denied_by: ruling.denied_by,
        mender,
        hint: String::new(),
        cautions,
        weight: need.weight(),
        subject: Subject::Permission(need),
    }
}

impl Ruling {
    const fn unknown(unread: Vec<Unread>, explanation: String) -> Self {
        Self {
            outcome: Outcome::Unknown { unread },
            explanation,
            deciding: Vec::new(),
            denied_by: None,
        }
    }

    fn of(outcome: Outcome, evaluation: Evaluation) -> Self {
        Self {
            outcome,
            explanation: evaluation.explanation,
            deciding: evaluation.deciding,
            denied_by: evaluation.denied_by,
        }
    }

    const fn rank(&self) -> u8 {
        match self.outcome {
            Outcome::Allowed { .. } => 0,
            Outcome::Unknown { .. } => 1,
            Outcome::Depends { .. } => 2,
            Outcome::Denied => 3,
        }
    }
}

/// The worst of the rulings on each resource; for one resource, the roles that the caller may have
/// must agree.
pub(super) fn rule_all(facts: &Facts, need: &Need, asks: &[Ask<'_>]) -> Ruling {
    let mut worst: Option<Ruling> = None;
    let mut rest = asks;
    while let Some(first) = rest.first() {
        let count = rest
            .iter()
            .take_while(|ask| ask.is_same_but_for_role(first))
            .count();
        let (of_one, others) = rest.split_at(count.max(1).min(rest.len()));
        let ruling = agreed(of_one.iter().map(|ask| rule(facts, need, ask)).collect());
        if worst
            .as_ref()
            .is_none_or(|worst| ruling.rank() > worst.rank())
        {
            worst = Some(ruling);
        }
        rest = others;
    }
    worst.unwrap_or_else(|| Ruling {
        outcome: Outcome::CLEAR,
        explanation: format!("nothing asks for {}", need.action),
        deciding: Vec::new(),
        denied_by: None,
    })
}

/// One ruling of those for each role that the caller may have.
fn agreed(mut rulings: Vec<Ruling>) -> Ruling {
    let first = rulings.first().map(Ruling::rank);
    if rulings.iter().any(|ruling| Some(ruling.rank()) != first) {
        let what = "the path of the caller's role".to_owned();
        return Ruling::unknown(
            vec![Unread {
                layer: Layer::Identity,
                what: what.clone(),
                permission: "iam:GetRole".to_owned(),
                detail: "a session's ARN leaves it out".to_owned(),
            }],
            format!("the policies name roles by their path, and {what} is not known"),
        );
    }
    if rulings.is_empty() {
        return Ruling::unknown(Vec::new(), "nobody asks".to_owned());
    }
    rulings.swap_remove(0)
}

/// Another action of the same service that the plan needs, which AWS refused for want of an identity
/// policy when it was called: whoever lacks one of them is not assumed to have the others.
fn refused_beside<'f>(facts: &'f Facts, need: &Need) -> Option<&'f str> {
    let service = |action: &str| action.split(':').next().map(str::to_ascii_lowercase);
    let found = facts.tried.iter().find(|tried| {
        let refusal = tried.refusal.as_deref().unwrap_or_default();
        tried.who == need.who
            && service(&tried.action) == service(need.action)
            && is_for_want_of_identity(refusal)
    })?;
    Some(&found.action)
}

/// Judges one request.
fn rule(facts: &Facts, need: &Need, ask: &Ask<'_>) -> Ruling {
    let request = ask.request();
    let neutral = evaluate(&request, ask.policies());
    let answer = simulation::answer(facts, need, ask);
    let refusal = answer.and_then(|answer| refused_by_simulation(answer, ask, &neutral));
    if let Some(ruling) = refusal {
        return ruling;
    }
    let best = evaluate(&request, &ask.bearing.hoping_for_all(ask.grantee()));
    let held = answer.and_then(|answer| held_by_simulation(answer, ask));
    match (best.decision, held) {
        (Decision::ExplicitDeny | Decision::ImplicitDeny, _) => Ruling::of(Outcome::Denied, best),
        (Decision::Depends, _) if !best.can_be_allowed => Ruling {
            explanation: format!(
                "{} is not allowed, whatever {} turns out to be",
                ask.action,
                best.depends_on.join(" or ")
            ),
            ..Ruling::of(Outcome::Denied, best)
        },
        (_, Some(held)) => held,
        (Decision::Depends, None) => depending(facts, need, ask, best),
        (Decision::Allowed, None) => {
            let unread = ask.bearing.unread.clone();
            let unread = match answer {
                Some(answer) => left_unread(unread, answer),
                None => unread,
            };
            allowed_at_best(facts, need, ask, neutral, unread)
        }
    }
}

/// Rules where context keys decide that are not known: those that a call would tell are unread, and no
/// riddle.
fn depending(facts: &Facts, need: &Need, ask: &Ask<'_>, evaluation: Evaluation) -> Ruling {
    let mut unread: Vec<Unread> = Vec::new();
    for key in &evaluation.depends_on {
        match context::unread_key(facts, &ask.account, need.who, key) {
            Some(found) if unread.contains(&found) => {}
            Some(found) => unread.push(found),
            None => {
                let on = evaluation.depends_on.clone();
                return Ruling::of(Outcome::Depends { on }, evaluation);
            }
        }
    }
    Ruling::of(Outcome::Unknown { unread }, evaluation)
}

/// Rules where nothing that was read forbids: what was not read must forbid nothing, or must allow.
fn allowed_at_best(
    facts: &Facts,
    need: &Need,
    ask: &Ask<'_>,
    neutral: Evaluation,
    unread: Vec<Unread>,
) -> Ruling {
    if neutral.decision == Decision::Allowed {
        // Once something allows, an unread identity policy or grant is wanted no more; it may deny.
        return Ruling::of(Outcome::Allowed { assumed: unread }, neutral);
    }
    let is_identity_open = unread.iter().any(|unread| unread.layer == Layer::Identity);
    if let Some(sibling) = refused_beside(facts, need).filter(|_| is_identity_open) {
        let explanation = format!(
            "no identity policy allows {sibling}, as AWS said when it was called; whether one allows \
             {} could not be read",
            ask.action
        );
        let mut unread = unread;
        unread.retain(|unread| unread.layer == Layer::Identity);
        return Ruling {
            denied_by: Some(PolicyKind::Identity),
            ..Ruling::unknown(unread, explanation)
        };
    }
    let hoping = evaluate(&ask.request(), &ask.bearing.hoping_for_identity());
    match hoping.decision {
        Decision::Allowed => Ruling {
            explanation: explain_assumption(ask, &unread, &hoping),
            deciding: hoping
                .deciding
                .into_iter()
                .filter(|deciding| deciding.sid != "Assumed")
                .collect(),
            outcome: Outcome::Allowed { assumed: unread },
            denied_by: None,
        },
        Decision::Depends => depending(facts, need, ask, hoping),
        Decision::ImplicitDeny | Decision::ExplicitDeny => {
            let wanted: Vec<Unread> = unread
                .into_iter()
                .filter(|unread| matches!(unread.layer, Layer::Resource | Layer::Grants))
                .collect();
            let names: Vec<&str> = wanted.iter().map(|unread| unread.what.as_str()).collect();
            // Within one account the caller's own policies suffice, but for a key.
            let is_own = ask.principal.account() == Some(ask.account.as_str());
            let denied_by = hoping
                .denied_by
                .filter(|kind| is_own && *kind == PolicyKind::Identity);
            let names = names.join(" and ");
            let explanation = match (denied_by, is_own) {
                (Some(_), _) => format!(
                    "no identity policy allows {}, and {names} could not be read",
                    ask.action
                ),
                (None, true) => format!(
                    "{} must be allowed by the resource's own policy as well, and {names} could \
                     not be read",
                    ask.action
                ),
                (None, false) => format!(
                    "{} must be allowed by the other side as well, and {names} could not be read",
                    ask.action
                ),
            };
            Ruling {
                denied_by,
                ..Ruling::unknown(wanted, explanation)
            }
        }
    }
}

fn explain_assumption(ask: &Ask<'_>, unread: &[Unread], hoping: &Evaluation) -> String {
    if ask.bearing.lacks(Layer::Identity)
        && !unread.iter().any(|unread| unread.layer == Layer::Identity)
    {
        return format!("IAM's simulation allows {}", ask.action);
    }
    match hoping
        .deciding
        .iter()
        .find(|deciding| deciding.sid != "Assumed")
    {
        Some(known) => format!(
            "{} is allowed by the statement `{}` of the {} `{}`",
            ask.action,
            known.sid,
            known.kind.as_str(),
            known.policy
        ),
        None => format!("nothing that was read forbids {}", ask.action),
    }
}

fn mender(plan: &Plan, facts: &Facts, need: &Need, ruling: &Ruling) -> Mender {
    let of_resource = || match need.purpose {
        Purpose::Write | Purpose::Verify => {
            mender_of_bucket(facts, bucket_owner(plan, facts).as_ref())
        }
        Purpose::Encrypt | Purpose::Decrypt | Purpose::ReadTable => match &need.account {
            Some(account) => mender_of_key(facts, account),
            None => Mender::You,
        },
        Purpose::Export | Purpose::Follow | Purpose::List => Mender::You,
    };
    let is_of_key = matches!(need.purpose, Purpose::Encrypt | Purpose::Decrypt);
    if is_of_key && super::key::is_out_of_reach(plan, facts)
        || need.purpose == Purpose::Write && is_for_encryption(facts, ruling)
    {
        return Mender::You;
    }
    let of_kind = |kind: PolicyKind| match kind {
        PolicyKind::Boundary if need.who == Who::Exporter => {
            Mender::BoundaryOwner(facts.source.naming().to_string())
        }
        PolicyKind::ServiceControl | PolicyKind::ResourceControl => Mender::Organization,
        PolicyKind::Resource | PolicyKind::Grant | PolicyKind::Trust => of_resource(),
        _ => mender_of_identity(facts, need.who),
    };
    if let Some(kind) = ruling.denied_by {
        return of_kind(kind);
    }
    if let Some(deny) = ruling.deciding.iter().find(|deciding| deciding.is_deny) {
        return of_kind(deny.kind);
    }
    match &ruling.outcome {
        Outcome::Unknown { unread } => match unread.first().map(|unread| unread.layer) {
            Some(Layer::Resource | Layer::Grants) => of_resource(),
            _ => mender_of_identity(facts, need.who),
        },
        // An Allow whose condition decides is for whoever wrote it, as a Deny is.
        Outcome::Depends { .. } if let Some(allow) = ruling.deciding.first() => of_kind(allow.kind),
        // Refused when it was tried, by what was not read: that is the other side's as a rule.
        Outcome::Depends { .. } if ruling.deciding.is_empty() && !need.is_direct() => of_resource(),
        // No account can open a bucket that is not its own.
        Outcome::Denied if need.purpose == Purpose::Verify && !is_readers(plan, facts) => {
            of_resource()
        }
        _ => mender_of_identity(facts, need.who),
    }
}

/// Whether the bucket is, as far as is known, of the account that reads.
fn is_readers(plan: &Plan, facts: &Facts) -> bool {
    let reader = facts.destination.as_ref().map(|side| &side.caller.account);
    let is_disowned = reader.is_some_and(|reader| facts.bucket.not_owners.contains(reader));
    match bucket_owner(plan, facts) {
        Some(owner) => reader == Some(&owner),
        None => !is_disowned,
    }
}

/// Whether what denies is a Deny of the bucket's policy for want of encryption, which the plan can
/// meet: "a bucket that denies uploads without aws:kms makes `S3SseAlgorithm=KMS` mandatory".
fn is_for_encryption(facts: &Facts, ruling: &Ruling) -> bool {
    let Some(document) = facts.bucket.policy.value() else {
        return false;
    };
    let deny = ruling.deciding.iter().find(|deciding| deciding.is_deny);
    let Some(deny) = deny.filter(|deny| deny.kind == PolicyKind::Resource) else {
        return false;
    };
    is_deny_of_encryption(document, &deny.sid)
}
