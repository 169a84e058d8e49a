//! The calls that start exports, as the journal counts them.
//!
//! A call is counted before it is made, and taken off only where its answer proves that it started
//! nothing. So as long as one is counted, the export may exist, whoever made the call and whatever a
//! later call is answered with. The times are AWS's: the age of a token is AWS's to judge.

use jiff::Timestamp;
use rusqlite::{TransactionBehavior, params};

use super::record::{ExportRecord, Stage};
use super::{Journal, JournalError, RunId};

/// What is left of an export whose call was answered with a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The error's code.
    pub code: Option<String>,
    /// The error's message.
    pub message: String,
    /// Whether the same call may be made again later, and be accepted.
    pub is_retryable: bool,
}

impl Journal {
    /// Counts a call that is made next; `signed_at` is the time that it is signed with, by AWS's clock.
    ///
    /// The record is read again. `false`: another process has settled the export meanwhile, and no call
    /// may be made.
    pub fn begin_call(
        &self,
        export: &mut ExportRecord,
        now: Timestamp,
        signed_at: Option<Timestamp>,
    ) -> Result<bool, JournalError> {
        let signed_at = signed_at.map(Timestamp::as_millisecond);
        let (is_begun, record) = self.change_export(
            place(export),
            "UPDATE export SET stage = 'CALLING', called_at = coalesce(called_at, ?3),
                    first_called = CASE WHEN unanswered = 0 THEN ?4 ELSE first_called END,
                    last_called = ?4, unanswered = unanswered + 1,
                    failure_code = NULL, failure_message = NULL
             WHERE run = ?1 AND position = ?2 AND export_arn IS NULL
               AND stage IN ('PLANNED', 'CALLING')",
            params![
                export.run.0,
                position(export),
                now.as_millisecond(),
                signed_at
            ],
        )?;
        *export = record;
        Ok(is_begun)
    }

    /// Takes a call off that started nothing. The refusal is final only where no other call is counted;
    /// otherwise the export stays as one that may have been started.
    pub fn end_refused_call(
        &self,
        export: &mut ExportRecord,
        refusal: &Refusal,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let (stage, ended_at) = if refusal.is_retryable {
            (Stage::Planned, None)
        } else {
            (Stage::Refused, Some(now.as_millisecond()))
        };
        let written = self.change_export(
            place(export),
            "UPDATE export SET stage = CASE WHEN unanswered <= 1 THEN ?3 ELSE 'CALLING' END,
                    ended_at = CASE WHEN unanswered <= 1 THEN ?4 END,
                    failure_code = ?5, failure_message = ?6, unanswered = max(unanswered - 1, 0)
             WHERE run = ?1 AND position = ?2 AND export_arn IS NULL AND stage = 'CALLING'",
            params![
                export.run.0,
                position(export),
                stage.as_str(),
                ended_at,
                refusal.code,
                refusal.message
            ],
        );
        if written.is_err() && export.unanswered <= 1 {
            export.stage = stage;
            export.failure_code.clone_from(&refusal.code);
            export.failure_message = Some(refusal.message.clone());
        }
        let (_, record) = self.keep_unwritten(export, written)?;
        *export = record;
        Ok(())
    }

    /// Notes that no call was made after `by`, a time of AWS's clock, where that was not known.
    pub fn bound_last_call(
        &self,
        export: &mut ExportRecord,
        by: Timestamp,
    ) -> Result<(), JournalError> {
        let (_, record) = self.change_export(
            place(export),
            "UPDATE export SET last_called = ?3
             WHERE run = ?1 AND position = ?2 AND unanswered > 0 AND last_called IS NULL",
            params![export.run.0, position(export), by.as_millisecond()],
        )?;
        *export = record;
        Ok(())
    }

    /// Takes every counted call off, since a look-up proved that none of them started an export; from
    /// then on the token is as good as new. Nothing is changed where a call was made meanwhile.
    pub fn forget_calls(&self, export: &mut ExportRecord) -> Result<(), JournalError> {
        let (_, record) = self.change_export(
            place(export),
            "UPDATE export SET stage = 'PLANNED', unanswered = 0, first_called = NULL, last_called = NULL
             WHERE run = ?1 AND position = ?2 AND export_arn IS NULL AND stage = 'CALLING'
               AND unanswered = ?3 AND last_called IS ?4",
            params![
                export.run.0,
                position(export),
                export.unanswered,
                export.last_called.map(Timestamp::as_millisecond)
            ],
        )?;
        *export = record;
        Ok(())
    }

    /// Settles by somebody's word what no look-up could: `arn` names the export that was started, and
    /// without one none was. `false`: there was nothing to settle.
    pub fn settle(
        &self,
        export: &mut ExportRecord,
        arn: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<bool, JournalError> {
        let stage = arn.map_or(Stage::NotStarted, |_| Stage::InProgress);
        let (is_settled, record) = self.change_export(
            place(export),
            "UPDATE export SET stage = ?3, export_arn = ?4, settled_by = ?5, settled_at = ?6
             WHERE run = ?1 AND position = ?2 AND export_arn IS NULL AND stage = 'CALLING'",
            params![
                export.run.0,
                position(export),
                stage.as_str(),
                arn,
                by,
                now.as_millisecond()
            ],
        )?;
        *export = record;
        Ok(is_settled)
    }

    /// Gives up exports that were planned, for others that take their places. Where a call of one was made
    /// meanwhile, none is given up.
    pub fn give_up(
        &self,
        planned: &[(RunId, usize)],
        by: &str,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (run, position) in planned {
            let changed = transaction.execute(
                "UPDATE export SET stage = 'NOT_STARTED', settled_by = ?3, settled_at = ?4
                 WHERE run = ?1 AND position = ?2 AND stage = 'PLANNED' AND unanswered = 0",
                params![
                    run.0,
                    i64::try_from(*position).unwrap_or(i64::MAX),
                    by,
                    now.as_millisecond()
                ],
            )?;
            if changed == 0 {
                return Err(JournalError::BegunMeanwhile(*run));
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Runs a statement on an export's row; whether it was changed, and the record as it stands.
    fn change_export(
        &self,
        (run, position): (RunId, usize),
        statement: &str,
        values: impl rusqlite::Params,
    ) -> Result<(bool, ExportRecord), JournalError> {
        let changed = self.lock().execute(statement, values)?;
        let read = self.run(run)?.and_then(|run| {
            let mut exports = run.exports.into_iter();
            exports.find(|export| export.position == position)
        });
        let record = read.ok_or_else(|| super::no_such_export(run, position))?;
        Ok((changed == 1, record))
    }
}

fn place(export: &ExportRecord) -> (RunId, usize) {
    (export.run, export.position)
}

fn position(export: &ExportRecord) -> i64 {
    i64::try_from(export.position).unwrap_or(i64::MAX)
}
