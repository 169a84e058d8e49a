//! From exports and the name of a table to the plan of a load or a replay.

use std::path::Path;

use jiff::Timestamp;

use super::super::archive_target::{Finder, LocatedArchive};
use super::super::error::CommandError;
use super::super::report::Report;
use crate::args::{IntoTableArgs, LoadArgs, ReplayArgs};
use crate::job::load::{ArchiveAddress, Load, target};
use crate::job::{Destination, Encryption, Kind, Plan, Prefix, SignIn, Source};
use crate::work::{ArchivePlace, Work};

/// The plan of a load.
pub(super) async fn load(
    work: &Work,
    args: &LoadArgs,
    report: &Report,
) -> Result<Plan, CommandError> {
    let drawer = Drawer {
        work,
        args: &args.into,
        report,
    };
    let full = drawer.locate_one(&args.export).await?;
    if full.is_filtered == Some(true) && !args.filtered {
        return Err(CommandError::refused(
            "the export is filtered: what its projection leaves out would be missing from the items that \
             it replaces",
        )
        .hint("add --filtered if that is meant"));
    }
    drawer.plan(&full, Vec::new()).await
}

/// The plan of a replay.
pub(super) async fn replay(
    work: &Work,
    args: &ReplayArgs,
    report: &Report,
) -> Result<Plan, CommandError> {
    let drawer = Drawer {
        work,
        args: &args.into,
        report,
    };
    let full = drawer.locate_one(&args.full).await?;
    let mut windows = Vec::new();
    for export in &args.exports {
        for located in drawer.locate(export).await? {
            if located.is_filtered == Some(true) {
                return Err(CommandError::refused(format!(
                    "{export} is filtered: the changes that the filter leaves out would be missing"
                ))
                .hint("replay exports without a filter"));
            }
            windows.push(address(&located.place)?);
        }
    }
    drawer.plan(&full, windows).await
}

struct Drawer<'d> {
    work: &'d Work,
    args: &'d IntoTableArgs,
    report: &'d Report,
}

impl Drawer<'_> {
    async fn locate(&self, named: &str) -> Result<Vec<LocatedArchive>, CommandError> {
        let is_run = named.bytes().all(|byte| byte.is_ascii_digit());
        let profile = self.args.reader_profile.as_deref();
        let profile = profile.or(self.args.profile.as_deref());
        let finder = Finder {
            work: self.work,
            // A run is read as its own plan says.
            profile: profile.filter(|_| !is_run),
            plan: None,
            bucket_owner: None,
            report: self.report,
        };
        let (located, exit) = finder.locate(named).await?;
        if located.is_empty() {
            return Err(CommandError::silent(exit));
        }
        for one in &located {
            one.refuse_unmasked(self.work)?;
        }
        Ok(located)
    }

    async fn locate_one(&self, named: &str) -> Result<LocatedArchive, CommandError> {
        let mut located = self.locate(named).await?;
        match (located.pop(), located.len()) {
            (Some(one), 0) => Ok(one),
            (_, others) => Err(CommandError::usage(format!(
                "{named} has {} exports, and one is written into one table",
                others + 1
            ))
            .hint(
                "name the export by its ARN or its s3:// folder; `tableferry exports` lists them",
            )),
        }
    }

    /// Who writes: the profile that is named, or the run's destination.
    fn writer(&self, full: &LocatedArchive) -> Result<SignIn, CommandError> {
        let named = self.args.profile.clone();
        let chosen = || self.work.profiles().chosen;
        let of_profile = |profile| SignIn {
            profile,
            ..SignIn::default()
        };
        let of_run = || self.destination_of_run(full);
        let mut writer = named
            .map(of_profile)
            .or_else(of_run)
            .or_else(|| chosen().map(of_profile))
            .ok_or_else(|| {
                CommandError::usage("no profile is named that writes")
                    .hint("give --profile NAME; `tableferry profiles` lists them")
            })?;
        if self.args.region.is_some() {
            writer.region.clone_from(&self.args.region);
        }
        Ok(writer)
    }

    fn destination_of_run(&self, located: &LocatedArchive) -> Option<SignIn> {
        let run = self.work.run(located.run?).ok()??;
        let plan = Plan::parse(&run.plan, "the run's plan", Timestamp::now()).ok()?;
        plan.destination.sign_in
    }

    async fn plan(
        &self,
        full: &LocatedArchive,
        windows: Vec<ArchiveAddress>,
    ) -> Result<Plan, CommandError> {
        let writer = self.writer(full)?;
        let reader = match &self.args.reader_profile {
            Some(profile) => SignIn {
                profile: profile.clone(),
                ..SignIn::default()
            },
            None => self
                .destination_of_run(full)
                .unwrap_or_else(|| writer.clone()),
        };
        let address = address(&full.place)?;
        let (destination, directory) = match address {
            ArchiveAddress::Bucket {
                bucket,
                owner,
                folder,
            } => {
                let prefix: Prefix = folder.parse().map_err(invalid)?;
                let destination = Destination {
                    sign_in: Some(reader),
                    bucket,
                    owner,
                    prefix: Some(prefix),
                };
                (destination, None)
            }
            ArchiveAddress::Directory(path) => {
                let written_to = self.work.written_to(&path).await;
                let (bucket, folder) = written_to.map_err(|error| CommandError::from(&error))?;
                let destination = Destination {
                    sign_in: Some(reader),
                    bucket: bucket.parse().map_err(|error| {
                        CommandError::usage(format!("the manifest's bucket: {error}"))
                    })?,
                    owner: None,
                    prefix: Some(folder.parse().map_err(invalid)?),
                };
                (destination, Some(path))
            }
        };
        let plan = Plan {
            kind: Kind::Load(Load {
                most_write_units: self.args.max_write_units,
                is_onto_source: self.args.onto_source,
                directory,
                windows,
            }),
            source: Source { sign_in: writer },
            destination,
            encryption: Encryption::BucketDefault,
            mask: None,
            tables: vec![target(self.args.table.clone())],
            selectors: Vec::new(),
        };
        Ok(plan.checked(Timestamp::now())?)
    }
}

fn invalid(invalid: crate::job::InvalidValue) -> CommandError {
    CommandError::usage(invalid.message).hint(invalid.hint)
}

/// Where an archive lies, as the plan has it.
fn address(place: &ArchivePlace) -> Result<ArchiveAddress, CommandError> {
    match place {
        ArchivePlace::Bucket {
            bucket,
            owner,
            folder,
            ..
        } => Ok(ArchiveAddress::Bucket {
            bucket: bucket.clone(),
            owner: owner.clone(),
            folder: folder.clone(),
        }),
        ArchivePlace::Directory(path) => in_full(path).map(ArchiveAddress::Directory),
    }
}

fn in_full(path: &Path) -> Result<std::path::PathBuf, CommandError> {
    std::fs::canonicalize(path).map_err(|error| {
        CommandError::usage(format!("there is no directory {}: {error}", path.display()))
            .hint("give a directory that `tableferry fetch` made")
    })
}
