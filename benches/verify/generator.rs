//! An export of DynamoDB JSON, always the same: 40 files of items of about 1 KB each, which gzip makes six to
//! eight times smaller.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest as _, Md5};
use serde_json::json;

const FILES: u64 = 40;
const ID: &str = "01768385930622-efd1a093";

const PHRASES: [&str; 48] = [
    "left at the quay",
    "ring twice, then wait",
    "signed for by a neighbour",
    "the crate was damp",
    "two boxes and a roll",
    "paid on arrival",
    "insured for the crossing",
    "held back by the weather",
    "returned to the sender",
    "no answer at the door",
    "weighed again at the pier",
    "keep it upright",
    "fragile, glass inside",
    "stored below deck",
    "the label came off",
    "cleared by customs",
    "to be opened by the owner",
    "delayed by a day",
    "the seal was whole",
    "counted and correct",
    "one piece is missing",
    "shown to the harbour master",
    "moved to the second ferry",
    "wrapped anew",
    "the address was wrong",
    "collected in the evening",
    "not before the spring",
    "ask for the foreman",
    "cold storage needed",
    "handed to the crew",
    "listed as exempt parts",
    "without an invoice",
    "rope, lantern and compass",
    "a gift, do not charge",
    "documents are in the lid",
    "over the limit",
    "sent with the early boat",
    "waits for a signature",
    "the buyer changed it",
    "first of several",
    "last of the season",
    "packed in straw",
    "rolled in tarpaulin",
    "the sextant is missing",
    "flares are declared",
    "under the bench",
    "marked with red paint",
    "as agreed by letter",
];
const STATES: [&str; 5] = ["PLACED", "PAID", "PACKED", "SHIPPED", "DELIVERED"];

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from.get(index).copied().unwrap_or_default()
    }
}

/// Writes the line of an item.
fn line(out: &mut Vec<u8>, id: u64, random: &mut Random) -> io::Result<()> {
    write!(
        out,
        r#"{{"Item":{{"orderId":{{"S":"ord-{id:010}"}},"line":{{"N":"{}"}},"customerId":{{"S":"cus-{:06}"}},"status":{{"S":"{}"}},"isBusiness":{{"BOOL":{}}},"note":{{"S":""#,
        id % 7,
        random.below(900_000),
        random.pick(&STATES),
        id.is_multiple_of(3),
    )?;
    for index in 0..17 {
        let comma = if index == 0 { "" } else { "; " };
        write!(out, "{comma}{}", random.pick(&PHRASES))?;
    }
    write!(out, r#""}},"lines":{{"L":["#)?;
    for index in 0..3 {
        let comma = if index == 0 { "" } else { "," };
        write!(
            out,
            r#"{comma}{{"M":{{"sku":{{"S":"sku-{}"}},"quantity":{{"N":"{}"}},"price":{{"N":"{}.{:02}"}}}}}}"#,
            random.below(400),
            1 + random.below(9),
            random.below(200),
            random.below(100),
        )?;
    }
    writeln!(
        out,
        r#"]}},"labels":{{"SS":["ferry","{}"]}},"seal":{{"B":"{}"}},"trace":{{"S":"{:016x}-{:016x}-{:016x}"}},"parent":{{"NULL":true}}}}}}"#,
        random.pick(&["fragile", "heavy", "express"]),
        STANDARD.encode([random.next().to_be_bytes(), random.next().to_be_bytes()].concat()),
        random.next(),
        random.next(),
        random.next(),
    )
}

/// Writes an archive of about so many compressed bytes below a directory, where it is not there yet, and
/// gives the folder of its manifests.
pub(crate) fn archive(below: &Path, compressed: u64) -> io::Result<PathBuf> {
    let folder = below.join(format!("archive-{compressed}/AWSDynamoDB/{ID}"));
    if folder.join("manifest-summary.json").exists() {
        return Ok(folder);
    }
    std::fs::create_dir_all(folder.join("data"))?;
    let mut list = String::new();
    let mut items = 0;
    for file in 0..FILES {
        let name = format!("{:a>26}.json.gz", letters(file));
        let (count, md5) = data_file(&folder.join("data").join(&name), file, compressed / FILES)?;
        items += count;
        let entry = json!({
            "itemCount": count,
            "md5Checksum": STANDARD.encode(&md5),
            "etag": format!("{}-1", hex::encode(Md5::digest(&md5))),
            "dataFileS3Key": format!("AWSDynamoDB/{ID}/data/{name}"),
        });
        list.push_str(&entry.to_string());
        list.push('\n');
    }
    let arn = "arn:aws:dynamodb:eu-north-1:111111111111:table/Orders";
    let summary = json!({
        "version": "2020-06-30", "exportArn": format!("{arn}/export/{ID}"),
        "startTime": "2026-01-14T10:18:50.622Z", "endTime": "2026-01-14T10:24:58.984Z",
        "tableArn": arn, "tableId": "cf263806-6bf1-4e51-a242-7067dcdecc72",
        "exportTime": "2026-01-14T10:18:50.622Z", "s3Bucket": "export-landing", "s3Prefix": null,
        "s3SseAlgorithm": "AES256", "s3SseKmsKeyId": null,
        "manifestFilesS3Key": format!("AWSDynamoDB/{ID}/manifest-files.json"),
        "billedSizeBytes": 0, "itemCount": items, "outputFormat": "DYNAMODB_JSON",
    });
    for (name, text) in [
        ("manifest-files", list),
        ("manifest-summary", summary.to_string()),
    ] {
        let checksum = STANDARD.encode(Md5::digest(text.as_bytes()));
        std::fs::write(folder.join(format!("{name}.md5")), checksum)?;
        std::fs::write(folder.join(format!("{name}.json")), text)?;
    }
    Ok(folder)
}

fn letters(mut number: u64) -> String {
    let mut text = String::new();
    for _ in 0..2 {
        text.push(char::from(b'a' + u8::try_from(number % 26).unwrap_or(0)));
        number /= 26;
    }
    text
}

/// Writes a file of about so many compressed bytes: its items, and its MD5.
fn data_file(path: &Path, number: u64, compressed: u64) -> io::Result<(u64, Vec<u8>)> {
    let mut encoder = GzEncoder::new(
        Counting {
            out: BufWriter::new(File::create(path)?),
            md5: Md5::new(),
            bytes: 0,
        },
        Compression::default(),
    );
    let mut random = Random(number);
    let mut lines = Vec::new();
    let mut count = 0;
    while encoder.get_ref().bytes < compressed {
        lines.clear();
        for _ in 0..1000 {
            line(&mut lines, number * 10_000_000 + count, &mut random)?;
            count += 1;
        }
        encoder.write_all(&lines)?;
    }
    let mut written = encoder.finish()?;
    written.flush()?;
    Ok((count, written.md5.finalize().to_vec()))
}

/// A file whose bytes are counted and digested.
struct Counting {
    out: BufWriter<File>,
    md5: Md5,
    bytes: u64,
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.md5.update(bytes.get(..count).unwrap_or_default());
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
