//! Imports as a kind of operation: `ImportTable`, `DescribeImport`, `ListImports`, and what is looked at
//! before one is started.
//!
//! An import is followed by `DescribeImport` alone: its table is `ACTIVE` before the import has ended. Its
//! counts are compared with those of the export's manifests, never with `DescribeTable`, whose counts are
//! hours old.

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use tableferry_policy::arn::Arn;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::assess::new_token;
use super::event::{Event, Side, Verification};
use super::operation::{Calls, Described, LookUp, Observation, OperationKind, StatusCalls};
use super::{
    ArchiveError, ArchivePlace, ArchiveReport, ArchiveRequest, Assessed, Session, StartError, Work,
    look_up, region_of,
};
use crate::archive::audit::Knowledge;
use crate::assess::job_facts::owner_sent;
use crate::aws::dynamodb::{DescribedTable, Dynamodb, Import, StartAnswer};
use crate::aws::failure::Failure;
use crate::job::import::{ImportRequest, ImportedArchive};
use crate::job::table_definition::TableDefinition;
use crate::job::{Format, ImportStatus, Plan, Span, TableStatus};
use crate::journal::{
    IMPORT, ImportResult, JournalError, NewRun, Operation, RunId, RunRecord, Stage, new_import,
};

/// A repeated token gives the same import while it runs; 8 hours are documented. Both requests were
/// accepted within 15 minutes of the times they were signed with.
const TOKEN_HOLDS: SignedDuration = SignedDuration::from_hours(7);

/// "Up to 50 simultaneous import table operations are allowed per account" (API reference).
const MOST_AT_ONCE: usize = 50;

/// "The maximum number of S3 objects for one import is 50,000" ("Quotas", developer guide).
const MOST_OBJECTS: u64 = 50_000;

/// The most bytes of one import in the Regions with the smaller quota ("Quotas", developer guide).
const MOST_BYTES: u64 = 1_000_000_000_000;

/// What an import is about to do, and what should be known before.
#[derive(Debug, Clone)]
pub struct PreparedImport {
    /// The call, with its token.
    pub request: ImportRequest,
    /// What it will do, one line each.
    pub lines: Vec<String>,
    /// What is worth knowing.
    pub warnings: Vec<String>,
    /// What keeps it from being started, with what to do.
    pub refusals: Vec<(String, String)>,
    /// Runs of the same import that are under way, the newest first.
    pub earlier: Vec<RunRecord>,
    digest: String,
    destination: String,
    newest: RunId,
}

/// The table that an export was made of, and what of it an import leaves behind.
#[derive(Debug, Clone)]
pub struct SourceTable {
    /// What was described.
    pub described: DescribedTable,
    /// Whether point-in-time recovery is on, where it could be read.
    pub has_recovery: Option<bool>,
    /// Whether it has a resource policy, where it could be read.
    pub has_policy: Option<bool>,
}

/// Why the source table is not known.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Nobody is signed in who could be asked.
    #[error("nobody is signed in to the account of the source table")]
    NotSignedIn,
    /// It cannot be described.
    #[error("{0}")]
    Call(Box<Failure>),
}

/// The kind.
#[derive(Debug)]
pub(super) struct ImportKind;

/// The calls of one import, in the new table's Region.
struct ImportCalls {
    dynamodb: Dynamodb,
    request: ImportRequest,
}

impl Calls for ImportCalls {
    fn ask_time(&mut self) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            let table = self.request.table_arn.to_string();
            match self.dynamodb.describe_table(&table).await {
                Err(failure) if !is_absent(&failure) => Err(failure),
                _ => Ok(()),
            }
        })
    }

    fn service_time(&self) -> Option<Timestamp> {
        self.dynamodb.service_time()
    }

    fn start(&self, signed_at: Option<Timestamp>) -> BoxFuture<'_, StartAnswer<Described>> {
        Box::pin(async move {
            match self.dynamodb.start_import(&self.request, signed_at).await {
                StartAnswer::Started(import) => StartAnswer::Started(Box::new(described(*import))),
                StartAnswer::Refused(failure) => StartAnswer::Refused(failure),
                StartAnswer::Unanswered(failure) => StartAnswer::Unanswered(failure),
            }
        })
    }

    fn look_up<'a>(&'a self, record: &'a Operation) -> BoxFuture<'a, LookUp> {
        Box::pin(async move {
            let asked_at = self.dynamodb.service_time();
            match self.by_token().await {
                Ok(Some(import)) => LookUp::Found(Box::new(described(import))),
                // An import is listed whatever became of its table.
                Ok(None) => look_up::absence(record, asked_at, Some(Timestamp::UNIX_EPOCH)),
                Err(failure) => LookUp::Failed(failure),
            }
        })
    }
}

