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
        let export = run.exports.remove(0);
        assert_eq!(export.request, request("t1"));
        assert_eq!(export.item_count, Some(3));
        // What was read before it was started nobody knows.
        assert_eq!(export.fingerprint, None);
        // Nor when it was verified.
        assert_eq!((export.verified_at, export.remarks), (None, Vec::new()));
        let changes = journal.changes().unwrap();
        let titles: Vec<&str> = changes.iter().map(|change| change.title.as_str()).collect();
        assert_eq!(titles, &["the title"][..format - 1]);

        let fingerprints = [fingerprint("orders")];
        let run = NewRun {
            fingerprints: &fingerprints,
            ..new_run()
        };
        let new = journal
            .record_run(&run, &[request("t2")], at(11), RunId(4))
            .unwrap();
        drop(journal);
        // Carried over once, it is opened as it is.
        let journal = Journal::open(&path).unwrap();
        let export = journal.run(new).unwrap().unwrap().exports.remove(0);
        assert_eq!(export.fingerprint, Some(fingerprint("orders")));
        let version: i32 = Connection::open(&path)
            .unwrap()
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(version, 6);
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
    // Turned away at the door, a call was written as planned: attempts before it may have been taken.
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
    for (export, (.., expected)) in run.exports.iter().zip(rows) {
        assert_eq!((export.stage, export.unanswered), expected, "{export:?}");
        assert_eq!((export.first_called, export.last_called), (None, None));
    }
}
