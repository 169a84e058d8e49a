//! What a load or a replay is about to do, and what is looked at before it.

use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::target::Target;
use super::{LoadError, estimate, target};
use crate::archive::chain;
use crate::archive::line::KeySchema;
use crate::archive::manifest::Summary;
use crate::job::load::{ArchiveAddress, Load, LoadRequest, Position};
use crate::job::{Plan, Span, recovery_command};
use crate::journal::{LOAD, NewRun, REPLAY, RunId, RunRecord, new_load};
use crate::work::archive::{ArchiveError, ReadableArchive};
use crate::work::assess::new_token;
use crate::work::event::{Event, Side};
use crate::work::{Assessed, Session, StartError, Work, region_of};
use tableferry_policy::arn::Arn;

/// What a load or a replay is about to do, and what should be known before.
#[derive(Debug, Clone)]
pub struct PreparedLoad {
    /// What it will do, one line each.
    pub lines: Vec<String>,
    /// How long that takes, and what it costs.
    pub estimate: Vec<String>,
    /// What is worth knowing.
    pub warnings: Vec<String>,
    /// What keeps it from being started, with what to do.
    pub refusals: Vec<(String, String)>,
    /// Runs of the same that are under way, the newest first.
    pub earlier: Vec<RunRecord>,
    /// The name of the table, which is typed before anything is written.
    pub table: String,
    requests: Vec<LoadRequest>,
    keys: KeySchema,
    digest: String,
    source: String,
    newest: RunId,
}

impl PreparedLoad {
    /// The exports that are written, one after another.
    #[must_use]
    pub fn requests(&self) -> &[LoadRequest] {
        &self.requests
    }

    pub(super) const fn keys(&self) -> &KeySchema {
        &self.keys
    }
}

/// An export that is read, with its address.
type Addressed = (ArchiveAddress, ReadableArchive);

impl Work {
    /// What a load or a replay of an assessed plan is about to do.
    ///
    /// # Errors
    /// Where an export or the table cannot be read.
    pub async fn prepare_load(
        &self,
        assessed: &Assessed,
        cancel: &CancellationToken,
    ) -> Result<PreparedLoad, LoadError> {
        let plan = &assessed.assessment.plan;
        let session = self
            .session(Side::Source)
            .ok_or(LoadError::NotSignedIn(Side::Source))?;
        let (Some(load), Some(job)) = (plan.load(), plan.tables.first()) else {
            return Err(LoadError::Table("the plan writes into no table".to_owned()));
        };
        let arn = plan.table_arn(job, &session.identity.account, &session.region);
        let target = Target::read(&session, &arn).await?;
        let keys = target.keys()?;
        let mut refusals = refused_target(&target);
        let full = self.archive_at(&full_address(plan, load), cancel).await?;
        let full = (full_address(plan, load), full);
        let archives = if load.is_replay() {
            self.windows_of(load, &full.1.summary, &mut refusals, cancel)
                .await?
        } else {
            refusals.extend(refused_full(&full.1.summary));
            vec![full]
        };
        let mut warnings = Vec::new();
        if let Some((_, archive)) = archives.first() {
            let summary = &archive.summary;
            if summary.table_arn == target.table.arn.to_string() && !load.is_onto_source {
                refusals.push((
                    format!("{arn} is the table that was exported: its later changes would be undone"),
                    "name another table, or add --onto-source (onto_source = true) if that is meant"
                        .to_owned(),
                ));
            }
            match self.exported_keys(summary).await {
                Some(exported) if !exported.is_same(&keys) => refusals.push((
                    format!(
                        "the keys of table {} are {}, those of the exported table are {}",
                        job.table,
                        words(&keys),
                        words(&exported)
                    ),
                    "name a table of the same keys".to_owned(),
                )),
                Some(_) => {}
                None => warnings.push(format!(
                    "the exported table cannot be described, so that whether its keys are {} is told by \
                     each line alone",
                    words(&keys)
                )),
            }
        }
        for (address, archive) in &archives {
            refusals.extend(refused_archive(address, archive));
            if refusals.is_empty()
                && let Err(error) = self.first_records(archive, &keys, cancel).await
            {
                refusals.push((
                    format!("{address} does not fit table {}: {error}", job.table),
                    "`tableferry verify --deep` reads every line".to_owned(),
                ));
            }
        }
        let rate = estimate::most_units(load.most_write_units, &target.table);
        let requests: Vec<LoadRequest> = archives
            .iter()
            .map(|archive| request(archive, &arn, &target, rate))
            .collect();
        warnings.extend(what_stays(&target, load.is_replay()));
        let journal = &self.inner.journal;
        let newest = journal.newest()?;
        let digest = digest(&requests);
        let mut earlier = journal.runs()?;
        earlier.retain(|run| run.digest == digest && run.is_open());
        Ok(PreparedLoad {
            lines: requests.iter().map(line).collect(),
            estimate: self.estimate_of(&archives, rate, &target),
            warnings,
            refusals,
            earlier,
            table: target.table.name,
            source: requests
                .first()
                .map_or_else(String::new, |request| request.archive.to_string()),
            requests,
            keys,
            digest,
            newest,
        })
    }

