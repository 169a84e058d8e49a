//! What this process learnt of operations and could not write.
//!
//! A disk may fill up, or a directory vanish, while calls are made. What was started then runs on, and
//! is told as long as the process lives, whatever the file says.

use std::collections::BTreeMap;

use super::operation::Operation;
use super::record::RunRecord;
use super::row::{OperationId, RunId};
use super::{Journal, JournalError};

/// Runs as they were last read, and what is newer than the file.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    seen: BTreeMap<RunId, RunRecord>,
    operations: BTreeMap<OperationId, Operation>,
}

impl Unwritten {
    /// Puts what is newer over what was read.
    fn complete(&self, mut run: RunRecord) -> RunRecord {
        for operation in &mut run.operations {
            if let Some(newer) = self.operations.get(&operation.id) {
                operation.clone_from(newer);
            }
        }
        run
    }
}

impl Journal {
    /// A run as this process knows it: as the file has it, with what could not be written; as it was
    /// last read where the file cannot be.
    pub fn known_run(&self, id: RunId) -> Result<Option<RunRecord>, JournalError> {
        let read = self.run(id);
        let unwritten = self.unwritten();
        match read {
            Ok(run) => Ok(run.map(|run| unwritten.complete(run))),
            Err(error) => match unwritten.seen.get(&id) {
                Some(run) => Ok(Some(unwritten.complete(run.clone()))),
                None => Err(error),
            },
        }
    }

    /// Keeps a run as it was read.
    pub(super) fn keep_seen(&self, run: &RunRecord) {
        self.unwritten().seen.insert(run.id, run.clone());
    }

    /// Keeps an operation as it should have been written, or drops what was kept once it is.
    pub(super) fn keep_unwritten<T>(
        &self,
        operation: &Operation,
        written: Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut unwritten = self.unwritten();
        if written.is_ok() {
            unwritten.operations.remove(&operation.id);
        } else {
            unwritten.operations.insert(operation.id, operation.clone());
        }
        written
    }
}
