//! From an export and the name of a new table to the plan of an import.

use tokio_util::sync::CancellationToken;

use super::super::archive_target::{Finder, LocatedArchive};
use super::super::error::CommandError;
use super::super::report::Report;
use super::super::sign_in::prove;
use crate::args::ImportArgs;
use crate::aws::failure::Failure;
use crate::job::import::left_behind::OwnSettings;
use crate::job::table_definition::{TableDefinition, TableKeys};
use crate::job::{Destination, Encryption, KeyRef, Kind, Plan, SignIn, Source};
use crate::work::{ArchivePlace, ArchiveReport, Side, SourceTable, Work};
use jiff::Timestamp;
use tableferry_policy::arn::Arn;

/// A plan, and what the exported table has besides.
pub(super) struct DrawnUp {
    pub(super) plan: Plan,
    pub(super) settings: OwnSettings,
}

/// Draws the plan up: the archive is found, its manifests and the exported table are read.
pub(super) async fn draw_up(
    work: &Work,
    args: &ImportArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<DrawnUp, CommandError> {
    let located = locate(work, args, report).await?;
    located.refuse_unmasked(work)?;
    let importer = importer(work, args, &located)?;
    let ArchivePlace::Bucket {
        bucket,
        owner,
        folder,
        ..
    } = &located.place
    else {
        return Err(
            CommandError::usage("AWS imports from S3, and this is a directory")
                .hint("name the export by its run, its ARN or its s3:// folder"),
        );
    };
    let archive = read_archive(work, &located, cancel).await?;
    refuse_filtered(args, &located)?;
    let model = model(work, args, &archive, report).await?;
    let definition = definition(args, &model);
    let (prefix, encryption) = placed(folder, &archive).map_err(CommandError::usage)?;
    let plan = Plan {
        kind: Kind::Import(definition),
        source: Source {
            sign_in: importer.clone(),
        },
        destination: Destination {
            sign_in: Some(importer),
            bucket: bucket.clone(),
            owner: owner.clone(),
            prefix: Some(prefix),
        },
        encryption,
        mask: None,
        tables: Vec::new(),
        selectors: Vec::new(),
    };
    let plan = plan.checked(Timestamp::now())?;
    let settings = match &model {
        TableTemplate::Exported(table) => own_settings(table, report),
        TableTemplate::Named(_) => OwnSettings::default(),
    };
    Ok(DrawnUp { plan, settings })
}

async fn locate(
    work: &Work,
    args: &ImportArgs,
    report: &Report,
) -> Result<LocatedArchive, CommandError> {
    let is_run = args.export.bytes().all(|byte| byte.is_ascii_digit());
    let finder = Finder {
        work,
        // A run is read as its own plan says, so that its source is signed in as well.
        profile: args.profile.as_deref().filter(|_| !is_run),
        plan: None,
        bucket_owner: None,
        report,
    };
    let (mut located, exit) = finder.locate(&args.export).await?;
    if located.len() > 1 {
        let problem = format!(
            "{} has {} exports, and an import takes one",
            args.export,
            located.len()
        );
        return Err(CommandError::usage(problem).hint(
            "name the export by its ARN or its s3:// folder; `tableferry exports` lists them",
        ));
    }
    located.pop().ok_or_else(|| CommandError::silent(exit))
}

/// Who imports: the profile that is named, or the run's destination.
fn importer(
    work: &Work,
    args: &ImportArgs,
    located: &LocatedArchive,
) -> Result<SignIn, CommandError> {
    let of_run = || {
        let run = work.run(located.run?).ok()??;
        let plan = Plan::parse(&run.plan, "the run's plan", Timestamp::now()).ok()?;
        plan.destination.sign_in
    };
    let named = args.profile.clone().map(|profile| SignIn {
        profile,
        ..SignIn::default()
    });
    let chosen = || {
        let profile = work.profiles().chosen?;
        Some(SignIn {
            profile,
            ..SignIn::default()
        })
    };
    let mut importer = named.or_else(of_run).or_else(chosen).ok_or_else(|| {
        CommandError::usage("no profile is named that imports")
            .hint("give --profile NAME; `tableferry profiles` lists them")
    })?;
    if args.region.is_some() {
        importer.region.clone_from(&args.region);
    }
    Ok(importer)
}

async fn read_archive(
    work: &Work,
    located: &LocatedArchive,
    cancel: &CancellationToken,
) -> Result<ArchiveReport, CommandError> {
    let read = work.manifests_at(located.place.clone(), located.export_arn.clone(), cancel);
    read.await.map_err(|error| CommandError::from(&error))
}

/// A filtered export is a source only where its projection keeps the keys, which nothing but its lines tells.
fn refuse_filtered(args: &ImportArgs, located: &LocatedArchive) -> Result<(), CommandError> {
    if located.is_filtered != Some(true) || args.filtered {
        return Ok(());
    }
    Err(CommandError::refused(
        "the export is filtered: it can be imported only if every line has the table's keys",
    )
    .hint("`tableferry verify --deep` reads every line; where the keys are there, add --filtered"))
}

/// What the new table is made like.
enum TableTemplate {
    /// Keys that the command line says.
    Named(TableKeys),
    /// The exported table.
    Exported(Box<SourceTable>),
}

async fn model(
    work: &Work,
    args: &ImportArgs,
    archive: &ArchiveReport,
    report: &Report,
) -> Result<TableTemplate, CommandError> {
    if let Some(partition) = args.partition_key.clone() {
        return Ok(TableTemplate::Named(TableKeys {
            partition,
            sort: args.sort_key.clone(),
        }));
    }
    let hint =
        "give --source-profile, a profile that may describe it, or --partition-key NAME:TYPE";
    let Some(arn) = archive
        .summary
        .as_ref()
        .and_then(|summary| summary.table_arn.parse::<Arn>().ok())
    else {
        return Err(CommandError::refused("the manifest names no table").hint(hint));
    };
    if let Some(profile) = &args.source_profile {
        let sign_in = SignIn {
            profile: profile.clone(),
            ..SignIn::default()
        };
        prove(work, Side::Source, &sign_in, report).await?;
    }
    match work.source_table(&arn).await {
        Ok(table) => Ok(TableTemplate::Exported(Box::new(table))),
        Err(error) => {
            let problem = format!("the keys of the exported table {arn} are not known: {error}");
            Err(CommandError::refused(problem).hint(hint))
        }
    }
}

/// The new table: the model's settings, changed by the command line.
fn definition(args: &ImportArgs, model: &TableTemplate) -> TableDefinition {
    let mut definition = match model {
        TableTemplate::Exported(table) => table.described.definition.clone(),
        TableTemplate::Named(keys) => TableDefinition {
            name: String::new(),
            keys: keys.clone(),
            capacity: None,
            kms_key: None,
            indexes: Vec::new(),
        },
    };
    definition.name.clone_from(&args.table);
    definition.kms_key.clone_from(&args.key);
    if args.without_indexes {
        definition.indexes.clear();
    }
    if args.on_demand {
        definition.capacity = None;
    }
    definition.capacity = args.capacity.or(definition.capacity);
    for index in &mut definition.indexes {
        index.capacity = match definition.capacity {
            None => None,
            of_table => index.capacity.or(of_table),
        };
    }
    definition
}

/// The archive's folder, and what encrypts its files.
fn placed(
    folder: &str,
    archive: &ArchiveReport,
) -> Result<(crate::job::Prefix, Encryption), String> {
    let prefix = folder
        .parse()
        .map_err(|invalid: crate::job::InvalidValue| invalid.message)?;
    let summary = archive.summary.as_ref();
    let algorithm = summary.and_then(|summary| summary.sse_algorithm.as_deref());
    let encryption = match algorithm {
        Some("AES256") => Encryption::Aes256,
        Some("KMS") => Encryption::Kms {
            key: summary
                .and_then(|summary| summary.sse_kms_key_id.as_deref())
                .and_then(|key| key.parse::<KeyRef>().ok()),
        },
        _ => Encryption::BucketDefault,
    };
    Ok((prefix, encryption))
}

/// The settings of the exported table that an import has no parameter for.
fn own_settings(source: &SourceTable, report: &Report) -> OwnSettings {
    let described = &source.described;
    let unread = |failure: &Failure| {
        report.line(&format!(
            "warning: not all that the import leaves behind is known: {failure}"
        ));
    };
    let time_to_live = described
        .time_to_live
        .as_ref()
        .inspect_err(|failure| unread(failure));
    let tags = described
        .tags
        .as_ref()
        .inspect_err(|failure| unread(failure));
    OwnSettings {
        local_indexes: described.local_indexes.clone(),
        stream: described.stream.clone(),
        time_to_live: time_to_live.ok().cloned().flatten(),
        tags: tags.cloned().unwrap_or_default(),
        has_recovery: source.has_recovery == Some(true),
        is_protected: described.is_protected,
        has_policy: source.has_policy == Some(true),
        class: described.class.clone(),
        replicas: described.replicas.clone(),
        is_provisioned: described.definition.capacity.is_some(),
    }
}
