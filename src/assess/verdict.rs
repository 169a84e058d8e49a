//! Verdicts: what the facts make of each need, setting and time of a plan.
//!
//! This module decides whether an export would work before it is started. *Allowed* names what could
//! not be read and is assumed not to forbid it. *Denied* holds whatever else turns out. *Depends* is
//! for what nobody can tell before, such as the source address that AWS will see. *Unknown* is for
//! what could be read, with a permission that we have not.

mod bucket;
mod earlier_failure;
mod evidence;
mod grant_expiry;
mod key;
mod not_surveyed;
mod partition;
mod permission;
mod prior_export;
mod session;
mod stale;
mod table;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

pub(super) use self::evidence::is_for_want_of_identity;
use super::facts::Facts;
use super::principal::SourcePrincipal;
use super::remedy::is_one_identity;
pub use super::requirement::{Check, Requirement, RequirementId};
use super::requirement::{Criticality, Who, needs_by};
use crate::job::Plan;
use tableferry_policy::arn::AccountId;
use tableferry_policy::evaluate::{Deciding, Dependency, PolicyKind};

pub(super) use key::is_out_of_reach as is_key_out_of_reach;
pub use stale::{StalePrincipal, stale_principals};

/// What somebody could not read, by what it can do to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyLayer {
    /// The principal's identity policies.
    Identity,
    /// Its permissions boundary, where it is not known whether it has one.
    Boundary,
    /// The permissions boundary that it is known to have.
    AttachedBoundary,
    /// Service control policies.
    ServiceControl,
    /// Resource control policies.
    ResourceControl,
    /// The resource's own policy.
    Resource,
    /// A key's grants.
    Grants,
    /// A setting.
    Setting,
}

impl PolicyLayer {
    /// Whether an Allow in it is needed, as opposed to one that no more than limits what others allow
    /// (DESIGN: grants and limits). The boundary that a principal has must allow, too.
    #[must_use]
    pub const fn is_grant(self) -> bool {
        matches!(
            self,
            Self::Identity | Self::Resource | Self::Grants | Self::AttachedBoundary
        )
    }

    /// The kind of policy that it holds; a setting holds none.
    pub(super) const fn kind(self) -> Option<PolicyKind> {
        Some(match self {
            Self::Identity => PolicyKind::Identity,
            Self::Boundary | Self::AttachedBoundary => PolicyKind::Boundary,
            Self::ServiceControl => PolicyKind::ServiceControl,
            Self::ResourceControl => PolicyKind::ResourceControl,
            Self::Resource => PolicyKind::Resource,
            Self::Grants => PolicyKind::Grant,
            Self::Setting => return None,
        })
    }
}

/// What settles an unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SettledBy {
    /// Reading what could not be read.
    Reading,
    /// The start itself: the call is refused at once, and nothing is started or billed.
    Start,
    /// A probe.
    Probe,
    /// Only the export.
    Export,
}

impl SettledBy {
    /// It in words, to be read after "settled by".
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading it",
            Self::Start => "the start, which is refused at once",
            Self::Probe => "a probe",
            Self::Export => "only the export",
        }
    }
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingInput {
    /// Which layer it belongs to.
    pub layer: PolicyLayer,
    /// What it is, such as `the bucket policy of export-landing`.
    pub what: String,
    /// The permission that would make it known; empty where none would.
    pub permission: String,
    /// What stood in the way.
    pub detail: String,
}

/// Who can mend what is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Responsible {
    /// The operator, in the plan or in the account that exports.
    You,
    /// Whoever owns the bucket's account.
    DestinationOwner(Option<AccountId>),
    /// Whoever owns the key's account.
    KeyOwner(AccountId),
    /// Whoever owns the permission set in IAM Identity Center.
    PermissionSetOwner(String),
    /// Whoever owns the permissions boundary of a principal, by its ARN.
    BoundaryOwner(String),
    /// Whoever runs the organization.
    Organization,
}

impl fmt::Display for Responsible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::You => f.write_str("you"),
            Self::DestinationOwner(Some(account)) => {
                write!(f, "the destination's owner ({account})")
            }
            Self::DestinationOwner(None) => f.write_str("whoever owns the bucket"),
            Self::KeyOwner(account) => write!(f, "the key's owner ({account})"),
            Self::PermissionSetOwner(set) => write!(f, "the owner of the permission set {set}"),
            Self::BoundaryOwner(principal) => {
                write!(f, "whoever owns the permissions boundary of {principal}")
            }
            Self::Organization => f.write_str("the organization's administrators"),
        }
    }
}

