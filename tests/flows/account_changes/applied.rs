//! Each kind of change: applied, the check is clean and the export completes; undone, every byte is
//! back.

use clap::Parser;
use rstest::rstest;
use tableferry::args::Args;
use tableferry::assess::verdict::Overall;
use tableferry::aws::iam::PolicyHolder;
use tableferry::commands::{self, Exit};
use tableferry::work::{ChangeKind, ChangeStage, PropagationStatus, ReadBack, RunStatus};
use tableferry_sandbox::Faults;
use tokio_util::sync::CancellationToken;

use crate::account_changes::world::*;

#[rstest]
#[case::no_policy("no-grant", ChangeKind::BucketPolicy)]
#[case::a_key_without_a_grant("key-without-grant", ChangeKind::KeyPolicy)]
#[case::recovery_is_off("", ChangeKind::Recovery)]
#[tokio::test]
async fn what_was_missing_is_there_and_the_export_completes(
    #[case] name: &str,
    #[case] kind: ChangeKind,
) {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let plan = match name {
        "" => plan(&without_recovery()),
        name => plan(&example(name)),
    };
    sign_in(&work, &plan).await;
    assert_ne!(check(&work, &plan).await, Overall::Allowed);
    let proposal = only(&work, &plan).await;
    assert_eq!(proposal.kind, kind);
    let applied = work.apply(&plan, &proposal).await.unwrap();
    assert_eq!(applied.read_back, ReadBack::AsWritten);
    // Young, until it was seen to hold.
    assert_eq!(check(&work, &plan).await, Overall::Undecided);
    let held = work
        .wait_until_held(&plan, &[applied.id], CancellationToken::new())
        .await;
    assert_eq!(held.changes, [(applied.id, PropagationStatus::Holds)]);
    assert_eq!(check(&work, &plan).await, Overall::Allowed);
    let outcome = export(&work, &plan).await;
    assert_eq!(outcome.status(), RunStatus::Done, "{outcome:?}");
    let record = work.change(applied.id).unwrap().unwrap();
    assert_eq!(record.stage, ChangeStage::Held);
    assert!(record.is_in_place());
}

