//! Settling by somebody's word whether an export was started, where no look-up could.
//!
//! The word is checked as far as AWS answers: an export that is found by its token, or described, speaks
//! for itself. What was said, and by which principal, is in the journal.

use jiff::Timestamp;
use tableferry_policy::arn::Arn;
use tokio::sync::mpsc::UnboundedSender;

use super::event::Event;
use super::look_up::{self, LookUp};
use super::resume::ResumeError;
use super::start::take_over;
use super::{Session, Work, region_of};
use crate::aws::dynamodb::Export;
use crate::aws::failure::Failure;
use crate::journal::{ExportRecord, JournalError, RunId, Stage};

/// What somebody says of a call whose answer never came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It started this export.
    Started(Arn),
    /// It started none; of these tables, or of the only one that is open.
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
    /// AWS does not know the export.
    #[error("{0}")]
    NoSuchExport(Box<Failure>),
    /// The export is another one.
    #[error("{arn} is not the run's export: it was started with another token")]
    OtherExport {
        /// The export.
        arn: Arn,
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
        let (run, session) = self.run_with_session(id)?;
        let mut open = run.exports;
        open.retain(|export| export.stage == Stage::Calling);
        match claim {
            Claim::Started(arn) => self.settle_started(&session, id, open, arn, events).await,
            Claim::NotStarted(tables) => {
                open.retain(|export| tables.is_empty() || is_named(export, tables));
                match open.len() {
                    0 => return Err(SettleError::NothingOpen(id)),
                    2.. if tables.is_empty() => {
                        let tables = open.iter().map(|export| export.table().to_owned());
                        return Err(SettleError::SeveralOpen {
                            run: id,
                            tables: tables.collect(),
                        });
                    }
                    _ => {}
                }
                for mut export in open {
                    self.settle_not_started(&session, &mut export, events)
                        .await?;
                }
                Ok(())
            }
        }
    }

    async fn settle_not_started(
        &self,
        session: &Session,
        export: &mut ExportRecord,
        events: &UnboundedSender<Event>,
    ) -> Result<(), SettleError> {
        let journal = &self.inner.journal;
        let dynamodb = session.dynamodb(&region_of(&export.request.table_arn, session));
        let look_up = look_up::by_token(&dynamodb, export, None).await;
        if let LookUp::Found(found) = look_up {
            take_over(export, &found);
            journal.update_export(export)?;
            tell(events, export, &format!("it was started: {}", found.arn));
            return Ok(());
        }
        let by = session.identity.arn.to_string();
        if !journal.settle(export, None, &by, Timestamp::now())? {
            return Err(SettleError::NothingOpen(export.run));
        }
        let found = match &look_up {
            LookUp::Failed(failure) => format!("which could not be verified: {failure}"),
            _ => "and no export with its token is listed".to_owned(),
        };
        tell(
            events,
            export,
            &format!("settled as not started, on the word of {by}, {found}"),
        );
        Ok(())
    }

    async fn settle_started(
        &self,
        session: &Session,
        run: RunId,
        mut open: Vec<ExportRecord>,
        arn: &Arn,
        events: &UnboundedSender<Event>,
    ) -> Result<(), SettleError> {
        open.retain(|export| is_of_table(arn, &export.request.table_arn));
        if open.is_empty() {
            return Err(SettleError::NothingOpen(run));
        }
        let described = session
            .dynamodb(&region_of(arn, session))
            .describe_export(arn)
            .await;
        let (mut export, found) = choose(run, open, arn, described)?;
        let by = session.identity.arn.to_string();
        let journal = &self.inner.journal;
        let text = arn.to_string();
        if !journal.settle(&mut export, Some(&text), &by, Timestamp::now())? {
            return Err(SettleError::NothingOpen(run));
        }
        let verified = match found {
            Ok(found) => {
                let verified = if found.client_token.is_some() {
                    "an export of this table with the call's token"
                } else {
                    "an export of this table; AWS does not tell its token"
                };
                take_over(&mut export, &found);
                journal.update_export(&export)?;
                format!("DescribeExport tells {verified}")
            }
            Err(failure) => {
                format!("the ARN names this table; nothing else could be verified: {failure}")
            }
        };
        tell(
            events,
            &export,
            &format!("settled as started, on the word of {by}; {verified}"),
        );
        Ok(())
    }
}

/// The open export that a claim is about, and what AWS says of it; a refusal to say is no objection.
fn choose(
    run: RunId,
    mut open: Vec<ExportRecord>,
    arn: &Arn,
    described: Result<Export, Failure>,
) -> Result<(ExportRecord, Result<Export, Failure>), SettleError> {
    match &described {
        Ok(found) => {
            if let Some(token) = &found.client_token {
                open.retain(|export| export.request.client_token == *token);
            }
            if open.is_empty() {
                return Err(SettleError::OtherExport { arn: arn.clone() });
            }
        }
        Err(failure) if is_unknown_export(failure) => {
            return Err(SettleError::NoSuchExport(Box::new(failure.clone())));
        }
        Err(_) => {}
    }
    let tables: Vec<String> = open.iter().map(|one| one.table().to_owned()).collect();
    match <[ExportRecord; 1]>::try_from(open) {
        Ok([export]) => Ok((export, described)),
        Err(_) => Err(SettleError::SeveralOpen { run, tables }),
    }
}

fn is_unknown_export(failure: &Failure) -> bool {
    matches!(
        failure.code.as_deref(),
        Some("ExportNotFoundException" | "ValidationException")
    )
}

fn is_of_table(export: &Arn, table: &Arn) -> bool {
    let id = export.to_string();
    id.strip_prefix(&table.to_string())
        .is_some_and(|rest| rest.starts_with("/export/"))
}

fn is_named(export: &ExportRecord, tables: &[String]) -> bool {
    let arn = export.request.table_arn.to_string();
    tables
        .iter()
        .any(|table| table == export.table() || *table == arn)
}

fn tell(events: &UnboundedSender<Event>, export: &ExportRecord, what: &str) {
    let _ = events.send(Event::Noted {
        message: format!("{}: {what}", export.table()),
    });
}
