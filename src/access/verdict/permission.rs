//! Verdicts on permissions: every request of a need against the policies that were read, with what
//! was tried for real and what IAM's simulation said as further witnesses.
//!
//! What could not be read is taken by what it could do. A limit, which only forbids, is assumed to
//! permit, and named. A grant, without which nothing is allowed, is never assumed: where it decides,
//! the verdict is unknown, and says what settles it.

use jiff::Timestamp;

use super::witness::{
    held_by_simulation, is_for_want_of_identity, refused_by_simulation, with_simulation,
    with_witnesses,
};
use super::words::foresees;
use super::{
    Layer, Mender, Outcome, SettledBy, Subject, Unread, Verdict, mender_of_bucket,
    mender_of_identity, mender_of_key,
};
use crate::access::bearing::Bearing;
use crate::access::call::{Call, Carried};
use crate::access::context;
use crate::access::facts::Facts;
use crate::access::need::{Need, Purpose, Weight, Who, bucket_owner};
use crate::access::remedy::is_deny_of_encryption;
use crate::access::request::{Ask, asks};
use crate::access::simulation::{self, Answer};
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
            settled_by(facts, &need),
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
    const fn unknown(settled_by: SettledBy, unread: Vec<Unread>, explanation: String) -> Self {
        Self {
            outcome: Outcome::Unknown { unread, settled_by },
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

/// The worst of the rulings on each call and resource, naming the call where they differ; for one
/// resource, the roles that the caller may have must agree.
pub(super) fn rule_all(facts: &Facts, need: &Need, asks: &[Ask<'_>]) -> Ruling {
    let mut worst: Option<(Ruling, Call)> = None;
    let mut ranks = Vec::new();
    let mut rest = asks;
    while let Some(first) = rest.first() {
        let count = rest
            .iter()
            .take_while(|ask| ask.is_same_but_for_role(first))
            .count();
        let (of_one, others) = rest.split_at(count.max(1).min(rest.len()));
        let rulings = of_one.iter().map(|ask| rule(facts, need, ask)).collect();
        let ruling = agreed(settled_by(facts, need), rulings);
        let is_new = worst
            .as_ref()
            .is_none_or(|(worst, _)| ruling.rank() > worst.rank());
        ranks.push(ruling.rank());
        if is_new {
            worst = Some((ruling, first.call));
        }
        rest = others;
    }
    let differ = ranks.iter().any(|rank| ranks.first() != Some(rank));
    let named = worst.map(|(mut ruling, call)| {
        if differ && need.action == "s3:PutObject" {
            ruling.explanation = format!("in {call}: {}", ruling.explanation);
        }
        ruling
    });
    named.unwrap_or_else(|| Ruling {
        outcome: Outcome::CLEAR,
        explanation: format!("nothing asks for {}", need.action),
        deciding: Vec::new(),
        denied_by: None,
    })
}

/// One ruling of those for each role that the caller may have.
fn agreed(settled_by: SettledBy, mut rulings: Vec<Ruling>) -> Ruling {
    let first = rulings.first().map(Ruling::rank);
    if rulings.iter().any(|ruling| Some(ruling.rank()) != first) {
        let what = "the path of the caller's role".to_owned();
        return Ruling::unknown(
            settled_by,
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
        return Ruling::unknown(settled_by, Vec::new(), "nobody asks".to_owned());
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

/// Judges one request: once with the grants that nobody could read empty, and once with them allowing.
/// Limits that nobody could read are taken to permit, and listed.
fn rule(facts: &Facts, need: &Need, ask: &Ask<'_>) -> Ruling {
    let request = ask.request();
    let answer = simulation::answer(facts, need, ask);
    if let Some(ruling) = answer.and_then(|answer| refused_by_simulation(answer, ask)) {
        return ruling;
    }
    let bearing = with_simulation(ask, answer);
    let grants = bearing.unread_grants();
    let best = evaluate(&request, &bearing.assuming_allowed(&grants));
    if matches!(
        best.decision,
        Decision::ExplicitDeny | Decision::ImplicitDeny
    ) {
        return explained_by_simulation(ask, answer, Ruling::of(Outcome::Denied, best));
    }
    if best.decision == Decision::Depends && !best.can_be_allowed {
        return Ruling {
            explanation: format!(
                "{} is not allowed, whatever {} turns out to be",
                ask.action,
                best.depends_on.join(" or ")
            ),
            ..Ruling::of(Outcome::Denied, best)
        };
    }
    if let Some(held) = answer.and_then(|answer| held_by_simulation(answer, ask)) {
        return held;
    }
    let needed = needed_grants(ask, &bearing, &grants);
    if best.decision == Decision::Depends {
        return depending(facts, need, ask, best, needed);
    }
    let least = evaluate(&request, &bearing.assuming_allowed(&[]));
    if least.decision == Decision::Allowed {
        let assumed = bearing.unread;
        let ruling = Ruling::of(Outcome::Allowed { assumed }, least);
        return explained_by_simulation(ask, answer, ruling);
    }
    unknown(facts, need, ask, &least, needed)
}

/// What must be read to tell: the layers without whose Allow the request is denied, or where either of
/// two would do, both.
fn needed_grants(ask: &Ask<'_>, bearing: &Bearing<'_>, grants: &[Layer]) -> Vec<Unread> {
    let is_needed = |layer: &Layer| {
        let others: Vec<Layer> = grants
            .iter()
            .copied()
            .filter(|other| other != layer)
            .collect();
        let without = evaluate(&ask.request(), &bearing.assuming_allowed(&others));
        !without.can_be_allowed
    };
    let needed: Vec<Layer> = grants.iter().copied().filter(is_needed).collect();
    let wanted = if needed.is_empty() { grants } else { &needed };
    let unread = bearing.unread.iter();
    unread
        .filter(|unread| wanted.contains(&unread.layer))
        .cloned()
        .collect()
}

/// Rules where context keys decide that are not known: those that a call would tell are unread, and no
/// riddle.
fn depending(
    facts: &Facts,
    need: &Need,
    ask: &Ask<'_>,
    evaluation: Evaluation,
    needed: Vec<Unread>,
) -> Ruling {
    let mut unread: Vec<Unread> = Vec::new();
    for key in &evaluation.depends_on {
        match context::unread_key(facts, &ask.account, need.who, key) {
            Some(found) if unread.contains(&found) => {}
            Some(found) => unread.push(found),
            None => {
                let on = evaluation.depends_on.clone();
                let mut ruling = Ruling::of(Outcome::Depends { on, unread: needed }, evaluation);
                if let Outcome::Depends { unread, .. } = &ruling.outcome
                    && !unread.is_empty()
                {
                    let names = names(unread, " and ");
                    ruling.explanation = format!(
                        "{}; what is more, {names} must allow it and could not be read",
                        ruling.explanation
                    );
                }
                return ruling;
            }
        }
    }
    unread.extend(needed);
    let settled_by = settled_by(facts, need);
    Ruling::of(Outcome::Unknown { unread, settled_by }, evaluation)
}

/// Rules where what could not be read decides.
fn unknown(
    facts: &Facts,
    need: &Need,
    ask: &Ask<'_>,
    least: &Evaluation,
    needed: Vec<Unread>,
) -> Ruling {
    let wants = |layer: Layer| needed.iter().any(|unread| unread.layer == layer);
    let of_resource = wants(Layer::Resource) || wants(Layer::Grants);
    let sibling = refused_beside(facts, need).filter(|_| wants(Layer::Identity));
    // Within one account the caller's own policies suffice, but for a key.
    let is_own = ask.principal.account() == Some(ask.account.as_str());
    let lacks_identity =
        !wants(Layer::Identity) && is_own && least.denied_by == Some(PolicyKind::Identity);
    let names = names(&needed, if is_own { " or " } else { " and " });
    let explanation = if let Some(sibling) = sibling {
        format!(
            "no identity policy allows {sibling}, as AWS said when it was called; whether one allows \
             {} could not be read",
            ask.action
        )
    } else if lacks_identity {
        format!(
            "no identity policy allows {}, and {names} could not be read",
            ask.action
        )
    } else if of_resource && !wants(Layer::Identity) {
        let whose = if is_own {
            "the resource's own policy"
        } else {
            "the other side"
        };
        format!(
            "{} must be allowed by {whose} as well, and {names} could not be read",
            ask.action
        )
    } else {
        format!(
            "{} must be allowed by {names}, which could not be read",
            ask.action
        )
    };
    Ruling {
        outcome: Outcome::Unknown {
            unread: needed,
            settled_by: settled_by(facts, need),
        },
        explanation,
        deciding: Vec::new(),
        denied_by: (sibling.is_some() || lacks_identity).then_some(PolicyKind::Identity),
    }
}

/// What was not read, each by its name.
fn names(unread: &[Unread], between: &str) -> String {
    let names: Vec<&str> = unread.iter().map(|unread| unread.what.as_str()).collect();
    names.join(between)
}

/// What settles an unknown permission, if not the reading of what could not be read.
fn settled_by(facts: &Facts, need: &Need) -> SettledBy {
    let was_tried = || {
        let mut tried = facts.tried.iter();
        tried.any(|tried| tried.who == need.who && tried.action.eq_ignore_ascii_case(need.action))
    };
    match need.purpose {
        // "AccessDeniedException": the call itself is refused, and nothing is started.
        Purpose::Export if need.weight() == Weight::Job => SettledBy::Start,
        Purpose::Export | Purpose::List => SettledBy::Reading,
        // What a probe tries: the other calls are an export's own.
        Purpose::Write | Purpose::Encrypt if need.action != "s3:PutObjectAcl" && !was_tried() => {
            SettledBy::Probe
        }
        _ => SettledBy::Export,
    }
}

/// Says so where it was IAM's simulation that told of the identity policies.
fn explained_by_simulation(
    ask: &Ask<'_>,
    answer: Option<Answer<'_>>,
    mut ruling: Ruling,
) -> Ruling {
    let stands_in = ask.bearing.lacks(Layer::Identity)
        && answer.is_some_and(|answer| answer.identity().is_some());
    if !stands_in {
        return ruling;
    }
    if ruling.outcome.is_allowed() {
        ruling.explanation = format!("IAM's simulation allows {}", ask.action);
    } else if ruling.denied_by == Some(PolicyKind::Identity) {
        ruling.explanation = format!(
            "IAM's simulation says that no identity policy allows {}",
            ask.action
        );
    }
    ruling
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
        || carries_encryption(need) && is_for_encryption(facts, ruling)
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
        Outcome::Unknown { unread, .. } => {
            let is_of_resource = |layer| matches!(layer, Layer::Resource | Layer::Grants);
            if unread.iter().any(|unread| is_of_resource(unread.layer)) {
                of_resource()
            } else {
                mender_of_identity(facts, need.who)
            }
        }
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

/// Whether the plan's encryption is told by the calls that a permission is for: an abort tells none.
fn carries_encryption(need: &Need) -> bool {
    let mut calls = Call::of(need.action, true).iter();
    calls.any(|call| call.encryption() != Carried::Absent)
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
