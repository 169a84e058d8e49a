//! Where a masked archive goes: a directory of this machine, or a bucket.
//!
//! What is written into a bucket never lies on the disk of this machine: it goes up in parts as it is made.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::archive::layout::Layout;
use crate::archive::manifest::FileEntry;
use crate::aws::failure::Failure;
use crate::aws::s3::S3;
use crate::aws::s3::multipart::{BegunUpload, UploadSettings, UploadTarget};
use crate::job::Encryption;
use crate::work::archive::copy::{LocalCopy, file_name};
use crate::work::archive::error::ArchiveError;
use tableferry_policy::arn::{AccountId, BucketName};

/// A part of an upload. "There is no minimum size limit on the last part", and the others have 5 MiB or more
/// ("Amazon S3 multipart upload limits"); 10,000 of these are 60 GiB.
const PART: usize = 6 * 1024 * 1024;

/// Where a masked archive goes.
#[derive(Debug)]
pub(in crate::work::archive) enum MaskTarget {
    Directory(LocalCopy),
    Bucket(Box<MaskBucket>),
}

/// A bucket that takes a masked archive.
#[derive(Debug)]
pub(in crate::work::archive) struct MaskBucket {
    pub(in crate::work::archive) s3: S3,
    pub(in crate::work::archive) name: BucketName,
    pub(in crate::work::archive) owner: AccountId,
    pub(in crate::work::archive) layout: Layout,
    pub(in crate::work::archive) encryption: Encryption,
    /// Whether an earlier process may have left uploads that were begun.
    pub(in crate::work::archive) may_have_uploads: bool,
}

impl MaskTarget {
    /// Where the manifests will lie.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Directory(copy) => copy.place(),
            Self::Bucket(bucket) => format!("s3://{}/{}", bucket.name, bucket.layout.folder()),
        }
    }

    /// Whether a file that was written is still there; of a bucket, a verification tells.
    pub(super) fn has(&self, entry: &FileEntry) -> bool {
        match self {
            Self::Directory(copy) => copy.has(entry),
            Self::Bucket(_) => true,
        }
    }

    /// Begins the masked file of an entry.
    pub(super) fn begin<'t>(
        &'t self,
        entry: &'t FileEntry,
        runtime: &Handle,
    ) -> io::Result<MaskedWriter<'t>> {
        Ok(match self {
            Self::Directory(copy) => MaskedWriter::File {
                out: BufWriter::with_capacity(256 * 1024, copy.begin(entry)?),
                copy,
                entry,
            },
            Self::Bucket(bucket) => {
                let target = bucket.target(bucket.data_key(entry));
                let upload = Upload {
                    bucket,
                    target,
                    runtime: runtime.clone(),
                    buffer: Vec::new(),
                    begun: None,
                    parts: Vec::new(),
                    failure: None,
                    is_discarded: false,
                };
                upload.take_back_earlier();
                MaskedWriter::Object(Box::new(upload))
            }
        })
    }

    /// Writes the first object, as an export does; `false` where it is there already, so that another
    /// archive is.
    pub(super) async fn begin_archive(&self) -> Result<bool, ArchiveError> {
        match self {
            Self::Directory(_) => Ok(true),
            Self::Bucket(bucket) => {
                let target = bucket.target(bucket.layout.started());
                let put = bucket
                    .s3
                    .put_new_object(&target, bucket.settings(), Bytes::new());
                Ok(put.await?)
            }
        }
    }

    /// Writes a file beside the manifests.
    pub(super) async fn write_small(&self, name: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
        match self {
            Self::Directory(copy) => copy.write_small(name, bytes).map_err(ArchiveError::Copy),
            Self::Bucket(bucket) => {
                let target = bucket.target(format!("{}{name}", bucket.layout.folder()));
                let content = Bytes::copy_from_slice(bytes);
                let put = bucket.s3.put_object(&target, bucket.settings(), content);
                put.await.map(drop).map_err(ArchiveError::from)
            }
        }
    }
}

impl MaskBucket {
    /// The key of an entry's file.
    pub(in crate::work::archive) fn data_key(&self, entry: &FileEntry) -> String {
        format!("{}{}", self.layout.data_folder(), file_name(entry))
    }

    fn target(&self, key: String) -> UploadTarget {
        UploadTarget {
            bucket: self.name.clone(),
            owner: self.owner.clone(),
            key,
        }
    }

