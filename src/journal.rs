//! The journal: what was done, in one SQLite file, written before the deed.
//!
//! It decides what survives a crash. A run and the client token of each of its operations are written
//! in one transaction before the first call is made, so that a call whose answer never came can be
//! repeated word for word: DynamoDB answers a repeated token with the same export (API reference of
//! `ExportTableToPointInTime`, `ClientToken`). A change of an account is written with the document that
//! stood there before, so that it can be undone, and a probe before its upload is begun, so that what a
//! crash leaves of it can be found. What was read before an export was started is kept as a digest, so
//! that an export that completed can speak for a later one. It holds no credentials.
//!
//! All of them are operations, in one table. The journal knows what every operation has, and keeps
//! what only its kind can read as it is given.

mod call;
mod change;
mod export;
mod finish;
mod health;
mod import;
mod imported;
mod load;
mod lock;
mod masking;
mod operation;
mod probe;
mod record;
mod row;
mod schema;
mod unwritten;
mod verification;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};

pub use call::RefusedCall;
pub use change::{
    ChangeId, ChangeKind, ChangeRecord, ChangeStage, ChangeTarget, NewChange, UnknownKind,
};
pub use export::{EXPORT, ExportRecord, ExportResult, new_export};
pub use finish::FinishCallStage;
pub use health::JournalHealth;
pub use import::{IMPORT, ImportResult, new_import};
pub use imported::{ImportedExport, ImportedRecord};
pub use load::{LOAD, LoadResult, REPLAY, new_load};
pub use lock::{ChangeLock, ProbeLock, TableLock};
pub use masking::{MaskingRecord, NewMasking};
pub use operation::{NewOperation, Operation, Stage, Verified};
pub use probe::{NewProbe, ProbeId, ProbeRecord, ProbeStage};
pub use record::{NewRun, RunRecord};
pub use row::{OperationId, RunId};
pub use verification::{ArchiveVerification, VerificationId, VerificationRecord};

use crate::private_file;
use row::Milliseconds;
use unwritten::Unwritten;

/// Why the journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The directory or the file cannot be made or opened.
    #[error("cannot open the journal {}: {cause}", path.display())]
    Unreachable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// The file is not a journal, or damaged.
    #[error("the journal {} is damaged or not a journal: {cause}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        cause: rusqlite::Error,
    },
    /// A database, but another program's.
    #[error("{} is a database of another program, not tableferry's journal", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another process holds the file.
    #[error("the journal {} is held by another process", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// A later version of the program wrote the file.
    #[error("the journal {} was written by a later version (format {found}, this one knows {known})", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The format found.
        found: i32,
        /// The format this program writes.
        known: i32,
    },
    /// A statement failed.
    #[error("the journal could not be read or written: {0}")]
    Sqlite(rusqlite::Error),
    /// The same plan was begun elsewhere while this run was getting ready.
    #[error("run {0}, begun meanwhile, asks for the same")]
    BegunMeanwhile(RunId),
    /// A later version of the program recorded an operation of this kind.
    #[error("the journal has an operation of a kind that this version does not know: {0}")]
    UnknownKind(String),
    /// An entry does not read back.
    #[error("an entry of the journal does not read back: {0}")]
    Entry(String),
}

impl From<rusqlite::Error> for JournalError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::FromSqlConversionFailure(_, _, cause)
                if cause.is::<row::Damaged>() =>
            {
                Self::Entry(cause.to_string())
            }
            error => Self::Sqlite(error),
        }
    }
}

impl JournalError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreachable { .. } => {
                "check the directory's owner and permissions, or name another with TABLEFERRY_STATE_DIR".to_owned()
            }
            Self::Damaged { path, .. } => format!(
                "nothing was started; move {} aside and start again; `aws dynamodb list-exports` shows the exports of the last 90 days",
                path.display()
            ),
            Self::Foreign { .. } => "it was left as it is; name another directory with TABLEFERRY_STATE_DIR".to_owned(),
            Self::Locked { .. } => "wait for the other tableferry to end, or end it, and try again; the file is sound".to_owned(),
            Self::BegunMeanwhile(run) => format!("nothing more was started; `tableferry resume {run}` follows it, `run --again` exports once more"),
            Self::TooNew { .. } | Self::UnknownKind(_) => "use the later version of tableferry".to_owned(),
            Self::Sqlite(cause) => statement_hint(cause).to_owned(),
            Self::Entry(_) => {
                "the journal was changed by something else, or is damaged: move it aside to start again".to_owned()
            }
        }
    }
}

