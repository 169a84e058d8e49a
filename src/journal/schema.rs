//! The journal's tables, and the steps from each format to the next.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::JournalError;
use super::change::SELECT_CHANGE;
use super::operation::SELECT_OPERATION;
use super::probe::SELECT_PROBE;
use super::record::SELECT_RUN;

/// A new journal: the tables as the steps leave them.
const NEW: [&str; 2] = [
    "
    CREATE TABLE run (
        id              INTEGER PRIMARY KEY,
        created_at      INTEGER NOT NULL,  -- milliseconds since 1970
        plan            TEXT NOT NULL,     -- the plan file as it stood
        digest          TEXT NOT NULL,     -- tells whether two plans ask for the same
        source_arn      TEXT NOT NULL,
        source_account  TEXT NOT NULL,
        source_region   TEXT NOT NULL,
        destination     TEXT NOT NULL,     -- the bucket and prefix, for people
        destination_arn TEXT               -- who read on the destination's side when it was begun
    ) STRICT;
",
    OPERATIONS,
];

/// One step for each format: step n leads from format n to format n + 1.
pub(super) const STEPS: &[&[&str]] = &[
    &["
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
"],
    &["
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
"],
    // What bore on the export when it was started, as digests; none of one started without a survey.
    &["
    ALTER TABLE export ADD COLUMN writing_fingerprint TEXT;
    ALTER TABLE export ADD COLUMN reading_fingerprint TEXT;
"],
    &["
    CREATE TABLE probe (
        id             INTEGER PRIMARY KEY,
        created_at     INTEGER NOT NULL,
        principal      TEXT NOT NULL,     -- the principal that makes it
        source_account TEXT NOT NULL,     -- the account that makes it
        sign_in        TEXT NOT NULL,     -- how that side signs in, JSON
        plan           TEXT NOT NULL,     -- the plan file that is probed
        bucket         TEXT NOT NULL,
        owner          TEXT NOT NULL,
        region         TEXT NOT NULL,
        key            TEXT NOT NULL,
        upload_id      TEXT,
        stage          TEXT NOT NULL,
        settled_at     INTEGER
    ) STRICT;
"],
    // Calls that may have started an export, with times by AWS's clock in milliseconds since 1970, and
    // whose word settled it. Of calls made before, nobody knows the age.
    &["
    ALTER TABLE export ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE export ADD COLUMN first_called INTEGER;
    ALTER TABLE export ADD COLUMN last_called INTEGER;
    ALTER TABLE export ADD COLUMN settled_by TEXT;
    ALTER TABLE export ADD COLUMN settled_at INTEGER;
    UPDATE export SET unanswered = 1, stage = 'CALLING'
    WHERE called_at IS NOT NULL AND export_arn IS NULL AND stage IN ('PLANNED', 'CALLING');
"],
    // When an export's files were looked at, and what else was seen, one remark a line. Of what was
    // verified before, nobody wrote down when.
    &["
    ALTER TABLE export ADD COLUMN verified_at INTEGER;
    ALTER TABLE export ADD COLUMN remarks TEXT NOT NULL DEFAULT '';
"],
    &[OPERATIONS, INTO_OPERATIONS],
    // Who read on the destination's side when a run was begun.
    &["ALTER TABLE run ADD COLUMN destination_arn TEXT;"],
];

/// One table of all operations.
const OPERATIONS: &str = "
    CREATE TABLE operation (
        id                 INTEGER PRIMARY KEY,
        kind               TEXT NOT NULL,
        number             INTEGER,
        run                INTEGER REFERENCES run (id),
        position           INTEGER,
        created_at         INTEGER NOT NULL,  -- milliseconds since 1970, as all times
        account            TEXT NOT NULL,     -- the account in which its calls are made
        subject            TEXT NOT NULL,     -- what it works on: an ARN, an address, or words
        token              TEXT UNIQUE,       -- the client token, where the call takes one
        request            TEXT NOT NULL,     -- what is asked for: JSON of its kind, never changed
        state              TEXT NOT NULL,     -- a word of its kind; those of a run's are Stage's
        called_at          INTEGER,
        unanswered         INTEGER NOT NULL DEFAULT 0,
        first_called       INTEGER,           -- by AWS's clock
        last_called        INTEGER,           -- by AWS's clock
        settled_by         TEXT,
        settled_at         INTEGER,
        arn                TEXT,
        started_at         INTEGER,
        ended_at           INTEGER,
        failure_code       TEXT,
        failure_message    TEXT,
        failure_request_id TEXT,
        result             TEXT NOT NULL,     -- what was learnt: JSON of its kind
        verified           TEXT,
        verification       TEXT,
        verified_at        INTEGER,
        remarks            TEXT NOT NULL DEFAULT '',
        fingerprint        TEXT,              -- what was read before the start, as digests, JSON
        UNIQUE (kind, number),
        UNIQUE (run, position)
    ) STRICT;
";

/// Exports, changes and probes move into it. Changes and probes keep their numbers, which people were
/// told; an operation of a run has its place there.
const INTO_OPERATIONS: &str = "
    INSERT INTO operation (kind, run, position, created_at, account, subject, token, request, state,
                           called_at, unanswered, first_called, last_called, settled_by, settled_at,
                           arn, started_at, ended_at, failure_code, failure_message, result, verified,
                           verification, verified_at, remarks, fingerprint)
    SELECT 'export', run, position, created_at, source_account, table_arn, client_token, request, stage,
           called_at, unanswered, first_called, last_called, settled_by, settled_at,
           export_arn, started_at, ended_at, failure_code, failure_message,
           json_object('item_count', item_count, 'billed_size_bytes', billed_size_bytes,
                       'manifest', manifest),
           verified, verification, verified_at, remarks,
           CASE WHEN writing_fingerprint IS NOT NULL AND reading_fingerprint IS NOT NULL
                THEN json_object('writing', writing_fingerprint, 'reading', reading_fingerprint) END
    FROM export JOIN run ON run.id = export.run
    ORDER BY run, position;
    DROP TABLE export;
    INSERT INTO operation (kind, number, created_at, account, subject, request, state, started_at,
                           ended_at, result)
    SELECT 'change', id, created_at, account, title,
           json_object('source_account', source_account, 'sign_in', json(sign_in), 'plan', plan,
                       'target', json(target), 'before', before, 'after', after,
                       'added', json(added)),
           stage, written_at, held_at,
           json_object('undone_at', undone_at, 'undone_from', undone_from)
    FROM change ORDER BY id;
    DROP TABLE change;
    INSERT INTO operation (kind, number, created_at, account, subject, request, state, ended_at, result)
    SELECT 'probe', id, created_at, source_account, 's3://' || bucket || '/' || key,
           json_object('principal', principal, 'sign_in', json(sign_in), 'plan', plan,
                       'bucket', bucket, 'owner', owner, 'region', region, 'key', key),
           stage, settled_at, json_object('upload_id', upload_id)
    FROM probe ORDER BY id;
    DROP TABLE probe;
";

/// How long an opening waits for another process: somebody sits before it.
const LOCK_AT_OPENING: Duration = Duration::from_secs(10);

/// How long a statement waits for other processes: what it writes was learnt at a price, and a disk
/// may take seconds for each of their writes.
const LOCK_AT_WORK: Duration = Duration::from_mins(1);

/// The format that this program writes.
pub(super) const FORMAT: i32 = 8;

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
    let describe = |cause| failure(path, cause);
    connection.busy_timeout(LOCK_AT_OPENING).map_err(describe)?;
    // FULL: a token must be on the disk before the call is made, also when the power fails.
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        .map_err(describe)?;
    // The lock is taken before the format is read: two processes may make the file at once.
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(describe)?;
    let outcome = upgrade(connection, path);
    let end = if outcome.is_ok() {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    connection.execute_batch(end).map_err(describe)?;
    connection.busy_timeout(LOCK_AT_WORK).map_err(describe)?;
    outcome
}

fn upgrade(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let describe = |cause| failure(path, cause);
    let found: i32 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(describe)?;
    if found > FORMAT {
        return Err(JournalError::TooNew {
            path: path.to_owned(),
            found,
            known: FORMAT,
        });
    }
    let is_foreign = match found {
        0 => has_tables(connection).map_err(describe)?,
        _ => !has_own_tables(connection).map_err(describe)?,
    };
    if is_foreign {
        return Err(JournalError::Foreign {
            path: path.to_owned(),
        });
    }
    let steps = match usize::try_from(found) {
        Ok(0) | Err(_) => &[NEW.as_slice()],
        Ok(known) => STEPS.get(known..).unwrap_or_default(),
    };
    for statements in steps.iter().copied().flatten() {
        connection.execute_batch(statements).map_err(describe)?;
    }
    if found < FORMAT {
        connection
            .execute_batch(&format!("PRAGMA user_version = {FORMAT}"))
            .map_err(describe)?;
    }
    check(connection, path)
}

/// A file in format 0 is a new one, and has no tables yet.
fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) > 0 FROM sqlite_schema", [], |row| {
        row.get(0)
    })
}

/// A file in a later format has runs, and exports or operations.
fn has_own_tables(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT count(*) >= 2 FROM sqlite_schema
         WHERE type = 'table' AND name IN ('run', 'export', 'operation')",
        [],
        |row| row.get(0),
    )
}

/// Looks whether the file is whole and has the journal's tables, so that damage is told before
/// anything is started, not in the middle of it.
fn check(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let describe = |cause| failure(path, cause);
    let finding: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(describe)?;
    if finding != "ok" {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        let cause = rusqlite::Error::SqliteFailure(code, Some(finding));
        return Err(describe(cause));
    }
    for statement in [SELECT_RUN, SELECT_OPERATION, SELECT_CHANGE, SELECT_PROBE] {
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

    /// What SQLite says of every table's columns, and of what is unique in it.
    fn tables(statements: &[&str]) -> Vec<String> {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&statements.concat()).unwrap();
        let sql = "
            SELECT t.name || ' ' || c.cid || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\"
                   || ' ' || ifnull(c.dflt_value, '-') || ' ' || c.pk || ' ' || t.strict
            FROM pragma_table_list t, pragma_table_info(t.name) c
            UNION ALL
            SELECT m.name || ' ' || i.\"unique\" || ' ' || i.origin || ' ' || group_concat(x.name)
            FROM sqlite_schema m, pragma_index_list(m.name) i, pragma_index_info(i.name) x
            WHERE m.type = 'table' GROUP BY m.name, i.name
            UNION ALL
            SELECT m.name || ' ' || f.\"from\" || ' ' || f.\"table\" || ' ' || f.\"to\"
            FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'
            ORDER BY 1";
        let mut statement = connection.prepare(sql).unwrap();
        let lines = statement.query_map([], |row| row.get(0)).unwrap();
        lines.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_new_journal_has_the_tables_that_the_steps_lead_to() {
        let stepped = tables(&STEPS.concat());
        assert!(stepped.iter().any(|line| line.contains("destination_arn")));
        assert!(stepped.iter().any(|line| line.ends_with("run,position")));
        assert_eq!(tables(&NEW), stepped);
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
