//! Which archives a command means: a run's number, an export's ARN, an s3:// folder or a directory, and who
//! reads them.

use std::path::PathBuf;

use jiff::Timestamp;

use super::Exit;
use super::error::CommandError;
use super::report::Report;
use super::sign_in::{prove, prove_both};
use crate::job::{Plan, SignIn};
use crate::journal::{ExportRecord, Operation, RunId, RunRecord, Stage};
use crate::work::{ArchivePlace, Side, Work};
use tableferry_policy::arn::{AccountId, Arn, BucketName};

/// What is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NamedArchive {
    Run(RunId),
    Export(Arn),
    Bucket { bucket: BucketName, folder: String },
    Directory(PathBuf),
}

impl NamedArchive {
    /// A number is a run; a directory named like one is `./3`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = text
                .parse()
                .map_err(|_| format!("there is no run {text}"))?;
            return Ok(Self::Run(RunId(number)));
        }
        if text.starts_with("arn:") {
            let arn: Arn = text.parse().map_err(|error| format!("{text}: {error}"))?;
            return if text.contains("/export/") {
                Ok(Self::Export(arn))
            } else {
                Err(format!("{text} is not the ARN of an export"))
            };
        }
        let Some(place) = text.strip_prefix("s3://") else {
            return Ok(Self::Directory(PathBuf::from(text)));
        };
        let (bucket, folder) = place.split_once('/').unwrap_or((place, ""));
        let bucket = bucket.parse().map_err(|error| format!("{text}: {error}"))?;
        let folder = folder
            .strip_suffix("manifest-summary.json")
            .unwrap_or(folder)
            .trim_end_matches('/');
        if folder.is_empty() {
            return Err(format!(
                "{text} names no export: give its folder, s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID"
            ));
        }
        Ok(Self::Bucket {
            bucket,
            folder: format!("{folder}/"),
        })
    }
}

/// An archive that is meant.
#[derive(Debug, Clone)]
pub(super) struct LocatedArchive {
    pub(super) place: ArchivePlace,
    /// The run that it was named by.
    pub(super) run: Option<RunId>,
    /// The export that it must be, where it was named by it.
    pub(super) export_arn: Option<String>,
    /// Whether the export has a filter, where that is known.
    pub(super) is_filtered: Option<bool>,
}

impl LocatedArchive {
    /// Refuses to carry on what lies in staging and waits for its mask: its items are not to be anywhere as
    /// they are.
    pub(super) fn refuse_unmasked(&self, work: &Work) -> Result<(), CommandError> {
        let ArchivePlace::Bucket { bucket, folder, .. } = &self.place else {
            return Ok(());
        };
        let id = folder.trim_end_matches('/').rsplit('/').next();
        let is_meant = |operation: &Operation| {
            let arn = operation.arn.as_deref();
            arn.and_then(|arn| arn.rsplit('/').next()) == id
        };
        for run in work.runs()? {
            if !run.operations.iter().any(is_meant) {
                continue;
            }
            // A plan that cannot be read may say so, too: nothing goes on then.
            let plan = Plan::parse(&run.plan, "the run's plan", Timestamp::now())?;
            if plan.mask.is_some() && plan.destination.bucket == *bucket {
                return Err(CommandError::refused(format!(
                    "the export in s3://{bucket}/{folder} is not masked, and the plan of run {} says that it is \
                     to be",
                    run.id
                ))
                .hint(format!(
                    "`tableferry mask {} --plan PLAN` writes the masked copy; name that one by its s3:// folder",
                    run.id
                )));
            }
        }
        Ok(())
    }
}

/// Finds what is meant.
pub(super) struct Finder<'f> {
    pub(super) work: &'f Work,
    /// The profile that reads, in place of those of the run.
    pub(super) profile: Option<&'f str>,
    /// The plan whose source reads, whatever is named.
    pub(super) plan: Option<&'f Plan>,
    /// The account that must own the bucket of a folder.
    pub(super) bucket_owner: Option<&'f AccountId>,
    pub(super) report: &'f Report,
}

