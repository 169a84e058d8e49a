//! Settings and times judged: one case for each failure that can be predicted.

use rstest::rstest;
use serde_json::json;

use super::world::*;
use crate::assess::facts::{
    InFlight, KeyManager, Ownership, PastExport, PublicAccessBlock, RecentChange,
};
use crate::assess::judge::judge;
use crate::assess::responsible::Responsible;
use crate::assess::verdict::{Check, Overall, Verdict, overall};
use crate::job::ExportStatus;
use crate::job::Plan;
use crate::job::requirement::Actor;
use tableferry_policy::evaluate::Dependency;

#[test]
fn a_foreign_bucket_without_an_owner_is_told() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).owner = refused("s3:ListBucket");
    facts.bucket_mut(&landing()).not_owners = vec!["111111111111".parse().unwrap()];
    // The run sends the account of the destination's profile.
    let verdict = of(&plan("", ""), &facts, Check::BucketOwner);
    assert!(
        verdict.explanation.contains("222222222222 is sent"),
        "{verdict:#?}"
    );
    facts.set_destination(None);
    let verdict = of(&plan("", ""), &facts, Check::BucketOwner);
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert!(
        verdict
            .expected_error
            .unwrap()
            .starts_with("Access Denied (Service: Amazon S3")
    );
}

#[test]
fn an_owner_that_is_not_the_buckets_is_told() {
    let plan = plan("owner = '333333333333'", "");
    let verdict = of(&plan, &facts(), Check::BucketOwner);
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert_eq!(verdict.hint, "set destination.owner to \"222222222222\"");
    let mut unread = facts();
    unread.bucket_mut(&landing()).owner = refused("s3:ListBucket");
    let verdict = of(&plan, &unread, Check::BucketOwner);
    assert!(matches!(verdict.outcome, Verdict::Unknown { .. }));
}

#[test]
fn a_bucket_that_is_not_there_is_told_and_nothing_else_of_it() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).region = absent();
    facts.bucket_mut(&landing()).owner = absent();
    facts.bucket_mut(&landing()).policy = absent();
    let verdict = of(&aes_plan(), &facts, Check::Bucket);
    assert_eq!(
        verdict.expected_error.as_deref(),
        Some("The specified bucket does not exist")
    );
}

#[test]
fn a_public_policy_under_block_public_access_keeps_other_accounts_out() {
    let mut facts = facts();
    let mut statements = granting_bucket();
    statements[0]["Principal"] = json!("*");
    facts.bucket_mut(&landing()).policy = known(document(&statements));
    let verdict = of(&aes_plan(), &facts, Check::PublicAccess);
    assert!(verdict.outcome.is_allowed());
    assert_eq!(verdict.cautions.len(), 1);
    facts.account_of_mut(Actor::Reader).public_access = known(PublicAccessBlock {
        restrict_public_buckets: true,
        ..PublicAccessBlock::default()
    });
    let verdict = of(&aes_plan(), &facts, Check::PublicAccess);
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert!(verdict.explanation.contains("AllowExport"));
}

#[test]
fn files_on_an_object_writer_bucket_may_be_the_sources() {
    let mut facts = facts();
    for ownership in [known(Ownership::ObjectWriter), absent()] {
        facts.bucket_mut(&landing()).ownership = ownership;
        let verdict = of(&aes_plan(), &facts, Check::ObjectOwnership);
        assert_eq!(
            verdict.outcome,
            Verdict::Depends {
                on: Dependency::on("s3:x-amz-acl"),
                unread: Vec::new(),
            }
        );
    }
}

#[rstest]
#[case::none("algorithm = 'KMS'")]
#[case::managed("algorithm = 'KMS'\nkey = 'alias/aws/s3'")]
#[case::managed_by_arn(
    "algorithm = 'KMS'\nkey = 'arn:aws:kms:eu-west-1:222222222222:alias/aws/s3'"
)]
#[case::foreign_alias(
    "algorithm = 'KMS'\nkey = 'arn:aws:kms:eu-west-1:222222222222:alias/exports'"
)]
fn a_key_that_cannot_cross_accounts_is_told(#[case] encryption: &str) {
    let plan = plan(
        "owner = '222222222222'",
        &format!("[encryption]\n{encryption}"),
    );
    let verdict = of(&plan, &facts(), Check::KeyName);
    assert_eq!(verdict.outcome, Verdict::Denied, "{verdict:#?}");
    assert!(verdict.hint.contains("full ARN"));
}

