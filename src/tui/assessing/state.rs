//! What the plan may do, as far as it is known, and for which plan and accounts that holds.

use crate::job::Plan;
use crate::tui::remote::Remote;
use crate::tui::revision::Revision;
use crate::tui::services::{AssessedPlan, ProbeReport};

/// What the plan may do, as far as it is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Assessing {
    pub(crate) assessed: Remote<AssessedPlan, String>,
    /// The plan that is assessed.
    pub(crate) plan: Option<Plan>,
    /// What a probe of that plan found out, until both accounts are read anew.
    pub(crate) probed: Option<Box<ProbeReport>>,
    /// What it was assessed for.
    pub(crate) basis: Basis,
}

/// What an assessment holds for, beside the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Basis {
    /// Who the source is.
    pub(crate) source: Revision,
    /// Who the destination is.
    pub(crate) destination: Revision,
    /// A change that was taken away is no longer in what was read.
    pub(crate) undone: Revision,
    /// A start uses the tokens up: with them AWS would answer with the exports that were started
    /// already.
    pub(crate) runs: Revision,
}
