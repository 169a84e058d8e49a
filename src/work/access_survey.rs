//! The survey of access: every fact that bears on whether a plan's exports may be done, from both
//! sides at once.
//!
//! It decides what is asked of whom. Each fact is known, absent, refused or failed on its own; none
//! of them keeps the others from being read, and each has a bound on how long it may take. What a
//! read shows about the reader's own permissions is kept too: a call that worked is proof.

mod bucket;
mod key;
mod principal;
mod reading;
mod table;

pub use principal::{ControlDocuments, ControlFile, ControlFileError};

use futures_util::future;
use jiff::{SignedDuration, Timestamp};

use super::event::Side;
use super::start::StartError;
use super::{Session, Work};
use crate::access::facts::{Facts, PastExport};
use crate::journal::{ExportRecord, RunRecord, Stage};
use crate::plan::Plan;

/// How far back exports are remembered, as `ListExports` does.
const MEMORY: SignedDuration = SignedDuration::from_hours(90 * 24);

impl Work {
    /// Reads all that bears on a plan's permissions, settings and times, with the sides that are
    /// signed in. `controls` are policies of the organization that were handed in as files.
    ///
    /// # Errors
    /// Only where the source is not signed in: nothing can be judged without knowing who exports.
    pub async fn survey_access(
        &self,
        plan: &Plan,
        controls: &ControlDocuments,
    ) -> Result<Facts, StartError> {
        let source = self.session(Side::Source).ok_or(StartError::NotSignedIn)?;
        let destination = plan
            .destination
            .sign_in
            .as_ref()
            .and_then(|_| self.session(Side::Destination));
        let begun = Timestamp::now();
        let (source_facts, destination_facts, resources) = future::join3(
            principal::read_all(&source),
            future::OptionFuture::from(destination.as_ref().map(principal::read_all)),
            read_resources(plan, &source, destination.as_ref()),
        )
        .await;
        let mut facts = Facts::new(source_facts, resources.bucket.facts, begun);
        facts.destination = destination_facts;
        facts.in_flight = resources.tables.in_flight;
        facts.tables = resources.tables.facts;
        facts.tried = resources.tables.tried;
        facts.tried.extend(resources.bucket.tried);
        facts.keys = resources.keys;
        facts.exports = self.past_exports(begun);
        controls.put_into(&mut facts);
        facts.source.simulation = principal::simulate(plan, &facts, &source).await;
        Ok(facts)
    }

    /// The exports that the journal remembers; none where it cannot be read, since they are only
    /// evidence beside the facts.
    fn past_exports(&self, now: Timestamp) -> Vec<PastExport> {
        let since = now.checked_sub(MEMORY).unwrap_or(Timestamp::MIN);
        let runs = self.inner.journal.runs_since(since).unwrap_or_default();
        runs.iter()
            .flat_map(|run| {
                run.exports
                    .iter()
                    .filter_map(|export| past_export(run, export))
            })
            .collect()
    }
}

/// The resources of a plan, as far as they could be read.
struct Resources {
    tables: table::Read,
    bucket: bucket::Read,
    keys: Vec<crate::access::facts::KeyFacts>,
}

/// Tables and bucket first: they tell which keys matter, and in which Region.
async fn read_resources(plan: &Plan, source: &Session, destination: Option<&Session>) -> Resources {
    let (tables, bucket) = future::join(
        table::read_all(plan, source),
        bucket::read_all(plan, source, destination),
    )
    .await;
    let region = bucket.facts.region.value();
    let keys = key::read_all(plan, &tables.facts, region, source, destination).await;
    Resources {
        tables,
        bucket,
        keys,
    }
}

fn past_export(run: &RunRecord, export: &ExportRecord) -> Option<PastExport> {
    let status = match export.stage {
        Stage::Completed => "COMPLETED",
        Stage::Failed => "FAILED",
        _ => "IN_PROGRESS",
    };
    let request = &export.request;
    Some(PastExport {
        export_arn: export.export_arn.clone()?,
        table_arn: request.table_arn.to_string(),
        principal: run.source_arn.clone(),
        bucket: request.bucket.to_string(),
        prefix: request.prefix.clone(),
        key: request.encryption.key().map(str::to_owned),
        started_at: export.started_at.or(export.called_at)?,
        status: status.to_owned(),
        is_unchanged_since: false,
    })
}
