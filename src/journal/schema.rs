//! The journal's tables, and the steps from each format to the next.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::JournalError;

/// One step for each format: step n leads from format n to format n + 1.
const STEPS: &[&str] = &["
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
"];

/// The format that this program writes.
const FORMAT: i32 = 1;

/// Brings the file to the present format.
pub(super) fn prepare(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let damaged = |cause| JournalError::Damaged {
        path: path.to_owned(),
        cause,
    };
    connection
        .busy_timeout(Duration::from_secs(5))
        .map_err(damaged)?;
    // FULL: a token must be on the disk before the call is made, also when the power fails.
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        .map_err(damaged)?;
    // The lock is taken before the format is read: two processes may make the file at once.
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(damaged)?;
    let outcome = upgrade(connection, path);
    let end = if outcome.is_ok() {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    connection.execute_batch(end).map_err(damaged)?;
    outcome
}

fn upgrade(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let damaged = |cause| JournalError::Damaged {
        path: path.to_owned(),
        cause,
    };
    let found: i32 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(damaged)?;
    if found > FORMAT {
        return Err(JournalError::TooNew {
            path: path.to_owned(),
            found,
            known: FORMAT,
        });
    }
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        connection.execute_batch(step).map_err(damaged)?;
    }
    connection
        .execute_batch(&format!("PRAGMA user_version = {FORMAT}"))
        .map_err(damaged)
}
