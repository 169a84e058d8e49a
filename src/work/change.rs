//! Changes of accounts: applied with consent, waited for until they hold, and taken away again.
//!
//! It decides when a change may be written: not without a row in the journal, not while another of
//! our processes changes something, and not where the document is no longer the one that was shown.
//! AWS writes policies without a condition on what stood there before, so that an update that is lost
//! to somebody else's write cannot be prevented; it is read back and told.

mod apply;
mod in_flight;
mod propagation;
mod proposal;
mod target;
mod undo;

use std::time::Duration;

pub(super) use apply::Writing;
pub use apply::{Applied, ApplyError, ReadBack};
pub use propagation::{PropagationReport, PropagationStatus};
pub use proposal::{Proposal, not_proposed, proposals};
pub(super) use target::TargetState;
pub use undo::{UndoError, UndoProposal, Undone};

use super::Work;
pub use crate::journal::{ChangeId, ChangeKind, ChangeRecord, ChangeStage, ChangeTarget};
use crate::journal::{ChangeLock, JournalError};

/// The pace of changes, set once by configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropagationPolicy {
    /// The first pause between two looks at whether a change is there; each is twice as long as the
    /// one before.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// How often a written document is read back before it is called lost.
    pub read_backs: u32,
    /// How long a change is waited for altogether.
    pub patience: Duration,
    /// How long another of our processes is waited for.
    pub lock_patience: Duration,
}

/// How often the lock of another process is looked at.
pub(super) const LOCK_PAUSE: Duration = Duration::from_millis(50);

impl Default for PropagationPolicy {
    /// IAM and KMS are eventually consistent: "changes that I make are not always immediately
    /// visible" (IAM user guide, troubleshooting), KMS within five minutes at the most ("AWS KMS
    /// eventual consistency").
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(15),
            read_backs: 5,
            patience: Duration::from_mins(6),
            lock_patience: Duration::from_secs(30),
        }
    }
}

impl PropagationPolicy {
    /// The pauses, one after another, without end.
    fn pauses(self) -> impl Iterator<Item = Duration> {
        std::iter::successors(Some(self.first), move |pause| {
            Some((*pause * 2).min(self.longest))
        })
    }
}

impl Work {
    /// All changes of the journal: those that are still in place first, the newest of each first.
    pub fn changes(&self) -> Result<Vec<ChangeRecord>, JournalError> {
        self.inner.journal.changes()
    }

    /// One change, or `None` where the journal has none of this number.
    pub fn change(&self, id: ChangeId) -> Result<Option<ChangeRecord>, JournalError> {
        self.inner.journal.change(id)
    }

    /// The name that has to be typed before an account is changed: of the first of these accounts
    /// that is marked production.
    #[must_use]
    pub fn name_to_type<'a>(
        &self,
        accounts: impl IntoIterator<Item = &'a tableferry_policy::arn::AccountId>,
    ) -> Option<&str> {
        let production = &self.inner.settings.production;
        accounts
            .into_iter()
            .find_map(|account| production.get(account))
            .map(String::as_str)
    }

    /// Takes the lock for changes, waiting for another process that holds it; `None` where that
    /// takes too long.
    async fn lock_changes(&self) -> Result<Option<ChangeLock>, JournalError> {
        let pace = self.inner.settings.propagation;
        let begun = tokio::time::Instant::now();
        loop {
            if let Some(lock) = self.inner.journal.try_lock_changes()? {
                return Ok(Some(lock));
            }
            if begun.elapsed() >= pace.lock_patience {
                return Ok(None);
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
    }
}