#[test]
fn a_key_that_aws_manages_is_known_by_what_was_read() {
    let mut facts = facts();
    if let Some(key) = facts.key_mut(KEY).unwrap().description.value_mut() {
        key.manager = KeyManager::Aws;
    }
    assert_eq!(
        of(&kms_plan(), &facts, Check::KeyName).outcome,
        Verdict::Denied
    );
}

#[test]
fn key_and_bucket_must_be_in_one_region() {
    let mut facts = facts();
    facts.bucket_mut(&landing()).region = known("eu-central-1".parse().unwrap());
    let verdict = of(&kms_plan(), &facts, Check::KeyRegion);
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert_eq!(
        verdict.expected_error.as_deref(),
        Some("Invalid arn eu-west-1")
    );
}

#[rstest]
#[case("Disabled")]
#[case("PendingDeletion")]
fn a_key_that_cannot_be_used_is_told(#[case] state: &str) {
    let mut facts = facts();
    if let Some(key) = facts.key_mut(KEY).unwrap().description.value_mut() {
        key.state = state.to_owned();
    }
    let verdict = of(&kms_plan(), &facts, Check::KeyState);
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert_eq!(
        verdict.responsible,
        Responsible::KeyOwner("222222222222".parse().unwrap())
    );
    facts.key_mut(KEY).unwrap().description = absent();
    let verdict = of(&kms_plan(), &facts, Check::KeyState);
    assert_eq!(
        verdict.expected_error.as_deref(),
        Some(format!("Key '{KEY}' does not exist").as_str())
    );
}

#[test]
fn a_deleted_principal_in_a_policy_is_told() {
    let mut facts = facts();
    let mut statements = granting_bucket();
    statements[0]["Principal"] = json!({ "AWS": "AROAEXAMPLEEXAMPLE123" });
    facts.bucket_mut(&landing()).policy = known(document(&statements));
    let verdict = of(&aes_plan(), &facts, Check::StalePrincipal);
    assert!(verdict.explanation.contains("AROAEXAMPLEEXAMPLE123"));
    assert_eq!(
        verdict.expected_error.as_deref(),
        Some("Invalid principal in policy")
    );
    let denied = on(&aes_plan(), &facts, "s3:PutObject");
    assert_eq!(denied.outcome, Verdict::Denied);
    assert!(
        denied.explanation.contains("deleted"),
        "{}",
        denied.explanation
    );
}

#[test]
fn a_table_that_is_not_there_and_one_of_another_account_are_told() {
    let mut facts = facts();
    facts.table_mut("Orders").unwrap().description = absent();
    let verdict = of(&aes_plan(), &facts, Check::Table);
    assert_eq!(verdict.expected_error.as_deref(), Some("Table not found: "));
    let mut foreign = aes_plan();
    foreign.tables[0].table = crate::job::TableRef::Arn(
        "arn:aws:dynamodb:eu-west-1:222222222222:table/Orders"
            .parse()
            .unwrap(),
    );
    let verdict = of(&foreign, &facts, Check::Table);
    assert_eq!(verdict.expected_error.as_deref(), Some("Access is denied"));
}

#[test]
fn recovery_that_is_off_is_told() {
    let mut facts = facts();
    if let Some(recovery) = facts.table_mut("Orders").unwrap().recovery.value_mut() {
        recovery.is_enabled = false;
    }
    let verdict = of(&aes_plan(), &facts, Check::Recovery);
    assert_eq!(verdict.outcome, Verdict::Denied);
    let text = "Point in time recovery is not enabled for table";
    assert_eq!(verdict.expected_error.as_deref(), Some(text));
}

fn timed(table: &str) -> Plan {
    let text = format!(
        "[source]\nprofile = 'p'\n[destination]\nbucket = 'export-landing'\n[[tables]]\nname = 'Orders'\n{table}"
    );
    Plan::parse(&text, "plan.toml", now()).unwrap()
}

#[rstest]
#[case::before("time = 2026-10-01T00:00:00Z", "Export Time is invalid")]
#[case::after(
    "time = 2026-11-22T11:58:00Z",
    "Point in Time Recovery is not available for specified export time"
)]
#[case::before_the_table(
    "type = 'INCREMENTAL_EXPORT'\nfrom = 2025-12-31T12:00:00Z\nto = 2025-12-31T13:00:00Z",
    "Incremental export period from time cannot be less than the table creation time : "
)]
#[case::before_the_window(
    "type = 'INCREMENTAL_EXPORT'\nfrom = 2026-10-01T12:00:00Z\nto = 2026-10-01T13:00:00Z",
    "Export Time is invalid"
)]
fn a_time_outside_the_window_is_told(#[case] table: &str, #[case] text: &str) {
    let verdict = of(&timed(table), &facts(), Check::Window);
    assert_eq!(verdict.outcome, Verdict::Denied);
    assert_eq!(verdict.expected_error.as_deref(), Some(text));
}

