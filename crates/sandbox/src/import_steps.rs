//! The steps of an import, in the order and at the times that a live one shows: it looks at the bucket
//! within seconds, makes the table after half a minute, and the table is `ACTIVE` shortly before the end
//! (aws-controllers-k8s/dynamodb-controller, `docs/api-quirks/import.md`).
//!
//! It reads the objects and writes its log as the principal that started it.

use std::io::Read as _;

use flate2::read::GzDecoder;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::authorize::Attempt;
use super::bucket::{Bucket, Object};
use super::context::{self, RequestRoute};
use super::encryption::{KeyProblem, KeyUse};
use super::import::{Import, ImportState};
use super::item_rules::check_item;
use super::item_store::Item;
use super::partitions::via_service;
use super::upload::{FORWARDERS, s3_message};
use super::world::{Table, World};
use tableferry_policy::arn::Arn;

/// A step of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImportStep {
    /// The log is opened and the objects are listed.
    Look,
    /// The table appears.
    MakeTable,
    /// A share of the objects, out of `READS`.
    Read(usize),
    Complete,
}

/// How many steps read objects.
const READS: usize = 4;

/// After how many thousandths of the job's length the table is `ACTIVE`.
const ACTIVE: u32 = 945;

/// Each step, and the thousandths of the job's length after which it is due.
const STEPS: [(ImportStep, u32); 7] = [
    (ImportStep::Look, 50),
    (ImportStep::MakeTable, 270),
    (ImportStep::Read(0), 400),
    (ImportStep::Read(1), 530),
    (ImportStep::Read(2), 660),
    (ImportStep::Read(3), 790),
    (ImportStep::Complete, 1000),
];

