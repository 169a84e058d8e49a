//! Calls, as the journal counts them for several processes at once.

use super::*;
use crate::journal::RefusedCall;

fn recorded(journal: &Journal) -> Operation {
    let id = journal
        .record_run(&new_run(), &[planned("t1")], at(10), Some(RunId(0)))
        .unwrap();
    read(journal, id)
}

fn read(journal: &Journal, id: RunId) -> Operation {
    journal.run(id).unwrap().unwrap().operations.remove(0)
}

fn refused(is_retryable: bool) -> RefusedCall {
    RefusedCall {
        code: Some("AccessDeniedException".to_owned()),
        message: "no".to_owned(),
        request_id: Some("0123".to_owned()),
        is_retryable,
    }
}

#[test]
fn a_refusal_is_final_only_where_no_other_call_may_have_started_the_export() {
    let journal = Journal::in_memory().unwrap();
    let mut first = recorded(&journal);
    let mut second = first.clone();
    assert!(
        journal
            .begin_call(&mut first, at(11), Some(at(1011)))
            .unwrap()
    );
    assert!(
        journal
            .begin_call(&mut second, at(12), Some(at(1012)))
            .unwrap()
    );
    journal
        .end_refused_call(&mut second, &refused(false), at(13))
        .unwrap();
    assert_eq!((second.stage, second.unanswered), (Stage::Calling, 1));
    // The token's age counts from the first call, the listing's proof from the last.
    assert_eq!(second.first_called, Some(at(1011)));
    assert_eq!(second.last_called, Some(at(1012)));
    assert_eq!(
        second.failure_code.as_deref(),
        Some("AccessDeniedException")
    );
    assert_eq!(second.failure_request_id.as_deref(), Some("0123"));
    journal
        .end_refused_call(&mut first, &refused(false), at(14))
        .unwrap();
    assert_eq!((first.stage, first.unanswered), (Stage::Refused, 0));
    assert!(!journal.begin_call(&mut first, at(15), None).unwrap());
}

#[test]
fn a_call_turned_away_at_the_door_leaves_the_token_new() {
    let journal = Journal::in_memory().unwrap();
    let mut export = recorded(&journal);
    assert!(
        journal
            .begin_call(&mut export, at(11), Some(at(1011)))
            .unwrap()
    );
    journal
        .end_refused_call(&mut export, &refused(true), at(12))
        .unwrap();
    assert_eq!((export.stage, export.unanswered), (Stage::Planned, 0));
    assert!(
        journal
            .begin_call(&mut export, at(13), Some(at(9013)))
            .unwrap()
    );
    assert_eq!(export.first_called, Some(at(9013)));
    // A later call with a time does not make the age of one without known.
    journal.forget_calls(&mut export).unwrap();
    assert!(journal.begin_call(&mut export, at(14), None).unwrap());
    assert!(
        journal
            .begin_call(&mut export, at(15), Some(at(9015)))
            .unwrap()
    );
    assert_eq!((export.first_called, export.unanswered), (None, 2));
}

#[test]
fn calls_are_forgotten_only_where_none_was_made_since_the_look_up() {
    let journal = Journal::in_memory().unwrap();
    let mut looked_up = recorded(&journal);
    assert!(
        journal
            .begin_call(&mut looked_up, at(11), Some(at(1011)))
            .unwrap()
    );
    let mut other = read(&journal, looked_up.run);
    assert!(
        journal
            .begin_call(&mut other, at(12), Some(at(1012)))
            .unwrap()
    );
    journal.forget_calls(&mut looked_up).unwrap();
    assert_eq!((looked_up.stage, looked_up.unanswered), (Stage::Calling, 2));
    journal.forget_calls(&mut looked_up).unwrap();
    assert_eq!((looked_up.stage, looked_up.unanswered), (Stage::Planned, 0));
}

#[test]
fn only_an_open_call_is_settled_by_somebodys_word() {
    let journal = Journal::in_memory().unwrap();
    let mut export = recorded(&journal);
    assert!(!journal.settle(&mut export, None, "ada", at(11)).unwrap());
    assert!(journal.begin_call(&mut export, at(12), None).unwrap());
    assert!(
        journal
            .settle(&mut export, Some("arn"), "ada", at(13))
            .unwrap()
    );
    assert_eq!(export.stage, Stage::InProgress);
    assert_eq!(export.arn.as_deref(), Some("arn"));
    assert_eq!(export.settled, Some(("ada".to_owned(), at(13))));
    assert!(!journal.settle(&mut export, None, "bob", at(14)).unwrap());
}

#[test]
fn what_a_full_disk_keeps_from_being_written_is_known_as_long_as_the_process_lives() {
    let journal = Journal::in_memory().unwrap();
    let mut export = recorded(&journal);
    assert!(journal.begin_call(&mut export, at(11), None).unwrap());
    let pages = |limit: u32| {
        let statement = format!("PRAGMA max_page_count = {limit}");
        let connection = journal.lock();
        connection.query_row(&statement, [], |row| row.get::<_, u32>(0))
    };
    // No limit is below the pages that there are.
    pages(1).unwrap();
    export.stage = Stage::InProgress;
    export.arn = Some("a".repeat(100_000));
    let full = journal.update_operation(&export).unwrap_err();
    assert_eq!(full.hint(), "the disk is full: make room");
    assert_eq!(read(&journal, export.run).stage, Stage::Calling);
    let known = journal.known_run(export.run).unwrap().unwrap();
    assert_eq!(known.operations[0].stage, Stage::InProgress);
    // With room again, the file has it.
    pages(100_000).unwrap();
    journal.update_operation(&export).unwrap();
    assert_eq!(read(&journal, export.run).stage, Stage::InProgress);
}

#[test]
fn a_run_is_known_as_it_was_read_last_where_the_file_can_no_longer_be_read() {
    let journal = Journal::in_memory().unwrap();
    let mut export = recorded(&journal);
    assert!(journal.begin_call(&mut export, at(11), None).unwrap());
    journal
        .lock()
        .execute_batch("DROP TABLE operation; DROP TABLE run")
        .unwrap();
    export.stage = Stage::InProgress;
    journal.update_operation(&export).unwrap_err();
    journal.run(export.run).unwrap_err();
    let known = journal.known_run(export.run).unwrap().unwrap();
    assert_eq!(known.operations[0].stage, Stage::InProgress);
    journal.known_run(RunId(99)).unwrap_err();
}
