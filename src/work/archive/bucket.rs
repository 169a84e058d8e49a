//! An archive in a bucket: its manifests, what lies there, and data files that are read as they arrive.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;

use crate::archive::layout::{DataPlace, data_place, key_candidates};
use crate::archive::manifest::FileEntry;
use crate::aws::failure::Failure;
use crate::aws::s3::content::ObjectName;
use crate::aws::s3::{Object, S3};
use tableferry_policy::arn::{AccountId, BucketName};

/// The folder of an export's manifests in a bucket.
#[derive(Debug, Clone)]
pub(super) struct ArchiveFolder {
    pub(super) s3: S3,
    pub(super) name: BucketName,
    pub(super) owner: Option<AccountId>,
    /// With a closing slash.
    pub(super) folder: String,
}

/// How many objects are asked for at once.
const ASKED_AT_ONCE: usize = 16;
/// Parts of an object that wait for the one who checks them; S3's are some 16 KiB each.
const WAITING: usize = 64;
/// How often a download may break off without a byte in between.
const TRIES: u32 = 8;

impl ArchiveFolder {
    fn object<'a>(&'a self, key: &'a str) -> ObjectName<'a> {
        ObjectName {
            bucket: &self.name,
            owner: self.owner.as_ref(),
            key,
        }
    }

    /// A small object, by its key.
    pub(super) async fn read(&self, key: &str, largest: u64) -> Result<Option<Vec<u8>>, Failure> {
        let read = self
            .s3
            .get_text(&self.name, key, self.owner.as_ref(), largest);
        match read.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(failure) if failure.code.as_deref() == Some("NoSuchKey") => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The keys below a folder, with their sizes and `ETag`s.
    pub(super) async fn list(&self, folder: &str) -> Result<Vec<Object>, Failure> {
        let owner = self.owner.as_ref();
        self.s3.list_objects(&self.name, folder, owner).await
    }

    /// The folders right below a folder, by their names in full.
    pub(super) async fn folders(&self, folder: &str) -> Result<Vec<String>, Failure> {
        let owner = self.owner.as_ref();
        self.s3.list_folders(&self.name, folder, owner).await
    }

    /// The size of an object; `None` where there is none.
    pub(super) async fn size(&self, key: &str) -> Result<Option<u64>, Failure> {
        let found = self.s3.head_object(self.object(key)).await?;
        Ok(found.map(|object| object.size))
    }

    /// The folder above, with a closing slash, or nothing.
    fn above(&self) -> &str {
        let folder = self.folder.trim_end_matches('/');
        folder.rfind('/').map_or("", |end| &self.folder[..=end])
    }

    /// The keys under which an entry may lie: beside its manifest, then as it is named.
    pub(super) fn keys_of(&self, entry: &FileEntry, prefix: Option<&str>) -> Vec<String> {
        let beside = match data_place(&entry.key) {
            Some(DataPlace::Own(name)) => Some(format!("{}data/{name}", self.folder)),
            Some(DataPlace::Shared(name)) => Some(format!("{}data/{name}", self.above())),
            None => None,
        };
        match beside {
            Some(key) => vec![key],
            // Of a server that names its files otherwise.
            None => key_candidates(&entry.key, prefix),
        }
    }

    /// Looks each entry up by itself: the folder is shared with years of other exports.
    pub(super) async fn look_up(
        &self,
        entries: &[FileEntry],
        prefix: Option<&str>,
    ) -> Result<Vec<Option<Object>>, Failure> {
        let asked = stream::iter(entries).map(|entry| async move {
            for key in self.keys_of(entry, prefix) {
                if let Some(object) = self.s3.head_object(self.object(&key)).await? {
                    return Ok(Some(object));
                }
            }
            Ok(None)
        });
        let answers: Vec<Result<_, Failure>> = asked.buffered(ASKED_AT_ONCE).collect().await;
        answers.into_iter().collect()
    }

    /// Begins to read an object as it was listed, from a byte on. It is fetched while it is read; what breaks
    /// off is taken up where it ended.
    pub(super) fn open(
        &self,
        object: &Object,
        from: u64,
        runtime: &tokio::runtime::Handle,
    ) -> Download {
        let (sender, parts) = mpsc::channel(WAITING);
        let end = Arc::new(Mutex::new(None));
        let (bucket, object, told) = (self.clone(), object.clone(), Arc::clone(&end));
        runtime.spawn(async move {
            let ended = bucket.fetch(&object, from, &sender).await;
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
            // Only now does the reader see that nothing follows.
            drop(sender);
        });
        Download {
            parts,
            part: Bytes::new(),
            end,
        }
    }

    async fn fetch(&self, object: &Object, from: u64, parts: &mpsc::Sender<Bytes>) -> DownloadEnd {
        let (mut at, mut failed) = (from, 0);
        while at < object.size || (object.size == 0 && failed == 0) {
            let before = at;
            let failure = match self.fetch_from(object, &mut at, parts).await {
                Ok(()) if at == object.size => break,
                Ok(()) => None,
                Err(failure) => Some(failure),
            };
            match failure.as_ref().map(|failure| (failure.status, failure)) {
                Some((Some(404), _)) => return DownloadEnd::Vanished,
                // S3's answer where the object is another by now.
                Some((Some(412 | 416), _)) => return DownloadEnd::Changed,
                Some((_, failure)) if !failure.is_retryable() => {
                    return DownloadEnd::Failed(Box::new(failure.clone()));
                }
                _ => {}
            }
            failed = if at > before { 1 } else { failed + 1 };
            if failed >= TRIES || at > object.size || parts.is_closed() {
                return failure.map_or(DownloadEnd::Changed, |failure| {
                    DownloadEnd::Failed(Box::new(failure))
                });
            }
            let pause = Duration::from_millis(200 * (1 << failed.min(5)));
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
        }
        DownloadEnd::Whole
    }

    async fn fetch_from(
        &self,
        object: &Object,
        at: &mut u64,
        parts: &mpsc::Sender<Bytes>,
    ) -> Result<(), Failure> {
        let name = self.object(&object.key);
        let is_of = Some(object.etag.as_str()).filter(|etag| !etag.is_empty());
        let mut content = self.s3.open_object(name, *at, is_of).await?;
        while let Some(part) = content.next().await? {
            *at += u64::try_from(part.len()).unwrap_or(0);
            // The one who read it has stopped.
            if parts.send(part).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// How a download ended.
#[derive(Debug, Clone)]
pub(super) enum DownloadEnd {
    Whole,
    Vanished,
    Changed,
    Failed(Box<Failure>),
}

/// The content of an object, read by a thread that may wait.
#[derive(Debug)]
pub(super) struct Download {
    parts: mpsc::Receiver<Bytes>,
    part: Bytes,
    end: Arc<Mutex<Option<DownloadEnd>>>,
}

impl Download {
    /// How it ended, once it did.
    pub(super) fn end(&self) -> Arc<Mutex<Option<DownloadEnd>>> {
        Arc::clone(&self.end)
    }
}

impl Read for Download {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() {
            let Some(part) = self.parts.blocking_recv() else {
                let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
                return match &*end {
                    Some(DownloadEnd::Whole) => Ok(0),
                    // The sender is dropped before the end is told only where its task was.
                    _ => Err(io::Error::other("the download ended early")),
                };
            };
            self.part = part;
        }
        let count = self.part.len().min(into.len());
        let taken = self.part.split_to(count);
        if let Some(place) = into.get_mut(..count) {
            place.copy_from_slice(&taken);
        }
        Ok(count)
    }
}