#[test]
fn the_windows_end_moves_on_since_it_was_read() {
    let mut facts = facts();
    facts.table_mut("Orders").unwrap().recovery = crate::assess::facts::Fact::known(
        *facts.table_mut("Orders").unwrap().recovery.value().unwrap(),
        at("2026-11-22T11:00:00Z"),
        "test",
    );
    let verdict = of(&timed("time = 2026-11-22T11:58:00Z"), &facts, Check::Window);
    assert!(verdict.outcome.is_allowed());
}

#[test]
fn little_of_the_session_is_told_and_nothing_claimed() {
    let mut facts = facts();
    facts.source_mut().expires_at = known(at("2026-11-22T12:10:00Z"));
    let verdict = of(&aes_plan(), &facts, Check::Session);
    assert!(verdict.outcome.is_allowed());
    assert!(verdict.cautions[0].contains("10 minutes"), "{verdict:#?}");
}

#[test]
fn a_chained_role_lasts_an_hour() {
    let mut plan = aes_plan();
    plan.source.sign_in.duration_seconds = Some(7200);
    let mut facts = facts();
    facts.source_mut().assumed_from = known(
        "arn:aws:sts::111111111111:assumed-role/Base/pat"
            .parse()
            .unwrap(),
    );
    let verdict = of(&plan, &facts, Check::Session);
    assert_eq!(verdict.outcome, Verdict::Denied);
    facts.source_mut().assumed_from = known("arn:aws:iam::111111111111:user/pat".parse().unwrap());
    assert!(of(&plan, &facts, Check::Session).outcome.is_allowed());
}

#[test]
fn what_the_quota_has_no_room_for_is_told_with_the_plans_own_counted() {
    let mut facts = facts();
    facts.account_of_mut(Actor::Exporter).in_flight = known(InFlight {
        count: 299,
        bytes: None,
    });
    let room = of(&aes_plan(), &facts, Check::Quota);
    assert!(room.outcome.is_allowed() && room.cautions.is_empty());
    facts.account_of_mut(Actor::Exporter).in_flight = known(InFlight {
        count: 300,
        bytes: None,
    });
    let full = of(&aes_plan(), &facts, Check::Quota);
    assert!(full.outcome.is_allowed());
    assert!(full.cautions[0].contains("301 exports would be in flight, and 300 may be"));
}

#[test]
fn a_second_export_within_the_hour_is_told() {
    let mut facts = facts();
    facts.exports.push(PastExport {
        started_at: at("2026-11-22T11:30:00Z"),
        ended_at: None,
        status: ExportStatus::InProgress,
        ..past()
    });
    assert_eq!(of(&aes_plan(), &facts, Check::SamePlace).cautions.len(), 1);
    facts.exports[0].started_at = at("2026-11-22T10:30:00Z");
    let verdicts = judge(&aes_plan(), &facts, now());
    assert!(
        !verdicts
            .iter()
            .any(|verdict| verdict.is_of(Check::SamePlace))
    );
}

#[test]
fn a_change_of_a_minute_ago_may_not_hold_yet() {
    let mut facts = facts();
    facts.changes.push(RecentChange {
        document: "bucket policy of export-landing".to_owned(),
        at: at("2026-11-22T11:59:00Z"),
    });
    let verdicts = judge(&aes_plan(), &facts, now());
    assert_eq!(overall(&verdicts, false), Overall::Undecided);
    facts.changes[0].at = at("2026-11-22T11:50:00Z");
    let verdicts = judge(&aes_plan(), &facts, now());
    assert_eq!(overall(&verdicts, true), Overall::Allowed);
}

#[test]
fn without_a_destination_profile_what_would_need_it_is_unknown() {
    let mut facts = facts();
    facts.set_destination(None);
    *facts.bucket_mut(&landing()) = crate::assess::facts::BucketFacts::UNREAD;
    let verdicts = judge(&aes_plan(), &facts, now());
    assert_eq!(overall(&verdicts, false), Overall::Undecided);
    assert!(
        !verdicts
            .iter()
            .any(|verdict| verdict.outcome == Verdict::Denied)
    );
}