impl StatusCalls for ImportCalls {
    fn describe<'a>(&'a self, arn: &'a Arn) -> BoxFuture<'a, Result<Described, Failure>> {
        Box::pin(async move { self.dynamodb.describe_import(arn).await.map(described) })
    }
}

impl ImportCalls {
    /// The import that was started with the request's token.
    async fn by_token(&self) -> Result<Option<Import>, Failure> {
        let listed = self
            .dynamodb
            .list_imports(Some(&self.request.table_arn))
            .await?;
        let mut failed = None;
        for (arn, _) in listed {
            match self.dynamodb.describe_import(&arn).await {
                Ok(import) if import.client_token.as_ref() == Some(&self.request.client_token) => {
                    return Ok(Some(import));
                }
                Ok(_) => {}
                Err(failure) => failed = Some(failure),
            }
        }
        failed.map_or(Ok(None), Err)
    }
}

impl OperationKind for ImportKind {
    fn name(&self) -> &'static str {
        IMPORT
    }

    fn side(&self) -> Side {
        Side::Source
    }

    fn token_holds(&self) -> SignedDuration {
        TOKEN_HOLDS
    }

    fn describe_operation(&self) -> &'static str {
        "DescribeImport"
    }

    fn look_up_permissions(&self) -> &'static str {
        "dynamodb:ListImports and dynamodb:DescribeImport"
    }

    fn describe_permission(&self) -> &'static str {
        "dynamodb:DescribeImport on the table's import/*"
    }

    fn calls(&self, session: &Session, record: &Operation) -> Result<Box<dyn Calls>, JournalError> {
        let (request, _) = read(record)?;
        Ok(Box::new(ImportCalls {
            dynamodb: session.dynamodb(&region_of(&request.table_arn, session)),
            request,
        }))
    }

    /// The name is looked at right before the call: an import of another may have taken it.
    fn blocked_by<'a>(
        &'a self,
        _work: &'a Work,
        session: &'a Session,
        record: &'a Operation,
    ) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            // A table that is there may be this import's own, where a call went unanswered.
            if record.unanswered > 0 {
                return None;
            }
            let arn: Arn = record.subject.parse().ok()?;
            let dynamodb = session.dynamodb(&region_of(&arn, session));
            let described = dynamodb.describe_table(&record.subject).await;
            described
                .ok()
                .map(|table| name_taken(&table.name, &table.status).0)
        })
    }

    fn may_be(&self, record: &Operation, arn: &Arn) -> bool {
        let id = arn.to_string();
        id.strip_prefix(&record.subject)
            .is_some_and(|rest| rest.starts_with("/import/"))
    }

    fn is_unknown(&self, failure: &Failure) -> bool {
        matches!(
            failure.code.as_deref(),
            Some("ImportNotFoundException" | "ValidationException")
        )
    }

    fn files_seen<'a>(
        &'a self,
        _work: &'a Work,
        _record: &'a Operation,
    ) -> BoxFuture<'a, Option<(u64, u64)>> {
        Box::pin(async { None })
    }

    fn verify<'a>(&'a self, _work: &'a Work, record: &'a Operation) -> BoxFuture<'a, Observation> {
        Box::pin(async move { Observation::Settled(compared(record), Vec::new()) })
    }
}

