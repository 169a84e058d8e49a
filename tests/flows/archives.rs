//! Archives built by hand as DynamoDB writes them: the names, null members, checksums and lines are those
//! of public exports (github.com/gurre/ddb-pitr, `s3exportdata`), and Ion lines those of the developer
//! guide's page on the output of a table export.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};

use crate::program::{Ended, Home};

pub(crate) const ID: &str = "01768388186000-4a2fc3ff";

/// What an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Full,
    NewAndOldImages,
    NewImage,
}

/// What its lines are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Ion,
}

pub(crate) const ALL: [(Kind, Format); 6] = [
    (Kind::Full, Format::Json),
    (Kind::Full, Format::Ion),
    (Kind::NewAndOldImages, Format::Json),
    (Kind::NewAndOldImages, Format::Ion),
    (Kind::NewImage, Format::Json),
    (Kind::NewImage, Format::Ion),
];

/// A data file before it is written.
#[derive(Debug, Clone)]
pub(crate) struct DataFile {
    pub name: String,
    pub content: Vec<u8>,
    /// What the manifest says.
    pub items: usize,
}

/// An export before it is written.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    pub kind: Kind,
    pub format: Format,
    pub files: Vec<DataFile>,
}

impl Archive {
    /// Three files of ten items each and an empty one.
    pub(crate) fn new(kind: Kind, format: Format) -> Self {
        let mut archive = Self {
            kind,
            format,
            files: Vec::new(),
        };
        for (letter, range) in [("a", 0..10), ("b", 10..20), ("c", 20..30), ("d", 0..0)] {
            let lines: Vec<String> = range.map(|id| archive.line(id)).collect();
            let extension = match format {
                Format::Json => "json.gz",
                Format::Ion => "ion.gz",
            };
            archive.files.push(DataFile {
                name: format!("{}.{extension}", letter.repeat(26)),
                items: lines.len(),
                content: gzip(&lines),
            });
        }
        archive
    }

    /// The line of an item.
    pub(crate) fn line(&self, id: usize) -> String {
        let micros = 1_768_387_673_917_155 + id;
        match (self.format, self.kind) {
            (Format::Json, Kind::Full) => format!("{{\"Item\":{}}}", json_item(id, "new")),
            (Format::Json, kind) => {
                let keys = format!("{{\"pk\":{{\"S\":\"k{id}\"}},\"sk\":{{\"N\":\"{id}\"}}}}");
                let old = match kind {
                    Kind::NewAndOldImages => format!(",\"OldImage\":{}", json_item(id, "old")),
                    _ => String::new(),
                };
                format!(
                    "{{\"Metadata\":{{\"WriteTimestampMicros\":{{\"N\":\"{micros}\"}}}},\"Keys\":{keys}{old},\"NewImage\":{}}}",
                    json_item(id, "new")
                )
            }
            (Format::Ion, Kind::Full) => format!("$ion_1_0 {{Item:{}}}", ion_item(id, "new")),
            (Format::Ion, kind) => {
                let old = match kind {
                    Kind::NewAndOldImages => format!(",OldImage:{}", ion_item(id, "old")),
                    _ => String::new(),
                };
                format!(
                    "$ion_1_0 {{Record:{{Keys:{{pk:\"k{id}\",sk:{id}.}},Metadata:{{WriteTimestampMicros:{micros}.}}{old},NewImage:{}}}}}",
                    ion_item(id, "new")
                )
            }
        }
    }

