//! Text on its way to the screen: what may be drawn, how wide it is, where it breaks.
//!
//! Names and messages come from accounts that others write to. Control characters would reach the
//! terminal as commands, and direction overrides would show a name as another one.

use std::borrow::Cow;

use crate::sanitize::is_terminal_control;
use ratatui::buffer::Buffer;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether a character may be drawn.
fn is_drawable(c: char) -> bool {
    !is_terminal_control(c)
}

/// The text without what may not be drawn; a tab or line end becomes a space.
#[must_use]
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_drawable) {
        return Cow::Borrowed(text);
    }
    let cleaned = text
        .chars()
        .filter_map(|c| match c {
            '\t' | '\n' | '\r' => Some(' '),
            c if is_drawable(c) => Some(c),
            _ => None,
        })
        .collect();
    Cow::Owned(cleaned)
}

/// Takes out of a drawn frame what may not reach the terminal, whatever way it came in.
pub(crate) fn scrub(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().chars().all(is_drawable) {
            let kept: String = cell.symbol().chars().filter(|c| is_drawable(*c)).collect();
            cell.set_symbol(if kept.is_empty() { " " } else { &kept });
        }
    }
}

/// How many columns the text takes.
#[must_use]
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text, cut to this many columns with an ellipsis where it does not fit.
#[must_use]
pub(crate) fn fit(text: &str, columns: usize) -> String {
    let text = clean(text);
    if width(&text) <= columns {
        return text.into_owned();
    }
    let mut taken = String::new();
    let mut used = 0;
    for c in text.chars() {
        let next = c.width().unwrap_or(0);
        if used + next + 1 > columns {
            break;
        }
        used += next;
        taken.push(c);
    }
    if columns > 0 {
        taken.push('…');
    }
    taken
}

/// The text, cut in its middle where it does not fit: both ends of an ARN tell something.
#[must_use]
pub(crate) fn fit_middle(text: &str, columns: usize) -> String {
    let text = clean(text);
    if width(&text) <= columns || columns < 5 {
        return fit(&text, columns);
    }
    let tail_columns = (columns - 1) * 3 / 5;
    let head = fit(&text, columns - tail_columns);
    let mut tail = String::new();
    let mut used = 0;
    for c in text.chars().rev() {
        let next = c.width().unwrap_or(0);
        if used + next > tail_columns {
            break;
        }
        used += next;
        tail.insert(0, c);
    }
    head + &tail
}

/// The text cut or filled with spaces to exactly this many columns.
#[must_use]
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let mut fitted = fit(text, columns);
    let missing = columns.saturating_sub(width(&fitted));
    fitted.extend(std::iter::repeat_n(' ', missing));
    fitted
}

/// The text in lines of at most this many columns.
///
/// It breaks at spaces, after `/`, `:` and `,` in a word that is too long, and anywhere at the last;
/// following lines of one are indented as its first.
#[must_use]
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    text.split('\n')
        .flat_map(|line| wrap_line(line.trim_end_matches('\r'), columns))
        .collect()
}

fn wrap_line(line: &str, columns: usize) -> Vec<String> {
    let line = clean(line);
    if width(&line) <= columns {
        return vec![line.into_owned()];
    }
    let lead = line.len() - line.trim_start().len();
    let indent = " ".repeat(lead.min(columns / 2));
    let mut lines = Vec::new();
    let mut current = indent.clone();
    for piece in line.trim_start().split_inclusive(' ') {
        let mut rest = piece;
        loop {
            let room = columns - width(&current);
            if width(rest.trim_end()) <= room {
                current.push_str(rest);
                break;
            }
            let is_fresh = current.trim().is_empty();
            if !is_fresh && width(rest.trim_end()) <= columns - indent.len() {
                lines.push(finished(&mut current, &indent));
                continue;
            }
            let (head, tail) = split_word(rest, room);
            if head.is_empty() && !is_fresh {
                lines.push(finished(&mut current, &indent));
                continue;
            }
            current.push_str(head);
            lines.push(finished(&mut current, &indent));
            rest = tail;
        }
        if width(&current) > columns {
            lines.push(finished(&mut current, &indent));
        }
    }
    if !current.trim().is_empty() {
        lines.push(current.trim_end().to_owned());
    }
    lines
}

