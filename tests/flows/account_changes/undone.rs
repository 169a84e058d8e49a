//! Undo: the bytes that stood there before, what others added since, and what undo refuses.

use std::time::Duration;

use rstest::rstest;
use tableferry::work::{ApplyError, ChangeStage, Side, UndoError, Work};
use tableferry_policy::arn::Arn;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::account_changes::world::*;

async fn applied(work: &Work, plan: &tableferry::job::Plan) -> tableferry::work::ChangeId {
    sign_in(work, plan).await;
    let proposal = only(work, plan).await;
    work.apply(plan, &proposal).await.unwrap().id
}

#[rstest]
#[case::none("no-grant", "export-nopolicy", false)]
#[case::somebody_elses("no-grant", "export-nopolicy", true)]
#[tokio::test]
async fn a_bucket_has_the_bytes_that_it_had(
    #[case] name: &str,
    #[case] bucket: &str,
    #[case] has_policy: bool,
) {
    let sandbox = sandbox();
    if has_policy {
        sandbox.change_bucket_policy(bucket, Some(their_policy(bucket)));
    }
    let before = bucket_policy(&sandbox, bucket).await;
    assert_eq!(before.is_some(), has_policy);
    let work = work(&sandbox);
    let plan = plan(&example(name));
    let id = applied(&work, &plan).await;
    assert_ne!(bucket_policy(&sandbox, bucket).await, before);
    let undo = work.propose_undo(id, false).await.unwrap();
    assert!(undo.diff.contains("TableferryWrite"), "{}", undo.diff);
    let undone = work.undo(&undo).await.unwrap();
    assert!(undone.was_in_place);
    assert_eq!(bucket_policy(&sandbox, bucket).await, before);
    let record = work.change(id).unwrap().unwrap();
    assert_eq!(record.stage, ChangeStage::Undone);
    assert!(record.undone_from.unwrap().contains("TableferryWrite"));
    let again = work.propose_undo(id, false).await;
    assert!(matches!(again, Err(UndoError::NotInPlace { .. })));
}

#[tokio::test]
async fn a_key_has_the_bytes_that_it_had() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let plan = plan(&example("key-without-grant"));
    let key = plan.encryption.key().unwrap().to_owned();
    let owner = session(&sandbox, "dev-admin").await;
    let kms = owner.kms(&owner.region);
    let before = kms.key_policy(&key).await.unwrap();
    let id = applied(&work, &plan).await;
    assert_ne!(kms.key_policy(&key).await.unwrap(), before);
    let undo = work.propose_undo(id, false).await.unwrap();
    work.undo(&undo).await.unwrap();
    assert_eq!(kms.key_policy(&key).await.unwrap(), before);
}

#[tokio::test]
async fn what_others_added_since_stays() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let plan = plan(&example("no-grant"));
    let id = applied(&work, &plan).await;
    let ours = bucket_policy(&sandbox, "export-nopolicy").await.unwrap();
    let with_theirs =
        tableferry_policy::edit::add_statement(&ours, &theirs("export-nopolicy")).unwrap();
    let tableferry_policy::edit::Added::Inserted { text } = with_theirs else {
        panic!("{with_theirs:?}");
    };
    sandbox.change_bucket_policy("export-nopolicy", Some(text));
    let undo = work.propose_undo(id, false).await.unwrap();
    assert!(!undo.deletes_document());
    work.undo(&undo).await.unwrap();
    let left = bucket_policy(&sandbox, "export-nopolicy").await.unwrap();
    assert!(
        left.contains("\"Theirs\"") && !left.contains("Tableferry"),
        "{left}"
    );
}

#[tokio::test]
async fn what_somebody_gave_another_sid_is_taken_away() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let id = applied(&work, &plan(&example("no-grant"))).await;
    let ours = bucket_policy(&sandbox, "export-nopolicy").await.unwrap();
    let renamed = ours.replace("TableferryWrite", "Exports");
    assert_ne!(renamed, ours);
    sandbox.change_bucket_policy("export-nopolicy", Some(renamed));
    let undo = work.propose_undo(id, false).await.unwrap();
    assert!(undo.diff.contains("Exports"), "{}", undo.diff);
    assert!(work.undo(&undo).await.unwrap().was_in_place);
    assert_eq!(bucket_policy(&sandbox, "export-nopolicy").await, None);
    assert!(!work.change(id).unwrap().unwrap().is_in_place());
}

