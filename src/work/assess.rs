//! From a plan to an answer: what was read of both accounts, assessed, and what a start would do.
//!
//! This is the only way from a plan to an answer, for the commands and for the wizard. What is read for
//! it is read once.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::under_way::DuplicateExport;
use super::{ControlDocuments, ProbeReport, StartError, Work};
use crate::assess::assessment::Assessment;
use crate::assess::facts::{Facts, ObservedCall};
use crate::assess::fingerprint::Fingerprint;
use crate::assess::job_facts::owner_sent;
use crate::aws::dynamodb::Export;
use crate::job::moment::in_both_zones;
use crate::job::{Encryption, ExportRequest, Format, Plan, Span};
use crate::journal::{RunId, RunRecord, Stage};

/// What was read for a plan and what it means: the assessment, and the exports that run.
#[derive(Debug, Clone)]
pub struct Assessed {
    /// The answer.
    pub assessment: Assessment,
    /// The exports of the plan's tables that run or were started within the hour.
    exports: Vec<Export>,
    /// What of them was not read, and why, in sentences.
    not_read: Vec<String>,
}

/// What a start is about to do, and what should be known before.
#[derive(Debug, Clone)]
pub struct StartSummary {
    /// What it will do, one line each.
    pub lines: Vec<String>,
    /// What it is billed for, one line each.
    pub estimate: Vec<String>,
    /// What is worth knowing.
    pub warnings: Vec<String>,
    /// The calls, in the plan's order, each with its token.
    pub requests: Vec<ExportRequest>,
    /// Runs of the same plan that are under way or were completed within the hour, newest first.
    pub earlier: Vec<RunRecord>,
    /// Exports in progress that ask for the same and that the journal does not know.
    pub duplicates: Vec<DuplicateExport>,
    /// The newest run when `earlier` was looked up: one that asks for the same and was begun after it
    /// keeps this one from being started. `None` where none shall.
    pub newest: Option<RunId>,
    /// Equal for plans that ask for the same exports.
    pub digest: String,
    /// The bucket and prefix, for people.
    pub destination: String,
    /// What was read for each call, in their order.
    pub fingerprints: Vec<Fingerprint>,
    /// Exports of earlier runs of which no call was made, and which these take the place of.
    pub given_up: Vec<(RunId, usize)>,
}

/// How long a completed run of the same plan is worth a question.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

impl Work {
    /// Reads all that bears on a plan, and assesses it, with tables in place of its patterns. `controls`
    /// are policies of the organization that were handed in as files.
    ///
    /// # Errors
    /// Where the source is not signed in, since nothing can be assessed without knowing who exports, and
    /// where it cannot be told which tables the plan means.
    pub async fn assess(
        &self,
        plan: &Plan,
        controls: &ControlDocuments,
    ) -> Result<Assessed, StartError> {
        let plan = self.resolve(plan).await?;
        let (facts, exports) = Box::pin(self.survey_with_exports(&plan, controls)).await?;
        let limits = &self.settings().limits;
        Ok(Assessed {
            assessment: Assessment::of(&plan, facts, limits, Timestamp::now()),
            exports: exports.described,
            not_read: exports.not_read,
        })
    }

    /// The same plan, assessed with what a probe of it found out besides.
    #[must_use]
    pub fn assess_with_probe(&self, assessed: Assessed, report: &ProbeReport) -> Assessed {
        self.assess_with(assessed, |facts| report.put_into(facts))
    }

    /// The same plan, assessed with calls that were observed besides.
    #[must_use]
    pub(super) fn assess_with_tried(
        &self,
        assessed: Assessed,
        tried: impl IntoIterator<Item = ObservedCall>,
    ) -> Assessed {
        self.assess_with(assessed, |facts| facts.tried.extend(tried))
    }

    fn assess_with(&self, assessed: Assessed, put_into: impl FnOnce(&mut Facts)) -> Assessed {
        let Assessment {
            plan, mut facts, ..
        } = assessed.assessment;
        put_into(&mut facts);
        let limits = &self.settings().limits;
        Assessed {
            assessment: Assessment::of(&plan, facts, limits, Timestamp::now()),
            ..assessed
        }
    }

