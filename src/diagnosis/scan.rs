//! The errors of a stream: a log of any length and of any bytes, read once, in bounded memory.
//!
//! A few anchors are searched for, and only the record around one is parsed: its line with the lines that
//! belong to it, or a part of a line that is longer than a record.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use memchr::{memchr, memmem, memrchr};

use super::decode::decode;
use super::read::read_errors;
use super::reported::ReportedError;

/// How much of the input is read at once.
const CHUNK: usize = 1024 * 1024;
/// What is kept before and behind an anchor, so that its record is whole: more than CloudTrail's largest
/// event.
const MARGIN: usize = 288 * 1024;
/// The longest record that is parsed as text.
const LONGEST: usize = 12 * 1024;
/// The part of a longer line that is looked at before and behind an anchor.
const BEFORE: usize = 2 * 1024;
const BEHIND: usize = 4 * 1024;
/// The most lines that are taken to belong to one.
const MOST_LINES: usize = 24;
/// The most lines that are looked back for the beginning of a sentence.
const MOST_WRAPPED: usize = 4;
/// A text of this size is looked at as a whole where it has no anchor.
const SHORT: usize = 64 * 1024;

/// Words of which every error has one. Several are there twice or cut, so that a wrap within one leaves
/// another whole, and so that capitals do not matter.
const ANCHORS: [&str; 66] = [
    "not authorized",
    "authorized to perform",
    "to perform: ",
    "AccessDenied",
    "ccess Denied",
    "ccess denied",
    "ccess is denied",
    "UnauthorizedOperation",
    ": Forbidden",
    "403 Forbidden",
    "Code Forbidden",
    "Errors::Forbidden",
    "StatusCode(403)",
    "All access to this",
    "is unable to assume",
    "Lake Formation permission",
    "n error occurred (",
    "client error (",
    "api error ",
    "(Service: ",
    "unhandled error (",
    "<Code>",
    "errorCode\\\"",
    "errorCode\"",
    "FailureCode",
    "status code: 4",
    "status code: 5",
    "ermission denied on S3",
    "nventory export for",
    "ciphertext refers to",
    "KMS.",
    "KmsNotFound",
    "xpiredToken",
    "oken has expired",
    "security token included",
    "SSO session",
    "SSO Token",
    "aws sso login",
    "retrieving token from sso",
    "locate credentials",
    "load credentials",
    "load AWS credentials",
    "roviders in chain",
    "credential sources",
    "IMDS role found",
    "Missing credentials in config",
    "config profile (",
    "MultiFactorAuthentication failed",
    "session limit for roles",
    "SignatureDoesNotMatch",
    "ignature expired: ",
    "TimeTooSkewed",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "UnrecognizedClient",
    "NoSuchBucket",
    "MalformedPolicy",
    "does not allow ACLs",
    "oint in time recovery",
    "InvalidExportTime",
    "ExportConflict",
    "connect to the endpoint",
    "on endpoint URL",
    "SSL validation failed",
    "Rate exceeded",
    "ThrottlingException",
];

fn anchors() -> Option<&'static AhoCorasick> {
    static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .kind(Some(AhoCorasickKind::DFA))
            .build(ANCHORS)
            .ok()
    });
    SEARCH.as_ref()
}

/// An error with its place.
#[derive(Debug, Clone)]
pub struct FoundError {
    /// The line, counted from 1.
    pub line: u64,
    /// What was reported.
    pub error: ReportedError,
}

/// How much was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanSummary {
    /// Bytes.
    pub bytes: u64,
    /// Line ends, and one for a last line without an end.
    pub lines: u64,
}

/// Finds every error of the input, in its order. `found` says whether it took what was found for an error:
/// a short input of which nothing was is looked at as a whole.
///
/// # Errors
/// Where the input cannot be read.
pub fn scan(
    mut input: impl Read,
    mut found: impl FnMut(FoundError) -> bool,
) -> io::Result<ScanSummary> {
    let mut window = Window::default();
    let mut is_any = false;
    loop {
        let is_end = window.fill(&mut input)?;
        window.search(is_end, |error| {
            let is_error = found(error);
            is_any |= is_error;
            is_error
        });
        if is_end {
            break;
        }
        window.forget();
    }
    if !is_any && window.dropped == 0 && window.bytes.len() <= SHORT {
        for error in read_errors(&decode(&window.bytes), true) {
            found(FoundError { line: 1, error });
        }
    }
    Ok(window.summary())
}

