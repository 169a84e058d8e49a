//! The key table: which key means what, where.
//!
//! The table itself is `assets/keymap.toml`; this module reads it and decides which binding wins.
//! Scopes are asked from the innermost outwards, and a binding whose action is not possible now is
//! passed over, so that one key can mean "choose" first and "go on" once something is chosen.

use crokey::KeyCombination;
use crossterm::event::{KeyCode, KeyModifiers};
use serde::Deserialize;

const TABLE: &str = include_str!("../../assets/keymap.toml");

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    missing_docs,
    reason = "each is described by its hint in the key table"
)]
pub enum Action {
    Advance,
    Apply,
    Back,
    BeginExport,
    BeginInventory,
    BeginReading,
    BeginUpload,
    Choose,
    ClearFilter,
    Close,
    Copy,
    Diagnose,
    Down,
    Edit,
    Explain,
    Filter,
    Finish,
    First,
    Follow,
    Help,
    Home,
    Last,
    MarkNo,
    MarkYes,
    NextField,
    NextSide,
    NextTab,
    No,
    NoChange,
    NoProbe,
    OpenChanges,
    OtherSide,
    Owner,
    PageDown,
    PageUp,
    Prefix,
    PreviousField,
    PreviousTab,
    Probe,
    Quit,
    Redraw,
    Reload,
    Sandbox,
    Save,
    Show,
    Start,
    Submit,
    Suspend,
    Toggle,
    TryAgain,
    Type,
    Undo,
    Up,
    Watch,
    Yes,
}

impl Action {
    /// Whether it moves by lines.
    pub(crate) const fn is_move(self) -> bool {
        matches!(
            self,
            Self::Up | Self::Down | Self::PageUp | Self::PageDown | Self::First | Self::Last
        )
    }
}

/// Where a binding holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyScope {
    /// Everywhere, popups included.
    Always,
    /// Everywhere outside popups.
    Wizard,
    /// Where something moves by lines: lists and long texts.
    Moving,
    /// Lists that can be filtered and read again.
    List,
    /// The start screen.
    Start,
    /// The Accounts step.
    Accounts,
    /// The Tables step.
    Tables,
    /// The Destination step.
    Destination,
    /// The Encryption step.
    Encryption,
    /// The Access step.
    Access,
    /// The Review step.
    Review,
    /// The Progress step.
    Progress,
    /// The Uploader step.
    Uploader,
    /// The Upload step.
    Upload,
    /// The Reader step.
    Reader,
    /// The Read step.
    Read,
    /// The Inventory step.
    Inventory,
    /// The Reports step.
    Reports,
    /// The Watch step.
    Watching,
    /// Any popup.
    Popup,
    /// A popup that is only read.
    Reading,
    /// A popup with one line of text.
    Input,
    /// A popup with several fields.
    Form,
    /// A field of a form with fixed choices.
    ChoiceField,
    /// A popup that asks yes or no.
    Question,
    /// The question whether to end the wizard.
    QuitQuestion,
    /// The list of our changes that are still in place.
    Changes,
    /// While a filter is typed.
    Filter,
}

impl KeyScope {
    /// The scope's name above its keys in the help.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Always => "Everywhere",
            Self::Wizard => "In the wizard",
            Self::Moving => "Moving",
            Self::List => "Lists",
            Self::Start => "Start",
            Self::Accounts => "Accounts",
            Self::Tables => "Tables",
            Self::Destination => "Destination",
            Self::Encryption => "Encryption",
            Self::Access => "Access",
            Self::Review => "Review",
            Self::Progress => "Progress",
            Self::Uploader => "Uploader",
            Self::Upload => "Upload",
            Self::Reader => "Reader",
            Self::Read => "Read",
            Self::Inventory => "Inventory",
            Self::Reports => "Reports",
            Self::Watching => "Watch",
            Self::Popup => "Popups",
            Self::Reading => "Texts to read",
            Self::Input => "Typing",
            Self::Form => "Forms",
            Self::ChoiceField => "Fields with choices",
            Self::Question => "Questions",
            Self::QuitQuestion => "The question before quitting",
            Self::Changes => "Changes in place",
            Self::Filter => "Filters",
        }
    }
}

/// One row of the key table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Where it holds.
    pub scope: KeyScope,
    /// The keys, the one to show first.
    pub keys: Vec<KeyCombination>,
    /// What they mean.
    pub action: Action,
    /// The meaning in a few words.
    pub hint: String,
    /// Who stays when the hint bar is narrow; 0 is for the help only.
    pub priority: u8,
}