    /// The incremental exports of a replay, in the order of their windows.
    async fn windows_of(
        &self,
        load: &Load,
        full: &Summary,
        refusals: &mut Vec<(String, String)>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Addressed>, ArchiveError> {
        let mut windows = Vec::new();
        for address in &load.windows {
            let archive = self.archive_at(address, cancel).await?;
            windows.push(Some((address.clone(), archive)));
        }
        let summaries = windows.iter().flatten();
        let summaries: Vec<Summary> = summaries
            .map(|(_, archive)| archive.summary.clone())
            .collect();
        match chain::order(full, &summaries) {
            Ok(order) => Ok(order
                .into_iter()
                .filter_map(|index| windows.get_mut(index)?.take())
                .collect()),
            Err(broken) => {
                refusals.push((broken.to_string(), broken.hint().to_owned()));
                Ok(windows.into_iter().flatten().collect())
            }
        }
    }

    /// The keys of the table that was exported, where it can be described and is still the same table.
    async fn exported_keys(&self, summary: &Summary) -> Option<KeySchema> {
        let arn: Arn = summary.table_arn.parse().ok()?;
        for side in [Side::Source, Side::Destination] {
            let Some(session) = self.session(side) else {
                continue;
            };
            let dynamodb = session.dynamodb(&region_of(&arn, &session));
            if let Ok(table) = dynamodb.describe_table(&summary.table_arn).await {
                let is_same = summary.table_id.is_none() || table.id == summary.table_id;
                return is_same.then(|| target::keys(&table)).flatten();
            }
        }
        None
    }

    /// Whether the first lines of an export have these keys.
    async fn first_records(
        &self,
        archive: &ReadableArchive,
        keys: &KeySchema,
        cancel: &CancellationToken,
    ) -> Result<(), ArchiveError> {
        let stop = cancel.child_token();
        let mut records = archive.records(Position::default(), keys.clone(), 1, &stop)?;
        while let Some(batch) = records.recv().await {
            if !batch?.records.is_empty() {
                break;
            }
        }
        stop.cancel();
        Ok(())
    }

    fn estimate_of(&self, archives: &[Addressed], rate: u64, target: &Target) -> Vec<String> {
        let mut least = 0;
        let mut most = Some(0);
        for (_, archive) in archives {
            let is_full = !matches!(archive.summary.span, Some(Span::Incremental { .. }));
            let (at_least, at_most) = estimate::units(&archive.summary, is_full);
            least += at_least;
            most = most.zip(at_most).map(|(sum, units)| sum + units);
        }
        let prices = &self.settings().limits.prices;
        estimate::lines((least, most), rate, &target.table, prices)
    }

    /// Writes a load or a replay to the journal. Nothing is written into the table yet.
    ///
    /// # Errors
    /// Where the journal cannot be written, or the same was begun meanwhile.
    pub fn record_load(
        &self,
        plan: &Plan,
        prepared: &PreparedLoad,
        events: &UnboundedSender<Event>,
    ) -> Result<RunId, StartError> {
        if self.is_read_only() {
            return Err(StartError::ReadOnly);
        }
        let session: Session = self.session(Side::Source).ok_or(StartError::NotSignedIn)?;
        let arn = session.identity.arn.to_string();
        let account = session.identity.account.as_str();
        let reader = self.session(Side::Destination);
        let reader = reader.map(|session| session.identity.arn.to_string());
        let run = NewRun {
            plan: &plan.to_toml(),
            digest: &prepared.digest,
            source_arn: &arn,
            source_account: account,
            source_region: session.region.as_str(),
            destination: &prepared.source,
            destination_arn: reader.as_deref(),
        };
        let requests = prepared.requests.iter();
        let operations: Vec<_> = requests.map(|request| new_load(request, account)).collect();
        let now = jiff::Timestamp::now();
        let known = Some(prepared.newest);
        let id = self
            .inner
            .journal
            .record_run(&run, &operations, now, known)?;
        let _ = events.send(Event::Journalled { run: id });
        Ok(id)
    }
}

/// Where the full export is read.
fn full_address(plan: &Plan, load: &Load) -> ArchiveAddress {
    match &load.directory {
        Some(directory) => ArchiveAddress::Directory(directory.clone()),
        None => ArchiveAddress::Bucket {
            bucket: plan.destination.bucket.clone(),
            owner: plan.destination.owner.clone(),
            folder: plan.archive_folder(),
        },
    }
}

/// Keys with their types.
fn words(keys: &KeySchema) -> String {
    keys.to_texts().join(" and ")
}

/// Why the table cannot be written to.
fn refused_target(target: &Target) -> Vec<(String, String)> {
    let mut refusals = Vec::new();
    if let Some(busy) = target.busy() {
        refusals.push((busy, "wait until it is ACTIVE".to_owned()));
    }
    if !target.recovery.is_enabled {
        let name = &target.table.name;
        refusals.push((
            format!(
                "point-in-time recovery of table {name} is off: what is written could not be undone"
            ),
            format!("switch it on: {}", recovery_command(name)),
        ));
    }
    refusals
}

/// Why an export is none to load.
fn refused_full(summary: &Summary) -> Option<(String, String)> {
    matches!(summary.span, Some(Span::Incremental { .. })).then(|| {
        (
            "the export is incremental, and holds changes, not the table's items".to_owned(),
            "`tableferry replay` writes it onto a table that holds the full export that it continues"
                .to_owned(),
        )
    })
}

/// What is wrong with an archive, as far as its manifests and the names of its files show it.
fn refused_archive(
    address: &ArchiveAddress,
    archive: &ReadableArchive,
) -> Option<(String, String)> {
    let faults = &archive.report.audit.faults;
    let first = faults.first()?;
    Some((
        format!("{address} has {} faults: {}", faults.len(), first.kind),
        "`tableferry verify` names them".to_owned(),
    ))
}

fn request(
    (address, archive): &Addressed,
    arn: &Arn,
    target: &Target,
    most_write_units: u64,
) -> LoadRequest {
    let summary = &archive.summary;
    let window = match summary.span {
        Some(Span::Incremental { from, to, .. }) => Some((from, to)),
        _ => None,
    };
    LoadRequest {
        table_arn: arn.clone(),
        table_id: target.table.id.clone(),
        export_arn: summary.export_arn.clone(),
        archive: address.clone(),
        manifests: archive.digest.clone(),
        files: archive.report.audit.files,
        bytes: archive.report.audit.bytes,
        items: summary.item_count,
        window,
        most_write_units,
        token: new_token(),
    }
}

/// What is written, in a sentence.
fn line(request: &LoadRequest) -> String {
    let what = match request.window {
        Some((from, to)) => format!("replay {} changes of {from} to {to}", request.items),
        None => format!("load {} items", request.items),
    };
    format!(
        "{what} from {} ({} files, {}) into {}, at most {} write units a second",
        request.archive,
        request.files,
        bytesize::ByteSize(request.bytes),
        request.table_arn,
        request.most_write_units
    )
}

/// What of the table stays, and what must not happen meanwhile.
fn what_stays(target: &Target, is_replay: bool) -> Vec<String> {
    let name = &target.table.name;
    if is_replay {
        return vec![format!(
            "nothing else may write to table {name} meanwhile: what another writes there is taken back \
             where a window holds an earlier state of it"
        )];
    }
    let items = target.table.item_count;
    let items = items.map_or_else(String::new, |items| {
        format!(" (it had about {items} when AWS last counted)")
    });
    vec![
        format!(
            "items of table {name} that the export lacks stay{items}; those of the same key are replaced"
        ),
        format!(
            "afterwards all items of table {name} are counted by a scan, which is billed as reading them"
        ),
    ]
}

/// Tells whether two runs write the same.
fn digest(requests: &[LoadRequest]) -> String {
    let mut hasher = Sha256::new();
    for request in requests {
        let mut anonymous = request.clone();
        anonymous.token.clear();
        let kind = if request.window.is_some() {
            REPLAY
        } else {
            LOAD
        };
        hasher.update(format!("{kind}\n"));
        // The request's own types always serialize; an empty text would only merge two digests.
        hasher.update(serde_json::to_vec(&anonymous).unwrap_or_default());
    }
    hex::encode(hasher.finalize())
}
