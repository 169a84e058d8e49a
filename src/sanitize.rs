//! Text that leaves the program, made fit for a terminal.
//!
//! Names and messages come from files and accounts that others write to. This module decides which of
//! their characters reach a screen: none that steers a terminal, and none that reverses or hides what
//! stands beside it. Words lose such characters; in JSON they are spelt out, so that its meaning stays.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text as one line: line ends and tabs become spaces; terminal sequences, control characters,
/// bidirectional overrides and invisible characters are left out.
#[must_use]
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if !text.contains(is_terminal_control) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_sequence(&mut characters),
            '\n' | '\r' | '\t' => {
                if !kept.ends_with(' ') {
                    kept.push(' ');
                }
            }
            character if is_terminal_control(character) => {}
            character => kept.push(character),
        }
    }
    Cow::Owned(kept)
}

/// The same for a text whose line ends and tabs are its own.
#[must_use]
pub fn sanitize_lines(text: &str) -> Cow<'_, str> {
    let is_layout = |character| matches!(character, '\n' | '\t');
    if !text.contains(|character| is_terminal_control(character) && !is_layout(character)) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_layout) {
        let words = piece.trim_end_matches(is_layout);
        kept.push_str(&sanitize(words));
        kept.push_str(piece.get(words.len()..).unwrap_or_default());
    }
    Cow::Owned(kept)
}

/// JSON in which what would steer a terminal is spelt out; its line ends, which are layout, stay.
#[must_use]
pub fn escape_json(json: &str) -> Cow<'_, str> {
    let is_escaped = |character| character != '\n' && is_terminal_control(character);
    if !json.contains(is_escaped) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if is_escaped(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a text cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(character);
        }
    }
    Cow::Owned(text)
}

/// The first `limit` characters of a text, with an ellipsis where something was cut off.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Skips what follows an escape character, as ECMA-48 lays it out: a control sequence up to its
/// final byte, a string up to its terminator, or a single character.
fn skip_sequence(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.peek() {
        Some('[') => {
            characters.next();
            while let Some(character) = characters.next_if(|c| ('\u{20}'..='\u{7e}').contains(c)) {
                if ('\u{40}'..='\u{7e}').contains(&character) {
                    break;
                }
            }
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(character) = characters.next() {
                let is_closed = match character {
                    '\u{7}' => true,
                    '\u{1b}' => characters.next_if_eq(&'\\').is_some(),
                    _ => false,
                };
                if is_closed {
                    break;
                }
            }
        }
        Some(character) if character.is_ascii_graphic() => {
            characters.next();
        }
        _ => {}
    }
}

/// Whether a character steers a terminal, or reverses or hides what stands beside it: control characters
/// (C0, DEL, C1), line and paragraph separators, interlinear annotations, and those that Unicode has
/// programs draw as nothing (`Default_Ignorable_Code_Point` in `DerivedCoreProperties.txt`), the
/// bidirectional ones and the zero-width ones among them.
#[must_use]
pub fn is_terminal_control(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_steer_the_terminal() {
        assert_eq!(sanitize("a\u{1b}[31;1mred\u{1b}[0m b"), "ared b");
        assert_eq!(sanitize("\u{1b}]0;title\u{7}text"), "text");
        assert_eq!(sanitize("\u{1b}]8;;http://x\u{1b}\\link"), "link");
        assert_eq!(sanitize("bell\u{7} \u{9b}2J null\u{0}"), "bell 2J null");
    }

    #[test]
    fn a_message_cannot_turn_its_neighbours_around() {
        assert_eq!(
            sanitize("safe\u{202e}cod.exe\u{2066}\u{200b}"),
            "safecod.exe"
        );
    }

    #[test]
    fn the_lines_of_a_document_stay_its_own() {
        let text = "a\u{1b}[31m\r\n\tb\u{200b}\n";
        assert_eq!(sanitize_lines(text), "a \n\tb\n");
    }

    #[test]
    fn what_steers_a_terminal_is_spelt_out_in_json_and_keeps_its_meaning() {
        let value = serde_json::json!({"name": "a\u{9b}31m\u{202e}\u{1b}[0m\u{7f} é \u{e0041}"});
        let pretty = format!("{value:#}");
        for json in [value.to_string(), pretty] {
            let text = escape_json(&json);
            assert!(
                !text.chars().any(|c| c != '\n' && is_terminal_control(c)),
                "{text}"
            );
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(read, value);
        }
    }

    #[test]
    fn lines_become_one_line() {
        assert_eq!(sanitize("first\r\n\tsecond"), "first second");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shortened("héllo", 2), "hé…");
        assert_eq!(shortened("héllo", 5), "héllo");
    }
}
