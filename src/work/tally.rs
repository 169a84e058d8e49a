//! What this process started, whatever becomes of the journal.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Work;
use crate::journal::{ExportRecord, RunId};

/// How many exports this process started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Exports that were started.
    pub started: usize,
    /// Exports that may have been started: the calls' answers are not known.
    pub maybe_started: usize,
}

/// The calls of this process that started an export, or may have.
#[derive(Debug, Default)]
pub(super) struct Calls(Mutex<BTreeMap<(RunId, usize), u32>>);

impl Calls {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<(RunId, usize), u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call that is made next.
    pub(super) fn begin(&self, export: &ExportRecord) {
        *self.counts().entry(place(export)).or_default() += 1;
    }

    /// Takes a call off that started nothing.
    pub(super) fn end(&self, export: &ExportRecord) {
        if let Some(count) = self.counts().get_mut(&place(export)) {
            *count = count.saturating_sub(1);
        }
    }

    /// Takes every call of an export off, since none started anything.
    pub(super) fn forget(&self, export: &ExportRecord) {
        self.counts().remove(&place(export));
    }
}

fn place(export: &ExportRecord) -> (RunId, usize) {
    (export.run, export.position)
}

impl Work {
    /// What this process started so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for ((run, position), count) in self.inner.calls.counts().iter() {
            let is_started = || {
                let known = self.inner.journal.known_run(*run).ok().flatten();
                known.is_some_and(|run| {
                    let mut exports = run.exports.iter();
                    exports.any(|one| one.position == *position && one.export_arn.is_some())
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
