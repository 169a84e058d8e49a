//! Questions with yes and no.
//!
//! This module decides what counts as an answer. A question about a change is answered by keys that
//! stand in no name, path or sentence: the arrows mark an answer, Enter gives the marked one, and "no"
//! is marked first. Whatever else is typed answers nothing and marks "no" again, so that a text which
//! was meant for another place ends as a "no", even with Enter at its end. Tab is not among the keys
//! that mark: a shell completes paths with it.

use std::path::PathBuf;

use crokey::KeyCombination;
use crossterm::event::{KeyCode, KeyModifiers};

use super::{Popup, plan_file, scroll};
use crate::tui::consent::{self, Proposed};
use crate::tui::keymap::Action;
use crate::tui::message::Effect;
use crate::tui::model::{GuardId, Model};
use crate::tui::outside::Probe;
use crate::tui::probing;
use crate::tui::steps::review;
use crate::tui::update;
use crate::work::event::Side;

/// A question with yes and no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// End the wizard?
    Quit,
    /// Run the command that signs a side in?
    LogIn {
        /// Which side.
        side: Side,
        /// Whose profile.
        profile: String,
        /// The command.
        command: String,
        /// What was wrong.
        detail: String,
    },
    /// Replace a file?
    Replace(PathBuf),
    /// Start the exports?
    Start,
    /// Change an account?
    Change(Box<Proposed>),
    /// Start the exports although they are certain to fail?
    StartDenied,
    /// Begin an upload, and take it back?
    Probe(Box<Probe>),
}

impl Question {
    /// Whether a yes changes nothing outside: then `y` and `n` answer it, however fast they come.
    pub(crate) const fn changes_nothing(&self) -> bool {
        matches!(self, Self::Quit)
    }
}

/// A question that is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which popup it is.
    pub(crate) id: GuardId,
    /// The question.
    pub(crate) question: Question,
    /// Whether "yes" is marked.
    pub(crate) is_yes: bool,
    /// Whether the last key was no answer.
    pub(crate) is_mistyped: bool,
    /// The line in sight first.
    pub(crate) line: usize,
}

impl Asked {
    /// The question with "no" marked, so that a stray Enter does nothing.
    pub(crate) const fn new(id: GuardId, question: Question) -> Self {
        Self {
            id,
            question,
            is_yes: false,
            is_mistyped: false,
            line: 0,
        }
    }

    const fn mark(&mut self, is_yes: bool) {
        self.is_yes = is_yes;
        self.is_mistyped = false;
    }
}

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
    if let Some(Popup::Ask(asked)) = model.popups.last_mut() {
        asked.is_yes = false;
        asked.is_mistyped = true;
    }
}

/// Does an action of the question on top, which has so many lines, so many of them in sight.
pub(super) fn act(model: &mut Model, action: Action, lines: usize, page: usize) -> Vec<Effect> {
    let Some(Popup::Ask(asked)) = model.popups.last_mut() else {
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
        _ => scroll(&mut asked.line, action, lines, page),
    }
    Vec::new()
}

/// Takes the answer to the question on top.
fn answer(model: &mut Model, is_yes: bool) -> Vec<Effect> {
    let Some(Popup::Ask(asked)) = model.popups.pop() else {
        return Vec::new();
    };
    if !is_yes {
        return Vec::new();
    }
    match asked.question {
        Question::Quit => update::leave(model),
        Question::Start => review::start(model),
        Question::StartDenied => review::start_denied(model),
        Question::Change(proposed) => consent::agree(model, proposed),
        Question::Probe(probe) => probing::agree(model, probe),
        Question::LogIn { side, command, .. } => {
            let words = command.split_whitespace().map(str::to_owned).collect();
            vec![Effect::LogIn(side, words)]
        }
        Question::Replace(path) => plan_file::replace(model, path),
    }
}
