//! Starting exports: the journal first, then the call.
//!
//! A call that was answered is never made again; one whose answer never came is repeated with the
//! token that the journal holds, which DynamoDB answers with the same export.

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::event::{Event, ExportProgress, Side};
use super::prepare::Briefing;
use super::{Session, Work, region_of};
use crate::aws::dynamodb::{Dynamodb, Export, ExportStatus};
use crate::aws::failure::{Failure, FailureKind};
use crate::journal::{ExportRecord, JournalError, NewRun, RunId, RunRecord, Stage};
use crate::plan::{ExportRequest, Plan};
use tableferry_policy::arn::Arn;

/// A token holds for eight hours after its first request; a margin for clocks and slow calls.
const TOKEN_HOLDS: SignedDuration = SignedDuration::from_mins(7 * 60 + 30);

/// Why nothing could be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal could not be written, so no call was made.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The source is not signed in.
    #[error("the source is not signed in")]
    NotSignedIn,
    /// The operator forbade every change, and an export is one.
    #[error("nothing was started: --read-only forbids every change")]
    ReadOnly,
}

impl Work {
    /// Writes the run to the journal, then makes its calls. A deed: once begun, let it end.
    ///
    /// A refusal is no error: it is in the journal and among the events. `cancel` is heeded between
    /// two calls, never within one; the calls that are left out stay planned in the journal.
    pub async fn start(
        &self,
        plan: &Plan,
        briefing: &Briefing,
        events: UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> Result<RunId, StartError> {
        if self.is_read_only() {
            return Err(StartError::ReadOnly);
        }
        let session = self.session(Side::Source).ok_or(StartError::NotSignedIn)?;
        let id = self.inner.journal.record_run(
            &NewRun {
                plan: &plan.to_toml(),
                digest: &briefing.digest,
                source_arn: &session.identity.arn.to_string(),
                source_account: session.identity.account.as_str(),
                source_region: session.region.as_str(),
                destination: &briefing.destination,
                fingerprints: &briefing.fingerprints,
            },
            &briefing.requests,
            Timestamp::now(),
            briefing.newest,
        )?;
        let _ = events.send(Event::Journalled { run: id.0 });
        if let Some(run) = self.inner.journal.run(id)? {
            self.make_calls(&session, run, &events, cancel).await?;
        }
        Ok(id)
    }

    /// Makes every call of a run that has no answer yet, in the plan's order: DynamoDB throttles
    /// rapid calls.
    pub(super) async fn make_calls(
        &self,
        session: &Session,
        run: RunRecord,
        events: &UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> Result<(), JournalError> {
        let mut destination = None;
        for mut export in run.exports {
            if matches!(export.stage, Stage::Planned | Stage::Calling) && !cancel.is_cancelled() {
                // All exports of a run go to one place.
                let barred = match destination.take() {
                    Some(known) => known,
                    None => self.barred(session, &export.request).await,
                };
                match &barred {
                    Some(reason) => {
                        let message = format!("{}: not started, since {reason}", export.table());
                        let _ = events.send(Event::Noted { message });
                    }
                    None => self.make_call(session, &mut export, events).await?,
                }
                destination = Some(barred);
            }
            let _ = events.send(Event::Export(ExportProgress::of(&export)));
        }
        Ok(())
    }

    /// Why no export may be started, whatever the run was begun with.
    async fn barred(&self, session: &Session, request: &ExportRequest) -> Option<String> {
        if session.is_read_only() {
            return Some("--read-only forbids every change".to_owned());
        }
        self.barred_destination(session, request).await
    }

    async fn make_call(
        &self,
        session: &Session,
        export: &mut ExportRecord,
        events: &UnboundedSender<Event>,
    ) -> Result<(), JournalError> {
        let table_arn = &export.request.table_arn;
        let region = region_of(table_arn, session);
        let dynamodb = session.dynamodb(&region);
        let now = Timestamp::now();
        let before = export.stage;
        let answer = if export
            .called_at
            .is_some_and(|at| now.duration_since(at) > TOKEN_HOLDS)
        {
            match find_by_token(&dynamodb, table_arn, &export.request.client_token).await {
                Ok(Some(found)) => Ok(found),
                Ok(None) => dynamodb.start_export(&export.request).await,
                Err(failure) => {
                    note(
                        events,
                        export,
                        &failure,
                        "and its token no longer holds, so it is not called again",
                    );
                    return Ok(());
                }
            }
        } else {
            export.stage = Stage::Calling;
            export.called_at.get_or_insert(now);
            self.inner.journal.update_export(export)?;
            dynamodb.start_export(&export.request).await
        };
        match answer {
            Ok(described) => take_over(export, &described),
            Err(failure) => take_refusal(export, before, &failure, events),
        }
        self.inner.journal.update_export(export)
    }
}

/// Finds the export that a token started, where the token itself no longer tells.
async fn find_by_token(
    dynamodb: &Dynamodb,
    table_arn: &Arn,
    token: &str,
) -> Result<Option<Export>, Failure> {
    for (arn, _status) in dynamodb.list_exports(Some(table_arn)).await? {
        let export = dynamodb.describe_export(&arn).await?;
        if export.client_token.as_deref() == Some(token) {
            return Ok(Some(export));
        }
    }
    Ok(None)
}

/// Writes what AWS says of an export into its record.
pub(super) fn take_over(record: &mut ExportRecord, export: &Export) {
    record.stage = match export.status {
        ExportStatus::InProgress => Stage::InProgress,
        ExportStatus::Completed => Stage::Completed,
        ExportStatus::Failed => Stage::Failed,
    };
    record.export_arn = Some(export.arn.to_string());
    record.started_at = export.started_at.or(record.started_at);
    record.ended_at = export.ended_at;
    record.failure_code.clone_from(&export.failure_code);
    record.failure_message.clone_from(&export.failure_message);
    record.item_count = export.item_count;
    record.billed_size_bytes = export.billed_size_bytes;
    record.manifest.clone_from(&export.manifest);
}

/// Decides what a failed call leaves: a refusal is final, a missing answer is not.
///
/// The time of the first call stays in every case: an attempt before the last one, of which no
/// answer came, may have started the export, and the token tells only for eight hours.
fn take_refusal(
    record: &mut ExportRecord,
    before: Stage,
    failure: &Failure,
    events: &UnboundedSender<Event>,
) {
    match failure.kind {
        // Turned away at the door, this time.
        FailureKind::Credentials | FailureKind::Throttled => {
            record.stage = before;
            note(events, record, failure, "it is still to be started");
        }
        // The answer never came, or was not DynamoDB's word on it: the export may exist.
        _ if failure.is_passing() => {
            note(
                events,
                record,
                failure,
                "whether it was started is not known",
            );
        }
        _ => {
            record.stage = Stage::Refused;
            record.ended_at = Some(Timestamp::now());
            record.failure_code.clone_from(&failure.code);
            record.failure_message = Some(failure.message.clone());
        }
    }
}

fn note(
    events: &UnboundedSender<Event>,
    record: &ExportRecord,
    failure: &Failure,
    consequence: &str,
) {
    let hint = failure
        .hint
        .as_ref()
        .map_or_else(String::new, |hint| format!(" ({hint})"));
    let _ = events.send(Event::Noted {
        message: format!("{}: {failure}; {consequence}{hint}", record.table()),
    });
}
