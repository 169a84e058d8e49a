//! `tableferry history`: every operation, change, probe and verification of the journal, in the order of time.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Exit;
use super::error::{CommandError, Problem};
use super::report::{Report, export_object};
use super::sign_in::prove;
use crate::args::HistoryArgs;
use crate::job::SignIn;
use crate::journal::{
    ChangeRecord, ImportedExport, Operation, ProbeRecord, RunRecord, VerificationRecord,
};
use crate::work::history::{HandedHistory, HistoryEntry};
use crate::work::{Side, Work};
use crate::{private_file, text_file};

/// The version of the JSON output.
pub(super) const SCHEMA: u32 = 1;

/// Tells what was done, after taking in what AWS still knows where that is asked for.
pub(super) async fn history(
    work: &Work,
    args: &HistoryArgs,
    report: &Report,
) -> Result<Exit, CommandError> {
    let exit = match &args.import {
        None => Exit::Done,
        Some(None) => import(work, args, report).await?,
        Some(Some(path)) => take_in(work, args, path, report)?,
    };
    let mut entries = work.history()?;
    let since = args.since.map(|since| since.from(Timestamp::now()));
    entries.retain(|entry| {
        let table = args.table.as_deref();
        since.is_none_or(|since| entry.at() >= since)
            && table.is_none_or(|table| entry.is_of_table(table))
    });
    if let Some(path) = &args.export {
        return hand_on(&entries, path, report);
    }
    for entry in &entries {
        report.line(&words(entry));
        if let Some(uri) = entry.uri() {
            report.line(&format!("    {uri}"));
        }
        report.object(&object(entry));
    }
    if entries.is_empty() {
        report.line("the journal has nothing of that");
    }
    Ok(exit)
}

/// Writes a file for another machine.
fn hand_on(entries: &[HistoryEntry], path: &Path, report: &Report) -> Result<Exit, CommandError> {
    let handed = HandedHistory::of(entries, Timestamp::now());
    let (exports, verifications) = (handed.exports.len(), handed.verifications.len());
    let name = path.display();
    let text = handed.to_json().map_err(std::io::Error::from);
    let written = text.and_then(|text| private_file::write_new(path, &text));
    written.map_err(|error| {
        CommandError::usage(format!("cannot write the history {name}"))
            .because(error)
            .hint("name a file that is not there yet")
    })?;
    report.line(&format!(
        "{exports} exports and {verifications} verifications are in {name}: `tableferry history --import FILE` \
         takes them in on another machine"
    ));
    report.object(&json!({
        "event": "exported", "file": name.to_string(), "exports": exports, "verifications": verifications,
    }));
    Ok(Exit::Done)
}

/// Takes in the file of another machine.
fn take_in(
    work: &Work,
    args: &HistoryArgs,
    path: &Path,
    report: &Report,
) -> Result<Exit, CommandError> {
    if args.profile.is_some() || args.region.is_some() {
        return Err(
            CommandError::usage("a file is taken in without a profile or Region")
                .hint("leave --profile and --region out, or name no file"),
        );
    }
    let name = path.display();
    let refused = |problem: String| {
        CommandError::usage(problem).hint("`tableferry history --export FILE` writes one")
    };
    let text = text_file::read(path);
    let text = text.map_err(|error| refused(format!("cannot read {name}")).because(error))?;
    let handed = HandedHistory::from_json(&text);
    let handed = handed.map_err(|error| refused(format!("{name}: {error}")))?;
    let merged = work.take_in_history(&handed)?;
    report.line(&format!(
        "{} exports and verifications were taken in, {} were known",
        merged.new, merged.known
    ));
    report.object(&json!({
        "event": "imported", "new": merged.new, "known": merged.known, "failed": 0,
    }));
    Ok(Exit::Done)
}

/// Takes in what `ListExports` and `DescribeExport` still have.
async fn import(work: &Work, args: &HistoryArgs, report: &Report) -> Result<Exit, CommandError> {
    let named = args.profile.clone();
    let Some(profile) = named.or_else(|| work.profiles().chosen) else {
        return Err(
            CommandError::usage("no profile is named whose exports are taken in")
                .hint("give --profile NAME, or set AWS_PROFILE; `tableferry profiles` lists them"),
        );
    };
    let how = SignIn {
        profile,
        region: args.region.clone(),
        ..SignIn::default()
    };
    prove(work, Side::Source, &how, report).await?;
    let imported = work.import_exports().await?;
    for (arn, failure) in &imported.failed {
        report.problem(&Problem::of_call(arn, failure));
    }
    report.line(&format!(
        "{} exports were taken in, {} were known",
        imported.new, imported.known
    ));
    report.object(&json!({
        "event": "imported", "new": imported.new, "known": imported.known, "failed": imported.failed.len(),
    }));
    Ok(if imported.failed.is_empty() {
        Exit::Done
    } else {
        Exit::Undecided
    })
}

