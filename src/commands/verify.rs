//! `tableferry verify ARCHIVE`: whether an export's files are what was exported, wherever they lie.

use tokio_util::sync::CancellationToken;

use super::Exit;
use super::archive_reading::ArchiveReading;
use super::error::CommandError;
use super::report::Report;
use crate::args::VerifyArgs;
use crate::work::Work;

/// Verifies what is named.
pub(super) async fn verify(
    work: &Work,
    args: &VerifyArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let reading = ArchiveReading::new(work, &args.reader, report)?;
    let read = reading.each(&args.archive, args.deep, async |request, run| {
        let verified = reading.read(request, run, None, async |events| {
            work.verify_archive(request, events, cancel).await
        });
        verified.await
    });
    read.await
}
