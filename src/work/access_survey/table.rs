//! Reading the tables of a plan, their recovery and policies, and the exports that run.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future;
use jiff::{SignedDuration, Timestamp};

use super::reading::{read, read_optional, tried};
use crate::assess::facts::{Fact, InFlight, ObservedCall, Recovery, TableDescription, TableFacts};
use crate::assess::requirement::Who;
use crate::aws::dynamodb::{Export, ExportStatus, Table};
use crate::aws::{Failure, Session};
use crate::job::Plan;
use tableferry_policy::arn::{Arn, Region};

/// What was read of the tables.
pub(super) struct Read {
    pub(super) facts: Vec<TableFacts>,
    pub(super) in_flight: Fact<InFlight>,
    /// The exports of the plan's tables that run, or were started within the hour, whoever started
    /// them; as many as were looked at.
    pub(super) recent: Vec<Export>,
    pub(super) tried: Vec<ObservedCall>,
}

const DESCRIBE_TABLE: &str = "dynamodb:DescribeTable";
const DESCRIBE_BACKUPS: &str = "dynamodb:DescribeContinuousBackups";
const LIST_EXPORTS: &str = "dynamodb:ListExports";

pub(super) async fn read_all(plan: &Plan, source: &Session) -> Read {
    let account = &source.identity.account;
    let mut tables: Vec<(String, Arn)> = Vec::new();
    for job in &plan.tables {
        let asked = job.table.to_string();
        if !tables.iter().any(|(known, _)| *known == asked) {
            tables.push((asked, plan.table_arn(job, account, &source.region)));
        }
    }
    let reads = tables
        .iter()
        .map(|(asked, arn)| read_table(source, asked, arn));
    let (read, (in_flight, recent)) =
        future::join(future::join_all(reads), running(source, &tables)).await;
    let mut all = Read {
        facts: Vec::new(),
        recent,
        tried: tried(Who::Exporter, LIST_EXPORTS, "*".to_owned(), &in_flight)
            .into_iter()
            .collect(),
        in_flight,
    };
    for (facts, tried) in read {
        all.facts.push(facts);
        all.tried.extend(tried);
    }
    all
}

async fn read_table(source: &Session, asked: &str, arn: &Arn) -> (TableFacts, Vec<ObservedCall>) {
    let region = arn.region_code();
    let dynamodb = source.dynamodb(region.as_ref().unwrap_or(&source.region));
    let name = arn.resource_after("table").unwrap_or(asked);
    // By its ARN where it is another account's, so that not a namesake of our own is read.
    let full = arn.to_string();
    let is_own = arn.account == source.identity.account.as_str();
    let name = if is_own { name } else { &full };
    let (described, recovery, policy) = future::join3(
        read(
            DESCRIBE_TABLE,
            &["ResourceNotFoundException", "TableNotFoundException"],
            dynamodb.describe_table(name),
        ),
        read(
            DESCRIBE_BACKUPS,
            &["TableNotFoundException", "ResourceNotFoundException"],
            dynamodb.describe_recovery(name),
        ),
        read_optional("dynamodb:GetResourcePolicy", dynamodb.resource_policy(arn)),
    )
    .await;
    let tried = [
        tried(Who::Exporter, DESCRIBE_TABLE, full.clone(), &described),
        tried(Who::Exporter, DESCRIBE_BACKUPS, full.clone(), &recovery),
    ];
    let facts = TableFacts {
        asked: asked.to_owned(),
        description: described.map(description),
        recovery: recovery.map(|found| Recovery {
            is_enabled: found.is_enabled,
            earliest: found.earliest,
            latest: found.latest,
        }),
        policy,
    };
    (facts, tried.into_iter().flatten().collect())
}

fn description(table: Table) -> TableDescription {
    TableDescription {
        arn: table.arn,
        status: table.status,
        created_at: table.created_at,
        size_bytes: table.size_bytes,
        key: table.kms_key.and_then(|key| key.parse().ok()),
    }
}

/// Of how many tables the sizes are asked for to know how much is in flight.
const MOST_SIZES: usize = 25;

/// How many exports of the plan's tables are looked at.
const MOST_RECENT: usize = 20;
/// How long ago an export counts as recent.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

/// The exports that run in the tables' Regions, and how large their tables are together; and those of
/// the tables themselves that are recent.
async fn running(source: &Session, tables: &[(String, Arn)]) -> (Fact<InFlight>, Vec<Export>) {
    let mut recent = Vec::new();
    let regions: BTreeSet<Region> = tables
        .iter()
        .filter_map(|(_, arn)| arn.region_code())
        .collect();
    let count = async {
        let lists = regions.iter().map(|region| {
            let dynamodb = source.dynamodb(region);
            async move { dynamodb.list_exports(None).await }
        });
        let listed = future::try_join_all(lists).await?.concat();
        recent = describe_recent(source, tables, &listed).await;
        let running: Vec<Arn> = listed
            .into_iter()
            .filter(|(_, status)| *status == ExportStatus::InProgress)
            .map(|(export, _)| export)
            .collect();
        Ok::<_, Failure>(InFlight {
            count: u32::try_from(running.len()).unwrap_or(u32::MAX),
            bytes: bytes_in_flight(source, &running).await,
        })
    };
    let in_flight = read(LIST_EXPORTS, &[], count).await;
    (in_flight, recent)
}

/// The recent exports of tables, as far as they may be described.
async fn describe_recent(
    source: &Session,
    tables: &[(String, Arn)],
    listed: &[(Arn, ExportStatus)],
) -> Vec<Export> {
    let since = Timestamp::now().checked_sub(RECENT);
    let since = since.unwrap_or(Timestamp::MIN);
    let is_recent = |(export, status): &&(Arn, ExportStatus)| {
        let is_of_plan = tables
            .iter()
            .any(|(_, table)| export.to_string().starts_with(&format!("{table}/export/")));
        is_of_plan
            && (*status == ExportStatus::InProgress || started(export).is_some_and(|at| at > since))
    };
    let described =
        listed
            .iter()
            .filter(is_recent)
            .take(MOST_RECENT)
            .map(|(export, _)| async move {
                let dynamodb = source.dynamodb(&export.region_code()?);
                dynamodb.describe_export(export).await.ok()
            });
    let described = future::join_all(described).await;
    described.into_iter().flatten().collect()
}

/// When an export was started: its id begins with the milliseconds since 1970.
fn started(export: &Arn) -> Option<Timestamp> {
    let (_, id) = export.resource.rsplit_once('/')?;
    let (time, _) = id.split_once('-')?;
    Timestamp::from_millisecond(time.parse().ok()?).ok()
}

/// The size of the exported tables together, a table counted once for each of its exports; `None`
/// where it is not known of one of them.
async fn bytes_in_flight(source: &Session, exports: &[Arn]) -> Option<u64> {
    let mut tables: BTreeMap<String, (Region, u64)> = BTreeMap::new();
    for export in exports {
        // An export's ARN is its table's with `/export/ID` behind it.
        let (name, _) = export.resource_after("table")?.split_once("/export/")?;
        let table = Arn {
            resource: format!("table/{name}"),
            ..export.clone()
        };
        let region = export.region_code()?;
        tables.entry(table.to_string()).or_insert((region, 0)).1 += 1;
    }
    if tables.len() > MOST_SIZES {
        return None;
    }
    let sizes = tables.iter().map(|(table, (region, exports))| async move {
        let described = source.dynamodb(region).describe_table(table).await.ok()?;
        described.size_bytes?.checked_mul(*exports)
    });
    let sizes = future::join_all(sizes).await;
    sizes.into_iter().sum()
}
