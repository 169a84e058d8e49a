//! Changes of accounts as the journal keeps them: what stood there before, what was written over it,
//! and how far the deed came.
//!
//! A change is an operation of its own kind and no run. Its row is written before the account is
//! changed, so that a crash at any point leaves enough to take the change away again. It holds how to
//! sign in, and no credential.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use super::operation::{self, Numbered};
use super::row::{AccountColumn, Json, Milliseconds, number, time, to_json, words};
use super::{Journal, JournalError};
use crate::job::{Plan, SignIn};
use tableferry_policy::arn::{AccountId, Arn, BucketName, Region};
use tableferry_policy::expiry::end_of_added;

/// A change's number, as `undo` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeId(pub i64);

number!(ChangeId);

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The kinds of change, by the words of `--allow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// The policy of a bucket.
    BucketPolicy,
    /// The policy of a KMS key.
    KeyPolicy,
    /// An inline policy on a user or role.
    IdentityPolicy,
    /// Point-in-time recovery of a table.
    Recovery,
    /// An inventory configuration of a bucket.
    Inventory,
}

impl ChangeKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::BucketPolicy,
        Self::KeyPolicy,
        Self::IdentityPolicy,
        Self::Recovery,
        Self::Inventory,
    ];

    /// The word of the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BucketPolicy => "bucket-policy",
            Self::KeyPolicy => "key-policy",
            Self::IdentityPolicy => "identity-policy",
            Self::Recovery => "recovery",
            Self::Inventory => "inventory",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no kind of change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no kind of change: give bucket-policy, key-policy, identity-policy, recovery or inventory"
)]
pub struct UnknownKind(String);

impl FromStr for ChangeKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// What a change is made to, with all that its calls need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum ChangeTarget {
    /// A bucket's policy.
    BucketPolicy {
        /// The bucket.
        bucket: BucketName,
        /// Its account, which every call names.
        owner: AccountId,
        /// Its Region.
        region: Region,
    },
    /// A key's policy.
    KeyPolicy {
        /// The key.
        key: Arn,
    },
    /// An inline policy of a role.
    RolePolicy {
        /// The role's name, without its path.
        role: String,
        /// The policy's name.
        policy: String,
    },
    /// An inline policy of a user.
    UserPolicy {
        /// The user's name, without its path.
        user: String,
        /// The policy's name.
        policy: String,
    },
    /// Point-in-time recovery.
    Recovery {
        /// The table.
        table: Arn,
    },
    /// An inventory configuration.
    Inventory {
        /// The bucket that is listed.
        bucket: BucketName,
        /// Its account, which every call names.
        owner: AccountId,
        /// Its Region.
        region: Region,
        /// The configuration's id.
        id: String,
    },
}

impl ChangeTarget {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ChangeKind {
        match self {
            Self::BucketPolicy { .. } => ChangeKind::BucketPolicy,
            Self::KeyPolicy { .. } => ChangeKind::KeyPolicy,
            Self::RolePolicy { .. } | Self::UserPolicy { .. } => ChangeKind::IdentityPolicy,
            Self::Recovery { .. } => ChangeKind::Recovery,
            Self::Inventory { .. } => ChangeKind::Inventory,
        }
    }
}

impl fmt::Display for ChangeTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BucketPolicy { bucket, .. } => write!(f, "bucket policy of {bucket}"),
            Self::KeyPolicy { key } => write!(f, "key policy of {key}"),
            Self::RolePolicy { role, policy } => write!(f, "inline policy {policy} of role {role}"),
            Self::UserPolicy { user, policy } => write!(f, "inline policy {policy} of user {user}"),
            Self::Recovery { table } => write!(f, "point-in-time recovery of {table}"),
            Self::Inventory { bucket, id, .. } => {
                write!(f, "inventory configuration {id} of {bucket}")
            }
        }
    }
}

/// How far a change came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ChangeStage {
    /// Written down; whether the account was changed is not known.
    Planned,
    /// The account was changed.
    Written,
    /// The change was seen to hold.
    Held,
    /// It was taken away again.
    Undone,
    /// The account was not changed.
    NotWritten,
}

words!(ChangeStage, "stage of a change");

/// A change before it has a number.
#[derive(Debug, Clone, Copy)]
pub struct NewChange<'a> {
    /// The account that is changed.
    pub account: &'a AccountId,
    /// The account that exports.
    pub source_account: &'a AccountId,
    /// How the side that writes signs in.
    pub sign_in: &'a SignIn,
    /// The principal that writes it; of an assumed role, the session.
    pub caller: &'a Arn,
    /// The plan that it is made for, as a plan file.
    pub plan: &'a str,
    /// What is changed.
    pub target: &'a ChangeTarget,
    /// What it is, for people.
    pub title: &'a str,
    /// The document as it stood; `None` where there was none, or where no document is changed.
    pub before: Option<&'a str>,
    /// The document as it is written; `None` where no document is changed.
    pub after: Option<&'a str>,
    /// The Sids of the statements that are added.
    pub added: &'a [String],
}

/// A change of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRecord {
    /// Its number.
    pub id: ChangeId,
    /// When it was written down.
    pub created_at: Timestamp,
    /// The account that is changed.
    pub account: AccountId,
    /// The account that exports.
    pub source_account: AccountId,
    /// How the side that wrote signs in.
    pub sign_in: SignIn,
    /// The principal that wrote it; of an assumed role, the session. `None` where an earlier version of the
    /// program, which did not write it down, made the change.
    pub caller: Option<Arn>,
    /// The plan that it was made for, as a plan file.
    pub plan: String,
    /// What is changed.
    pub target: ChangeTarget,
    /// What it is, for people.
    pub title: String,
    /// The document as it stood before; `None` where there was none.
    pub before: Option<String>,
    /// The document as it was written; `None` where no document is changed.
    pub after: Option<String>,
    /// The Sids of the statements that were added.
    pub added: Vec<String>,
    /// How far it came.
    pub stage: ChangeStage,
    /// When the account was changed.
    pub written_at: Option<Timestamp>,
    /// When it was seen to hold.
    pub held_at: Option<Timestamp>,
    /// When it was taken away.
    pub undone_at: Option<Timestamp>,
    /// The document as it stood when the change was taken away from it.
    pub undone_from: Option<String>,
}

impl ChangeRecord {
    /// The plan that it was made for; `None` where this program reads it no more.
    #[must_use]
    pub fn read_plan(&self) -> Option<Plan> {
        Plan::from_bytes(self.plan.as_bytes(), "", self.created_at).ok()
    }

    /// When what it granted ends by itself; `None` where it does not.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        end_of_added(self.after.as_deref()?, &self.added)
    }

    /// Whether the account may still be as the change left it.
    #[must_use]
    pub const fn is_in_place(&self) -> bool {
        matches!(
            self.stage,
            ChangeStage::Planned | ChangeStage::Written | ChangeStage::Held
        )
    }
}

/// The word of the kind.
const CHANGE: &str = "change";

/// What is written down before the account is changed, beside what every operation has.
#[derive(Debug, Serialize, Deserialize)]
struct ChangeRequest<'a> {
    source_account: Cow<'a, AccountId>,
    sign_in: Cow<'a, SignIn>,
    caller: Option<Cow<'a, Arn>>,
    plan: Cow<'a, str>,
    target: Cow<'a, ChangeTarget>,
    before: Option<Cow<'a, str>>,
    after: Option<Cow<'a, str>>,
    added: Cow<'a, [String]>,
}

/// The time at which it was written is the operation's start, the time at which it was seen to hold
/// is its end; `result` has the undo.
pub(super) const SELECT_CHANGE: &str = "
    SELECT number, created_at, account, subject, request, state, started_at, ended_at,
           result ->> '$.undone_at', result ->> '$.undone_from'
    FROM operation WHERE kind = 'change'";

impl Journal {
    /// Writes a change down, before the account is changed.
    pub fn record_change(
        &self,
        change: &NewChange<'_>,
        now: Timestamp,
    ) -> Result<ChangeId, JournalError> {
        let request = ChangeRequest {
            source_account: Cow::Borrowed(change.source_account),
            sign_in: Cow::Borrowed(change.sign_in),
            caller: Some(Cow::Borrowed(change.caller)),
            plan: change.plan.into(),
            target: Cow::Borrowed(change.target),
            before: change.before.map(Cow::Borrowed),
            after: change.after.map(Cow::Borrowed),
            added: change.added.into(),
        };
        let numbered = Numbered {
            kind: CHANGE,
            account: change.account.as_str(),
            subject: change.title,
            request: &to_json(&request)?,
            state: ChangeStage::Planned.as_str(),
        };
        operation::insert_numbered(&self.lock(), &numbered, now)
    }

    /// Writes how far a change came. The times that are known stay.
    pub fn update_change(
        &self,
        id: ChangeId,
        stage: ChangeStage,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let at = |wanted| (stage == wanted).then_some(Milliseconds(now));
        let changed = self.lock().execute(
            "UPDATE operation SET state = ?2, started_at = coalesce(started_at, ?3),
                    ended_at = coalesce(ended_at, ?4),
                    result = json_set(result, '$.undone_at', coalesce(result ->> '$.undone_at', ?5))
             WHERE kind = 'change' AND number = ?1",
            params![
                id,
                stage,
                at(ChangeStage::Written),
                at(ChangeStage::Held),
                at(ChangeStage::Undone)
            ],
        )?;
        expect_one(changed, id)
    }

    /// Keeps the document as it stands right before a change is taken away from it.
    pub fn keep_before_undo(&self, id: ChangeId, live: Option<&str>) -> Result<(), JournalError> {
        let changed = self.lock().execute(
            "UPDATE operation SET result = json_set(result, '$.undone_from', ?2)
             WHERE kind = 'change' AND number = ?1",
            params![id, live],
        )?;
        expect_one(changed, id)
    }

    /// One change, or `None` where there is no such change.
    pub fn change(&self, id: ChangeId) -> Result<Option<ChangeRecord>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare(&format!("{SELECT_CHANGE} AND number = ?1"))?;
        Ok(statement.query_row([id], read_change).optional()?)
    }

    /// All changes: those that are still in place first, the newest of each first.
    pub fn changes(&self) -> Result<Vec<ChangeRecord>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare(&format!("{SELECT_CHANGE} ORDER BY number DESC"))?;
        let mut changes: Vec<_> = statement
            .query_map([], read_change)?
            .collect::<Result<_, _>>()?;
        changes.sort_by_key(|change: &ChangeRecord| !change.is_in_place());
        Ok(changes)
    }
}

fn expect_one(changed: usize, id: ChangeId) -> Result<(), JournalError> {
    if changed == 1 {
        Ok(())
    } else {
        Err(JournalError::Entry(format!("there is no change {id}")))
    }
}

fn read_change(row: &Row<'_>) -> rusqlite::Result<ChangeRecord> {
    let Json(request): Json<ChangeRequest<'_>> = row.get(4)?;
    Ok(ChangeRecord {
        id: row.get(0)?,
        created_at: row.get::<_, Milliseconds>(1)?.0,
        account: row.get::<_, AccountColumn>(2)?.0,
        source_account: request.source_account.into_owned(),
        sign_in: request.sign_in.into_owned(),
        caller: request.caller.map(Cow::into_owned),
        plan: request.plan.into_owned(),
        target: request.target.into_owned(),
        title: row.get(3)?,
        before: request.before.map(Cow::into_owned),
        after: request.after.map(Cow::into_owned),
        added: request.added.into_owned(),
        stage: row.get(5)?,
        written_at: time(row, 6)?,
        held_at: time(row, 7)?,
        undone_at: time(row, 8)?,
        undone_from: row.get(9)?,
    })
}

#[cfg(test)]
mod tests;
