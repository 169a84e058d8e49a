//! What an export leaves in the bucket: the start mark, data files, manifests and their checksums,
//! as "`DynamoDB` table export output format" (developer guide) lays them out.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::bucket::md5_base64;
use super::export::{Export, ExportSpan, ExportSpec, WrittenFile, view};
use super::filter::Filter;
use super::ion;
use super::item_store::Item;
use super::items;
use super::upload::{NewObject, UploadFailure};
use super::world::{Table, World};

impl World {
    /// What is billed: the table's size, or of change data at least ten megabytes.
    pub(super) fn billed_bytes(&self, export: &Export) -> u64 {
        match export.spec.span {
            ExportSpan::Incremental { .. } => 10_000_000,
            ExportSpan::Full { .. } => self
                .table(&export.caller.account, &export.region, &export.table_name)
                .map_or(0, Table::size_bytes),
        }
    }
}

/// Writes `_started`, which shows that the bucket is writable.
pub(super) fn write_started(
    world: &mut World,
    export: &Export,
    at: Timestamp,
) -> Result<(), UploadFailure> {
    let key = format!("{}/{}/_started", export.root(), export.id);
    world.upload(export, NewObject::whole(&key, Bytes::new()), at)?;
    Ok(())
}

/// Writes the data file of a partition.
pub(super) fn write_data(
    world: &mut World,
    export: &mut Export,
    partition: u64,
    at: Timestamp,
) -> Result<(), UploadFailure> {
    let mut lines = CompressedLines::new();
    if let Some(table) = world.table(&export.caller.account, &export.region, &export.table_name) {
        write_lines(table, &export.spec, partition, &mut lines);
    }
    let item_count = lines.count;
    let content = lines.finish();
    let key = data_key(export);
    let md5 = md5_base64(&content);
    let etag = world.upload(export, NewObject::in_parts(&key, content), at)?;
    export.files.push(WrittenFile {
        key,
        item_count,
        md5,
        etag,
    });
    Ok(())
}

/// Incremental exports share one folder; full ones have their own.
fn data_key(export: &Export) -> String {
    let letters = b"abcdefghijklmnopqrstuvwxyz234567";
    let name: String = (0..26)
        .filter_map(|_| fastrand::choice(letters).map(|byte| char::from(*byte)))
        .collect();
    let extension = if export.spec.is_ion {
        "ion.gz"
    } else {
        "json.gz"
    };
    match export.spec.span {
        ExportSpan::Full { .. } => {
            format!("{}/{}/data/{name}.{extension}", export.root(), export.id)
        }
        ExportSpan::Incremental { .. } => format!("{}/data/{name}.{extension}", export.root()),
    }
}

/// Lines that are compressed as they are written; into memory, which cannot fail.
struct CompressedLines {
    encoder: GzEncoder<Vec<u8>>,
    count: u64,
}

impl CompressedLines {
    fn new() -> Self {
        Self {
            encoder: GzEncoder::new(Vec::new(), Compression::fast()),
            count: 0,
        }
    }

    fn push(&mut self, line: &str) {
        let written = self.encoder.write_all(line.as_bytes());
        let ended = self.encoder.write_all(b"\n");
        debug_assert!(written.is_ok() && ended.is_ok());
        self.count += 1;
    }

    fn finish(self) -> Bytes {
        self.encoder.finish().unwrap_or_default().into()
    }
}

/// Writes the lines of a partition, as far as the export's filter keeps them.
fn write_lines(table: &Table, spec: &ExportSpec, partition: u64, lines: &mut CompressedLines) {
    // One that is not readable was refused before.
    let filter = Filter::of(&spec.request).ok().flatten();
    let kept = |item: &Item| match &filter {
        None => Some(item.clone()),
        Some(filter) => filter.keeps(item).then(|| filter.project(item)),
    };
    match spec.span {
        ExportSpan::Full { time } => table.each_item(partition, time, |item| {
            let Some(item) = kept(item) else {
                return;
            };
            lines.push(&if spec.is_ion {
                ion::item_line(&item)
            } else {
                json!({"Item": item}).to_string()
            });
        }),
        ExportSpan::Incremental {
            from,
            to,
            has_old_images,
        } => {
            let changes = table.changes(from, to).into_iter();
            for change in changes.filter(|change| items::partition(&change.place) == partition) {
                let judged = change.new.as_ref().or(change.old.as_ref());
                let is_kept = |filter: &Filter| judged.is_none_or(|item| filter.keeps(item));
                if filter.as_ref().is_some_and(|filter| !is_kept(filter)) {
                    continue;
                }
                let keys = judged.map(|item| table.key_of(item)).unwrap_or_default();
                let images = Images {
                    new: projected(change.new.as_ref(), filter.as_ref()),
                    old: projected(change.old.as_ref(), filter.as_ref()).filter(|_| has_old_images),
                };
                lines.push(&change_line(change.at, keys, &images, spec.is_ion));
            }
        }
    }
}

