//! Journals of earlier formats, as they lie on people's disks.

use super::*;

/// The first format, with a run and an export.
const FORMAT_1: &str = "
    CREATE TABLE run (
        id             INTEGER PRIMARY KEY,
        created_at     INTEGER NOT NULL,
        plan           TEXT NOT NULL,
        digest         TEXT NOT NULL,
        source_arn     TEXT NOT NULL,
        source_account TEXT NOT NULL,
        source_region  TEXT NOT NULL,
        destination    TEXT NOT NULL
    ) STRICT;
    CREATE TABLE export (
        run               INTEGER NOT NULL REFERENCES run (id),
        position          INTEGER NOT NULL,
        table_arn         TEXT NOT NULL,
        client_token      TEXT NOT NULL UNIQUE,
        request           TEXT NOT NULL,
        stage             TEXT NOT NULL,
        called_at         INTEGER,
        export_arn        TEXT,
        started_at        INTEGER,
        ended_at          INTEGER,
        failure_code      TEXT,
        failure_message   TEXT,
        item_count        INTEGER,
        billed_size_bytes INTEGER,
        manifest          TEXT,
        verified          TEXT,
        verification      TEXT,
        PRIMARY KEY (run, position)
    ) STRICT;
    INSERT INTO run VALUES (4, 10000, 'the plan', 'd', 'arn:aws:iam::111111111111:user/ada',
                            '111111111111', 'eu-west-1', 's3://export-landing/prod');
    PRAGMA user_version = 1;
";

/// What the second format added, with a change.
const FORMAT_2: &str = r#"
    CREATE TABLE change (
        id             INTEGER PRIMARY KEY,
        created_at     INTEGER NOT NULL,
        account        TEXT NOT NULL,
        source_account TEXT NOT NULL,
        sign_in        TEXT NOT NULL,
        plan           TEXT NOT NULL,
        kind           TEXT NOT NULL,
        target         TEXT NOT NULL,
        title          TEXT NOT NULL,
        before         TEXT,
        after          TEXT,
        added          TEXT NOT NULL,
        stage          TEXT NOT NULL,
        written_at     INTEGER,
        held_at        INTEGER,
        undone_at      INTEGER,
        undone_from    TEXT
    ) STRICT;
    INSERT INTO change VALUES (7, 10000, '222222222222', '111111111111', '{"profile":"dev-admin"}',
        'the plan', 'recovery',
        '{"of":"recovery","table":"arn:aws:dynamodb:eu-west-1:111111111111:table/Orders"}',
        'the title', NULL, NULL, '[]', 'WRITTEN', 10001, NULL, NULL, NULL);
    PRAGMA user_version = 2;
"#;

#[test]
fn a_journal_of_an_earlier_format_keeps_what_it_holds_and_takes_what_is_new() {
    for (format, steps) in [(1, &[FORMAT_1][..]), (2, &[FORMAT_1, FORMAT_2])] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(&steps.concat()).unwrap();
        let call = serde_json::to_string(&request("t1")).unwrap();
        old.execute(
            "INSERT INTO export (run, position, table_arn, client_token, request, stage, item_count)
             VALUES (4, 0, 'arn', 't1', ?1, 'COMPLETED', 3)",
            [call],
        )
        .unwrap();
        drop(old);

        let journal = Journal::open(&path).unwrap();
        let mut run = journal.run(RunId(4)).unwrap().unwrap();
        assert_eq!(run.plan, "the plan");
        let export = run.operations.remove(0);
        let read = export.to_export().unwrap();
        assert_eq!(read.request, request("t1"));
        assert_eq!(read.result.item_count, Some(3));
        assert_eq!(export.account, "111111111111");
        // What was read before it was started nobody knows.
        assert_eq!(export.fingerprint, None);
        // Nor when it was verified.
        assert_eq!((export.verified_at, export.remarks), (None, Vec::new()));
        let changes = journal.changes().unwrap();
        let titles: Vec<&str> = changes.iter().map(|change| change.title.as_str()).collect();
        assert_eq!(titles, &["the title"][..format - 1]);

        let export = new_export(&request("t2"), "111111111111", Some(fingerprint("orders")));
        let new = journal
            .record_run(&new_run(), &[export], at(11), Some(RunId(4)))
            .unwrap();
        drop(journal);
        // Carried over once, it is opened as it is.
        let journal = Journal::open(&path).unwrap();
        let export = journal.run(new).unwrap().unwrap().operations.remove(0);
        assert_eq!(export.fingerprint, Some(fingerprint("orders")));
        let version: i32 = Connection::open(&path)
            .unwrap()
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(version, 8);
    }
}

