//! The difference between two documents, for people.

use similar::TextDiff;

use super::layout::laid_out;

/// The difference between two documents as a person reads it: line by line, and for documents that
/// stand on one line, of the same documents laid out.
#[must_use]
pub fn diff(before: &str, after: &str) -> String {
    let is_one_line = |text: &str| !text.trim_end().contains('\n');
    let readable = |text: &str| {
        if text.trim().is_empty() {
            // A document that is new has no line to take away.
            String::new()
        } else if is_one_line(before) || is_one_line(after) {
            format!("{}\n", laid_out(text, "", "  "))
        } else {
            text.to_owned()
        }
    };
    let (before, after) = (readable(before), readable(after));
    TextDiff::from_lines(before.as_str(), after.as_str())
        .unified_diff()
        .context_radius(3)
        // A policy is no text file: whether its last line is ended means nothing.
        .missing_newline_hint(false)
        .header("before", "after")
        .to_string()
}
