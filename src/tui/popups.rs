//! Popups: questions, forms and texts over a step. Only the one on top hears keys.

pub mod changes;
pub mod runs;
pub mod sign_in;
pub mod table;
pub mod typed;

use std::path::PathBuf;

use crokey::KeyCombination;

use super::consent::{self, Proposed};
use super::keymap::{Action, Scope};
use super::layout;
use super::message::{Deed, Effect};
use super::model::Model;
use super::outside::Probe;
use super::probing;
use super::steps::review;
use super::update;
use super::view;
use super::widgets::entry::Entry;
use super::widgets::form::Form;
use super::widgets::{list, text};
use crate::work::event::Side;

/// Something that lies over the step.
#[derive(Debug, Clone)]
pub enum Popup {
    /// What the step is about, and all keys.
    Help {
        /// The line in sight first.
        line: usize,
    },
    /// All about the check under the cursor.
    Checked {
        /// The line in sight first.
        line: usize,
    },
    /// A text to read, such as why something was not done.
    Text {
        /// What it is about.
        title: &'static str,
        /// The text.
        text: String,
        /// The line in sight first.
        line: usize,
    },
    /// The changes of ours that are in place.
    Changes {
        /// The change under the cursor.
        cursor: usize,
    },
    /// The code of an MFA device.
    Mfa {
        /// Which side.
        side: Side,
        /// Whose profile asks.
        profile: String,
        /// The device.
        serial: String,
        /// The code.
        entry: Entry,
        /// What is wrong with it.
        error: Option<String>,
    },
    /// What is assumed on top of a profile.
    SignIn {
        /// Which side.
        side: Side,
        /// The profile.
        profile: String,
        /// The fields.
        form: Form,
    },
    /// One line of text.
    Typed {
        /// What it is for.
        purpose: typed::Purpose,
        /// The text.
        entry: Entry,
        /// What is wrong with it.
        error: Option<String>,
    },
    /// How a table is exported.
    Table {
        /// The table, by name or ARN.
        table: String,
        /// The fields.
        form: Form,
    },
    /// A question with yes and no.
    Ask {
        /// The question.
        question: Question,
        /// Which answer is marked.
        is_yes: bool,
        /// The line in sight first.
        line: usize,
    },
    /// The runs under way.
    Runs {
        /// The run under the cursor.
        cursor: usize,
    },
}

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

impl Popup {
    /// A question; "no" is marked, so that a stray Enter does nothing.
    pub(crate) const fn ask(question: Question) -> Self {
        Self::Ask {
            question,
            is_yes: false,
            line: 0,
        }
    }

    /// A text to read.
    pub(crate) const fn text(title: &'static str, text: String) -> Self {
        Self::Text {
            title,
            text,
            line: 0,
        }
    }

    /// The scopes of the key table that hold in it, the innermost first.
    pub(crate) fn scopes(&self) -> Vec<Scope> {
        match self {
            Self::Help { .. } | Self::Checked { .. } | Self::Text { .. } => {
                vec![Scope::Reading, Scope::Moving, Scope::Popup]
            }
            Self::Mfa { .. } | Self::Typed { .. } => vec![Scope::Input, Scope::Popup],
            Self::SignIn { form, .. } | Self::Table { form, .. } => {
                let mut scopes = vec![Scope::Form, Scope::Popup];
                if form.is_on_choice() {
                    scopes.insert(0, Scope::ChoiceField);
                }
                scopes
            }
            Self::Ask { .. } => vec![Scope::Question, Scope::Moving, Scope::Popup],
            Self::Runs { .. } => vec![Scope::Runs, Scope::Moving, Scope::Popup],
            Self::Changes { .. } => vec![Scope::Changes, Scope::Moving, Scope::Popup],
        }
    }

    /// Whether it asks for what an earlier attempt to sign this side in needed.
    pub(crate) fn is_about_signing_in(&self, about: Side) -> bool {
        match self {
            Self::Mfa { side, .. }
            | Self::Ask {
                question: Question::LogIn { side, .. },
                ..
            } => *side == about,
            _ => false,
        }
    }

    /// The text that keys go to.
    pub(crate) fn entry(&mut self) -> Option<&mut Entry> {
        match self {
            Self::Mfa { entry, error, .. } | Self::Typed { entry, error, .. } => {
                *error = None;
                Some(entry)
            }
            Self::SignIn { form, .. } | Self::Table { form, .. } => form.entry(),
            Self::Help { .. }
            | Self::Checked { .. }
            | Self::Text { .. }
            | Self::Ask { .. }
            | Self::Changes { .. }
            | Self::Runs { .. } => None,
        }
    }

