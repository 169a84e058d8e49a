//! The errors of one record: a log line with what belongs to it, or a text that somebody pasted.
//!
//! It decides where an error is, and where only somebody writes about one. IAM's sentence is one wherever
//! it stands; a code needs a tool's form around it; bare words need a place where errors stand.

use super::access_log::read_access_log;
use super::envelope::{read_envelope, without_encoded};
use super::event::read_event;
use super::reported::{ErrorForm, ReportedError, Stated, is_bare, is_denial, one_line};
use super::sentence::find_sentences;

/// The most characters of a record that are kept for the catalogue's words.
const LONGEST_RECORD: usize = 6000;

/// The errors that a record's decoded text reports. `is_whole`: the record is all that there is.
pub(super) fn read_errors(text: &str, is_whole: bool) -> Vec<ReportedError> {
    if let Some(error) = read_event(text).or_else(|| read_access_log(text)) {
        return vec![error];
    }
    let mut found = read_sentences(text);
    if found.is_empty() {
        found.push(read_without_sentence(text, is_whole));
    }
    found
}

/// An error for each of IAM's sentences; what a tool prints twice is one.
fn read_sentences(text: &str) -> Vec<ReportedError> {
    let sentences = find_sentences(text);
    let ends: Vec<usize> = sentences.iter().map(|placed| placed.end).collect();
    let starts: Vec<usize> = sentences.iter().map(|placed| placed.start).collect();
    let mut found: Vec<ReportedError> = Vec::new();
    for (number, placed) in sentences.into_iter().enumerate() {
        let from = number.checked_sub(1).and_then(|before| ends.get(before));
        let to = starts.get(number + 1);
        let around = text
            .get(from.copied().unwrap_or(0)..to.copied().unwrap_or(text.len()))
            .unwrap_or_default();
        let mut error = ReportedError {
            record: kept(around),
            has_encoded_message: around.contains("Encoded authorization"),
            ..ReportedError::default()
        };
        read_envelope(around, &mut error);
        error.message = one_line(text.get(placed.start..placed.end).unwrap_or_default());
        error.say(placed.sentence);
        let is_said = found.iter().any(|said| {
            said.principal == error.principal
                && said.action == error.action
                && said.resource == error.resource
                && (said.stated == error.stated || error.is_cut)
        });
        if !is_said {
            found.push(error);
        }
    }
    found
}

fn read_without_sentence(text: &str, is_whole: bool) -> ReportedError {
    let mut error = ReportedError {
        record: kept(text),
        has_encoded_message: text.contains("Encoded authorization failure message"),
        ..ReportedError::default()
    };
    read_envelope(text, &mut error);
    error.resource = error.resource.take().or_else(|| object_of_url(text));
    if error.form == ErrorForm::Words {
        bare_words(text, is_whole, &mut error);
    }
    if error.has_encoded_message {
        error.message = without_encoded(&error.message).to_owned();
    }
    if error.form == ErrorForm::Words && error.code.as_deref().is_some_and(is_denial) {
        if is_bare(&error.message) {
            error.form = ErrorForm::Error;
        } else {
            // Prose about a code; the catalogue may know the words.
            error.code = None;
        }
    }
    error.message = one_line(&error.message);
    error.settle();
    if error.form == ErrorForm::Words && error.message.is_empty() {
        error.message = one_line(text).chars().take(600).collect();
    }
    error
}

/// The words by which EC2 refuses without a reason.
const EC2_WORDS: &str = "You are not authorized to perform this operation.";

/// Words of a denial that may stand alone.
const BARE_WORDS: [&str; 13] = [
    "Access Denied",
    "Access denied",
    "access denied",
    "AccessDenied",
    "Access is denied",
    "Permission denied on S3 path",
    "403 Forbidden",
    "403 (Forbidden)",
    "(HTTP 403)",
    "(HTTP 403 Forbidden)",
    "HTTP response code: 403",
    "HTTP response code =403",
    "HTTP response code 403",
];

