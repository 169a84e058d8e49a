//! What belongs to an anchor: its line with the lines that belong to it, an event of CloudTrail, or a part of
//! a line that is longer than a record.
//!
//! It decides where a log's next entry begins, and where only a terminal or a tool wrapped one.

use std::ops::Range;

use memchr::{memchr, memmem, memrchr};

use super::MARGIN;

/// The longest record that is parsed as text.
const LONGEST: usize = 12 * 1024;
/// The part of a longer line that is looked at before and behind an anchor.
const BEFORE: usize = 2 * 1024;
const BEHIND: usize = 4 * 1024;
/// The most lines that are taken to belong to one.
const MOST_LINES: usize = 24;
/// The most lines that are looked back for the beginning of a sentence.
const MOST_WRAPPED: usize = 4;

/// The record around an anchor, not before `from`.
pub(super) fn record_around(bytes: &[u8], anchor: usize, from: usize) -> Range<usize> {
    if let Some(event) = event_around(bytes, anchor, from) {
        return event;
    }
    let floor = from.max(anchor.saturating_sub(LONGEST));
    let ceiling = bytes.len().min(anchor + LONGEST);
    let line_start = line_start(bytes, anchor, floor);
    let line_end = line_end(bytes, anchor, ceiling);
    if line_end - line_start > LONGEST / 2 {
        let start = line_start.max(anchor.saturating_sub(BEFORE));
        return start..line_end.min(anchor + BEHIND);
    }
    let start = extend_back(bytes, line_start..line_end, floor);
    start..extend_on(bytes, start, line_start..line_end, ceiling)
}

fn line_start(bytes: &[u8], at: usize, floor: usize) -> usize {
    let before = bytes.get(floor..at).unwrap_or_default();
    memrchr(b'\n', before).map_or(floor, |end| floor + end + 1)
}

fn line_end(bytes: &[u8], at: usize, ceiling: usize) -> usize {
    let behind = bytes.get(at..ceiling).unwrap_or_default();
    memchr(b'\n', behind).map_or(ceiling, |end| at + end)
}

/// Takes lines before the first as long as they belong to it.
fn extend_back(bytes: &[u8], line: Range<usize>, floor: usize) -> usize {
    let mut start = line.start;
    let mut first = bytes.get(line.clone()).unwrap_or_default();
    for number in 0..MOST_LINES {
        if start <= floor {
            break;
        }
        let before = line_start(bytes, start - 1, floor);
        let above = bytes.get(before..start - 1).unwrap_or_default();
        let so_far = bytes.get(start..line.end).unwrap_or_default();
        let is_wrapped = number < MOST_WRAPPED
            && is_wrap(above, first)
            && !is_fresh(first)
            && lacks_its_head(so_far);
        if above.trim_ascii().is_empty()
            || !(is_wrapped || continues(first) && leads_on(above, first))
        {
            break;
        }
        start = before;
        first = above;
    }
    start
}

/// Takes lines behind the last as long as they belong to the record, which begins at `start`.
fn extend_on(bytes: &[u8], start: usize, line: Range<usize>, ceiling: usize) -> usize {
    let mut end = line.end;
    let mut last = bytes.get(line).unwrap_or_default();
    for _ in 0..MOST_LINES {
        let next = end + 1;
        if next >= ceiling {
            break;
        }
        let next_end = line_end(bytes, next, ceiling);
        let below = bytes.get(next..next_end).unwrap_or_default();
        let so_far = bytes.get(start..end).unwrap_or_default();
        let is_wrapped = is_wrap(last, below) && !is_fresh(below) && is_unfinished(so_far, last);
        if below.trim_ascii().is_empty()
            || !(is_wrapped || continues(below) && leads_on(last, below))
        {
            break;
        }
        end = next_end;
        last = below;
    }
    end
}

/// Whether a wrap may stand between two lines: the first word of the second had made the first too long.
fn is_wrap(above: &[u8], below: &[u8]) -> bool {
    let word = below.iter().take_while(|byte| !byte.is_ascii_whitespace());
    above.len() + word.count() >= 60
}

/// A line without the colours that it begins with, their escape character lost or not.
fn uncoloured(line: &[u8]) -> &[u8] {
    let mut rest = line;
    loop {
        let after = rest.strip_prefix(b"\x1b").unwrap_or(rest);
        let Some(numbers) = after.strip_prefix(b"[") else {
            return rest;
        };
        let length = numbers
            .iter()
            .take_while(|byte| byte.is_ascii_digit() || **byte == b';')
            .count();
        match numbers
            .get(length..)
            .and_then(|rest| rest.strip_prefix(b"m"))
        {
            Some(behind) => rest = behind,
            None => return rest,
        }
    }
}

