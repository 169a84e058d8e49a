//! Following exports until they end, and verifying the completed ones.
//!
//! There is no call that waits and none that cancels: an export goes on whether it is watched or
//! not. So a passing failure is noted and asked again, and only a refusal of `DescribeExport` ends
//! the watch undecided. A verification that fails in passing is tried again likewise, and is no outcome.

use std::time::Duration;

use futures_util::future;
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::event::{Event, ExportProgress, Side, Verification};
use super::start::take_over;
use super::verify::Look;
use super::{Poll, Session, Work, region_of};
use crate::aws::SignInError;
use crate::aws::failure::{Failure, FailureKind};
use crate::journal::{ExportRecord, JournalError, RunId, Stage, Verified};
use tableferry_policy::arn::Arn;

/// Why a run can no longer be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// There is no such run.
    #[error("the journal has no run {0}")]
    NoSuchRun(RunId),
    /// The source must be signed in again, which needs somebody.
    #[error("the source must be signed in again: {0}")]
    SignIn(#[from] SignInError),
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// How a run ended, or stands.
#[derive(Debug, Clone)]
pub struct RunOutcome {
    /// The run.
    pub run: RunId,
    /// Its exports, in the plan's order.
    pub exports: Vec<ExportRecord>,
}

/// A run's outcome in a word, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunStatus {
    /// Something is still to be done: `resume` goes on with it.
    CutOff,
    /// An export failed, or did not verify.
    Failed,
    /// A call was refused, or none started an export.
    Refused,
    /// Nobody could read the bucket, or ask after the export.
    Undecided,
    /// All complete and verified.
    Done,
}

/// Which completed exports of a run are verified.
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
    const fn is_due(self, export: &ExportRecord) -> bool {
        match export.verified {
            None => true,
            Some(Verified::Unknown) => !matches!(self, Self::Open),
            Some(Verified::Yes | Verified::No) => matches!(self, Self::All),
        }
    }
}

impl RunOutcome {
    /// The worst of the exports' outcomes.
    #[must_use]
    pub fn status(&self) -> RunStatus {
        self.exports
            .iter()
            .map(export_status)
            .min()
            .unwrap_or(RunStatus::Done)
    }
}