/// Words of a denial without a tool's form: the whole text, or the end of a line about AWS.
fn bare_words(text: &str, is_whole: bool, error: &mut ReportedError) {
    if is_whole && !text.trim().is_empty() && text.len() < 160 {
        let last = text.trim().rsplit([']', ':']).next().unwrap_or_default();
        if is_bare(text) {
            return error.deny(text.trim());
        }
        if last.trim() == EC2_WORDS {
            return error.deny_by_ec2();
        }
    }
    if !is_about_aws(text) {
        return;
    }
    if text.lines().any(|line| line.trim() == EC2_WORDS) {
        return error.deny_by_ec2();
    }
    for words in BARE_WORDS {
        for (at, _) in text.match_indices(words) {
            let before = text.get(..at).unwrap_or_default().trim_end_matches(' ');
            let behind = text.get(at + words.len()..).unwrap_or_default();
            if stands_as_error(words, before, behind) {
                if text.contains(".dkr.ecr.") {
                    error.service = Some("ecr".to_owned());
                }
                return error.deny(words);
            }
        }
    }
}

impl ReportedError {
    fn deny_by_ec2(&mut self) {
        self.code = Some("UnauthorizedOperation".to_owned());
        self.form = ErrorForm::Error;
        EC2_WORDS.clone_into(&mut self.message);
    }

    fn deny(&mut self, words: &str) {
        self.code = Some("AccessDenied".to_owned());
        words.clone_into(&mut self.message);
        self.form = ErrorForm::Error;
        self.stated = Stated::Bare;
    }
}

/// Whether a text names something of S3 or AWS.
fn is_about_aws(text: &str) -> bool {
    [
        "x-amz-",
        "aws-sdk",
        "s3://",
        "s3a://",
        "s3n://",
        "arn:aws",
        "amazonaws",
        "AmazonS3",
        "AWS",
        "S3_ERROR",
        "mc: <ERROR>",
        " S3",
        "aws s3",
    ]
    .iter()
    .any(|name| text.contains(name))
}

/// Whether words of a denial stand where a program says why something failed: behind a colon, a dash or a
/// status, and at the end of what is said; or before `:` and an S3 path.
fn stands_as_error(words: &str, before: &str, behind: &str) -> bool {
    let is_status = words.contains("HTTP");
    let begins = before.is_empty()
        || is_status
        || before.ends_with([':', '-', '(', '\n', '=', '.'])
        || before.ends_with("403")
        || before.ends_with("HTTP/1.1")
        || before.ends_with("HTTP/2")
        || before.ends_with("failed")
        || before.ends_with("returned")
        || before.ends_with("error")
        || before.ends_with("status");
    let behind = behind.trim_start_matches(' ');
    let ends = behind.is_empty()
        || is_status && !behind.starts_with(char::is_alphanumeric)
        || behind.starts_with(": No Body")
        || behind.starts_with(['\n', ')', '"', '\'', '(', ';', ',', '}', '<', '|'])
        || behind.starts_with(". ")
        || behind == "."
        || behind.starts_with(".\n");
    let names_path = [
        "when writing",
        ": s3",
        "when accessing",
        "for s3",
        "to s3",
        "on s3",
        "for bucket",
    ]
    .iter()
    .any(|next| behind.starts_with(next));
    let is_path = words.ends_with("path") && behind.starts_with(':');
    begins && (ends || names_path || is_path)
}

/// The object of the last `s3://` or `s3a://` address, as an ARN.
fn object_of_url(text: &str) -> Option<String> {
    let at = ["s3://", "s3a://", "s3n://"]
        .iter()
        .filter_map(|scheme| text.rfind(scheme).map(|at| at + scheme.len()))
        .max()?;
    let rest = text.get(at..)?;
    let end = rest
        .find(|character: char| character.is_whitespace() || "\"'<>(),;`]}".contains(character))
        .unwrap_or(rest.len());
    let path = rest.get(..end)?.trim_end_matches([':', '.']);
    let is_path = !path.is_empty() && path.len() <= 1100;
    is_path.then(|| format!("arn:aws:s3:::{path}"))
}

fn kept(text: &str) -> String {
    if text.len() <= LONGEST_RECORD {
        return text.to_owned();
    }
    text.chars().take(LONGEST_RECORD).collect()
}
