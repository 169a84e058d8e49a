//! Questions with yes and no.
//!
//! This module decides what counts as an answer. A question about a change is answered by keys that
//! stand in no name, path or sentence: the arrows mark an answer, Enter gives the marked one, and "no"
//! is marked first. Whatever else is typed answers nothing and marks "no" again, so that a text which
//! was meant for another place ends as a "no", even with Enter at its end. Tab is not among the keys
//! that mark: a shell completes paths with it.

use crokey::KeyCombination;
use crossterm::event::{KeyCode, KeyModifiers};

use super::plan_file;
use super::state::{Popup, Question};
use crate::tui::consent;
use crate::tui::keymap::Action;
use crate::tui::message::Effect;
use crate::tui::model::Model;
use crate::tui::probing;
use crate::tui::shutdown;
use crate::tui::steps::review;

/// Whether the question on top takes a key for text that was meant for another place.
pub(crate) fn is_mistyped(model: &Model, key: KeyCombination, action: Option<Action>) -> bool {
    let Some(Popup::Ask(asked)) = model.popup() else {
        return false;
    };
    let is_text = matches!(key.codes.first(), KeyCode::Char(_))
        && !key
            .modifiers
            .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    !asked.question.changes_nothing() && (is_text || action.is_none())
}

/// Takes a key that is no answer: it is said, and "no" is marked again.
pub(crate) fn take_mistyped(model: &mut Model) {
    if let Some(Popup::Ask(asked)) = model.popup_mut() {
        asked.is_yes = false;
        asked.is_mistyped = true;
    }
}

/// Does an action of the question on top.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Some(Popup::Ask(asked)) = model.popup_mut() else {
        return Vec::new();
    };
    match action {
        Action::MarkYes => asked.mark(true),
        Action::MarkNo => asked.mark(false),
        Action::Yes => return answer(model, true),
        Action::No => return answer(model, false),
        Action::Submit => {
            let is_yes = asked.is_yes;
            return answer(model, is_yes);
        }
        _ => model.scroll(action),
    }
    Vec::new()
}

/// Takes the answer to the question on top.
fn answer(model: &mut Model, is_yes: bool) -> Vec<Effect> {
    let Some(Popup::Ask(asked)) = model.close() else {
        return Vec::new();
    };
    if !is_yes {
        return Vec::new();
    }
    match asked.question {
        Question::Quit => shutdown::leave(model),
        Question::Start => review::update::start(model),
        Question::StartDenied => review::update::start_denied(model),
        Question::Change(proposed) => consent::agree(model, proposed),
        Question::Probe(probe) => probing::agree(model, probe),
        Question::LogIn { side, command, .. } => {
            let words = command.split_whitespace().map(str::to_owned).collect();
            vec![Effect::LogIn(side, words)]
        }
        Question::Replace(path) => plan_file::replace(model, path),
    }
}
