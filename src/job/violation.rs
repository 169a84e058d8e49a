//! What is wrong with a plan file, where, and what would be right.
//!
//! A reader of a plan file adds to [`Violations`] and reads on, so that one pass tells everything; this
//! module turns byte offsets into the lines and columns that an editor shows.

use std::fmt;

use serde::Serialize;

use super::value::InvalidValue;

/// One thing that is wrong in a plan file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The file, as it was named by the one who read it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: String,
    /// The byte of the file at which it begins.
    #[serde(skip)]
    at: usize,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: error: {}\n  hint: {}",
            self.file, self.line, self.column, self.message, self.hint
        )
    }
}

/// Everything that is wrong in a plan file, in the order of its lines; never empty where a reading
/// failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// The violations, in the order of their lines.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none; a parse never gives that.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            violation.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

impl Violations {
    /// Adds a violation that begins at byte `at` of the file.
    pub(super) fn add(&mut self, at: usize, message: impl AsRef<str>, hint: impl AsRef<str>) {
        self.0.push(Violation {
            file: String::new(),
            line: 0,
            column: 0,
            message: printable(message.as_ref()),
            hint: printable(hint.as_ref()),
            at,
        });
    }

    /// Adds that the value at byte `at` is not what it should be.
    pub(super) fn add_invalid(&mut self, at: usize, invalid: &InvalidValue) {
        self.add(at, &invalid.message, &invalid.hint);
    }

    /// The violations in the order of the text that was read from `file`, each with its line and
    /// column there.
    pub(super) fn located(mut self, file: &str, text: &str) -> Self {
        let file = printable(file);
        let line_starts: Vec<usize> = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        self.0.sort_by_key(|violation| violation.at);
        for violation in &mut self.0 {
            violation.file.clone_from(&file);
            (violation.line, violation.column) = position(text, &line_starts, violation.at);
        }
        self
    }
}

fn position(text: &str, line_starts: &[usize], at: usize) -> (u32, u32) {
    let at = text.floor_char_boundary(at);
    let line = line_starts.partition_point(|start| *start <= at);
    let start = line_starts.get(line.saturating_sub(1));
    let before = text.get(start.copied().unwrap_or_default()..at);
    let column = before.map_or(0, |before| before.chars().count());
    (saturated(line), saturated(column + 1))
}

fn saturated(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The text without anything that a terminal would obey: control characters become escapes.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_points_at_line_and_column_in_characters() {
        let text = "a = 1\r\nß = 'é' # x\n";
        let mut violations = Violations::default();
        violations.add(text.find('#').unwrap(), "bad", "good");
        let violations = violations.located("plan.toml", text);
        assert_eq!(
            violations.to_string(),
            "plan.toml:2:9: error: bad\n  hint: good"
        );
    }

    #[test]
    fn violations_are_told_in_the_order_of_the_text() {
        let mut violations = Violations::default();
        violations.add(2, "second", "x");
        violations.add(0, "first", "x");
        let lines: Vec<u32> = violations
            .located("p", "a\nb\n")
            .iter()
            .map(|v| v.line)
            .collect();
        assert_eq!(lines, [1, 2]);
    }

    #[test]
    fn an_offset_past_the_end_or_inside_a_character_does_no_harm() {
        let mut violations = Violations::default();
        violations.add(1, "inside", "x");
        violations.add(99, "past", "x");
        let columns: Vec<u32> = violations
            .located("p", "é")
            .iter()
            .map(|violation| violation.column)
            .collect();
        assert_eq!(columns, [1, 2]);
    }

    #[test]
    fn control_characters_are_shown_as_escapes() {
        let mut violations = Violations::default();
        violations.add(0, "a \u{1b}[2J b", "c\nd");
        let text = violations.located("p\u{7}", "x").to_string();
        assert!(
            text.starts_with("p\\u{7}:1:1: error: a \\u{1b}[2J b"),
            "{text}"
        );
        assert!(text.ends_with("hint: c\\nd"), "{text}");
    }
}
