//! Maskings of archives as the journal keeps them: from where to where, by which rules, and what tells
//! whether a secret is the one that it was begun with.
//!
//! A masking that was cut off stays open, and is gone on with by the one who names the same places again.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use super::operation::{self, Numbered};
use super::row::{Json, Milliseconds, to_json, words};
use super::{Journal, JournalError};

/// The word of the kind.
const MASKING: &str = "masking";

/// How far a masking came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
enum MaskingStage {
    /// It is under way, or was cut off.
    Begun,
    /// The masked archive is complete.
    Completed,
}

words!(MaskingStage, "stage of a masking");

/// A masking before it has a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMasking {
    /// Where the archive lies.
    pub source: String,
    /// Where the masked one goes.
    pub place: String,
    /// The table's account.
    pub account: Option<String>,
    /// What tells whether a secret is the same; none where no secret is needed.
    pub check_value: Option<String>,
    /// The rules, in words.
    pub rules: String,
}

/// A masking with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskingRecord {
    /// Its number.
    pub number: i64,
    /// When it was begun.
    pub at: Timestamp,
    /// What it is.
    pub new: NewMasking,
}

impl Journal {
    /// Writes down that a masking begins; its number.
    pub fn record_masking(
        &self,
        masking: &NewMasking,
        now: Timestamp,
    ) -> Result<i64, JournalError> {
        let numbered = Numbered {
            kind: MASKING,
            account: masking.account.as_deref().unwrap_or_default(),
            subject: &masking.source,
            request: &to_json(masking)?,
            state: MaskingStage::Begun.as_str(),
        };
        operation::insert_numbered(&self.lock(), &numbered, now)
    }

    /// The masking from one place to another that is not complete, the last one.
    pub fn open_masking(
        &self,
        source: &str,
        place: &str,
    ) -> Result<Option<MaskingRecord>, JournalError> {
        let connection = self.lock();
        let found = connection.query_row(
            "SELECT number, created_at, request FROM operation
             WHERE kind = ?1 AND state = ?2 AND subject = ?3
                   AND json_extract(request, '$.place') = ?4
             ORDER BY number DESC LIMIT 1",
            params![MASKING, MaskingStage::Begun, source, place],
            |row| {
                Ok(MaskingRecord {
                    number: row.get(0)?,
                    at: row.get::<_, Milliseconds>(1)?.0,
                    new: row.get::<_, Json<_>>(2)?.0,
                })
            },
        );
        Ok(found.optional()?)
    }

    /// Writes down that a masking is complete.
    pub fn end_masking(&self, number: i64, now: Timestamp) -> Result<(), JournalError> {
        self.lock().execute(
            "UPDATE operation SET state = ?3, ended_at = ?4 WHERE kind = ?1 AND number = ?2",
            params![MASKING, number, MaskingStage::Completed, Milliseconds(now)],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masking_is_found_until_it_is_complete() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::open(&directory.path().join("journal.db")).unwrap();
        let masking = NewMasking {
            source: "s3://staging/AWSDynamoDB/a/".to_owned(),
            place: "s3://landing/AWSDynamoDB/a/".to_owned(),
            account: Some("111111111111".to_owned()),
            check_value: Some("00".to_owned()),
            rules: "email as hash".to_owned(),
        };
        let now = Timestamp::from_millisecond(1_768_387_654_353).unwrap();
        let find = |place: &str| journal.open_masking(&masking.source, place).unwrap();
        assert_eq!(find(&masking.place), None);
        let number = journal.record_masking(&masking, now).unwrap();
        let record = MaskingRecord {
            number,
            at: now,
            new: masking.clone(),
        };
        assert_eq!(find(&masking.place), Some(record));
        assert_eq!(find("elsewhere"), None);
        journal.end_masking(number, now).unwrap();
        assert_eq!(find(&masking.place), None);
    }
}
