//! The errors of a stream: a log of any length and of any bytes, read once, in bounded memory.
//!
//! A few anchors are searched for, and only the record around one is parsed: its line with the lines that
//! belong to it, or a part of a line that is longer than a record.

use std::io::{self, Read};
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

mod record;

use self::record::record_around;
use super::decode::decode;
use super::read::read_errors;
use super::reported::ReportedError;

/// How much of the input is read at once.
const CHUNK: usize = 1024 * 1024;
/// What is kept before and behind an anchor, so that its record is whole: more than CloudTrail's largest
/// event.
const MARGIN: usize = 288 * 1024;
/// A text of this size is looked at as a whole where it has no anchor.
const SHORT: usize = 64 * 1024;

/// Words of which every error has one. Several are there twice or cut, so that a wrap within one leaves
/// another whole, and so that capitals do not matter.
const ANCHORS: [&str; 77] = [
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
    "using the specified endpoint",
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
    "(HTTP 4",
    "response code: 403",
    "response code =403",
    "response code 403",
    "establish security credentials",
    "AWS Error ",
    "nsufficient permissions to",
    "authorized to get credentials",
    "have sufficient permissions",
    "context deadline exceeded",
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
