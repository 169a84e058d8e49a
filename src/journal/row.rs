//! How values stand in the rows of all tables: numbers, times, words, JSON.
//!
//! A value that does not read back is damage of its row, and told as an entry that does not read back.

use std::fmt;

use jiff::Timestamp;
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::JournalError;
use tableferry_policy::arn::AccountId;

/// A run's number, as `resume` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(pub i64);

/// An operation's number in the journal, which no command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A number of the journal as SQLite keeps it.
macro_rules! number {
    ($id:ty) => {
        impl rusqlite::ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }

        impl rusqlite::types::FromSql for $id {
            fn column_result(
                value: rusqlite::types::ValueRef<'_>,
            ) -> rusqlite::types::FromSqlResult<Self> {
                i64::column_result(value).map(Self)
            }
        }
    };
}

/// An enum as its words, which strum gives it.
macro_rules! words {
    ($stage:ty, $what:literal) => {
        impl $stage {
            /// The word that the journal and the JSON output write.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                self.into()
            }
        }

        impl rusqlite::ToSql for $stage {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl rusqlite::types::FromSql for $stage {
            fn column_result(
                value: rusqlite::types::ValueRef<'_>,
            ) -> rusqlite::types::FromSqlResult<Self> {
                let text = value.as_str()?;
                text.parse().map_err(|_| {
                    $crate::journal::row::damaged(format!("unknown {} `{text}`", $what))
                })
            }
        }
    };
}

pub(super) use {number, words};

number!(RunId);
number!(OperationId);

/// A time in milliseconds. One that is out of range means a damaged row; the epoch shows that without
/// losing the rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Milliseconds(pub(super) Timestamp);

impl FromSql for Milliseconds {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let milliseconds = i64::column_result(value)?;
        Ok(Self(
            Timestamp::from_millisecond(milliseconds).unwrap_or_default(),
        ))
    }
}

impl ToSql for Milliseconds {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_millisecond().into())
    }
}

/// A time that may not be known.
pub(super) fn time(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let time: Option<Milliseconds> = row.get(column)?;
    Ok(time.map(|time| time.0))
}

/// A value as JSON.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?)
            .map(Self)
            .map_err(|error| damaged(error.to_string()))
    }
}

/// An account.
#[derive(Debug)]
pub(super) struct AccountColumn(pub(super) AccountId);

impl FromSql for AccountColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        text.parse()
            .map(Self)
            .map_err(|error| damaged(format!("`{text}`: {error}")))
    }
}

pub(super) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, JournalError> {
    serde_json::to_string(value).map_err(|error| JournalError::Entry(error.to_string()))
}

/// What a row holds that is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Damaged(String);

pub(super) fn damaged(what: String) -> FromSqlError {
    FromSqlError::Other(Box::new(Damaged(what)))
}
