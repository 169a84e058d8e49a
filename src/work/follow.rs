//! Following operations until they end, and verifying the completed ones.
//!
//! There is no call that waits and none that cancels: an operation goes on whether it is watched or
//! not. So a passing failure is noted and asked again, and only a refusal to tell how it stands ends
//! the watch undecided. A verification that fails in passing is tried again likewise, and is no outcome.

mod waiting;

use std::time::Duration;

use futures_util::future;
use jiff::Timestamp;
use strum::IntoStaticStr;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use self::waiting::Waiting;
use super::asking::{AskOutcome, Asking, Silence};
use super::event::{Event, OperationProgress, Side, Verification};
use super::operation::{Observation, OperationKind, StatusCalls};
use super::poll::Backoff;
use super::{Session, Work};
use crate::aws::SignInError;
use crate::aws::failure::{Failure, FailureKind};
use crate::journal::{JournalError, Operation, RunId, Stage, Verified};
use tableferry_policy::arn::Arn;

/// Why a run can no longer be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// There is no such run.
    #[error("the journal has no run {0}")]
    NoSuchRun(RunId),
    /// A side must be signed in again, which needs somebody.
    #[error("the {0} must be signed in again: {1}")]
    SignIn(Side, SignInError),
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// How a run ended, or stands.
#[derive(Debug, Clone)]
pub struct RunOutcome {
    /// The run.
    pub run: RunId,
    /// Its operations, in the plan's order.
    pub operations: Vec<Operation>,
}

/// A run's outcome in a word, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum RunStatus {
    /// Something is still to be done: `resume` goes on with it.
    CutOff,
    /// An operation failed, or did not verify.
    Failed,
    /// A call was refused, or none started anything.
    Refused,
    /// Nobody could read the bucket, or ask after an operation.
    Undecided,
    /// All complete and verified.
    Done,
}

impl RunStatus {
    /// The word that a program called at the end gets.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Which completed operations of a run are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    /// Those that were not verified yet.
    Open,
    /// Those also whose files could not be read: somebody may have been granted that since.
    Unread,
    /// All of them, whatever was found before.
    All,
}

impl Verify {
    const fn is_due(self, record: &Operation) -> bool {
        match record.verified {
            None => true,
            Some(Verified::Unknown) => !matches!(self, Self::Open),
            Some(Verified::Yes | Verified::No) => matches!(self, Self::All),
        }
    }
}

impl RunOutcome {
    /// The worst of the operations' outcomes.
    #[must_use]
    pub fn status(&self) -> RunStatus {
        self.operations
            .iter()
            .map(status)
            .min()
            .unwrap_or(RunStatus::Done)
    }
}

fn status(record: &Operation) -> RunStatus {
    match (record.stage, record.verified) {
        // One under way whose state nobody may read is marked so by the watch.
        (Stage::InProgress | Stage::Completed, Some(Verified::Unknown)) => RunStatus::Undecided,
        (Stage::Planned | Stage::Calling | Stage::InProgress, _) | (Stage::Completed, None) => {
            RunStatus::CutOff
        }
        (Stage::Failed, _) | (Stage::Completed, Some(Verified::No)) => RunStatus::Failed,
        (Stage::Refused | Stage::NotStarted, _) => RunStatus::Refused,
        (Stage::Completed, Some(Verified::Yes)) => RunStatus::Done,
    }
}

impl Work {
    /// Follows a run's operations until each has ended and was verified, or until `cancel`.
    ///
    /// Cancelling stops the waiting alone: they go on, and the outcome says so.
    pub async fn follow(
        &self,
        id: RunId,
        verify: Verify,
        events: UnboundedSender<Event>,
        cancel: CancellationToken,
    ) -> Result<RunOutcome, FollowError> {
        let run = self
            .inner
            .journal
            .run(id)?
            .ok_or(FollowError::NoSuchRun(id))?;
        let (one_ended, ended) = tokio::sync::watch::channel(0);
        let (waiting, mut turns) = Waiting::of(&self.inner.queue, &run.operations, ended);
        let watches = run.operations.into_iter().map(|record| {
            let turn = turns.remove(&record.id);
            let watched = self.watch_in_turn(record, turn, verify, &events, &cancel);
            let one_ended = &one_ended;
            async move {
                let watched = watched.await;
                one_ended.send_modify(|count| *count += 1);
                watched
            }
        });
        let watches = future::join_all(watches);
        let started = self.start_waiting(waiting, &events, &cancel);
        let (ended, started) = future::join(watches, started).await;
        let operations = ended.into_iter().collect::<Result<Vec<_>, _>>()?;
        started?;
        Ok(RunOutcome {
            run: id,
            operations,
        })
    }

