//! Going on with what was cut off.

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::Work;
use super::event::{Event, Side};
use super::follow::{FollowError, RunOutcome, Verify};
use super::operation::Callers;
use crate::journal::{JournalError, RunId, RunRecord};

/// Why a run could not be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// There is no such run.
    #[error("the journal has no run {0}")]
    NoSuchRun(RunId),
    /// A side is another account than the run's.
    #[error("run {run} belongs to account {expected}, but the {side} is signed in to {found}")]
    OtherAccount {
        /// The run.
        run: RunId,
        /// The run's account.
        expected: String,
        /// The side as which its calls are made.
        side: Side,
        /// The account of that side's session.
        found: String,
    },
    /// The side as which the run's calls are made is not signed in.
    #[error("the {0} is not signed in")]
    NotSignedIn(Side),
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Following failed.
    #[error(transparent)]
    Follow(#[from] FollowError),
}

impl Work {
    /// Looks up or repeats the calls whose answers never came, each by its token, then follows and
    /// verifies.
    ///
    /// The sides must be signed in as the run's plan says.
    pub async fn resume(
        &self,
        id: RunId,
        verify: Verify,
        events: UnboundedSender<Event>,
        cancel: CancellationToken,
    ) -> Result<RunOutcome, ResumeError> {
        let (run, callers) = self.resumable_run(id)?;
        self.make_calls(&callers, run, &events, &cancel).await?;
        Ok(self.follow(id, verify, events, cancel).await?)
    }

    /// A run, and the sessions as which its calls are made.
    pub(super) fn resumable_run(&self, id: RunId) -> Result<(RunRecord, Callers), ResumeError> {
        let run = self
            .inner
            .journal
            .run(id)?
            .ok_or(ResumeError::NoSuchRun(id))?;
        let mut callers = Callers::new();
        for record in &run.operations {
            let side = self.inner.kinds.of(record)?.side();
            let session = self.session(side).ok_or(ResumeError::NotSignedIn(side))?;
            // A token means something only in the account in which it was used first.
            if session.identity.account.as_str() != record.account {
                return Err(ResumeError::OtherAccount {
                    run: id,
                    expected: record.account.clone(),
                    side,
                    found: session.identity.account.to_string(),
                });
            }
            callers.insert(side, session);
        }
        Ok((run, callers))
    }
}