    /// The lines of a file.
    pub(crate) fn lines(&self, file: usize) -> Vec<String> {
        let mut text = String::new();
        let mut decoder = flate2::read::MultiGzDecoder::new(&*self.files[file].content);
        std::io::Read::read_to_string(&mut decoder, &mut text).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// Other lines for a file, which the manifests then know of.
    pub(crate) fn set(&mut self, file: usize, lines: &[String]) {
        self.files[file].content = gzip(lines);
        self.files[file].items = lines.len();
    }

    /// Writes the export below a directory, and gives the folder of its manifests.
    pub(crate) fn write(&self, below: &Path) -> PathBuf {
        let root = below.join("AWSDynamoDB");
        let folder = root.join(ID);
        std::fs::create_dir_all(folder.join("data")).unwrap();
        std::fs::create_dir_all(root.join("data")).unwrap();
        std::fs::write(folder.join("_started"), "").unwrap();
        let mut list = String::new();
        for file in &self.files {
            std::fs::write(self.data_folder(&folder).join(&file.name), &file.content).unwrap();
            let above = match self.kind {
                Kind::Full => format!("{ID}/data"),
                _ => "data".to_owned(),
            };
            let md5 = Md5::digest(&file.content);
            let entry = json!({
                "itemCount": file.items,
                "md5Checksum": STANDARD.encode(md5),
                // Every file is an upload of one part.
                "etag": format!("{}-1", hex::encode(Md5::digest(md5))),
                "dataFileS3Key": format!("exports/AWSDynamoDB/{above}/{}", file.name),
            });
            list.push_str(&entry.to_string());
            list.push('\n');
        }
        write_manifest(&folder, "manifest-files", list.as_bytes());
        write_manifest(
            &folder,
            "manifest-summary",
            self.summary().to_string().as_bytes(),
        );
        folder
    }

    /// Where the data files lie.
    pub(crate) fn data_folder(&self, folder: &Path) -> PathBuf {
        match self.kind {
            Kind::Full => folder.join("data"),
            _ => folder.parent().unwrap().join("data"),
        }
    }

    fn summary(&self) -> Value {
        let arn = "arn:aws:dynamodb:eu-north-1:123456789123:table/test";
        let mut summary = json!({
            "version": "2020-06-30",
            "exportArn": format!("{arn}/export/{ID}"),
            "startTime": "2026-01-14T10:56:26.000Z",
            "endTime": "2026-01-14T11:02:00.984Z",
            "tableArn": arn,
            "tableId": "cf263806-6bf1-4e51-a242-7067dcdecc72",
        });
        if self.kind == Kind::Full {
            summary["exportTime"] = "2026-01-14T10:56:26.000Z".into();
        } else {
            summary["version"] = "2023-08-01".into();
            summary["exportFromTime"] = "2026-01-14T10:20:00.000Z".into();
            summary["exportToTime"] = "2026-01-14T10:50:00.000Z".into();
        }
        summary["s3Bucket"] = "test-1231x1x".into();
        summary["s3Prefix"] = "exports".into();
        summary["s3SseAlgorithm"] = "AES256".into();
        summary["s3SseKmsKeyId"] = Value::Null;
        summary["manifestFilesS3Key"] =
            format!("exports/AWSDynamoDB/{ID}/manifest-files.json").into();
        summary["billedSizeBytes"] = 10_000_000.into();
        summary["itemCount"] = self
            .files
            .iter()
            .map(|file| file.items)
            .sum::<usize>()
            .into();
        summary["outputFormat"] = match self.format {
            Format::Json => "DYNAMODB_JSON".into(),
            Format::Ion => "ION".into(),
        };
        match self.kind {
            Kind::Full => {}
            Kind::NewAndOldImages => summary["outputView"] = "NEW_AND_OLD_IMAGES".into(),
            Kind::NewImage => summary["outputView"] = "NEW_IMAGE".into(),
        }
        if self.kind != Kind::Full {
            summary["exportType"] = "INCREMENTAL_EXPORT".into();
        }
        summary
    }
}

/// Writes a manifest with its checksum: 24 characters of base64, without a line feed.
pub(crate) fn write_manifest(folder: &Path, name: &str, content: &[u8]) {
    std::fs::write(folder.join(format!("{name}.json")), content).unwrap();
    let checksum = STANDARD.encode(Md5::digest(content));
    std::fs::write(folder.join(format!("{name}.md5")), checksum).unwrap();
}

pub(crate) fn gzip(lines: &[String]) -> Vec<u8> {
    let lines: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
    compress(lines.concat().as_bytes())
}

pub(crate) fn compress(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn json_item(id: usize, state: &str) -> String {
    format!(
        r#"{{"pk":{{"S":"k{id}"}},"sk":{{"N":"{id}"}},"state":{{"S":"{state}"}},"tags":{{"SS":["x","y"]}},"more":{{"M":{{"list":{{"L":[{{"N":"1.50"}},{{"BOOL":false}},{{"NULL":true}}]}},"seal":{{"B":"aGVsbG8="}}}}}}}}"#
    )
}

fn ion_item(id: usize, state: &str) -> String {
    format!(
        r#"{{pk:"k{id}",sk:{id}.,state:"{state}",tags:$dynamodb_SS::["x","y"],more:{{list:[1.50,false,null],seal:{{{{aGVsbG8=}}}}}}}}"#
    )
}

/// What `verify` says of a place.
pub(crate) fn verify(home: &Home, place: &Path, more: &[&str]) -> Ended {
    let mut command = home.command();
    command
        .args(["verify", "--output", "json"])
        .args(more)
        .arg(place);
    Ended::of(&mut command)
}

/// The same with every byte and the table's keys.
pub(crate) fn verify_deep(home: &Home, folder: &Path) -> Ended {
    verify(home, folder, &["--deep", "--key", "pk:S", "--key", "sk:N"])
}

/// The report on the only archive.
pub(crate) fn report(ended: &Ended) -> Value {
    let objects = ended.objects();
    let mut reports = objects
        .into_iter()
        .filter(|object| object["event"] == "archive");
    reports
        .next()
        .unwrap_or_else(|| panic!("no report: {ended:?}"))
}

/// The kinds of what is told, sorted and each once.
pub(crate) fn kinds(ended: &Ended, what: &str) -> Vec<String> {
    let mut kinds: Vec<String> = report(ended)[what]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| told["kind"].as_str().unwrap().to_owned())
        .collect();
    kinds.sort();
    kinds.dedup();
    kinds
}
