//! The kinds of jobs that the wizard makes plans for, to choose from.

use super::state::Popup;
use crate::tui::keymap::Action;
use crate::tui::message::Effect;
use crate::tui::model::Model;
use crate::tui::steps::FLOWS;

/// Does an action of the list.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Popup::Flows { cursor }) = model.popup() else {
        return Vec::new();
    };
    if let (Action::Choose, Some(flow)) = (action, FLOWS.get(*cursor)) {
        model.close();
        model.begin_flow(flow);
    }
    Vec::new()
}