/// What was imported, held against the export's manifests.
fn compared(record: &Operation) -> Verification {
    let unknown = |reason: String| Verification::Unknown { reason };
    let (request, result) = match read(record) {
        Ok(import) => import,
        Err(error) => return unknown(error.to_string()),
    };
    let imported = result.imported_items.unwrap_or(0);
    let Some(archive) = request.archive else {
        return unknown(format!(
            "{imported} items were imported, and the export's manifests could not be read to compare \
             them with"
        ));
    };
    if imported == archive.items {
        return Verification::Verified {
            files: archive.files,
            bytes: archive.bytes,
            items: imported,
        };
    }
    Verification::Wrong {
        findings: vec![format!(
            "{imported} items were imported, and the export's manifests have {}",
            archive.items
        )],
    }
}

fn read(record: &Operation) -> Result<(ImportRequest, ImportResult), JournalError> {
    record
        .to_import()
        .ok_or_else(|| JournalError::UnknownKind(record.kind.clone()))
}

/// What AWS says of an import, as any kind says it.
fn described(import: Import) -> Described {
    let stage = match import.status {
        ImportStatus::InProgress | ImportStatus::Cancelling => Stage::InProgress,
        ImportStatus::Completed => Stage::Completed,
        ImportStatus::Failed | ImportStatus::Cancelled => Stage::Failed,
    };
    let result = ImportResult {
        processed_items: import.processed_items,
        imported_items: import.imported_items,
        errors: import.errors,
        table_id: import.table_id,
        log_group: import.log_group,
    };
    Described {
        arn: import.arn,
        token: import.client_token,
        stage,
        started_at: import.started_at,
        ended_at: import.ended_at,
        failure_code: import.failure_code,
        failure_message: import.failure_message,
        // The result's own types always serialize.
        result: serde_json::to_value(result).unwrap_or_default(),
    }
}

fn is_absent(failure: &Failure) -> bool {
    failure.code.as_deref() == Some("ResourceNotFoundException")
}

/// Why no import into a name starts, and what to do.
fn name_taken(name: &str, status: &TableStatus) -> (String, String) {
    (
        format!("a table {name} is there already ({status}), and an import makes a new one"),
        "give the new table another name".to_owned(),
    )
}

impl Work {
    /// The table that an export was made of, as a side that is in its account reads it.
    ///
    /// # Errors
    /// Where the table cannot be described.
    pub async fn source_table(&self, arn: &Arn) -> Result<SourceTable, TableError> {
        let mut failed = None;
        for side in [Side::Source, Side::Destination] {
            let Some(session) = self.session(side) else {
                continue;
            };
            let dynamodb = session.dynamodb(&region_of(arn, &session));
            let text = arn.to_string();
            match dynamodb.describe_definition(&text).await {
                Ok(described) => {
                    let recovery = dynamodb.describe_recovery(&text).await.ok();
                    let policy = dynamodb.resource_policy(arn).await.ok();
                    return Ok(SourceTable {
                        described,
                        has_recovery: recovery.map(|recovery| recovery.is_enabled),
                        has_policy: policy.map(|policy| policy.is_some()),
                    });
                }
                Err(failure) => failed = Some(failure),
            }
        }
        match failed {
            Some(failure) => Err(TableError::Call(Box::new(failure))),
            None => Err(TableError::NotSignedIn),
        }
    }

    /// Reads an archive's manifests, and looks whether its files are there.
    ///
    /// # Errors
    /// Where there is no archive, or it cannot be read.
    pub async fn manifests_at(
        &self,
        place: ArchivePlace,
        export_arn: Option<String>,
        cancel: &CancellationToken,
    ) -> Result<ArchiveReport, ArchiveError> {
        let request = ArchiveRequest {
            place,
            is_deep: false,
            knowledge: Knowledge::default(),
            export_arn,
        };
        let (events, _) = unbounded_channel();
        self.verify_archive(&request, &events, cancel).await
    }

