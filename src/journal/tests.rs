mod calls;
mod formats;

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::assess::fingerprint::Fingerprint;
use crate::job::{Encryption, ExportRequest, Format, Span};

fn request(token: &str) -> ExportRequest {
    ExportRequest {
        table_arn: "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders"
            .parse()
            .unwrap(),
        bucket: "export-landing".parse().unwrap(),
        bucket_owner: Some("222222222222".parse().unwrap()),
        prefix: Some("prod".to_owned()),
        encryption: Encryption::Kms {
            key: Some("alias/x".parse().unwrap()),
        },
        format: Format::DynamoDbJson,
        span: Span::Incremental {
            from: "2026-11-21T00:00:00Z".parse().unwrap(),
            to: "2026-11-21T12:00:00Z".parse().unwrap(),
            view: crate::job::View::NewImage,
        },
        filter: None,
        client_token: token.to_owned(),
    }
}

fn planned(token: &str) -> NewOperation {
    new_export(&request(token), "111111111111", None)
}

fn new_run() -> NewRun<'static> {
    NewRun {
        plan: "plan",
        digest: "d",
        source_arn: "arn:aws:iam::111111111111:user/ada",
        source_account: "111111111111",
        source_region: "eu-west-1",
        destination: "s3://export-landing/prod",
        destination_arn: None,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn a_run_reads_back_as_it_was_written() {
    let journal = Journal::in_memory().unwrap();
    let id = journal
        .record_run(
            &new_run(),
            &[planned("t1"), planned("t2")],
            at(10),
            Some(RunId(0)),
        )
        .unwrap();
    let run = journal.run(id).unwrap().unwrap();
    assert_eq!(run.created_at, at(10));
    assert_eq!(run.operations.len(), 2);
    assert_eq!(
        run.operations[1].to_export().unwrap().request,
        request("t2")
    );
    assert_eq!(run.operations[1].stage, Stage::Planned);
    assert_eq!(run.operations[0].account, "111111111111");
    assert_eq!(run.operations[0].name(), "Orders");
}

#[test]
fn an_update_survives_closing_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state/journal.db");
    let journal = Journal::open(&path).unwrap();
    let id = journal
        .record_run(&new_run(), &[planned("t1")], at(10), Some(RunId(0)))
        .unwrap();
    let mut export = journal.run(id).unwrap().unwrap().operations.remove(0);
    assert!(journal.begin_call(&mut export, at(11), None).unwrap());
    export.stage = Stage::Completed;
    export.arn = Some("arn".to_owned());
    export.result = serde_json::json!({"item_count": 3});
    export.verified = Some(Verified::Unknown);
    export.verified_at = Some(at(12));
    export.remarks = vec!["one".to_owned(), "two".to_owned()];
    journal.update_operation(&export).unwrap();
    drop(journal);

    let journal = Journal::open(&path).unwrap();
    let read = journal.run(id).unwrap().unwrap().operations.remove(0);
    assert_eq!(read.stage, Stage::Completed);
    assert_eq!(read.called_at, Some(at(11)));
    assert_eq!(read.to_export().unwrap().result.item_count, Some(3));
    assert_eq!(read.verified, Some(Verified::Unknown));
    assert_eq!(read.verified_at, Some(at(12)));
    assert_eq!(read.remarks, ["one", "two"]);
}

#[test]
fn a_run_is_open_until_each_export_is_refused_failed_or_verified() {
    let journal = Journal::in_memory().unwrap();
    let id = journal
        .record_run(&new_run(), &[planned("t1")], at(10), Some(RunId(0)))
        .unwrap();
    let mut export = journal.run(id).unwrap().unwrap().operations.remove(0);
    let mut open_at = |stage, verified| {
        export.stage = stage;
        export.verified = verified;
        journal.update_operation(&export).unwrap();
        !journal.open_runs().unwrap().is_empty()
    };
    assert!(open_at(Stage::Planned, None));
    assert!(open_at(Stage::Calling, None));
    assert!(open_at(Stage::InProgress, None));
    assert!(open_at(Stage::Completed, None));
    assert!(!open_at(Stage::Completed, Some(Verified::No)));
    assert!(!open_at(Stage::Refused, None));
    assert!(!open_at(Stage::Failed, None));
}

