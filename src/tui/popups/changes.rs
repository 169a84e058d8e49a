//! The changes of ours that are in place, each taken away by a yes of its own.

use super::state::Popup;
use crate::tui::consent;
use crate::tui::keymap::Action;
use crate::tui::message::Effect;
use crate::tui::model::{Model, Tone};

/// Does an action of the list.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Popup::Changes { cursor }) = model.popup() else {
        return Vec::new();
    };
    let removable = model.changes.removable();
    let change = removable.get(*cursor).map(|change| change.id);
    match (action, change) {
        (Action::Undo, Some(id)) if consent::is_possible(model) => consent::propose_undo(model, id),
        (Action::Undo, Some(_)) if model.is_read_only => {
            model.say(Tone::Warning, "nothing is changed with --read-only");
            Vec::new()
        }
        _ => Vec::new(),
    }
}