/// Why a key table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeymapError {
    /// It is not TOML of the right shape.
    #[error("the key table cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// A key's name is unknown.
    #[error("the key table names the unknown key `{0}`")]
    Key(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyTable {
    binding: Vec<BindingRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BindingRow {
    scope: KeyScope,
    keys: Vec<String>,
    action: Action,
    hint: String,
    priority: u8,
}

/// All bindings, in the table's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

impl Keymap {
    /// The key table of the program.
    pub fn built_in() -> Result<Self, KeymapError> {
        Self::parse(TABLE)
    }

    /// Reads a key table.
    pub fn parse(text: &str) -> Result<Self, KeymapError> {
        let file: KeyTable = toml::from_str(text)?;
        let bindings = file
            .binding
            .into_iter()
            .map(|row| {
                let keys = row
                    .keys
                    .iter()
                    .map(|key| crokey::parse(key).map_err(|_| KeymapError::Key(key.clone())))
                    .collect::<Result<_, _>>()?;
                Ok(Binding {
                    scope: row.scope,
                    keys,
                    action: row.action,
                    hint: row.hint,
                    priority: row.priority,
                })
            })
            .collect::<Result<_, KeymapError>>()?;
        Ok(Self { bindings })
    }

    /// All bindings, for the help.
    #[must_use]
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// The bindings that hold in these scopes, the innermost first.
    pub fn in_scopes<'a, 's>(
        &'a self,
        scopes: &'s [KeyScope],
    ) -> impl Iterator<Item = &'a Binding> + use<'a, 's> {
        scopes
            .iter()
            .flat_map(|scope| self.bindings.iter().filter(move |b| b.scope == *scope))
    }

    /// The binding of a key in these scopes, whether its action is possible now or not.
    #[must_use]
    pub fn meant(&self, scopes: &[KeyScope], key: KeyCombination) -> Option<&Binding> {
        let key = canonical(key);
        self.in_scopes(scopes)
            .find(|binding| binding.keys.iter().any(|bound| canonical(*bound) == key))
    }

    /// What a key means in these scopes (the innermost first), among the actions possible now.
    #[must_use]
    pub fn action(
        &self,
        scopes: &[KeyScope],
        key: KeyCombination,
        is_possible: impl Fn(Action) -> bool,
    ) -> Option<Action> {
        let key = canonical(key);
        self.in_scopes(scopes)
            .filter(|binding| binding.keys.iter().any(|bound| canonical(*bound) == key))
            .map(|binding| binding.action)
            .find(|action| is_possible(*action))
    }
}

/// The key without what terminals report differently: Shift beside a sign such as `?` says nothing.
fn canonical(key: KeyCombination) -> KeyCombination {
    let mut key = key.normalized();
    let code: &KeyCode = key.codes.first();
    if matches!(code, KeyCode::Char(sign) if !sign.is_alphabetic()) {
        key.modifiers.remove(KeyModifiers::SHIFT);
    }
    if *code == KeyCode::BackTab {
        key.modifiers.insert(KeyModifiers::SHIFT);
    }
    key
}

/// A key as the hint bar and the help write it.
#[must_use]
pub fn key_label(key: KeyCombination) -> String {
    let label = key.to_string();
    match label.as_str() {
        "Up" => "↑".to_owned(),
        "Down" => "↓".to_owned(),
        "Left" => "←".to_owned(),
        "Right" => "→".to_owned(),
        "BackTab" | "Shift-BackTab" => "Shift-Tab".to_owned(),
        "Shift-g" | "Shift-G" => "G".to_owned(),
        "PageUp" => "PgUp".to_owned(),
        "PageDown" => "PgDn".to_owned(),
        _ => label,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> KeyCombination {
        crokey::parse(text).unwrap()
    }

    #[test]
    fn the_built_in_table_reads() {
        assert!(!Keymap::built_in().unwrap().bindings().is_empty());
    }

    #[test]
    fn every_binding_has_a_hint_and_a_key() {
        for binding in Keymap::built_in().unwrap().bindings() {
            assert!(!binding.hint.is_empty(), "{binding:?}");
            assert!(!binding.keys.is_empty(), "{binding:?}");
        }
    }

    #[test]
    fn an_inner_scope_beats_an_outer_one() {
        let keymap = Keymap::built_in().unwrap();
        let scopes = [KeyScope::QuitQuestion, KeyScope::Popup, KeyScope::Always];
        assert_eq!(keymap.action(&scopes, key("n"), |_| true), Some(Action::No));
        assert_eq!(
            keymap.action(&[KeyScope::Wizard], key("n"), |_| true),
            Some(Action::Advance)
        );
    }

    #[test]
    fn an_action_that_is_not_possible_leaves_the_key_to_the_next_one() {
        let keymap = Keymap::built_in().unwrap();
        let action = keymap.action(&[KeyScope::Tables, KeyScope::Wizard], key("enter"), |a| {
            a != Action::Choose
        });
        assert_eq!(action, Some(Action::Advance));
    }

    #[test]
    fn a_sign_is_the_same_with_and_without_shift() {
        let keymap = Keymap::built_in().unwrap();
        let shifted = KeyCombination::one_key(KeyCode::Char('?'), KeyModifiers::SHIFT);
        assert_eq!(
            keymap.action(&[KeyScope::Wizard], shifted, |_| true),
            Some(Action::Help)
        );
    }

    #[test]
    fn capital_g_is_not_g() {
        let keymap = Keymap::built_in().unwrap();
        let capital = KeyCombination::one_key(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(
            keymap.action(&[KeyScope::Moving], capital, |_| true),
            Some(Action::Last)
        );
        assert_eq!(
            keymap.action(&[KeyScope::Moving], key("g"), |_| true),
            Some(Action::First)
        );
    }

    #[test]
    fn an_unknown_key_is_named() {
        let text = "[[binding]]\nscope='list'\nkeys=['hyper']\naction='up'\nhint='x'\npriority=1";
        assert!(
            Keymap::parse(text)
                .unwrap_err()
                .to_string()
                .contains("hyper")
        );
    }
}
