//! What all commands that read archives share: from what is named to the last archive, and why one was not
//! read.

use std::cell::RefCell;
use std::path::Path;

use serde_json::json;
use tokio::sync::mpsc::{self, UnboundedSender};

use super::Exit;
use super::archive_target::{Finder, LocatedArchive};
use super::archive_words::{exit_of, keep, tell, tell_event};
use super::check::words;
use super::error::CommandError;
use super::follow::with_events;
use super::plan_file::write_new_plan;
use super::report::Report;
use crate::archive::audit::Knowledge;
use crate::archive::line::{KeyAttribute, KeySchema};
use crate::args::{BucketReaderArgs, ReaderArgs};
use crate::assess::assessment::Assessment;
use crate::assess::remedy::GrantOptions;
use crate::job::{Plan, Prefix};
use crate::journal::RunId;
use crate::work::{ArchiveError, ArchiveEvent, ArchivePlace, ArchiveReport, ArchiveRequest, Work};

/// The keys that the command line names.
pub(super) fn key_schema(named: &[KeyAttribute]) -> Result<Option<KeySchema>, CommandError> {
    let keys = (!named.is_empty()).then(|| KeySchema::new(named.to_vec()));
    keys.transpose()
        .map_err(|error| CommandError::usage(error.to_string()))
}

/// The request for an archive that was found.
pub(super) fn request(
    archive: LocatedArchive,
    is_deep: bool,
    keys: Option<&KeySchema>,
) -> ArchiveRequest {
    ArchiveRequest {
        place: archive.place,
        is_deep,
        knowledge: Knowledge {
            keys: keys.cloned(),
            is_filtered: archive.is_filtered,
        },
        export_arn: archive.export_arn,
    }
}

/// A command that reads archives.
pub(super) struct ArchiveReading<'r> {
    pub(super) finder: Finder<'r>,
    work: &'r Work,
    report: &'r Report,
    keys: Option<KeySchema>,
    /// The file that a refused reading is written to, as a plan.
    save_plan: Option<&'r Path>,
    /// The refused readings that were told: many archives of a run are refused for one reason.
    told: RefCell<Vec<Plan>>,
}

impl<'r> ArchiveReading<'r> {
    /// Who reads, by the command line.
    ///
    /// # Errors
    /// Where the keys are no keys of a table.
    pub(super) fn new(
        work: &'r Work,
        args: &'r ReaderArgs,
        report: &'r Report,
    ) -> Result<Self, CommandError> {
        Ok(Self {
            keys: key_schema(&args.key)?,
            ..Self::of_bucket(work, &args.bucket, report)
        })
    }

    /// The same where no item is read.
    pub(super) fn of_bucket(
        work: &'r Work,
        args: &'r BucketReaderArgs,
        report: &'r Report,
    ) -> Self {
        Self {
            finder: Finder {
                work,
                profile: args.profile.as_deref(),
                plan: None,
                bucket_owner: args.bucket_owner.as_ref(),
                report,
            },
            work,
            report,
            keys: None,
            save_plan: args.save_plan.as_deref(),
            told: RefCell::default(),
        }
    }

    /// The request for an archive that was found.
    pub(super) fn request(&self, archive: LocatedArchive, is_deep: bool) -> ArchiveRequest {
        request(archive, is_deep, self.keys.as_ref())
    }

    /// Reads one archive after the other; what keeps one from being read is told in its place.
    pub(super) async fn each(
        &self,
        named: &str,
        is_deep: bool,
        read: impl AsyncFn(&ArchiveRequest, Option<RunId>) -> Result<Exit, CommandError>,
    ) -> Result<Exit, CommandError> {
        let (archives, mut worst) = self.finder.locate(named).await?;
        for archive in archives {
            let run = archive.run;
            let request = self.request(archive, is_deep);
            worst = worst.worse(self.report.settle(read(&request, run).await));
        }
        Ok(worst)
    }

    /// Reads one archive while its progress is told, then tells and keeps what was found; `fetched_from` is
    /// where a copy comes from.
    pub(super) async fn read(
        &self,
        request: &ArchiveRequest,
        run: Option<RunId>,
        fetched_from: Option<&str>,
        deed: impl AsyncFnOnce(&UnboundedSender<ArchiveEvent>) -> Result<ArchiveReport, ArchiveError>,
    ) -> Result<Exit, CommandError> {
        let report = self.report;
        let (sender, mut events) = mpsc::unbounded_channel();
        let read = with_events(deed(&sender), &mut events, |event| {
            tell_event(*event, report);
        });
        let read = read.await;
        report.stop_bar();
        let found = match read {
            Ok(found) => found,
            Err(error) => return Err(self.not_read(&error, &request.place).await),
        };
        tell(&found, report);
        keep(self.work, &found, run, fetched_from, report);
        Ok(exit_of(&found))
    }

    /// Why an archive was not read. A refusal is told at once, with the requirement that is not met and what
    /// fixes it.
    pub(super) async fn not_read(
        &self,
        error: &ArchiveError,
        place: &ArchivePlace,
    ) -> CommandError {
        self.not_read_below(error, place, place.folder_of_all())
            .await
    }

    /// The same where it is told below which prefix all lies that is read.
    pub(super) async fn not_read_below(
        &self,
        error: &ArchiveError,
        place: &ArchivePlace,
        below: Option<Prefix>,
    ) -> CommandError {
        let said = CommandError::from(error);
        // On the heap: the survey is deep.
        let assessed = Box::pin(self.work.assess_refused_reading(error, place, below)).await;
        let assessment = match assessed {
            None => return said,
            Some(Ok(assessment)) => assessment,
            Some(Err(error)) => return said.and(error.into()),
        };
        self.report.error(&said);
        let unwritten = self.tell_refused(&assessment);
        match unwritten {
            Ok(()) => CommandError::silent(said.exit()),
            Err(error) => error.ending(said.exit()),
        }
    }

    /// Tells what the reader lacks, and what fixes it; once for all archives that are refused so.
    fn tell_refused(&self, assessment: &Assessment) -> Result<(), CommandError> {
        let (plan, report) = (&assessment.plan, self.report);
        if self.told.borrow().contains(plan) {
            return Ok(());
        }
        words::tell(report, assessment);
        words::tell_remedies(report, &assessment.remedies(GrantOptions::default()));
        let is_first = self.told.borrow().is_empty();
        self.told.borrow_mut().push(plan.clone());
        match self.save_plan {
            Some(path) if is_first => {
                write_new_plan(plan, path, "the archive was not read")?;
                let path = path.display().to_string();
                report.line(&format!(
                    "the reading is the plan {path}: `tableferry policies {path}` writes what fixes it, \
                     `tableferry apply {path}` makes it"
                ));
                report.object(&json!({"event": "saved_plan", "file": path}));
            }
            Some(_) => {}
            None => report.line(
                "--save-plan FILE writes the reading as a plan, for `tableferry policies` and \
                 `tableferry apply`",
            ),
        }
        Ok(())
    }
}
