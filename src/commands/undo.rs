//! `tableferry undo ID`: takes a change away again, from the document as it is now.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::apply::{read_back_word, tell_read_back};
use super::consent::Consent;
use super::error::CommandError;
use super::refusal::{check_can_ask, check_may_change};
use super::report::Report;
use super::sign_in::{prove, try_prove};
use crate::args::UndoArgs;
use crate::work::{ChangeId, ChangeRecord, Side, UndoError, UndoProposal, Undone, Work};

/// Undoes a change.
pub(super) async fn undo(
    work: &Work,
    args: &UndoArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    check_may_change(work, "`undo` changes an account")?;
    let id = ChangeId(args.change);
    let record = work.change(id).map_err(UndoError::from)?;
    let record = record.ok_or(UndoError::NoSuchChange(id))?;
    check_can_ask(args.yes, "a change", "add --yes")?;
    let proposed = async {
        prove(work, side_of(&record), &record.sign_in, report).await?;
        prove_source(work, &record, report).await;
        let proposed = work.propose_undo(id, args.recovery).await;
        proposed.map_err(|error| not_undone(error, report))
    };
    let proposal = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(CommandError::cut_off()),
        proposal = proposed => proposal?,
    };
    show(&proposal, report);
    if proposal.changes_anything() {
        let consent = Consent {
            work,
            cancel,
            is_given: args.yes,
            names: &args.production,
        };
        let accounts = [&record.account, &record.source_account];
        let question = format!("take change {id} away from the {}", record.title);
        let agreed = consent.to(&question, true, &accounts).await;
        agreed.map_err(|refused| refused.line("nothing was changed"))?;
    }
    let undone = work.undo(&proposal).await;
    let undone = undone.map_err(|error| not_undone(error, report))?;
    tell_undone(&record, &undone, report)
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

fn tell_undone(
    record: &ChangeRecord,
    undone: &Undone,
    report: &Report,
) -> Result<Exit, CommandError> {
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
    Ok(match tell_read_back(&undone.read_back, title, report)? {
        Exit::Done if !undone.left.is_empty() => Exit::Undecided,
        exit => exit,
    })
}

/// Why a change was not undone; before that, what became of a document that is no longer as it was written.
fn not_undone(error: UndoError, report: &Report) -> CommandError {
    if let UndoError::Altered { id, diff, .. } = &error {
        report.line("what became of the document since the change was written:");
        for line in diff.lines() {
            report.line(&format!("  {line}"));
        }
        report.object(&json!({ "event": "altered_since", "change": id.0, "diff": diff }));
    }
    error.into()
}
