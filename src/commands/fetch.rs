//! `tableferry fetch EXPORT DIRECTORY`: an archive on this machine, checked while it arrives.

use std::io::IsTerminal as _;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::archive_target::Finder;
use super::archive_words::{exit_of, keep, not_read, tell, tell_event};
use super::consent::Consent;
use super::error::CommandError;
use super::report::Report;
use super::verify::{key_schema, request};
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
    let reader = &args.reader;
    let keys = key_schema(&reader.key)?;
    let finder = Finder {
        work,
        profile: reader.profile.as_deref(),
        plan: None,
        bucket_owner: reader.bucket_owner.as_ref(),
        report,
    };
    let (archives, mut worst) = finder.locate(&args.export).await?;
    for archive in archives {
        let run = archive.run;
        let request = request(archive, true, keys.as_ref());
        let fetched = fetch_one(work, args, &request, run, cancel, report).await;
        worst = worst.worse(report.settle(fetched));
    }
    Ok(worst)
}

async fn fetch_one(
    work: &Work,
    args: &FetchArgs,
    request: &ArchiveRequest,
    run: Option<RunId>,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let not_read = |error| not_read(&error, Some(&request.place), work);
    let form = args.form.into();
    let prepared = work
        .prepare_fetch(request, &args.directory, form, cancel)
        .await
        .map_err(not_read)?;
    let agreed = agree(work, args, &prepared, cancel, report).await;
    agreed.map_err(|refused| refused.line("nothing was fetched"))?;
    let from = prepared.source();
    let (sender, mut events) = mpsc::unbounded_channel();
    let fetching = work.fetch_archive(prepared, form, &sender, cancel);
    let mut fetching = std::pin::pin!(fetching);
    let fetched = loop {
        tokio::select! {
            biased;
            Some(event) = events.recv() => tell_event(event, report),
            fetched = &mut fetching => break fetched,
        }
    };
    report.stop_bar();
    let found = fetched.map_err(not_read)?;
    tell(&found, report);
    keep(work, &found, run, Some(&from), report);
    Ok(exit_of(&found))
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