/// What a judgement comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It works, as far as what was read goes.
    Allowed {
        /// What could not be read, and is assumed not to forbid it.
        assumed: Vec<MissingInput>,
    },
    /// It fails, whatever else turns out.
    Denied,
    /// It depends on what nobody can tell before.
    Depends {
        /// On what, and how that combines.
        on: Dependency,
        /// What must allow besides, and could not be read.
        unread: Vec<MissingInput>,
    },
    /// It cannot be told from what was read.
    Unknown {
        /// What would have to be read.
        unread: Vec<MissingInput>,
        /// What settles it, if not the reading.
        settled_by: SettledBy,
    },
}

impl Verdict {
    /// Allowed, and nothing is assumed.
    pub(crate) const CLEAR: Self = Self::Allowed {
        assumed: Vec::new(),
    };

    /// The word for it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Allowed { .. } => "allowed",
            Self::Denied => "denied",
            Self::Depends { .. } => "depends",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Unknown for want of a reading.
    pub(crate) const fn unread(unread: Vec<MissingInput>) -> Self {
        Self::Unknown {
            unread,
            settled_by: SettledBy::Reading,
        }
    }

    /// Whether it is allowed.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

/// What a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Evidence {
    /// What was read: policies, settings and times.
    #[default]
    Policies,
    /// IAM's simulation.
    Simulation,
    /// A call that was tried and refused.
    ObservedCall {
        /// AWS's words.
        refusal: String,
    },
    /// A Deny of the bucket's policy that denied the reading of that policy.
    RefusedReading,
}

/// A judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssessedRequirement {
    /// On what.
    pub requirement: Requirement,
    /// What it comes to.
    pub outcome: Verdict,
    /// Why, in a sentence.
    pub explanation: String,
    /// What it rests on.
    pub evidence: Evidence,
    /// The statements that decide.
    pub deciding: Vec<Deciding>,
    /// For a denial by policies, the kind of policy that denies or does not allow.
    pub denied_by: Option<PolicyKind>,
    /// Who can mend it.
    pub responsible: Responsible,
    /// What to do, in a sentence; empty where a remedy says it, or nothing is to be done.
    pub hint: String,
    /// What AWS says when the export fails by it.
    pub expected_error: Option<String>,
    /// What is allowed, and yet should be known.
    pub cautions: Vec<String>,
    /// What hangs on it.
    pub criticality: Criticality,
}

impl AssessedRequirement {
    /// A verdict on a setting or a time.
    pub(crate) fn check(check: Check, of: impl Into<String>, outcome: Verdict) -> Self {
        Self {
            requirement: Requirement::Check {
                check,
                of: of.into(),
            },
            outcome,
            explanation: String::new(),
            evidence: Evidence::Policies,
            deciding: Vec::new(),
            denied_by: None,
            responsible: Responsible::You,
            hint: String::new(),
            expected_error: None,
            cautions: Vec::new(),
            criticality: Criticality::Required,
        }
    }

    pub(crate) fn because(mut self, explanation: impl Into<String>) -> Self {
        self.explanation = explanation.into();
        self
    }

    pub(crate) fn fixed_by(mut self, responsible: Responsible, hint: impl Into<String>) -> Self {
        self.responsible = responsible;
        self.hint = hint.into();
        self
    }

    pub(crate) fn expecting(mut self, text: impl Into<String>) -> Self {
        self.expected_error = Some(text.into());
        self
    }

    pub(crate) fn caution(mut self, text: impl Into<String>) -> Self {
        self.cautions.push(text.into());
        self
    }

    pub(crate) const fn of_criticality(mut self, criticality: Criticality) -> Self {
        self.criticality = criticality;
        self
    }

