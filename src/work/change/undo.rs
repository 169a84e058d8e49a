//! Undoing a change: just what was added is taken out of the document as it stands now.

use jiff::Timestamp;

use super::apply::{ReadBack, diff};
use super::target::{self, TargetState};
use crate::assess::principal::SourcePrincipal;
use crate::aws::Session;
use crate::aws::failure::Failure;
use crate::job::TableRef;
use crate::journal::{
    ChangeId, ChangeKind, ChangeRecord, ChangeStage, ChangeTarget, ExportRecord, JournalError,
    RunId, RunRecord, Stage,
};
use crate::work::Work;
use tableferry_policy::arn::Arn;
use tableferry_policy::edit::{EditError, revert};

/// What undoing a change would do, to be shown before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoProposal {
    /// The change.
    pub record: ChangeRecord,
    /// The difference that it makes, for people; empty where nothing is left to be taken away.
    pub diff: String,
    /// What is left as it is, since somebody altered it, in words.
    pub left: Vec<String>,
    /// What to know before it is done.
    pub warnings: Vec<String>,
    live: TargetState,
    wanted: TargetState,
}

impl UndoProposal {
    /// What undoing a change would do to a document that stands as it is handed in; `None` where
    /// there is none.
    ///
    /// # Errors
    /// Where the document cannot be taken apart, or all that was added was altered since.
    pub fn on(record: ChangeRecord, live: Option<String>) -> Result<Self, UndoError> {
        propose(record, TargetState::Document(live))
    }

    /// Whether anything would be written.
    #[must_use]
    pub fn changes_anything(&self) -> bool {
        self.live != self.wanted
    }

    /// Whether the document as a whole would be deleted, since no statement is left.
    #[must_use]
    pub fn deletes_document(&self) -> bool {
        self.changes_anything() && self.wanted == TargetState::Document(None)
    }
}

/// A change that was undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The change.
    pub id: ChangeId,
    /// Whether anything was written; not where the change was gone already.
    pub was_in_place: bool,
    /// What was read afterwards.
    pub read_back: ReadBack,
    /// What was left as it is, in words; where there is any, the change is still in place.
    pub left: Vec<String>,
}

/// Why a change was not undone.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal knows no such change.
    #[error("the journal has no change {0}")]
    NoSuchChange(ChangeId),
    /// It is not in place.
    #[error("change {id} is not in place: {why}")]
    NotInPlace {
        /// The change.
        id: ChangeId,
        /// Why, in words.
        why: String,
    },
    /// Exports that are under way rely on it.
    #[error("change {id} is in use: {runs}")]
    InUse {
        /// The change.
        id: ChangeId,
        /// The runs, in words.
        runs: String,
    },
    /// Exports that are under way and not in the journal may rely on it.
    #[error("change {id} is in use: {exports}")]
    InUseByOthers {
        /// The change.
        id: ChangeId,
        /// The exports, in words.
        exports: String,
    },
    /// Switching recovery off was not asked for by name.
    #[error("{0} stays on: switching it off would destroy the table's recovery window")]
    RecoveryStays(String),
    /// Nobody is signed in to the account.
    #[error("nobody is signed in to {0}")]
    NotSignedIn(String),
    /// Another of our processes is changing something.
    #[error("another tableferry process is changing an account")]
    Busy,
    /// The document changed after it was shown.
    #[error("{0} was changed meanwhile: nothing was written")]
    ChangedMeanwhile(String),
    /// Nothing that was added stands as it was written, and it has its effect all the same.
    #[error("change {id} is not undone: nothing of it stands as it was written, and {left}")]
    Altered {
        /// The change.
        id: ChangeId,
        /// What stands in its place, in words.
        left: String,
        /// What became of the document since it was written.
        diff: String,
    },
    /// A document could not be taken apart.
    #[error("{title}: {cause}")]
    Document {
        /// What is to be changed.
        title: String,
        /// What is wrong.
        cause: EditError,
    },
    /// A call failed.
    #[error("{title}: {cause}")]
    Call {
        /// What is to be changed.
        title: String,
        /// What failed.
        cause: Box<Failure>,
    },
    /// The program ends while the undo is under way.
    #[error("the undo was cut off")]
    CutOff,
}

impl UndoError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Journal(cause) => cause.hint(),
            Self::NoSuchChange(_) | Self::NotInPlace { .. } | Self::CutOff => {
                "`tableferry apply --list` shows what is in place".to_owned()
            }
            Self::InUse { .. } => {
                "`tableferry resume` follows them to their end; undo it then".to_owned()
            }
            Self::InUseByOthers { .. } => {
                "somebody else started them: undo it when they have ended".to_owned()
            }
            Self::RecoveryStays(_) => "add --recovery if that is what you want".to_owned(),
            Self::NotSignedIn(_) => "sign in with the profile that made the change".to_owned(),
            Self::Busy => "wait until it is done, and try again".to_owned(),
            Self::ChangedMeanwhile(_) => "look at the difference again".to_owned(),
            Self::Altered { id, .. } => format!(
                "take out by hand what is not needed; until then the change stays in the list, and \
                 `tableferry undo {id}` looks again"
            ),
            Self::Document { .. } => {
                "look at the document, and take out by hand what is not needed".to_owned()
            }
            Self::Call { cause, .. } => cause.hint.clone().unwrap_or_else(|| {
                format!(
                    "{} is what it takes; nothing else was changed",
                    cause.operation
                )
            }),
        }
    }
}

