//! Text files as editors leave them: UTF-8, some with a byte order mark before the text.

use std::io;
use std::path::Path;

/// Reads a text file, without a byte order mark.
///
/// # Errors
/// Where it cannot be read, or is not UTF-8.
pub fn read(path: &Path) -> io::Result<String> {
    let mut text = std::fs::read_to_string(path)?;
    let mark = text.len() - without_mark(&text).len();
    text.drain(..mark);
    Ok(text)
}

/// The text behind a byte order mark, where there is one: some editors and shells write it, and
/// neither JSON (RFC 8259, section 8.1) nor TOML has it as a part of its text.
#[must_use]
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text_and_a_second_one_is() {
        assert_eq!(without_mark("\u{feff}{}"), "{}");
        assert_eq!(without_mark("{}"), "{}");
        assert_eq!(without_mark("\u{feff}\u{feff}"), "\u{feff}");
    }
}
