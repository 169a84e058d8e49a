//! Looking at a journal's file without touching it, for the one who asks what is wrong.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rusqlite::{Connection, OpenFlags};

use super::schema::{self, FORMAT};
use super::{Journal, JournalError, RunId};

/// What the file of a journal is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalHealth {
    /// The file.
    pub path: PathBuf,
    /// The format that it is in, and the one that this version writes.
    pub format: (i32, i32),
    /// What SQLite's integrity check found, at most ten findings; none where it is whole.
    pub damage: Vec<String>,
    /// How many runs it holds; unknown of a damaged file, or of another format.
    pub runs: Option<u64>,
    /// The runs in which something is left to be done; unknown as well.
    pub open_runs: Option<Vec<RunId>>,
}

impl Journal {
    /// Looks at the journal at `path`. The file is neither made, nor brought to another format, nor written.
    ///
    /// # Errors
    /// Where it cannot be opened, is held, or is no file of SQLite's.
    pub fn examine(path: &Path) -> Result<JournalHealth, JournalError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let describe = |cause| schema::failure(path, cause);
        let connection = Connection::open_with_flags(path, flags).map_err(describe)?;
        let format: i32 = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(describe)?;
        let damage = findings(&connection).map_err(describe)?;
        let journal = Self {
            connection: Mutex::new(connection),
            unwritten: Mutex::default(),
            path: Some(path.to_owned()),
        };
        let is_readable = damage.is_empty() && format == FORMAT;
        let runs = is_readable.then(|| journal.runs()).transpose()?;
        let open = |runs: &Vec<super::RunRecord>| {
            let open = runs.iter().filter(|run| run.is_open());
            open.map(|run| run.id).collect()
        };
        Ok(JournalHealth {
            path: path.to_owned(),
            format: (format, FORMAT),
            damage,
            open_runs: runs.as_ref().map(open),
            runs: runs.map(|runs| runs.len() as u64),
        })
    }
}

/// The findings of SQLite's integrity check.
fn findings(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check(10)")?;
    let findings = statement.query_map([], |row| row.get(0))?;
    let findings: Vec<String> = findings.collect::<Result<_, _>>()?;
    Ok(findings.into_iter().filter(|text| text != "ok").collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_journal_is_whole_and_its_file_is_not_written() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("journal.db");
        drop(Journal::open(&path).unwrap());
        let before = std::fs::read(&path).unwrap();
        let health = Journal::examine(&path).unwrap();
        assert_eq!(health.damage, Vec::<String>::new());
        assert_eq!(health.format, (FORMAT, FORMAT));
        assert_eq!((health.runs, health.open_runs), (Some(0), Some(Vec::new())));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_missing_journal_is_not_made() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("journal.db");
        Journal::examine(&path).unwrap_err();
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_is_none_of_sqlites_is_called_damaged() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("journal.db");
        std::fs::write(&path, "x".repeat(4096)).unwrap();
        let error = Journal::examine(&path).unwrap_err();
        assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
    }

    #[test]
    fn a_journal_of_a_later_version_is_told_by_its_format() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("journal.db");
        drop(Journal::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("PRAGMA user_version = 99")
            .unwrap();
        drop(connection);
        let health = Journal::examine(&path).unwrap();
        assert_eq!(health.format.0, 99);
        assert_eq!(health.runs, None);
    }
}
