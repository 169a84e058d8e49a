use rusqlite::Connection;

use super::*;
use crate::journal::schema::STEPS;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn record(journal: &Journal, key: &str) -> ProbeId {
    let principal = "arn:aws:sts::111111111111:assumed-role/OnCall/pat";
    let sign_in = SignIn {
        profile: "prod-oncall".to_owned(),
        ..SignIn::default()
    };
    let probe = NewProbe {
        principal: &principal.parse().unwrap(),
        source_account: &"111111111111".parse().unwrap(),
        sign_in: &sign_in,
        plan: "the plan",
        bucket: &"export-landing".parse().unwrap(),
        owner: &"222222222222".parse().unwrap(),
        region: &"eu-west-1".parse().unwrap(),
        key,
    };
    journal.record_probe(&probe, at(10)).unwrap()
}

#[test]
fn a_probe_reads_back_as_it_was_written() {
    let journal = Journal::in_memory().unwrap();
    let id = record(&journal, "prod/AWSDynamoDB/tableferry-probe-1/data/x");
    let read = journal.probe(id).unwrap().unwrap();
    assert_eq!(read.created_at, at(10));
    assert_eq!(read.principal.resource, "assumed-role/OnCall/pat");
    assert_eq!(read.source_account.as_str(), "111111111111");
    assert_eq!(read.sign_in.profile, "prod-oncall");
    assert_eq!(read.plan, "the plan");
    assert_eq!(read.bucket.as_str(), "export-landing");
    assert_eq!(read.owner.as_str(), "222222222222");
    assert_eq!(read.region.as_str(), "eu-west-1");
    assert_eq!(read.key, "prod/AWSDynamoDB/tableferry-probe-1/data/x");
    assert_eq!((read.upload_id, read.settled_at), (None, None));
    assert_eq!(read.stage, ProbeStage::Planned);
    assert_eq!(journal.probe(ProbeId(7)).unwrap(), None);
}

#[test]
fn a_probe_is_unfinished_until_nothing_of_it_is_left() {
    let journal = Journal::in_memory().unwrap();
    let ids: Vec<ProbeId> = ["a", "b", "c"].map(|key| record(&journal, key)).into();
    journal.note_upload(ids[1], "upload-1").unwrap();
    journal.settle_probe(ids[0], at(11)).unwrap();
    let unfinished = journal.unfinished_probes().unwrap();
    let keys: Vec<&str> = unfinished.iter().map(|probe| probe.key.as_str()).collect();
    assert_eq!(keys, ["b", "c"]);
    assert_eq!(unfinished[0].stage, ProbeStage::Begun);
    assert_eq!(unfinished[0].upload_id.as_deref(), Some("upload-1"));
    journal.settle_probe(ids[1], at(12)).unwrap();
    journal.settle_probe(ids[1], at(13)).unwrap();
    let settled = journal.probe(ids[1]).unwrap().unwrap();
    assert_eq!(settled.settled_at, Some(at(12)), "the first time stays");
    assert_eq!(settled.upload_id.as_deref(), Some("upload-1"));
}

#[test]
fn a_probe_that_is_not_there_is_not_noted() {
    let journal = Journal::in_memory().unwrap();
    let noted = journal.note_upload(ProbeId(9), "upload-1");
    assert!(matches!(noted, Err(JournalError::Entry(_))));
    let settled = journal.settle_probe(ProbeId(9), at(1));
    assert!(matches!(settled, Err(JournalError::Entry(_))));
}

#[test]
fn probes_are_made_beside_each_other_and_taken_back_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let (one, other) = (Journal::open(&path).unwrap(), Journal::open(&path).unwrap());
    let making = one.try_lock_probe().unwrap();
    let beside = other.try_lock_probe().unwrap();
    assert!(making.is_some() && beside.is_some());
    assert!(other.try_lock_earlier_probes().unwrap().is_none());
    drop((making, beside));
    let alone = other.try_lock_earlier_probes().unwrap();
    assert!(alone.is_some());
    assert!(one.try_lock_probe().unwrap().is_none());
    // Changes of accounts have nothing to do with it.
    assert!(one.try_lock_changes().unwrap().is_some());
}

#[test]
fn a_journal_of_format_2_keeps_its_rows_and_takes_probes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let format_2 = Connection::open(&path).unwrap();
    for step in STEPS[..2].iter().copied().flatten() {
        format_2.execute_batch(step).unwrap();
    }
    format_2
        .execute_batch(
            "INSERT INTO run VALUES (4, 10000, 'the plan', 'd', 'arn:aws:iam::111111111111:user/ada',
                                     '111111111111', 'eu-west-1', 's3://export-landing/prod');
             PRAGMA user_version = 2;",
        )
        .unwrap();
    drop(format_2);
    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.runs().unwrap()[0].plan, "the plan");
    let id = record(&journal, "x");
    drop(journal);
    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.probe(id).unwrap().unwrap().key, "x");
}
