//! `tableferry fetch EXPORT DIRECTORY`: an archive on this machine, checked while it arrives.

use std::io::IsTerminal as _;

use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::archive_target::{Finder, worse};
use super::archive_words::{SCHEMA, exit_of, keep, not_read, tell, tell_event};
use super::consent::Consent;
use super::report::Report;
use super::verify::{key_schema, request};
use crate::args::FetchArgs;
use crate::journal::RunId;
use crate::work::{ArchiveRequest, PreparedFetch, Work};

/// Fetches what is named.
pub async fn fetch(work: &Work, args: &FetchArgs, cancel: CancellationToken) -> Exit {
    let report = Report::new(args.output.output);
    let exit = match fetch_named(work, args, &cancel, &report).await {
        Ok(exit) | Err(exit) => exit,
    };
    report.object(&json!({"event": "finished", "schema": SCHEMA, "exit": exit as u8}));
    report.exit(exit)
}

async fn fetch_named(
    work: &Work,
    args: &FetchArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, Exit> {
    let reader = &args.reader;
    let keys = key_schema(&reader.key, report)?;
    let finder = Finder {
        work,
        profile: reader.profile.as_deref(),
        bucket_owner: reader.bucket_owner.as_ref(),
        report,
    };
    let (archives, mut worst) = finder.locate(&args.export).await?;
    for archive in archives {
        let run = archive.run;
        let request = request(archive, true, keys.as_ref());
        let exit = fetch_one(work, args, &request, run, cancel, report).await;
        worst = worse(worst, exit);
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
) -> Exit {
    let form = args.form.into();
    let prepared = work
        .prepare_fetch(request, &args.directory, form, cancel)
        .await;
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return not_read(&error, Some(&request.place), work, report),
    };
    if !is_agreed(work, args, &prepared, cancel, report).await {
        report.line("nothing was fetched");
        return Exit::Refused;
    }
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
    match fetched {
        Ok(found) => {
            tell(&found, report);
            keep(work, &found, run, Some(&from), report);
            exit_of(&found)
        }
        Err(error) => not_read(&error, Some(&request.place), work, report),
    }
}

/// Whether items of a production account may be fetched: its name is typed, or given.
async fn is_agreed(
    work: &Work,
    args: &FetchArgs,
    prepared: &PreparedFetch,
    cancel: &CancellationToken,
    report: &Report,
) -> bool {
    let account = prepared.account();
    let Some(name) = work.name_to_type(&account) else {
        return true;
    };
    let directory = prepared.directory().display();
    report.line(&format!(
        "{} of items of {name}, which is marked production, go to {directory}",
        bytesize::ByteSize(prepared.bytes())
    ));
    let consent = Consent {
        work,
        report,
        cancel,
        is_given: !std::io::stdin().is_terminal(),
        names: &args.production,
    };
    consent.to_read(name).await
}
