//! Asking after one operation until something new is known of it: pauses, failures that pass, sessions
//! that end meanwhile.
//!
//! A failure that passes is told once and asked again, until nobody has answered for as long as patience
//! lasts. What ends the asking is a refusal to tell how the operation stands, or a sign-in that needs
//! somebody.

use std::time::Duration;

use tableferry_policy::arn::Arn;
use tokio::time::Instant;

use super::event::Side;
use super::operation::{Described, StatusCalls};
use super::poll::{Backoff, Follower};
use super::{Poll, Session, Work};
use crate::aws::SignInError;
use crate::aws::failure::{Failure, FailureKind};
use crate::journal::JournalError;

/// What asking came to.
pub(super) enum AskOutcome {
    /// It is under way, and no more is known.
    UnderWay,
    /// How it stands.
    Described(Box<Described>),
    /// Nobody may know how it stands.
    Undecided(Failure),
    /// Nobody answered for as long as patience lasts.
    Silent,
    /// The side must be signed in again, which needs somebody.
    SignedOut(SignInError),
}

/// The calls of an operation, as the session that is given.
pub(super) type CallsOf<'a> =
    dyn Fn(&Session) -> Result<Box<dyn StatusCalls>, JournalError> + Send + Sync + 'a;

/// Tells a difficulty in a sentence.
pub(super) type TellDifficulty<'a> = dyn Fn(String) + Send + Sync + 'a;

/// One operation that is asked after.
pub(super) struct Asking<'a> {
    pub(super) work: &'a Work,
    /// The side as which it is asked after.
    pub(super) side: Side,
    pub(super) follower: Follower,
    /// Its name, for sentences.
    pub(super) name: String,
    backoff: Backoff,
    silence: Silence,
    known_at: Instant,
}

impl<'a> Asking<'a> {
    pub(super) fn new(work: &'a Work, side: Side, follower: Follower, name: String) -> Self {
        let poll = work.inner.settings.poll;
        Self {
            work,
            side,
            follower,
            name,
            backoff: Backoff::new(poll),
            silence: Silence::new(poll),
            known_at: Instant::now(),
        }
    }

    /// Waits for a while and asks, until there is an answer. `age` is how long it has been under way.
    pub(super) async fn next(
        &mut self,
        arn: &Arn,
        age: Duration,
        calls: &CallsOf<'_>,
        note: &TellDifficulty<'_>,
    ) -> Result<AskOutcome, JournalError> {
        loop {
            tokio::time::sleep(self.backoff.next()).await;
            let session = match self.work.session(self.side) {
                Some(session) => session,
                None => match self.work.renew(self.side).await {
                    Ok(session) => session,
                    Err(error) => return Ok(AskOutcome::SignedOut(error)),
                },
            };
            let begun = Instant::now();
            let calls = calls(&session)?;
            let asked = self.follower.ask(&*calls, arn, self.known_at).await;
            let (failure, consequence) = match asked {
                Ok(described) => {
                    self.known_at = Instant::now();
                    self.silence = Silence::new(self.work.inner.settings.poll);
                    self.backoff.grow_with(age);
                    return Ok(described.map_or(AskOutcome::UnderWay, |described| {
                        AskOutcome::Described(Box::new(described))
                    }));
                }
                Err(failure) if failure.is_retryable() => (failure, "asking again"),
                Err(failure) if failure.kind == FailureKind::Credentials => {
                    match self.work.renew_once(self.side, begun).await {
                        // Tried with the new credentials after the next pause.
                        Ok(_) => (failure, "signed in again"),
                        Err(SignInError::Call(cause)) if cause.is_retryable() => {
                            (*cause, "asking again")
                        }
                        Err(error) => return Ok(AskOutcome::SignedOut(error)),
                    }
                }
                Err(failure) => return Ok(AskOutcome::Undecided(failure)),
            };
            let difficulty = format!("{}: {failure}", self.name);
            if self.silence.is_over(&difficulty, consequence, note) {
                return Ok(AskOutcome::Silent);
            }
        }
    }
}

/// How long nobody has answered.
pub(super) struct Silence {
    since: Option<Instant>,
    patience: Duration,
}

impl Silence {
    pub(super) const fn new(poll: Poll) -> Self {
        Self {
            since: None,
            patience: poll.patience,
        }
    }

    /// Whether patience ends. The difficulty is told once and at the end, not at every pause.
    pub(super) fn is_over(
        &mut self,
        difficulty: &str,
        consequence: &str,
        note: &TellDifficulty<'_>,
    ) -> bool {
        if self.since.is_none() {
            note(format!("{difficulty}; {consequence}"));
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        let is_over = since.elapsed() >= self.patience;
        if is_over {
            note(format!(
                "{difficulty}; nobody answered for {} s, so the waiting ends",
                self.patience.as_secs()
            ));
        }
        is_over
    }
}