    /// Takes a key that means nothing else.
    pub(crate) fn press(&mut self, key: KeyCombination) {
        match self {
            Self::SignIn { form, .. } | Self::Table { form, .. } => form.press(key),
            _ => {
                if let Some(entry) = self.entry() {
                    entry.press(key);
                }
            }
        }
    }
}

/// Does an action of the popup on top.
pub(crate) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let columns = layout::popup_columns(model.size);
    let page = layout::popup_page(model.size);
    let lines = match model.popup() {
        Some(Popup::Help { .. }) => view::popups::help::line_count(model, columns),
        Some(Popup::Checked { .. }) => view::popups::checked_line_count(model, columns),
        Some(Popup::Ask { question, .. }) => {
            view::popups::question::line_count(model, question, columns)
        }
        Some(Popup::Text { text, .. }) => text::wrap(text, columns).len(),
        Some(Popup::Changes { .. }) => changes::removable(model).len(),
        Some(Popup::Runs { .. }) => model.open_runs.value().map_or(0, Vec::len),
        _ => 0,
    };
    if action == Action::Close {
        model.popups.pop();
        return Vec::new();
    }
    match model.popups.last_mut() {
        Some(Popup::Help { line } | Popup::Checked { line } | Popup::Text { line, .. }) => {
            scroll(line, action, lines, page);
            Vec::new()
        }
        Some(Popup::Runs { cursor }) => {
            if let Some(moved) = list::moved(action, *cursor, lines, page) {
                *cursor = moved;
                return Vec::new();
            }
            runs::act(model, action)
        }
        Some(Popup::Changes { cursor }) => {
            if let Some(moved) = list::moved(action, *cursor, lines, page) {
                *cursor = moved;
                return Vec::new();
            }
            changes::act(model, action)
        }
        Some(Popup::Ask { is_yes, line, .. }) => match action {
            Action::Toggle => {
                *is_yes = !*is_yes;
                Vec::new()
            }
            Action::Yes => answer(model, true),
            Action::No => answer(model, false),
            Action::Submit => {
                let is_yes = *is_yes;
                answer(model, is_yes)
            }
            _ => {
                scroll(line, action, lines, page.saturating_sub(2));
                Vec::new()
            }
        },
        Some(Popup::SignIn { form, .. } | Popup::Table { form, .. }) => {
            if form.act(action) || action != Action::Submit {
                return Vec::new();
            }
            submit(model)
        }
        Some(Popup::Mfa { .. } | Popup::Typed { .. }) if action == Action::Submit => submit(model),
        _ => Vec::new(),
    }
}

fn scroll(line: &mut usize, action: Action, lines: usize, page: usize) {
    let last = lines.saturating_sub(page) + 1;
    if let Some(moved) = list::moved(action, *line, last, page) {
        *line = moved;
    }
}

/// Takes the popup on top as filled in; it stays open where something is wrong with it.
fn submit(model: &mut Model) -> Vec<Effect> {
    match model.popups.pop() {
        Some(Popup::Mfa {
            side,
            profile,
            serial,
            entry,
            ..
        }) => sign_in::submit_code(model, side, profile, serial, entry),
        Some(Popup::SignIn {
            side,
            profile,
            form,
        }) => sign_in::submit_form(model, side, profile, form),
        Some(Popup::Typed { purpose, entry, .. }) => typed::submit(model, purpose, entry),
        Some(Popup::Table { table, form }) => table::submit(model, table, form),
        Some(other) => {
            model.open(other);
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// Takes the answer to the question on top.
fn answer(model: &mut Model, is_yes: bool) -> Vec<Effect> {
    let Some(Popup::Ask { question, .. }) = model.popups.pop() else {
        return Vec::new();
    };
    if !is_yes {
        return Vec::new();
    }
    match question {
        Question::Quit => update::leave(model),
        Question::Start => review::start(model),
        Question::StartDenied => review::start_denied(model),
        Question::Change(proposed) => consent::agree(model, proposed),
        Question::Probe(probe) => probing::agree(model, probe),
        Question::LogIn { side, command, .. } => {
            let words = command.split_whitespace().map(str::to_owned).collect();
            vec![Effect::LogIn(side, words)]
        }
        Question::Replace(path) => save(model, path, true),
    }
}

/// Writes the plan to a file.
pub(crate) fn save(model: &mut Model, path: PathBuf, may_replace: bool) -> Vec<Effect> {
    let Some(plan) = model.plan() else {
        return Vec::new();
    };
    let request = model.request();
    model.deeds.push(request);
    let deed = Deed::SavePlan {
        path,
        text: super::drafts::toml(&plan),
        may_replace,
    };
    vec![Effect::Do(request, deed)]
}
