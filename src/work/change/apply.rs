//! Applying a change: journal, lock, read, compare, write, read back.

use std::time::Duration;

use jiff::Timestamp;

use super::proposal::Proposal;
use super::target::{self, TargetState};
use crate::assess::remedy::Fix;
use crate::aws::failure::{Failure, FailureKind};
use crate::aws::{Session, SignInError};
use crate::job::{Plan, SignIn};
use crate::journal::{ChangeId, ChangeStage, ChangeTarget, JournalError, NewChange};
use crate::work::event::Side;
use crate::work::{Work, not_signed_in};
use tableferry_policy::arn::AccountId;
use tableferry_policy::edit;

/// A change that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its number, as `undo` takes it.
    pub id: ChangeId,
    /// What was changed.
    pub title: String,
    /// What was read afterwards.
    pub read_back: ReadBack,
}

/// What was read after a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadBack {
    /// What was written.
    AsWritten,
    /// Still what stood there before: reads are eventually consistent.
    NotYet,
    /// Something else: somebody wrote at the same time, and one of the two updates is lost.
    Lost {
        /// The difference between what was written and what was read.
        diff: String,
    },
    /// It could not be read.
    Unread(Box<Failure>),
}

impl Applied {
    /// Whether somebody else wrote at the same time, so that one of the two updates is lost.
    #[must_use]
    pub const fn has_lost_update(&self) -> bool {
        matches!(self.read_back, ReadBack::Lost { .. })
    }
}

/// Why a change was not applied, or is not known to be.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The side whose session writes is not signed in.
    #[error(transparent)]
    NotSignedIn(#[from] SignInError),
    /// The session is another account's than the one that was shown.
    #[error("{title} was not written: the {side} is signed in to {found}, not to {wanted}")]
    OtherAccount {
        /// What was to be changed.
        title: String,
        /// The side.
        side: Side,
        /// The account of its session.
        found: String,
        /// The account to be changed.
        wanted: String,
    },
    /// The remedy changes no account.
    #[error("{0} is no change of an account")]
    NoChange(String),
    /// The journal could not be written, so nothing was changed.
    #[error("nothing was changed: {0}")]
    Journal(#[from] JournalError),
    /// Another of our processes is changing something.
    #[error("{0} was not written: another tableferry process is changing an account")]
    Busy(String),
    /// The document is not the one that was shown.
    #[error("{title} was not written: it was changed meanwhile")]
    ChangedMeanwhile {
        /// What was to be changed.
        title: String,
        /// The difference between what was shown and what stands there.
        diff: String,
    },
    /// The account is as the change would leave it.
    #[error("{0} is as proposed already: somebody else changed it meanwhile")]
    Already(String),
    /// It could not be read before it was written, so nothing was changed.
    #[error("{title} was not written, since it could not be read: {cause}")]
    Unread {
        /// What was to be changed.
        title: String,
        /// What failed.
        cause: Box<Failure>,
    },
    /// AWS, or `--read-only`, refused the change.
    #[error("{title} was not written: {cause}")]
    Refused {
        /// What was to be changed.
        title: String,
        /// What failed.
        cause: Box<Failure>,
    },
    /// The answer never came.
    #[error("whether {title} was written is not known: {cause}")]
    Uncertain {
        /// The change's number.
        id: ChangeId,
        /// What was to be changed.
        title: String,
        /// What failed.
        cause: Box<Failure>,
    },
    /// It was written, and the journal does not say so.
    #[error("{title} was written as change {id}, and the journal could not say so: {cause}")]
    Unrecorded {
        /// The change's number.
        id: ChangeId,
        /// What was changed.
        title: String,
        /// What failed.
        cause: JournalError,
    },
    /// The program ends while the change is under way.
    #[error("the change was cut off")]
    CutOff,
}

impl ApplyError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotSignedIn(_) | Self::OtherAccount { .. } => {
                "sign in with the profiles of the plan, and look at the proposal again".to_owned()
            }
            Self::NoChange(_) => "nothing was changed".to_owned(),
            Self::Journal(cause) => cause.hint(),
            Self::Busy(_) => "wait until it is done, and try again".to_owned(),
            Self::ChangedMeanwhile { .. } | Self::Already(_) => {
                "nothing was overwritten: survey again, and look at the new proposal".to_owned()
            }
            Self::Unread { cause, .. } | Self::Refused { cause, .. } => {
                cause.hint.clone().unwrap_or_else(|| match cause.kind {
                    FailureKind::AccessDenied => format!(
                        "allow {} to the signed-in principal, or send the policy to who can write it",
                        cause.operation
                    ),
                    _ => "nothing was changed: survey again".to_owned(),
                })
            }
            Self::Uncertain { id, .. } | Self::Unrecorded { id, .. } => format!(
                "`tableferry apply --list` shows it, and `tableferry undo {id}` looks at what \
                 stands there"
            ),
            Self::CutOff => "`tableferry apply --list` shows what was begun".to_owned(),
        }
    }
}

