//! What is read and judged before a start: tables, recovery windows, the bucket and whose it is.
//!
//! A blocker is a thing that AWS is certain to refuse; what could not be read is a warning, since
//! the export may well work.

mod judge;

use futures_util::future;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::event::Side;
use super::facts::TableFacts;
use super::survey::{bucket_facts, table_facts};
use super::under_way::Duplicate;
use super::{Session, StartError, Work};
use crate::assess::fingerprint::Fingerprint;
use crate::job::{ExportRequest, Plan, TableRef};
use crate::journal::{RunId, RunRecord, Stage};
use tableferry_policy::arn::AccountId;

/// A thing that AWS is certain to refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// What it is.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

/// What a start is about to do, and what speaks against it.
#[derive(Debug, Clone)]
pub struct Briefing {
    /// What it will do, one line each.
    pub lines: Vec<String>,
    /// What AWS is certain to refuse.
    pub blockers: Vec<Blocker>,
    /// What could not be read, or is worth knowing.
    pub warnings: Vec<String>,
    /// The calls, in the plan's order, each with its token.
    pub requests: Vec<ExportRequest>,
    /// Runs of the same plan that are under way or were completed within the hour, newest first.
    pub earlier: Vec<RunRecord>,
    /// Exports in progress that ask for the same and that the journal does not know.
    pub duplicates: Vec<Duplicate>,
    /// The newest run when `earlier` was looked up: one of the same plan begun after it keeps this
    /// one from being started.
    pub newest: RunId,
    /// Equal for plans that ask for the same exports.
    pub digest: String,
    /// The bucket and prefix, for people.
    pub destination: String,
    /// What a survey of access read for each call, in their order; empty until one is taken along.
    pub fingerprints: Vec<Fingerprint>,
    /// Exports of earlier runs of which no call was made, and which these take the place of.
    pub given_up: Vec<(RunId, usize)>,
}

/// How long a completed run of the same plan is worth a question.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

/// Below this an export may outlive the session that is to follow it.
const SHORT_SESSION: SignedDuration = SignedDuration::from_mins(30);

impl Work {
    /// Reads what must be known before a start, both sides at once, and judges it.
    pub async fn prepare(&self, plan: &Plan) -> Result<Briefing, StartError> {
        let source = self.session(Side::Source).ok_or(StartError::NotSignedIn)?;
        let destination = plan
            .destination
            .sign_in
            .as_ref()
            .and_then(|_| self.session(Side::Destination));
        let (tables, bucket) = future::join(
            read_tables(&source, plan),
            read_bucket(destination.as_ref(), plan),
        )
        .await;

        let now = Timestamp::now();
        let mut judged = judge::Judged::default();
        judge::sides(&source, destination.as_ref(), now, &mut judged);
        let owner = judge::bucket(
            plan,
            &source,
            destination.as_ref(),
            bucket.as_ref(),
            &mut judged,
        );
        let mut requests = Vec::new();
        for (job, facts) in plan.tables.iter().zip(&tables) {
            judge::table(job, facts, &source, now, &mut judged);
            let arn = facts.table.as_ref().map_or_else(
                |_| plan.table_arn(job, &source.identity.account, &source.region),
                |table| table.arn.clone(),
            );
            requests.push(plan.request(job, arn, owner.clone(), new_token()));
        }
        let sizes = plan.tables.iter().zip(&tables).map(|(job, facts)| {
            let read = facts.table.as_ref().ok();
            (
                job.table.to_string(),
                read.and_then(|table| table.size_bytes),
            )
        });
        let beyond = self.beyond_limits_now(plan, owner, sizes.collect()).await;
        judged.blockers.extend(beyond);
        for warning in plan.warnings(now) {
            judged.warn(warning);
        }
        judge::twins(&requests, &mut judged);
        let under_way = self.under_way(&source, &requests).await?;
        for warning in under_way.warnings {
            judged.warn(warning);
        }
        let digest = digest(&requests);
        // Asked first: a run begun between the two questions is then the one too many.
        let newest = self.inner.journal.newest()?;
        Ok(Briefing {
            newest,
            lines: requests.iter().map(judge::sentence).collect(),
            blockers: judged.blockers,
            warnings: judged.warnings,
            earlier: self.earlier(&digest, now)?,
            duplicates: under_way.duplicates,
            requests,
            digest,
            destination: destination_text(plan),
            fingerprints: Vec::new(),
            given_up: Vec::new(),
        })
    }

    /// Runs of the same plan that are under way, or were completed within the hour.
    fn earlier(&self, digest: &str, now: Timestamp) -> Result<Vec<RunRecord>, StartError> {
        let mut runs = self.inner.journal.runs()?;
        runs.retain(|run| run.digest == digest && (run.is_open() || is_recent(run, now)));
        Ok(runs)
    }
}

fn is_recent(run: &RunRecord, now: Timestamp) -> bool {
    run.operations.iter().any(|record| {
        record.stage == Stage::Completed
            && record
                .ended_at
                .is_some_and(|ended| now.duration_since(ended) < RECENT)
    })
}

async fn read_tables(source: &Session, plan: &Plan) -> Vec<TableFacts> {
    let reads = plan.tables.iter().map(|job| async move {
        match &job.table {
            TableRef::Name(name) => table_facts(source, name).await,
            TableRef::Arn(arn) => table_facts(source, &arn.to_string()).await,
        }
    });
    future::join_all(reads).await
}

async fn read_bucket(
    destination: Option<&Session>,
    plan: &Plan,
) -> Option<super::facts::BucketFacts> {
    let session = destination?;
    let expected: &AccountId = plan
        .destination
        .owner
        .as_ref()
        .unwrap_or(&session.identity.account);
    Some(bucket_facts(session, &plan.destination.bucket, expected).await)
}

/// A new client token. It must never repeat, in this process or another.
fn new_token() -> String {
    format!("tableferry-{}", uuid::Uuid::new_v4())
}

/// Tells whether two plans ask for the same exports: a digest of the calls without their tokens.
fn digest(requests: &[ExportRequest]) -> String {
    let mut hasher = Sha256::new();
    for request in requests {
        let mut anonymous = request.clone();
        anonymous.client_token.clear();
        // The request's own types always serialize; an empty text would only merge two digests.
        hasher.update(serde_json::to_vec(&anonymous).unwrap_or_default());
        hasher.update(b"\n");
    }
    hex::encode(hasher.finalize())
}

fn destination_text(plan: &Plan) -> String {
    let bucket = &plan.destination.bucket;
    match &plan.destination.prefix {
        Some(prefix) => format!("s3://{bucket}/{prefix}"),
        None => format!("s3://{bucket}"),
    }
}
