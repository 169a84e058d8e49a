//! Verdicts: what is known beforehand of one requirement, and what that rests on.
//!
//! *Allowed* names what could not be read and is assumed not to forbid it. *Denied* holds whatever else
//! turns out. *Depends* is for what nobody can tell before, such as the source address that AWS will
//! see. *Unknown* is for what could be read, with a permission that we have not.

mod summary;

use serde::Serialize;
use serde_json::{Value, json};

use super::facts::Fact;
use super::responsible::Responsible;
use crate::job::requirement::Criticality;
pub use crate::job::requirement::{Check, Requirement, RequirementId, SettledBy};
use tableferry_policy::evaluate::{Deciding, Dependency, PolicyKind};

pub use summary::{
    Counts, Family, Overall, VerdictGroup, assumptions, by_responsible, grouped_by_cause,
    large_families, overall,
};

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

impl MissingInput {
    /// What could not be read of a setting.
    pub(super) fn of_setting<T>(
        fact: &Fact<T>,
        what: impl Into<String>,
        permission: &str,
    ) -> Vec<Self> {
        let what = what.into();
        let obstacle = fact.obstacle(permission).map(|obstacle| Self {
            layer: PolicyLayer::Setting,
            what,
            detail: obstacle.words(),
            permission: obstacle.permission,
        });
        obstacle.into_iter().collect()
    }
}

/// What a judgement results in.
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
    /// What it results in.
    pub outcome: Verdict,
    /// Why, in a sentence.
    pub explanation: String,
    /// What it rests on.
    pub evidence: Evidence,
    /// The statements that decide.
    pub deciding: Vec<Deciding>,
    /// For a denial by policies, the kind of policy that denies or does not allow.
    pub denied_by: Option<PolicyKind>,
    /// Who can fix it.
    pub responsible: Responsible,
    /// What to do, in a sentence; empty where a remedy says it, or nothing is to be done.
    pub hint: String,
    /// What AWS says when the export fails by it.
    pub expected_error: Option<String>,
    /// What is allowed, and yet should be known.
    pub cautions: Vec<String>,
    /// How much depends on it.
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
                "kind": statement.kind.noun(),
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