impl Finder<'_> {
    /// The archives that are meant, and how the command ends for those that cannot be read, which is told.
    pub(super) async fn locate(
        &self,
        named: &str,
    ) -> Result<(Vec<LocatedArchive>, Exit), CommandError> {
        let located = match NamedArchive::parse(named).map_err(CommandError::usage)? {
            NamedArchive::Run(id) => return self.run(id).await,
            NamedArchive::Export(arn) => self.export(&arn).await?,
            NamedArchive::Bucket { bucket, folder } => self.folder(bucket, folder).await?,
            NamedArchive::Directory(path) => LocatedArchive {
                place: ArchivePlace::Directory(path),
                run: None,
                export_arn: None,
                is_filtered: None,
            },
        };
        Ok((vec![located], Exit::Done))
    }

    /// The completed exports of a run.
    async fn run(&self, id: RunId) -> Result<(Vec<LocatedArchive>, Exit), CommandError> {
        let run = self.work.run(id)?.ok_or_else(|| {
            CommandError::no_such_run(id).hint(format!(
                "`tableferry exports` lists the runs; a directory of this name is ./{id}"
            ))
        })?;
        self.sign_in_for(&run).await?;
        let mut located = Vec::new();
        let mut worst = Exit::Done;
        for operation in &run.operations {
            let Some(export) = operation.to_export() else {
                continue;
            };
            match self.archive_of(operation, &export) {
                Ok(place) => located.push(LocatedArchive {
                    place,
                    run: Some(id),
                    export_arn: operation.arn.clone(),
                    is_filtered: Some(export.request.filter.is_some()),
                }),
                Err(error) => worst = worst.worse(self.report.settle(Err(error))),
            }
        }
        Ok((located, worst))
    }

    /// Where the archive of an operation lies.
    fn archive_of(
        &self,
        operation: &Operation,
        export: &ExportRecord,
    ) -> Result<ArchivePlace, CommandError> {
        let name = operation.name();
        if operation.stage != Stage::Completed {
            let stage = operation.stage.as_str();
            return Err(CommandError::refused(format!(
                "{name}: the export is not complete: {stage}"
            ))
            .ending(Exit::CutOff)
            .hint(format!(
                "`tableferry resume {}` goes on with it",
                operation.run
            )));
        }
        self.work.archive_of(export).ok_or_else(|| {
            CommandError::refused(format!(
                "{name}: the journal does not tell where its manifest lies"
            ))
            .ending(Exit::Undecided)
            .hint("name the export by its s3:// folder")
        })
    }

    async fn sign_in_for(&self, run: &RunRecord) -> Result<(), CommandError> {
        if self.profile.is_some() || self.plan.is_some() {
            return self.sign_in().await;
        }
        let name = format!("the plan of run {}", run.id);
        let plan = Plan::parse(&run.plan, &name, Timestamp::now())?;
        prove_both(self.work, &plan, self.report).await
    }

    /// The side that reads.
    const fn side(&self) -> Side {
        match self.plan {
            Some(_) => Side::Source,
            None => Side::Destination,
        }
    }

    /// Signs in as the plan's source, as the profile that is named, or the one that `AWS_PROFILE` chooses.
    pub(super) async fn sign_in(&self) -> Result<(), CommandError> {
        if let Some(plan) = self.plan {
            return prove(self.work, Side::Source, &plan.source.sign_in, self.report).await;
        }
        let named = self.profile.map(str::to_owned);
        let Some(profile) = named.or_else(|| self.work.profiles().chosen) else {
            return Err(
                CommandError::usage("no profile is named that could read the archive").hint(
                    "give --profile NAME, or set AWS_PROFILE; `tableferry profiles` lists them",
                ),
            );
        };
        let how = SignIn {
            profile,
            ..SignIn::default()
        };
        prove(self.work, Side::Destination, &how, self.report).await
    }

    /// An export by its ARN.
    async fn export(&self, arn: &Arn) -> Result<LocatedArchive, CommandError> {
        self.sign_in().await?;
        let described = self.work.described_archive(self.side(), arn).await;
        let (place, is_filtered) = described.map_err(|error| CommandError::from(&error))?;
        Ok(LocatedArchive {
            place,
            run: None,
            export_arn: Some(arn.to_string()),
            is_filtered: Some(is_filtered),
        })
    }

    /// A folder of a bucket.
    async fn folder(
        &self,
        bucket: BucketName,
        folder: String,
    ) -> Result<LocatedArchive, CommandError> {
        self.sign_in().await?;
        Ok(LocatedArchive {
            place: ArchivePlace::Bucket {
                side: self.side(),
                bucket,
                owner: self.bucket_owner.cloned(),
                folder,
            },
            run: None,
            export_arn: None,
            is_filtered: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_told_by_its_form() {
        let bucket = |folder: &str| NamedArchive::Bucket {
            bucket: "export-landing".parse().unwrap(),
            folder: folder.to_owned(),
        };
        assert_eq!(NamedArchive::parse("3"), Ok(NamedArchive::Run(RunId(3))));
        assert_eq!(
            NamedArchive::parse("./3"),
            Ok(NamedArchive::Directory("./3".into()))
        );
        assert_eq!(
            NamedArchive::parse("3a"),
            Ok(NamedArchive::Directory("3a".into()))
        );
        let folder = "p/AWSDynamoDB/01693685827463-2d8752fd/";
        for end in ["", "/", "/manifest-summary.json"] {
            let text = format!("s3://export-landing/{}{end}", folder.trim_end_matches('/'));
            assert_eq!(NamedArchive::parse(&text), Ok(bucket(folder)), "{text}");
        }
        let arn =
            "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/export/01693685827463-2d8752fd";
        assert_eq!(
            NamedArchive::parse(arn),
            Ok(NamedArchive::Export(arn.parse().unwrap()))
        );
        for wrong in [
            "s3://export-landing",
            "s3://export-landing/",
            "s3://x/y",
            "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders",
            "arn:nothing",
            "99999999999999999999999999",
        ] {
            assert!(NamedArchive::parse(wrong).is_err(), "{wrong}");
        }
    }
}
