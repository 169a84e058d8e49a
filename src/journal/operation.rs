//! Operations as the journal keeps them, whatever their kind: what is asked of a service, under which
//! token, and how far it came.
//!
//! What every kind has, a column holds. What only one kind has is JSON: `request` is written before the
//! call and never changed, `result` holds what was learnt. An operation of a run goes through
//! [`Stage`]; changes and probes have no run, and have states and numbers of their own.

use jiff::Timestamp;
use rusqlite::types::FromSql;
use rusqlite::{Connection, Row, params};
use serde_json::Value;
use strum::{EnumString, IntoStaticStr};

use super::JournalError;
use super::row::{Json, Milliseconds, OperationId, RunId, time, to_json, words};
use crate::assess::fingerprint::Fingerprint;

/// Which step an operation of a run has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Stage {
    /// Written down; no call was made.
    Planned,
    /// A call was made whose answer is not known: it may have been started.
    Calling,
    /// The call was refused: nothing was started.
    Refused,
    /// Nothing was started, on somebody's word: no look-up could tell, or another took its place.
    NotStarted,
    /// It is under way.
    InProgress,
    /// It is complete.
    Completed,
    /// It failed.
    Failed,
}

words!(Stage, "stage");

/// What the verification of a completed operation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum Verified {
    /// Every file is there and the counts add up.
    Yes,
    /// Something is missing or differs.
    No,
    /// Nobody could read the bucket.
    Unknown,
}

words!(Verified, "verification");

/// An operation of a run before it has a number.
#[derive(Debug, Clone)]
pub struct NewOperation {
    /// The word of its kind.
    pub kind: &'static str,
    /// The account in which its calls are made.
    pub account: String,
    /// The ARN of what it works on.
    pub subject: String,
    /// The client token of its call.
    pub token: String,
    /// What the call sends, as its kind writes it.
    pub request: Value,
    /// What was read for it; `None` where no survey was made.
    pub fingerprint: Option<Fingerprint>,
}

impl NewOperation {
    /// Whether an operation asks for the same and has it, or may still get it.
    pub(super) fn asks_for_the_same(&self, held: &Operation) -> bool {
        let is_void = matches!(
            held.stage,
            Stage::Refused | Stage::NotStarted | Stage::Failed
        );
        !is_void
            && held.kind == self.kind
            && held.account == self.account
            && held.subject == self.subject
            && without_token(&held.request, &held.token)
                == without_token(&self.request, &self.token)
    }
}

/// What a call sends beside its token.
fn without_token(request: &Value, token: &str) -> Value {
    let mut request = request.clone();
    if let Some(members) = request.as_object_mut() {
        members.retain(|_, value| value.as_str() != Some(token));
    }
    request
}

/// An operation of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its number.
    pub id: OperationId,
    /// The word of its kind.
    pub kind: String,
    /// The run.
    pub run: RunId,
    /// Its place in the plan, from 0.
    pub position: usize,
    /// The account in which its calls are made.
    pub account: String,
    /// The ARN of what it works on.
    pub subject: String,
    /// The client token of its call.
    pub token: String,
    /// What the call sends, as its kind wrote it.
    pub request: Value,
    /// Which step it has reached.
    pub stage: Stage,
    /// When the call was first begun, by this machine's clock.
    pub called_at: Option<Timestamp>,
    /// Calls that were made and may have started it: their answers are not known.
    pub unanswered: u32,
    /// The time that the first of them was signed with, by AWS's clock; `None` where AWS told no time.
    pub first_called: Option<Timestamp>,
    /// The time by AWS's clock after which none of them was signed, where one is known.
    pub last_called: Option<Timestamp>,
    /// Its ARN, once the call was answered.
    pub arn: Option<String>,
    /// When AWS started it.
    pub started_at: Option<Timestamp>,
    /// When AWS ended it.
    pub ended_at: Option<Timestamp>,
    /// The code of a refusal or failure.
    pub failure_code: Option<String>,
    /// The message of a refusal or failure.
    pub failure_message: Option<String>,
    /// AWS's id of the request that was refused.
    pub failure_request_id: Option<String>,
    /// What its kind learnt of it.
    pub result: Value,
    /// What the verification came to.
    pub verified: Option<Verified>,
    /// The verification's findings, for people.
    pub verification: Option<String>,
    /// When it was verified; `None` also of what was verified before that was written down.
    pub verified_at: Option<Timestamp>,
    /// What else was seen then, which is no damage.
    pub remarks: Vec<String>,
    /// What was read before the start; `None` where no survey was made.
    pub fingerprint: Option<Fingerprint>,
    /// The principal on whose word it was settled whether it was started, and when.
    pub settled: Option<(String, Timestamp)>,
}

impl Operation {
    /// Whether something is left to be done.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.stage {
            Stage::Planned | Stage::Calling | Stage::InProgress => true,
            Stage::Completed => self.verified.is_none(),
            Stage::Refused | Stage::NotStarted | Stage::Failed => false,
        }
    }

    /// The name of what it works on: what follows the type in its ARN.
    #[must_use]
    pub fn name(&self) -> &str {
        let resource = self.subject.splitn(6, ':').nth(5).unwrap_or(&self.subject);
        resource.split_once('/').map_or(resource, |(_, name)| name)
    }
}