/// Whether a line begins with a log's own head: a time, a level, an object.
fn is_fresh(line: &[u8]) -> bool {
    const LEVELS: [&[u8]; 6] = [b"ERROR", b"WARN", b"INFO", b"DEBUG", b"TRACE", b"time="];
    let line = uncoloured(line);
    let is_digit = |at: usize| line.get(at).is_some_and(u8::is_ascii_digit);
    let is_year = (0..4).all(is_digit)
        && matches!(line.get(4), Some(b'-' | b'/'))
        && is_digit(5)
        && is_digit(6);
    let is_clock = is_digit(0) && is_digit(1) && line.get(2) == Some(&b':') && is_digit(3);
    let is_klog = matches!(line.first(), Some(b'I' | b'W' | b'E' | b'F')) && (1..5).all(is_digit);
    is_year
        || is_clock
        || is_klog
        || matches!(line.first(), Some(b'[' | b'{'))
        || LEVELS.iter().any(|level| line.starts_with(level))
        || line.starts_with("╷".as_bytes())
}

/// Whether a record has the middle of IAM's sentence and not who it is about.
fn lacks_its_head(record: &[u8]) -> bool {
    let find = |words: &[u8]| memmem::find(record, words);
    let middle = [
        &b"authorized"[..],
        b"to perform:",
        b"because no ",
        b"explicit deny",
    ]
    .iter()
    .filter_map(|words| find(words))
    .min();
    middle.is_some_and(|middle| find(b"User:").is_none_or(|user| user > middle))
}

/// Whether a record breaks off within IAM's sentence, or within a parenthesis of its last line.
fn is_unfinished(record: &[u8], last: &[u8]) -> bool {
    let count = |byte: u8| memchr::memchr_iter(byte, last).count();
    if count(b'(') > count(b')') {
        return true;
    }
    let Some(start) = memmem::rfind(record, b"User:") else {
        // The head of the CLI's form, which goes on behind `operation`.
        let head = memmem::find(last, b"n error occurred (").and_then(|at| last.get(at..));
        return head.is_some_and(|head| {
            memmem::find(head, b" operation").is_none()
                || head.trim_ascii().ends_with(b" operation")
        });
    };
    let mut words: Vec<u8> = record.get(start..).unwrap_or_default().to_vec();
    words.retain(|byte| !byte.is_ascii_whitespace());
    let has = |phrase: &[u8]| memmem::find(&words, phrase);
    let is_allow_over = has(b"becauseno").is_some_and(|at| {
        words
            .get(at..)
            .is_some_and(|rest| memmem::find(rest, b"action").is_some())
    });
    let is_deny_over = has(b"withanexplicitdeny").is_some_and(|at| {
        let rest = words.get(at..).unwrap_or_default();
        let is_named =
            memmem::find(rest, b"policy").is_some() || memmem::find(rest, b"boundary").is_some();
        is_named || rest.len() > 24
    });
    !is_allow_over && !is_deny_over && words.len() < 2600
}

/// A line without the mark of a quotation.
fn unquoted(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"> ").unwrap_or(line)
}

/// Whether a line does not begin something of its own.
fn continues(line: &[u8]) -> bool {
    let line = uncoloured(line);
    let Some(first) = line.first() else {
        return false;
    };
    let is_bar = line.starts_with("│".as_bytes()) || line.starts_with("╵".as_bytes());
    is_bar
        || matches!(
            first,
            b' ' | b'\t' | b'|' | b'}' | b']' | b')' | b'(' | b'<' | b'>' | b'"'
        )
        || first.is_ascii_lowercase() && !is_assignment(line)
        || [
            "StatusCode: ",
            "User: ",
            "Message: ",
            "FailureMessage: ",
            "Caused by: ",
            "API: ",
            "HostID: ",
        ]
        .iter()
        .any(|word| line.starts_with(word.as_bytes()))
        || line.starts_with(b"1") && line.contains(&b'=')
        || box_behind_time(line)
}

/// A line of a log whose fields are `name=value`.
fn is_assignment(line: &[u8]) -> bool {
    let name = line
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    line.get(name) == Some(&b'=')
}

/// A line of a CI service: a time, then a box.
fn box_behind_time(line: &[u8]) -> bool {
    let head = line.get(..48.min(line.len())).unwrap_or_default();
    head.first().is_some_and(u8::is_ascii_digit)
        && head.windows(3).any(|three| three == "│".as_bytes())
}

