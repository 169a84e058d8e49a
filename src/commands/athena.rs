//! `tableferry athena EXPORT`: the statements with which an archive is queried in Athena.

use std::io::Write as _;

use tokio_util::sync::CancellationToken;

use super::Exit;
use super::archive_target::Finder;
use super::archive_words::not_read;
use super::error::CommandError;
use super::output;
use super::report::Report;
use super::verify::{key_schema, request};
use crate::archive::athena::{file_list, statements};
use crate::args::AthenaArgs;
use crate::work::Work;

/// Writes the statements for what is named.
pub(super) async fn athena(
    work: &Work,
    args: &AthenaArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let texts = write(work, args, cancel, report).await?;
    let mut out = output::words();
    out.write_all(texts.join("\n").as_bytes())?;
    out.flush()?;
    Ok(Exit::Done)
}

async fn write(
    work: &Work,
    args: &AthenaArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Vec<String>, CommandError> {
    let reader = &args.reader;
    let keys = key_schema(&reader.key)?;
    let finder = Finder {
        work,
        profile: reader.profile.as_deref(),
        plan: None,
        bucket_owner: reader.bucket_owner.as_ref(),
        report,
    };
    let (archives, worst) = finder.locate(&args.export).await?;
    if worst != Exit::Done {
        return Err(CommandError::silent(worst));
    }
    let mut texts = Vec::new();
    for archive in archives {
        // Keys are asked for where every byte is read; here they put columns first.
        let request = request(archive, true, keys.as_ref());
        let sampled = work.sample_archive(&request, args.sample, cancel).await;
        let mut sampled = sampled.map_err(|error| not_read(&error, Some(&request.place), work))?;
        sampled.placement.table.clone_from(&args.table);
        texts.push(if args.list {
            file_list(&sampled.placement)
        } else {
            let keys = sampled.keys.as_ref();
            statements(&sampled.summary, &sampled.columns, keys, &sampled.placement)
        });
    }
    Ok(texts)
}