impl Work {
    /// Carries a proposal out: writes the journal, takes the lock, reads again and writes only where
    /// the document is the one that was shown, and reads back.
    ///
    /// A deed: it goes on to its end though the future is dropped.
    ///
    /// # Errors
    /// Where nothing was changed, or it is not known whether anything was.
    pub async fn apply(&self, plan: &Plan, proposal: &Proposal) -> Result<Applied, ApplyError> {
        let writing = Writing::of(proposal)?;
        self.write(plan, writing).await
    }

    /// Carries out what is written, as [`Self::apply`] does.
    pub(in crate::work) async fn write(
        &self,
        plan: &Plan,
        writing: Writing,
    ) -> Result<Applied, ApplyError> {
        let (work, plan) = (self.clone(), plan.to_toml());
        let deed = tokio::spawn(async move { work.carry_out(&plan, &writing).await });
        deed.await.map_err(|_| ApplyError::CutOff)?
    }

    async fn carry_out(&self, plan: &str, writing: &Writing) -> Result<Applied, ApplyError> {
        let Writing {
            title,
            before,
            after,
            target,
            ..
        } = writing;
        let (sign_in, session) = self.signed_in_for(writing)?;
        let refused = |cause: Failure| ApplyError::Refused {
            title: title.clone(),
            cause: Box::new(cause),
        };
        let operation = target::operation(target);
        session.may_change(operation, title).map_err(refused)?;

        let _turn = self.inner.changing.lock().await;
        let Some(_lock) = self.lock_changes().await? else {
            return Err(ApplyError::Busy(title.clone()));
        };
        let live = target::read(&session, target).await;
        let live = live.map_err(|cause| ApplyError::Unread {
            title: title.clone(),
            cause: Box::new(cause),
        })?;
        unchanged(title, before, after, &live)?;
        let change = NewChange {
            account: &writing.account,
            source_account: &writing.source_account,
            sign_in: &sign_in,
            caller: &session.identity.arn,
            plan,
            target,
            title,
            before: live.document(),
            after: after.document(),
            added: &writing.added,
        };
        let id = self
            .inner
            .journal
            .record_change(&change, Timestamp::now())?;
        let written = target::write(&session, target, after).await;
        if let Err(failure) = written {
            self.settle(id, writing, &session, failure).await?;
        }
        self.note(id, ChangeStage::Written, title)?;
        let read_back = self.read_back(&session, target, before, after).await;
        Ok(Applied {
            id,
            title: title.clone(),
            read_back,
        })
    }

    fn signed_in_for(&self, writing: &Writing) -> Result<(SignIn, Session), ApplyError> {
        let side = writing.side;
        let signed_in = self.sessions().get(&side).cloned();
        let signed_in = signed_in.ok_or_else(|| not_signed_in(side))?;
        let found = &signed_in.session.identity.account;
        if *found != writing.account {
            return Err(ApplyError::OtherAccount {
                title: writing.title.clone(),
                side,
                found: found.to_string(),
                wanted: writing.account.to_string(),
            });
        }
        Ok((signed_in.how, signed_in.session))
    }