    /// Whether the job is certain to fail by it.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.outcome == Verdict::Denied && self.criticality == Criticality::Required
    }

    /// Whether it is a setting or a time.
    #[must_use]
    pub const fn is_check(&self) -> bool {
        matches!(self.requirement, Requirement::Check { .. })
    }

    /// Whether it puts the plan out of bounds.
    #[must_use]
    pub fn is_out_of_bounds(&self) -> bool {
        self.is_fatal()
            && matches!(&self.requirement, Requirement::Check { check, .. } if check.is_out_of_bounds())
    }

    /// Whether it is denied, and the call itself is stopped by it.
    #[must_use]
    pub fn stops_the_call(&self) -> bool {
        self.is_fatal()
            && matches!(&self.requirement, Requirement::Check { check, .. } if check.stops_the_call())
    }

    /// Whether it is a verdict of this check.
    #[must_use]
    pub fn is_of(&self, wanted: Check) -> bool {
        matches!(&self.requirement, Requirement::Check { check, .. } if *check == wanted)
    }

    /// The verdict for programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let requirement = match &self.requirement {
            Requirement::Permission(need) => json!({
                "who": need.who,
                "action": need.action,
                "resource": need.resource.pattern(),
                "account": need.account,
                "reason": need.reason,
            }),
            Requirement::Check { check, of } => json!({ "check": check, "of": of }),
        };
        let deciding = self.deciding.iter().map(|statement| {
            json!({
                "kind": statement.kind.as_str(),
                "policy": statement.policy,
                "sid": statement.sid,
                "effect": if statement.is_deny { "Deny" } else { "Allow" },
            })
        });
        let mut value = json!({
            "verdict": self.outcome.as_str(),
            "id": self.requirement.id(),
            "subject": requirement,
            "explanation": self.explanation,
            "deciding": deciding.collect::<Vec<_>>(),
            "responsible": self.responsible.to_string(),
            "hint": self.hint,
            "expected_error": self.expected_error,
            "cautions": self.cautions,
            "criticality": self.criticality,
        });
        match &self.outcome {
            Verdict::Allowed { assumed } => value["assumed"] = json!(assumed),
            Verdict::Depends { on, unread } => {
                value["depends_on"] = json!(on.names());
                value["dependency"] = json!(on);
                value["unread"] = json!(unread);
            }
            Verdict::Unknown { unread, settled_by } => {
                value["unread"] = json!(unread);
                value["settled_by"] = json!(settled_by);
            }
            Verdict::Denied => {}
        }
        value
    }
}

/// Judges every need, setting and time of a plan.
///
/// The order is that of the needs, then bucket, keys, tables, session. `now` is the time at which
/// the export would be started.
#[must_use]
pub fn judge(plan: &Plan, facts: &Facts, now: Timestamp) -> Vec<AssessedRequirement> {
    let mut verdicts: Vec<AssessedRequirement> = needs_by(plan, facts)
        .into_iter()
        .map(|need| permission::judge(plan, facts, need, now))
        .collect();
    verdicts.extend(bucket::judge(plan, facts));
    verdicts.extend(key::judge(plan, facts));
    verdicts.extend(stale::judge(plan, facts));
    verdicts.extend(table::judge(plan, facts, now));
    verdicts.extend(session::judge(plan, facts, now));
    verdicts.extend(earlier_failure::judge(plan, facts));
    verdicts.extend(partition::judge(plan, facts));
    verdicts
        .into_iter()
        .map(|verdict| not_surveyed::settle(plan, facts, verdict))
        .collect()
}

/// What all verdicts come to together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Overall {
    /// All is allowed.
    Allowed,
    /// Something depends or is unknown, or what follows and verifies the export is denied.
    Undecided,
    /// Something that the export cannot do without is denied.
    Denied,
}

/// Sums up verdicts. Where `is_strict`, what was assumed counts as unknown.
#[must_use]
pub fn overall(verdicts: &[AssessedRequirement], is_strict: bool) -> Overall {
    let of_one = |verdict: &AssessedRequirement| match (&verdict.outcome, verdict.criticality) {
        (Verdict::Denied, Criticality::Required) => Overall::Denied,
        (Verdict::Allowed { assumed }, _) if assumed.is_empty() || !is_strict => Overall::Allowed,
        // Nothing is lost by trying.
        (
            Verdict::Unknown {
                settled_by: SettledBy::Start,
                ..
            },
            _,
        ) if !is_strict => Overall::Allowed,
        _ => Overall::Undecided,
    };
    verdicts
        .iter()
        .map(of_one)
        .max()
        .unwrap_or(Overall::Allowed)
}

/// How many verdicts there are of each kind: the one way to count them, for text, JSON and screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Allowed, with assumptions or without.
    pub allowed: usize,
    /// Of those, allowed as far as what could not be read does not forbid it.
    pub allowed_with_assumptions: usize,
    /// Denied.
    pub denied: usize,
    /// Depending on what nobody can tell before.
    pub depends: usize,
    /// Unknown.
    pub unknown: usize,
}

