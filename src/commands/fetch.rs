//! `tableferry fetch EXPORT DIRECTORY`: an archive on this machine, checked while it arrives.

use std::io::IsTerminal as _;

use tokio_util::sync::CancellationToken;

use super::Exit;
use super::archive_reading::ArchiveReading;
use super::consent::Consent;
use super::error::CommandError;
use super::report::Report;
use crate::args::FetchArgs;
use crate::journal::RunId;
use crate::work::{ArchiveRequest, PreparedFetch, Work};

/// Fetches what is named.
pub(super) async fn fetch(
    work: &Work,
    args: &FetchArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let reading = ArchiveReading::new(work, &args.reader, report)?;
    let read = reading.each(&args.export, true, async |request, run| {
        fetch_one(work, args, &reading, (request, run), cancel, report).await
    });
    read.await
}

async fn fetch_one(
    work: &Work,
    args: &FetchArgs,
    reading: &ArchiveReading<'_>,
    (request, run): (&ArchiveRequest, Option<RunId>),
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let form = args.form.into();
    let prepared = work
        .prepare_fetch(request, &args.directory, form, cancel)
        .await;
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return Err(reading.not_read(&error, &request.place).await),
    };
    let agreed = agree(work, args, &prepared, cancel, report).await;
    agreed.map_err(|refused| refused.line("nothing was fetched"))?;
    let from = prepared.source();
    let fetched = reading.read(request, run, Some(&from), async |events| {
        work.fetch_archive(prepared, form, events, cancel).await
    });
    fetched.await
}

/// Refuses to fetch items of a production account whose name is neither typed nor given.
async fn agree(
    work: &Work,
    args: &FetchArgs,
    prepared: &PreparedFetch,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<(), CommandError> {
    let account = prepared.account();
    let Some(name) = work.name_to_type(&account) else {
        return Ok(());
    };
    let directory = prepared.directory().display();
    report.line(&format!(
        "{} of items of {name}, which is marked production, go to {directory}",
        bytesize::ByteSize(prepared.bytes())
    ));
    let consent = Consent {
        work,
        cancel,
        is_given: !std::io::stdin().is_terminal(),
        names: &args.production,
    };
    consent.to_read(name).await
}