#[test]
fn a_token_is_never_written_twice() {
    let journal = Journal::in_memory().unwrap();
    journal
        .record_run(&new_run(), &[planned("t1")], at(10), Some(RunId(0)))
        .unwrap();
    assert!(
        journal
            .record_run(
                &new_run(),
                &[planned("t2"), planned("t1")],
                at(11),
                Some(RunId(1))
            )
            .is_err()
    );
    // The failed transaction left nothing behind.
    assert_eq!(journal.runs().unwrap().len(), 1);
}

#[test]
fn the_file_is_for_its_owner_alone_even_if_it_was_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    drop(Journal::open(&path).unwrap());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(Journal::open(&path).unwrap());
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_damaged_file_is_told_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let text = "this is no database, but somebody's notes, and long enough to be read as a header";
    std::fs::write(&path, text).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
    assert!(error.hint().contains("move"), "{}", error.hint());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_later_format_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    drop(Journal::open(&path).unwrap());
    Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(
        matches!(error, JournalError::TooNew { found: 99, .. }),
        "{error}"
    );
}

#[test]
fn a_twin_begun_meanwhile_keeps_a_run_from_being_written() {
    let journal = Journal::in_memory().unwrap();
    let known = journal.newest().unwrap();
    assert_eq!(known, RunId(0));
    let first = journal
        .record_run(&new_run(), &[planned("t1")], at(10), Some(known))
        .unwrap();
    let twin = journal.record_run(&new_run(), &[planned("t2")], at(11), Some(known));
    assert!(
        matches!(twin, Err(JournalError::BegunMeanwhile(run)) if run == first),
        "{twin:?}"
    );
    assert_eq!(journal.runs().unwrap().len(), 1);
    let known = journal.newest().unwrap();
    journal
        .record_run(&new_run(), &[planned("t2")], at(11), Some(known))
        .unwrap();
}

/// As `run --only` and a `run` of the whole plan, begun at the same time: their digests differ.
#[test]
fn an_operation_begun_meanwhile_in_another_run_keeps_a_run_from_being_written() {
    let journal = Journal::in_memory().unwrap();
    let other = NewRun {
        digest: "of another plan",
        ..new_run()
    };
    let first = journal
        .record_run(&new_run(), &[planned("t1")], at(10), Some(RunId(0)))
        .unwrap();
    let twin = journal.record_run(&other, &[planned("t2")], at(11), Some(RunId(0)));
    assert!(
        matches!(twin, Err(JournalError::BegunMeanwhile(run)) if run == first),
        "{twin:?}"
    );
    // Another account's, another request, and one that was seen before are no duplicates.
    let mut elsewhere = planned("t3");
    elsewhere.account = "999999999999".to_owned();
    let mut different = planned("t4");
    different.request["prefix"] = "elsewhere".into();
    for (new, known) in [
        (elsewhere, RunId(0)),
        (different, RunId(0)),
        (planned("t5"), first),
    ] {
        journal
            .record_run(&other, &[new], at(12), Some(known))
            .unwrap();
        journal
            .lock()
            .execute("UPDATE run SET digest = id", [])
            .unwrap();
    }
    // What was never started is in nobody's way.
    let journal = Journal::in_memory().unwrap();
    journal
        .record_run(&new_run(), &[planned("t1")], at(10), Some(RunId(0)))
        .unwrap();
    journal
        .lock()
        .execute("UPDATE operation SET state = 'FAILED'", [])
        .unwrap();
    journal
        .record_run(&other, &[planned("t2")], at(11), Some(RunId(0)))
        .unwrap();
}

#[test]
fn another_programs_database_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    for version in [0, 1] {
        let foreign = Connection::open(&path).unwrap();
        foreign
            .execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS notes (text); PRAGMA user_version = {version}"
            ))
            .unwrap();
        let error = Journal::open(&path).unwrap_err();
        assert!(matches!(error, JournalError::Foreign { .. }), "{error}");
        let tables: i64 = foreign
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, 1);
    }
}

