//! `tableferry report RUN`: one document on a run, for those who were not there.
//!
//! It tells who did what, what was read, each change with the document before and after, each export with
//! what verifications found, and which grants are still in place. It is Markdown, or one JSON object; it holds
//! no credential and no item.

use std::fmt::Write as _;
use std::io::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Exit;
use super::error::CommandError;
use super::history::change_object;
use super::output;
use super::report::export_object;
use crate::args::{Output, ReportArgs};
use crate::job::Plan;
use crate::journal::{ChangeRecord, Operation, RunId, RunRecord, VerificationRecord};
use crate::work::Work;
use crate::work::event::Verification;
use crate::work::history::{HistoryEntry, export_uri};

/// The version of the JSON document.
const SCHEMA: u32 = 1;

/// What a document is made of.
struct RunAudit {
    at: Timestamp,
    run: RunRecord,
    /// The changes that were made for exports like the run's, the oldest first.
    changes: Vec<ChangeRecord>,
    /// The verifications of the run's archives.
    verifications: Vec<VerificationRecord>,
}

/// Writes the document of a run.
pub(super) fn audit_report(work: &Work, args: &ReportArgs) -> Result<Exit, CommandError> {
    let audit = collect(work, RunId(args.run))?;
    match args.output.output {
        Output::Json => output::write_value(&document(&audit))?,
        Output::Text => {
            let mut out = output::words();
            out.write_all(markdown(&audit).as_bytes())?;
            out.flush()?;
        }
    }
    Ok(Exit::Done)
}

fn collect(work: &Work, id: RunId) -> Result<RunAudit, CommandError> {
    let run = work.run(id)?.ok_or_else(|| CommandError::no_such_run(id))?;
    let (mut changes, mut verifications) = (Vec::new(), Vec::new());
    for entry in work.history()? {
        match entry {
            HistoryEntry::Change(change) if is_for(&change, &run) => changes.push(*change),
            HistoryEntry::Verification(found) if is_of(&found, &run) => verifications.push(*found),
            _ => {}
        }
    }
    Ok(RunAudit {
        at: Timestamp::now(),
        run,
        changes,
        verifications,
    })
}

/// Whether a change was made for exports of the run's account to its bucket: what one run needed may have
/// been made for another.
fn is_for(change: &ChangeRecord, run: &RunRecord) -> bool {
    let plan = Plan::from_bytes(run.plan.as_bytes(), "", run.created_at).ok();
    let bucket = plan.map(|plan| plan.destination.bucket);
    let changed_for = change.read_plan().map(|plan| plan.destination.bucket);
    change.source_account.as_str() == run.source_account
        && (change.plan == run.plan || (bucket.is_some() && bucket == changed_for))
}

fn is_of(found: &VerificationRecord, run: &RunRecord) -> bool {
    let verification = &found.verification;
    let is_of_an_export =
        |operation: &Operation| operation.arn.is_some() && operation.arn == verification.export_arn;
    verification.run == Some(run.id) || run.operations.iter().any(is_of_an_export)
}

fn document(audit: &RunAudit) -> Value {
    let run = &audit.run;
    let exports: Vec<Value> = run
        .operations
        .iter()
        .map(|operation| {
            let mut object = export_object(operation);
            object["kind"] = json!(operation.kind);
            object["table_arn"] = json!(operation.subject);
            object["called_at"] = json!(operation.called_at);
            object["started_at"] = json!(operation.started_at);
            object["ended_at"] = json!(operation.ended_at);
            object["read_before"] = json!(operation.fingerprint);
            object
        })
        .collect();
    let changes: Vec<Value> = audit
        .changes
        .iter()
        .map(|change| {
            let mut object = change_object(change);
            object["age_days"] = json!(age_in_days(change, audit.at));
            object
        })
        .collect();
    let verifications: Vec<Value> = audit
        .verifications
        .iter()
        .map(|record| {
            let mut object = json!(record.verification);
            object["at"] = json!(record.at);
            object
        })
        .collect();
    json!({
        "schema": SCHEMA,
        "written_at": audit.at,
        "run": run.id.0,
        "created_at": run.created_at,
        "source_arn": run.source_arn,
        "destination_arn": run.destination_arn,
        "source_region": run.source_region,
        "destination": run.destination,
        "plan": run.plan,
        "exports": exports,
        "changes": changes,
        "verifications": verifications,
    })
}

fn age_in_days(change: &ChangeRecord, now: Timestamp) -> Option<i64> {
    let written = change.written_at.filter(|_| change.is_in_place())?;
    Some(now.duration_since(written).as_hours() / 24)
}

fn markdown(audit: &RunAudit) -> String {
    let mut text = String::new();
    let run = &audit.run;
    let _ = writeln!(text, "# Run {}: exports to {}\n", run.id, run.destination);
    let _ = writeln!(
        text,
        "Written at {:.0} from the journal of this machine.\n",
        audit.at
    );
    let _ = writeln!(text, "## Who\n");
    let _ = writeln!(
        text,
        "- source: {} in {}",
        run.source_arn, run.source_region
    );
    let destination = run.destination_arn.as_deref();
    let _ = writeln!(
        text,
        "- destination: {}",
        destination.unwrap_or(
            "no identity of the destination was signed in, or an earlier version ran it"
        )
    );
    let _ = writeln!(text, "- begun at {:.0}\n", run.created_at);
    let _ = writeln!(text, "## Plan\n\n```toml\n{}\n```\n", run.plan.trim_end());
    let _ = writeln!(text, "## Exports\n");
    for operation in &run.operations {
        export_section(operation, &mut text);
    }
    let _ = writeln!(text, "## Changes\n");
    if audit.changes.is_empty() {
        let _ = writeln!(
            text,
            "No account was changed for exports from this account to this bucket.\n"
        );
    }
    for change in &audit.changes {
        change_section(change, audit.at, &mut text);
    }
    let _ = writeln!(text, "## Verifications\n");
    if audit.verifications.is_empty() {
        let _ = writeln!(
            text,
            "No archive was verified beyond what stands at each export.\n"
        );
    }
    for record in &audit.verifications {
        verification_section(record, &mut text);
    }
    text
}

