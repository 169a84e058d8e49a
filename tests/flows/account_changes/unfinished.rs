//! A crash between the write and the reading back: the journal knows enough to take it away.

use tableferry::work::{ApplyError, ChangeStage};

use crate::account_changes::meddling::{self, Meddling};
use crate::account_changes::world::*;

#[tokio::test]
async fn what_was_written_before_a_crash_can_be_undone() {
    let sandbox = sandbox();
    let directory = tempfile::tempdir().unwrap();
    let journal = directory.path().join("journal.db");
    let plan = plan(&example("no-grant"));
    {
        let client = meddling::client(&sandbox, Meddling::CutOff);
        let work = work_on(&sandbox, client, &journal);
        sign_in(&work, &plan).await;
        let proposal = only(&work, &plan).await;
        let cut_off = work.apply(&plan, &proposal).await.unwrap_err();
        let ApplyError::Uncertain { id, .. } = &cut_off else {
            panic!("{cut_off}");
        };
        assert!(cut_off.hint().contains(&format!("undo {id}")));
    }
    let written = bucket_policy(&sandbox, "export-nopolicy").await.unwrap();
    assert!(written.contains("TableferryWrite"));
    // A new process, with nothing but the journal.
    let work = work_on(&sandbox, sandbox.http_client(), &journal);
    let change = work.changes().unwrap().remove(0);
    assert_eq!(change.stage, ChangeStage::Planned);
    assert!(change.is_in_place());
    work.sign_in(tableferry::work::Side::Destination, &change.sign_in, None)
        .await
        .unwrap();
    let undo = work.propose_undo(change.id, false).await.unwrap();
    assert!(undo.changes_anything());
    let undone = work.undo(&undo).await.unwrap();
    assert!(undone.was_in_place);
    assert_eq!(bucket_policy(&sandbox, "export-nopolicy").await, None);
    let change = work.change(change.id).unwrap().unwrap();
    assert_eq!(change.stage, ChangeStage::Undone);
}

#[tokio::test]
async fn what_was_never_written_is_found_not_to_be_there() {
    let sandbox = sandbox();
    let directory = tempfile::tempdir().unwrap();
    let journal = directory.path().join("journal.db");
    let plan = plan(&example("no-grant"));
    let client = meddling::client(&sandbox, Meddling::CutOff);
    let work = work_on(&sandbox, client, &journal);
    sign_in(&work, &plan).await;
    let proposal = only(&work, &plan).await;
    work.apply(&plan, &proposal).await.unwrap_err();
    sandbox.change_bucket_policy("export-nopolicy", None);
    let work = work_on(&sandbox, sandbox.http_client(), &journal);
    sign_in(&work, &plan).await;
    let id = work.changes().unwrap()[0].id;
    let undo = work.propose_undo(id, false).await.unwrap();
    assert!(!undo.changes_anything());
    assert!(!work.undo(&undo).await.unwrap().was_in_place);
    let change = work.change(id).unwrap().unwrap();
    assert_eq!(change.stage, ChangeStage::NotWritten);
}
