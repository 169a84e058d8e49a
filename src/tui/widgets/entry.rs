//! One line of text that is typed.

use crokey::KeyCombination;
use crossterm::event::{Event, KeyEvent};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

use super::text;

/// A line of text with its cursor.
#[derive(Debug, Clone, Default)]
pub(crate) struct TextEntry {
    input: Input,
}

impl TextEntry {
    /// A line with this text, the cursor behind it.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            input: Input::new(text.to_owned()),
        }
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        self.input.value()
    }

    /// The text without spaces around it, or nothing if it is empty.
    pub(crate) fn given(&self) -> Option<&str> {
        Some(self.text().trim()).filter(|text| !text.is_empty())
    }

    /// Takes a key; says whether the text or the cursor changed.
    pub(crate) fn press(&mut self, key: KeyCombination) -> bool {
        let event: KeyEvent = key.into();
        self.input.handle_event(&Event::Key(event)).is_some()
    }

    /// Inserts pasted text at the cursor: its first line, without control characters.
    pub(crate) fn insert(&mut self, pasted: &str) {
        let line = pasted.trim_start().lines().next().unwrap_or_default();
        for c in text::clean(line).chars() {
            self.input.handle(tui_input::InputRequest::InsertChar(c));
        }
    }

    /// What of the text is in sight in so many columns, and the column of the cursor in it.
    pub(crate) fn visible(&self, columns: usize) -> (String, usize) {
        let columns = columns.max(2);
        let scroll = self.input.visual_scroll(columns - 1);
        let mut skipped = 0;
        let shown: String = text::clean(self.text())
            .chars()
            .skip_while(|c| {
                let is_before = skipped < scroll;
                skipped += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
                is_before
            })
            .collect();
        let cursor = self.input.visual_cursor().saturating_sub(scroll);
        (text::pad(&shown, columns).trim_end().to_owned(), cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_line_of_a_paste_is_taken() {
        let mut entry = TextEntry::default();
        entry.insert("\nexport-\u{1b}landing\nrm -rf\n");
        assert_eq!(entry.text(), "export-landing");
    }

    #[test]
    fn keys_edit_the_text() {
        let mut entry = TextEntry::new("ab");
        for key in ["c", "left", "backspace", "shift-x"] {
            entry.press(crokey::parse(key).unwrap());
        }
        assert_eq!(entry.text(), "aXc");
    }

    #[test]
    fn the_cursor_stays_in_sight() {
        let entry = TextEntry::new("arn:aws:kms:eu-west-1:222222222222:key/1234");
        let (shown, cursor) = entry.visible(20);
        assert!(text::width(&shown) <= 20 && cursor < 20, "{shown} {cursor}");
        assert!(shown.ends_with("1234"));
    }
}
