//! Starting operations: the journal first, then the call.
//!
//! A call that was answered is never made again. One whose answer never came is looked up by its token
//! before anything is said about it, and repeated with it while the service is sure to answer with the
//! same operation. A refusal is final only where no call is left that may have started it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::assess::StartSummary;
use super::event::{Event, OperationProgress, Side};
use super::operation::{Callers, Calls, LookUp, OperationKind};
use super::queue::FullLanes;
use super::{Session, Work};
use crate::aws::dynamodb::StartAnswer;
use crate::aws::failure::{Failure, FailureKind};
use crate::job::Plan;
use crate::journal::{
    JournalError, NewOperation, NewRun, Operation, RefusedCall, RunId, RunRecord, Stage, new_export,
};

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
    /// Which tables are meant could not be found out.
    #[error(transparent)]
    Resolve(#[from] super::ResolveError),
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
        summary: &StartSummary,
        events: UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> Result<RunId, StartError> {
        if self.is_read_only() {
            return Err(StartError::ReadOnly);
        }
        let session = self.session(Side::Source).ok_or(StartError::NotSignedIn)?;
        let arn = session.identity.arn.to_string();
        let account = session.identity.account.as_str();
        let reader = self.session(Side::Destination);
        let reader = reader.map(|session| session.identity.arn.to_string());
        let journal = &self.inner.journal;
        journal.give_up(&summary.given_up, &arn, Timestamp::now())?;
        let run = NewRun {
            plan: &plan.to_toml(),
            digest: &summary.digest,
            source_arn: &arn,
            source_account: account,
            source_region: session.region.as_str(),
            destination: &summary.destination,
            destination_arn: reader.as_deref(),
        };
        let requests = summary.requests.iter().enumerate();
        let exports = requests.map(|(index, request)| {
            let fingerprint = summary.fingerprints.get(index).cloned();
            new_export(request, account, fingerprint)
        });
        let exports: Vec<NewOperation> = exports.collect();
        self.start_operations(&run, &exports, summary.newest, events, cancel)
            .await
    }

    /// Writes a run of operations to the journal, then makes their calls. `known` is the newest run that
    /// was looked at when this one was agreed to, where a later one counts.
    pub(super) async fn start_operations(
        &self,
        run: &NewRun<'_>,
        operations: &[NewOperation],
        known: Option<RunId>,
        events: UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> Result<RunId, StartError> {
        let mut callers = Callers::new();
        for operation in operations {
            let side = self.inner.kinds.named(operation.kind)?.side();
            let session = self.session(side).ok_or(StartError::NotSignedIn)?;
            callers.insert(side, session);
        }
        let journal = &self.inner.journal;
        let id = journal.record_run(run, operations, Timestamp::now(), known)?;
        let _ = events.send(Event::Journalled { run: id });
        let called = async {
            match journal.run(id)? {
                Some(run) => self.make_calls(&callers, run, &events, cancel).await,
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
        callers: &Callers,
        run: RunRecord,
        events: &UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> Result<(), JournalError> {
        let mut blocked = BTreeMap::new();
        let mut full = FullLanes::default();
        for mut record in run.operations {
            let kind = self.inner.kinds.of(&record)?;
            let is_due = matches!(record.stage, Stage::Planned | Stage::Calling);
            let session = callers.get(&kind.side());
            if record.stage == Stage::Planned && full.holds_back(&record) {
                self.inner.queue.push(&record);
            } else if let Some(session) = session.filter(|_| is_due && !cancel.is_cancelled()) {
                let reason = match blocked.get(kind.name()) {
                    Some(known) => Option::clone(known),
                    None => self.blocked_by(kind, session, &record).await,
                };
                blocked.insert(kind.name(), reason.clone());
                if let Some(reason) = reason {
                    let message = format!("{}: not started, since {reason}", record.name());
                    let _ = events.send(Event::Noted { message });
                } else {
                    let called = self.make_call(kind, session, &mut record, events, cancel);
                    match called.await {
                        Ok(Called::Full(failure)) => {
                            full.add(&record, failure);
                            self.inner.queue.push(&record);
                        }
                        Ok(Called::Settled | Called::Open(_)) => {}
                        Err(error) => {
                            let _ = events.send(Event::Operation(OperationProgress::of(&record)));
                            return Err(error);
                        }
                    }
                }
            }
            let _ = events.send(Event::Operation(OperationProgress::of(&record)));
        }
        full.tell(events);
        Ok(())
    }

    /// Why nothing may be started, whatever the run was begun with.
    async fn blocked_by(
        &self,
        kind: &dyn OperationKind,
        session: &Session,
        record: &Operation,
    ) -> Option<String> {
        if session.is_read_only() {
            return Some("--read-only forbids every change".to_owned());
        }
        kind.blocked_by(self, session, record).await
    }

    /// Makes the call of one operation, and makes it again where its answer did not come.
    ///
    /// A call after one whose answer is not known is made only once the operation was looked up, and
    /// while the token is sure to name the same one.
    pub(super) async fn make_call(
        &self,
        kind: &dyn OperationKind,
        session: &Session,
        record: &mut Operation,
        events: &UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> Result<Called, JournalError> {
        let mut calls = kind.calls(session, record)?;
        let journal = &self.inner.journal;
        for attempt in 1..=ATTEMPTS {
            let next = self.next_call(kind, calls.as_mut(), record, events).await?;
            let signed_at = match next {
                Next::Call(signed_at) => signed_at,
                Next::Leave(called) => return Ok(called),
            };
            if !journal.begin_call(record, Timestamp::now(), signed_at)? {
                return Ok(Called::Settled);
            }
            let is_last = attempt == ATTEMPTS;
            self.inner.calls.begin(record);
            match calls.start(signed_at).await {
                StartAnswer::Started(started) => {
                    started.take_over(record);
                    journal.update_operation(record)?;
                    return Ok(Called::Settled);
                }
                StartAnswer::Unanswered(failure) => {
                    if is_last || !pause(attempt, cancel).await {
                        let consequence = "whether it was started is not known";
                        note(events, record, &failure, consequence);
                        return Ok(Called::Settled);
                    }
                }
                StartAnswer::Refused(failure) => {
                    let is_skewed = is_skewed(signed_at, calls.service_time());
                    let refusal = refusal(&failure);
                    self.inner.calls.end(record);
                    journal.end_refused_call(record, &refusal, Timestamp::now())?;
                    if is_for_the_quota(&failure) && record.stage == Stage::Planned {
                        return Ok(Called::Full(failure));
                    }
                    let is_worth_repeating = failure.kind == FailureKind::Throttled
                        || (is_skewed && failure.kind == FailureKind::Credentials);
                    if is_last || !is_worth_repeating || !pause(attempt, cancel).await {
                        tell_refusal(record, &failure, events);
                        return Ok(match record.stage {
                            Stage::Planned => Called::Open(failure.kind),
                            _ => Called::Settled,
                        });
                    }
                }
            }
        }
        Ok(Called::Settled)
    }

    /// Finds out whether the call may be made now. AWS's time is read in any case, right before.
    async fn next_call(
        &self,
        kind: &dyn OperationKind,
        calls: &mut dyn Calls,
        record: &mut Operation,
        events: &UnboundedSender<Event>,
    ) -> Result<Next, JournalError> {
        let asked = calls.ask_time().await;
        if record.unanswered == 0 {
            return Ok(match asked {
                // A call that nobody answers would leave it open whether it was started.
                Err(failure)
                    if calls.service_time().is_none()
                        && (failure.is_retryable() || failure.kind == FailureKind::Credentials) =>
                {
                    note(events, record, &failure, "it is still to be started");
                    Next::Leave(Called::Open(failure.kind))
                }
                _ => Next::Call(calls.service_time()),
            });
        }
        let journal = &self.inner.journal;
        match calls.look_up(record).await {
            LookUp::Found(found) => {
                found.take_over(record);
                journal.update_operation(record)?;
                Ok(Next::Leave(Called::Settled))
            }
            LookUp::Absent => {
                journal.forget_calls(record)?;
                self.inner.calls.forget(record);
                Ok(match record.stage {
                    Stage::Planned => Next::Call(calls.service_time()),
                    _ => Next::Leave(Called::Settled),
                })
            }
            open => {
                let now = calls.service_time();
                if let Some(now) = now {
                    journal.bound_last_call(record, now)?;
                }
                if holds_token(kind, record, now) {
                    return Ok(Next::Call(now));
                }
                tell_open(kind, record, &open, events);
                Ok(Next::Leave(Called::Settled))
            }
        }
    }
}

/// What is done about an operation next.
enum Next {
    /// The call is made, signed with this time of AWS's clock.
    Call(Option<Timestamp>),
    /// Nothing: it is settled, or has to stay open.
    Leave(Called),
}

/// What making a call came to.
#[derive(Debug)]
pub(super) enum Called {
    /// What can be known of it is in the record.
    Settled,
    /// It is still to be started, for a failure of this kind.
    Open(FailureKind),
    /// It is still to be started, since the account has no room for another one now.
    Full(Failure),
}

/// Whether a call was refused for the operations that are in progress already: nothing was started, and
/// the same call is accepted once others have ended (`ExportTableToPointInTime`,
/// `LimitExceededException`).
fn is_for_the_quota(failure: &Failure) -> bool {
    failure.code.as_deref() == Some("LimitExceededException")
}

/// Whether a token is sure to name the same operation still: only what AWS's clock says counts.
fn holds_token(kind: &dyn OperationKind, record: &Operation, now: Option<Timestamp>) -> bool {
    match (record.first_called, now) {
        (Some(first), Some(now)) => now.duration_since(first) < kind.token_holds(),
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

/// What a refused call leaves: one that was refused before it was taken may be made again.
fn refusal(failure: &Failure) -> RefusedCall {
    RefusedCall {
        code: failure.code.clone(),
        message: failure.message.clone(),
        request_id: failure.request_id.clone(),
        is_retryable: is_for_the_quota(failure)
            || matches!(
                failure.kind,
                FailureKind::Credentials | FailureKind::Throttled
            ),
    }
}

fn tell_refusal(record: &Operation, failure: &Failure, events: &UnboundedSender<Event>) {
    let consequence = match record.stage {
        Stage::Planned => "it is still to be started".to_owned(),
        Stage::Calling => format!(
            "an earlier call went unanswered and may have started the {}, so that this is not \
             the last word: `tableferry resume` looks it up",
            record.kind
        ),
        // A final refusal is told with the operation's state.
        _ => return,
    };
    note(events, record, failure, &consequence);
}

/// Tells why it stays open whether an operation was started, and what settles it.
fn tell_open(
    kind: &dyn OperationKind,
    record: &Operation,
    look_up: &LookUp,
    events: &UnboundedSender<Event>,
) {
    let (name, run, what) = (record.name(), record.run, kind.name());
    let by_hand = format!(
        "`tableferry resume {run} --started ARN` or `tableferry resume {run} --not-started` settles it"
    );
    let message = match look_up {
        LookUp::Failed(failure) => format!(
            "{name}: a call went unanswered, and cannot be looked up: {failure}; allow \
             {} to the {} and resume, or {by_hand}",
            kind.look_up_permissions(),
            kind.side()
        ),
        LookUp::NotYet(proof) => format!(
            "{name}: a call went unanswered, and no {what} of it is listed, which proves nothing \
             before {proof}: `tableferry resume {run}` looks again from then on"
        ),
        LookUp::Found(_) | LookUp::Absent | LookUp::Unproved => format!(
            "{name}: a call went unanswered, and no {what} of it is listed, which proves nothing: \
             the listing does not reach back to it for certain; {by_hand}"
        ),
    };
    let _ = events.send(Event::Noted { message });
}

fn note(events: &UnboundedSender<Event>, record: &Operation, failure: &Failure, consequence: &str) {
    let hint = failure
        .hint
        .as_ref()
        .map_or_else(String::new, |hint| format!(" ({hint})"));
    let _ = events.send(Event::Noted {
        message: format!("{}: {failure}; {consequence}{hint}", record.name()),
    });
}
