//! The probe of a job that reads: a list of its folder, and of a few objects the head and the first byte.
//!
//! It leaves nothing, so that the journal keeps nothing of it.

use tokio_util::sync::CancellationToken;

use super::{Probe, ProbeCall, ProbeReport};
use crate::assess::facts::BucketFacts;
use crate::aws::failure::{Failure, FailureKind};
use crate::aws::s3::S3;
use crate::aws::s3::content::ObjectName;
use crate::job::Plan;
use tableferry_policy::arn::BucketName;

/// How many objects are read.
const MOST: usize = 3;

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingProbe {
    bucket: BucketName,
    /// The folder that is listed.
    folder: String,
    /// The objects that are read; where none is known, the first ones of the list.
    keys: Vec<String>,
}

impl ReadingProbe {
    /// One object for each key that encrypts some, by what was read of the bucket, and the last of all.
    pub(super) fn of(plan: &Plan, bucket: Option<&BucketFacts>) -> Self {
        let stored = bucket.and_then(|bucket| bucket.objects.value());
        let objects = stored.map_or(&[][..], |stored| &stored.objects);
        let mut seen = Vec::new();
        let mut keys: Vec<String> = Vec::new();
        for object in objects {
            let encryption = object.encryption.value();
            let key = encryption.map(|encryption| encryption.key.clone());
            if !seen.contains(&key) {
                seen.push(key);
                keys.push(object.key.clone());
            }
        }
        keys.truncate(MOST - 1);
        if let Some(last) = objects.last()
            && !keys.contains(&last.key)
        {
            keys.push(last.key.clone());
        }
        Self {
            bucket: plan.destination.bucket.clone(),
            folder: plan.listed_folders().into_iter().next().unwrap_or_default(),
            keys,
        }
    }

    /// What would be sent, one line each.
    pub(super) fn lines(&self, probe: &Probe) -> Vec<String> {
        let bucket = &self.bucket;
        let mut lines = vec![format!(
            "ListObjectsV2 of s3://{bucket}/{} in {}, as {}",
            self.folder, probe.region, probe.principal
        )];
        if self.keys.is_empty() {
            lines.push(
                "HeadObject and GetObject (the first byte) of the first that it lists".to_owned(),
            );
        }
        lines.extend(self.keys.iter().map(|key| {
            format!("HeadObject and GetObject (the first byte) of s3://{bucket}/{key}")
        }));
        lines
    }

    /// Makes the calls. `cancel` is heeded before each.
    pub(super) async fn make(&self, s3: &S3, cancel: &CancellationToken, report: &mut ProbeReport) {
        let listed = s3.list_owned_objects(&self.bucket, &self.folder).await;
        let found = listed.as_ref().map_or(&[][..], |(objects, _)| objects);
        let found = found.iter().map(|object| object.object.key.clone());
        let keys = if self.keys.is_empty() {
            found.take(1).collect()
        } else {
            self.keys.clone()
        };
        let bucket_arn = report.bucket_arn();
        let shown = [("s3:ListBucket", bucket_arn.clone())];
        note(
            report,
            ProbeCall::List,
            &shown,
            "s3:ListBucket",
            listed.err(),
        );
        for key in keys {
            if cancel.is_cancelled() {
                return;
            }
            let name = ObjectName {
                bucket: &self.bucket,
                owner: None,
                key: &key,
            };
            let object = format!("{bucket_arn}/{key}");
            // What a refused head is refused for, it does not say: the object itself tells.
            let head = s3.stored_encryption(name).await;
            note(report, ProbeCall::Head, &[], "", head.err());
            let read = s3.read_first_byte(name).await;
            let mut shown = vec![("s3:GetObject", object.clone())];
            if let Ok(found) = &read {
                shown.extend(found.key.clone().map(|key| ("kms:Decrypt", key)));
            }
            let refused = read.as_ref().err().map_or("s3:GetObject", refused_action);
            if refused == "kms:Decrypt" {
                // Which key it is, the refusal tells as a rule; the object's head did before.
                shown = refused_key(read.as_ref().err())
                    .map(|key| vec![("kms:Decrypt", key)])
                    .unwrap_or_default();
            }
            note(
                report,
                ProbeCall::ReadFirstByte,
                &shown,
                refused,
                read.err(),
            );
        }
    }
}

/// Notes a call, and what it shows of permissions: all of `shown` where it worked, `refused` of them where
/// it was refused.
fn note(
    report: &mut ProbeReport,
    call: ProbeCall,
    shown: &[(&str, String)],
    refused: &str,
    failure: Option<Failure>,
) {
    let is_refused = failure
        .as_ref()
        .is_some_and(|failure| failure.kind == FailureKind::AccessDenied);
    for (action, resource) in shown {
        match &failure {
            None => report.note_trial(action, resource.clone(), None),
            Some(failure) if is_refused && *action == refused => {
                report.note_trial(action, resource.clone(), Some(failure.message.clone()));
            }
            Some(_) => {}
        }
    }
    report.note(call, failure);
}

/// Which permission a refusal of `GetObject` is about: KMS's names its own through S3.
fn refused_action(failure: &Failure) -> &'static str {
    let is_of_kms = failure.message.contains("perform: kms:Decrypt ")
        || failure.message.starts_with("The ciphertext refers to");
    if is_of_kms {
        "kms:Decrypt"
    } else {
        "s3:GetObject"
    }
}

/// The key that a refusal names.
fn refused_key(failure: Option<&Failure>) -> Option<String> {
    let (_, rest) = failure?.message.split_once("on resource: ")?;
    let key = rest.trim_start_matches('"').split([' ', '"']).next()?;
    key.contains(":key/").then(|| key.to_owned())
}
