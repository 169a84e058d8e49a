//! A report of S3 Inventory: which files it has, where they lie and what is in them ("Locating your
//! inventory list", S3 user guide).

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use s3s::dto::InventoryConfiguration;
use serde_json::json;

use crate::bucket::{Bucket, Object};
use crate::identifier::fresh_uuid;
use crate::inventory::bucket_name;
use crate::query::encode;
use crate::world::World;

/// One report, before it is written.
pub(super) struct InventoryReport {
    /// The destination.
    pub(super) bucket: String,
    /// Its folder, with the source's name and the configuration's id, without a closing slash.
    root: String,
    at: Timestamp,
    data_key: String,
    data: Bytes,
    manifest: String,
}

impl InventoryReport {
    /// What a configuration asks for, of a bucket as it is now; `None` where it names no bucket.
    pub(super) fn of(
        world: &World,
        source: &str,
        configuration: &InventoryConfiguration,
        at: Timestamp,
    ) -> Option<Self> {
        let target = &configuration.destination.s3_bucket_destination;
        let bucket = bucket_name(&target.bucket)?.to_owned();
        let prefix = target.prefix.as_deref().unwrap_or_default();
        let parting = if prefix.is_empty() { "" } else { "/" };
        let root = format!("{prefix}{parting}{source}/{}", configuration.id);
        let data_key = format!("{root}/data/{}.csv.gz", fresh_uuid());
        let fields = fields(configuration);
        let data = compress(&lines(
            world.bucket(source)?,
            source,
            configuration,
            &fields,
        ));
        let manifest = json!({
            "sourceBucket": source,
            "destinationBucket": target.bucket,
            "version": "2016-11-30",
            "creationTimestamp": at.as_millisecond().to_string(),
            "fileFormat": target.format.as_str(),
            "fileSchema": fields.join(", "),
            "files": [{
                "key": data_key,
                "size": data.len(),
                "MD5checksum": hex::encode(Md5::digest(&data)),
            }],
        });
        Some(Self {
            bucket,
            root,
            at,
            data_key,
            data,
            manifest: manifest.to_string(),
        })
    }

    /// The manifest's key.
    pub(super) fn manifest_key(&self) -> String {
        let folder = self.at.strftime("%Y-%m-%dT%H-%MZ");
        format!("{}/{folder}/manifest.json", self.root)
    }

    /// The files in the order in which they are written: the manifest's checksum comes last, which
    /// tells that the report is complete.
    pub(super) fn files(&self) -> Vec<(String, Bytes)> {
        let manifest_key = self.manifest_key();
        let checksum_key = format!("{}.checksum", manifest_key.trim_end_matches(".json"));
        let hive = self.at.strftime("%Y-%m-%d-%H-%M");
        let symlink = format!("{}/hive/dt={hive}/symlink.txt", self.root);
        let checksum = hex::encode(Md5::digest(self.manifest.as_bytes()));
        vec![
            (self.data_key.clone(), self.data.clone()),
            (
                symlink,
                format!("s3://{}/{}\n", self.bucket, self.data_key).into(),
            ),
            (manifest_key, self.manifest.clone().into()),
            (checksum_key, checksum.into()),
        ]
    }
}

/// The columns, in their order: those of versions where all are listed, then those that are asked for.
fn fields(configuration: &InventoryConfiguration) -> Vec<String> {
    let mut fields = vec!["Bucket".to_owned(), "Key".to_owned()];
    if configuration.included_object_versions.as_str() == "All" {
        fields.extend(["VersionId", "IsLatest", "IsDeleteMarker"].map(str::to_owned));
    }
    let optional = configuration.optional_fields.iter().flatten();
    fields.extend(optional.map(|field| field.as_str().to_owned()));
    fields
}

/// One line an object, every value in quotes and the key URL-encoded, without a header.
fn lines(
    bucket: &Bucket,
    name: &str,
    configuration: &InventoryConfiguration,
    fields: &[String],
) -> String {
    let prefix = configuration
        .filter
        .as_ref()
        .map_or("", |filter| filter.prefix.as_str());
    let mut text = String::new();
    for (key, object) in bucket
        .objects
        .iter()
        .filter(|(key, _)| key.starts_with(prefix))
    {
        let values: Vec<String> = fields
            .iter()
            .map(|field| format!("\"{}\"", value(field, name, key, object)))
            .collect();
        text.push_str(&values.join(","));
        text.push('\n');
    }
    text
}

/// What a column holds; empty where there is nothing to tell.
fn value(field: &str, bucket: &str, key: &str, object: &Object) -> String {
    match field {
        "Bucket" => bucket.to_owned(),
        "Key" => encoded(key),
        "IsLatest" => "true".to_owned(),
        "IsDeleteMarker" => "false".to_owned(),
        "Size" => object.content.len().to_string(),
        "LastModifiedDate" => object
            .modified_at
            .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
            .to_string(),
        "StorageClass" => "STANDARD".to_owned(),
        "ETag" => object.etag.clone(),
        "IsMultipartUploaded" => object.etag.contains('-').to_string(),
        "EncryptionStatus" => match object.encryption.key() {
            Some(_) => "SSE-KMS".to_owned(),
            None => "SSE-S3".to_owned(),
        },
        _ => String::new(),
    }
}

/// A key as a URL has it; the slash stays.
fn encoded(key: &str) -> String {
    encode(key).replace("%2F", "/")
}

/// Writing into memory cannot fail.
fn compress(text: &str) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(text.as_bytes());
    debug_assert!(written.is_ok());
    encoder.finish().unwrap_or_default().into()
}
