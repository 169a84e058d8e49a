//! Assessing: what the plan may do, read and assessed anew where that is out of date.
//!
//! This module decides which assessment still counts: that of the plan as it is now, made since either
//! side, the changes of ours or the runs are as they are.

pub(crate) mod state;

use self::state::Assessing;
use super::message::{Effect, Query, QueryGroup};
use super::model::Model;
use super::remote::{Remote, RequestId};
use super::services::{AssessedPlan, ShownProblem, StartSummary};
use crate::assess::verdict::AssessedRequirement;
use crate::job::Plan;

/// Reads and assesses anew, without what a probe found out before.
pub(crate) fn assess_anew(model: &mut Model) -> Vec<Effect> {
    model.assessing.probed = None;
    assess(model)
}

/// Reads and assesses; what is known of the same plan stays in sight until then.
pub(crate) fn assess(model: &mut Model) -> Vec<Effect> {
    let Some(plan) = model.plan() else {
        model.assessing = Assessing::default();
        return Vec::new();
    };
    let request = model.request();
    if !is_of_plan(model) {
        model.assessing = Assessing::default();
    }
    model.assessing.basis = model.basis();
    model.assessing.assessed.ask(request);
    model.assessing.plan = Some(plan.clone());
    let plan = Box::new(plan);
    let query = match model.assessing.probed.clone() {
        Some(report) => Query::AssessWithProbe(plan, report),
        None => Query::Assess(plan),
    };
    vec![
        Effect::Cancel(QueryGroup::Access),
        Effect::Ask(request, QueryGroup::Access, query),
    ]
}

/// Takes an assessment, unless nobody waits for it any more; says whether it counted.
pub(crate) fn take(
    model: &mut Model,
    request: RequestId,
    answer: Result<AssessedPlan, String>,
) -> bool {
    model.assessing.assessed.answer(request, answer)
}

/// Drops what holds no longer, whatever the plan.
pub(crate) fn drop_outdated(model: &mut Model) -> Vec<Effect> {
    let basis = model.basis();
    if model.assessing.basis == basis {
        return Vec::new();
    }
    model.assessing = Assessing {
        basis,
        ..Assessing::default()
    };
    vec![Effect::Cancel(QueryGroup::Access)]
}

/// Whether the assessment, or the question for it, is of the plan as it is now.
pub(crate) fn is_of_plan(model: &Model) -> bool {
    model.assessing.plan == model.plan()
}

/// The assessment of the plan as it is now.
pub(crate) fn assessed(model: &Model) -> Option<&AssessedPlan> {
    let assessed = model.assessing.assessed.value()?;
    is_of_plan(model).then_some(assessed)
}

/// The plan as it is now, with tables in place of its patterns where it was assessed.
pub(crate) fn resolved_plan(model: &Model) -> Option<Plan> {
    match assessed(model) {
        Some(assessed) => Some(assessed.assessment.plan.clone()),
        None => model.plan(),
    }
}

/// The plan that was assessed last, or is being assessed.
pub(crate) fn assessed_plan(model: &Model) -> Option<Plan> {
    match model.assessing.assessed.value() {
        Some(assessed) => Some(assessed.assessment.plan.clone()),
        None => model.assessing.plan.clone(),
    }
}

/// What the job is certain to fail by, as far as it is known by now.
pub(crate) fn fatal(model: &Model) -> Vec<&AssessedRequirement> {
    assessed(model).map_or_else(Vec::new, |assessed| assessed.fatal().collect())
}

/// What a start of the plan as it is now would do.
pub(crate) fn start_summary(model: &Model) -> Option<&StartSummary> {
    assessed(model)?.start.as_ref().ok()
}

/// Whether the plan as it is now was assessed, not long ago, or is being assessed.
pub(crate) fn is_fresh(model: &Model) -> bool {
    let state = &model.assessing.assessed;
    is_of_plan(model)
        && (state.is_loading()
            || matches!(state, Remote::Loaded(assessed) if !assessed.assessment.is_stale(model.now)))
}

/// Whether the plan keeps the rules of a plan file; the first one that it breaks otherwise.
pub(crate) fn check_plan(model: &Model) -> Result<(), ShownProblem> {
    let violations = model.violations();
    let first = violations.as_ref().and_then(|all| all.iter().next());
    first.map_or(Ok(()), |first| {
        Err(ShownProblem {
            what: first.message.clone(),
            hint: first.hint.clone(),
        })
    })
}