    /// Reads the manifests of an import's archive, as one of its sides can.
    ///
    /// # Errors
    /// Where there is no archive, or no side can read it.
    async fn manifests_of(
        &self,
        plan: &Plan,
        cancel: &CancellationToken,
    ) -> Result<ArchiveReport, ArchiveError> {
        let mut failed = None;
        for side in [Side::Destination, Side::Source] {
            if self.session(side).is_none() {
                continue;
            }
            let place = ArchivePlace::Bucket {
                side,
                bucket: plan.destination.bucket.clone(),
                owner: plan.destination.owner.clone(),
                folder: plan.archive_folder(),
            };
            match self.manifests_at(place, None, cancel).await {
                Ok(report) => return Ok(report),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or(ArchiveError::NotSignedIn(Side::Source)))
    }

    /// What an import of an assessed plan is about to do, with a new token.
    ///
    /// # Errors
    /// Where the plan is no import, nobody is signed in, or the journal cannot be read.
    pub async fn prepare_import(
        &self,
        assessed: &Assessed,
        cancel: &CancellationToken,
    ) -> Result<PreparedImport, StartError> {
        let plan = &assessed.assessment.plan;
        let facts = &assessed.assessment.facts;
        let session = self.session(Side::Source).ok_or(StartError::NotSignedIn)?;
        let table = plan.new_table().ok_or(StartError::NotSignedIn)?;
        let mut refusals = Vec::new();
        let mut warnings = Vec::new();
        let archive = match self.manifests_of(plan, cancel).await {
            Ok(report) => {
                refusals.extend(refused_source(&report));
                Some(report)
            }
            Err(error) => {
                warnings.push(format!(
                    "the export's manifests cannot be read, so that neither its kind nor its counts are \
                     known: {error}"
                ));
                None
            }
        };
        let arn = self.new_table_arn(table).ok_or(StartError::NotSignedIn)?;
        self.look_at_target(&session, &arn, (&mut refusals, &mut warnings))
            .await;
        let request = ImportRequest {
            table_arn: arn,
            definition: table.clone(),
            bucket: plan.destination.bucket.clone(),
            bucket_owner: owner_sent(plan, facts),
            key_prefix: plan.data_folder(),
            client_token: new_token(),
            archive: archive.as_ref().map(|report| ImportedArchive {
                files: report.audit.files,
                bytes: report.audit.bytes,
                items: report.audit.items,
            }),
        };
        let journal = &self.inner.journal;
        let newest = journal.newest()?;
        let digest = digest(&request);
        let mut earlier = journal.runs()?;
        earlier.retain(|run| run.digest == digest && run.is_open());
        Ok(PreparedImport {
            lines: lines(&request),
            warnings,
            refusals,
            earlier,
            digest,
            destination: format!("s3://{}/{}", request.bucket, request.key_prefix),
            newest,
            request,
        })
    }

    /// The ARN that a new table gets, in the account and Region that the source is signed in to.
    #[must_use]
    pub fn new_table_arn(&self, table: &TableDefinition) -> Option<Arn> {
        let session = self.session(Side::Source)?;
        let (region, account) = (&session.region, &session.identity.account);
        let partition = region.partition();
        let text = format!(
            "arn:{partition}:dynamodb:{region}:{account}:table/{}",
            table.name
        );
        text.parse().ok()
    }

    /// Looks at the name and at the account's other imports.
    async fn look_at_target(
        &self,
        session: &Session,
        arn: &Arn,
        (refusals, warnings): (&mut Vec<(String, String)>, &mut Vec<String>),
    ) {
        let dynamodb = session.dynamodb(&region_of(arn, session));
        match dynamodb.describe_table(&arn.to_string()).await {
            Ok(table) => refusals.push(name_taken(&table.name, &table.status)),
            Err(failure) if is_absent(&failure) => {}
            Err(failure) => warnings.push(format!(
                "whether the table's name is free could not be read: {failure}"
            )),
        }
        match dynamodb.list_imports(None).await {
            Ok(imports) => {
                let running = imports
                    .iter()
                    .filter(|(_, status)| *status == ImportStatus::InProgress);
                let running: Vec<&Arn> = running.map(|(arn, _)| arn).collect();
                if running.len() >= MOST_AT_ONCE {
                    refusals.push((
                        format!("{} imports are in progress in the account, and AWS takes 50", running.len()),
                        "wait until one has ended".to_owned(),
                    ));
                }
                let own = format!("{arn}/import/");
                let twin = running.iter().find(|arn| arn.to_string().starts_with(&own));
                if let Some(twin) = twin {
                    refusals.push((
                        format!("another import makes a table of this name already: {twin}"),
                        "of two, one fails: wait for it, or give the new table another name".to_owned(),
                    ));
                }
            }
            Err(failure) => warnings.push(format!(
                "the imports in progress could not be listed, of which AWS takes 50 at once: {failure}"
            )),
        }
    }

    /// Writes an import to the journal, then makes its call. A deed: once begun, let it end.
    ///
    /// # Errors
    /// Where nothing could be started.
    pub async fn start_import(
        &self,
        plan: &Plan,
        prepared: &PreparedImport,
        events: UnboundedSender<Event>,
        cancel: &CancellationToken,
    ) -> Result<RunId, StartError> {
        if self.is_read_only() {
            return Err(StartError::ReadOnly);
        }
        let session = self.session(Side::Source).ok_or(StartError::NotSignedIn)?;
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
            destination: &prepared.destination,
            destination_arn: reader.as_deref(),
        };
        let import = new_import(&prepared.request, account);
        self.start_operations(&run, &[import], Some(prepared.newest), events, cancel)
            .await
    }
}