    /// Decides what a failed write left, by what stands there now. A refusal is the last attempt's
    /// alone: one before it, of which no answer came, may have been carried out.
    async fn settle(
        &self,
        id: ChangeId,
        writing: &Writing,
        session: &Session,
        failure: Failure,
    ) -> Result<(), ApplyError> {
        let (before, after) = (&writing.before, &writing.after);
        let title = writing.title.clone();
        let is_answered = !failure.is_retryable() || failure.kind == FailureKind::Throttled;
        let cause = Box::new(failure);
        match target::read(session, &writing.target).await {
            Ok(live) if live.is_as_written(after) => Ok(()),
            Ok(live) if live.is(before) && is_answered => {
                self.note(id, ChangeStage::NotWritten, &title)?;
                Err(ApplyError::Refused { title, cause })
            }
            _ => Err(ApplyError::Uncertain { id, title, cause }),
        }
    }

    fn note(&self, id: ChangeId, stage: ChangeStage, title: &str) -> Result<(), ApplyError> {
        let noted = self
            .inner
            .journal
            .update_change(id, stage, Timestamp::now());
        noted.map_err(|cause| ApplyError::Unrecorded {
            id,
            title: title.to_owned(),
            cause,
        })
    }

    /// Reads a target until it shows what was written, a few times at the most.
    pub(super) async fn read_back(
        &self,
        session: &Session,
        target: &ChangeTarget,
        before: &TargetState,
        after: &TargetState,
    ) -> ReadBack {
        let pace = self.inner.settings.propagation;
        let mut seen = ReadBack::NotYet;
        // At once, and then after each pause.
        let pauses = std::iter::once(Duration::ZERO).chain(pace.pauses());
        for pause in pauses.take(pace.read_backs.max(1) as usize) {
            tokio::time::sleep(pause).await;
            seen = match target::read(session, target).await {
                Ok(live) if live.is_as_written(after) => return ReadBack::AsWritten,
                Ok(live) if live.is(before) => ReadBack::NotYet,
                Ok(live) => ReadBack::Lost {
                    diff: diff(after, &live),
                },
                Err(failure) => ReadBack::Unread(Box::new(failure)),
            };
        }
        seen
    }
}

/// What is written, and what it takes the place of.
#[derive(Debug, Clone)]
pub(in crate::work) struct Writing {
    /// The account that is changed.
    pub(in crate::work) account: AccountId,
    /// The account of the source.
    pub(in crate::work) source_account: AccountId,
    /// Whose session writes.
    pub(in crate::work) side: Side,
    pub(in crate::work) title: String,
    pub(in crate::work) target: ChangeTarget,
    pub(in crate::work) before: TargetState,
    pub(in crate::work) after: TargetState,
    /// The Sids that are added.
    pub(in crate::work) added: Vec<String>,
}

impl Writing {
    /// What a proposal leads from and to.
    fn of(proposal: &Proposal) -> Result<Self, ApplyError> {
        let (before, after, added) = match &proposal.remedy.fix {
            Fix::Document {
                before,
                after,
                added,
                ..
            } if proposal.remedy.is_sound() => (
                TargetState::Document(before.clone()),
                TargetState::Document(Some(after.clone())),
                added.clone(),
            ),
            Fix::EnableRecovery { .. } if proposal.remedy.is_sound() => (
                TargetState::Recovery(false),
                TargetState::Recovery(true),
                Vec::new(),
            ),
            _ => return Err(ApplyError::NoChange(proposal.title.clone())),
        };
        Ok(Self {
            account: proposal.account.clone(),
            source_account: proposal.source_account.clone(),
            side: proposal.side,
            title: proposal.title.clone(),
            target: proposal.target.clone(),
            before,
            after,
            added,
        })
    }
}

fn unchanged(
    title: &str,
    before: &TargetState,
    after: &TargetState,
    live: &TargetState,
) -> Result<(), ApplyError> {
    if live.is(before) {
        Ok(())
    } else if live.is(after) {
        Err(ApplyError::Already(title.to_owned()))
    } else {
        Err(ApplyError::ChangedMeanwhile {
            title: title.to_owned(),
            diff: diff(before, live),
        })
    }
}

/// The difference between two states, for people.
pub(super) fn diff(one: &TargetState, other: &TargetState) -> String {
    edit::diff(
        one.document().unwrap_or_default(),
        other.document().unwrap_or_default(),
    )
}
