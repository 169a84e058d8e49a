//! Pairs of a name and a value, as JSON, YAML, JavaScript's and Elixir's objects, R's `str`, logfmt and the
//! lines of the C++ SDK write them.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use memchr::memmem;

use super::fields::{code_name, set, up_to};
use super::is_code_word;
use crate::diagnosis::reported::{ErrorForm, ReportedError, is_bare, is_denial};

/// Names of a status.
const STATUSES: [&str; 4] = ["httpStatusCode", "statusCode", "HTTPStatusCode", "status"];
/// Names of a request's id.
const REQUEST_IDS: [&str; 4] = ["requestId", "RequestId", "requestID", "aws_request_id"];

/// Names of a code that only an error of AWS has.
const CODES: [&str; 11] = [
    "errorCode",
    "FailureCode",
    "errorType",
    "__type",
    "Code",
    "code",
    "ErrorCode",
    "Exception name",
    "typeName",
    "x-amzn-ErrorType",
    "x-amzn-errortype",
];
/// Names under which anything may stand: their value must be a code, and look like one.
const GENERAL_CODES: [&str; 3] = ["error", "exception", "Exception"];
const MESSAGES: [&str; 7] = [
    "errorMessage",
    "FailureMessage",
    "Message",
    "message",
    "ErrorMessage",
    "Error message",
    "error_message",
];

/// Reads the pairs of an error; a code alone may be a setting or a counter.
pub(super) fn pairs(text: &str, error: &mut ReportedError) {
    if error.code.is_some() && !error.message.is_empty() {
        return;
    }
    let is_there = names_within(text);
    let value = |names: &[&'static str]| {
        let mut there = names.iter().filter(|name| is_there.contains(name));
        there.find_map(|name| pair(text, name))
    };
    let message = value(&MESSAGES).map(up_to_pair);
    let status = value(&STATUSES);
    let is_code = |code: &str| {
        let has_capital = code.bytes().any(|byte| byte.is_ascii_uppercase());
        let is_word = !code.contains(' ') || is_bare(code);
        has_capital && is_word && code != "None" && code_name(code).is_some()
    };
    let code_of = |name: &&'static str| {
        let code = is_there.contains(name).then(|| pair(text, name)).flatten();
        code.map(|code| up_to(code, &[',', ':']))
    };
    let code = CODES.iter().filter_map(code_of).find(|code| is_code(code));
    let general = || {
        let mut found = GENERAL_CODES.iter().filter_map(code_of);
        found.find(|code| is_code_word(code))
    };
    let code = code.or_else(general);
    // A message or a status beside it makes it an error, or the class of an exception before the words.
    let is_thrown = |code: &str| is_denial(code) && text.contains("Error: Access Denied");
    if let Some(code) = code
        && error.code.is_none()
        && (message.is_some() || status.is_some() || is_thrown(code))
    {
        error.set_code(code);
        if message.is_none() && is_thrown(code) {
            error.set_message("Access Denied");
        }
    }
    if let Some(status) = status {
        error.set_status(status);
    }
    if error.code.is_some()
        && let Some(message) = message
    {
        error.set_message(message);
    }
    if let Some(id) = value(&REQUEST_IDS)
        && error.form == ErrorForm::Error
    {
        set(&mut error.request_id, id);
    }
}

/// The names of pairs that stand in a text, which is looked through once for all of them: most have few.
fn names_within(text: &str) -> Vec<&'static str> {
    static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
        [
            &CODES[..],
            &GENERAL_CODES,
            &MESSAGES,
            &STATUSES,
            &REQUEST_IDS,
        ]
        .concat()
    });
    static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .build(NAMES.iter())
            .ok()
    });
    let mut there = Vec::new();
    for found in SEARCH
        .iter()
        .flat_map(|search| search.find_overlapping_iter(text))
    {
        if let Some(name) = NAMES.get(found.pattern().as_usize())
            && !there.contains(name)
        {
            there.push(*name);
        }
    }
    there
}

/// The value of `name: value` or `name=value`, the name in quotes or not.
fn pair<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    for at in memmem::find_iter(text.as_bytes(), name) {
        let before = text.get(..at)?.chars().next_back();
        if before
            .is_some_and(|character| character.is_alphanumeric() || "_-.<$".contains(character))
        {
            continue;
        }
        let rest = text.get(at + name.len()..)?;
        let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
        let rest = rest.trim_start_matches(' ');
        let Some(rest) = rest.strip_prefix(':').or_else(|| rest.strip_prefix('=')) else {
            continue;
        };
        let rest = rest.trim_start_matches([' ', '>', '[']);
        let value = ["chr ", "Optional(", "Some("]
            .iter()
            .find_map(|wrapped| rest.strip_prefix(wrapped))
            .unwrap_or(rest);
        let Some(quote) = value.chars().next() else {
            continue;
        };
        if matches!(quote, '"' | '\'' | '`') {
            return Some(quoted(value.get(1..)?, quote));
        }
        if quote.is_alphanumeric() {
            return Some(up_to(value, &['\n', '}', '<']).trim_end_matches(','));
        }
    }
    None
}

/// A value up to its closing quote; one within it stands before no comma, brace or line end.
fn quoted(value: &str, quote: char) -> &str {
    let end = value
        .match_indices(quote)
        .find(|(at, _)| {
            let next = value
                .get(at + 1..)
                .and_then(|rest| rest.trim_start_matches(' ').chars().next());
            next.is_none_or(|next| matches!(next, ',' | '}' | ']' | '\n' | ')' | '"' | '.'))
        })
        .map_or(value.len(), |(at, _)| at);
    value.get(..end).unwrap_or_default()
}

/// A message up to the pair that follows on its line.
fn up_to_pair(message: &str) -> &str {
    let is_name = |rest: &str| {
        let length = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        length > 1 && matches!(rest.as_bytes().get(length), Some(b':' | b'='))
    };
    let mut ends = message.match_indices(", ");
    let end = ends.find(|(at, _)| message.get(at + 2..).is_some_and(is_name));
    let first = end.and_then(|(at, _)| message.get(..at));
    // AWS's own words have such a comma, too.
    first.filter(|first| is_bare(first)).unwrap_or(message)
}
