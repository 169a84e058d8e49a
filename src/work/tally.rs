//! What this process started, whatever becomes of the journal.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Work;
use crate::journal::{Operation, OperationId, RunId};

/// How many operations this process started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that were started.
    pub started: usize,
    /// Those that may have been started: the calls' answers are not known.
    pub maybe_started: usize,
}

/// The calls of this process that started an operation, or may have.
#[derive(Debug, Default)]
pub(super) struct StartCalls(Mutex<BTreeMap<(RunId, OperationId), u32>>);

impl StartCalls {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<(RunId, OperationId), u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call that is made next.
    pub(super) fn begin(&self, record: &Operation) {
        *self.counts().entry(place(record)).or_default() += 1;
    }

    /// Takes a call off that started nothing.
    pub(super) fn end(&self, record: &Operation) {
        if let Some(count) = self.counts().get_mut(&place(record)) {
            *count = count.saturating_sub(1);
        }
    }

    /// Takes every call of an operation off, since none started anything.
    pub(super) fn forget(&self, record: &Operation) {
        self.counts().remove(&place(record));
    }
}

fn place(record: &Operation) -> (RunId, OperationId) {
    (record.run, record.id)
}

impl Work {
    /// What this process started so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for ((run, id), count) in self.inner.calls.counts().iter() {
            let is_started = || {
                let known = self.inner.journal.known_run(*run).ok().flatten();
                known.is_some_and(|run| {
                    let mut operations = run.operations.iter();
                    operations.any(|one| one.id == *id && one.arn.is_some())
                })
            };
            match *count {
                0 => {}
                _ if is_started() => tally.started += 1,
                _ => tally.maybe_started += 1,
            }
        }
        tally
    }
}
