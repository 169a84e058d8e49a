//! Streams: any bytes, any place in the stream.

use std::io::{self, Read};

use proptest::prelude::*;

use crate::diagnosis::group::ErrorGroups;
use crate::diagnosis::reported::Stated;
use crate::diagnosis::scan::{FoundError, ScanSummary, scan};
use crate::diagnosis::words::{brief, describe, to_json};
use crate::diagnosis::{Circumstances, diagnose};

fn found(bytes: impl Read) -> (Vec<FoundError>, ScanSummary) {
    let mut all = Vec::new();
    let mut groups = ErrorGroups::default();
    let summary = scan(bytes, |one| {
        // What is found is explained as well: neither may panic.
        let diagnosis = diagnose(&one.error, &Circumstances::of_text(&one.error));
        if let Some(diagnosis) = &diagnosis {
            let _ = brief(&one.error, diagnosis);
        }
        let is_error = groups.add(one.clone(), Circumstances::of_text);
        all.push(one);
        diagnosis.is_some() || is_error
    })
    .unwrap();
    for group in groups.sorted() {
        let _ = (describe(group), to_json(group));
    }
    (all, summary)
}

const REFUSED: &str = "An error occurred (AccessDenied) when calling the PutObject operation: User: \
    arn:aws:iam::111122223333:user/ann is not authorized to perform: s3:PutObject on resource: \
    \"arn:aws:s3:::b/k\" because no identity-based policy allows the s3:PutObject action";

/// Gives few bytes at a time, as a pipe does.
struct Drops<'b>(&'b [u8], usize);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(buffer.len()).min(self.0.len());
        let (now, later) = self.0.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

#[test]
fn every_error_of_a_long_log_is_found_with_its_line() {
    let filler = "2026-11-20T10:00:00Z INFO request served in 12 ms\n".repeat(9_999);
    let log = format!("{filler}{REFUSED}\n").repeat(20);
    assert!(log.len() > 9_000_000);
    let (all, summary) = found(Drops(log.as_bytes(), 4096));
    let lines: Vec<u64> = all.iter().map(|one| one.line).collect();
    let expected: Vec<u64> = (1..=20).map(|number| number * 10_000).collect();
    assert_eq!(lines, expected);
    assert_eq!(summary.lines, 200_000);
    assert_eq!(summary.bytes, u64::try_from(log.len()).unwrap());
}

