//! Buckets and the objects in them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

use super::inventory::Inventory;
use super::policy_text::Edited;
use tableferry_policy::arn::Partition;

/// A bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Bucket {
    /// The owner.
    pub account: String,
    pub region: String,
    #[serde(default)]
    pub policy: Edited,
    #[serde(default)]
    pub default_encryption: Option<DefaultEncryption>,
    /// Block Public Access of the bucket.
    #[serde(default)]
    pub public_access: PublicAccess,
    #[serde(default)]
    pub ownership: Ownership,
    #[serde(default)]
    pub requester_pays: bool,
    /// The inventory configurations, by id.
    #[serde(default)]
    pub inventories: BTreeMap<String, Inventory>,
    #[serde(default)]
    pub objects: BTreeMap<String, Object>,
    /// Multipart uploads under way, by upload id.
    #[serde(default)]
    pub uploads: BTreeMap<String, MultipartUpload>,
}

/// Who owns the objects that are written to a bucket (`ObjectOwnership`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) enum Ownership {
    /// The bucket's owner, and access control lists are off; so it is for new buckets.
    #[default]
    BucketOwnerEnforced,
    /// The bucket's owner, where the object comes with `bucket-owner-full-control`.
    BucketOwnerPreferred,
    /// The one who writes.
    ObjectWriter,
}

impl Ownership {
    /// Who owns an object that `writer` puts with a canned access control list into a bucket of `owner`,
    /// where it is not the bucket's owner ("Controlling ownership of objects and disabling ACLs for your
    /// bucket", S3 user guide).
    pub(super) fn foreign_owner(
        self,
        acl: Option<&str>,
        writer: &str,
        owner: &str,
    ) -> Option<ForeignOwner> {
        let is_handed_over =
            self == Self::BucketOwnerPreferred && acl == Some("bucket-owner-full-control");
        if self == Self::BucketOwnerEnforced || writer == owner || is_handed_over {
            return None;
        }
        let is_shared = matches!(
            acl,
            Some(
                "bucket-owner-full-control"
                    | "bucket-owner-read"
                    | "public-read"
                    | "public-read-write"
            )
        );
        Some(ForeignOwner {
            account: writer.to_owned(),
            is_shared,
        })
    }

    /// The word for it in S3's API.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::BucketOwnerEnforced => "BucketOwnerEnforced",
            Self::BucketOwnerPreferred => "BucketOwnerPreferred",
            Self::ObjectWriter => "ObjectWriter",
        }
    }
}

/// The four settings of Block Public Access; all are on for new buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "PublicAccessBlockConfiguration has these four, each on its own"
)]
#[serde(default)]
pub(super) struct PublicAccess {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

impl Default for PublicAccess {
    fn default() -> Self {
        Self {
            block_public_acls: true,
            ignore_public_acls: true,
            block_public_policy: true,
            restrict_public_buckets: true,
        }
    }
}

/// What encrypts objects that name no encryption of their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DefaultEncryption {
    /// `AES256` or `aws:kms`.
    pub algorithm: String,
    #[serde(default)]
    pub key: Option<String>,
    #[serde(default)]
    pub bucket_key: bool,
}

/// An object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Object {
    #[serde(with = "content")]
    pub content: Bytes,
    /// Without quotes.
    pub etag: String,
    pub modified_at: Timestamp,
    pub content_type: Option<String>,
    pub encryption: ObjectEncryption,
    /// The account that wrote it, where it owns it in the bucket owner's stead and gave the bucket's
    /// owner nothing.
    #[serde(default)]
    pub foreign_owner: Option<String>,
    /// The account that wrote it, where it owns it and gave the bucket's owner access.
    #[serde(default)]
    pub sharing_owner: Option<String>,
}

/// The account that owns an object in the bucket owner's stead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ForeignOwner {
    pub account: String,
    /// Whether its access control list gives the bucket's owner something.
    pub is_shared: bool,
}