    /// As the export itself writes, whose objects are the bucket owner's, too.
    const fn settings(&self) -> UploadSettings<'_> {
        UploadSettings {
            encryption: &self.encryption,
            gives_control: true,
        }
    }
}

/// Takes the bytes of a masked file.
pub(super) enum MaskedWriter<'t> {
    File {
        out: BufWriter<File>,
        copy: &'t LocalCopy,
        entry: &'t FileEntry,
    },
    Object(Box<Upload<'t>>),
}

impl MaskedWriter<'_> {
    /// Ends the file; its `ETag`, where S3 named one.
    pub(super) fn finish(&mut self) -> io::Result<Option<String>> {
        match self {
            Self::File { out, copy, entry } => {
                out.flush()?;
                copy.finish(out.get_ref(), entry)?;
                Ok(None)
            }
            Self::Object(upload) => upload.finish().map(Some),
        }
    }

    /// Takes back what was written; what is written from now on is thrown away.
    pub(super) fn discard(&mut self) {
        match self {
            Self::File { copy, entry, .. } => copy.discard(entry),
            Self::Object(upload) => upload.take_back(),
        }
    }

    /// The failure of a call, where that is why a write failed.
    pub(super) fn failure(&mut self) -> Option<Box<Failure>> {
        match self {
            Self::File { .. } => None,
            Self::Object(upload) => upload.failure.take(),
        }
    }
}

impl Write for MaskedWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File { out, .. } => out.write(bytes),
            Self::Object(upload) => upload.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File { out, .. } => out.flush(),
            Self::Object(_) => Ok(()),
        }
    }
}

/// An object that is written, in parts where it is large.
pub(super) struct Upload<'t> {
    bucket: &'t MaskBucket,
    target: UploadTarget,
    runtime: Handle,
    buffer: Vec<u8>,
    begun: Option<BegunUpload>,
    /// The `ETags` of the parts.
    parts: Vec<String>,
    failure: Option<Box<Failure>>,
    is_discarded: bool,
}

impl Upload<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_discarded {
            return Ok(bytes.len());
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PART {
            let sent = self.send();
            self.told(sent)?;
        }
        Ok(bytes.len())
    }

    fn finish(&mut self) -> io::Result<String> {
        let finished = self.complete();
        self.told(finished)
    }

    fn told<T>(&mut self, result: Result<T, Failure>) -> io::Result<T> {
        result.map_err(|failure| {
            self.failure = Some(Box::new(failure));
            io::Error::other("the masked file cannot be uploaded")
        })
    }

    fn send(&mut self) -> Result<(), Failure> {
        let (s3, settings) = (&self.bucket.s3, self.bucket.settings());
        if self.begun.is_none() {
            let begin = s3.begin_upload(&self.target, settings);
            self.begun = Some(self.runtime.block_on(begin)?);
        }
        let Some(begun) = &self.begun else {
            return Ok(());
        };
        let content = Bytes::from(std::mem::take(&mut self.buffer));
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let sent = s3.send_part(&self.target, begun, number, content);
        self.parts.push(self.runtime.block_on(sent)?);
        Ok(())
    }

    fn complete(&mut self) -> Result<String, Failure> {
        let (s3, settings) = (&self.bucket.s3, self.bucket.settings());
        if self.begun.is_none() {
            let content = Bytes::from(std::mem::take(&mut self.buffer));
            let put = s3.put_object(&self.target, settings, content);
            return self.runtime.block_on(put);
        }
        if !self.buffer.is_empty() {
            self.send()?;
        }
        let Some(begun) = &self.begun else {
            return Ok(String::new());
        };
        let completed = s3.complete_upload(&self.target, begun, &self.parts);
        let etag = self.runtime.block_on(completed)?;
        self.begun = None;
        Ok(etag)
    }

    /// Takes back what was sent; what is left of it after all, the next masking takes back.
    fn take_back(&mut self) {
        self.is_discarded = true;
        if let Some(begun) = self.begun.take() {
            let abort = self.bucket.s3.abort_upload(&self.target, &begun.id);
            let _ = self.runtime.block_on(abort);
        }
    }

    /// Takes back what an earlier process began to send to this key and did not end. It is no part of an
    /// object, so that a failure stops nothing.
    fn take_back_earlier(&self) {
        if !self.bucket.may_have_uploads {
            return;
        }
        let s3 = &self.bucket.s3;
        let listed = self.runtime.block_on(s3.list_uploads(&self.target));
        for id in listed.unwrap_or_default() {
            let _ = self.runtime.block_on(s3.abort_upload(&self.target, &id));
        }
    }
}
