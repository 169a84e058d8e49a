//! The journal's tables, and the steps from each format to the next.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::JournalError;
use super::change::SELECT_CHANGE;
use super::probe::{CREATE_PROBE, SELECT_PROBE};
use super::record::{SELECT_EXPORTS, SELECT_RUN};

/// One step for each format: step n leads from format n to format n + 1.
pub(super) const STEPS: &[&str] = &[
    "
    CREATE TABLE run (
        id             INTEGER PRIMARY KEY,
        created_at     INTEGER NOT NULL,  -- milliseconds since 1970
        plan           TEXT NOT NULL,     -- the plan file as it stood
        digest         TEXT NOT NULL,     -- tells whether two plans ask for the same
        source_arn     TEXT NOT NULL,
        source_account TEXT NOT NULL,
        source_region  TEXT NOT NULL,
        destination    TEXT NOT NULL      -- the bucket and prefix, for people
    ) STRICT;
    CREATE TABLE export (
        run               INTEGER NOT NULL REFERENCES run (id),
        position          INTEGER NOT NULL,
        table_arn         TEXT NOT NULL,
        client_token      TEXT NOT NULL UNIQUE,
        request           TEXT NOT NULL,  -- the call's parameters, JSON
        stage             TEXT NOT NULL,
        called_at         INTEGER,
        export_arn        TEXT,
        started_at        INTEGER,
        ended_at          INTEGER,
        failure_code      TEXT,
        failure_message   TEXT,
        item_count        INTEGER,
        billed_size_bytes INTEGER,
        manifest          TEXT,
        verified          TEXT,
        verification      TEXT,
        PRIMARY KEY (run, position)
    ) STRICT;
",
    "
    CREATE TABLE change (
        id             INTEGER PRIMARY KEY,
        created_at     INTEGER NOT NULL,
        account        TEXT NOT NULL,     -- the account that is changed
        source_account TEXT NOT NULL,     -- the account that exports
        sign_in        TEXT NOT NULL,     -- how the side that writes signs in, JSON
        plan           TEXT NOT NULL,     -- the plan file that it is made for
        kind           TEXT NOT NULL,
        target         TEXT NOT NULL,     -- JSON
        title          TEXT NOT NULL,
        before         TEXT,              -- the document as it stood
        after          TEXT,              -- the document as it is written
        added          TEXT NOT NULL,     -- the Sids that are added, JSON
        stage          TEXT NOT NULL,
        written_at     INTEGER,
        held_at        INTEGER,
        undone_at      INTEGER,
        undone_from    TEXT               -- the document as it stood before the undo
    ) STRICT;
",
    // What bore on the export when it was started, as digests; none of one started without a survey.
    "
    ALTER TABLE export ADD COLUMN writing_fingerprint TEXT;
    ALTER TABLE export ADD COLUMN reading_fingerprint TEXT;
",
    CREATE_PROBE,
    // Calls that may have started an export, with times by AWS's clock in milliseconds since 1970, and
    // whose word settled it. Of calls made before, nobody knows the age.
    "
    ALTER TABLE export ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE export ADD COLUMN first_called INTEGER;
    ALTER TABLE export ADD COLUMN last_called INTEGER;
    ALTER TABLE export ADD COLUMN settled_by TEXT;
    ALTER TABLE export ADD COLUMN settled_at INTEGER;
    UPDATE export SET unanswered = 1, stage = 'CALLING'
    WHERE called_at IS NOT NULL AND export_arn IS NULL AND stage IN ('PLANNED', 'CALLING');
",
    // When an export's files were looked at, and what else was seen, one remark a line. Of what was
    // verified before, nobody wrote down when.
    "
    ALTER TABLE export ADD COLUMN verified_at INTEGER;
    ALTER TABLE export ADD COLUMN remarks TEXT NOT NULL DEFAULT '';
",
];

/// How long an opening waits for another process: somebody sits before it.
const LOCK_AT_OPENING: Duration = Duration::from_secs(10);

