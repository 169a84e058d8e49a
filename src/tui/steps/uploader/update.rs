//! What the keys of the Uploader step do.

use crate::tui::keymap::Action;
use crate::tui::message::Effect;
use crate::tui::model::Model;
use crate::tui::popups::state::{Popup, TypedPurpose};

/// Whether an action of this step is possible now.
pub(crate) fn is_possible(model: &Model, action: Action) -> bool {
    let uploader = &model.uploader;
    match action {
        Action::Choose => uploader
            .row()
            .is_some_and(|row| row.named() != uploader.principal.as_ref()),
        Action::Reload => false,
        _ => true,
    }
}

/// Does an action of this step.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let uploader = &mut model.uploader;
    match action {
        Action::Choose => {
            if let Some(row) = uploader.row() {
                uploader.principal = row.named().cloned();
            }
        }
        Action::Toggle => uploader.is_multipart = !uploader.is_multipart,
        Action::Type => {
            let known = uploader.typed.as_ref().map(ToString::to_string);
            let known = known.unwrap_or_default();
            model.open(Popup::typed(TypedPurpose::Uploader, &known));
        }
        _ => {}
    }
    Vec::new()
}
