//! `tableferry verify ARCHIVE`: whether an export's files are what was exported, wherever they lie.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::archive_target::{Finder, Located};
use super::archive_words::{exit_of, keep, not_read, tell, tell_event};
use super::error::CommandError;
use super::report::Report;
use crate::archive::audit::Knowledge;
use crate::archive::line::KeySchema;
use crate::args::VerifyArgs;
use crate::journal::RunId;
use crate::work::{ArchiveRequest, Work};

/// Verifies what is named.
pub(super) async fn verify(
    work: &Work,
    args: &VerifyArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let reader = &args.reader;
    let keys = key_schema(&reader.key)?;
    let finder = Finder {
        work,
        profile: reader.profile.as_deref(),
        plan: None,
        bucket_owner: reader.bucket_owner.as_ref(),
        report,
    };
    let (archives, mut worst) = finder.locate(&args.archive).await?;
    for archive in archives {
        let run = archive.run;
        let request = request(archive, args.deep, keys.as_ref());
        let verified = verify_one(work, &request, run, cancel, report).await;
        worst = worst.worse(report.settle(verified));
    }
    Ok(worst)
}

/// The keys that the command line names.
pub(super) fn key_schema(
    named: &[crate::archive::line::KeyAttribute],
) -> Result<Option<KeySchema>, CommandError> {
    let keys = (!named.is_empty()).then(|| KeySchema::new(named.to_vec()));
    keys.transpose()
        .map_err(|error| CommandError::usage(error.to_string()))
}

/// The request for an archive that was found.
pub(super) fn request(archive: Located, is_deep: bool, keys: Option<&KeySchema>) -> ArchiveRequest {
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

async fn verify_one(
    work: &Work,
    request: &ArchiveRequest,
    run: Option<RunId>,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let (sender, mut events) = mpsc::unbounded_channel();
    let verifying = work.verify_archive(request, &sender, cancel);
    let mut verifying = std::pin::pin!(verifying);
    let verified = loop {
        tokio::select! {
            biased;
            Some(event) = events.recv() => tell_event(event, report),
            verified = &mut verifying => break verified,
        }
    };
    report.stop_bar();
    let found = verified.map_err(|error| not_read(&error, Some(&request.place), work))?;
    tell(&found, report);
    keep(work, &found, run, None, report);
    Ok(exit_of(&found))
}