/// How long a statement waits for other processes: what it writes was learnt at a price, and a disk
/// may take seconds for each of their writes.
const LOCK_AT_WORK: Duration = Duration::from_mins(1);

/// The format that this program writes.
const FORMAT: i32 = 6;

/// What SQLite says of a file, by its own code: a file that is held or cannot be written is whole.
pub(super) fn failure(path: &Path, cause: rusqlite::Error) -> JournalError {
    let path = path.to_owned();
    match cause.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => JournalError::Locked { path },
        Some(ErrorCode::ReadOnly | ErrorCode::DiskFull | ErrorCode::PermissionDenied) => {
            JournalError::Sqlite(cause)
        }
        _ => JournalError::Damaged { path, cause },
    }
}

/// Brings the file to the present format.
pub(super) fn prepare(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let told = |cause| failure(path, cause);
    connection.busy_timeout(LOCK_AT_OPENING).map_err(told)?;
    // FULL: a token must be on the disk before the call is made, also when the power fails.
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        .map_err(told)?;
    // The lock is taken before the format is read: two processes may make the file at once.
    connection.execute_batch("BEGIN IMMEDIATE").map_err(told)?;
    let outcome = upgrade(connection, path);
    let end = if outcome.is_ok() {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    connection.execute_batch(end).map_err(told)?;
    connection.busy_timeout(LOCK_AT_WORK).map_err(told)?;
    outcome
}

fn upgrade(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let told = |cause| failure(path, cause);
    let found: i32 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(told)?;
    if found > FORMAT {
        return Err(JournalError::TooNew {
            path: path.to_owned(),
            found,
            known: FORMAT,
        });
    }
    let is_foreign = match found {
        0 => has_tables(connection).map_err(told)?,
        _ => !has_own_tables(connection).map_err(told)?,
    };
    if is_foreign {
        return Err(JournalError::Foreign {
            path: path.to_owned(),
        });
    }
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        connection.execute_batch(step).map_err(told)?;
    }
    if found < FORMAT {
        connection
            .execute_batch(&format!("PRAGMA user_version = {FORMAT}"))
            .map_err(told)?;
    }
    check(connection, path)
}

/// A file in format 0 is a new one, and has no tables yet.
fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) > 0 FROM sqlite_schema", [], |row| {
        row.get(0)
    })
}

/// A file in a later format has at least the tables of the first.
fn has_own_tables(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT count(*) = 2 FROM sqlite_schema WHERE type = 'table' AND name IN ('run', 'export')",
        [],
        |row| row.get(0),
    )
}

/// Looks whether the file is whole and has the journal's tables, so that damage is told before
/// anything is started, not in the middle of it.
fn check(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let told = |cause| failure(path, cause);
    let finding: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(told)?;
    if finding != "ok" {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        let cause = rusqlite::Error::SqliteFailure(code, Some(finding));
        return Err(told(cause));
    }
    for statement in [SELECT_RUN, SELECT_EXPORTS, SELECT_CHANGE, SELECT_PROBE] {
        if connection.prepare(statement).is_err() {
            return Err(JournalError::Foreign {
                path: path.to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn a_step_leads_to_each_format() {
        assert_eq!(i32::try_from(STEPS.len()), Ok(FORMAT));
    }

    #[test]
    fn a_held_or_unwritable_file_is_not_called_damaged() {
        let said = |code| {
            let cause = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            failure(Path::new("/state/journal.db"), cause)
        };
        assert!(matches!(
            said(ffi::SQLITE_BUSY),
            JournalError::Locked { .. }
        ));
        assert!(matches!(said(ffi::SQLITE_FULL), JournalError::Sqlite(_)));
        assert!(matches!(
            said(ffi::SQLITE_READONLY),
            JournalError::Sqlite(_)
        ));
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB] {
            assert!(matches!(said(code), JournalError::Damaged { .. }));
        }
        assert!(!said(ffi::SQLITE_BUSY).hint().contains("aside"));
    }
}