#[test]
fn the_records_of_a_trails_file_on_one_line_are_told_apart() {
    let record = |number: usize, code: &str| {
        format!(
            r#"{{"eventVersion":"1.11","userIdentity":{{"arn":"arn:aws:iam::111122223333:user/u{number}","sessionContext":{{"a":{{}}}}}},"eventTime":"2026-11-20T10:00:00Z","eventSource":"iam.amazonaws.com","eventName":"CreateUser"{code},"requestParameters":{{"userName":"}}{{"}}}}"#
        )
    };
    let refused = r#","errorCode":"AccessDenied","errorMessage":"User: x is not authorized to perform: iam:CreateUser on resource: y because no identity-based policy allows the iam:CreateUser action""#;
    let records: Vec<String> = (0..30_000)
        .map(|number| record(number, if number % 1000 == 0 { refused } else { "" }))
        .collect();
    let file = format!(r#"{{"Records":[{}]}}"#, records.join(","));
    let (all, _) = found(file.as_bytes());
    assert_eq!(all.len(), 30);
    let last = &all[29].error;
    assert_eq!(last.operation.as_deref(), Some("CreateUser"));
    assert_eq!(last.event_time.as_deref(), Some("2026-11-20T10:00:00Z"));
}

#[test]
fn two_lines_with_an_error_each_are_two_errors() {
    let other = REFUSED.replace("PutObject", "GetObject");
    let (all, _) = found(format!("{REFUSED}\n{other}\n").as_bytes());
    assert_eq!(all.len(), 2);
    assert_eq!(all[1].line, 2);
    assert_eq!(all[1].error.action.as_deref(), Some("s3:GetObject"));
}

/// Lines that begin with a small letter are as a rule wrapped ones; these are not.
#[test]
fn repeated_lines_of_a_tool_are_counted_one_by_one() {
    let copied = "upload failed: ./f to s3://b/k An error occurred (AccessDenied) when calling the PutObject operation: Access Denied\n";
    let logged = "time=2026-11-20T10:00:00Z level=error err=\"operation error S3: PutObject, https response error StatusCode: 403, RequestID: 1, HostID: 2, api error AccessDenied: Access Denied\"\n";
    let java = "com.amazonaws.services.s3.model.AmazonS3Exception: Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: 1)\n\tat com.example.A.b(A.java:1)\n";
    for line in [copied, logged, java] {
        let (all, _) = found(line.repeat(50).as_bytes());
        assert_eq!(all.len(), 50, "{line}");
    }
}

/// A terminal's width breaks words, a program's width breaks lines between them.
#[test]
fn a_refusal_wrapped_at_any_width_is_one() {
    let head = "com.amazonaws.services.s3.model.AmazonS3Exception: ";
    let sentence = &REFUSED[REFUSED.find("User:").unwrap()..];
    let text = format!(
        "{head}{sentence} (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: X)"
    );
    for width in 60..200 {
        let characters: Vec<char> = text.chars().collect();
        let lines: Vec<String> = characters.chunks(width).map(String::from_iter).collect();
        let (all, _) = found(lines.join("\n").as_bytes());
        let error = &all[0].error;
        assert_eq!(
            error.principal.as_deref(),
            Some("arn:aws:iam::111122223333:user/ann"),
            "{width}"
        );
        assert_eq!(
            error.resource.as_deref(),
            Some("arn:aws:s3:::b/k"),
            "{width}"
        );
        assert!(
            matches!(error.stated, Stated::NoAllow(_)),
            "{width}: {error:?}"
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        found(&bytes[..]);
    }

    /// Pieces of errors in any order, with cuts and any bytes between them.
    #[test]
    fn no_pieces_of_errors_make_it_panic(
        pieces in proptest::collection::vec((0..PIECES.len(), any::<u16>(), ".{0,8}"), 0..24),
    ) {
        let mut bytes = Vec::new();
        for (piece, cut, between) in pieces {
            let piece = PIECES[piece].as_bytes();
            bytes.extend(&piece[..piece.len() - usize::from(cut) % piece.len().max(1)]);
            bytes.extend(between.as_bytes());
        }
        found(&bytes[..]);
    }

    #[test]
    fn a_refusal_is_found_within_any_lines(
        before in "[ -~]{0,200}\n", behind in "\n[ -~]{0,200}", size in 1..64_usize,
    ) {
        let text = format!("{before}{REFUSED}{behind}");
        let (all, _) = found(Drops(text.as_bytes(), size));
        prop_assert!(all.iter().any(|one| one.error.action.as_deref() == Some("s3:PutObject")));
    }
}

const PIECES: [&str; 28] = [
    REFUSED,
    "User: ",
    "is not authorized to perform: ",
    " on resource: ",
    "\"arn:aws:s3:::b/k",
    "because no ",
    "identity-based policy allows the ",
    "with an explicit deny in a",
    "service control policy: arn:aws:",
    "An error occurred (",
    ") when calling the ",
    " operation: ",
    "operation error S3: ",
    "api error ",
    "(Service: ",
    "Error Code: ",
    "<Code>",
    "</Code><Message>",
    "Error { code: \"",
    "::Errors::",
    "Error executing \"",
    "{\"errorCode\":\"",
    "\\\"errorCode\\\":\\\"",
    "│ ",
    "\u{1b}[31m",
    "\\u00",
    "\" 403 AccessDenied",
    "é\u{2028}",
];