/// Whether the second of two lines can belong to the first: not where each has a log's own head.
fn leads_on(above: &[u8], below: &[u8]) -> bool {
    let (above, below) = (uncoloured(above), uncoloured(below));
    let is_boxed = |line: &[u8]| {
        line.starts_with("│".as_bytes())
            || line.starts_with("╷".as_bytes())
            || box_behind_time(line)
    };
    if is_boxed(above) || is_boxed(below) {
        let is_end = below.starts_with("╷".as_bytes());
        return !is_end && (is_boxed(above) || above.starts_with("╷".as_bytes()));
    }
    if below.starts_with(b"User: ") {
        // A code alone, words that announce more, or an error that has not named its principal.
        let above = above.trim_ascii();
        let is_code = above.first().is_some_and(u8::is_ascii_uppercase) && !above.contains(&b' ');
        let has = |words: &[u8]| memmem::find(above, words).is_some();
        let is_denial = has(b"AccessDenied") || has(b"ccess Denied");
        return above.ends_with(b":") || is_code || is_denial && !has(b"not authorized to perform");
    }
    let (above, below) = (unquoted(above), unquoted(below));
    if below.starts_with(b"<") && !above.starts_with(b"<") {
        return true;
    }
    // Two lines with an error each are two records, unless the second is a part of a body or a stack.
    let is_part = below.starts_with(b" ")
        || below.starts_with(b"\t")
        || below.starts_with(b"<")
        || below.starts_with(b"Caused by: ");
    let is_indented = |line: &[u8]| line.starts_with(b" ") || line.starts_with(b"\t");
    if is_indented(above) && below.first().is_some_and(u8::is_ascii_lowercase) {
        return false;
    }
    let has_sentence = |line: &[u8]| memmem::find(line, b"not authorized to perform").is_some();
    let both_say = has_sentence(above) && has_sentence(below);
    !both_say && (is_part || !(has_error(above) && has_error(below)))
}

/// Whether a line has what an error has of its own.
fn has_error(line: &[u8]) -> bool {
    const MARKS: [&[u8]; 9] = [
        b"n error occurred (",
        b"client error (",
        b"api error ",
        b"Error Code: ",
        b"not authorized to perform",
        b"ccess Denied",
        b"AccessDenied",
        b"Exception: ",
        b"Status Code: ",
    ];
    MARKS.iter().any(|mark| memmem::find(line, mark).is_some())
}

/// The CloudTrail event in which an anchor stands: the object with `eventName` around it.
fn event_around(bytes: &[u8], anchor: usize, from: usize) -> Option<Range<usize>> {
    let is_code = |text: &[u8]| text.starts_with(b"errorCode");
    let here = bytes.get(anchor..)?;
    if !is_code(here) {
        return None;
    }
    if here.starts_with(b"errorCode\\\"") {
        return escaped_event_around(bytes, anchor, from);
    }
    let floor = from.max(anchor.saturating_sub(MARGIN));
    let mut depth = 0_i32;
    let before = bytes.get(floor..anchor)?;
    for at in memchr::memrchr2_iter(b'{', b'}', before) {
        if before.get(at) == Some(&b'}') {
            depth += 1;
        } else if depth > 0 {
            depth -= 1;
        } else {
            let start = floor + at;
            let end = object_end(bytes.get(start..)?)?;
            return Some(start..start + end);
        }
    }
    None
}

/// The same within a string of JSON: an event of `LookupEvents` is a line of escaped text.
fn escaped_event_around(bytes: &[u8], anchor: usize, from: usize) -> Option<Range<usize>> {
    let floor = from.max(anchor.saturating_sub(MARGIN));
    let before = bytes.get(floor..anchor)?;
    let start = floor + memmem::rfind(before, b"{\\\"eventVersion")?;
    let behind = bytes.get(start..bytes.len().min(start + MARGIN))?;
    // The string ends at a quote without a backslash before it.
    let end = memchr::memchr_iter(b'"', behind)
        .find(|at| at.checked_sub(1).and_then(|at| behind.get(at)) != Some(&b'\\'))?;
    Some(start..start + end)
}

/// Where a JSON object ends, its strings looked through.
fn object_end(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_u32;
    let mut at = 0;
    let bytes = bytes.get(..bytes.len().min(MARGIN))?;
    while let Some(next) = memchr::memchr3(b'{', b'}', b'"', bytes.get(at..)?) {
        at += next;
        match bytes.get(at)? {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => at = string_end(bytes, at + 1)?,
        }
        at += 1;
    }
    None
}

/// Where a string's closing quote stands.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}