/// What is wrong with an archive as the source of an import.
fn refused_source(report: &ArchiveReport) -> Vec<(String, String)> {
    let mut refusals = Vec::new();
    let mut refuse = |problem: String, hint: &str| refusals.push((problem, hint.to_owned()));
    if let Some(summary) = &report.summary {
        if matches!(summary.span, Some(Span::Incremental { .. })) {
            refuse(
                "the export is incremental, whose lines are no items: ImportTable takes full exports"
                    .to_owned(),
                "import the full export that it continues",
            );
        }
        if summary.format == Some(Format::Ion) {
            refuse(
                "the export is in Ion, which this program does not import".to_owned(),
                "export in DYNAMODB_JSON",
            );
        }
    }
    if !report.audit.faults.is_empty() {
        refuse(
            format!("the archive has {} faults", report.audit.faults.len()),
            "`tableferry verify` names them",
        );
    }
    if report.audit.files > MOST_OBJECTS {
        refuse(
            format!(
                "the export has {} files, and one import takes 50,000",
                report.audit.files
            ),
            "export the table anew, or load it in parts",
        );
    }
    if report.audit.bytes > MOST_BYTES {
        refuse(
            format!(
                "the export has {} compressed, and outside the largest Regions one import takes 1 TB",
                bytesize::ByteSize(report.audit.bytes)
            ),
            "ask AWS for a higher quota, or load it in parts",
        );
    }
    refusals
}

/// What the call will do, in sentences.
fn lines(request: &ImportRequest) -> Vec<String> {
    let owner = request
        .bucket_owner
        .as_ref()
        .map_or_else(String::new, |owner| format!(" of account {owner}"));
    let counts = request
        .archive
        .as_ref()
        .map_or_else(String::new, |archive| {
            format!(
                ", {} items in {} files, {}",
                archive.items,
                archive.files,
                bytesize::ByteSize(archive.bytes)
            )
        });
    let mut lines = vec![format!(
        "import s3://{}/{}{owner}{counts}, into {}",
        request.bucket, request.key_prefix, request.table_arn
    )];
    lines.extend(request.definition.lines());
    lines
}

/// Tells whether two plans ask for the same import: a digest of the call without its token.
fn digest(request: &ImportRequest) -> String {
    let mut anonymous = request.clone();
    anonymous.client_token.clear();
    let mut hasher = Sha256::new();
    hasher.update(b"import\n");
    // The request's own types always serialize; an empty text would only merge two digests.
    hasher.update(serde_json::to_vec(&anonymous).unwrap_or_default());
    hex::encode(hasher.finalize())
}