    /// What a start of an assessed plan is about to do, with new tokens. Only the journal is read.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn summarize_start(&self, assessed: &Assessed) -> Result<StartSummary, StartError> {
        let assessment = &assessed.assessment;
        let (plan, source) = (&assessment.plan, assessment.facts.source());
        let owner = owner_sent(plan, &assessment.facts);
        let requests: Vec<ExportRequest> = plan
            .tables
            .iter()
            .map(|job| {
                let arn = plan.table_arn(job, &source.caller.account, &source.region);
                plan.request(job, arn, owner.clone(), new_token())
            })
            .collect();
        let digest = digest(&requests);
        let now = Timestamp::now();
        // Asked first: a run begun between the two questions is then the one too many.
        let newest = self.inner.journal.newest()?;
        let mut warnings = warnings(assessed, now);
        warnings.extend(self.window_warnings(&requests, &assessment.facts, now)?);
        Ok(StartSummary {
            newest: Some(newest),
            lines: requests.iter().map(sentence).collect(),
            estimate: assessment.estimate.sentences(),
            warnings,
            earlier: self.earlier(&digest, now)?,
            duplicates: self.duplicates(&requests, &assessed.exports)?,
            requests,
            digest,
            destination: destination_text(plan),
            fingerprints: assessment.fingerprints(),
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

/// What is worth knowing before a start, beside what is not allowed.
fn warnings(assessed: &Assessed, now: Timestamp) -> Vec<String> {
    let assessment = &assessed.assessment;
    let facts = &assessment.facts;
    let mut warnings = Vec::new();
    match facts.destination() {
        None => warnings.push(
            "no destination profile: the bucket cannot be read, so the export will stay unverified"
                .to_owned(),
        ),
        Some(side) if side.caller.account == facts.source().caller.account => {
            warnings.push(format!(
                "source and destination are the same account, {}",
                side.caller.account
            ));
        }
        Some(_) => {}
    }
    let settings = assessment
        .requirements
        .iter()
        .filter(|found| found.is_check());
    warnings.extend(settings.flat_map(|found| found.cautions.iter().cloned()));
    warnings.extend(assessment.plan.warnings(now));
    warnings.extend(assessed.not_read.iter().cloned());
    warnings
}

fn is_recent(run: &RunRecord, now: Timestamp) -> bool {
    run.operations.iter().any(|record| {
        record.stage == Stage::Completed
            && record
                .ended_at
                .is_some_and(|ended| now.duration_since(ended) < RECENT)
    })
}

/// A new client token. It must never repeat, in this process or another.
pub(super) fn new_token() -> String {
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

/// A time as people here tell it, and in UTC.
fn shown(time: Timestamp) -> String {
    in_both_zones(time, &TimeZone::system())
}

/// What one call will do, in a sentence.
fn sentence(request: &ExportRequest) -> String {
    let table = request
        .table_arn
        .resource_after("table")
        .unwrap_or(&request.table_arn.resource);
    let what = match &request.span {
        Span::Full { time: None } => format!("export table {table} as it is now"),
        Span::Full { time: Some(time) } => {
            format!("export table {table} as it was at {}", shown(*time))
        }
        Span::Incremental { from, to, .. } => format!(
            "export what changed in table {table} from {} to {}",
            shown(*from),
            shown(*to)
        ),
    };
    let prefix = request
        .prefix
        .as_ref()
        .map_or_else(String::new, |prefix| format!("/{prefix}"));
    let owner = request
        .bucket_owner
        .as_ref()
        .map_or_else(String::new, |owner| format!(" of account {owner}"));
    let encryption = match &request.encryption {
        Encryption::Aes256 => "encrypted with SSE-S3 (AES256)".to_owned(),
        Encryption::BucketDefault => "encrypted as the bucket does by default".to_owned(),
        Encryption::Kms { key: Some(key) } => format!("encrypted with KMS key {key}"),
        Encryption::Kms { key: None } => "encrypted with the AWS managed key aws/s3".to_owned(),
    };
    let format = match request.format {
        Format::DynamoDbJson => "",
        Format::Ion => ", in ION",
    };
    let filter = match &request.filter {
        None => "",
        Some(_) => ", filtered",
    };
    format!(
        "{what}{filter}{format} to s3://{}{prefix}{owner}, {encryption}",
        request.bucket
    )
}