fn export_status(export: &ExportRecord) -> RunStatus {
    match (export.stage, export.verified) {
        // An export under way whose state nobody may read is marked so by the watch.
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
    /// Follows a run's exports until each has ended and was verified, or until `cancel`.
    ///
    /// Cancelling stops the waiting alone: the exports go on, and the outcome says so.
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
        let watches = run
            .exports
            .into_iter()
            .map(|export| self.watch(export, verify, &events, &cancel));
        let ended = future::join_all(watches).await;
        let exports = ended.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(RunOutcome { run: id, exports })
    }

    async fn watch(
        &self,
        mut export: ExportRecord,
        verify: Verify,
        events: &UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> Result<ExportRecord, FollowError> {
        let poll = self.inner.settings.poll;
        let mut pace = Pace::new(poll);
        let mut silence = Silence::new(poll);
        while export.stage == Stage::InProgress {
            let step = async {
                tokio::time::sleep(pace.next()).await;
                self.ask(&mut export, events).await
            };
            let asked = tokio::select! {
                biased;
                () = cancel.cancelled() => return Ok(export),
                step = step => step?,
            };
            match asked {
                Asked::Answered => silence = Silence::new(poll),
                Asked::Undecided => return Ok(export),
                Asked::Unanswered(difficulty, consequence) => {
                    let difficulty = format!("{}: {difficulty}", export.table());
                    if silence.is_over(&difficulty, consequence, events) {
                        return Ok(export);
                    }
                }
            }
        }
        if export.stage == Stage::Completed && verify.is_due(&export) {
            tokio::select! {
                biased;
                () = cancel.cancelled() => (export.verified, export.verified_at) = (None, None),
                verified = self.verify(&mut export, events) => verified?,
            }
        }
        Ok(export)
    }

    /// Verifies a completed export, and writes what it comes to into the journal. What passes is no
    /// outcome: until then the journal keeps what it holds.
    async fn verify(
        &self,
        export: &mut ExportRecord,
        events: &UnboundedSender<Event>,
    ) -> Result<(), FollowError> {
        let poll = self.inner.settings.poll;
        let mut pace = Pace::new(poll);
        let mut silence = Silence::new(poll);
        let mut is_second_look = false;
        (export.verified, export.verified_at) = (None, None);
        export.remarks.clear();
        let (verification, remarks) = loop {
            match self.look_at_files(export).await {
                // Something on the way may have damaged what was read: damage is looked at twice.
                Look::Told(Verification::Wrong { .. }, _) if !is_second_look => {
                    is_second_look = true;
                }
                Look::Told(verification, remarks) => break (verification, remarks),
                Look::Unanswered(failure) => {
                    let difficulty = format!("{}: verifying: {failure}", export.table());
                    if silence.is_over(&difficulty, "trying again", events) {
                        return Ok(());
                    }
                    tokio::time::sleep(pace.next()).await;
                }
                Look::SignedOut(error) => {
                    let table = export.table();
                    note(
                        events,
                        format!("{table}: not verified, since somebody must sign in: {error}"),
                    );
                    return Ok(());
                }
            }
        };
        let (verified, text) = verification.to_record();
        export.verified = Some(verified);
        export.verification = Some(text);
        let now = Timestamp::now();
        // As the journal keeps it.
        export.verified_at = Timestamp::from_millisecond(now.as_millisecond()).ok();
        export.remarks = remarks;
        self.inner.journal.update_export(export)?;
        let _ = events.send(Event::Export(ExportProgress::of(export)));
        Ok(())
    }

    /// Asks after an export once.
    async fn ask(
        &self,
        export: &mut ExportRecord,
        events: &UnboundedSender<Event>,
    ) -> Result<Asked, FollowError> {
        let session = match self.session(Side::Source) {
            Some(session) => session,
            None => self.renew(Side::Source).await?,
        };
        match describe(&session, export).await {
            Ok(described) => {
                take_over(export, &described);
                self.inner.journal.update_export(export)?;
                let mut progress = ExportProgress::of(export);
                if export.stage == Stage::InProgress
                    && let Some((files, bytes)) = self.files_seen(export).await
                {
                    progress.files_seen = Some(files);
                    progress.bytes_seen = Some(bytes);
                }
                let _ = events.send(Event::Export(progress));
                Ok(Asked::Answered)
            }
            Err(failure) if failure.is_passing() => Ok(Asked::Unanswered(failure, "asking again")),
            Err(failure) if failure.kind == FailureKind::Credentials => {
                match self.renew(Side::Source).await {
                    // Tried with the new credentials after the next pause.
                    Ok(_) => Ok(Asked::Unanswered(failure, "signed in again")),
                    Err(SignInError::Call(cause)) if cause.is_passing() => {
                        Ok(Asked::Unanswered(*cause, "asking again"))
                    }
                    Err(error) => Err(error.into()),
                }
            }
            Err(failure) => {
                // Not written to the journal: with the right to ask, `resume` can still decide it.
                export.verified = Some(Verified::Unknown);
                export.verification = Some(failure.to_string());
                let table = export.table();
                note(
                    events,
                    format!(
                        "{table}: {failure}; how the export stands is unknown{}",
                        way_to_know(&failure)
                    ),
                );
                Ok(Asked::Undecided)
            }
        }
    }
}

/// What asking after an export came to.
enum Asked {
    /// Its state is in the record.
    Answered,
    /// Nobody answered this time, and what is done about it.
    Unanswered(Failure, &'static str),
    /// Nobody may know how it stands.
    Undecided,
}

/// What would let somebody know how an export stands.
fn way_to_know(failure: &Failure) -> &'static str {
    match failure.kind {
        FailureKind::AccessDenied => {
            ", and it goes on: allow dynamodb:DescribeExport on the table's export/* to the source, then resume"
        }
        _ => "",
    }
}

fn note(events: &UnboundedSender<Event>, message: String) {
    let _ = events.send(Event::Noted { message });
}

async fn describe(
    session: &Session,
    export: &ExportRecord,
) -> Result<crate::aws::dynamodb::Export, Failure> {
    let arn = export.export_arn.as_deref().unwrap_or_default();
    let arn: Arn = arn.parse().map_err(|error| Failure {
        kind: FailureKind::Service,
        operation: "dynamodb:DescribeExport".to_owned(),
        target: arn.to_owned(),
        code: None,
        message: format!("{error}"),
        status: None,
        request_id: None,
        hint: None,
    })?;
    let region = region_of(&arn, session);
    session.dynamodb(&region).describe_export(&arn).await
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
struct Pace {
    pause: Duration,
    longest: Duration,
}

impl Pace {
    fn new(poll: Poll) -> Self {
        Self {
            pause: poll.first,
            longest: poll.longest,
        }
    }

    fn next(&mut self) -> Duration {
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
        let mut pace = Pace::new(Poll {
            first: Duration::from_secs(4),
            longest: Duration::from_secs(10),
            ..Poll::default()
        });
        let within = |pause: Duration, seconds: f64| {
            (seconds * 0.8..=seconds * 1.2).contains(&pause.as_secs_f64())
        };
        for expected in [4.0, 6.0, 9.0, 10.0, 10.0] {
            let pause = pace.next();
            assert!(
                within(pause, expected),
                "{pause:?} is not about {expected} s"
            );
        }
    }
}
