//! Files of events: what CloudTrail delivers to a bucket, what `aws cloudtrail lookup-events` prints, events
//! one a line, and server access logs.

use std::io::{self, BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::{RecordedChange, event, log_line};

/// A longer file of JSON is not read: CloudTrail's are some megabytes.
const LONGEST_FILE: u64 = 256 * 1024 * 1024;
/// A longer line is no event and no line of an access log.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

/// What a file told.
#[derive(Debug, Default)]
pub struct ReadChanges {
    /// The changes, in the file's order.
    pub changes: Vec<RecordedChange>,
    /// Events and lines that were looked at, changes or not.
    pub records: u64,
}

/// The change that an event tells, given as CloudTrail's JSON; none where it is none.
#[must_use]
pub fn read_event(text: &str) -> Option<RecordedChange> {
    event::change_of(&serde_json::from_str(text).ok()?)
}

/// Reads a file, unpacked where it is gzip.
///
/// # Errors
/// Where it cannot be read, or a file that is one JSON document is longer than 256 MiB or no JSON.
pub fn read_changes(input: impl Read + 'static) -> io::Result<ReadChanges> {
    let mut input: Box<dyn BufRead> = Box::new(BufReader::new(input));
    if input.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        input = Box::new(BufReader::new(MultiGzDecoder::new(input)));
    }
    let mut read = ReadChanges::default();
    let head = input.fill_buf()?;
    let first_line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_json = head.trim_ascii_start().starts_with(b"{");
    // An event a line ends with its own brace.
    let is_event_line = first_line.trim_ascii().ends_with(b"}") && head.len() > first_line.len();
    if is_json && !is_event_line {
        let mut text = String::new();
        input.take(LONGEST_FILE).read_to_string(&mut text)?;
        let document: Value = serde_json::from_str(&text)?;
        read.take_document(&document);
    } else {
        read.take_lines(input)?;
    }
    Ok(read)
}

impl ReadChanges {
    /// `{"Records": […]}` of a trail, `{"Events": [{"CloudTrailEvent": "…"}]}` of a look-up, or one event.
    fn take_document(&mut self, document: &Value) {
        let list = |name: &str| document.get(name).and_then(Value::as_array);
        if let Some(records) = list("Records") {
            for record in records {
                self.take_event(record);
            }
        } else if let Some(events) = list("Events") {
            for found in events {
                let text = found.get("CloudTrailEvent").and_then(Value::as_str);
                let parsed = text.and_then(|text| serde_json::from_str(text).ok());
                self.take_event(&parsed.unwrap_or(Value::Null));
            }
        } else {
            self.take_event(document);
        }
    }

    fn take_event(&mut self, found: &Value) {
        self.records += 1;
        self.changes.extend(event::change_of(found));
    }

    fn take_lines(&mut self, mut input: impl BufRead) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = input
                .by_ref()
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line)?;
            if length == 0 {
                return Ok(());
            }
            let text = String::from_utf8_lossy(line.trim_ascii());
            if text.is_empty() {
                continue;
            }
            if text.starts_with('{') {
                let parsed: Value = serde_json::from_str(&text).unwrap_or_default();
                self.take_document(&parsed);
            } else {
                self.records += 1;
                self.changes.extend(log_line::change_of(&text));
            }
        }
    }
}
