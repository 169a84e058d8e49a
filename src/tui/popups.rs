//! Popups: questions, forms and texts over a step. Only the one on top hears keys.

pub mod changes;
pub mod plan_file;
pub mod question;
pub mod runs;
pub mod sign_in;
pub mod table;
#[cfg(test)]
mod tests;
pub mod typed;

use crokey::KeyCombination;

use self::question::{Asked, Question};
use super::keymap::{Action, Scope};
use super::layout;
use super::message::Effect;
use super::model::{GuardId, Model};
use super::remote::RequestId;
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
    /// Where the plan is written.
    Save {
        /// The path.
        entry: Entry,
        /// Why it was not written there.
        error: Option<String>,
        /// The write that is waited for.
        saving: Option<RequestId>,
    },
    /// A question with yes and no.
    Ask(Asked),
    /// The runs under way.
    Runs {
        /// Which popup it is.
        id: GuardId,
        /// The run under the cursor.
        cursor: usize,
    },
}

impl Popup {
    /// Its number, where a key does something outside: such a popup takes no key that was read before
    /// it was drawn.
    pub(crate) const fn guarded(&self) -> Option<GuardId> {
        match self {
            Self::Ask(asked) if asked.question.changes_nothing() => None,
            Self::Ask(Asked { id, .. }) | Self::Runs { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// Whether it asks whether to end the wizard.
    pub(crate) const fn asks_to_quit(&self) -> bool {
        matches!(
            self,
            Self::Ask(Asked {
                question: Question::Quit,
                ..
            })
        )
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
            Self::Mfa { .. } | Self::Typed { .. } | Self::Save { .. } => {
                vec![Scope::Input, Scope::Popup]
            }
            Self::SignIn { form, .. } | Self::Table { form, .. } => {
                let mut scopes = vec![Scope::Form, Scope::Popup];
                if form.is_on_choice() {
                    scopes.insert(0, Scope::ChoiceField);
                }
                scopes
            }
            Self::Ask(asked) => {
                let mut scopes = vec![Scope::Question, Scope::Moving, Scope::Popup];
                if asked.question.changes_nothing() {
                    scopes.insert(0, Scope::QuitQuestion);
                }
                scopes
            }
            Self::Runs { .. } => vec![Scope::Runs, Scope::Moving, Scope::Popup],
            Self::Changes { .. } => vec![Scope::Changes, Scope::Moving, Scope::Popup],
        }
    }

    /// Whether it asks for what an earlier attempt to sign this side in needed.
    pub(crate) fn is_about_signing_in(&self, about: Side) -> bool {
        match self {
            Self::Mfa { side, .. }
            | Self::Ask(Asked {
                question: Question::LogIn { side, .. },
                ..
            }) => *side == about,
            _ => false,
        }
    }

    /// The text that keys go to.
    pub(crate) fn entry(&mut self) -> Option<&mut Entry> {
        match self {
            Self::Mfa { entry, error, .. }
            | Self::Typed { entry, error, .. }
            | Self::Save {
                entry,
                error,
                saving: None,
            } => {
                *error = None;
                Some(entry)
            }
            Self::SignIn { form, .. } | Self::Table { form, .. } => form.entry(),
            Self::Help { .. }
            | Self::Checked { .. }
            | Self::Text { .. }
            | Self::Ask(_)
            | Self::Save { .. }
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
        Some(Popup::Ask(asked)) => {
            view::popups::question::line_count(model, &asked.question, columns)
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
        Some(Popup::Runs { cursor, .. }) => {
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
        Some(Popup::Ask(_)) => question::act(model, action, lines, page.saturating_sub(2)),
        Some(Popup::Save { .. }) if action == Action::Submit => plan_file::submit(model),
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
