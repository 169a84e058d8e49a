//! Text from outside, made fit to be shown.
//!
//! This module decides which characters of a foreign text reach a screen or a log: none that
//! steers a terminal, none that reverses or hides what stands beside it.

/// The text with line ends and tabs turned into spaces, and without terminal sequences, control
/// characters, bidirectional overrides and zero-width characters.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_sequence(&mut characters),
            '\n' | '\r' | '\t' => {
                if !plain.ends_with(' ') {
                    plain.push(' ');
                }
            }
            character if is_steering(character) => {}
            character => plain.push(character),
        }
    }
    plain
}

/// The first `limit` characters of a text, with an ellipsis where something was cut off.
pub(super) fn shortened(text: &str, limit: usize) -> String {
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

/// Whether a character steers a terminal, or reverses or hides what stands beside it.
#[must_use]
pub fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[31;1mred\u{1b}[0m b"), "ared b");
        assert_eq!(plain("\u{1b}]0;title\u{7}text"), "text");
        assert_eq!(plain("\u{1b}]8;;http://x\u{1b}\\link"), "link");
        assert_eq!(plain("bell\u{7} \u{9b}2J null\u{0}"), "bell 2J null");
    }

    #[test]
    fn a_message_cannot_turn_its_neighbours_around() {
        assert_eq!(plain("safe\u{202e}cod.exe\u{2066}\u{200b}"), "safecod.exe");
    }

    #[test]
    fn lines_become_one_line() {
        assert_eq!(plain("first\r\n\tsecond"), "first second");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shortened("héllo", 2), "hé…");
        assert_eq!(shortened("héllo", 5), "héllo");
    }
}
