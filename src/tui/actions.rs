//! Which actions are possible now, and what is in the way of going on.

use super::keymap::Action;
use super::model::Model;

/// Whether an action is possible now, where its scope holds.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    if model.popup().is_some() {
        return true;
    }
    let step = model.step;
    match action {
        Action::ClearFilter => model.list().is_some_and(|list| list.filter.is_some()),
        Action::Back => model.flow.previous(step).is_some() && (step.can_go_back)(model),
        Action::Advance => model.flow.next(step).is_some(),
        Action::OpenRuns => model.open_runs.value().is_some_and(|runs| !runs.is_empty()),
        _ => (step.is_possible)(model, action),
    }
}

/// Whether the hint bar offers an action: it is possible, and nothing blocks it.
pub(crate) fn is_offered(model: &Model, action: Action) -> bool {
    let is_blocked = model.popup().is_none()
        && matches!(action, Action::Advance | Action::Start)
        && (model.step.check)(model).is_err();
    is_possible(model, action) && !is_blocked
}
