//! Probes as the journal keeps them: where an upload is begun, and whether it was taken back.
//!
//! A row is written before the upload is begun, and its id as soon as it is known: an upload that is
//! neither completed nor aborted is in no listing of objects, and its parts are billed. So a crash at
//! any point leaves enough to find it. A row holds how to sign in, and no credential.

use std::fmt;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::record::timestamp;
use super::{Journal, JournalError};
use crate::job::SignIn;
use tableferry_policy::arn::{AccountId, Arn, BucketName, Region};

/// A probe's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeId(pub i64);

impl fmt::Display for ProbeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a probe came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeStage {
    /// Written down; whether an upload was begun is not known.
    Planned,
    /// An upload was begun, and is there until it is aborted.
    Begun,
    /// Nothing of it is left.
    Settled,
}

const STAGES: [(ProbeStage, &str); 3] = [
    (ProbeStage::Planned, "PLANNED"),
    (ProbeStage::Begun, "BEGUN"),
    (ProbeStage::Settled, "SETTLED"),
];

impl ProbeStage {
    /// The word that the journal and the JSON output write.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        STAGES
            .iter()
            .find(|(stage, _)| *stage == self)
            .map_or("PLANNED", |(_, text)| text)
    }

    fn parse(text: &str) -> Result<Self, JournalError> {
        STAGES
            .iter()
            .find(|(_, known)| *known == text)
            .map(|(stage, _)| *stage)
            .ok_or_else(|| JournalError::Entry(format!("unknown stage of a probe `{text}`")))
    }
}

/// A probe before it has a number.
#[derive(Debug, Clone, Copy)]
pub struct NewProbe<'a> {
    /// As whom it is made.
    pub principal: &'a Arn,
    /// The account that makes it.
    pub source_account: &'a AccountId,
    /// How that side signs in.
    pub sign_in: &'a SignIn,
    /// The plan that is probed, as a plan file.
    pub plan: &'a str,
    /// The bucket.
    pub bucket: &'a BucketName,
    /// Its account, which every call names.
    pub owner: &'a AccountId,
    /// Its Region.
    pub region: &'a Region,
    /// The key, which no other upload has.
    pub key: &'a str,
}

/// A probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeRecord {
    /// Its number.
    pub id: ProbeId,
    /// When it was written down.
    pub created_at: Timestamp,
    /// As whom it was made.
    pub principal: Arn,
    /// The account that made it.
    pub source_account: AccountId,
    /// How that side signs in.
    pub sign_in: SignIn,
    /// The plan that was probed, as a plan file.
    pub plan: String,
    /// The bucket.
    pub bucket: BucketName,
    /// Its account.
    pub owner: AccountId,
    /// Its Region.
    pub region: Region,
    /// The key, which no other upload has.
    pub key: String,
    /// `UploadId`, once S3 told it.
    pub upload_id: Option<String>,
    /// How far it came.
    pub stage: ProbeStage,
    /// When it was known that nothing of it is left.
    pub settled_at: Option<Timestamp>,
}

/// The step of the journal's format that brings probes.
pub(super) const CREATE_PROBE: &str = "
    CREATE TABLE probe (
        id             INTEGER PRIMARY KEY,
        created_at     INTEGER NOT NULL,
        principal      TEXT NOT NULL,     -- as whom it is made
        source_account TEXT NOT NULL,     -- the account that makes it
        sign_in        TEXT NOT NULL,     -- how that side signs in, JSON
        plan           TEXT NOT NULL,     -- the plan file that is probed
        bucket         TEXT NOT NULL,
        owner          TEXT NOT NULL,
        region         TEXT NOT NULL,
        key            TEXT NOT NULL,
        upload_id      TEXT,
        stage          TEXT NOT NULL,
        settled_at     INTEGER
    ) STRICT;
";

pub(super) const SELECT_PROBE: &str = "
    SELECT id, created_at, principal, source_account, sign_in, plan, bucket, owner, region, key,
           upload_id, stage, settled_at
    FROM probe";

