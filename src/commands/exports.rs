//! `tableferry exports`: the journal's exports, live with `--watch`.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::diagnosed::{causes, causes_json};
use super::error::CommandError;
use super::follow::FollowScope;
use super::report::{Report, as_of, export_object};
use super::resume::all_open;
use super::unfinished;
use crate::args::ExportsArgs;
use crate::journal::{Operation, RunRecord, Stage, Verified};
use crate::work::Work;

/// Lists the exports, and follows those under way where `--watch` asks for it.
pub(super) async fn exports(
    work: &Work,
    args: &ExportsArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let mut runs = work.runs()?;
    runs.reverse();
    if runs.is_empty() {
        report.line("the journal has no exports");
    }
    for run in &runs {
        list(run, report);
    }
    unfinished::tell(work, report);
    if args.watch {
        return all_open(work, FollowScope::Watching, cancel, report).await;
    }
    for run in &runs {
        report.keep(&run.operations);
    }
    Ok(Exit::Done)
}

fn list(run: &RunRecord, report: &Report) {
    report.line(&format!(
        "run {}  {}  {} -> {}",
        run.id, run.created_at, run.source_account, run.destination
    ));
    for export in &run.operations {
        report.line(&format!("  {}", summary(export)));
        let reasons = [
            export.failure_code.as_ref(),
            export.failure_message.as_ref(),
            unverified(export),
        ];
        for reason in reasons.into_iter().flatten().chain(&export.remarks) {
            report.line(&format!("    {reason}"));
        }
        for cause in causes(export, None) {
            report.line(&format!("    {cause}"));
        }
        let mut object = export_object(export);
        if let Some(fields) = object.as_object_mut() {
            fields.insert("event".to_owned(), json!("export"));
            fields.insert("run".to_owned(), json!(run.id.0));
            fields.insert("causes".to_owned(), causes_json(export));
        }
        report.object(&object);
    }
}

fn summary(export: &Operation) -> String {
    let verified = match (export.stage, export.verified) {
        (Stage::Completed, Some(Verified::Yes)) => Some("verified"),
        (Stage::Completed, Some(Verified::No)) => Some("does not verify"),
        (Stage::Completed, Some(Verified::Unknown)) => Some("unverified"),
        (Stage::Completed, None) => Some("not verified yet"),
        _ => None,
    };
    let mut parts = vec![format!("{:<24} {}", export.name(), export.stage.as_str())];
    parts.extend(verified.map(|verified| format!(", {verified}")));
    if export.verified.is_some() && verified.is_some() {
        parts.push(format!(" {}", as_of(export.verified_at)));
    }
    let items = export
        .to_export()
        .and_then(|export| export.result.item_count);
    parts.extend(items.map(|items| format!("  {items} items")));
    parts.extend(export.arn.as_ref().map(|arn| format!("  {arn}")));
    parts.concat()
}

/// What kept an export from being verified, or what was found.
fn unverified(export: &Operation) -> Option<&String> {
    match export.verified {
        Some(Verified::No | Verified::Unknown) => export.verification.as_ref(),
        _ => None,
    }
}
