//! `tableferry undo ID`: takes a change away again, from the document as it is now.

use std::io::IsTerminal;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::apply::{read_back_word, tell_read_back};
use super::consent::Consent;
use super::report::Report;
use super::sign_in::{prove, try_prove};
use super::{Exit, check_may_change};
use crate::args::UndoArgs;
use crate::work::{ChangeId, ChangeRecord, Side, UndoError, UndoProposal, Undone, Work};

/// Undoes a change; what went wrong was printed.
pub async fn undo(work: &Work, args: &UndoArgs, cancel: CancellationToken) -> Exit {
    let report = Report::new(args.output.output);
    let exit = try_undo(work, args, &cancel, &report).await;
    report.exit(exit.unwrap_or_else(|exit| exit))
}

async fn try_undo(
    work: &Work,
    args: &UndoArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, Exit> {
    check_may_change(work, "`undo` changes an account", report)?;
    let id = ChangeId(args.change);
    let describe = |error: UndoError| tell(&error, report);
    let record = work.change(id).map_err(|error| describe(error.into()))?;
    let record = record.ok_or_else(|| describe(UndoError::NoSuchChange(id)))?;
    if !args.yes && !std::io::stdin().is_terminal() {
        report.error(
            "a change must be agreed to, and there is no terminal to ask on",
            Some("add --yes"),
        );
        return Err(Exit::Usage);
    }
    let proposed = async {
        prove(work, side_of(&record), &record.sign_in, report).await?;
        prove_source(work, &record, report).await;
        let proposed = work.propose_undo(id, args.recovery).await;
        proposed.map_err(describe)
    };
    let proposal = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(Exit::CutOff),
        proposal = proposed => proposal?,
    };
    show(&proposal, report);
    if proposal.changes_anything() {
        let consent = Consent {
            work,
            report,
            cancel,
            is_given: args.yes,
            names: &args.production,
        };
        let accounts = [&record.account, &record.source_account];
        let question = format!("take change {id} away from the {}", record.title);
        if !consent.to(&question, true, &accounts).await {
            report.line("nothing was changed");
            return Err(Exit::Refused);
        }
    }
    let undone = work.undo(&proposal).await.map_err(describe)?;
    Ok(tell_undone(&record, &undone, report))
}

/// Signs the source in too, as the plan of the change names it, so that its exports in flight can be
/// looked for. Where that fails, the proposal says what is not known.
async fn prove_source(work: &Work, record: &ChangeRecord, report: &Report) {
    if side_of(record) == Side::Source {
        return;
    }
    let Some(plan) = record.read_plan() else {
        return;
    };
    let proved = try_prove(work, Side::Source, &plan.source.sign_in).await;
    if let Err(error) = proved {
        report.line(&format!("the source could not be signed in: {error}"));
    }
}

/// The side that a change's sign-in was of.
fn side_of(record: &ChangeRecord) -> Side {
    if record.account == record.source_account {
        Side::Source
    } else {
        Side::Destination
    }
}

fn show(proposal: &UndoProposal, report: &Report) {
    let record = &proposal.record;
    report.line(&format!(
        "change {} of {}, in account {}: {}",
        record.id,
        record.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        record.account,
        record.title
    ));
    for line in proposal.diff.lines() {
        report.line(&format!("  {line}"));
    }
    if proposal.deletes_document() {
        report.line("  no statement is left: the policy is deleted");
    }
    for text in &proposal.left {
        report.line(&format!("  note: {text}"));
    }
    for text in &proposal.warnings {
        report.line(&format!("  warning: {text}"));
    }
    report.object(&json!({
        "event": "undo_proposal",
        "change": record.id.0,
        "title": record.title,
        "diff": proposal.diff,
        "left": proposal.left,
        "warnings": proposal.warnings,
        "deletes_document": proposal.deletes_document(),
    }));
}

fn tell_undone(record: &ChangeRecord, undone: &Undone, report: &Report) -> Exit {
    let (id, title) = (undone.id, &record.title);
    report.line(&if !undone.left.is_empty() {
        format!(
            "what stood of change {id} as it was written is taken away: {title}; for what is left, \
             see above, it stays in the list"
        )
    } else if undone.was_in_place {
        format!("change {id} is undone: {title}")
    } else {
        format!("change {id} is gone already: {title} is left as it is")
    });
    report.object(&json!({
        "event": "undone",
        "change": id.0,
        "title": title,
        "was_in_place": undone.was_in_place,
        "read_back": read_back_word(&undone.read_back),
        "left": undone.left,
    }));
    match tell_read_back(&undone.read_back, title, report) {
        Exit::Done if !undone.left.is_empty() => Exit::Undecided,
        exit => exit,
    }
}

fn tell(error: &UndoError, report: &Report) -> Exit {
    if let UndoError::Altered { id, diff, .. } = error {
        report.line("what became of the document since the change was written:");
        for line in diff.lines() {
            report.line(&format!("  {line}"));
        }
        report.object(&json!({ "event": "altered_since", "change": id.0, "diff": diff }));
    }
    report.error(&error.to_string(), Some(&error.hint()));
    match error {
        UndoError::Journal(_) | UndoError::NoSuchChange(_) => Exit::Usage,
        UndoError::NotSignedIn(_) | UndoError::CutOff => Exit::CutOff,
        _ => Exit::Refused,
    }
}
