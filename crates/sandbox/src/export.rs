//! An export as a job: what was asked, how far it is, and what it does next.
//!
//! A job has no task of its own. It is a list of steps, each due at a fraction of the job's length,
//! and whoever calls the sandbox next first takes the steps that are due. So a job goes on after a
//! restart, and every step sees the world as it was when the step was due.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::caller::Caller;
use super::context::{ExportAcl, SourceAddress};
use super::export_files::{self, WrittenFile};
use super::items::FILLED_PARTITIONS;
use super::world::World;

/// An export.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Export {
    pub arn: String,
    pub id: String,
    pub region: String,
    pub table_name: String,
    pub table_id: String,
    /// The principal that started it, and writes.
    pub caller: Caller,
    pub order: Order,
    pub source_address: SourceAddress,
    #[serde(default)]
    pub acl: ExportAcl,
    pub started_at: Timestamp,
    /// How long the whole job takes.
    pub length: Duration,
    pub ended_at: Option<Timestamp>,
    pub state: State,
    /// How many steps are done.
    pub steps_done: usize,
    pub files: Vec<WrittenFile>,
}

/// What `ExportTableToPointInTime` asked for, checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Order {
    pub table_arn: String,
    pub bucket: String,
    pub bucket_owner: Option<String>,
    pub prefix: Option<String>,
    /// `AES256` or `KMS`.
    pub algorithm: String,
    pub key: Option<String>,
    pub span: Span,
    pub token: String,
    /// The request without its token, to compare a repetition with.
    pub request: Value,
}

/// Which state or changes an export holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Span {
    Full {
        time: Timestamp,
    },
    Incremental {
        from: Timestamp,
        to: Timestamp,
        has_old_images: bool,
    },
}

/// How an export stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    InProgress,
    Completed {
        item_count: u64,
        billed_size_bytes: u64,
    },
    Failed {
        code: String,
        message: String,
    },
}

/// A step of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Start,
    /// The file of a partition; the last partition is empty.
    Data(u64),
    Manifests,
    Complete,
}

/// Each step, and the thousandths of the job's length after which it is due.
const STEPS: [(Step, u32); 8] = [
    (Step::Start, 100),
    (Step::Data(0), 200),
    (Step::Data(1), 340),
    (Step::Data(2), 480),
    (Step::Data(3), 620),
    (Step::Data(FILLED_PARTITIONS), 760),
    (Step::Manifests, 920),
    (Step::Complete, 1000),
];

impl Export {
    /// The next step and when it is due; `None` once the job has ended.
    fn next_step(&self) -> Option<(Step, Timestamp)> {
        if self.state != State::InProgress {
            return None;
        }
        let (step, thousandths) = STEPS.get(self.steps_done)?;
        let delay = SignedDuration::try_from(self.length * *thousandths / 1000).ok()?;
        Some((*step, self.started_at.checked_add(delay).ok()?))
    }

    pub(super) fn fail(&mut self, code: &str, message: String, at: Timestamp) {
        self.state = State::Failed {
            code: code.to_owned(),
            message,
        };
        self.ended_at = Some(at);
    }

    /// What the objects' keys begin with, up to `AWSDynamoDB`.
    pub(super) fn root(&self) -> String {
        match &self.order.prefix {
            Some(prefix) => format!("{prefix}/AWSDynamoDB"),
            None => "AWSDynamoDB".to_owned(),
        }
    }

    /// The key of the manifest's summary.
    pub(super) fn manifest_key(&self) -> String {
        format!("{}/{}/manifest-summary.json", self.root(), self.id)
    }

    /// Whether a token still returns this export: for "8 hours after the first request that uses it is
    /// completed" (API reference of `ExportTableToPointInTime`), which the call is at once, and not the
    /// export.
    pub(super) fn holds_token(&self, token: &str, now: Timestamp) -> bool {
        self.order.token == token
            && now.duration_since(self.started_at) < SignedDuration::from_hours(8)
    }

