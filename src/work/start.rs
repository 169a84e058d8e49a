//! Starting exports: the journal first, then the call.
//!
//! A call that was answered is never made again. One whose answer never came is looked up by its token
//! before anything is said about it, and repeated with it while DynamoDB is sure to answer with the same
//! export. A refusal is final only where no call is left that may have started the export.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::event::{Event, ExportProgress, Side};
use super::look_up::{self, LookUp};
use super::prepare::Briefing;
use super::{Session, Work, region_of};
use crate::aws::dynamodb::{Dynamodb, Export, ExportStatus, StartAnswer};
use crate::aws::failure::{Failure, FailureKind};
use crate::job::{ExportRequest, Plan};
use crate::journal::{ExportRecord, JournalError, NewRun, Refusal, RunId, RunRecord, Stage};

/// A token holds for eight hours after its first request completes (`ExportTableToPointInTime`,
/// `ClientToken`). Both requests were accepted within 15 minutes of the times they were signed with.
const TOKEN_HOLDS: SignedDuration = SignedDuration::from_hours(7);

/// How often a call is made whose answer does not come.
const ATTEMPTS: u32 = 4;

/// The pause after the first of them; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(300);

/// From here on a refusal may be for the time that the call was signed with.
const SKEW: SignedDuration = SignedDuration::from_mins(4);

