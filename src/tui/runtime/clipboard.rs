//! The clipboard, through the terminal: OSC 52 works over SSH, and needs no display.

#![expect(
    clippy::disallowed_methods,
    reason = "the sequence is ours, and what it carries is encoded"
)]

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Asks the terminal to put a text on the clipboard. It does not answer whether it did.
pub(super) fn copy(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(sequence(text).as_bytes())?;
    out.flush()
}

fn sequence(text: &str) -> String {
    format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_wrapped_so_that_it_cannot_end_the_sequence() {
        let wrapped = sequence("a\u{7}b\u{1b}");
        assert_eq!(wrapped.matches('\u{7}').count(), 1);
        assert!(wrapped.starts_with("\u{1b}]52;c;YQdiGw=="));
    }
}