fn finished(current: &mut String, indent: &str) -> String {
    let line = std::mem::replace(current, indent.to_owned());
    line.trim_end().to_owned()
}

/// Splits a word that is too long: after the last separator of an ARN or path in the second half of
/// the columns, else after the last hyphen there, else at the columns.
fn split_word(word: &str, columns: usize) -> (&str, &str) {
    let mut used = 0;
    let (mut after_separator, mut after_hyphen) = (None, None);
    for (index, c) in word.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns {
            return word.split_at(after_separator.or(after_hyphen).unwrap_or(index));
        }
        let after = index + c.len_utf8();
        match c {
            '/' | ':' | ',' if used * 2 > columns => after_separator = Some(after),
            '-' if used * 2 > columns => after_hyphen = Some(after),
            _ => {}
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    /// A character of no width rides on the letter before it, into a title as well as into a name.
    #[test]
    fn a_frame_holds_no_character_that_is_drawn_as_nothing() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 1));
        let text = "a\u{200d}b\u{200c}c\u{2060}d\u{200b}e\u{feff}f\u{ad}g\u{fe0f}h\u{e0041}";
        buffer.set_string(0, 0, text, Style::new());
        scrub(&mut buffer);
        let drawn: String = buffer
            .content
            .iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect();
        assert!(drawn.is_ascii(), "{}", drawn.escape_unicode());
        assert_eq!(drawn.trim_end(), "abcdefgh");
    }

    #[test]
    fn escape_sequences_lose_their_escape() {
        assert_eq!(clean("a\u{1b}[31mb\u{9b}c\u{7f}"), "a[31mbc");
        assert_eq!(clean("one\ntwo\tthree"), "one two three");
    }

    #[test]
    fn direction_overrides_are_taken_out() {
        assert_eq!(clean("user\u{202e}txt.exe"), "usertxt.exe");
        assert_eq!(clean("a\u{2066}b\u{2069}"), "ab");
    }

    #[test]
    fn wide_characters_count_two_columns() {
        assert_eq!(fit("表表表", 5), "表表…");
        assert_eq!(pad("表", 4), "表  ");
    }

    #[test]
    fn text_breaks_at_spaces_and_keeps_its_indent() {
        assert_eq!(
            wrap("  one two three four", 11),
            ["  one two", "  three", "  four"]
        );
    }

    #[test]
    fn a_long_arn_breaks_after_a_separator() {
        let lines = wrap("arn:aws:iam::111111111111:role/some/long/path/Exporter", 30);
        assert!(lines.iter().all(|line| width(line) <= 30), "{lines:?}");
        assert_eq!(
            lines.concat(),
            "arn:aws:iam::111111111111:role/some/long/path/Exporter"
        );
        assert!(lines[0].ends_with([':', '/']), "{lines:?}");
    }

    #[test]
    fn every_line_fits_and_no_word_is_lost() {
        let text = "User: arn:aws:sts::111111111111:assumed-role/Exporter/mona is not authorized \
                    to perform: s3:PutObject on resource: \"arn:aws:s3:::export-landing/x\" because";
        for columns in 8..90 {
            let lines = wrap(text, columns);
            assert!(
                lines.iter().all(|line| width(line) <= columns),
                "{columns}: {lines:?}"
            );
            let kept: String = lines.concat().split_whitespace().collect();
            let given: String = text.split_whitespace().collect();
            assert_eq!(kept, given, "{columns}");
        }
    }

    #[test]
    fn the_middle_is_cut_where_both_ends_matter() {
        let cut = fit_middle("arn:aws:kms:eu-west-1:222222222222:key/1234abcd", 20);
        assert_eq!(width(&cut), 20);
        assert!(
            cut.starts_with("arn:aws") && cut.ends_with("1234abcd"),
            "{cut}"
        );
    }
}
