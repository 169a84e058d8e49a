//! The locks between processes of one journal.
//!
//! AWS writes policies without a condition on what stood there before. So the reading, the writing
//! and the reading back of one process must not mix with another's, or a statement is lost. And a
//! probe that another process is making is no remainder of a crash, which may be taken back. The
//! operating system gives a lock up when its holder dies, however it dies.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use super::{Journal, JournalError};
use crate::private_file;

/// Held while an account is changed; given up when it is dropped.
#[derive(Debug)]
#[must_use = "the lock is given up when it is dropped"]
pub struct ChangeLock {
    /// `None` for a journal in memory, which no other process has.
    _file: Option<File>,
}

/// Held while a probe is made, beside others, or alone while what earlier ones left is taken back;
/// given up when it is dropped.
#[derive(Debug)]
#[must_use = "the lock is given up when it is dropped"]
pub struct ProbeLock {
    /// `None` for a journal in memory, which no other process has.
    _file: Option<File>,
}

/// Held while items are written into a table; given up when it is dropped.
#[derive(Debug)]
#[must_use = "the lock is given up when it is dropped"]
pub struct TableLock {
    /// `None` for a journal in memory, which no other process has.
    _file: Option<File>,
}

/// What taking a lock came to.
enum Taken {
    /// It is ours; without a file there is nobody else.
    Ours(Option<File>),
    /// Another process holds it.
    Theirs,
}

impl Journal {
    /// Takes the lock for changes; `None` while another process holds it.
    pub fn try_lock_changes(&self) -> Result<Option<ChangeLock>, JournalError> {
        Ok(match take(self.lock_path(), File::try_lock)? {
            Taken::Ours(file) => Some(ChangeLock { _file: file }),
            Taken::Theirs => None,
        })
    }

    /// Takes the lock for making a probe, which others may hold at the same time; `None` while another
    /// process takes back what earlier probes left.
    pub fn try_lock_probe(&self) -> Result<Option<ProbeLock>, JournalError> {
        let taken = take(self.beside(".probes.lock"), File::try_lock_shared)?;
        Ok(probe_lock(taken))
    }

    /// Takes the lock for taking back what earlier probes left; `None` while another process makes one.
    pub fn try_lock_earlier_probes(&self) -> Result<Option<ProbeLock>, JournalError> {
        let taken = take(self.beside(".probes.lock"), File::try_lock)?;
        Ok(probe_lock(taken))
    }

    /// Takes the lock for writing into a table, by its ARN; `None` while another process writes into it.
    pub fn try_lock_table(&self, arn: &str) -> Result<Option<TableLock>, JournalError> {
        let digest = hex::encode(Sha256::digest(arn));
        let name = digest.get(..16).unwrap_or_default();
        let path = self.beside(&format!(".table-{name}.lock"));
        Ok(match take(path, File::try_lock)? {
            Taken::Ours(file) => Some(TableLock { _file: file }),
            Taken::Theirs => None,
        })
    }

    /// The file of the lock for changes, beside the journal; `None` for a journal in memory.
    #[must_use]
    pub fn lock_path(&self) -> Option<PathBuf> {
        self.beside(".changes.lock")
    }

    /// A file beside the journal; `None` for a journal in memory.
    fn beside(&self, ending: &str) -> Option<PathBuf> {
        let mut name = self.path.as_ref()?.as_os_str().to_owned();
        name.push(ending);
        Some(PathBuf::from(name))
    }
}

fn take(
    path: Option<PathBuf>,
    lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> Result<Taken, JournalError> {
    let Some(path) = path else {
        return Ok(Taken::Ours(None));
    };
    let describe = |cause| JournalError::Unreachable {
        path: path.clone(),
        cause,
    };
    let file = private_file::open(&path).map_err(describe)?;
    match lock(&file) {
        Ok(()) => Ok(Taken::Ours(Some(file))),
        Err(TryLockError::WouldBlock) => Ok(Taken::Theirs),
        Err(TryLockError::Error(cause)) => Err(describe(cause)),
    }
}

fn probe_lock(taken: Taken) -> Option<ProbeLock> {
    match taken {
        Taken::Ours(file) => Some(ProbeLock { _file: file }),
        Taken::Theirs => None,
    }
}
