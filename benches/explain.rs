//! How fast `explain` reads 300 MB of mixed log, beside `grep -c AccessDenied` on the same bytes.
//!
//! Run with `cargo bench --bench explain`; it prints megabytes a second. One line in a thousand, and one in
//! fifty, is an error of AWS, in the forms of several tools.

#![expect(clippy::disallowed_methods, reason = "figures of our own")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use mimalloc::MiMalloc;
use tableferry::diagnosis::Circumstances;
use tableferry::diagnosis::group::ErrorGroups;
use tableferry::diagnosis::scan::scan;

/// The program's own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Bytes of log.
const SIZE: u64 = 300_000_000;

/// A line of an ordinary log: five common forms in turn.
fn ordinary(number: u64) -> String {
    match number % 5 {
        0 => format!(
            "2026-11-20T10:00:{:02}Z INFO [worker-{}] shard lease renewed, checkpoint written in {} ms status=200",
            number % 60,
            number % 97,
            number % 313
        ),
        1 => format!(
            "10.0.{}.{} - - [20/Nov/2026:10:00:00 +0000] \"GET /api/v1/orders/{number} HTTP/1.1\" 200 {} \"-\" \"curl/8\"",
            number % 255,
            number % 199,
            number % 9000
        ),
        2 => format!(
            "{{\"ts\":\"2026-11-20T10:00:00Z\",\"level\":\"info\",\"msg\":\"item cached for the session\",\"trace\":\"{number:032x}\"}}"
        ),
        3 => format!(
            "\tat com.example.service.OrderHandler.handle(OrderHandler.java:{})",
            number % 500
        ),
        _ => format!(
            "I1120 10:00:00.{number:06} 1 controller.go:{}] \"Reconciled\" object=\"ns/table-{}\" took=\"{}ms\"",
            number % 900,
            number % 77,
            number % 99
        ),
    }
}

/// A line of an error, as five tools print it.
fn error(number: u64) -> String {
    let sentence = format!(
        "User: arn:aws:sts::111122223333:assumed-role/app/i-{number:08x} is not authorized to perform: s3:PutObject \
         on resource: \"arn:aws:s3:::landing-{}/k/{number}\" because no identity-based policy allows the s3:PutObject action",
        number % 7
    );
    match number % 5 {
        0 => format!("An error occurred (AccessDenied) when calling the PutObject operation: {sentence}"),
        1 => format!(
            "ERROR operation error S3: PutObject, https response error StatusCode: 403, RequestID: {number:016X}, HostID: a=, api error AccessDenied: {sentence}"
        ),
        2 => serde_json::json!({"level": "error", "err": format!("AccessDenied: {sentence}")}).to_string(),
        3 => format!(
            "com.amazonaws.services.s3.model.AmazonS3Exception: Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: {number:016X}; Proxy: null)"
        ),
        _ => serde_json::json!({
            "eventVersion": "1.11", "userIdentity": {"arn": "arn:aws:iam::111122223333:user/ann"},
            "eventTime": "2026-11-20T10:00:00Z", "eventSource": "s3.amazonaws.com", "eventName": "PutObject",
            "errorCode": "AccessDenied", "errorMessage": sentence,
        })
        .to_string(),
    }
}

fn write_log(path: &Path, one_in: u64) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let (mut written, mut number) = (0, 0);
    while written < SIZE {
        let line = if number % one_in == 0 {
            error(number / one_in)
        } else {
            ordinary(number)
        };
        writeln!(file, "{line}")?;
        written += u64::try_from(line.len()).unwrap_or(u64::MAX) + 1;
        number += 1;
    }
    file.flush()
}

/// Megabytes a second since a time.
fn rate(started: Instant) -> f64 {
    300.0 / started.elapsed().as_secs_f64()
}

fn main() -> std::io::Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("log");
    let mut out = std::io::stdout();
    for one_in in [1000, 50] {
        write_log(&path, one_in)?;
        let mut best = [0.0_f64; 2];
        for _ in 0..3 {
            let started = Instant::now();
            Command::new("grep")
                .args(["-c", "AccessDenied"])
                .arg(&path)
                .output()?;
            best[0] = best[0].max(rate(started));
            let started = Instant::now();
            let mut groups = ErrorGroups::default();
            scan(File::open(&path)?, |found| {
                groups.add(found, Circumstances::of_text)
            })?;
            best[1] = best[1].max(rate(started));
        }
        writeln!(
            out,
            "one error in {one_in} lines: {:.0} MB/s; grep -c AccessDenied {:.0} MB/s",
            best[1], best[0]
        )?;
    }
    Ok(())
}
