//! The one door for text that leaves the program beside the wizard's frames: standard output, and words
//! for people on standard error.
//!
//! Whatever is printed, documents and errors included, comes from files and accounts that others write
//! to. No other file may take standard output or standard error (clippy.toml forbids it), so that
//! nothing that steers a terminal is printed by an oversight.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the door that all others go through"
)]

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, StdoutLock, Write};

use serde_json::Value;

use crate::sanitize::{escape_json, sanitize, sanitize_lines};

/// What a text is, by which it is made fit for a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    /// For people, or a document in words: what would steer a terminal is left out.
    Words,
    /// For programs: it is spelt out.
    Json,
}

impl Language {
    fn sanitize_as(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Words => sanitize_lines(text),
            Self::Json => escape_json(text),
        }
    }
}

/// Standard output, for what writes as it goes. It passes whole lines on, and what is left at a flush.
#[derive(Debug)]
pub struct Door<W> {
    out: W,
    language: Language,
    /// A line whose end is still to come.
    begun: Vec<u8>,
}

/// Standard output for words.
#[must_use]
pub fn words() -> Door<StdoutLock<'static>> {
    Door::new(io::stdout().lock(), Language::Words)
}

/// Standard output for JSON.
#[must_use]
pub fn json() -> Door<StdoutLock<'static>> {
    Door::new(io::stdout().lock(), Language::Json)
}

impl<W: Write> Door<W> {
    const fn new(out: W, language: Language) -> Self {
        Self {
            out,
            language,
            begun: Vec::new(),
        }
    }

    fn pass(&mut self, lines: &[u8]) -> io::Result<()> {
        // Most of what `simulate` answers, and it answers many.
        let is_fit = |byte: &u8| matches!(byte, b'\n' | b' '..=b'~');
        if lines.iter().all(is_fit) {
            return self.out.write_all(lines);
        }
        let text = String::from_utf8_lossy(lines);
        self.out
            .write_all(self.language.sanitize_as(&text).as_bytes())
    }
}

impl<W: Write> Write for Door<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let (lines, rest) = bytes.split_at(end.map_or(0, |end| end + 1));
        if self.begun.is_empty() {
            self.pass(lines)?;
        } else if !lines.is_empty() {
            let mut begun = std::mem::take(&mut self.begun);
            begun.extend_from_slice(lines);
            self.pass(&begun)?;
        }
        self.begun.extend_from_slice(rest);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let begun = std::mem::take(&mut self.begun);
        self.pass(&begun)?;
        self.out.flush()
    }
}

/// Whether standard output is a terminal.
#[must_use]
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether standard error is a terminal.
#[must_use]
pub fn is_error_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Writes words on standard output, and ends their line; that the reader went away, as `head` does, is
/// no error.
pub fn write_words(text: &str) -> io::Result<()> {
    write_line(text, Language::Words)
}

/// The same for the text of JSON.
pub fn write_json(text: &str) -> io::Result<()> {
    write_line(text, Language::Json)
}

/// The same for a JSON value, on one line.
pub fn write_value(value: &Value) -> io::Result<()> {
    write_json(&value.to_string())
}

fn write_line(text: &str, language: Language) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", language.sanitize_as(text)).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Prints words on standard output, whether they can be written or not.
pub fn print_words(text: &str) {
    let _ = write_words(text);
}

/// Prints lines on standard error. A closed standard error is no reason to stop.
pub fn print_error(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", sanitize_lines(text));
}

/// Rings the terminal's bell, and asks it to show a notification (OSC 9, as iTerm2 documents it): on standard
/// error, or on standard output where that is a terminal and `is_out_free`.
pub fn signal_end(has_bell: bool, notification: Option<&str>, is_out_free: bool) {
    let mut signal = String::new();
    // The Linux console knows two OSC sequences and not this one (`console_codes`(4)).
    let knows_osc = std::env::var_os("TERM").is_some_and(|term| term != "linux" && term != "dumb");
    if let Some(text) = notification.filter(|_| knows_osc) {
        signal.push_str("\x1b]9;");
        signal.push_str(&sanitize(text));
        signal.push_str("\x1b\\");
    }
    if has_bell {
        signal.push('\x07');
    }
    let write = |mut terminal: Box<dyn Write>| {
        let _ = terminal.write_all(signal.as_bytes());
        let _ = terminal.flush();
    };
    if is_error_terminal() {
        write(Box::new(io::stderr()));
    } else if is_out_free && is_terminal() {
        write(Box::new(io::stdout()));
    }
}

/// Asks on standard error, without a line end.
pub(super) fn write_question(question: &str) -> io::Result<()> {
    let mut screen = io::stderr().lock();
    write!(screen, "{}", sanitize(question))?;
    screen.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(language: Language, pieces: &[&[u8]]) -> String {
        let mut door = Door::new(Vec::new(), language);
        for piece in pieces {
            door.write_all(piece).unwrap();
        }
        String::from_utf8(door.out).unwrap()
    }

    #[test]
    fn what_is_written_in_pieces_is_taken_line_by_line() {
        let pieces: [&[u8]; 4] = [b"a\x1b", b"[31mb\xc2", b"\x9b\ncd", b"\n"];
        assert_eq!(passed(Language::Words, &pieces), "ab\ncd\n");
        assert_eq!(
            passed(Language::Json, &pieces),
            "a\\u001b[31mb\\u009b\ncd\n"
        );
    }
}
