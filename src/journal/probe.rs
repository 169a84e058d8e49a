//! Probes as the journal keeps them: where an upload is begun, and whether it was taken back.
//!
//! A probe is an operation of its own kind and no run. Its row is written before the upload is begun, and its id as soon as it is known: an upload that is
//! neither completed nor aborted is in no listing of objects, and its parts are billed. So a crash at
//! any point leaves enough to find it. A row holds how to sign in, and no credential.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use super::operation::{self, Numbered};
use super::row::{AccountColumn, Json, Milliseconds, number, time, to_json, words};
use super::{Journal, JournalError};
use crate::job::SignIn;
use tableferry_policy::arn::{AccountId, Arn, BucketName, Region};

/// A probe's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeId(pub i64);

number!(ProbeId);

impl fmt::Display for ProbeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far a probe came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ProbeStage {
    /// Written down; whether an upload was begun is not known.
    Planned,
    /// An upload was begun, and is there until it is aborted.
    Begun,
    /// Nothing of it is left.
    Settled,
}

words!(ProbeStage, "stage of a probe");

/// A probe before it has a number.
#[derive(Debug, Clone, Copy)]
pub struct NewProbe<'a> {
    /// The principal that makes it.
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
    /// The principal that made it.
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

/// The word of the kind.
const PROBE: &str = "probe";

/// What is written down before the upload is begun, beside what every operation has.
#[derive(Debug, Serialize, Deserialize)]
struct ProbeRequest<'a> {
    principal: Cow<'a, Arn>,
    sign_in: Cow<'a, SignIn>,
    plan: Cow<'a, str>,
    bucket: Cow<'a, BucketName>,
    owner: Cow<'a, AccountId>,
    region: Cow<'a, Region>,
    key: Cow<'a, str>,
}

pub(super) const SELECT_PROBE: &str = "
    SELECT number, created_at, account, request, state, ended_at, result ->> '$.upload_id'
    FROM operation WHERE kind = 'probe'";

impl Journal {
    /// Writes a probe down, before its upload is begun.
    pub fn record_probe(
        &self,
        probe: &NewProbe<'_>,
        now: Timestamp,
    ) -> Result<ProbeId, JournalError> {
        let request = ProbeRequest {
            principal: Cow::Borrowed(probe.principal),
            sign_in: Cow::Borrowed(probe.sign_in),
            plan: probe.plan.into(),
            bucket: Cow::Borrowed(probe.bucket),
            owner: Cow::Borrowed(probe.owner),
            region: Cow::Borrowed(probe.region),
            key: probe.key.into(),
        };
        let numbered = Numbered {
            kind: PROBE,
            account: probe.source_account.as_str(),
            subject: &format!("s3://{}/{}", probe.bucket, probe.key),
            request: &to_json(&request)?,
            state: ProbeStage::Planned.as_str(),
        };
        operation::insert_numbered(&self.lock(), &numbered, now)
    }

    /// Writes down that a probe's upload was begun, with its id.
    pub fn note_upload(&self, id: ProbeId, upload_id: &str) -> Result<(), JournalError> {
        let changed = self.lock().execute(
            "UPDATE operation SET state = ?2, result = json_set(result, '$.upload_id', ?3)
             WHERE kind = 'probe' AND number = ?1",
            params![id, ProbeStage::Begun, upload_id],
        )?;
        expect_one(changed, id)
    }

    /// Writes down that nothing of a probe is left.
    pub fn settle_probe(&self, id: ProbeId, now: Timestamp) -> Result<(), JournalError> {
        let changed = self.lock().execute(
            "UPDATE operation SET state = ?2, ended_at = coalesce(ended_at, ?3)
             WHERE kind = 'probe' AND number = ?1",
            params![id, ProbeStage::Settled, Milliseconds(now)],
        )?;
        expect_one(changed, id)
    }

    /// One probe, or `None` where there is no such probe.
    pub fn probe(&self, id: ProbeId) -> Result<Option<ProbeRecord>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare(&format!("{SELECT_PROBE} AND number = ?1"))?;
        Ok(statement.query_row([id], read_probe).optional()?)
    }

    /// The probes of which something may be left, the oldest first.
    pub fn unfinished_probes(&self) -> Result<Vec<ProbeRecord>, JournalError> {
        let mut probes = self.probes()?;
        probes.retain(|probe| probe.stage != ProbeStage::Settled);
        Ok(probes)
    }

    /// All probes, the oldest first.
    pub fn probes(&self) -> Result<Vec<ProbeRecord>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare(&format!("{SELECT_PROBE} ORDER BY number"))?;
        let probes = statement.query_map([], read_probe)?;
        Ok(probes.collect::<Result<_, _>>()?)
    }
}

fn expect_one(changed: usize, id: ProbeId) -> Result<(), JournalError> {
    if changed == 1 {
        Ok(())
    } else {
        Err(JournalError::Entry(format!("there is no probe {id}")))
    }
}

fn read_probe(row: &Row<'_>) -> rusqlite::Result<ProbeRecord> {
    let Json(request): Json<ProbeRequest<'_>> = row.get(3)?;
    Ok(ProbeRecord {
        id: row.get(0)?,
        created_at: row.get::<_, Milliseconds>(1)?.0,
        principal: request.principal.into_owned(),
        source_account: row.get::<_, AccountColumn>(2)?.0,
        sign_in: request.sign_in.into_owned(),
        plan: request.plan.into_owned(),
        bucket: request.bucket.into_owned(),
        owner: request.owner.into_owned(),
        region: request.region.into_owned(),
        key: request.key.into_owned(),
        upload_id: row.get(6)?,
        stage: row.get(4)?,
        settled_at: time(row, 5)?,
    })
}

#[cfg(test)]
mod tests;
