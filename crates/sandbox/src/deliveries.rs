//! The reports that the inventory configurations of buckets ask for, each written by S3 itself in its
//! time, if the destination lets it.
//!
//! S3 writes as its own principal, for the source bucket ("Amazon S3 Inventory", S3 user guide). A report
//! that is refused leaves nothing, and no call tells why. Of the reports that were due while nobody called,
//! the last one is written, and a folder, which is named to the minute, takes one report.

mod report;

use bytes::Bytes;
use jiff::Timestamp;

use self::report::InventoryReport;
use super::authorize::service::ServiceAttempt;
use super::bucket::{Bucket, Object, ObjectEncryption};
use super::context::{self, service::ActingFor};
use super::inventory::{Inventory, after};
use super::world::World;

/// The principal that S3 writes as.
const SERVICE: &str = "s3.amazonaws.com";

impl World {
    /// Whether some report is due.
    pub(super) fn has_due_reports(&self, now: Timestamp) -> bool {
        self.inventories()
            .any(|(_, inventory)| inventory.last_due(now).is_some())
    }

    fn inventories(&self) -> impl Iterator<Item = (&String, &Inventory)> {
        let buckets = self.buckets.iter();
        buckets.flat_map(|(name, bucket)| {
            let own = bucket.inventories.values();
            own.map(move |inventory| (name, inventory))
        })
    }

    /// Writes every report that is due.
    pub(super) fn deliver_due_reports(&mut self, now: Timestamp) {
        let due: Vec<(String, Inventory, Timestamp)> = self
            .inventories()
            .filter_map(|(name, inventory)| {
                let at = inventory.last_due(now)?;
                Some((name.clone(), inventory.clone(), at))
            })
            .collect();
        for (name, inventory, at) in due {
            self.deliver(&name, &inventory, at);
            let bucket = self.buckets.get_mut(&name);
            let own =
                bucket.and_then(|bucket| bucket.inventories.get_mut(&inventory.configuration.id));
            if let Some(own) = own {
                own.next_due = after(at, inventory.interval());
            }
            self.touch();
        }
    }

    /// Writes one report, file by file; the first that is refused is the last.
    fn deliver(&mut self, source: &str, inventory: &Inventory, at: Timestamp) {
        let Some(report) = InventoryReport::of(self, source, &inventory.configuration, at) else {
            return;
        };
        let Some(bucket) = self.bucket(&report.bucket) else {
            return;
        };
        if bucket.objects.contains_key(&report.manifest_key()) {
            return;
        }
        for (key, content) in report.files() {
            let Some(encryption) = self.admits_report(source, inventory, &report, &key, at) else {
                return;
            };
            self.put_file(&report.bucket, key, content, encryption, at);
        }
    }

    fn put_file(
        &mut self,
        bucket: &str,
        key: String,
        content: Bytes,
        encryption: ObjectEncryption,
        at: Timestamp,
    ) {
        // The access control list that it comes with gives the bucket's owner full control.
        let object = Object::put(content, encryption, at);
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            bucket.objects.insert(key, object);
        }
    }

    /// How a file of a report is encrypted, if S3 may write it.
    fn admits_report(
        &self,
        source: &str,
        inventory: &Inventory,
        report: &InventoryReport,
        key: &str,
        at: Timestamp,
    ) -> Option<ObjectEncryption> {
        let from = self.bucket(source)?;
        let bucket = self.bucket(&report.bucket)?;
        let target = &inventory.configuration.destination.s3_bucket_destination;
        // "The destination bucket must be in the same AWS Region as the source bucket."
        let is_of_owner = target
            .account_id
            .as_ref()
            .is_none_or(|owner| *owner == bucket.account);
        if from.region != bucket.region || !is_of_owner {
            return None;
        }
        let resource = format!("{}/{key}", Bucket::arn(self.partition, &report.bucket));
        let source_arn = Bucket::arn(self.partition, source);
        let actor = ActingFor {
            service: SERVICE,
            resource: &source_arn,
            account: &from.account,
            address: inventory.address,
        };
        let encryption = target.encryption.as_ref();
        let named = encryption.and_then(|wanted| wanted.ssekms.as_ref());
        let algorithm = match (named, encryption) {
            (Some(_), _) => Some("aws:kms"),
            (None, Some(_)) => Some("AES256"),
            (None, None) => None,
        };
        let place = (bucket.region.as_str(), bucket.account.as_str());
        let mut context = context::service::of_bucket_request(self, actor, place, at);
        let named = named.map(|kms| kms.key_id.as_str());
        let acl = Some("bucket-owner-full-control");
        context::add_upload(&mut context, algorithm, named, acl);
        context::add_object_creation(&mut context, true);
        let is_admitted = self.admits_service(&ServiceAttempt {
            service: SERVICE,
            action: "s3:PutObject",
            resource: &resource,
            resource_account: &bucket.account,
            policy: bucket.policy.in_force(at).map(|text| text.0.as_str()),
            grants: &[],
            context: &context,
        });
        if !is_admitted {
            return None;
        }
        let default = bucket.default_encryption.as_ref();
        let key = match (algorithm, named, default) {
            (_, Some(key), _) => key,
            (None, None, Some(default)) if default.algorithm != "AES256" => {
                match default.key.as_deref().filter(|key| key.starts_with("arn:")) {
                    Some(key) => key,
                    None => return Some(self.unreadable(bucket)),
                }
            }
            _ => return Some(ObjectEncryption::Aes256),
        };
        self.admits_key(bucket, key, &resource, actor, at)
    }

    /// What a report is encrypted with where the bucket's default names no key by its ARN: with a key
    /// that nobody of the destination's account can use.
    fn unreadable(&self, bucket: &Bucket) -> ObjectEncryption {
        let partition = self.partition;
        let region = &bucket.region;
        ObjectEncryption::Kms {
            key: format!("arn:{partition}:kms:{region}:000000000000:key/aws-s3-of-the-service"),
            bucket_key: Some(false),
        }
    }

    /// The encryption with a key, if S3 may use it: a customer managed key by its full ARN.
    fn admits_key(
        &self,
        bucket: &Bucket,
        key: &str,
        object: &str,
        actor: ActingFor<'_>,
        at: Timestamp,
    ) -> Option<ObjectEncryption> {
        if !key.contains(":key/") {
            return None;
        }
        let (account, key) = self.resolve_key(actor.account, bucket, Some(key)).ok()?;
        if key.aws_managed.is_some() || key.state != "Enabled" {
            return None;
        }
        let arn = key.arn(self.partition, account);
        let place = (key.region.as_str(), account);
        let mut context = context::service::of_key_request(self, actor, place, at);
        let has_bucket_key = bucket
            .default_encryption
            .as_ref()
            .is_some_and(|default| default.bucket_key);
        let named = match object.split_once('/') {
            Some((bucket, _)) if has_bucket_key => bucket,
            _ => object,
        };
        context::add_encryption_context(&mut context, &[("aws:s3:arn", named)]);
        let is_admitted = self.admits_service(&ServiceAttempt {
            service: SERVICE,
            action: "kms:GenerateDataKey",
            resource: &arn,
            resource_account: account,
            policy: key.policy.in_force(at).map(|text| text.0.as_str()),
            grants: &key.grants,
            context: &context,
        });
        is_admitted.then_some(ObjectEncryption::Kms {
            key: arn,
            bucket_key: Some(has_bucket_key),
        })
    }
}