fn words(entry: &HistoryEntry) -> String {
    let what = match entry {
        HistoryEntry::Operation(both) => operation_words(&both.0, &both.1),
        HistoryEntry::Change(change) => format!(
            "change {}  {}, {}",
            change.id,
            change.title,
            change.stage.as_str()
        ),
        HistoryEntry::Probe(probe) => format!(
            "probe {}  s3://{}/{}, {}",
            probe.id,
            probe.bucket,
            probe.key,
            probe.stage.as_str()
        ),
        HistoryEntry::Verification(record) => verification_words(record),
        HistoryEntry::Imported(record) => imported_words(&record.export),
    };
    format!("{:.0}  {what}", entry.at())
}

fn operation_words(run: &RunRecord, operation: &Operation) -> String {
    let verified = operation.verified.map_or("", |verified| match verified {
        crate::journal::Verified::Yes => ", verified",
        crate::journal::Verified::No => ", does not verify",
        crate::journal::Verified::Unknown => ", unverified",
    });
    let code = operation.failure_code.as_deref();
    let code = code.map_or_else(String::new, |code| format!(" ({code})"));
    format!(
        "run {}  {} of {}, {}{code}{verified}",
        run.id,
        operation.kind,
        operation.name(),
        operation.stage.as_str()
    )
}

fn verification_words(record: &VerificationRecord) -> String {
    let found = &record.verification;
    let what = match (&found.fetched_to, found.is_deep) {
        (Some(directory), _) => format!("fetched to {directory}"),
        (None, true) => "verified to the last byte".to_owned(),
        (None, false) => "verified by its manifests".to_owned(),
    };
    let faults = match found.fault_count {
        0 => String::new(),
        count => format!(", {count} faults"),
    };
    let by = if found.is_of_another_machine {
        ", by another machine"
    } else {
        ""
    };
    format!("archive {what}{by}: {}{faults}", found.verdict)
}

fn imported_words(export: &ImportedExport) -> String {
    let code = export.failure_code.as_deref();
    let code = code.map_or_else(String::new, |code| format!(" ({code})"));
    format!(
        "export {}, {}{code}, of another machine",
        export.export_arn, export.status
    )
}

fn object(entry: &HistoryEntry) -> Value {
    let (kind, mut object) = match entry {
        HistoryEntry::Operation(both) => ("operation", operation_object(&both.0, &both.1)),
        HistoryEntry::Change(change) => ("change", change_object(change)),
        HistoryEntry::Probe(probe) => ("probe", probe_object(probe)),
        HistoryEntry::Verification(record) => ("verification", json!(record.verification)),
        HistoryEntry::Imported(record) => ("imported_export", json!(record.export)),
    };
    if let Some(members) = object.as_object_mut() {
        members.insert("event".to_owned(), json!(kind));
        members.insert("schema".to_owned(), json!(SCHEMA));
        members.insert("at".to_owned(), json!(entry.at()));
        members.insert("uri".to_owned(), json!(entry.uri()));
    }
    object
}

fn operation_object(run: &RunRecord, operation: &Operation) -> Value {
    let mut object = export_object(operation);
    object["run"] = json!(run.id.0);
    object["kind"] = json!(operation.kind);
    object["source_arn"] = json!(run.source_arn);
    object["destination_arn"] = json!(run.destination_arn);
    object
}

/// A change as programs read it.
pub(super) fn change_object(change: &ChangeRecord) -> Value {
    json!({
        "change": change.id.0,
        "title": change.title,
        "kind": change.target.kind().as_str(),
        "target": change.target,
        "account": change.account,
        "caller": change.caller.as_ref().map(ToString::to_string),
        "stage": change.stage.as_str(),
        "in_place": change.is_in_place(),
        "before": change.before,
        "after": change.after,
        "added": change.added,
        "written_at": change.written_at,
        "held_at": change.held_at,
        "undone_at": change.undone_at,
        "ends_at": change.ends_at(),
    })
}

fn probe_object(probe: &ProbeRecord) -> Value {
    json!({
        "probe": probe.id.0,
        "principal": probe.principal.to_string(),
        "bucket": probe.bucket,
        "key": probe.key,
        "stage": probe.stage.as_str(),
        "settled_at": probe.settled_at,
    })
}