/// Somebody wrote the grant anew, wider: it is neither ours to take away, nor gone.
#[tokio::test]
async fn what_grants_the_same_in_other_words_keeps_the_change_in_place() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let id = applied(&work, &plan(&example("no-grant"))).await;
    let ours = bucket_policy(&sandbox, "export-nopolicy").await.unwrap();
    let wider = ours
        .replace("TableferryWrite", "Exports")
        .replace("\"s3:PutObject\"", "\"s3:Put*\"");
    sandbox.change_bucket_policy("export-nopolicy", Some(wider.clone()));
    let refused = work.propose_undo(id, false).await.unwrap_err();
    assert!(matches!(refused, UndoError::Altered { .. }), "{refused}");
    assert!(refused.to_string().contains("`Exports`"), "{refused}");
    assert!(refused.hint().contains("by hand"), "{}", refused.hint());
    assert!(work.change(id).unwrap().unwrap().is_in_place());
    assert_eq!(
        bucket_policy(&sandbox, "export-nopolicy").await,
        Some(wider)
    );
    // Taken out by hand, it is gone.
    sandbox.change_bucket_policy("export-nopolicy", None);
    let undo = work.propose_undo(id, false).await.unwrap();
    assert!(!work.undo(&undo).await.unwrap().was_in_place);
    assert!(!work.change(id).unwrap().unwrap().is_in_place());
}

/// The network of a Deny was altered by somebody; the exemption in it is ours all the same.
#[tokio::test]
async fn an_exemption_goes_out_of_a_deny_that_somebody_altered() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let id = applied(&work, &plan(&example("deny"))).await;
    let ours = bucket_policy(&sandbox, "export-office-only").await.unwrap();
    assert!(ours.contains("aws:ViaAWSService"), "{ours}");
    let office = "\"203.0.113.0/24\"";
    let network = |text: &str| text.replace(office, "[\"203.0.113.0/24\", \"192.0.2.0/24\"]");
    assert_ne!(network(&ours), ours);
    sandbox.change_bucket_policy("export-office-only", Some(network(&ours)));
    let record = work.change(id).unwrap().unwrap();
    let undo = work.propose_undo(id, false).await.unwrap();
    assert!(undo.diff.contains("aws:ViaAWSService"), "{}", undo.diff);
    work.undo(&undo).await.unwrap();
    assert_eq!(
        bucket_policy(&sandbox, "export-office-only").await,
        Some(network(&record.before.unwrap()))
    );
    assert!(!work.change(id).unwrap().unwrap().is_in_place());
}

#[tokio::test]
async fn a_document_that_changes_after_it_was_shown_is_not_written() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let plan = plan(&example("no-grant"));
    let id = applied(&work, &plan).await;
    let undo = work.propose_undo(id, false).await.unwrap();
    let theirs = Some(their_policy("export-nopolicy"));
    sandbox.change_bucket_policy("export-nopolicy", theirs.clone());
    let refused = work.undo(&undo).await;
    assert!(matches!(refused, Err(UndoError::ChangedMeanwhile(_))));
    assert_eq!(bucket_policy(&sandbox, "export-nopolicy").await, theirs);
    // Nothing of ours is left in it, so there is nothing to be written.
    let undo = work.propose_undo(id, false).await.unwrap();
    assert!(!undo.changes_anything());
    let undone = work.undo(&undo).await.unwrap();
    assert!(!undone.was_in_place);
    assert_eq!(bucket_policy(&sandbox, "export-nopolicy").await, theirs);
}

