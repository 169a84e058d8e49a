//! `tableferry athena EXPORT`: the statements with which an archive is queried in Athena.

use std::io::Write as _;

use tokio_util::sync::CancellationToken;

use super::Exit;
use super::archive_reading::ArchiveReading;
use super::error::CommandError;
use super::output;
use super::report::Report;
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
    let reading = ArchiveReading::new(work, &args.reader, report)?;
    let (archives, worst) = reading.finder.locate(&args.export).await?;
    if worst != Exit::Done {
        return Err(CommandError::silent(worst));
    }
    let mut texts = Vec::new();
    for archive in archives {
        // Keys are asked for where every byte is read; here they put columns first.
        let request = reading.request(archive, true);
        let sampled = work.sample_archive(&request, args.sample, cancel).await;
        let mut sampled = match sampled {
            Ok(sampled) => sampled,
            Err(error) => return Err(reading.not_read(&error, &request.place).await),
        };
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