    /// Watches an operation; one that waits for room from its start on, where that comes.
    async fn watch_in_turn(
        &self,
        record: Operation,
        turn: Option<oneshot::Receiver<Operation>>,
        verify: Verify,
        events: &UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> Result<Operation, FollowError> {
        let record = match turn {
            Some(turn) => turn.await.unwrap_or(record),
            None => record,
        };
        self.watch(record, verify, events, cancel).await
    }

    async fn watch(
        &self,
        mut record: Operation,
        verify: Verify,
        events: &UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> Result<Operation, FollowError> {
        let kind = self.inner.kinds.of(&record)?;
        if record.stage == Stage::InProgress {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Ok(record),
                ended = self.ask_until_ended(kind, &mut record, events) => ended?,
            }
        }
        if record.stage == Stage::Completed && verify.is_due(&record) {
            tokio::select! {
                biased;
                () = cancel.cancelled() => (record.verified, record.verified_at) = (None, None),
                verified = self.verify(kind, &mut record, events) => verified?,
            }
        }
        Ok(record)
    }

    /// Verifies a completed record, and writes what it results in into the journal. What passes is no
    /// outcome: until then the journal keeps what it holds.
    async fn verify(
        &self,
        kind: &dyn OperationKind,
        record: &mut Operation,
        events: &UnboundedSender<Event>,
    ) -> Result<(), FollowError> {
        let poll = self.inner.settings.poll;
        let mut backoff = Backoff::new(poll);
        let mut silence = Silence::new(poll);
        let mut is_second_look = false;
        (record.verified, record.verified_at) = (None, None);
        record.remarks.clear();
        let (verification, remarks) = loop {
            match kind.verify(self, record).await {
                // Something on the way may have damaged what was read: damage is looked at twice.
                Observation::Settled(Verification::Wrong { .. }, _) if !is_second_look => {
                    is_second_look = true;
                }
                Observation::Settled(verification, remarks) => break (verification, remarks),
                Observation::Unanswered(failure) => {
                    let difficulty = format!("{}: verifying: {failure}", record.name());
                    let note = |message| note(events, message);
                    if silence.is_over(&difficulty, "trying again", &note) {
                        return Ok(());
                    }
                    tokio::time::sleep(backoff.next()).await;
                }
                Observation::SignedOut(error) => {
                    let name = record.name();
                    note(
                        events,
                        format!("{name}: not verified, since somebody must sign in: {error}"),
                    );
                    return Ok(());
                }
            }
        };
        let (verified, text) = verification.to_record();
        record.verified = Some(verified);
        record.verification = Some(text);
        let now = Timestamp::now();
        // As the journal keeps it.
        record.verified_at = Timestamp::from_millisecond(now.as_millisecond()).ok();
        record.remarks = remarks;
        self.inner.journal.update_operation(record)?;
        let _ = events.send(Event::Operation(OperationProgress::of(record)));
        Ok(())
    }

    /// Signs a side in again, where that needs nobody.
    async fn renewed(&self, side: Side) -> Result<Session, FollowError> {
        let renewed = self.renew(side).await;
        renewed.map_err(|error| FollowError::SignIn(side, error))
    }

    /// Asks after an operation until it has ended, or nobody can or may tell how it stands.
    async fn ask_until_ended(
        &self,
        kind: &dyn OperationKind,
        record: &mut Operation,
        events: &UnboundedSender<Event>,
    ) -> Result<(), FollowError> {
        let arn = arn_of(record)?;
        let follower = self
            .poller(&record.account, &arn.region)
            .follow(kind.name());
        let name = record.name().to_owned();
        let mut asking = Asking::new(self, kind.side(), follower, name);
        let note = |message| note(events, message);
        while record.stage == Stage::InProgress {
            let calls = |session: &Session| {
                let calls = kind.calls(session, record)?;
                Ok(calls as Box<dyn StatusCalls>)
            };
            match asking.next(&arn, age(record), &calls, &note).await? {
                AskOutcome::Described(described) => {
                    described.take_over(record);
                    self.inner.journal.update_operation(record)?;
                    self.tell_progress(kind, record, &asking, events).await;
                }
                AskOutcome::UnderWay => self.tell_progress(kind, record, &asking, events).await,
                AskOutcome::Silent => return Ok(()),
                AskOutcome::SignedOut(error) => {
                    return Err(FollowError::SignIn(kind.side(), error));
                }
                AskOutcome::Undecided(failure) => {
                    // Not written to the journal: with the right to ask, `resume` can still decide it.
                    record.verified = Some(Verified::Unknown);
                    record.verification = Some(failure.to_string());
                    note(format!(
                        "{}: {failure}; how the {} stands is unknown{}",
                        record.name(),
                        record.kind,
                        way_to_know(kind, &failure)
                    ));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn tell_progress(
        &self,
        kind: &dyn OperationKind,
        record: &Operation,
        asking: &Asking<'_>,
        events: &UnboundedSender<Event>,
    ) {
        let mut progress = OperationProgress::of(record);
        if record.stage == Stage::InProgress
            && asking.follower.may_look()
            && let Some((files, bytes)) = kind.files_seen(self, record).await
        {
            progress.files_seen = Some(files);
            progress.bytes_seen = Some(bytes);
        }
        let _ = events.send(Event::Operation(progress));
    }
}

/// What would let somebody know how an operation stands.
fn way_to_know(kind: &dyn OperationKind, failure: &Failure) -> String {
    match failure.kind {
        FailureKind::AccessDenied => format!(
            ", and it goes on: allow {} to the {}, then resume",
            kind.describe_permission(),
            kind.side()
        ),
        _ => String::new(),
    }
}

fn note(events: &UnboundedSender<Event>, message: String) {
    let _ = events.send(Event::Noted { message });
}

/// The ARN of an operation that was started.
fn arn_of(record: &Operation) -> Result<Arn, JournalError> {
    let arn = record.arn.as_deref().unwrap_or_default();
    arn.parse()
        .map_err(|error| JournalError::Entry(format!("`{arn}`: {error}")))
}

/// How long an operation has been under way, by this machine's clock.
fn age(record: &Operation) -> Duration {
    let started = record.started_at.or(record.called_at);
    let age = started.map(|at| Timestamp::now().duration_since(at));
    age.and_then(|age| age.try_into().ok()).unwrap_or_default()
}