pub(super) const SELECT_OPERATION: &str = "
    SELECT id, kind, run, position, account, subject, token, request, state, called_at, unanswered,
           first_called, last_called, settled_by, settled_at, arn, started_at, ended_at, failure_code,
           failure_message, failure_request_id, result, verified, verification, verified_at, remarks,
           fingerprint
    FROM operation";

/// The operations of a run, in the plan's order.
pub(super) fn of_run(connection: &Connection, run: RunId) -> Result<Vec<Operation>, JournalError> {
    select(connection, "run = ?1", run)
}

/// The operations of the runs after one.
pub(super) fn of_later_runs(
    connection: &Connection,
    run: RunId,
) -> Result<Vec<Operation>, JournalError> {
    select(connection, "run > ?1", run)
}

fn select(
    connection: &Connection,
    condition: &str,
    run: RunId,
) -> Result<Vec<Operation>, JournalError> {
    let query = format!("{SELECT_OPERATION} WHERE {condition} ORDER BY run, position");
    let mut statement = connection.prepare(&query)?;
    let operations = statement.query_map([run], read)?;
    Ok(operations.collect::<Result<_, _>>()?)
}

/// Writes an operation of a run down, planned.
pub(super) fn insert(
    connection: &Connection,
    (run, position): (RunId, usize),
    operation: &NewOperation,
    now: Timestamp,
) -> Result<(), JournalError> {
    connection.execute(
        "INSERT INTO operation (kind, run, position, created_at, account, subject, token, request,
                                state, result, fingerprint)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '{}', ?10)",
        params![
            operation.kind,
            run,
            position,
            Milliseconds(now),
            operation.account,
            operation.subject,
            operation.token,
            operation.request.to_string(),
            Stage::Planned,
            operation.fingerprint.as_ref().map(to_json).transpose()?,
        ],
    )?;
    Ok(())
}

/// An operation without a run, before it has a number among those of its kind.
pub(super) struct Numbered<'a> {
    pub(super) kind: &'a str,
    pub(super) account: &'a str,
    pub(super) subject: &'a str,
    pub(super) request: &'a str,
    pub(super) state: &'a str,
}

/// Writes an operation without a run down; its number, from 1.
pub(super) fn insert_numbered<Number: FromSql>(
    connection: &Connection,
    operation: &Numbered<'_>,
    now: Timestamp,
) -> Result<Number, JournalError> {
    Ok(connection.query_row(
        "INSERT INTO operation (kind, number, created_at, account, subject, request, state, result)
         SELECT ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4, ?5, ?6, '{}'
         FROM operation WHERE kind = ?1
         RETURNING number",
        params![
            operation.kind,
            Milliseconds(now),
            operation.account,
            operation.subject,
            operation.request,
            operation.state,
        ],
        |row| row.get(0),
    )?)
}

/// Writes an operation's state over what was there, unless it names none and the row does; whether it
/// was written. What is known of its calls is not touched.
pub(super) fn update(connection: &Connection, operation: &Operation) -> Result<bool, JournalError> {
    let changed = connection.execute(
        "UPDATE operation SET state = ?2, arn = ?3, started_at = ?4, ended_at = ?5,
                failure_code = ?6, failure_message = ?7, failure_request_id = ?8, result = ?9,
                verified = ?10, verification = ?11, verified_at = ?12, remarks = ?13
         WHERE id = ?1 AND (arn IS NULL OR ?3 IS NOT NULL)",
        params![
            operation.id,
            operation.stage,
            operation.arn,
            operation.started_at.map(Milliseconds),
            operation.ended_at.map(Milliseconds),
            operation.failure_code,
            operation.failure_message,
            operation.failure_request_id,
            operation.result.to_string(),
            operation.verified,
            operation.verification,
            operation.verified_at.map(Milliseconds),
            operation.remarks.join("\n"),
        ],
    )?;
    Ok(changed == 1)
}

/// Reads a row of [`SELECT_OPERATION`].
fn read(row: &Row<'_>) -> rusqlite::Result<Operation> {
    let (settled_by, settled_at): (Option<String>, _) = (row.get(13)?, time(row, 14)?);
    let remarks: String = row.get(25)?;
    let fingerprint: Option<Json<Fingerprint>> = row.get(26)?;
    Ok(Operation {
        id: row.get(0)?,
        kind: row.get(1)?,
        run: row.get(2)?,
        position: row.get(3)?,
        account: row.get(4)?,
        subject: row.get(5)?,
        token: row.get(6)?,
        request: row.get::<_, Json<_>>(7)?.0,
        stage: row.get(8)?,
        called_at: time(row, 9)?,
        unanswered: row.get(10)?,
        first_called: time(row, 11)?,
        last_called: time(row, 12)?,
        settled: settled_by.zip(settled_at),
        arn: row.get(15)?,
        started_at: time(row, 16)?,
        ended_at: time(row, 17)?,
        failure_code: row.get(18)?,
        failure_message: row.get(19)?,
        failure_request_id: row.get(20)?,
        result: row.get::<_, Json<_>>(21)?.0,
        verified: row.get(22)?,
        verification: row.get(23)?,
        verified_at: time(row, 24)?,
        remarks: remarks.lines().map(str::to_owned).collect(),
        fingerprint: fingerprint.map(|fingerprint| fingerprint.0),
    })
}
