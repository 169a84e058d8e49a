//! Which runs' ends the operator's program was called for: once for each run, also across resumes.
//!
//! A row is written before the call, under the run's number. Its arguments are not kept: they may hold the
//! address of a web hook, which is a secret.

use jiff::Timestamp;
use rusqlite::params;
use serde_json::json;
use strum::{EnumString, IntoStaticStr};

use super::row::{Milliseconds, words};
use super::{Journal, JournalError, RunId};

/// How far such a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum FinishCallStage {
    /// It is made, or a crash came before it or between.
    Called,
    /// It ended well.
    Done,
    /// It did not.
    Failed,
}

words!(FinishCallStage, "stage of a call at a run's end");

impl Journal {
    /// Writes down that the program is called for a run's end; `false` where that was written down before,
    /// by whatever process.
    pub fn begin_finish_call(
        &self,
        run: RunId,
        program: &str,
        now: Timestamp,
    ) -> Result<bool, JournalError> {
        let written = self.lock().execute(
            "INSERT INTO operation (kind, number, created_at, account, subject, request, state, result)
             SELECT 'finish', id, ?2, source_account, destination, ?3, ?4, '{}' FROM run WHERE id = ?1
             ON CONFLICT (kind, number) DO NOTHING",
            params![
                run,
                Milliseconds(now),
                json!({ "program": program }).to_string(),
                FinishCallStage::Called,
            ],
        )?;
        Ok(written == 1)
    }

    /// Writes down how the call ended.
    pub fn end_finish_call(
        &self,
        run: RunId,
        stage: FinishCallStage,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        self.lock().execute(
            "UPDATE operation SET state = ?2, ended_at = ?3 WHERE kind = 'finish' AND number = ?1",
            params![run, stage, Milliseconds(now)],
        )?;
        Ok(())
    }
}