#[tokio::test]
async fn a_user_gives_itself_what_it_lacks_under_a_name_that_is_free() {
    let sandbox = sandbox();
    let admin = session(&sandbox, "prod-admin").await.iam();
    let reader = PolicyHolder::User("prod-reader");
    let own = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:PutUserPolicy","iam:DeleteUserPolicy","dynamodb:GetResourcePolicy"],"Resource":["arn:aws:iam::111111111111:user/prod-reader","arn:aws:dynamodb:*:111111111111:table/*"]}]}"#;
    admin
        .put_inline_policy(reader, "tableferry-export", own)
        .await
        .unwrap();
    let work = work(&sandbox);
    let plan = plan(&example("may-not-export"));
    sign_in(&work, &plan).await;
    let proposals = proposed(&work, &plan).await;
    let proposal = proposals
        .iter()
        .find(|proposal| proposal.kind == ChangeKind::IdentityPolicy)
        .unwrap();
    assert_eq!(
        proposal.title,
        "inline policy tableferry-export-2 of user prod-reader"
    );
    let applied = work.apply(&plan, proposal).await.unwrap();
    assert_eq!(applied.read_back, ReadBack::AsWritten);
    let written = admin
        .inline_policy(reader, "tableferry-export-2")
        .await
        .unwrap();
    assert!(written.unwrap().contains("s3:PutObject"));
    for other in proposals {
        if other.kind != ChangeKind::IdentityPolicy {
            let _ = work.apply(&plan, &other).await.unwrap();
        }
    }
    let outcome = export(&work, &plan).await;
    assert_eq!(outcome.status(), RunStatus::Done, "{outcome:?}");

    let undo = work.propose_undo(applied.id, false).await.unwrap();
    assert!(undo.deletes_document());
    work.undo(&undo).await.unwrap();
    let left = admin
        .inline_policy(reader, "tableferry-export-2")
        .await
        .unwrap();
    assert_eq!(left, None);
    let kept = admin.inline_policy(reader, "tableferry-export").await;
    assert_eq!(kept.unwrap().as_deref(), Some(own));
}

#[tokio::test]
async fn an_exemption_is_put_inside_the_deny_and_nothing_direct_shows_that_it_holds() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let plan = plan(&example("deny"));
    let before = bucket_policy(&sandbox, "export-office-only").await;
    sign_in(&work, &plan).await;
    let proposal = only(&work, &plan).await;
    assert!(!proposal.remedy.lets_through.is_empty());
    let applied = work.apply(&plan, &proposal).await.unwrap();
    let held = work
        .wait_until_held(&plan, &[applied.id], CancellationToken::new())
        .await;
    let (_, standing) = &held.changes[0];
    assert!(
        matches!(standing, PropagationStatus::Unknown(_)),
        "{standing:?}"
    );
    let outcome = export(&work, &plan).await;
    assert_eq!(outcome.status(), RunStatus::Done, "{outcome:?}");
    let undo = work.propose_undo(applied.id, false).await.unwrap();
    work.undo(&undo).await.unwrap();
    assert_eq!(bucket_policy(&sandbox, "export-office-only").await, before);
}

#[tokio::test]
async fn a_change_that_takes_a_while_to_hold_is_waited_for() {
    let sandbox = with(|options| {
        options.faults.policy_delay = std::time::Duration::from_millis(300);
    });
    let work = work(&sandbox);
    let plan = plan(&example("no-grant"));
    sign_in(&work, &plan).await;
    let proposal = only(&work, &plan).await;
    let applied = work.apply(&plan, &proposal).await.unwrap();
    let held = work
        .wait_until_held(&plan, &[applied.id], CancellationToken::new())
        .await;
    assert!(held.is_complete(), "{held:?}");
    let outcome = export(&work, &plan).await;
    assert_eq!(outcome.status(), RunStatus::Done, "{outcome:?}");
}

/// IAM's own policies take their time as well.
#[tokio::test]
async fn an_identity_policy_that_takes_a_while_to_hold_is_waited_for() {
    let sandbox = sandbox();
    let admin = session(&sandbox, "prod-admin").await.iam();
    let own = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:PutUserPolicy","dynamodb:GetResourcePolicy"],"Resource":"*"}]}"#;
    let reader = PolicyHolder::User("prod-reader");
    admin.put_inline_policy(reader, "own", own).await.unwrap();
    let work = work(&sandbox);
    let plan = plan(&example("may-not-export"));
    sign_in(&work, &plan).await;
    let proposals = proposed(&work, &plan).await;
    sandbox.set_faults(Faults {
        policy_delay: std::time::Duration::from_millis(700),
        ..Faults::default()
    });
    let mut written = Vec::new();
    for proposal in &proposals {
        written.push(work.apply(&plan, proposal).await.unwrap().id);
    }
    let held = work
        .wait_until_held(&plan, &written, CancellationToken::new())
        .await;
    assert!(held.is_complete(), "{held:?}");
    let outcome = export(&work, &plan).await;
    assert_eq!(outcome.status(), RunStatus::Done, "{outcome:?}");
}

#[tokio::test]
async fn a_wait_that_ends_too_early_leaves_the_change_and_says_so() {
    let sandbox = with(|options| {
        options.faults.policy_delay = std::time::Duration::from_hours(1);
    });
    let work = work(&sandbox);
    let plan = plan(&example("no-grant"));
    sign_in(&work, &plan).await;
    let proposal = only(&work, &plan).await;
    let applied = work.apply(&plan, &proposal).await.unwrap();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let held = work.wait_until_held(&plan, &[applied.id], cancel).await;
    assert!(!held.is_complete(), "{held:?}");
    let record = work.change(applied.id).unwrap().unwrap();
    assert_eq!(record.stage, ChangeStage::Written);
    assert_eq!(check(&work, &plan).await, Overall::Undecided);
}

#[tokio::test]
async fn a_run_waits_for_what_was_just_changed() {
    let sandbox = with(|options| {
        options.faults.policy_delay = std::time::Duration::from_millis(300);
    });
    let work = work(&sandbox);
    let plan = plan(&example("no-grant"));
    sign_in(&work, &plan).await;
    let proposal = only(&work, &plan).await;
    let applied = work.apply(&plan, &proposal).await.unwrap();
    let path = format!("{}/assets/plans/no-grant.toml", env!("CARGO_MANIFEST_DIR"));
    let line = Args::parse_from(["tableferry", "run", &path, "--yes"]);
    let exit = commands::on_accounts(&work, &line.command.unwrap()).await;
    assert_eq!(exit, Exit::Done);
    let record = work.change(applied.id).unwrap().unwrap();
    assert_eq!(record.stage, ChangeStage::Held);
}
