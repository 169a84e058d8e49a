//! What is told of an archive: how far the reading is, and what was found.

use serde_json::{Value, json};

use super::Exit;
use super::report::Report;
use crate::archive::audit::{ArchiveVerdict, Fault, Note};
use crate::archive::manifest::{MaskedCopy, Summary};
use crate::job::Span;
use crate::journal::{ArchiveVerification, RunId};
use crate::work::{ArchiveEvent, ArchiveReport, Work};

/// The version of the JSON report.
pub(super) const SCHEMA: u32 = 1;

/// Tells how far the reading is.
pub(super) fn tell_event(event: ArchiveEvent, report: &Report) {
    match event {
        ArchiveEvent::Estimated {
            files,
            bytes,
            requests,
        } => {
            let calls = match requests {
                0 => String::new(),
                requests => format!(", by {requests} downloads or more"),
            };
            report.line(&format!(
                "reading {files} files, {}{calls}",
                bytesize::ByteSize(bytes)
            ));
            report.object(&json!({
                "event": "estimated", "files": files, "bytes": bytes, "requests": requests,
            }));
            report.start_bytes_bar(bytes);
        }
        ArchiveEvent::Recalled { files, bytes } => {
            report.line(&format!(
                "{files} files, {}, were read before and are not read again",
                bytesize::ByteSize(bytes)
            ));
            report.object(&json!({"event": "recalled", "files": files, "bytes": bytes}));
        }
        ArchiveEvent::Read { bytes, .. } => report.set_bytes(bytes),
    }
}

/// Prints what was found.
pub(super) fn tell(found: &ArchiveReport, report: &Report) {
    report.object(&archive_object(found));
    let line = |text: String| report.line(&text);
    line(format!("archive  {}", found.place));
    if let Some(summary) = &found.summary {
        match &summary.masked {
            None => line(format!("export   {}", summary.export_arn)),
            Some(masked) => line(format!("masked   {}", masked_words(summary, masked))),
        }
        line(format!(
            "table    {}{}",
            summary.table_arn,
            span_words(summary)
        ));
    }
    for fault in &found.audit.faults {
        line(format!("fault    {}", fault_words(fault)));
    }
    for note in &found.audit.notes {
        line(format!("note     {note}"));
    }
    line(conclusion(found));
}

fn fault_words(fault: &Fault) -> String {
    let place = [
        fault.file.clone(),
        fault.line.map(|line| format!("line {line}")),
        fault.path(),
    ];
    let place: Vec<String> = place.into_iter().flatten().collect();
    if place.is_empty() {
        fault.kind.to_string()
    } else {
        format!("{}: {}", place.join(", "), fault.kind)
    }
}

pub(super) fn span_words(summary: &Summary) -> String {
    match &summary.span {
        Some(Span::Full { time: Some(time) }) => format!(", as of {time}"),
        Some(Span::Incremental { from, to, .. }) => format!(", changes from {from} to {to}"),
        _ => String::new(),
    }
}

/// Of what a masked copy is one, and what is masked in it.
pub(super) fn masked_words(summary: &Summary, masked: &MaskedCopy) -> String {
    let attributes = masked.attributes.iter();
    let attributes: Vec<String> = attributes
        .map(|attribute| format!("{} as {}", attribute.path, attribute.method))
        .collect();
    format!(
        "copy of {}, which lay in {}, of {:.0}: {}",
        summary.export_arn,
        masked.of,
        masked.masked_at,
        attributes.join(", ")
    )
}

fn conclusion(found: &ArchiveReport) -> String {
    let audit = &found.audit;
    let files = format!("{} files, {}", audit.files, bytesize::ByteSize(audit.bytes));
    match (audit.verdict(), audit.lines) {
        (ArchiveVerdict::Damaged, _) => {
            format!("damaged: {} faults in {files}", audit.faults.len())
        }
        (ArchiveVerdict::Whole, Some(lines)) => {
            format!("whole: every byte of {files} was read, with {lines} items")
        }
        (ArchiveVerdict::Whole, None) => format!(
            "whole as far as manifests and {} tell: {files}, {} items; --deep reads every byte",
            if found.place.starts_with("s3://") {
                "ETags"
            } else {
                "names"
            },
            audit.items
        ),
        (ArchiveVerdict::Undecided, _) => format!("undecided: {files}; the notes say what is open"),
    }
}

pub(super) fn exit_of(found: &ArchiveReport) -> Exit {
    match found.audit.verdict() {
        ArchiveVerdict::Damaged => Exit::Failed,
        ArchiveVerdict::Undecided => Exit::Undecided,
        ArchiveVerdict::Whole => Exit::Done,
    }
}

fn archive_object(found: &ArchiveReport) -> Value {
    let audit = &found.audit;
    json!({
        "event": "archive",
        "schema": SCHEMA,
        "place": found.place,
        "export_arn": found.summary.as_ref().map(|summary| &summary.export_arn),
        "table_arn": found.summary.as_ref().map(|summary| &summary.table_arn),
        "masked": found.summary.as_ref().and_then(|summary| summary.masked.as_ref()),
        "deep": found.is_deep,
        "verdict": audit.verdict(),
        "files": audit.files,
        "bytes": audit.bytes,
        "items": audit.items,
        "lines": audit.lines,
        "unpacked_bytes": audit.unpacked_bytes,
        "faults": audit.faults.iter().map(fault_object).collect::<Vec<_>>(),
        "notes": audit.notes.iter().map(note_object).collect::<Vec<_>>(),
    })
}

fn fault_object(fault: &Fault) -> Value {
    json!({
        "kind": fault.kind.as_str(),
        "file": fault.file,
        "line": fault.line,
        "path": fault.path(),
        "message": fault.kind.to_string(),
    })
}

fn note_object(note: &Note) -> Value {
    json!({"kind": note.as_str(), "open": note.is_open(), "message": note.to_string()})
}

/// How many faults the journal keeps of a verification.
const KEPT_FAULTS: usize = 20;

/// Writes down what was found; `fetched_from` is where a copy was fetched from.
pub(super) fn keep(
    work: &Work,
    found: &ArchiveReport,
    run: Option<RunId>,
    fetched_from: Option<&str>,
    report: &Report,
) {
    let audit = &found.audit;
    let verification = ArchiveVerification {
        place: fetched_from.unwrap_or(&found.place).to_owned(),
        fetched_to: fetched_from.map(|_| found.place.clone()),
        run,
        export_arn: found
            .summary
            .as_ref()
            .map(|summary| summary.export_arn.clone()),
        table_arn: found
            .summary
            .as_ref()
            .map(|summary| summary.table_arn.clone()),
        reader: found.reader.as_ref().map(ToString::to_string),
        is_deep: found.is_deep,
        verdict: audit.verdict(),
        files: audit.files,
        bytes: audit.bytes,
        items: audit.items,
        lines: audit.lines,
        manifests: found.manifests.clone(),
        faults: audit
            .faults
            .iter()
            .take(KEPT_FAULTS)
            .map(fault_words)
            .collect(),
        fault_count: u64::try_from(audit.faults.len()).unwrap_or(u64::MAX),
        is_of_another_machine: false,
    };
    if let Err(error) = work.record_verification(&verification) {
        // What was found was told, and stands by itself.
        report.error(&error.into());
    }
}
