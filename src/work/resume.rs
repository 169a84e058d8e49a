//! Going on with what was cut off.

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::event::{Event, Side};
use super::follow::{FollowError, RunOutcome, Verify};
use super::{Session, Work};
use crate::journal::{JournalError, RunId, RunRecord};

/// Why a run could not be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// There is no such run.
    #[error("the journal has no run {0}")]
    NoSuchRun(RunId),
    /// The source is another account than the run's.
    #[error("run {run} belongs to account {expected}, but the source is signed in to {found}")]
    OtherAccount {
        /// The run.
        run: RunId,
        /// The run's account.
        expected: String,
        /// The account of the source's session.
        found: String,
    },
    /// The source is not signed in.
    #[error("the source is not signed in")]
    NotSignedIn,
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
        let (run, session) = self.run_with_session(id)?;
        self.make_calls(&session, run, &events, &cancel).await?;
        Ok(self.follow(id, verify, events, cancel).await?)
    }

    /// A run, and the session of its source.
    pub(super) fn run_with_session(&self, id: RunId) -> Result<(RunRecord, Session), ResumeError> {
        let run = self
            .inner
            .journal
            .run(id)?
            .ok_or(ResumeError::NoSuchRun(id))?;
        let session = self.session(Side::Source).ok_or(ResumeError::NotSignedIn)?;
        // A token means something only in the account in which it was used first.
        if session.identity.account.as_str() != run.source_account {
            return Err(ResumeError::OtherAccount {
                run: id,
                expected: run.source_account,
                found: session.identity.account.to_string(),
            });
        }
        Ok((run, session))
    }
}
