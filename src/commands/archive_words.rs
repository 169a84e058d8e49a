//! What is told of an archive: what was found in it, or why it was not read.

use serde_json::{Value, json};

use super::Exit;
use super::report::Report;
use crate::archive::audit::{Fault, Note};
use crate::archive::manifest::Summary;
use crate::aws::failure::{Failure, FailureKind};
use crate::diagnosis::sentence::AuthorizationSentence;
use crate::job::Span;
use crate::journal::{ArchiveVerification, RunId};
use crate::work::{ArchiveError, ArchiveEvent, ArchivePlace, ArchiveReport, Work};

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
        line(format!("export   {}", summary.export_arn));
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

fn conclusion(found: &ArchiveReport) -> String {
    let audit = &found.audit;
    let files = format!("{} files, {}", audit.files, bytesize::ByteSize(audit.bytes));
    match (exit_of(found), audit.lines) {
        (Exit::Failed, _) => format!("damaged: {} faults in {files}", audit.faults.len()),
        (Exit::Done, Some(lines)) => {
            format!("whole: every byte of {files} was read, with {lines} items")
        }
        (Exit::Done, None) => format!(
            "whole as far as manifests and {} tell: {files}, {} items; --deep reads every byte",
            if found.place.starts_with("s3://") {
                "ETags"
            } else {
                "names"
            },
            audit.items
        ),
        _ => format!("undecided: {files}; the notes say what is open"),
    }
}

pub(super) fn exit_of(found: &ArchiveReport) -> Exit {
    if !found.audit.faults.is_empty() {
        Exit::Failed
    } else if found.audit.is_open() {
        Exit::Undecided
    } else {
        Exit::Done
    }
}

fn verdict(found: &ArchiveReport) -> &'static str {
    match exit_of(found) {
        Exit::Failed => "damaged",
        Exit::Done => "whole",
        _ => "undecided",
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
        "deep": found.is_deep,
        "verdict": verdict(found),
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
        run: run.map(|run| run.0),
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
        verdict: verdict(found).to_owned(),
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
    };
    if let Err(error) = work.record_verification(&verification) {
        // What was found was told, and stands by itself.
        report.error(&error.to_string(), Some(&error.hint()));
    }
}

/// Tells why an archive was not read; how the command ends.
pub(super) fn not_read(
    error: &ArchiveError,
    place: Option<&ArchivePlace>,
    work: &Work,
    report: &Report,
) -> Exit {
    let (exit, hint) = advice(error);
    report.error(&error.to_string(), hint.as_deref());
    if let ArchiveError::Call(failure) = error
        && let Some(place) = place
    {
        tell_requirement(failure, place, work, report);
    }
    exit
}

/// Tells a refusal as the permission that is missing, with the statements that give it.
fn tell_requirement(failure: &Failure, place: &ArchivePlace, work: &Work, report: &Report) {
    if failure.kind != FailureKind::AccessDenied {
        return;
    }
    // S3 refuses in KMS's words where the key is what is missing.
    let stated = AuthorizationSentence::find(&failure.message);
    let action = stated
        .as_ref()
        .and_then(|stated| stated.action.as_deref())
        .unwrap_or(&failure.operation);
    let resource = stated
        .as_ref()
        .and_then(|stated| stated.resource.as_deref());
    let Some(missing) = work.missing_permission(place, action, resource) else {
        return;
    };
    report.line(&format!(
        "requirement  {} on {}, for {}",
        missing.action, missing.resource, missing.principal
    ));
    report.line(&format!(
        "  in its identity policy: {}",
        missing.identity_statement
    ));
    report.line(&format!(
        "  in another account also in the {}: {}",
        missing.resource_policy, missing.resource_statement
    ));
    report.object(&json!({
        "event": "requirement",
        "schema": SCHEMA,
        "action": missing.action,
        "resource": missing.resource,
        "principal": missing.principal.to_string(),
        "identity_statement": missing.identity_statement,
        "resource_policy": missing.resource_policy,
        "resource_statement": missing.resource_statement,
    }));
}

/// The exit status of an archive that was not verified, and what to do.
fn advice(error: &ArchiveError) -> (Exit, Option<String>) {
    let say = |hint: &str| Some(hint.to_owned());
    match error {
        ArchiveError::NoDirectory { .. } => (
            Exit::Usage,
            say(
                "give the folder that holds manifest-summary.json, a run's number, an export's ARN or an s3:// folder",
            ),
        ),
        ArchiveError::SeveralExports { .. } => (Exit::Usage, say("name the folder of one of them")),
        ArchiveError::NoManifest { .. } => (
            Exit::Failed,
            say(
                "nothing says which files belong to an export without it: the export is still running or failed, the folder is another, or the manifests were not copied",
            ),
        ),
        ArchiveError::NoSuchExport(_) => (
            Exit::Usage,
            say(
                "DynamoDB knows exports for 90 days, in the table's own account and Region; an older one is verified by its s3:// folder",
            ),
        ),
        ArchiveError::StillRunning(_) => (
            Exit::CutOff,
            say("its manifests are written at the end: verify it then"),
        ),
        ArchiveError::ExportFailed { .. } => (
            Exit::Failed,
            say("a failed export has no manifests; what it wrote is of no use"),
        ),
        ArchiveError::TooLarge { .. } => (
            Exit::Refused,
            say(
                "without --deep nothing is downloaded but the manifests; the limit is largest_download under [limits] in the configuration",
            ),
        ),
        ArchiveError::Index(_) => (
            Exit::Refused,
            say(
                "it needs 24 bytes for each item in the directory of the journal (state_dir in the configuration)",
            ),
        ),
        ArchiveError::CutOff => (
            Exit::CutOff,
            say("run it again: what was read to its end is not read again"),
        ),
        ArchiveError::CopiesForbidden => (
            Exit::Refused,
            say(
                "it is local_copies under [allowed]; `verify --deep` reads an archive without keeping it",
            ),
        ),
        ArchiveError::UnusableDirectory { .. } => (
            Exit::Refused,
            say(
                "name a directory of your own that nobody else may look into, or one that is not there yet",
            ),
        ),
        ArchiveError::NoRoom { .. } => (
            Exit::Refused,
            say("make room, or name a directory of another file system"),
        ),
        ArchiveError::Copy(_) => (
            Exit::CutOff,
            say("once that is fixed, run it again: what has arrived is not fetched again"),
        ),
        ArchiveError::Damaged { .. } => (
            Exit::Failed,
            say("`tableferry verify` names all that is damaged"),
        ),
        ArchiveError::NotSignedIn(_) => (Exit::CutOff, None),
        ArchiveError::Unreadable { .. } => (Exit::Undecided, None),
        ArchiveError::Call(failure) => call_advice(failure),
    }
}

fn call_advice(failure: &Failure) -> (Exit, Option<String>) {
    let given = failure.hint.clone();
    match failure.kind {
        FailureKind::AccessDenied => (
            Exit::Undecided,
            given.or_else(|| Some(
                "the reader needs s3:GetObject on the export's objects, s3:ListBucket on the bucket, and kms:Decrypt where they are encrypted with a KMS key; by an ARN also dynamodb:DescribeExport".to_owned(),
            )),
        ),
        FailureKind::Credentials => (Exit::CutOff, given),
        _ if failure.is_retryable() => (Exit::CutOff, given),
        _ => (Exit::Usage, given),
    }
}