impl Work {
    /// Reads how a change stands now, and says what undoing it would do. `may_switch_recovery_off`
    /// is true only where the operator named it.
    pub async fn propose_undo(
        &self,
        id: ChangeId,
        may_switch_recovery_off: bool,
    ) -> Result<UndoProposal, UndoError> {
        let record = self.undoable(id)?;
        let is_recovery = record.target.kind() == ChangeKind::Recovery;
        if is_recovery && !may_switch_recovery_off {
            return Err(UndoError::RecoveryStays(record.title));
        }
        let session = self.session_for(&record);
        let session = session.ok_or_else(|| UndoError::NotSignedIn(record.account.to_string()))?;
        let in_flight = self.exports_of_others(&record).await?;
        let live = read(&session, &record).await?;
        let mut proposal = propose(record, live)?;
        if proposal.changes_anything() {
            proposal.warnings.extend(in_flight);
        }
        Ok(proposal)
    }

    /// Undoes a change as it was shown: writes only where the document still stands as it stood then,
    /// and reads back.
    ///
    /// A deed: it goes on to its end though the future is dropped.
    pub async fn undo(&self, proposal: &UndoProposal) -> Result<Undone, UndoError> {
        let (work, proposal) = (self.clone(), proposal.clone());
        let deed = tokio::spawn(async move { work.take_away(&proposal).await });
        deed.await.map_err(|_| UndoError::CutOff)?
    }

    async fn take_away(&self, proposal: &UndoProposal) -> Result<Undone, UndoError> {
        let record = &proposal.record;
        let call = |cause: Failure| UndoError::Call {
            title: record.title.clone(),
            cause: Box::new(cause),
        };
        let session = self.session_for(record);
        let session = session.ok_or_else(|| UndoError::NotSignedIn(record.account.to_string()))?;
        let operation = target::operation(&record.target);
        session.may_change(operation, &record.title).map_err(call)?;
        let _turn = self.inner.changing.lock().await;
        let Some(_lock) = self.lock_changes().await? else {
            return Err(UndoError::Busy);
        };
        self.undoable(record.id)?;
        if proposal.changes_anything() {
            // Whatever could not be looked for was told with the proposal, and agreed to.
            let _ = self.exports_of_others(record).await?;
        }
        let live = read(&session, record).await?;
        if live != proposal.live {
            return Err(UndoError::ChangedMeanwhile(record.title.clone()));
        }
        let journal = &self.inner.journal;
        let was_in_place = proposal.changes_anything();
        let mut read_back = ReadBack::AsWritten;
        if was_in_place {
            journal.keep_before_undo(record.id, live.document())?;
            let written = target::write(&session, &record.target, &proposal.wanted).await;
            written.map_err(call)?;
            read_back = self
                .read_back(&session, &record.target, &live, &proposal.wanted)
                .await;
        }
        // What somebody altered has its effect all the same: until that is gone, so is not the change.
        if proposal.left.is_empty() {
            let stage = if record.stage == ChangeStage::Planned && !was_in_place {
                ChangeStage::NotWritten
            } else {
                ChangeStage::Undone
            };
            journal.update_change(record.id, stage, Timestamp::now())?;
        }
        Ok(Undone {
            id: record.id,
            was_in_place,
            read_back,
            left: proposal.left.clone(),
        })
    }

    /// The change, where it may be undone as far as the journal tells.
    fn undoable(&self, id: ChangeId) -> Result<ChangeRecord, UndoError> {
        let record = self.inner.journal.change(id)?;
        let record = record.ok_or(UndoError::NoSuchChange(id))?;
        match record.stage {
            ChangeStage::Undone => {
                let why = match record.undone_at {
                    Some(at) => format!("it was undone at {at}"),
                    None => "it was undone".to_owned(),
                };
                return Err(UndoError::NotInPlace { id, why });
            }
            ChangeStage::NotWritten => {
                let why = "it was never written".to_owned();
                return Err(UndoError::NotInPlace { id, why });
            }
            ChangeStage::Planned | ChangeStage::Written | ChangeStage::Held => {}
        }
        let runs = self.inner.journal.open_runs()?;
        let in_use: Vec<RunId> = runs
            .iter()
            .filter(|run| relies_on(run, &record))
            .map(|run| run.id)
            .collect();
        if in_use.is_empty() {
            return Ok(record);
        }
        let numbers: Vec<String> = in_use.iter().map(ToString::to_string).collect();
        let runs = format!("exports of run {} are under way", numbers.join(", "));
        Err(UndoError::InUse { id, runs })
    }

