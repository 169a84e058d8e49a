//! Reading some items of an archive, to learn what attributes they have.

use std::io::{BufRead as _, BufReader, Read};

use flate2::read::MultiGzDecoder;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::error::ArchiveError;
use super::find::FoundArchive;
use super::place::folder_of_manifest;
use super::source::{DataFile, FileSource};
use super::{ArchiveRequest, OpenedArchive};
use crate::archive::athena::{Columns, Placement};
use crate::archive::audit::line_rules;
use crate::archive::layout::key_candidates;
use crate::archive::line::{KeySchema, LineRules};
use crate::archive::manifest::Summary;
use crate::archive::value::read_record;
use crate::work::Work;

/// What some items of an archive show.
#[derive(Debug)]
pub struct SampledArchive {
    /// The export.
    pub summary: Summary,
    /// What attributes they have.
    pub columns: Columns,
    /// The table's keys, where they are known.
    pub keys: Option<KeySchema>,
    /// Where the archive lies; of a directory, where it was written to.
    pub placement: Placement,
}

impl Work {
    /// Reads up to so many items from the beginnings of an archive's data files.
    ///
    /// # Errors
    /// Where there is no archive, or it cannot be read.
    pub async fn sample_archive(
        &self,
        request: &ArchiveRequest,
        most: u64,
        cancel: &CancellationToken,
    ) -> Result<SampledArchive, ArchiveError> {
        let mut opened = self.open_archive(request, cancel).await?;
        let damaged = |problem: String| ArchiveError::Damaged {
            place: opened.reader.place(),
            problem,
        };
        let Some(found) = opened.found.take() else {
            let fault = opened.manifests.faults.first();
            return Err(damaged(
                fault.map_or_else(String::new, |fault| fault.kind.to_string()),
            ));
        };
        let summary = found.archive.summary.clone();
        let knowledge = self.known(request, &summary).await;
        let rules = line_rules(&summary, &knowledge)
            .ok_or_else(|| damaged("the summary names no format that is known".to_owned()))?;
        let placement = placement(&opened, &found);
        let (source, files) = (opened.reader.source.clone(), found.files);
        let keys = rules.keys.clone();
        let (runtime, cancel) = (Handle::current(), cancel.clone());
        let reading = tokio::task::spawn_blocking(move || {
            read_columns(&source, &files, &rules, most, (&runtime, &cancel))
        });
        let columns = reading.await.unwrap_or(Err(ArchiveError::CutOff))?;
        Ok(SampledArchive {
            summary,
            columns,
            keys,
            placement,
        })
    }
}

fn placement(opened: &OpenedArchive, found: &FoundArchive) -> Placement {
    let summary = &found.archive.summary;
    let prefix = summary.prefix.as_deref();
    let named = |key: &str| key_candidates(key, prefix).into_iter().next();
    let (bucket, folder) = match &opened.reader.source {
        FileSource::Bucket(bucket) => (bucket.name.to_string(), bucket.folder.clone()),
        FileSource::Directory(_) => {
            let key = named(&summary.manifest_files_key).unwrap_or_default();
            (summary.bucket.clone(), folder_of_manifest(&key))
        }
    };
    let files = found.files.iter().filter_map(|file| match &file.object {
        Some(object) => Some(object.key.clone()),
        None => named(&file.entry.key),
    });
    let id = summary.export_arn.rsplit('/').next().unwrap_or_default();
    Placement {
        bucket,
        folder,
        files: files.collect(),
        id: id.to_owned(),
        table: None,
    }
}

/// Reads the first lines of each file, so many that they are as many as are asked for together.
fn read_columns(
    source: &FileSource,
    files: &[DataFile],
    rules: &LineRules,
    most: u64,
    (runtime, cancel): (&Handle, &CancellationToken),
) -> Result<Columns, ArchiveError> {
    let mut columns = Columns::default();
    let filled: Vec<&DataFile> = files
        .iter()
        .filter(|file| file.entry.item_count > 0)
        .collect();
    for (index, file) in filled.iter().enumerate() {
        if cancel.is_cancelled() {
            return Err(ArchiveError::CutOff);
        }
        let files_left = u64::try_from(filled.len() - index).unwrap_or(1);
        let share = most.saturating_sub(columns.records()).div_ceil(files_left);
        if share == 0 {
            break;
        }
        match (source, &file.object) {
            (FileSource::Bucket(bucket), Some(object)) => {
                let download = bucket.open(object, 0, runtime);
                add_lines(&mut columns, download, rules, share);
            }
            (FileSource::Directory(directory), _) => {
                if let Ok(Some(opened)) = directory.open_data(&file.entry.key) {
                    add_lines(&mut columns, opened, rules, share);
                }
            }
            (FileSource::Bucket(_), None) => {}
        }
    }
    Ok(columns)
}

/// Adds the first lines of a file; what cannot be read of it is for a verification to tell.
fn add_lines(columns: &mut Columns, file: impl Read, rules: &LineRules, most: u64) {
    let lines = BufReader::new(MultiGzDecoder::new(file)).lines();
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    for line in lines.map_while(Result::ok).take(most) {
        if let Some(record) = read_record(&line, rules.format, rules.view) {
            columns.add(&record);
        }
    }
}
