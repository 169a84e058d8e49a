//! Popups: questions, forms and texts over a step. Only the one on top hears keys.

mod changes;
pub(crate) mod plan_file;
pub(crate) mod question;
pub(super) mod state;
#[cfg(test)]
mod tests;
mod typed;
pub(crate) mod view;

use self::state::Popup;
use super::keymap::Action;
use super::message::Effect;
use super::model::Model;
use super::steps::{accounts, tables};
use super::widgets::list;

/// Does an action of the popup on top.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if action == Action::Close {
        model.close();
        return Vec::new();
    }
    if move_cursor(model, action) {
        return Vec::new();
    }
    match model.popup_mut() {
        Some(Popup::Help | Popup::Checked | Popup::Text { .. }) => {
            model.scroll(action);
            Vec::new()
        }
        Some(Popup::Changes { .. }) => changes::act(model, action),
        Some(Popup::Ask(_)) => question::act(model, action),
        _ if action == Action::Submit => submit(model),
        Some(Popup::SignIn { form, .. } | Popup::Table { form, .. }) => {
            form.act(action);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Moves the cursor of a list, if the action is a move; says whether it was.
fn move_cursor(model: &mut Model, action: Action) -> bool {
    let page = model.sight.page;
    let changes = model.changes.removable().len();
    let Some(Popup::Changes { cursor }) = model.popup_mut() else {
        return false;
    };
    let moved = list::moved(action, *cursor, changes, page);
    if let Some(moved) = moved {
        *cursor = moved;
    }
    moved.is_some()
}

/// Takes the popup on top as filled in; it stays open where something is wrong with it.
fn submit(model: &mut Model) -> Vec<Effect> {
    if matches!(model.popup(), Some(Popup::Save { .. })) {
        return plan_file::submit(model);
    }
    match model.close() {
        Some(Popup::Mfa {
            side,
            profile,
            serial,
            entry,
            ..
        }) => accounts::update::submit_code(model, side, profile, serial, entry),
        Some(Popup::SignIn {
            side,
            profile,
            form,
        }) => accounts::update::submit_form(model, side, profile, form),
        Some(Popup::Typed { purpose, entry, .. }) => typed::submit(model, purpose, entry),
        Some(Popup::Table { table, form }) => tables::form::submit(model, table, form),
        Some(other) => {
            model.open(other);
            Vec::new()
        }
        None => Vec::new(),
    }
}
