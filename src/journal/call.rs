//! The calls that start operations, as the journal counts them.
//!
//! A call is counted before it is made, and taken off only where its answer proves that it started
//! nothing. So as long as one is counted, something may have been started, no matter who made the call and
//! whatever a later call is answered with. The times are AWS's: the age of a token is AWS's to judge.

use jiff::Timestamp;
use rusqlite::{TransactionBehavior, params};

use super::operation::{Operation, Stage};
use super::row::{Milliseconds, OperationId, RunId};
use super::{Journal, JournalError};

/// What is left of an operation whose call was answered with a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedCall {
    /// The error's code.
    pub code: Option<String>,
    /// The error's message.
    pub message: String,
    /// AWS's id of the request.
    pub request_id: Option<String>,
    /// Whether the same call may be made again later, and be accepted.
    pub is_retryable: bool,
}

impl Journal {
    /// Counts a call that is made next; `signed_at` is the time that it is signed with, by AWS's clock.
    ///
    /// The record is read again. `false`: another process has settled the operation meanwhile, and no
    /// call may be made.
    pub fn begin_call(
        &self,
        operation: &mut Operation,
        now: Timestamp,
        signed_at: Option<Timestamp>,
    ) -> Result<bool, JournalError> {
        let signed_at = signed_at.map(Milliseconds);
        let (is_begun, record) = self.change_operation(
            (operation.id, operation.run),
            "UPDATE operation SET state = 'CALLING', called_at = coalesce(called_at, ?2),
                    first_called = CASE WHEN unanswered = 0 THEN ?3 ELSE first_called END,
                    last_called = ?3, unanswered = unanswered + 1,
                    failure_code = NULL, failure_message = NULL, failure_request_id = NULL
             WHERE id = ?1 AND arn IS NULL
               AND state IN ('PLANNED', 'CALLING')",
            params![operation.id, Milliseconds(now), signed_at],
        )?;
        *operation = record;
        Ok(is_begun)
    }

    /// Takes a call off that started nothing. The refusal is final only where no other call is counted;
    /// otherwise the operation stays as one that may have been started.
    pub fn end_refused_call(
        &self,
        operation: &mut Operation,
        refusal: &RefusedCall,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let (stage, ended_at) = if refusal.is_retryable {
            (Stage::Planned, None)
        } else {
            (Stage::Refused, Some(Milliseconds(now)))
        };
        let written = self.change_operation(
            (operation.id, operation.run),
            "UPDATE operation SET state = CASE WHEN unanswered <= 1 THEN ?2 ELSE 'CALLING' END,
                    ended_at = CASE WHEN unanswered <= 1 THEN ?3 END,
                    failure_code = ?4, failure_message = ?5, failure_request_id = ?6,
                    unanswered = max(unanswered - 1, 0)
             WHERE id = ?1 AND arn IS NULL AND state = 'CALLING'",
            params![
                operation.id,
                stage,
                ended_at,
                refusal.code,
                refusal.message,
                refusal.request_id
            ],
        );
        if written.is_err() && operation.unanswered <= 1 {
            operation.stage = stage;
            operation.failure_code.clone_from(&refusal.code);
            operation.failure_message = Some(refusal.message.clone());
            operation.failure_request_id.clone_from(&refusal.request_id);
        }
        let (_, record) = self.keep_unwritten(operation, written)?;
        *operation = record;
        Ok(())
    }

    /// Notes that no call was made after `by`, a time of AWS's clock, where that was not known.
    pub fn bound_last_call(
        &self,
        operation: &mut Operation,
        by: Timestamp,
    ) -> Result<(), JournalError> {
        let (_, record) = self.change_operation(
            (operation.id, operation.run),
            "UPDATE operation SET last_called = ?2
             WHERE id = ?1 AND unanswered > 0 AND last_called IS NULL",
            params![operation.id, Milliseconds(by)],
        )?;
        *operation = record;
        Ok(())
    }

    /// Takes every counted call off, since a look-up proved that none of them started anything; from
    /// then on the token is as good as new. Nothing is changed where a call was made meanwhile.
    pub fn forget_calls(&self, operation: &mut Operation) -> Result<(), JournalError> {
        let (_, record) = self.change_operation(
            (operation.id, operation.run),
            "UPDATE operation SET state = 'PLANNED', unanswered = 0, first_called = NULL, last_called = NULL
             WHERE id = ?1 AND arn IS NULL AND state = 'CALLING'
               AND unanswered = ?2 AND last_called IS ?3",
            params![
                operation.id,
                operation.unanswered,
                operation.last_called.map(Milliseconds)
            ],
        )?;
        *operation = record;
        Ok(())
    }

    /// Settles by somebody's word what no look-up could: `arn` names what was started, and
    /// without one nothing was. `false`: there was nothing to settle.
    pub fn settle(
        &self,
        operation: &mut Operation,
        arn: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<bool, JournalError> {
        let stage = arn.map_or(Stage::NotStarted, |_| Stage::InProgress);
        let (is_settled, record) = self.change_operation(
            (operation.id, operation.run),
            "UPDATE operation SET state = ?2, arn = ?3, settled_by = ?4, settled_at = ?5
             WHERE id = ?1 AND arn IS NULL AND state = 'CALLING'",
            params![operation.id, stage, arn, by, Milliseconds(now)],
        )?;
        *operation = record;
        Ok(is_settled)
    }

    /// Gives up operations that were planned, for others that take their places. Where a call of one
    /// was made meanwhile, none is given up.
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
                "UPDATE operation SET state = 'NOT_STARTED', settled_by = ?3, settled_at = ?4
                 WHERE run = ?1 AND position = ?2 AND state = 'PLANNED' AND unanswered = 0",
                params![run, position, by, Milliseconds(now)],
            )?;
            if changed == 0 {
                return Err(JournalError::BegunMeanwhile(*run));
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Runs a statement on an operation's row; whether it was changed, and the record as it stands.
    fn change_operation(
        &self,
        (id, run): (OperationId, RunId),
        statement: &str,
        values: impl rusqlite::Params,
    ) -> Result<(bool, Operation), JournalError> {
        let changed = self.lock().execute(statement, values)?;
        let read = self.run(run)?.and_then(|run| {
            let mut operations = run.operations.into_iter();
            operations.find(|operation| operation.id == id)
        });
        let record = read.ok_or_else(|| super::no_such_operation(id))?;
        Ok((changed == 1, record))
    }
}