impl Journal {
    /// Writes a probe down, before its upload is begun.
    pub fn record_probe(
        &self,
        probe: &NewProbe<'_>,
        now: Timestamp,
    ) -> Result<ProbeId, JournalError> {
        let sign_in = serde_json::to_string(probe.sign_in)
            .map_err(|error| JournalError::Entry(error.to_string()))?;
        let connection = self.lock();
        connection.execute(
            "INSERT INTO probe (created_at, principal, source_account, sign_in, plan, bucket, owner,
                                region, key, stage)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                now.as_millisecond(),
                probe.principal.to_string(),
                probe.source_account.as_str(),
                sign_in,
                probe.plan,
                probe.bucket.as_str(),
                probe.owner.as_str(),
                probe.region.as_str(),
                probe.key,
                ProbeStage::Planned.as_str(),
            ],
        )?;
        Ok(ProbeId(connection.last_insert_rowid()))
    }

    /// Writes down that a probe's upload was begun, with its id.
    pub fn note_upload(&self, id: ProbeId, upload_id: &str) -> Result<(), JournalError> {
        let changed = self.lock().execute(
            "UPDATE probe SET stage = ?2, upload_id = ?3 WHERE id = ?1",
            params![id.0, ProbeStage::Begun.as_str(), upload_id],
        )?;
        expect_one(changed, id)
    }

    /// Writes down that nothing of a probe is left.
    pub fn settle_probe(&self, id: ProbeId, now: Timestamp) -> Result<(), JournalError> {
        let changed = self.lock().execute(
            "UPDATE probe SET stage = ?2, settled_at = coalesce(settled_at, ?3) WHERE id = ?1",
            params![id.0, ProbeStage::Settled.as_str(), now.as_millisecond()],
        )?;
        expect_one(changed, id)
    }

    /// One probe, or `None` where there is no such probe.
    pub fn probe(&self, id: ProbeId) -> Result<Option<ProbeRecord>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare(&format!("{SELECT_PROBE} WHERE id = ?1"))?;
        statement
            .query_row([id.0], |row| Ok(read_probe(row)))
            .optional()?
            .transpose()
    }

    /// The probes of which something may be left, the oldest first.
    pub fn unfinished_probes(&self) -> Result<Vec<ProbeRecord>, JournalError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare(&format!("{SELECT_PROBE} WHERE stage <> ?1 ORDER BY id"))?;
        let mut rows = statement.query([ProbeStage::Settled.as_str()])?;
        let mut probes = Vec::new();
        while let Some(row) = rows.next()? {
            probes.push(read_probe(row)?);
        }
        Ok(probes)
    }
}

fn expect_one(changed: usize, id: ProbeId) -> Result<(), JournalError> {
    if changed == 1 {
        Ok(())
    } else {
        Err(JournalError::Entry(format!("there is no probe {id}")))
    }
}

fn read_probe(row: &Row<'_>) -> Result<ProbeRecord, JournalError> {
    fn parsed<T: std::str::FromStr<Err: fmt::Display>>(text: &str) -> Result<T, JournalError> {
        text.parse()
            .map_err(|error: T::Err| JournalError::Entry(format!("`{text}`: {error}")))
    }
    let sign_in: String = row.get(4)?;
    Ok(ProbeRecord {
        id: ProbeId(row.get(0)?),
        created_at: timestamp(row.get(1)?),
        principal: parsed(&row.get::<_, String>(2)?)?,
        source_account: parsed(&row.get::<_, String>(3)?)?,
        sign_in: serde_json::from_str(&sign_in)
            .map_err(|error| JournalError::Entry(error.to_string()))?,
        plan: row.get(5)?,
        bucket: parsed(&row.get::<_, String>(6)?)?,
        owner: parsed(&row.get::<_, String>(7)?)?,
        region: parsed(&row.get::<_, String>(8)?)?,
        key: row.get(9)?,
        upload_id: row.get(10)?,
        stage: ProbeStage::parse(&row.get::<_, String>(11)?)?,
        settled_at: row.get::<_, Option<i64>>(12)?.map(timestamp),
    })
}

#[cfg(test)]
mod tests;
