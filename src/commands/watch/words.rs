//! An export that is watched, in words and as an object for programs.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::commands::diagnosed::{failure_causes, failure_causes_json};
use crate::journal::Stage;
use crate::tui::widgets::format;
use crate::work::Verification;
use crate::work::watch::WatchedExport;

/// The version of the JSON output.
const SCHEMA: u32 = 1;

/// One line on an export's state; equal lines say nothing new.
pub(super) fn line(export: &WatchedExport) -> String {
    let name = &export.name;
    let place = format!("{} {}", export.account, export.region);
    if let Some(why) = &export.unknown {
        return format!("{name} ({place}): how it stands is not known: {why}");
    }
    let state = match export.stage {
        Stage::Planned => "not started".to_owned(),
        Stage::Calling => "called, and no answer yet".to_owned(),
        Stage::Refused => format!("refused{}", failure(export)),
        Stage::NotStarted => "settled as not started".to_owned(),
        Stage::InProgress => {
            let since = export.started_at;
            let since = since.map_or_else(String::new, |at| format!(" since {at:.0}"));
            format!(
                "in progress{since}, {}",
                export.arn.as_deref().unwrap_or("")
            )
        }
        Stage::Failed => format!("failed{}", failure(export)),
        Stage::Completed => completed(export),
    };
    format!("{name} ({place}): {state}")
}

fn completed(export: &WatchedExport) -> String {
    let mut parts = vec!["completed".to_owned()];
    let now = export.ended_at.or(export.started_at);
    let took = now.and_then(|now| export.elapsed(now));
    parts.extend(took.map(|took| format!("after {}", format::duration(took))));
    parts.extend(export.item_count.map(|items| format!("{items} items")));
    parts.extend(match &export.verification {
        Some(Verification::Verified { files, .. }) => Some(format!("verified: {files} files")),
        Some(Verification::Wrong { findings }) => {
            Some(format!("but does not verify: {}", findings.join("; ")))
        }
        Some(Verification::Unknown { reason }) => Some(format!("unverified: {reason}")),
        None if export.run.is_some() => Some("verifying".to_owned()),
        None => None,
    });
    parts.extend(export.uri.clone());
    parts.join(", ")
}

fn failure(export: &WatchedExport) -> String {
    let Some(failed) = &export.failure else {
        return String::new();
    };
    format!(
        ": {}: {}",
        failed.failure.code.as_deref().unwrap_or("no code"),
        failed.failure.message.as_deref().unwrap_or("no message")
    )
}

/// Why it failed, in lines; none where it did not.
pub(super) fn causes(export: &WatchedExport) -> Vec<String> {
    let failed = export.failure.as_ref();
    failed.map_or_else(Vec::new, |failed| failure_causes(&failed.failure))
}

/// How long it takes yet, and by how many earlier exports.
pub(super) fn left(export: &WatchedExport, now: Timestamp) -> Option<String> {
    let left = export.left(now)?;
    Some(if left >= SignedDuration::ZERO {
        format!("about {}", format::duration(left))
    } else {
        format!("{} over", format::duration(left.abs()))
    })
}

/// The export as programs read it.
pub(super) fn object(export: &WatchedExport, now: Timestamp) -> Value {
    let verified = export.verification.as_ref().map(|found| match found {
        Verification::Verified { .. } => json!(true),
        Verification::Wrong { .. } => json!(false),
        Verification::Unknown { .. } => json!("unknown"),
    });
    let failure = export.failure.as_ref().map(|failed| &failed.failure);
    json!({
        "schema": SCHEMA,
        "account": export.account,
        "region": export.region,
        "table": export.name,
        "table_arn": export.table_arn,
        "export_arn": export.arn,
        "run": export.run.map(|run| run.0),
        "status": export.stage.as_str(),
        "started_at": export.started_at,
        "ended_at": export.ended_at,
        "elapsed_seconds": export.elapsed(now).map(|time| time.as_secs()),
        "files_seen": export.seen.map(|(files, _)| files),
        "compressed_bytes_seen": export.seen.map(|(_, bytes)| bytes),
        "table_bytes": export.table_bytes,
        "item_count": export.item_count,
        "seconds_left": export.left(now).map(|time| time.as_secs()),
        "guessed_from_exports": export.usual.map(|usual| usual.exports),
        "failure_code": failure.and_then(|failure| failure.code.clone()),
        "failure_message": failure.and_then(|failure| failure.message.clone()),
        "causes": failure.map(failure_causes_json),
        "verified": verified,
        "uri": export.uri,
        "unknown": export.unknown,
    })
}