impl Counts {
    /// Counts verdicts.
    #[must_use]
    pub fn of(verdicts: &[AssessedRequirement]) -> Self {
        let mut counts = Self::default();
        for verdict in verdicts {
            let count = match &verdict.outcome {
                Verdict::Allowed { assumed } => {
                    counts.allowed_with_assumptions += usize::from(!assumed.is_empty());
                    &mut counts.allowed
                }
                Verdict::Denied => &mut counts.denied,
                Verdict::Depends { .. } => &mut counts.depends,
                Verdict::Unknown { .. } => &mut counts.unknown,
            };
            *count += 1;
        }
        counts
    }
}

impl Counts {
    /// How many are allowed, and how many of them rest on assumptions.
    #[must_use]
    pub fn allowed_in_words(&self) -> String {
        match self.allowed_with_assumptions {
            0 => format!("{} allowed", self.allowed),
            assumed => format!("{} allowed ({assumed} assumed)", self.allowed),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} denied, {} depend, {} unknown",
            self.allowed_in_words(),
            self.denied,
            self.depends,
            self.unknown
        )
    }
}

/// Verdicts that are told as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictGroup<'v> {
    /// The first of them.
    pub verdict: &'v AssessedRequirement,
    /// The others: unknown for want of the same reading, and settled by the same.
    pub alike: Vec<&'v AssessedRequirement>,
}

/// Puts unknowns that have one cause together, where the first of them stands.
#[must_use]
pub fn grouped_by_cause<'v>(
    verdicts: impl IntoIterator<Item = &'v AssessedRequirement>,
) -> Vec<VerdictGroup<'v>> {
    let mut told: Vec<VerdictGroup<'v>> = Vec::new();
    for verdict in verdicts {
        let is_alike = |other: &&mut VerdictGroup<'v>| {
            matches!(verdict.outcome, Verdict::Unknown { .. })
                && matches!(verdict.requirement, Requirement::Permission(_))
                && matches!(other.verdict.requirement, Requirement::Permission(_))
                && other.verdict.outcome == verdict.outcome
                && other.verdict.responsible == verdict.responsible
        };
        match told.iter_mut().find(is_alike) {
            Some(first) => first.alike.push(verdict),
            None => told.push(VerdictGroup {
                verdict,
                alike: Vec::new(),
            }),
        }
    }
    told
}

/// What was assumed not to forbid what is allowed, each once.
#[must_use]
pub fn assumptions(verdicts: &[AssessedRequirement]) -> Vec<MissingInput> {
    let mut all: Vec<MissingInput> = Vec::new();
    for verdict in verdicts {
        if let Verdict::Allowed { assumed } = &verdict.outcome {
            all.extend(assumed.iter().cloned());
        }
    }
    all.sort_by(|one, other| (one.layer, &one.what).cmp(&(other.layer, &other.what)));
    all.dedup_by(|one, other| one.what == other.what && one.permission == other.permission);
    all
}

/// The verdicts by who can mend them, in the order of the menders: those that need mending first
/// within each group.
#[must_use]
pub fn by_responsible(
    verdicts: &[AssessedRequirement],
) -> Vec<(Responsible, Vec<&AssessedRequirement>)> {
    let mut groups: BTreeMap<&Responsible, Vec<&AssessedRequirement>> = BTreeMap::new();
    for verdict in verdicts {
        groups
            .entry(&verdict.responsible)
            .or_default()
            .push(verdict);
    }
    groups
        .into_iter()
        .map(|(responsible, mut group)| {
            group.sort_by_key(|verdict| verdict.outcome.is_allowed());
            (responsible.clone(), group)
        })
        .collect()
}

/// Who can change what a principal may do by itself.
pub(super) fn mender_of_identity(facts: &Facts, who: Who) -> Responsible {
    match who {
        Who::Reader if is_one_identity(facts) => mender_of_identity(facts, Who::Exporter),
        Who::Exporter => match facts.source.naming() {
            SourcePrincipal::IdentityCenter { permission_set, .. } => {
                Responsible::PermissionSetOwner(permission_set)
            }
            _ => Responsible::You,
        },
        Who::Reader => Responsible::DestinationOwner(
            facts
                .destination
                .as_ref()
                .map(|side| side.caller.account.clone()),
        ),
    }
}

/// Who can change a bucket of an account.
pub(super) fn mender_of_bucket(facts: &Facts, owner: Option<&AccountId>) -> Responsible {
    if owner == Some(&facts.source.caller.account) {
        Responsible::You
    } else {
        Responsible::DestinationOwner(owner.cloned())
    }
}

/// Who can change a key of an account.
pub(super) fn mender_of_key(facts: &Facts, owner: &AccountId) -> Responsible {
    if *owner == facts.source.caller.account {
        Responsible::You
    } else {
        Responsible::KeyOwner(owner.clone())
    }
}
