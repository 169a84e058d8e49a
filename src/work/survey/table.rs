//! Reading the tables of a plan, their recovery and policies, and the exports that run.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, future, stream};
use jiff::{SignedDuration, Timestamp};

use super::reading::{read, read_optional, tried};
use crate::assess::facts::{
    Fact, InFlight, ObservedCall, Recovery, TableDescription, TableFacts, Unasked,
};
use crate::aws::dynamodb::{Export, ExportStatus, Table};
use crate::aws::{Failure, Session};
use crate::job::Plan;
use crate::job::requirement::Actor;
use tableferry_policy::arn::{Arn, Region};
use tableferry_policy::policy::Policy;

/// What was read of the tables.
pub(super) struct ReadTables {
    pub(super) facts: Vec<TableFacts>,
    pub(super) in_flight: Fact<InFlight>,
    pub(super) exports: KnownExports,
    pub(super) tried: Vec<ObservedCall>,
}

/// The exports of the plan's tables that run, or were started within the hour, no matter who started them.
#[derive(Debug, Default)]
pub(in crate::work) struct KnownExports {
    /// Those that were described.
    pub(in crate::work) described: Vec<Export>,
    /// What of them was not read, and why, in sentences.
    pub(in crate::work) not_read: Vec<String>,
}

/// How many tables are read at a time.
const AT_A_TIME: usize = 8;

/// The codes that say that there is no such table.
const ABSENT: &[&str] = &["ResourceNotFoundException", "TableNotFoundException"];
const DESCRIBE_TABLE: &str = "dynamodb:DescribeTable";
const DESCRIBE_BACKUPS: &str = "dynamodb:DescribeContinuousBackups";
const LIST_EXPORTS: &str = "dynamodb:ListExports";