/// Why nothing could be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal could not be read or written, so no call was made and nothing is there to resume.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal could no longer be written once the run was in it, so the calls were broken off.
    /// What was started before runs on.
    #[error("{cause}")]
    BrokenOff {
        /// The run.
        run: RunId,
        /// Why.
        cause: JournalError,
    },
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
        let by = session.identity.arn.to_string();
        self.inner
            .journal
            .give_up(&briefing.given_up, &by, Timestamp::now())?;
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
        let called = async {
            match self.inner.journal.run(id)? {
                Some(run) => self.make_calls(&session, run, &events, cancel).await,
                None => Ok(()),
            }
        };
        match called.await {
            Ok(()) => Ok(id),
            Err(cause) => Err(StartError::BrokenOff { run: id, cause }),
        }
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
                if let Some(reason) = &barred {
                    let message = format!("{}: not started, since {reason}", export.table());
                    let _ = events.send(Event::Noted { message });
                } else {
                    let called = self.make_call(session, &mut export, events, cancel).await;
                    if let Err(error) = called {
                        let _ = events.send(Event::Export(ExportProgress::of(&export)));
                        return Err(error);
                    }
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

    /// Makes the call of one export, and makes it again where its answer did not come.
    ///
    /// A call after one whose answer is not known is made only once the export was looked up, and while
    /// the token is sure to name the same export.
    async fn make_call(
        &self,
        session: &Session,
        export: &mut ExportRecord,
        events: &UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> Result<(), JournalError> {
        let region = region_of(&export.request.table_arn, session);
        let dynamodb = session.dynamodb(&region);
        let journal = &self.inner.journal;
        for attempt in 1..=ATTEMPTS {
            let Next::Call(signed_at) = self.next_call(&dynamodb, export, events).await? else {
                return Ok(());
            };
            if !journal.begin_call(export, Timestamp::now(), signed_at)? {
                return Ok(());
            }
            let is_last = attempt == ATTEMPTS;
            self.inner.calls.begin(export);
            match dynamodb.start_export(&export.request, signed_at).await {
                StartAnswer::Started(started) => {
                    take_over(export, &started);
                    return journal.update_export(export);
                }
                StartAnswer::Unanswered(failure) => {
                    if is_last || !pause(attempt, cancel).await {
                        note(
                            events,
                            export,
                            &failure,
                            "whether it was started is not known",
                        );
                        return Ok(());
                    }
                }
                StartAnswer::Refused(failure) => {
                    let is_skewed = is_skewed(signed_at, dynamodb.service_time());
                    let refusal = refusal(&failure);
                    self.inner.calls.end(export);
                    journal.end_refused_call(export, &refusal, Timestamp::now())?;
                    let is_worth_repeating = failure.kind == FailureKind::Throttled
                        || (is_skewed && failure.kind == FailureKind::Credentials);
                    if is_last || !is_worth_repeating || !pause(attempt, cancel).await {
                        tell_refusal(export, &failure, events);
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Finds out whether the call may be made now. AWS's time is read in any case, right before.
    async fn next_call(
        &self,
        dynamodb: &Dynamodb,
        export: &mut ExportRecord,
        events: &UnboundedSender<Event>,
    ) -> Result<Next, JournalError> {
        let table = dynamodb
            .describe_table(&export.request.table_arn.to_string())
            .await;
        if export.unanswered == 0 {
            return Ok(match table {
                // A call that nobody answers would leave it open whether the export was started.
                Err(failure)
                    if dynamodb.service_time().is_none()
                        && (failure.is_passing() || failure.kind == FailureKind::Credentials) =>
                {
                    note(events, export, &failure, "it is still to be started");
                    Next::Leave
                }
                _ => Next::Call(dynamodb.service_time()),
            });
        }
        let created_at = table.ok().and_then(|table| table.created_at);
        let journal = &self.inner.journal;
        match look_up::by_token(dynamodb, export, created_at).await {
            LookUp::Found(found) => {
                take_over(export, &found);
                journal.update_export(export)?;
                Ok(Next::Leave)
            }
            LookUp::Absent => {
                journal.forget_calls(export)?;
                self.inner.calls.forget(export);
                Ok(match export.stage {
                    Stage::Planned => Next::Call(dynamodb.service_time()),
                    _ => Next::Leave,
                })
            }
            open => {
                let now = dynamodb.service_time();
                if let Some(now) = now {
                    journal.bound_last_call(export, now)?;
                }
                if holds_token(export, now) {
                    return Ok(Next::Call(now));
                }
                tell_open(export, &open, events);
                Ok(Next::Leave)
            }
        }
    }
}

/// What is done about an export next.
enum Next {
    /// The call is made, signed with this time of AWS's clock.
    Call(Option<Timestamp>),
    /// Nothing: it is settled, or has to stay open.
    Leave,
}

/// Whether a token is sure to name the same export still: only what AWS's clock says counts.
fn holds_token(export: &ExportRecord, now: Option<Timestamp>) -> bool {
    match (export.first_called, now) {
        (Some(first), Some(now)) => now.duration_since(first) < TOKEN_HOLDS,
        _ => false,
    }
}

/// Whether a call was refused for the time that it was signed with, as far as AWS's time tells.
fn is_skewed(signed_at: Option<Timestamp>, now: Option<Timestamp>) -> bool {
    match (signed_at, now) {
        (Some(signed_at), Some(now)) => now.duration_since(signed_at).abs() > SKEW,
        (signed_at, now) => signed_at.is_none() && now.is_some(),
    }
}

/// Waits before a call is made again; `false` where that is to be left out.
async fn pause(attempt: u32, cancel: &CancellationToken) -> bool {
    let pause = FIRST_PAUSE * 2_u32.pow(attempt - 1);
    tokio::select! {
        biased;
        () = cancel.cancelled() => false,
        () = tokio::time::sleep(pause.mul_f64(0.5 + 0.5 * fastrand::f64())) => true,
    }
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

/// What a refused call leaves: one that was turned away at the door may be made again.
fn refusal(failure: &Failure) -> Refusal {
    Refusal {
        code: failure.code.clone(),
        message: failure.message.clone(),
        is_retryable: matches!(
            failure.kind,
            FailureKind::Credentials | FailureKind::Throttled
        ),
    }
}

fn tell_refusal(export: &ExportRecord, failure: &Failure, events: &UnboundedSender<Event>) {
    let consequence = match export.stage {
        Stage::Planned => "it is still to be started",
        Stage::Calling => {
            "an earlier call went unanswered and may have started the export, so that this is not \
             the last word: `tableferry resume` looks it up"
        }
        // A final refusal is told with the export's state.
        _ => return,
    };
    note(events, export, failure, consequence);
}

/// Tells why it stays open whether an export was started, and what settles it.
fn tell_open(export: &ExportRecord, look_up: &LookUp, events: &UnboundedSender<Event>) {
    let (table, run) = (export.table(), export.run);
    let by_hand = format!(
        "`tableferry resume {run} --started ARN` or `tableferry resume {run} --not-started` settles it"
    );
    let message = match look_up {
        LookUp::Failed(failure) => format!(
            "{table}: a call went unanswered, and cannot be looked up: {failure}; allow \
             dynamodb:ListExports and dynamodb:DescribeExport to the source and resume, or {by_hand}"
        ),
        LookUp::NotYet(proof) => format!(
            "{table}: a call went unanswered, and no export of it is listed, which proves nothing \
             before {proof}: `tableferry resume {run}` looks again from then on"
        ),
        LookUp::Found(_) | LookUp::Absent | LookUp::Unproved => format!(
            "{table}: a call went unanswered, and no export of it is listed, which proves nothing: \
             the listing does not reach back to it for certain; {by_hand}"
        ),
    };
    let _ = events.send(Event::Noted { message });
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
