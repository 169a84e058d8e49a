//! Text files as editors leave them: UTF-8, some with a byte order mark before the text.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::regular_file;

/// The most bytes that a text file may have: facts of many tables, with all their policies, are far
/// smaller, and what is larger is some other file.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Reads a text file, without a byte order mark.
///
/// # Errors
/// Where it cannot be read, is no regular file, is larger than 64 MiB, or is not UTF-8.
pub fn read(path: &Path) -> io::Result<String> {
    regular_file::read(path, LARGEST).and_then(text_of)
}

/// The same for a file that need not be there.
///
/// # Errors
/// As of [`read`], and as of [`regular_file::read_if_present`].
pub fn read_if_present(path: &Path) -> io::Result<Option<String>> {
    let bytes = regular_file::read_if_present(path, LARGEST)?;
    bytes.map(text_of).transpose()
}

fn text_of(bytes: Vec<u8>) -> io::Result<String> {
    let mut text = String::from_utf8(bytes)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))?;
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
