//! Settling by somebody's word whether an operation was started, where no look-up could.
//!
//! The word is checked as far as AWS answers: what is found by its token, or described, speaks for
//! itself. What was said, and by which principal, is in the journal.

use jiff::Timestamp;
use tableferry_policy::arn::Arn;
use tokio::sync::mpsc::UnboundedSender;

use super::event::Event;
use super::operation::{Callers, Described, LookUp, OperationKind};
use super::resume::ResumeError;
use super::{Session, Work};
use crate::aws::failure::Failure;
use crate::journal::{JournalError, Operation, RunId, Stage};

/// What somebody says of a call whose answer never came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It started this.
    Started(Arn),
    /// It started nothing; of these tables, or of the only one that is open.
    NotStarted(Vec<String>),
}

/// Why a claim settles nothing.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The run cannot be gone on with.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// No call of the run is open, or none of the tables named.
    #[error("run {0} has no such export of which it is open whether it was started")]
    NothingOpen(RunId),
    /// Several are open.
    #[error("run {run} has several exports of which it is open whether they were started: {}", tables.join(", "))]
    SeveralOpen {
        /// The run.
        run: RunId,
        /// Their tables.
        tables: Vec<String>,
    },
    /// AWS knows nothing of this ARN.
    #[error("{0}")]
    NoSuchOperation(Box<Failure>),
    /// It is another one.
    #[error("{arn} is not the run's {kind}: it was started with another token")]
    OtherOperation {
        /// What was named.
        arn: Arn,
        /// The kind of what is open.
        kind: String,
    },
}

impl Work {
    /// Settles open calls of a run; the source is signed in as the run's plan says.
    ///
    /// The notes among the events say what could be verified.
    pub async fn settle_call(
        &self,
        id: RunId,
        claim: &Claim,
        events: &UnboundedSender<Event>,
    ) -> Result<(), SettleError> {
        let (run, callers) = self.resumable_run(id)?;
        let mut open = run.operations;
        open.retain(|record| record.stage == Stage::Calling);
        match claim {
            Claim::Started(arn) => self.settle_started(&callers, id, open, arn, events).await,
            Claim::NotStarted(tables) => {
                open.retain(|record| tables.is_empty() || is_named(record, tables));
                match open.len() {
                    0 => return Err(SettleError::NothingOpen(id)),
                    2.. if tables.is_empty() => {
                        let tables = open.iter().map(|record| record.name().to_owned());
                        return Err(SettleError::SeveralOpen {
                            run: id,
                            tables: tables.collect(),
                        });
                    }
                    _ => {}
                }
                for mut record in open {
                    self.settle_not_started(&callers, &mut record, events)
                        .await?;
                }
                Ok(())
            }
        }
    }

    /// The kind of an operation, and the session as which its calls are made.
    fn caller<'a>(
        &'a self,
        callers: &'a Callers,
        record: &Operation,
    ) -> Result<(&'a dyn OperationKind, &'a Session), SettleError> {
        let kind = self.inner.kinds.of(record)?;
        let side = kind.side();
        let session = callers.get(&side).ok_or(ResumeError::NotSignedIn(side))?;
        Ok((kind, session))
    }

    async fn settle_not_started(
        &self,
        callers: &Callers,
        record: &mut Operation,
        events: &UnboundedSender<Event>,
    ) -> Result<(), SettleError> {
        let journal = &self.inner.journal;
        let (kind, session) = self.caller(callers, record)?;
        let look_up = kind.calls(session, record)?.look_up(record).await;
        if let LookUp::Found(found) = look_up {
            let arn = found.arn.clone();
            found.take_over(record);
            journal.update_operation(record)?;
            tell(events, record, &format!("it was started: {arn}"));
            return Ok(());
        }
        let by = session.identity.arn.to_string();
        if !journal.settle(record, None, &by, Timestamp::now())? {
            return Err(SettleError::NothingOpen(record.run));
        }
        let found = match &look_up {
            LookUp::Failed(failure) => format!("which could not be verified: {failure}"),
            _ => format!("and no {} with its token is listed", kind.name()),
        };
        tell(
            events,
            record,
            &format!("settled as not started, on the word of {by}, {found}"),
        );
        Ok(())
    }

    async fn settle_started(
        &self,
        callers: &Callers,
        run: RunId,
        open: Vec<Operation>,
        arn: &Arn,
        events: &UnboundedSender<Event>,
    ) -> Result<(), SettleError> {
        let mut possible = Vec::new();
        for record in open {
            if self.inner.kinds.of(&record)?.may_be(&record, arn) {
                possible.push(record);
            }
        }
        let first = possible.first().ok_or(SettleError::NothingOpen(run))?;
        let (kind, session) = self.caller(callers, first)?;
        let described = kind.calls(session, first)?.describe(arn).await;
        let (mut record, found) = choose(kind, run, possible, arn, described)?;
        let by = session.identity.arn.to_string();
        let journal = &self.inner.journal;
        let text = arn.to_string();
        if !journal.settle(&mut record, Some(&text), &by, Timestamp::now())? {
            return Err(SettleError::NothingOpen(run));
        }
        let verified = match found {
            Ok(found) => {
                let what = kind.name();
                let verified = if found.token.is_some() {
                    format!("an {what} of this table with the call's token")
                } else {
                    format!("an {what} of this table; AWS does not tell its token")
                };
                found.take_over(&mut record);
                journal.update_operation(&record)?;
                format!("{} tells {verified}", kind.describe_operation())
            }
            Err(failure) => {
                format!("the ARN names this table; nothing else could be verified: {failure}")
            }
        };
        tell(
            events,
            &record,
            &format!("settled as started, on the word of {by}; {verified}"),
        );
        Ok(())
    }
}

/// The open operation that a claim is about, and what AWS says of it; a refusal to say is no objection.
fn choose(
    kind: &dyn OperationKind,
    run: RunId,
    mut open: Vec<Operation>,
    arn: &Arn,
    described: Result<Described, Failure>,
) -> Result<(Operation, Result<Described, Failure>), SettleError> {
    match &described {
        Ok(found) => {
            if let Some(token) = &found.token {
                open.retain(|record| record.token == *token);
            }
            if open.is_empty() {
                return Err(SettleError::OtherOperation {
                    arn: arn.clone(),
                    kind: kind.name().to_owned(),
                });
            }
        }
        Err(failure) if kind.is_unknown(failure) => {
            return Err(SettleError::NoSuchOperation(Box::new(failure.clone())));
        }
        Err(_) => {}
    }
    let tables: Vec<String> = open.iter().map(|one| one.name().to_owned()).collect();
    match <[Operation; 1]>::try_from(open) {
        Ok([record]) => Ok((record, described)),
        Err(_) => Err(SettleError::SeveralOpen { run, tables }),
    }
}

fn is_named(record: &Operation, tables: &[String]) -> bool {
    tables
        .iter()
        .any(|table| table == record.name() || *table == record.subject)
}

fn tell(events: &UnboundedSender<Event>, record: &Operation, what: &str) {
    let _ = events.send(Event::Noted {
        message: format!("{}: {what}", record.name()),
    });
}
