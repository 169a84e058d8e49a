//! Following operations until they end, and verifying the completed ones.
//!
//! There is no call that waits and none that cancels: an operation goes on whether it is watched or
//! not. So a passing failure is noted and asked again, and only a refusal to tell how it stands ends
//! the watch undecided. A verification that fails in passing is tried again likewise, and is no outcome.

use std::time::Duration;

use futures_util::future;
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::event::{Event, OperationProgress, Side, Verification};
use super::operation::{Described, Observation, OperationKind};
use super::queue::Waiting;
use super::{Poll, Session, Work};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
        let poll = self.inner.settings.poll;
        let mut backoff = Backoff::new(poll);
        let mut silence = Silence::new(poll);
        while record.stage == Stage::InProgress {
            let step = async {
                tokio::time::sleep(backoff.next()).await;
                self.ask(kind, &mut record, events).await
            };
            let asked = tokio::select! {
                biased;
                () = cancel.cancelled() => return Ok(record),
                step = step => step?,
            };
            match asked {
                Asked::Answered => silence = Silence::new(poll),
                Asked::Undecided => return Ok(record),
                Asked::Unanswered(difficulty, consequence) => {
                    let difficulty = format!("{}: {difficulty}", record.name());
                    if silence.is_over(&difficulty, consequence, events) {
                        return Ok(record);
                    }
                }
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
                    if silence.is_over(&difficulty, "trying again", events) {
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
    pub(super) async fn renewed(&self, side: Side) -> Result<Session, FollowError> {
        let renewed = self.renew(side).await;
        renewed.map_err(|error| FollowError::SignIn(side, error))
    }

    /// Asks after an operation once.
    async fn ask(
        &self,
        kind: &dyn OperationKind,
        record: &mut Operation,
        events: &UnboundedSender<Event>,
    ) -> Result<Asked, FollowError> {
        let side = kind.side();
        let signed_out = |error| FollowError::SignIn(side, error);
        let session = match self.session(side) {
            Some(session) => session,
            None => self.renew(side).await.map_err(signed_out)?,
        };
        match describe(kind, &session, record).await? {
            Ok(described) => {
                described.take_over(record);
                self.inner.journal.update_operation(record)?;
                let mut progress = OperationProgress::of(record);
                if record.stage == Stage::InProgress
                    && let Some((files, bytes)) = kind.files_seen(self, record).await
                {
                    progress.files_seen = Some(files);
                    progress.bytes_seen = Some(bytes);
                }
                let _ = events.send(Event::Operation(progress));
                Ok(Asked::Answered)
            }
            Err(failure) if failure.is_retryable() => {
                Ok(Asked::Unanswered(failure, "asking again"))
            }
            Err(failure) if failure.kind == FailureKind::Credentials => {
                match self.renew(side).await {
                    // Tried with the new credentials after the next pause.
                    Ok(_) => Ok(Asked::Unanswered(failure, "signed in again")),
                    Err(SignInError::Call(cause)) if cause.is_retryable() => {
                        Ok(Asked::Unanswered(*cause, "asking again"))
                    }
                    Err(error) => Err(signed_out(error)),
                }
            }
            Err(failure) => {
                // Not written to the journal: with the right to ask, `resume` can still decide it.
                record.verified = Some(Verified::Unknown);
                record.verification = Some(failure.to_string());
                let name = record.name();
                note(
                    events,
                    format!(
                        "{name}: {failure}; how the {} stands is unknown{}",
                        record.kind,
                        way_to_know(kind, &failure)
                    ),
                );
                Ok(Asked::Undecided)
            }
        }
    }
}

/// What asking after an operation came to.
enum Asked {
    /// Its state is in the record.
    Answered,
    /// Nobody answered this time, and what is done about it.
    Unanswered(Failure, &'static str),
    /// Nobody may know how it stands.
    Undecided,
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

async fn describe(
    kind: &dyn OperationKind,
    session: &Session,
    record: &Operation,
) -> Result<Result<Described, Failure>, JournalError> {
    let arn = record.arn.as_deref().unwrap_or_default();
    let arn: Arn = arn
        .parse()
        .map_err(|error| JournalError::Entry(format!("`{arn}`: {error}")))?;
    let calls = kind.calls(session, record)?;
    Ok(calls.describe(&arn).await)
}

/// How long nobody has answered.
struct Silence {
    since: Option<Instant>,
    patience: Duration,
}

impl Silence {
    const fn new(poll: Poll) -> Self {
        Self {
            since: None,
            patience: poll.patience,
        }
    }

    /// Whether patience ends. The difficulty is told once and at the end, not at every pause.
    fn is_over(
        &mut self,
        difficulty: &str,
        consequence: &str,
        events: &UnboundedSender<Event>,
    ) -> bool {
        if self.since.is_none() {
            note(events, format!("{difficulty}; {consequence}"));
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        let is_over = since.elapsed() >= self.patience;
        if is_over {
            note(
                events,
                format!(
                    "{difficulty}; nobody answered for {} s, so the waiting ends",
                    self.patience.as_secs()
                ),
            );
        }
        is_over
    }
}

/// The pauses between polls: growing, and each a fifth longer or shorter by chance, so that many
/// watchers do not ask at once.
pub(super) struct Backoff {
    pause: Duration,
    longest: Duration,
}

impl Backoff {
    pub(super) fn new(poll: Poll) -> Self {
        Self {
            pause: poll.first,
            longest: poll.longest,
        }
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.pause.mul_f64(0.8 + 0.4 * fastrand::f64());
        self.pause = self.pause.mul_f64(1.5).min(self.longest);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_vary_by_a_fifth() {
        let mut backoff = Backoff::new(Poll {
            first: Duration::from_secs(4),
            longest: Duration::from_secs(10),
            ..Poll::default()
        });
        let within = |pause: Duration, seconds: f64| {
            (seconds * 0.8..=seconds * 1.2).contains(&pause.as_secs_f64())
        };
        for expected in [4.0, 6.0, 9.0, 10.0, 10.0] {
            let pause = backoff.next();
            assert!(
                within(pause, expected),
                "{pause:?} is not about {expected} s"
            );
        }
    }
}
