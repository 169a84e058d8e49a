use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

const CALLER: &str = "arn:aws:sts::222222222222:assumed-role/Admin/pat";

fn target() -> ChangeTarget {
    ChangeTarget::BucketPolicy {
        bucket: "export-landing".parse().unwrap(),
        owner: "222222222222".parse().unwrap(),
        region: "eu-west-1".parse().unwrap(),
    }
}

fn record(journal: &Journal, title: &str) -> ChangeId {
    let account = "222222222222".parse().unwrap();
    let source_account = "111111111111".parse().unwrap();
    let sign_in = SignIn {
        profile: "dev-admin".to_owned(),
        ..SignIn::default()
    };
    let change = NewChange {
        account: &account,
        source_account: &source_account,
        sign_in: &sign_in,
        caller: &CALLER.parse().unwrap(),
        plan: "plan",
        target: &target(),
        title,
        before: Some("{ \"Statement\": [] }\n"),
        after: Some("after"),
        added: &["Ours".to_owned()],
    };
    journal.record_change(&change, at(10)).unwrap()
}

#[test]
fn a_change_reads_back_as_it_was_written() {
    let journal = Journal::in_memory().unwrap();
    let id = record(&journal, "bucket policy of export-landing");
    let read = journal.change(id).unwrap().unwrap();
    assert_eq!(read.created_at, at(10));
    assert_eq!(read.account.as_str(), "222222222222");
    assert_eq!(read.sign_in.profile, "dev-admin");
    assert_eq!(read.caller, Some(CALLER.parse().unwrap()));
    assert_eq!(read.target, target());
    assert_eq!(read.before.as_deref(), Some("{ \"Statement\": [] }\n"));
    assert_eq!(read.added, ["Ours"]);
    assert_eq!(read.stage, ChangeStage::Planned);
    assert_eq!(journal.change(ChangeId(7)).unwrap(), None);
}

/// An earlier version did not write the caller down.
#[test]
fn a_change_without_its_caller_is_read() {
    let journal = Journal::in_memory().unwrap();
    let id = record(&journal, "x");
    let rows = journal.lock().execute(
        "UPDATE operation SET request = json_remove(request, '$.caller')",
        [],
    );
    assert_eq!(rows.unwrap(), 1);
    let read = journal.change(id).unwrap().unwrap();
    assert_eq!(
        (read.caller, read.sign_in.profile.as_str()),
        (None, "dev-admin")
    );
}

#[test]
fn each_stage_keeps_the_time_of_those_before() {
    let journal = Journal::in_memory().unwrap();
    let id = record(&journal, "x");
    journal
        .update_change(id, ChangeStage::Written, at(11))
        .unwrap();
    journal
        .update_change(id, ChangeStage::Held, at(12))
        .unwrap();
    journal.keep_before_undo(id, Some("live")).unwrap();
    journal
        .update_change(id, ChangeStage::Undone, at(13))
        .unwrap();
    let read = journal.change(id).unwrap().unwrap();
    assert_eq!(read.written_at, Some(at(11)));
    assert_eq!(read.held_at, Some(at(12)));
    assert_eq!(read.undone_at, Some(at(13)));
    assert_eq!(read.undone_from.as_deref(), Some("live"));
    let missing = journal.update_change(ChangeId(9), ChangeStage::Held, at(14));
    assert!(matches!(missing, Err(JournalError::Entry(_))));
}

#[test]
fn what_is_in_place_is_listed_first() {
    let journal = Journal::in_memory().unwrap();
    for title in ["one", "two", "three"] {
        let _ = record(&journal, title);
    }
    journal
        .update_change(ChangeId(3), ChangeStage::NotWritten, at(11))
        .unwrap();
    journal
        .update_change(ChangeId(1), ChangeStage::Written, at(11))
        .unwrap();
    let titles: Vec<String> = journal
        .changes()
        .unwrap()
        .into_iter()
        .map(|change| change.title)
        .collect();
    assert_eq!(titles, ["two", "one", "three"]);
}

#[test]
fn one_holder_at_a_time_has_the_lock() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let (one, other) = (Journal::open(&path).unwrap(), Journal::open(&path).unwrap());
    let held = one.try_lock_changes().unwrap();
    assert!(held.is_some());
    assert!(other.try_lock_changes().unwrap().is_none());
    drop(held);
    assert!(other.try_lock_changes().unwrap().is_some());
}
