//! What one permission results in, before it is known who can fix it.

use crate::assess::verdict::{Evidence, MissingInput, SettledBy, Verdict};
use tableferry_policy::evaluate::{Deciding, Evaluation, PolicyKind};

/// What one request results in.
#[derive(Debug, Clone)]
pub(super) struct PermissionDecision {
    pub(super) outcome: Verdict,
    pub(super) explanation: String,
    pub(super) evidence: Evidence,
    pub(super) deciding: Vec<Deciding>,
    pub(super) denied_by: Option<PolicyKind>,
}

impl PermissionDecision {
    /// Allowed by what was read, with nothing assumed.
    pub(super) const fn allowed(explanation: String) -> Self {
        Self {
            outcome: Verdict::CLEAR,
            explanation,
            evidence: Evidence::Policies,
            deciding: Vec::new(),
            denied_by: None,
        }
    }

    pub(super) const fn unknown(
        settled_by: SettledBy,
        unread: Vec<MissingInput>,
        explanation: String,
    ) -> Self {
        Self {
            outcome: Verdict::Unknown { unread, settled_by },
            explanation,
            evidence: Evidence::Policies,
            deciding: Vec::new(),
            denied_by: None,
        }
    }

    pub(super) fn of(outcome: Verdict, evaluation: Evaluation) -> Self {
        Self {
            outcome,
            explanation: evaluation.explanation,
            evidence: Evidence::Policies,
            deciding: evaluation.deciding,
            denied_by: evaluation.denied_by,
        }
    }

    /// How bad it is, the worst highest.
    pub(super) const fn rank(&self) -> u8 {
        match self.outcome {
            Verdict::Allowed { .. } => 0,
            Verdict::Unknown { .. } => 1,
            Verdict::Depends { .. } => 2,
            Verdict::Denied => 3,
        }
    }
}