fn projected(item: Option<&Item>, filter: Option<&Filter>) -> Option<Item> {
    item.map(|item| filter.map_or_else(|| item.clone(), |filter| filter.project(item)))
}

/// A changed item after and before the change.
struct Images {
    new: Option<Item>,
    old: Option<Item>,
}

fn change_line(at: Timestamp, keys: Item, images: &Images, is_ion: bool) -> String {
    let micros = at.as_microsecond().to_string();
    let (new, old) = (images.new.as_ref(), images.old.as_ref());
    if is_ion {
        return ion::change_line(&micros, &keys, old, new);
    }
    let mut line = Map::new();
    line.insert(
        "Metadata".to_owned(),
        json!({"WriteTimestampMicros": {"N": micros}}),
    );
    line.insert("Keys".to_owned(), Value::Object(keys));
    for (name, image) in [("NewImage", new), ("OldImage", old)] {
        if let Some(image) = image {
            line.insert(name.to_owned(), Value::Object(image.clone()));
        }
    }
    Value::Object(line).to_string()
}

/// Writes both manifests, each with its checksum.
pub(super) fn write_manifests(
    world: &mut World,
    export: &Export,
    at: Timestamp,
) -> Result<(), UploadFailure> {
    let files_key = format!("{}/{}/manifest-files.json", export.root(), export.id);
    let summary = summary(world, export, &files_key, at).to_string();
    let contents = [
        (files_key, file_list(export)),
        (export.manifest_key(), summary),
    ];
    for (key, content) in contents {
        let checksum = md5_base64(content.as_bytes());
        // The names are documented as `.checksum`; what is written ends in `.md5`.
        let checksum_key = format!("{}.md5", key.trim_end_matches(".json"));
        world.upload(export, NewObject::whole(&key, content.into()), at)?;
        world.upload(export, NewObject::whole(&checksum_key, checksum.into()), at)?;
    }
    Ok(())
}

/// One JSON object a line.
fn file_list(export: &Export) -> String {
    let lines: Vec<String> = export
        .files
        .iter()
        .map(|file| {
            json!({
                "itemCount": file.item_count,
                "md5Checksum": file.md5,
                "etag": file.etag,
                "dataFileS3Key": file.key,
            })
            .to_string()
        })
        .collect();
    lines.join("\n") + "\n"
}

fn summary(world: &World, export: &Export, files_key: &str, at: Timestamp) -> Value {
    let spec = &export.spec;
    let is_full = matches!(spec.span, ExportSpan::Full { .. });
    let mut summary = json!({
        "version": if is_full { "2020-06-30" } else { "2023-08-01" },
        "exportArn": export.arn,
        "startTime": iso(export.started_at),
        "endTime": iso(at),
        "tableArn": spec.table_arn,
        "tableId": export.table_id,
    });
    match &spec.span {
        ExportSpan::Full { time } => summary["exportTime"] = iso(*time).into(),
        ExportSpan::Incremental { from, to, .. } => {
            summary["exportFromTime"] = iso(*from).into();
            summary["exportToTime"] = iso(*to).into();
        }
    }
    summary["s3Bucket"] = spec.bucket.as_str().into();
    summary["s3Prefix"] = spec.prefix.as_deref().into();
    summary["s3SseAlgorithm"] = spec.algorithm.as_str().into();
    summary["s3SseKmsKeyId"] = spec.key.as_deref().into();
    summary["manifestFilesS3Key"] = files_key.into();
    summary["billedSizeBytes"] = world.billed_bytes(export).into();
    let items: u64 = export.files.iter().map(|file| file.item_count).sum();
    summary["itemCount"] = items.into();
    summary["outputFormat"] = spec.format().into();
    if let ExportSpan::Incremental { has_old_images, .. } = spec.span {
        summary["outputView"] = view(has_old_images).into();
        summary["exportType"] = "INCREMENTAL_EXPORT".into();
    }
    summary
}

fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