    /// `ExportDescription`; members that are absent stay out of it.
    pub(super) fn description(&self) -> Value {
        let order = &self.order;
        let mut description = json!({
            "ExportArn": self.arn,
            "ExportStatus": self.status(),
            "StartTime": epoch(self.started_at),
            "TableArn": order.table_arn,
            "TableId": self.table_id,
            "ClientToken": order.token,
            "S3Bucket": order.bucket,
            "S3SseAlgorithm": order.algorithm,
            "ExportFormat": "DYNAMODB_JSON",
            "DestinationType": "S3",
        });
        let optional = [
            ("S3BucketOwner", order.bucket_owner.clone().map(Value::from)),
            ("S3Prefix", order.prefix.clone().map(Value::from)),
            ("S3SseKmsKeyId", order.key.clone().map(Value::from)),
            ("EndTime", self.ended_at.map(epoch)),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                description[name] = value;
            }
        }
        self.describe_span(&mut description);
        self.describe_state(&mut description);
        description
    }

    fn describe_span(&self, description: &mut Value) {
        match &self.order.span {
            // A full export does not echo its ExportType.
            Span::Full { time } => description["ExportTime"] = epoch(*time),
            Span::Incremental {
                from,
                to,
                has_old_images,
            } => {
                description["ExportType"] = "INCREMENTAL_EXPORT".into();
                description["IncrementalExportSpecification"] = json!({
                    "ExportFromTime": epoch(*from),
                    "ExportToTime": epoch(*to),
                    "ExportViewType": view(*has_old_images),
                });
            }
        }
    }

    fn describe_state(&self, description: &mut Value) {
        match &self.state {
            State::InProgress => {}
            State::Completed {
                item_count,
                billed_size_bytes,
            } => {
                description["ItemCount"] = (*item_count).into();
                description["BilledSizeBytes"] = (*billed_size_bytes).into();
                description["ExportManifest"] = self.manifest_key().into();
            }
            State::Failed { code, message } => {
                description["FailureCode"] = code.as_str().into();
                description["FailureMessage"] = message.as_str().into();
            }
        }
    }

    /// `ExportStatus`.
    pub(super) const fn status(&self) -> &'static str {
        match self.state {
            State::InProgress => "IN_PROGRESS",
            State::Completed { .. } => "COMPLETED",
            State::Failed { .. } => "FAILED",
        }
    }

    /// `ExportType`, which listings show.
    pub(super) const fn kind(&self) -> &'static str {
        match self.order.span {
            Span::Full { .. } => "FULL_EXPORT",
            Span::Incremental { .. } => "INCREMENTAL_EXPORT",
        }
    }
}

/// `ExportViewType`.
pub(super) const fn view(has_old_images: bool) -> &'static str {
    if has_old_images {
        "NEW_AND_OLD_IMAGES"
    } else {
        "NEW_IMAGE"
    }
}

/// A time as the JSON protocols write it: seconds, with milliseconds as decimals.
pub(super) fn epoch(time: Timestamp) -> Value {
    let text = format!(
        "{}.{:03}",
        time.as_second(),
        time.subsec_millisecond().unsigned_abs()
    );
    text.parse::<f64>().map_or(Value::Null, Value::from)
}

impl World {
    /// Whether some job has a step that is due.
    pub(super) fn has_due_steps(&self, now: Timestamp) -> bool {
        self.exports
            .values()
            .any(|export| export.next_step().is_some_and(|(_, due)| due <= now))
    }

    /// Takes every step that is due, in the order in which they became due.
    pub(super) fn advance(&mut self, now: Timestamp) {
        while let Some((arn, step, due)) = self.earliest_step(now) {
            let Some(mut export) = self.exports.remove(&arn) else {
                return;
            };
            self.take_step(&mut export, step, due);
            export.steps_done += 1;
            self.exports.insert(arn, export);
            self.touch();
        }
    }

    fn earliest_step(&self, now: Timestamp) -> Option<(String, Step, Timestamp)> {
        self.exports
            .iter()
            .filter_map(|(arn, export)| {
                let (step, due) = export.next_step()?;
                (due <= now).then_some((arn, step, due))
            })
            .min_by_key(|(_, _, due)| *due)
            .map(|(arn, step, due)| (arn.clone(), step, due))
    }

    fn take_step(&mut self, export: &mut Export, step: Step, at: Timestamp) {
        let outcome = match step {
            Step::Start => export_files::write_started(self, export, at),
            Step::Data(partition) => export_files::write_data(self, export, partition, at),
            Step::Manifests => export_files::write_manifests(self, export, at),
            Step::Complete => {
                self.complete(export, at);
                Ok(())
            }
        };
        if let Err(failure) = outcome {
            export.fail(&failure.code, failure.message, at);
        }
    }

    fn complete(&self, export: &mut Export, at: Timestamp) {
        export.state = State::Completed {
            item_count: export.files.iter().map(|file| file.item_count).sum(),
            billed_size_bytes: self.billed_bytes(export),
        };
        export.ended_at = Some(at);
    }

