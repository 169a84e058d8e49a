//! The lock that keeps two processes of one journal from changing an account at the same time.
//!
//! AWS writes policies without a condition on what stood there before. So the reading, the writing
//! and the reading back of one process must not mix with another's, or a statement is lost. The
//! operating system gives the lock up when its holder dies, however it dies.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use super::{Journal, JournalError};

/// Held while an account is changed; given up when it is dropped.
#[derive(Debug)]
#[must_use = "the lock is given up when it is dropped"]
pub struct ChangeLock {
    /// `None` for a journal in memory, which no other process has.
    _file: Option<File>,
}

impl Journal {
    /// Takes the lock for changes; `None` while another process holds it.
    pub fn try_lock_changes(&self) -> Result<Option<ChangeLock>, JournalError> {
        let Some(path) = self.lock_path() else {
            return Ok(Some(ChangeLock { _file: None }));
        };
        let told = |cause| JournalError::Unreachable {
            path: path.clone(),
            cause,
        };
        super::create_private(&path).map_err(told)?;
        let file = File::options().append(true).open(&path).map_err(told)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(ChangeLock { _file: Some(file) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(cause)) => Err(told(cause)),
        }
    }

    /// The lock's file, beside the journal; `None` for a journal in memory.
    #[must_use]
    pub fn lock_path(&self) -> Option<PathBuf> {
        let mut name = self.path.as_ref()?.as_os_str().to_owned();
        name.push(".changes.lock");
        Some(PathBuf::from(name))
    }
}