/// How an object is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ObjectEncryption {
    /// SSE-S3.
    Aes256,
    /// With a KMS key, by its full ARN.
    Kms {
        key: String,
        /// Whether by an S3 Bucket Key; state files of earlier versions leave it to the bucket's default.
        #[serde(default)]
        bucket_key: Option<bool>,
    },
}

impl ObjectEncryption {
    /// What `x-amz-server-side-encryption` says.
    pub(super) const fn algorithm(&self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::Kms { .. } => "aws:kms",
        }
    }

    /// The KMS key's ARN.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Aes256 => None,
            Self::Kms { key, .. } => Some(key),
        }
    }
}

/// A multipart upload under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MultipartUpload {
    pub key: String,
    /// When it was begun; state files of earlier versions do not tell.
    #[serde(default)]
    pub initiated: Timestamp,
    pub content_type: Option<String>,
    pub encryption: ObjectEncryption,
    /// As in [`Object::foreign_owner`].
    #[serde(default)]
    pub foreign_owner: Option<String>,
    /// As in [`Object::sharing_owner`].
    #[serde(default)]
    pub sharing_owner: Option<String>,
    #[serde(with = "parts")]
    pub parts: BTreeMap<i32, Bytes>,
}

impl Bucket {
    /// The bucket's ARN.
    pub(super) fn arn(partition: Partition, name: &str) -> String {
        format!("arn:{partition}:s3:::{name}")
    }
}

impl Object {
    /// An object that was put in one piece: its `ETag` is the MD5 of its content.
    pub(super) fn put(content: Bytes, encryption: ObjectEncryption, at: Timestamp) -> Self {
        let etag = hex::encode(Md5::digest(&content));
        Self {
            content,
            etag,
            modified_at: at,
            content_type: None,
            encryption,
            foreign_owner: None,
            sharing_owner: None,
        }
    }

    /// An object that was uploaded in parts: its `ETag` is the MD5 of the parts' MD5s, and their
    /// number ("Checking object integrity", S3 user guide).
    pub(super) fn assembled(parts: &[Bytes], encryption: ObjectEncryption, at: Timestamp) -> Self {
        let mut digest = Md5::new();
        for part in parts {
            digest.update(Md5::digest(part));
        }
        let etag = format!("{}-{}", hex::encode(digest.finalize()), parts.len());
        Self {
            content: parts.concat().into(),
            etag,
            modified_at: at,
            content_type: None,
            encryption,
            foreign_owner: None,
            sharing_owner: None,
        }
    }
}

impl Object {
    /// Makes it an account's other than the bucket's.
    pub(super) fn give_to(&mut self, owner: Option<ForeignOwner>) {
        let Some(owner) = owner else { return };
        if owner.is_shared {
            self.sharing_owner = Some(owner.account);
        } else {
            self.foreign_owner = Some(owner.account);
        }
    }

    /// The account that owns it, where that is not the bucket's.
    pub(super) fn owner_of_others(&self) -> Option<&str> {
        let owner = self.foreign_owner.as_ref().or(self.sharing_owner.as_ref());
        owner.map(String::as_str)
    }
}

/// The MD5 of a content in base64, as checksum files and manifests hold it.
pub(super) fn md5_base64(content: &[u8]) -> String {
    STANDARD.encode(Md5::digest(content))
}

/// Contents stand in the state file as base64.
mod content {
    use super::{Bytes, STANDARD};
    use base64::Engine as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        content: &Bytes,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(content))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD
            .decode(text)
            .map(Bytes::from)
            .map_err(serde::de::Error::custom)
    }
}

/// Parts stand in the state file by number, as base64.
mod parts {
    use super::{BTreeMap, Bytes, STANDARD};
    use base64::Engine as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        parts: &BTreeMap<i32, Bytes>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            parts
                .iter()
                .map(|(number, part)| (number, STANDARD.encode(part))),
        )
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<i32, Bytes>, D::Error> {
        BTreeMap::<i32, String>::deserialize(deserializer)?
            .into_iter()
            .map(|(number, text)| {
                let part = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
                Ok((number, Bytes::from(part)))
            })
            .collect()
    }
}
