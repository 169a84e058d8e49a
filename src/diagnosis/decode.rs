//! What a tool wrapped a message in, taken off: escapes of JSON, entities of XML, colours, boxes.
//!
//! It decides what the letters of a record are. Where a line ends is kept, because a wrapped sentence and
//! two log lines can only be told apart by what is said.

use std::borrow::Cow;

use crate::sanitize::sanitize_lines;

/// How often a text may be escaped: a CloudTrail event is JSON in a string in JSON, and a log may quote it.
const NESTED_ESCAPES: usize = 6;

/// The text of a record as the service wrote it.
pub(super) fn decode(record: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(record).into_owned();
    for _ in 0..NESTED_ESCAPES {
        if !has_escapes(&text) {
            break;
        }
        text = unescape(&text);
    }
    if text.contains('&') {
        text = resolve_entities(&text);
    }
    if text.contains('\r') {
        text = text.replace('\r', "\n");
    }
    if text.contains('[') {
        text = without_colours(&text);
    }
    let is_plain = |byte: u8| matches!(byte, b'\n' | b'\t' | b' '..=b'~');
    if !text.bytes().all(is_plain)
        && let Cow::Owned(kept) = sanitize_lines(&text)
    {
        text = kept;
    }
    if text.contains(is_frame) || text.contains('\n') {
        text = without_frames(&text);
    }
    text
}

fn has_escapes(text: &str) -> bool {
    ["\\\"", "\\u00", "\\n", "\\/"]
        .iter()
        .any(|escape| text.contains(escape))
}

/// One level of JSON's escapes (RFC 8259, section 7); what is no escape stays.
fn unescape(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        kept.push_str(before);
        let mut characters = after.chars();
        match characters.next() {
            Some('n' | 'r') => kept.push('\n'),
            Some('t') => kept.push(' '),
            Some(character @ ('"' | '\\' | '/' | '\'')) => kept.push(character),
            Some('u') => {
                let digits = after.get(1..5).unwrap_or_default();
                let code = u32::from_str_radix(digits, 16).ok();
                if let Some(character) = code.and_then(char::from_u32) {
                    kept.push(character);
                    rest = after.get(5..).unwrap_or_default();
                    continue;
                }
                kept.push_str("\\u");
            }
            Some(character) => {
                kept.push('\\');
                kept.push(character);
            }
            None => kept.push('\\'),
        }
        rest = characters.as_str();
    }
    kept.push_str(rest);
    kept
}

fn resolve_entities(text: &str) -> String {
    const ENTITIES: [(&str, &str); 11] = [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#x22;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&apos;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#10;", "\n"),
        ("&#xA;", "\n"),
        ("&amp;", "&"),
    ];
    let mut text = text.to_owned();
    for (entity, character) in ENTITIES {
        if text.contains(entity) {
            text = text.replace(entity, character);
        }
    }
    text
}

/// Leaves out what sets a colour, also where the escape character before it was lost or spelt out.
fn without_colours(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let numbers = after
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || *byte == b';')
            .count();
        let is_colour = numbers <= 12 && after.as_bytes().get(numbers) == Some(&b'm');
        let is_array = numbers == 0 && !before.ends_with('\u{1b}');
        if is_colour && !is_array {
            kept.push_str(before.trim_end_matches(['\u{1b}', '^', '\u{241b}']));
            rest = after.get(numbers + 1..).unwrap_or_default();
        } else {
            kept.push_str(before);
            kept.push('[');
            rest = after;
        }
    }
    kept.push_str(rest);
    kept
}

const fn is_frame(character: char) -> bool {
    matches!(character, '│' | '┃' | '╷' | '╵' | '╭' | '╮' | '╰' | '╯')
}

/// Each line without the bars of Terraform's boxes, the marks of a quotation, and the time that a CI
/// service writes before every line.
fn without_frames(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            kept.push('\n');
        }
        let line = without_time(line.trim_start());
        let line = line.trim_start_matches(|character| is_frame(character) || character == '|');
        let line = line.strip_prefix("> ").unwrap_or(line);
        let line = line.trim_end_matches(is_frame);
        kept.extend(line.chars().map(
            |character| {
                if is_frame(character) { ' ' } else { character }
            },
        ));
    }
    kept
}

/// A line without the time of RFC 3339 that it begins with, where a box follows.
fn without_time(line: &str) -> &str {
    let is_time = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'T');
    let length = line.bytes().take_while(|byte| is_time(*byte)).count();
    if length < 19 {
        return line;
    }
    match line.get(length..).and_then(|rest| rest.strip_prefix("Z ")) {
        Some(rest) if rest.trim_start().starts_with(is_frame) => rest.trim_start(),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_as_often_as_they_were_made() {
        assert_eq!(decode(br#"a \"b\" c"#), r#"a "b" c"#);
        assert_eq!(decode(br#"a \\\"b\\\" \\u0026"#), r#"a "b" &"#);
        assert_eq!(decode(b"&quot;arn&quot; &amp;"), "\"arn\" &");
    }

    #[test]
    fn colours_go_with_and_without_their_escape_character() {
        assert_eq!(decode(b"\x1b[31mred\x1b[0m"), "red");
        assert_eq!(decode(b"[31mred[0m and [1] and []m"), "red and [1] and []m");
        assert_eq!(decode(br"\u001b[1;31mred\u001b[0m"), "red");
    }

    #[test]
    fn a_box_leaves_its_words() {
        let boxed = "╷\n│ Error: a\n│ b\n╵";
        assert_eq!(decode(boxed.as_bytes()), "\n Error: a\n b\n");
        let ci = "2026-11-20T10:00:03.123Z │ Error: a";
        assert_eq!(decode(ci.as_bytes()), " Error: a");
    }

    #[test]
    fn bytes_that_are_no_text_are_survived() {
        assert_eq!(decode(b"a\xff\\"), "a\u{fffd}\\");
        assert_eq!(decode(b"\\u12"), "\\u12");
    }
}
