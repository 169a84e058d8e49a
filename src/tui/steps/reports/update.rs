//! What the keys of the Reports step do.

use super::STEP;
use crate::tui::assessing;
use crate::tui::changes;
use crate::tui::consent;
use crate::tui::keymap::Action;
use crate::tui::message::{Effect, Query, QueryGroup};
use crate::tui::model::{Model, Tone};
use crate::tui::popups::state::{Popup, Question};
use crate::tui::remote::{Remote, RequestId};
use crate::tui::services::{InventoryStatus, Proposed, ProposedChange};
use crate::tui::shutdown;
use crate::work::event::Side;

/// What entering the step sets off: what is too old is read again, and what arrived.
pub(crate) fn enter(model: &mut Model) -> Vec<Effect> {
    let mut effects = changes::reload(model);
    if !assessing::is_fresh(model) {
        effects.extend(assessing::assess_anew(model));
    }
    effects.extend(look(model));
    effects
}

/// Looks at the configuration, and which reports arrived.
fn look(model: &mut Model) -> Vec<Effect> {
    let Some(plan) = model.plan() else {
        model.reports.status = Remote::NotAsked;
        return Vec::new();
    };
    let request = model.request();
    if model.reports.plan.as_ref() != Some(&plan) {
        model.reports.status = Remote::NotAsked;
    }
    model.reports.status.ask(request);
    model.reports.plan = Some(plan.clone());
    model.reports.applied = model.changes.applied;
    model.reports.undone = model.changes.undone;
    let query = Query::InventoryStatus(Box::new(plan));
    vec![
        Effect::Cancel(QueryGroup::Reports),
        Effect::Ask(request, QueryGroup::Reports, query),
    ]
}

/// Drops what was read of another plan.
pub(crate) fn drop_outdated(model: &mut Model) -> Vec<Effect> {
    if model.reports.plan.is_none() || model.reports.plan == model.plan() {
        return Vec::new();
    }
    model.reports = super::state::Reports::default();
    vec![Effect::Cancel(QueryGroup::Reports)]
}

/// Reads again what holds for the plan as it is now no longer, and what was changed since.
pub(crate) fn refresh(model: &mut Model) -> Vec<Effect> {
    if model.identified(Side::Source).is_none() {
        return Vec::new();
    }
    let mut effects = Vec::new();
    if !assessing::is_of_plan(model) {
        effects.extend(assessing::assess_anew(model));
    }
    let reports = &model.reports;
    let is_of_changes =
        reports.applied == model.changes.applied && reports.undone == model.changes.undone;
    if reports.plan != model.plan() || !is_of_changes {
        effects.extend(look(model));
    }
    effects
}

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    match action {
        Action::Save => model.plan().is_some(),
        Action::Start => {
            let is_denied = !assessing::fatal(model).is_empty();
            let is_assessed = assessing::assessed(model).is_some();
            consent::is_possible(model) && is_assessed && !is_denied
        }
        Action::OpenChanges => !model.changes.removable().is_empty(),
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Finish => return shutdown::quit(model),
        Action::OpenChanges => return changes::open(model),
        Action::Reload => {
            let mut effects = assessing::assess_anew(model);
            effects.extend(look(model));
            return effects;
        }
        Action::Start => return propose(model),
        Action::Save => {
            let dialog = Popup::save(model.plan_file.as_deref());
            model.open(dialog);
        }
        _ => model.scroll(action),
    }
    Vec::new()
}

/// Asks what writing the configuration would change.
fn propose(model: &mut Model) -> Vec<Effect> {
    let Some(plan) = model.plan() else {
        return Vec::new();
    };
    let request = model.request();
    model.reports.proposal = Some(request);
    let query = Query::ProposeInventory(Box::new(plan));
    vec![Effect::Ask(request, QueryGroup::Setup, query)]
}

/// Asks whether the configuration is to be written, now that it is known what that changes.
pub(crate) fn take_proposal(
    model: &mut Model,
    request: RequestId,
    answer: Result<Proposed, String>,
) {
    if model.reports.proposal != Some(request) {
        return;
    }
    model.reports.proposal = None;
    // The one who went on meanwhile wants no question any more.
    if *model.step != STEP || model.popup().is_some() {
        return;
    }
    match answer {
        Err(why) => model.open(Popup::text("The configuration cannot be read", why)),
        Ok(Proposed {
            change: ProposedChange::SetUp(proposal),
            ..
        }) if !proposal.changes_anything() => {
            model.say(Tone::Good, "the configuration stands as the plan has it");
        }
        Ok(proposed) => model.ask(Question::Change(Box::new(proposed))),
    }
}

/// Takes what is known of the reports.
pub(crate) fn take_status(
    model: &mut Model,
    request: RequestId,
    answer: Result<InventoryStatus, String>,
) {
    model.reports.status.answer(request, answer);
}