/// What the third and fourth format added.
const FORMAT_4: &str = "
    ALTER TABLE export ADD COLUMN writing_fingerprint TEXT;
    ALTER TABLE export ADD COLUMN reading_fingerprint TEXT;
    CREATE TABLE probe (
        id             INTEGER PRIMARY KEY,
        created_at     INTEGER NOT NULL,
        principal      TEXT NOT NULL,
        source_account TEXT NOT NULL,
        sign_in        TEXT NOT NULL,
        plan           TEXT NOT NULL,
        bucket         TEXT NOT NULL,
        owner          TEXT NOT NULL,
        region         TEXT NOT NULL,
        key            TEXT NOT NULL,
        upload_id      TEXT,
        stage          TEXT NOT NULL,
        settled_at     INTEGER
    ) STRICT;
    PRAGMA user_version = 4;
";

#[test]
fn a_call_of_the_fourth_format_without_an_answer_may_have_started_an_export_of_unknown_age() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(&[FORMAT_1, FORMAT_2, FORMAT_4].concat())
        .unwrap();
    // Refused before it was taken, a call was written as planned: attempts before it may have been taken.
    let rows = [
        ("PLANNED", None, None, (Stage::Planned, 0)),
        ("PLANNED", Some(5), None, (Stage::Calling, 1)),
        ("CALLING", Some(5), None, (Stage::Calling, 1)),
        ("IN_PROGRESS", Some(5), Some("arn"), (Stage::InProgress, 0)),
        ("REFUSED", Some(5), None, (Stage::Refused, 0)),
    ];
    for (position, (stage, called_at, arn, _)) in (0_i64..).zip(rows) {
        let token = format!("t{position}");
        old.execute(
            "INSERT INTO export (run, position, table_arn, client_token, request, stage, called_at, export_arn)
             VALUES (4, ?1, 'arn', ?2, ?3, ?4, ?5, ?6)",
            params![
                position,
                token,
                serde_json::to_string(&request(&token)).unwrap(),
                stage,
                called_at,
                arn
            ],
        )
        .unwrap();
    }
    drop(old);
    let run = Journal::open(&path)
        .unwrap()
        .run(RunId(4))
        .unwrap()
        .unwrap();
    for (export, (.., expected)) in run.operations.iter().zip(rows) {
        assert_eq!((export.stage, export.unanswered), expected, "{export:?}");
        assert_eq!((export.first_called, export.last_called), (None, None));
    }
}

/// What the fifth and sixth format added, with rows of every table.
const FORMAT_6: &str = r#"
    ALTER TABLE export ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE export ADD COLUMN first_called INTEGER;
    ALTER TABLE export ADD COLUMN last_called INTEGER;
    ALTER TABLE export ADD COLUMN settled_by TEXT;
    ALTER TABLE export ADD COLUMN settled_at INTEGER;
    ALTER TABLE export ADD COLUMN verified_at INTEGER;
    ALTER TABLE export ADD COLUMN remarks TEXT NOT NULL DEFAULT '';
    INSERT INTO change VALUES (9, 10000, '222222222222', '111111111111',
        '{"profile":"dev-admin","role":"arn:aws:iam::222222222222:role/Ops"}', 'the plan', 'bucket-policy',
        '{"of":"bucket_policy","bucket":"export-landing","owner":"222222222222","region":"eu-west-1"}',
        'bucket policy of export-landing', '{ "Sid": "é\n" }' || char(10), '{}', '["Ours"]', 'UNDONE',
        10001, 10002, 10003, 'as it stood');
    INSERT INTO probe VALUES (5, 10000, 'arn:aws:iam::111111111111:user/ada', '111111111111',
        '{"profile":"prod"}', 'the plan', 'export-landing', '222222222222', 'eu-west-1', 'prod/x', 'u-1',
        'BEGUN', NULL);
    INSERT INTO probe VALUES (6, 10000, 'arn:aws:iam::111111111111:user/ada', '111111111111',
        '{"profile":"prod"}', 'the plan', 'export-landing', '222222222222', 'eu-west-1', 'prod/y', NULL,
        'SETTLED', 10004);
    PRAGMA user_version = 6;
