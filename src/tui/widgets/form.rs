//! A form: a few fields, one of which has the focus.

use crokey::KeyCombination;

use super::entry::TextEntry;
use crate::tui::keymap::Action;

/// Several fields that are filled in together.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    /// The fields, from top to bottom.
    pub fields: Vec<Field>,
    /// The field that keys go to.
    pub focus: usize,
    /// What is wrong with what was given, once it was submitted.
    pub error: Option<String>,
}

/// One field.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// Its name.
    pub label: &'static str,
    /// What belongs there, in a few words.
    pub hint: &'static str,
    /// What it holds.
    pub value: FieldValue,
}

/// What a field holds.
#[derive(Debug, Clone)]
pub(crate) enum FieldValue {
    /// Typed text.
    Text(TextEntry),
    /// One of a few words.
    Choice {
        /// The words.
        options: &'static [&'static str],
        /// Which one.
        chosen: usize,
    },
}

impl Field {
    /// A field for typed text.
    pub(crate) fn text(label: &'static str, hint: &'static str, text: &str) -> Self {
        Self {
            label,
            hint,
            value: FieldValue::Text(TextEntry::new(text)),
        }
    }

    /// A field with a few words to choose from.
    pub(crate) fn choice(
        label: &'static str,
        hint: &'static str,
        options: &'static [&'static str],
        chosen: usize,
    ) -> Self {
        Self {
            label,
            hint,
            value: FieldValue::Choice { options, chosen },
        }
    }
}

impl Form {
    /// A form with the focus on its first field.
    pub(crate) fn new(fields: Vec<Field>) -> Self {
        Self {
            fields,
            focus: 0,
            error: None,
        }
    }

    /// The text given in a field, by its place; nothing if it is empty.
    pub(crate) fn given(&self, index: usize) -> Option<&str> {
        match &self.fields.get(index)?.value {
            FieldValue::Text(entry) => entry.given(),
            FieldValue::Choice { options, chosen } => options.get(*chosen).copied(),
        }
    }

    /// Which word is chosen in a field, by its place.
    pub(crate) fn chosen(&self, index: usize) -> usize {
        match self.fields.get(index).map(|field| &field.value) {
            Some(FieldValue::Choice { chosen, .. }) => *chosen,
            _ => 0,
        }
    }

    /// Whether the focus is on a field with choices.
    pub(crate) fn is_on_choice(&self) -> bool {
        matches!(
            self.fields.get(self.focus).map(|field| &field.value),
            Some(FieldValue::Choice { .. })
        )
    }

    /// Takes an action of the form's own; says whether it was one.
    pub(crate) fn act(&mut self, action: Action) -> bool {
        let count = self.fields.len().max(1);
        match action {
            Action::NextField => self.focus = (self.focus + 1) % count,
            Action::PreviousField => self.focus = (self.focus + count - 1) % count,
            Action::Toggle => self.turn(),
            _ => return false,
        }
        true
    }

    fn turn(&mut self) {
        if let Some(FieldValue::Choice { options, chosen }) = self
            .fields
            .get_mut(self.focus)
            .map(|field| &mut field.value)
        {
            *chosen = (*chosen + 1) % options.len().max(1);
        }
    }

    /// The text that keys go to, if the focus is on one.
    pub(crate) fn entry(&mut self) -> Option<&mut TextEntry> {
        match &mut self.fields.get_mut(self.focus)?.value {
            FieldValue::Text(entry) => Some(entry),
            FieldValue::Choice { .. } => None,
        }
    }

    /// Takes a key that means nothing else.
    pub(crate) fn press(&mut self, key: KeyCombination) {
        if self.entry().is_some_and(|entry| entry.press(key)) {
            self.error = None;
        }
    }
}