    /// The session that a change is undone with: the one that made it, or another of its account.
    pub(super) fn session_for(&self, record: &ChangeRecord) -> Option<Session> {
        let sessions = self.sessions();
        let fits = |session: &Session| session.identity.account == record.account;
        let mut fitting = sessions
            .values()
            .filter(|signed_in| fits(&signed_in.session));
        let made_it = fitting
            .clone()
            .find(|signed_in| signed_in.how == record.sign_in);
        made_it
            .or_else(|| fitting.next())
            .map(|signed_in| signed_in.session.clone())
    }
}

async fn read(session: &Session, record: &ChangeRecord) -> Result<TargetState, UndoError> {
    let live = target::read(session, &record.target).await;
    live.map_err(|cause| UndoError::Call {
        title: record.title.clone(),
        cause: Box::new(cause),
    })
}

fn propose(record: ChangeRecord, live: TargetState) -> Result<UndoProposal, UndoError> {
    let mut warnings = Vec::new();
    let (wanted, left) = match (&live, &record.after) {
        (TargetState::Recovery(_), _) => {
            warnings.push(
                "the table's recovery window is destroyed: no time before now can be restored or \
                 exported any more"
                    .to_owned(),
            );
            (TargetState::Recovery(false), Vec::new())
        }
        (TargetState::Document(_), Some(after))
            if record.target.kind() == ChangeKind::Inventory =>
        {
            (whole(&record, &live, after)?, Vec::new())
        }
        (TargetState::Document(Some(text)), Some(after)) => {
            let taken = revert(record.before.as_deref(), after, text);
            let taken = taken.map_err(|cause| UndoError::Document {
                title: record.title.clone(),
                cause,
            })?;
            if taken.taken.is_empty() && !taken.left.is_empty() {
                return Err(UndoError::Altered {
                    id: record.id,
                    left: taken.left.join("; "),
                    diff: diff(&TargetState::Document(Some(after.clone())), &live),
                });
            }
            (TargetState::Document(taken.text), taken.left)
        }
        (TargetState::Document(_), _) => (live.clone(), Vec::new()),
    };
    let diff = if live == wanted {
        String::new()
    } else {
        diff(&live, &wanted)
    };
    Ok(UndoProposal {
        record,
        diff,
        left,
        warnings,
        live,
        wanted,
    })
}

/// What undoing leaves of a document that is replaced as a whole: what stood there before, where it still
/// stands as it was written.
fn whole(record: &ChangeRecord, live: &TargetState, after: &str) -> Result<TargetState, UndoError> {
    let before = TargetState::Document(record.before.clone());
    let written = TargetState::Document(Some(after.to_owned()));
    if live.is_as_written(&written) {
        Ok(before)
    } else if live.is(&before) || *live == TargetState::Document(None) {
        Ok(live.clone())
    } else {
        Err(UndoError::Altered {
            id: record.id,
            left: "the configuration was changed since".to_owned(),
            diff: diff(&written, live),
        })
    }
}

/// Whether exports of a run that have not ended may rely on a change.
fn relies_on(run: &RunRecord, change: &ChangeRecord) -> bool {
    run.exports()
        .filter(|export| {
            matches!(
                export.operation.stage,
                Stage::Planned | Stage::Calling | Stage::InProgress
            )
        })
        .any(|export| uses(run, &export, change))
}

fn uses(run: &RunRecord, export: &ExportRecord, change: &ChangeRecord) -> bool {
    let request = &export.request;
    match &change.target {
        ChangeTarget::BucketPolicy { bucket, .. } => request.bucket == *bucket,
        ChangeTarget::Recovery { table } => request.table_arn == *table,
        ChangeTarget::Inventory { .. } => false,
        ChangeTarget::KeyPolicy { key } => {
            let named = request.encryption.key();
            named.is_some_and(|named| is_key(named, key))
                || is_table_of(change, &request.table_arn.to_string())
        }
        ChangeTarget::RolePolicy { role, .. } => is_principal(run, change, "role", role),
        ChangeTarget::UserPolicy { user, .. } => is_principal(run, change, "user", user),
    }
}

/// Whether a key is the one that an export names. An alias does not tell which key it stands for.
pub(super) fn is_key(named: &str, key: &Arn) -> bool {
    let id = key.resource_after("key").unwrap_or_default();
    named == id || named.contains("alias/") || named == key.to_string()
}

/// Whether a table is one of the plan that a key's policy was changed for: the key may be the table's
/// own.
pub(super) fn is_table_of(change: &ChangeRecord, table: &str) -> bool {
    let Some(plan) = change.read_plan() else {
        return true;
    };
    let name = table.split_once(":table/").map_or(table, |(_, name)| name);
    plan.tables.iter().any(|job| match &job.table {
        TableRef::Name(own) => own == name,
        TableRef::Arn(arn) => arn.to_string() == table,
    })
}

fn is_principal(run: &RunRecord, change: &ChangeRecord, kind: &str, name: &str) -> bool {
    let Ok(arn) = run.source_arn.parse::<Arn>() else {
        return true;
    };
    if arn.account != change.account.as_str() {
        return false;
    }
    let path = match SourcePrincipal::from_identity(&arn, None) {
        SourcePrincipal::User { arn } | SourcePrincipal::Role { arn, .. } => arn.resource,
        _ => return false,
    };
    path.starts_with(kind) && path.rsplit('/').next() == Some(name)
}