/// The part of the input that is in memory.
#[derive(Debug, Default)]
struct Window {
    bytes: Vec<u8>,
    /// Bytes before it.
    dropped: u64,
    /// Up to where it was searched.
    searched: usize,
    /// Up to where its lines were counted, and how many line ends stand before.
    counted: usize,
    lines: u64,
}

impl Window {
    /// Reads a chunk more. Returns whether the input has ended.
    fn fill(&mut self, input: &mut impl Read) -> io::Result<bool> {
        let before = self.bytes.len();
        let limit = u64::try_from(CHUNK).unwrap_or(u64::MAX);
        input.by_ref().take(limit).read_to_end(&mut self.bytes)?;
        Ok(self.bytes.len() < before + CHUNK)
    }

    /// Searches what is far enough from the end that records are whole.
    fn search(&mut self, is_end: bool, mut found: impl FnMut(FoundError) -> bool) {
        let end = if is_end {
            self.bytes.len()
        } else {
            self.bytes.len().saturating_sub(MARGIN)
        };
        while self.searched < end {
            let searched = self.bytes.get(self.searched..end).unwrap_or_default();
            let Some(anchor) = anchors().and_then(|anchors| anchors.find(searched)) else {
                self.searched = end;
                break;
            };
            let at = self.searched + anchor.start();
            let next = self.searched + anchor.end();
            let record = record_around(&self.bytes, at, self.searched);
            let mut is_error = false;
            let text = decode(self.bytes.get(record.clone()).unwrap_or_default());
            let line = self.line_of(at);
            for error in read_errors(&text, false) {
                is_error |= found(FoundError { line, error });
            }
            self.searched = if is_error { record.end.max(next) } else { next };
        }
    }

    /// The number of the line in which a byte stands.
    fn line_of(&mut self, at: usize) -> u64 {
        if at >= self.counted {
            let between = self.bytes.get(self.counted..at).unwrap_or_default();
            self.lines += count_lines(between);
            self.counted = at;
            return self.lines + 1;
        }
        let between = self.bytes.get(at..self.counted).unwrap_or_default();
        (self.lines + 1).saturating_sub(count_lines(between))
    }

    /// Drops what no later record can reach.
    fn forget(&mut self) {
        let gone = self.searched.saturating_sub(MARGIN);
        if gone < CHUNK / 2 {
            return;
        }
        if self.counted < gone {
            let between = self.bytes.get(self.counted..gone).unwrap_or_default();
            self.lines += count_lines(between);
            self.counted = gone;
        }
        self.bytes.drain(..gone);
        self.dropped += u64::try_from(gone).unwrap_or(u64::MAX);
        self.searched -= gone;
        self.counted -= gone;
    }

    fn summary(&self) -> ScanSummary {
        let rest = self.bytes.get(self.counted..).unwrap_or_default();
        let is_open = self.bytes.last().is_some_and(|last| *last != b'\n');
        ScanSummary {
            bytes: self.dropped + u64::try_from(self.bytes.len()).unwrap_or(u64::MAX),
            lines: self.lines + count_lines(rest) + u64::from(is_open),
        }
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    u64::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(u64::MAX)
}

/// The record around an anchor, not before `from`.
fn record_around(bytes: &[u8], anchor: usize, from: usize) -> Range<usize> {
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

/// Whether a line begins with a log's own head: a time, a level, an object.
fn is_fresh(line: &[u8]) -> bool {
    const LEVELS: [&[u8]; 6] = [b"ERROR", b"WARN", b"INFO", b"DEBUG", b"TRACE", b"time="];
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
        // The head of the CLI's form, which ends with `operation:`.
        let head = memmem::find(last, b"n error occurred (").and_then(|at| last.get(at..));
        return head.is_some_and(|head| memmem::find(head, b" operation").is_none());
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
        // A code alone, or words that announce more.
        let above = above.trim_ascii();
        let is_code = above.first().is_some_and(u8::is_ascii_uppercase) && !above.contains(&b' ');
        return above.ends_with(b":") || is_code;
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