pub(super) async fn read_all(plan: &Plan, source: &Session) -> ReadTables {
    if plan.tables.is_empty() {
        return ReadTables {
            facts: Vec::new(),
            in_flight: Fact::unasked(Unasked::NotApplicable),
            exports: KnownExports::default(),
            tried: Vec::new(),
        };
    }
    let account = &source.identity.account;
    let mut tables: Vec<(String, Arn)> = Vec::new();
    for job in &plan.tables {
        let asked = job.table.to_string();
        if !tables.iter().any(|(known, _)| *known == asked) {
            tables.push((asked, plan.table_arn(job, account, &source.region)));
        }
    }
    let reads: Vec<_> = tables
        .iter()
        .map(|(asked, arn)| read_table(source, asked, arn))
        .collect();
    // Hundreds of tables read at once would time out while they wait for each other.
    let reads = stream::iter(reads).buffered(AT_A_TIME).collect::<Vec<_>>();
    let (read, (in_flight, exports)) = future::join(reads, running(source, &tables)).await;
    let mut all = ReadTables {
        facts: Vec::new(),
        exports,
        tried: tried(Actor::Exporter, LIST_EXPORTS, "*".to_owned(), &in_flight)
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

/// A table and its recovery window, in the Region that its ARN names or the session's.
pub(in crate::work) async fn read_description(
    source: &Session,
    asked: &str,
    arn: Option<&Arn>,
) -> (Fact<TableDescription>, Fact<Recovery>) {
    let region = arn.and_then(Arn::region_code);
    let dynamodb = source.dynamodb(region.as_ref().unwrap_or(&source.region));
    // By its ARN where it is another account's, so that not a namesake of our own is read.
    let full = arn.map(ToString::to_string);
    let is_own = |arn: &&Arn| arn.account == source.identity.account.as_str();
    let name = match arn.filter(is_own) {
        Some(own) => own.resource_after("table").unwrap_or(asked),
        None => full.as_deref().unwrap_or(asked),
    };
    let (described, recovery) = future::join(
        read(DESCRIBE_TABLE, ABSENT, dynamodb.describe_table(name)),
        read(DESCRIBE_BACKUPS, ABSENT, dynamodb.describe_recovery(name)),
    )
    .await;
    let recovery = recovery.map(|found| Recovery {
        is_enabled: found.is_enabled,
        earliest: found.earliest,
        latest: found.latest,
        period_days: found.period_days,
    });
    (described.map(description), recovery)
}

async fn read_table(source: &Session, asked: &str, arn: &Arn) -> (TableFacts, Vec<ObservedCall>) {
    let region = arn.region_code();
    let dynamodb = source.dynamodb(region.as_ref().unwrap_or(&source.region));
    let ((described, recovery), policy) = future::join(
        read_description(source, asked, Some(arn)),
        read_optional("dynamodb:GetResourcePolicy", dynamodb.resource_policy(arn)),
    )
    .await;
    let full = arn.to_string();
    let tried = [
        tried(Actor::Exporter, DESCRIBE_TABLE, full.clone(), &described),
        tried(Actor::Exporter, DESCRIBE_BACKUPS, full.clone(), &recovery),
    ];
    let facts = TableFacts {
        asked: asked.to_owned(),
        description: described,
        recovery,
        policy: policy.map(Policy::from),
    };
    (facts, tried.into_iter().flatten().collect())
}

fn description(table: Table) -> TableDescription {
    TableDescription {
        arn: table.arn,
        status: table.status,
        id: table.id,
        created_at: table.created_at,
        item_count: table.item_count,
        size_bytes: table.size_bytes,
        key_attributes: table.key_attributes,
        key: table.kms_key.and_then(|key| key.parse().ok()),
    }
}

/// Of how many tables the sizes are asked for to know how much is in flight.
const MOST_SIZES: usize = 25;

/// How many exports in progress of a table are described.
const MOST_DESCRIBED: usize = 25;
/// How many exports that ended are described.
const MOST_RECENT: usize = 20;
/// How long ago an export counts as recent.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

type Listed = Vec<(Arn, ExportStatus)>;

/// The exports that run in the tables' Regions, and how large their tables are together; and those of
/// the tables themselves that run or are recent.
async fn running(source: &Session, tables: &[(String, Arn)]) -> (Fact<InFlight>, KnownExports) {
    let regions: BTreeSet<Region> = tables
        .iter()
        .filter_map(|(_, arn)| arn.region_code())
        .collect();
    let lists = regions.into_iter().map(|region| async move {
        let listed = source.dynamodb(&region).list_exports(None).await;
        (region, listed)
    });
    let lists: BTreeMap<Region, Result<Listed, Failure>> =
        future::join_all(lists).await.into_iter().collect();
    let known = known_exports(source, tables, &lists);
    let count = async {
        let mut running: Vec<Arn> = Vec::new();
        for listed in lists.values() {
            let listed = listed.as_ref().map_err(Clone::clone)?.iter();
            let is_running =
                |(_, status): &&(Arn, ExportStatus)| *status == ExportStatus::InProgress;
            running.extend(listed.filter(is_running).map(|(export, _)| export.clone()));
        }
        Ok::<_, Failure>(InFlight {
            count: u32::try_from(running.len()).unwrap_or(u32::MAX),
            bytes: bytes_in_flight(source, &running).await,
        })
    };
    future::join(read(LIST_EXPORTS, &[], count), known).await
}

/// Describes the exports of the tables that run or are recent.
async fn known_exports(
    source: &Session,
    tables: &[(String, Arn)],
    lists: &BTreeMap<Region, Result<Listed, Failure>>,
) -> KnownExports {
    let mut known = KnownExports::default();
    let mut failures = Vec::new();
    let arns: BTreeSet<&Arn> = tables.iter().map(|(_, arn)| arn).collect();
    let own = arns.into_iter().map(|table| async move {
        let listed = exports_of(source, table, lists).await;
        (table, listed)
    });
    let mut wanted: Vec<Arn> = Vec::new();
    let mut ended: Vec<Arn> = Vec::new();
    for (table, listed) in future::join_all(own).await {
        let listed = match listed {
            Ok(listed) => listed,
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        let (running, others): (Listed, Listed) = listed
            .into_iter()
            .partition(|(_, status)| *status == ExportStatus::InProgress);
        if let Some(more) = running.len().checked_sub(MOST_DESCRIBED + 1) {
            known.not_read.push(format!(
                "{} more exports of {table} are in progress than were looked at: whether one of them asks for the same is not known",
                more + 1
            ));
        }
        wanted.extend(
            running
                .into_iter()
                .take(MOST_DESCRIBED)
                .map(|(export, _)| export),
        );
        ended.extend(others.into_iter().map(|(export, _)| export));
    }
    let since = Timestamp::now()
        .checked_sub(RECENT)
        .unwrap_or(Timestamp::MIN);
    ended.retain(|export| started(export).is_some_and(|at| at > since));
    wanted.extend(ended.into_iter().take(MOST_RECENT));
    let described = wanted.iter().filter_map(|export| {
        let dynamodb = source.dynamodb(&export.region_code()?);
        Some(async move { dynamodb.describe_export(export).await })
    });
    for described in future::join_all(described).await {
        match described {
            Ok(export) => known.described.push(export),
            Err(failure) => failures.push(failure),
        }
    }
    if let Some(first) = failures.first() {
        known.not_read.push(format!(
            "whether the same is being exported already, started elsewhere, could not be read: {first}"
        ));
    }
    known
}

/// The exports of one table: out of its Region's list, or listed by themselves where that was refused.
async fn exports_of(
    source: &Session,
    table: &Arn,
    lists: &BTreeMap<Region, Result<Listed, Failure>>,
) -> Result<Listed, Failure> {
    let Some(region) = table.region_code() else {
        return Ok(Listed::new());
    };
    let Some(Ok(listed)) = lists.get(&region) else {
        return source.dynamodb(&region).list_exports(Some(table)).await;
    };
    let own = format!("{table}/export/");
    let is_own = |(export, _): &&(Arn, ExportStatus)| export.to_string().starts_with(&own);
    Ok(listed.iter().filter(is_own).cloned().collect())
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
