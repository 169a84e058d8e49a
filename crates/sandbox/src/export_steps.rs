//! The steps of an export, and how the steps of all jobs are taken in their time.
//!
//! A job has no task of its own. It is a list of steps, each due at a fraction of the job's length,
//! and anyone who calls the sandbox next first takes the steps that are due. So a job goes on after a
//! restart, and every step sees the world as it was when the step was due.

use jiff::{SignedDuration, Timestamp};

use super::export::{Export, ExportState};
use super::export_files;
use super::import_steps::ImportStep;
use super::items::FILLED_PARTITIONS;
use super::world::World;

/// A step of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExportStep {
    Start,
    /// The file of a partition; the last partition is empty.
    Data(u64),
    Manifests,
    Complete,
}

/// Each step, and the thousandths of the job's length after which it is due.
const STEPS: [(ExportStep, u32); 8] = [
    (ExportStep::Start, 100),
    (ExportStep::Data(0), 200),
    (ExportStep::Data(1), 340),
    (ExportStep::Data(2), 480),
    (ExportStep::Data(3), 620),
    (ExportStep::Data(FILLED_PARTITIONS), 760),
    (ExportStep::Manifests, 920),
    (ExportStep::Complete, 1000),
];

impl Export {
    /// The next step and when it is due; `None` once the job has ended.
    fn next_step(&self) -> Option<(ExportStep, Timestamp)> {
        if self.state != ExportState::InProgress {
            return None;
        }
        let (step, thousandths) = STEPS.get(self.steps_done)?;
        let delay = SignedDuration::try_from(self.length * *thousandths / 1000).ok()?;
        Some((*step, self.started_at.checked_add(delay).ok()?))
    }
}

/// A job by its ARN, and its step that is due next.
enum DueStep {
    Export(String, ExportStep),
    Import(String, ImportStep),
}

impl World {
    /// Whether some job has a step that is due, or a table is to be gone.
    pub(super) fn has_due_steps(&self, now: Timestamp) -> bool {
        self.earliest_step(now).is_some()
            || self.has_due_reports(now)
            || self.has_deleted_tables(now)
    }

    /// Takes every step that is due, in the order in which they became due.
    pub(super) fn advance(&mut self, now: Timestamp) {
        while let Some((step, due)) = self.earliest_step(now) {
            self.remove_deleted_tables(due);
            match step {
                DueStep::Export(arn, step) => {
                    let Some(mut export) = self.exports.remove(&arn) else {
                        break;
                    };
                    self.take_step(&mut export, step, due);
                    export.steps_done += 1;
                    self.exports.insert(arn, export);
                }
                DueStep::Import(arn, step) => {
                    let Some(mut import) = self.imports.remove(&arn) else {
                        break;
                    };
                    self.take_import_step(&mut import, step, due);
                    import.steps_done += 1;
                    self.imports.insert(arn, import);
                }
            }
            self.touch();
        }
        self.remove_deleted_tables(now);
        self.deliver_due_reports(now);
    }

    fn earliest_step(&self, now: Timestamp) -> Option<(DueStep, Timestamp)> {
        let exports = self.exports.values().filter_map(|export| {
            let (step, due) = export.next_step()?;
            Some((DueStep::Export(export.arn.clone(), step), due))
        });
        let imports = self.imports.values().filter_map(|import| {
            let (step, due) = import.next_step()?;
            Some((DueStep::Import(import.arn.clone(), step), due))
        });
        exports
            .chain(imports)
            .filter(|(_, due)| *due <= now)
            .min_by_key(|(_, due)| *due)
    }

    fn has_deleted_tables(&self, now: Timestamp) -> bool {
        let mut tables = self.accounts.values().flat_map(|account| &account.tables);
        tables.any(|table| table.is_gone(now))
    }

    fn remove_deleted_tables(&mut self, now: Timestamp) {
        if self.has_deleted_tables(now) {
            for account in self.accounts.values_mut() {
                account.tables.retain(|table| !table.is_gone(now));
            }
            self.touch();
        }
    }

    fn take_step(&mut self, export: &mut Export, step: ExportStep, at: Timestamp) {
        let outcome = match step {
            ExportStep::Start => export_files::write_started(self, export, at),
            ExportStep::Data(partition) => export_files::write_data(self, export, partition, at),
            ExportStep::Manifests => export_files::write_manifests(self, export, at),
            ExportStep::Complete => {
                self.complete(export, at);
                Ok(())
            }
        };
        if let Err(failure) = outcome {
            export.fail(&failure.code, failure.message, at);
        }
    }

    fn complete(&self, export: &mut Export, at: Timestamp) {
        export.state = ExportState::Completed {
            item_count: export.files.iter().map(|file| file.item_count).sum(),
            billed_size_bytes: self.billed_bytes(export),
        };
        export.ended_at = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use tableferry_policy::arn::Partition;

    use std::time::Duration;

    use serde_json::json;

    use super::super::call::AuthenticatedCall;
    use super::super::dynamodb;
    use super::super::open_questions::{AclContext, ExportAcl, OpenQuestions, SourceAddress};
    use super::*;

    const START: &str = "2026-11-22T10:00:00Z";

    fn at(seconds: i64) -> Timestamp {
        let start: Timestamp = START.parse().unwrap();
        start + SignedDuration::from_secs(seconds)
    }

    /// A world in which `prod-admin` has just started an export of a hundred seconds.
    fn world() -> World {
        let mut world = World::fresh(Partition::Aws, at(0)).unwrap();
        let caller = world.open_key("AKIASANDBOXPRODADMIN").unwrap().caller;
        let call = AuthenticatedCall {
            caller: &caller,
            region: "eu-west-1",
            partition: Partition::Aws,
            now: at(0),
            open_questions: OpenQuestions {
                job_length: Duration::from_secs(100),
                most_exports: 300,
                policy_delay: Duration::ZERO,
                source_address: SourceAddress::Service,
                export_acl: ExportAcl::default(),
                acl_context: AclContext::default(),
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
            assert_eq!(export(&world).state, ExportState::InProgress);
            seen.push(objects(&world));
        }
        assert_eq!(seen, [0, 1, 1, 2, 3, 4, 5, 6, 6, 10, 10]);
        world.advance(at(100));
        assert!(matches!(
            export(&world).state,
            ExportState::Completed {
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
        let ExportState::Failed { code, message } = &export(&world).state else {
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
        let token = export.spec.token.clone();
        assert!(export.holds_token(&token, at(8 * 3600 - 1)));
        assert!(!export.holds_token(&token, at(8 * 3600)));
        assert!(!export.holds_token("another", at(1)));
    }
}