    /// What is billed: the table's size, or of change data at least ten megabytes.
    pub(super) fn billed_bytes(&self, export: &Export) -> u64 {
        match export.order.span {
            Span::Incremental { .. } => 10_000_000,
            Span::Full { .. } => self
                .table(&export.caller.account, &export.region, &export.table_name)
                .map_or(0, super::world::Table::size_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::{Call, Play};
    use super::super::dynamodb;
    use super::*;

    const START: &str = "2026-11-22T10:00:00Z";

    fn at(seconds: i64) -> Timestamp {
        let start: Timestamp = START.parse().unwrap();
        start + SignedDuration::from_secs(seconds)
    }

    /// A world in which `prod-admin` has just started an export of a hundred seconds.
    fn world() -> World {
        let mut world = World::fresh(at(0)).unwrap();
        let caller = world.open_key("AKIASANDBOXPRODADMIN").unwrap().caller;
        let call = Call {
            caller: &caller,
            region: "eu-west-1",
            now: at(0),
            play: Play {
                job_length: Duration::from_secs(100),
                policy_delay: Duration::ZERO,
                source_address: SourceAddress::Service,
                export_acl: ExportAcl::default(),
            },
        };
        let input = json!({
            "TableArn": "arn:aws:dynamodb:eu-west-1:111111111111:table/Events",
            "S3Bucket": "export-landing",
            "S3BucketOwner": "222222222222",
            "S3Prefix": "a/b",
        });
        dynamodb::answer(&mut world, &call, "ExportTableToPointInTime", &input).unwrap();
        world
    }

    fn objects(world: &World) -> usize {
        world.bucket("export-landing").unwrap().objects.len()
    }

    fn export(world: &World) -> &Export {
        world.exports.values().next().unwrap()
    }

    #[test]
    fn files_appear_in_their_time_and_the_end_comes_last() {
        let mut world = world();
        let mut seen = Vec::new();
        for seconds in [9, 10, 19, 20, 34, 48, 62, 76, 91, 92, 99] {
            world.advance(at(seconds));
            assert_eq!(export(&world).state, State::InProgress);
            seen.push(objects(&world));
        }
        assert_eq!(seen, [0, 1, 1, 2, 3, 4, 5, 6, 6, 10, 10]);
        world.advance(at(100));
        assert!(matches!(
            export(&world).state,
            State::Completed {
                item_count: 240,
                ..
            }
        ));
        assert_eq!(export(&world).ended_at, Some(at(100)));
    }

    #[test]
    fn steps_that_are_late_are_taken_as_of_their_own_time() {
        let mut world = world();
        world.advance(at(5000));
        assert_eq!(export(&world).ended_at, Some(at(100)));
        let bucket = world.bucket("export-landing").unwrap();
        let (_, started) = bucket
            .objects
            .iter()
            .find(|(key, _)| key.ends_with("_started"))
            .unwrap();
        assert_eq!(started.modified_at, at(10));
        assert!(started.content.is_empty());
    }

    #[test]
    fn a_grant_that_is_taken_away_kills_an_export_in_flight() {
        let mut world = world();
        world.advance(at(50));
        let bucket = world.buckets.get_mut("export-landing").unwrap();
        bucket.policy.write(None, at(50), Duration::ZERO);
        world.advance(at(100));
        let State::Failed { code, message } = &export(&world).state else {
            panic!("{:?}", export(&world).state);
        };
        assert_eq!(code, "S3AccessDenied");
        assert!(
            message.contains("because no resource-based policy allows the s3:PutObject action")
        );
        assert_eq!(objects(&world), 4, "what was written stays");
    }

    #[test]
    fn manifests_have_the_checksums_of_what_they_name() {
        let mut world = world();
        world.advance(at(100));
        let export = export(&world);
        let objects = &world.bucket("export-landing").unwrap().objects;
        let root = format!("a/b/AWSDynamoDB/{}", export.id);
        for name in ["manifest-summary", "manifest-files"] {
            let manifest = &objects[&format!("{root}/{name}.json")];
            let checksum = &objects[&format!("{root}/{name}.md5")];
            let expected = super::super::bucket::md5_base64(&manifest.content);
            assert_eq!(checksum.content, expected.as_bytes());
        }
        assert_eq!(export.files.len(), 5);
        assert_eq!(export.files.last().unwrap().item_count, 0);
        for file in &export.files {
            assert_eq!(objects[&file.key].etag, file.etag);
            assert!(
                file.key.starts_with(&format!("{root}/data/")),
                "{}",
                file.key
            );
        }
    }

    #[test]
    fn a_token_holds_for_eight_hours_after_the_call_however_long_the_export_takes() {
        let world = world();
        let export = export(&world);
        let token = export.order.token.clone();
        assert!(export.holds_token(&token, at(8 * 3600 - 1)));
        assert!(!export.holds_token(&token, at(8 * 3600)));
        assert!(!export.holds_token("another", at(1)));
    }
}