/// What to do about a statement that failed, by SQLite's own code.
fn statement_hint(cause: &rusqlite::Error) -> &'static str {
    match cause.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another process holds the journal: wait for it to end"
        }
        Some(ErrorCode::DiskFull) => "the disk is full: make room",
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "the file or its directory cannot be written: check owner, permissions and mount, or name another directory with TABLEFERRY_STATE_DIR"
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the file is damaged: move it aside; `aws dynamodb list-exports` shows the exports of the last 90 days"
        }
        _ => "check the disk and its mount",
    }
}

/// The journal, open. Calls are short and synchronous: a few rows on a local disk.
#[derive(Debug)]
pub struct Journal {
    connection: Mutex<Connection>,
    unwritten: Mutex<Unwritten>,
    /// Where the file is; `None` for a journal in memory.
    path: Option<PathBuf>,
}

impl Journal {
    /// Opens the journal of a state directory, where nobody else can put another in its place.
    pub fn open_in(directory: &Path) -> Result<Self, JournalError> {
        let path = directory.join("journal.db");
        private_file::create_directory(directory)
            .and_then(|()| private_file::check_directory(directory))
            .map_err(|cause| JournalError::Unreachable {
                path: path.clone(),
                cause,
            })?;
        Self::open(&path)
    }

    /// Opens the journal at `path`, and makes it, readable by its owner alone, where there is none.
    ///
    /// The file is made before SQLite would make it, so that it is never readable by others, not even
    /// for a moment. SQLite gives its companion files the same permissions.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let made = || {
            let directory = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            directory.map_or(Ok(()), private_file::create_directory)?;
            let path = private_file::without_links(path)?;
            private_file::open(&path).map(|_| path)
        };
        let path = made().map_err(|cause| JournalError::Unreachable {
            path: path.to_owned(),
            cause,
        })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection = Connection::open_with_flags(&path, flags)
            .map_err(|cause| schema::failure(&path, cause))?;
        schema::prepare(&connection, &path)?;
        Ok(Self {
            connection: Mutex::new(connection),
            unwritten: Mutex::default(),
            path: Some(path),
        })
    }

    /// A journal that is gone with the process, for practice.
    pub fn in_memory() -> Result<Self, JournalError> {
        let connection = Connection::open_in_memory()?;
        schema::prepare(&connection, Path::new(":memory:"))?;
        Ok(Self {
            connection: Mutex::new(connection),
            unwritten: Mutex::default(),
            path: None,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere leaves SQLite's own state whole: a transaction not committed is undone.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn unwritten(&self) -> MutexGuard<'_, Unwritten> {
        self.unwritten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the newest run; 0 where there is none.
    pub fn newest(&self) -> Result<RunId, JournalError> {
        let newest = self
            .lock()
            .query_row("SELECT coalesce(max(id), 0) FROM run", [], |row| row.get(0))?;
        Ok(RunId(newest))
    }

    /// Writes a run and all its operations, tokens included, in one transaction.
    ///
    /// `known` is the newest run that was looked at when this one was agreed to, where a later one counts.
    /// A later one of the same digest, or with an operation that asks for the same, is
    /// [`JournalError::BegunMeanwhile`], and nothing is written: two processes that run the same plan at
    /// once, or one of them some of its tables, would export twice.
    pub fn record_run(
        &self,
        run: &NewRun<'_>,
        operations: &[NewOperation],
        now: Timestamp,
        known: Option<RunId>,
    ) -> Result<RunId, JournalError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(known) = known {
            refuse_duplicates(&transaction, run, operations, known)?;
        }
        transaction.execute(
            "INSERT INTO run (created_at, plan, digest, source_arn, source_account, source_region, destination,
                              destination_arn)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                Milliseconds(now),
                run.plan,
                run.digest,
                run.source_arn,
                run.source_account,
                run.source_region,
                run.destination,
                run.destination_arn
            ],
        )?;
        let id = transaction.last_insert_rowid();
        for (position, operation) in operations.iter().enumerate() {
            operation::insert(&transaction, (RunId(id), position), operation, now)?;
        }
        transaction.commit()?;
        Ok(RunId(id))
    }

    /// Writes an operation's state over what was there, in one statement.
    ///
    /// Another process may go on with the same run. So what it learnt is never unlearnt: a record that
    /// names nothing that was started does not replace one that does, and what is known of the calls is
    /// not touched.
    ///
    /// What cannot be written is kept, for [`Journal::known_run`].
    pub fn update_operation(&self, operation: &Operation) -> Result<(), JournalError> {
        self.keep_unwritten(operation, self.write_operation(operation))
    }

    fn write_operation(&self, operation: &Operation) -> Result<(), JournalError> {
        let connection = self.lock();
        let is_known = operation::update(&connection, operation)?
            || connection.query_row(
                "SELECT count(*) > 0 FROM operation WHERE id = ?1",
                [operation.id],
                |row| row.get(0),
            )?;
        if is_known {
            Ok(())
        } else {
            Err(no_such_operation(operation.id))
        }
    }

    /// One run with its operations, or `None` where there is no such run.
    pub fn run(&self, id: RunId) -> Result<Option<RunRecord>, JournalError> {
        let connection = self.lock();
        let run = connection
            .query_row(
                &format!("{} WHERE id = ?1", record::SELECT_RUN),
                [id],
                record::read_run,
            )
            .optional()?;
        let run = run
            .map(|run| with_operations(&connection, run))
            .transpose()?;
        drop(connection);
        if let Some(run) = &run {
            self.keep_seen(run);
        }
        Ok(run)
    }

    /// All runs since `since`, the newest first.
    pub fn runs_since(&self, since: Timestamp) -> Result<Vec<RunRecord>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare(&format!(
            "{} WHERE created_at >= ?1 ORDER BY id DESC",
            record::SELECT_RUN
        ))?;
        let runs = statement
            .query_map([Milliseconds(since)], record::read_run)?
            .collect::<Result<Vec<_>, _>>()?;
        runs.into_iter()
            .map(|run| with_operations(&connection, run))
            .collect()
    }

    /// All runs, the newest first.
    pub fn runs(&self) -> Result<Vec<RunRecord>, JournalError> {
        self.runs_since(Timestamp::UNIX_EPOCH)
    }

    /// The runs that `resume` would go on with, the oldest first.
    pub fn open_runs(&self) -> Result<Vec<RunRecord>, JournalError> {
        let mut runs = self.runs()?;
        runs.retain(RunRecord::is_open);
        runs.reverse();
        Ok(runs)
    }
}

/// Refuses a run where one after `known` asks for the same, or for one of the same operations.
fn refuse_duplicates(
    connection: &Connection,
    run: &NewRun<'_>,
    operations: &[NewOperation],
    known: RunId,
) -> Result<(), JournalError> {
    let twin = connection
        .query_row(
            "SELECT id FROM run WHERE id > ?1 AND digest = ?2 ORDER BY id LIMIT 1",
            params![known, run.digest],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(id) = twin {
        return Err(JournalError::BegunMeanwhile(RunId(id)));
    }
    for held in operation::of_later_runs(connection, known)? {
        if operations.iter().any(|new| new.asks_for_the_same(&held)) {
            return Err(JournalError::BegunMeanwhile(held.run));
        }
    }
    Ok(())
}

fn no_such_operation(id: OperationId) -> JournalError {
    JournalError::Entry(format!("there is no operation {}", id.0))
}

fn with_operations(connection: &Connection, mut run: RunRecord) -> Result<RunRecord, JournalError> {
    run.operations = operation::of_run(connection, run.id)?;
    for operation in &run.operations {
        // What does not read back is told here, and nowhere later.
        export::read_export(operation)?;
    }
    Ok(run)
}

#[cfg(test)]
mod tests;
