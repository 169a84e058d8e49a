//! What lies over a step: questions, forms and texts, as plain data.

use std::path::{Path, PathBuf};

use crokey::KeyCombination;

use crate::tui::keymap::KeyScope;
use crate::tui::remote::RequestId;
use crate::tui::services::{Probe, Proposed};
use crate::tui::sight::ScreenId;
use crate::tui::widgets::entry::TextEntry;
use crate::tui::widgets::form::Form;
use crate::work::event::Side;

/// A popup that is open.
#[derive(Debug, Clone)]
pub(crate) struct OpenPopup {
    pub(crate) id: ScreenId,
    pub(crate) popup: Popup,
}

/// Something that lies over the step.
#[derive(Debug, Clone)]
pub(crate) enum Popup {
    /// What the step is about, and all keys.
    Help,
    /// All about the check under the cursor.
    Checked,
    /// A text to read, such as why something was not done.
    Text {
        /// What it is about.
        title: &'static str,
        /// The text.
        text: String,
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
        entry: TextEntry,
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
        purpose: TypedPurpose,
        /// The text.
        entry: TextEntry,
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
        entry: TextEntry,
        /// Why it was not written there.
        error: Option<String>,
        /// The write that is waited for.
        saving: Option<RequestId>,
    },
    /// A question with yes and no.
    Ask(AskedQuestion),
}

/// A question with yes and no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
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
pub(crate) struct AskedQuestion {
    /// The question.
    pub(crate) question: Question,
    /// Whether "yes" is marked; "no" is at first, so that a stray Enter does nothing.
    pub(crate) is_yes: bool,
    /// Whether the last key was no answer.
    pub(crate) is_mistyped: bool,
}

impl AskedQuestion {
    pub(crate) const fn mark(&mut self, is_yes: bool) {
        self.is_yes = is_yes;
        self.is_mistyped = false;
    }
}

/// What a line of text is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TypedPurpose {
    /// A table's name or ARN.
    Table,
    /// The ARN of the user or role that uploads.
    Uploader,
    /// The ARN of the user or role that reads.
    Reader,
    /// The bucket that an inventory lists.
    SourceBucket,
    /// The id of an inventory configuration.
    InventoryId,
    /// A bucket's name.
    Bucket,
    /// What the objects' keys begin with.
    Prefix,
    /// The bucket's account.
    Owner,
    /// A key's ARN.
    Key,
    /// An error to explain.
    Refusal,
    /// The name of an account marked production, before this is done.
    AccountName(Box<Proposed>),
}

impl TypedPurpose {
    /// The popup's title.
    pub(crate) const fn title(&self) -> &'static str {
        match self {
            Self::Table => "Another table",
            Self::Uploader => "Another uploader",
            Self::Reader => "Another reader",
            Self::SourceBucket => "Source bucket",
            Self::InventoryId => "Inventory id",
            Self::Bucket => "Another bucket",
            Self::Prefix => "Prefix",
            Self::Owner => "Bucket owner",
            Self::Key => "KMS key",
            Self::Refusal => "Explain an error",
            Self::AccountName(_) => "An account marked production",
        }
    }
}

impl Popup {
    /// A text to read.
    pub(crate) const fn text(title: &'static str, text: String) -> Self {
        Self::Text { title, text }
    }

    /// A question, with "no" marked.
    pub(crate) const fn ask(question: Question) -> Self {
        Self::Ask(AskedQuestion {
            question,
            is_yes: false,
            is_mistyped: false,
        })
    }

    /// One line of text.
    pub(crate) fn typed(purpose: TypedPurpose, text: &str) -> Self {
        Self::Typed {
            purpose,
            entry: TextEntry::new(text),
            error: None,
        }
    }

    /// Where the plan is written, filled with the file that it came from.
    pub(crate) fn save(file: Option<&Path>) -> Self {
        let path = file.map_or_else(|| "plan.toml".to_owned(), |path| path.display().to_string());
        Self::Save {
            entry: TextEntry::new(&path),
            error: None,
            saving: None,
        }
    }

    /// Whether a key does something outside: such a popup takes no key that was read before it was
    /// drawn.
    pub(crate) const fn is_guarded(&self) -> bool {
        match self {
            Self::Ask(asked) => !asked.question.changes_nothing(),
            _ => false,
        }
    }

    /// Whether it asks whether to end the wizard.
    pub(crate) const fn asks_to_quit(&self) -> bool {
        matches!(
            self,
            Self::Ask(AskedQuestion {
                question: Question::Quit,
                ..
            })
        )
    }

    /// The scopes of the key table that hold in it, the innermost first.
    pub(crate) fn scopes(&self) -> Vec<KeyScope> {
        match self {
            Self::Help | Self::Checked | Self::Text { .. } => {
                vec![KeyScope::Reading, KeyScope::Moving, KeyScope::Popup]
            }
            Self::Mfa { .. } | Self::Typed { .. } | Self::Save { .. } => {
                vec![KeyScope::Input, KeyScope::Popup]
            }
            Self::SignIn { form, .. } | Self::Table { form, .. } => {
                let mut scopes = vec![KeyScope::Form, KeyScope::Popup];
                if form.is_on_choice() {
                    scopes.insert(0, KeyScope::ChoiceField);
                }
                scopes
            }
            Self::Ask(asked) => {
                let mut scopes = vec![KeyScope::Question, KeyScope::Moving, KeyScope::Popup];
                if asked.question.changes_nothing() {
                    scopes.insert(0, KeyScope::QuitQuestion);
                }
                scopes
            }
            Self::Changes { .. } => vec![KeyScope::Changes, KeyScope::Moving, KeyScope::Popup],
        }
    }

    /// Whether it asks for what an earlier attempt to sign this side in needed.
    pub(crate) fn is_about_signing_in(&self, about: Side) -> bool {
        match self {
            Self::Mfa { side, .. }
            | Self::Ask(AskedQuestion {
                question: Question::LogIn { side, .. },
                ..
            }) => *side == about,
            _ => false,
        }
    }

    /// The text that keys go to.
    pub(crate) fn entry(&mut self) -> Option<&mut TextEntry> {
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
            Self::Help
            | Self::Checked
            | Self::Text { .. }
            | Self::Ask(_)
            | Self::Save { .. }
            | Self::Changes { .. } => None,
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