/// What a verification found, in one line.
fn found(verification: Verification) -> String {
    match verification {
        Verification::Verified {
            files,
            bytes,
            items,
        } => format!("{files} files, {bytes} bytes, {items} items"),
        Verification::Wrong { findings } => findings.join("; "),
        Verification::Unknown { reason } => reason,
    }
}

fn export_section(operation: &Operation, out: &mut String) {
    let _ = writeln!(out, "### {}\n", operation.subject);
    let mut item = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(out, "- {name}: {}", one_line(&value));
        }
    };
    let time = |at: Option<Timestamp>| at.map(|at| format!("{at:.0}"));
    item("state", Some(operation.stage.as_str().to_owned()));
    item("export", operation.arn.clone());
    item("called at", time(operation.called_at));
    item("started at", time(operation.started_at));
    item("ended at", time(operation.ended_at));
    item("files", export_uri(operation));
    item("failure", operation.failure_code.clone());
    item("message", operation.failure_message.clone());
    item("request id", operation.failure_request_id.clone());
    let result = operation.to_export().map(|export| export.result);
    let result = result.unwrap_or_default();
    item("items", result.item_count.map(|items| items.to_string()));
    item(
        "bytes billed",
        result.billed_size_bytes.map(|bytes| bytes.to_string()),
    );
    item(
        "verified by manifests and listing",
        operation.verified.map(|verified| {
            let at = time(operation.verified_at).unwrap_or_else(|| "an unknown time".to_owned());
            format!("{} at {at}", verified.as_str())
        }),
    );
    item("found", Verification::of(operation).map(found));
    item(
        "settled on the word of",
        operation
            .settled
            .as_ref()
            .map(|(by, at)| format!("{by} at {at:.0}")),
    );
    let read = operation.fingerprint.as_ref();
    item(
        "read before the start, as digests",
        read.map(|read| json!(read).to_string()),
    );
    out.push('\n');
}

fn change_section(change: &ChangeRecord, now: Timestamp, out: &mut String) {
    let _ = writeln!(
        out,
        "### Change {}: {}\n",
        change.id,
        one_line(&change.title)
    );
    let _ = writeln!(out, "- what: {}, account {}", change.target, change.account);
    let caller = change.caller.as_ref().map(ToString::to_string);
    let _ = writeln!(
        out,
        "- by: {}",
        caller.unwrap_or_else(|| "an earlier version did not write it down".to_owned())
    );
    let _ = writeln!(out, "- state: {}", change.stage.as_str());
    for (name, at) in [
        ("shown and agreed to before", Some(change.created_at)),
        ("written at", change.written_at),
        ("seen to hold at", change.held_at),
        ("undone at", change.undone_at),
        ("ends by itself at", change.ends_at()),
    ] {
        if let Some(at) = at {
            let _ = writeln!(out, "- {name}: {at:.0}");
        }
    }
    if let Some(days) = age_in_days(change, now) {
        let _ = writeln!(
            out,
            "- still in place for {days} days; `tableferry undo {}` takes it away",
            change.id
        );
    }
    for (name, document) in [("before", &change.before), ("after", &change.after)] {
        match document {
            Some(document) => {
                let _ = writeln!(out, "\n{name}:\n\n```json\n{}\n```", document.trim_end());
            }
            None => {
                let _ = writeln!(out, "\n{name}: no document");
            }
        }
    }
    out.push('\n');
}

fn verification_section(record: &VerificationRecord, out: &mut String) {
    let found = &record.verification;
    let depth = if found.is_deep {
        "every byte"
    } else {
        "manifests and listing"
    };
    let _ = writeln!(out, "### {:.0}: {}\n", record.at, found.verdict);
    let _ = writeln!(out, "- place: {}", found.place);
    for (name, value) in [
        ("export", &found.export_arn),
        ("read as", &found.reader),
        ("fetched to", &found.fetched_to),
    ] {
        if let Some(value) = value {
            let _ = writeln!(out, "- {name}: {value}");
        }
    }
    let _ = writeln!(
        out,
        "- read: {depth}; {} files, {} bytes, {} items",
        found.files, found.bytes, found.items
    );
    for (name, md5) in &found.manifests {
        let _ = writeln!(out, "- MD5 of {name}: {md5}");
    }
    for fault in &found.faults {
        let _ = writeln!(out, "- fault: {}", one_line(fault));
    }
    let more = found
        .fault_count
        .saturating_sub(u64::try_from(found.faults.len()).unwrap_or(0));
    if more > 0 {
        let _ = writeln!(out, "- {more} more faults");
    }
    out.push('\n');
}

/// A text on one line, so that it stays in its place of the document.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