#[test]
fn damage_in_the_middle_is_told_when_the_file_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let journal = Journal::open(&path).unwrap();
    for index in 0..50 {
        let known = journal.newest().unwrap();
        journal
            .record_run(
                &new_run(),
                &[planned(&format!("t{index}"))],
                at(10),
                Some(known),
            )
            .unwrap();
    }
    drop(journal);
    let mut bytes = std::fs::read(&path).unwrap();
    for byte in bytes.iter_mut().skip(4096) {
        *byte ^= 0x5a;
    }
    std::fs::write(&path, bytes).unwrap();
    let error = Journal::open(&path).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
}

#[test]
fn a_record_that_names_no_export_replaces_none_that_does() {
    let journal = Journal::in_memory().unwrap();
    let id = journal
        .record_run(&new_run(), &[planned("t1")], at(10), Some(RunId(0)))
        .unwrap();
    let read = || journal.run(id).unwrap().unwrap().operations.remove(0);
    let mut slower = read();
    let mut faster = read();
    assert!(journal.begin_call(&mut faster, at(11), None).unwrap());
    faster.stage = Stage::InProgress;
    faster.arn = Some("arn".to_owned());
    journal.update_operation(&faster).unwrap();
    slower.stage = Stage::Refused;
    journal.update_operation(&slower).unwrap();
    let kept = read();
    assert_eq!(kept.stage, Stage::InProgress);
    assert_eq!(kept.arn.as_deref(), Some("arn"));
    assert_eq!(kept.called_at, Some(at(11)));
}

fn fingerprint(table: &str) -> Fingerprint {
    Fingerprint {
        writing: "w".to_owned(),
        reading: table.to_owned(),
    }
}

#[test]
fn what_was_read_before_the_start_is_kept_with_each_export() {
    let journal = Journal::in_memory().unwrap();
    let fingerprints = [fingerprint("orders"), fingerprint("users")];
    let account = "111111111111";
    let operations = [
        new_export(&request("t1"), account, Some(fingerprints[0].clone())),
        new_export(&request("t2"), account, Some(fingerprints[1].clone())),
    ];
    let id = journal
        .record_run(&new_run(), &operations, at(10), Some(RunId(0)))
        .unwrap();
    let mut exports = journal.run(id).unwrap().unwrap().operations;
    let kept: Vec<_> = exports
        .iter()
        .map(|export| export.fingerprint.clone())
        .collect();
    assert_eq!(kept, fingerprints.map(Some));
    // What happens to the export does not touch it, and anyone who did not survey has none to give.
    exports[0].stage = Stage::Completed;
    exports[0].fingerprint = None;
    journal.update_operation(&exports[0]).unwrap();
    let again = journal.run(id).unwrap().unwrap().operations;
    assert_eq!(again[0].stage, Stage::Completed);
    assert_eq!(again[0].fingerprint, Some(fingerprint("orders")));

    let id = journal
        .record_run(&new_run(), &[planned("t3")], at(11), Some(id))
        .unwrap();
    let not_surveyed = journal.run(id).unwrap().unwrap().operations.remove(0);
    assert_eq!(not_surveyed.fingerprint, None);
}

#[test]
fn an_operation_of_another_kind_reads_back_and_is_no_export() {
    let journal = Journal::in_memory().unwrap();
    let copy = NewOperation {
        kind: "copy",
        account: "111111111111".to_owned(),
        subject: "arn:aws:copies:eu-west-1:111111111111:shelf/7".to_owned(),
        token: "t1".to_owned(),
        request: serde_json::json!({"books": ["a", "b"]}),
        fingerprint: None,
    };
    let id = journal
        .record_run(
            &new_run(),
            &[copy.clone(), planned("t2")],
            at(10),
            Some(RunId(0)),
        )
        .unwrap();
    let run = journal.run(id).unwrap().unwrap();
    let read = &run.operations[0];
    assert_eq!((read.kind.as_str(), &read.request), ("copy", &copy.request));
    assert_eq!(read.name(), "7");
    assert_eq!(read.to_export(), None);
    assert_eq!(run.exports().count(), 1);
}

#[test]
fn an_export_whose_request_does_not_read_back_is_told() {
    let journal = Journal::in_memory().unwrap();
    let id = journal
        .record_run(&new_run(), &[planned("t1")], at(10), Some(RunId(0)))
        .unwrap();
    journal
        .lock()
        .execute_batch("UPDATE operation SET request = '{}'")
        .unwrap();
    assert!(matches!(journal.run(id), Err(JournalError::Entry(_))));
}
