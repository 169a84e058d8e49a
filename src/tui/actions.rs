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
        Action::Back => !model.is_at_start() && (step.can_go_back)(model),
        // A run is followed as who is signed in now.
        Action::Home => !model.is_at_start() && !model.progress.is_followed(),
        Action::Advance => model.flow.next(step).is_some(),
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