/// Why an import fails: code and message.
type ImportFailure = (Option<&'static str>, String);

impl Import {
    /// The next step and when it is due; `None` once the job has ended.
    pub(super) fn next_step(&self) -> Option<(ImportStep, Timestamp)> {
        if self.state != ImportState::InProgress {
            return None;
        }
        let (step, thousandths) = STEPS.get(self.steps_done)?;
        Some((*step, self.after(*thousandths)?))
    }

    fn after(&self, thousandths: u32) -> Option<Timestamp> {
        let delay = SignedDuration::try_from(self.length * thousandths / 1000).ok()?;
        self.started_at.checked_add(delay).ok()
    }

    const fn route(&self) -> RequestRoute {
        RequestRoute::Forwarded {
            by: FORWARDERS,
            address: self.source_address,
        }
    }
}

impl World {
    /// Takes a step of an import at its time.
    pub(super) fn take_import_step(
        &mut self,
        import: &mut Import,
        step: ImportStep,
        at: Timestamp,
    ) {
        let outcome = match step {
            ImportStep::Look => self.look(import, at),
            ImportStep::MakeTable => self.make_table(import, at),
            ImportStep::Read(share) => self.read_share(import, share, at),
            ImportStep::Complete => {
                complete(import, at);
                Ok(())
            }
        };
        if let Err((code, message)) = outcome {
            import.fail(code, message, at);
        }
    }

    fn look(&mut self, import: &mut Import, at: Timestamp) -> Result<(), ImportFailure> {
        self.open_import_log(import, at)
            .map_err(|sentence| (None, sentence))?;
        import.objects = self.listed(import, at)?;
        Ok(())
    }

    /// Keys and `ETag`s of what the prefix, which is a plain text, names.
    fn listed(
        &self,
        import: &Import,
        at: Timestamp,
    ) -> Result<Vec<(String, String)>, ImportFailure> {
        let source = &import.source;
        let bucket = self.bucket(&source.bucket).ok_or_else(|| {
            let message = s3_message("The specified bucket does not exist", 404, "NoSuchBucket");
            (Some("S3NoSuchBucket"), message)
        })?;
        if source.owner != bucket.account
            || bucket.requester_pays
            || self.keeps_out(bucket, &import.caller, at)
        {
            return Err(access_denied("Access Denied"));
        }
        let prefix = source.prefix.as_deref().unwrap_or_default();
        let arn = Bucket::arn(self.partition, &source.bucket);
        self.admit_read(import, bucket, ("s3:ListBucket", &arn), at)?;
        Ok(bucket
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .map(|(key, object)| (key.clone(), object.etag.clone()))
            .collect())
    }

    fn admit_read(
        &self,
        import: &Import,
        bucket: &Bucket,
        (action, resource): (&str, &str),
        at: Timestamp,
    ) -> Result<(), ImportFailure> {
        let caller = &import.caller;
        let mut context = context::of_request(self, caller, &bucket.region, at, import.route());
        context::add_bucket_account(&mut context, self, &bucket.account);
        if action == "s3:ListBucket"
            && let Some(prefix) = &import.source.prefix
        {
            context.set("s3:prefix", prefix.as_str());
        }
        self.authorize(&Attempt {
            caller,
            action,
            resource,
            resource_account: &bucket.account,
            policy: bucket.policy.in_force(at).map(|text| text.0.as_str()),
            grants: &[],
            context: &context,
            now: at,
        })
        .map_err(|denial| {
            access_denied(&if denial.has_reason {
                denial.quoted_sentence()
            } else {
                "Access Denied".to_owned()
            })
        })
    }

    fn make_table(&mut self, import: &Import, at: Timestamp) -> Result<(), ImportFailure> {
        let name = &import.definition.name;
        let account = &import.caller.account;
        if self.table(account, &import.region, name).is_some() {
            return Err((
                Some("TableAlreadyExists"),
                format!("Table already exists: {name}"),
            ));
        }
        let active_at = import.after(ACTIVE).unwrap_or(at);
        let place = (import.region.as_str(), import.table_id.clone());
        let table = Table::made(import.definition.clone(), place, (at, active_at));
        if let Some(account) = self.accounts.get_mut(account) {
            account.tables.push(table);
        }
        Ok(())
    }

    /// Reads every object of a share; what is wrong with items is counted and logged.
    fn read_share(
        &mut self,
        import: &mut Import,
        share: usize,
        at: Timestamp,
    ) -> Result<(), ImportFailure> {
        let objects: Vec<_> = import
            .objects
            .iter()
            .enumerate()
            .filter(|(index, _)| index % READS == share)
            .map(|(_, object)| object.clone())
            .collect();
        for (key, etag) in objects {
            let object = self.readable(import, &key, at)?;
            if object.etag == etag {
                let content = object.content.clone();
                self.read_object(import, &key, &content, at);
            } else {
                // Seen so, although the guide names the code `ObjectModifiedInS3DuringImport`.
                let problem = "The S3 object could not be imported because it was overwritten.";
                self.count_error(import, (&key, 0), problem, at);
            }
        }
        Ok(())
    }

    /// An object, if the caller may read it and use its key.
    fn readable(
        &self,
        import: &Import,
        key: &str,
        at: Timestamp,
    ) -> Result<&Object, ImportFailure> {
        let source = &import.source;
        let missing = || {
            let message = s3_message("The specified key does not exist.", 404, "NoSuchKey");
            (Some("S3NoSuchKey"), message)
        };
        let bucket = self.bucket(&source.bucket).ok_or_else(missing)?;
        let object = bucket.objects.get(key).ok_or_else(missing)?;
        let bucket_arn = Bucket::arn(self.partition, &source.bucket);
        let arn = format!("{bucket_arn}/{key}");
        self.admit_read(import, bucket, ("s3:GetObject", &arn), at)?;
        let owner = object.foreign_owner.as_deref();
        if owner.is_some_and(|owner| owner != import.caller.account) {
            return Err(access_denied("Access Denied"));
        }
        if let Some(key) = object.encryption.key() {
            self.admit_by_object_key(import, bucket, key, (&bucket_arn, &arn), at)?;
        }
        Ok(object)
    }

    fn admit_by_object_key(
        &self,
        import: &Import,
        bucket: &Bucket,
        key: &str,
        (bucket_arn, object_arn): (&str, &str),
        at: Timestamp,
    ) -> Result<(), ImportFailure> {
        let arn: Arn = key.parse().map_err(|_| access_denied("Access Denied"))?;
        let id = arn.resource_after("key").unwrap_or_default();
        let key = self
            .key(&arn.account, &arn.region, id)
            .ok_or_else(|| access_denied("Access Denied"))?;
        let has_bucket_key = bucket
            .default_encryption
            .as_ref()
            .is_some_and(|default| default.bucket_key);
        let named = if has_bucket_key {
            bucket_arn
        } else {
            object_arn
        };
        let purpose = KeyUse {
            caller: &import.caller,
            actions: &["kms:Decrypt"],
            via_service: &via_service(self.partition, "s3", &bucket.region),
            encryption_context: &[("aws:s3:arn", named)],
            now: at,
            route: import.route(),
        };
        self.use_key(&arn.account, key, &purpose)
            .map_err(|problem| match problem {
                KeyProblem::Denied(message)
                | KeyProblem::State { message, .. }
                | KeyProblem::NotFound(message) => access_denied(&message),
            })
    }

    /// The lines of an object: a bad item is one error, a line that cannot be parsed ends the object.
    fn read_object(&mut self, import: &mut Import, key: &str, content: &[u8], at: Timestamp) {
        if content.is_empty() {
            return;
        }
        let Some(text) = unpacked(import, content) else {
            import.counts.processed += 1;
            self.count_error(import, (key, 0), "The input could not be decompressed.", at);
            return;
        };
        import.counts.processed_bytes += text.len() as u64;
        let lines = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        for (index, line) in lines.enumerate() {
            import.counts.processed += 1;
            let Some(item) = parsed(line) else {
                self.count_error(import, (key, index), "The input could not be parsed.", at);
                return;
            };
            match self.import_item(import, item, at) {
                Ok(()) => import.counts.imported += 1,
                Err(problem) => self.count_error(import, (key, index), &problem, at),
            }
        }
    }

    fn import_item(
        &mut self,
        import: &Import,
        mut item: Item,
        at: Timestamp,
    ) -> Result<(), String> {
        let name = &import.definition.name;
        let table = self
            .table_mut(&import.caller.account, &import.region, name)
            .ok_or("Requested resource not found")?;
        let place = check_item(table, &mut item)?;
        table.store_at(at).write(place, Some(item), at);
        Ok(())
    }

    fn count_error(
        &mut self,
        import: &mut Import,
        (key, index): (&str, usize),
        problem: &str,
        at: Timestamp,
    ) {
        import.counts.errors += 1;
        let event = json!({
            "itemS3Pointer": {"bucket": import.source.bucket, "key": key, "itemIndex": index},
            "importArn": import.arn,
            "errorMessages": [problem],
        });
        self.log_import_error(import, &event.to_string(), at);
    }
}

/// "COMPLETED" takes that there was no error.
fn complete(import: &mut Import, at: Timestamp) {
    if import.counts.errors == 0 {
        import.state = ImportState::Completed;
        import.ended_at = Some(at);
        return;
    }
    let message = "Some of the items failed validation checks and were not imported. Please check \
                   CloudWatch error logs for more details.";
    import.fail(Some("ItemValidationError"), message.to_owned(), at);
}

fn unpacked(import: &Import, content: &[u8]) -> Option<Vec<u8>> {
    if !import.source.is_gzip {
        return Some(content.to_vec());
    }
    let mut text = Vec::new();
    GzDecoder::new(content).read_to_end(&mut text).ok()?;
    Some(text)
}

/// The item of a line `{"Item":…}`.
fn parsed(line: &[u8]) -> Option<Item> {
    let mut line: Value = serde_json::from_slice(line).ok()?;
    match line.get_mut("Item").map(Value::take) {
        Some(Value::Object(item)) => Some(item),
        _ => None,
    }
}

/// How a read is refused. Nobody has published the code that AWS gives it; it is named as an export's is.
fn access_denied(message: &str) -> ImportFailure {
    let message = s3_message(message, 403, "AccessDenied");
    (Some("S3AccessDenied"), message)
}
