//! What the keys of the Uploader and Reader steps do.

use crate::tui::keymap::Action;
use crate::tui::message::Effect;
use crate::tui::model::Model;
use crate::tui::popups::state::{Popup, TypedPurpose};

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    let chosen = &model.principal;
    match action {
        Action::Choose => chosen
            .row()
            .is_some_and(|row| row.named() != chosen.principal.as_ref()),
        Action::Reload => false,
        _ => true,
    }
}

/// Does an action of this step; `typed` is what an ARN that is typed is for.
pub(crate) fn act(model: &mut Model, action: Action, typed: TypedPurpose) -> Vec<Effect> {
    let chosen = &mut model.principal;
    match action {
        Action::Choose => {
            if let Some(row) = chosen.row() {
                chosen.principal = row.named().cloned();
            }
        }
        Action::Toggle => chosen.is_multipart = !chosen.is_multipart,
        Action::Type => {
            let known = chosen.typed.as_ref().map(ToString::to_string);
            let known = known.unwrap_or_default();
            model.open(Popup::typed(typed, &known));
        }
        _ => {}
    }
    Vec::new()
}