"#;

#[test]
fn exports_changes_and_probes_of_the_sixth_format_become_operations_with_all_that_was_known() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(&[FORMAT_1, FORMAT_2, FORMAT_4, FORMAT_6].concat())
        .unwrap();
    old.execute(
        "INSERT INTO export VALUES (4, 0, 'arn:aws:dynamodb:eu-west-1:111111111111:table/Orders', 't1', ?1,
            'COMPLETED', 11, 'arn', 12, 13, 'code', 'message', 3, 4, 'a/manifest', 'no', 'wrong', 'w', 'r',
            1, 14, 15, 'ada', 16, 17, 'one' || char(10) || 'two')",
        [serde_json::to_string(&request("t1")).unwrap()],
    )
    .unwrap();
    drop(old);
    let journal = Journal::open(&path).unwrap();
    let ms = |at| Some(Timestamp::from_millisecond(at).unwrap());
    let export = journal.run(RunId(4)).unwrap().unwrap().operations.remove(0);
    let read = export.to_export().unwrap();
    assert_eq!((read.request, export.token.as_str()), (request("t1"), "t1"));
    assert_eq!((export.stage, export.unanswered), (Stage::Completed, 1));
    assert_eq!(
        [export.called_at, export.started_at, export.ended_at],
        [ms(11), ms(12), ms(13)]
    );
    assert_eq!([export.first_called, export.last_called], [ms(14), ms(15)]);
    assert_eq!(export.failure_code.as_deref(), Some("code"));
    assert_eq!(export.failure_message.as_deref(), Some("message"));
    assert_eq!(
        (read.result.item_count, read.result.billed_size_bytes),
        (Some(3), Some(4))
    );
    assert_eq!(read.result.manifest.as_deref(), Some("a/manifest"));
    assert_eq!(
        (export.verified, export.verified_at),
        (Some(Verified::No), ms(17))
    );
    assert_eq!(export.verification.as_deref(), Some("wrong"));
    assert_eq!(export.remarks, ["one", "two"]);
    assert_eq!(export.settled, ms(16).map(|at| ("ada".to_owned(), at)));
    let fingerprint = export.fingerprint.unwrap();
    assert_eq!(
        (fingerprint.writing.as_str(), fingerprint.reading.as_str()),
        ("w", "r")
    );

    let change = journal.change(ChangeId(9)).unwrap().unwrap();
    assert_eq!(change.before.as_deref(), Some("{ \"Sid\": \"é\\n\" }\n"));
    assert_eq!(change.after.as_deref(), Some("{}"));
    assert_eq!(change.added, ["Ours"]);
    assert_eq!(change.sign_in.role.unwrap().resource, "role/Ops");
    assert_eq!(change.stage, ChangeStage::Undone);
    assert_eq!(
        [change.written_at, change.held_at, change.undone_at],
        [ms(10001), ms(10002), ms(10003)]
    );
    assert_eq!(change.undone_from.as_deref(), Some("as it stood"));
    assert_eq!(
        journal.change(ChangeId(7)).unwrap().unwrap().title,
        "the title"
    );

    let left = journal.unfinished_probes().unwrap();
    assert_eq!(
        (left.len(), left[0].id, left[0].upload_id.as_deref()),
        (1, ProbeId(5), Some("u-1"))
    );
    let settled = journal.probe(ProbeId(6)).unwrap().unwrap();
    assert_eq!(
        (settled.key.as_str(), settled.upload_id, settled.settled_at),
        ("prod/y", None, ms(10004))
    );
}