#[tokio::test]
async fn what_an_export_in_flight_relies_on_stays_until_it_has_ended() {
    let sandbox = with(|options| options.job_length = Duration::from_hours(1));
    let work = work(&sandbox);
    let plan = plan(&example("no-grant"));
    let id = applied(&work, &plan).await;
    let summary = start_summary(&work, &plan).await;
    let (events, _kept) = mpsc::unbounded_channel();
    let cancel = CancellationToken::new();
    let run = work.start(&plan, &summary, events, &cancel).await.unwrap();
    let refused = work.propose_undo(id, false).await.unwrap_err();
    assert!(matches!(refused, UndoError::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains(&run.to_string()), "{refused}");
    assert!(refused.hint().contains("resume"));
}

/// A colleague's export, which no journal of ours holds, is looked for at AWS.
#[rstest]
#[case::what_was_granted("export-nopolicy", "prod", true)]
#[case::another_prefix("export-nopolicy", "test", false)]
#[case::another_bucket("export-landing", "prod", false)]
#[tokio::test]
async fn what_an_export_of_others_relies_on_stays(
    #[case] bucket: &str,
    #[case] prefix: &str,
    #[case] is_in_use: bool,
) {
    let sandbox = with(|options| options.job_length = Duration::from_hours(1));
    let ours = work(&sandbox);
    let text = example("no-grant");
    let id = applied(&ours, &plan(&text)).await;
    let colleague = work(&sandbox);
    let text = text.replace("export-nopolicy", bucket);
    let text = text.replace("\"prod\"", &format!("\"{prefix}\""));
    let other = plan(&text);
    sign_in(&colleague, &other).await;
    let summary = start_summary(&colleague, &other).await;
    let (events, _kept) = mpsc::unbounded_channel();
    let cancel = CancellationToken::new();
    let run = colleague
        .start(&other, &summary, events, &cancel)
        .await
        .unwrap();
    let run = colleague.run(run).unwrap().unwrap();
    let export = run.operations[0].arn.clone().unwrap();
    match ours.propose_undo(id, false).await {
        Ok(undo) => {
            assert!(!is_in_use);
            assert_eq!(undo.warnings, Vec::<String>::new());
        }
        Err(refused) => {
            assert!(is_in_use, "{refused}");
            assert!(refused.to_string().contains(&export), "{refused}");
            assert!(matches!(refused, UndoError::InUseByOthers { .. }));
        }
    }
}

/// Who cannot ask the source is told what that leaves open, and may go on.
#[tokio::test]
async fn exports_that_could_not_be_looked_for_are_told() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let plan = plan(&example("no-grant"));
    let id = applied(&work, &plan).await;
    work.sign_out(Side::Source);
    let undo = work.propose_undo(id, false).await.unwrap();
    assert_eq!(
        undo.warnings,
        [
            "exports that others started could not be looked for, and may rely on this: nobody is \
             signed in to 111111111111"
        ]
    );
    assert!(work.undo(&undo).await.unwrap().was_in_place);
}

#[tokio::test]
async fn recovery_is_switched_off_only_where_it_is_named() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let plan = plan(&without_recovery());
    let id = applied(&work, &plan).await;
    let refused = work.propose_undo(id, false).await.unwrap_err();
    assert!(matches!(refused, UndoError::RecoveryStays(_)), "{refused}");
    assert!(refused.hint().contains("--recovery"));
    let table: Arn = "arn:aws:dynamodb:eu-west-1:111111111111:table/Sessions"
        .parse()
        .unwrap();
    let admin = session(&sandbox, "prod-admin").await;
    let dynamodb = admin.dynamodb(&admin.region);
    let is_enabled = async || {
        let recovery = dynamodb.describe_recovery(&table.to_string()).await;
        recovery.unwrap().is_enabled
    };
    assert!(is_enabled().await);
    let undo = work.propose_undo(id, true).await.unwrap();
    assert_eq!(undo.warnings.len(), 1);
    work.undo(&undo).await.unwrap();
    assert!(!is_enabled().await);
}

#[tokio::test]
async fn what_aws_refuses_is_not_in_place() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    // The one who signs in for the destination may read buckets and not write their policies.
    let text = example("no-grant").replace("dev-admin", "dev-reader");
    let plan_of_reader = plan(&text);
    let as_admin = plan(&example("no-grant"));
    sign_in(&work, &as_admin).await;
    let proposal = only(&work, &as_admin).await;
    sign_in(&work, &plan_of_reader).await;
    let refused = work.apply(&plan_of_reader, &proposal).await.unwrap_err();
    assert!(
        matches!(
            refused,
            ApplyError::Unread { .. } | ApplyError::Refused { .. }
        ),
        "{refused}"
    );
    assert!(refused.to_string().contains("was not written"), "{refused}");
    assert!(
        refused.hint().contains("BucketPolicy"),
        "{}",
        refused.hint()
    );
    let in_place = work.changes().unwrap();
    assert!(in_place.iter().all(|change| !change.is_in_place()));
    assert_eq!(bucket_policy(&sandbox, "export-nopolicy").await, None);
}
