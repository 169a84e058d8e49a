//! Judgements of archives whose content was read.

use super::*;

const KEY: &str = "AWSDynamoDB/01768385930622-efd1a093/data/a.json.gz";
/// The empty file of a public export (github.com/gurre/ddb-pitr): its MD5, and its ETag as an upload of one
/// part.
const MD5: &str = "FjvgqIxwymKf1RbbqtrZag==";
const ETAG: &str = "7deb4078f238dd87d6af0538152c04e9-1";
/// The MD5 above in hexadecimal, which is the ETag of an object that was put in one piece.
const PUT_WHOLE: &str = "163be0a88c70ca629fd516dbaadad96a";

fn summary(items: u64) -> Summary {
    let text = format!(
        r#"{{"version":"2020-06-30","exportArn":"arn:aws:dynamodb:eu-north-1:123456789123:table/test/export/01768385930622-efd1a093","tableArn":"arn:aws:dynamodb:eu-north-1:123456789123:table/test","exportTime":"2026-01-14T10:18:50.622Z","s3Bucket":"b","s3Prefix":null,"manifestFilesS3Key":"AWSDynamoDB/01768385930622-efd1a093/manifest-files.json","itemCount":{items},"outputFormat":"DYNAMODB_JSON"}}"#
    );
    Summary::parse(text.as_bytes()).unwrap()
}

fn entry(items: u64) -> FileEntry {
    FileEntry {
        item_count: items,
        md5: MD5.to_owned(),
        etag: ETAG.to_owned(),
        key: KEY.to_owned(),
    }
}

fn archive(items: u64, etag: Option<&str>, content: Option<Read>) -> Archive {
    Archive {
        summary: summary(items),
        entries: vec![entry(items)],
        files: vec![FileState::Present {
            size: 20,
            etag: etag.map(str::to_owned),
            content: content.map(Box::new),
        }],
        unlisted: Vec::new(),
        is_moved: false,
    }
}

fn whole(lines: u64) -> FileContent {
    FileContent {
        md5: MD5.to_owned(),
        members: 1,
        lines,
        images: lines,
        ..FileContent::default()
    }
}

fn judged(archive: &Archive) -> (Vec<&'static str>, Vec<&'static str>) {
    judged_by(archive, &Knowledge::default())
}

fn judged_by(archive: &Archive, knowledge: &Knowledge) -> (Vec<&'static str>, Vec<&'static str>) {
    let audit = audit(archive, &Duplicates::default(), knowledge);
    let faults = audit.faults.iter().map(|fault| fault.kind.as_str());
    let notes = audit.notes.iter().map(Note::as_str);
    (faults.collect(), notes.collect())
}

const NOTHING: (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());

#[test]
fn the_etag_of_the_export_and_that_of_the_same_bytes_put_whole_are_as_good() {
    for etag in [ETAG, "\"7deb4078f238dd87d6af0538152c04e9-1\"", PUT_WHOLE] {
        assert_eq!(judged(&archive(0, Some(etag), None)), NOTHING, "{etag}");
    }
}

#[test]
fn another_etag_is_a_fault_in_its_place_and_open_in_a_moved_archive() {
    let mut archive = archive(0, Some("0123456789abcdef0123456789abcdef-3"), None);
    assert_eq!(judged(&archive), (vec!["etag_differs"], vec![]));
    archive.is_moved = true;
    assert_eq!(judged(&archive), (vec![], vec!["moved", "etags_of_copies"]));
}

#[test]
fn bytes_that_were_read_count_for_more_than_an_etag() {
    let read = Some(Read::Whole(whole(0)));
    let archive = archive(0, Some("0123456789abcdef0123456789abcdef-3"), read);
    assert_eq!(judged(&archive), NOTHING);
}

#[test]
fn a_file_that_could_not_be_read_leaves_it_open_and_no_sum_is_held_against_it() {
    let read = Some(Read::Failed("refused".to_owned()));
    let archive = archive(3, Some(ETAG), read);
    let audit = audit(&archive, &Duplicates::default(), &Knowledge::default());
    assert!(
        audit.faults.is_empty() && audit.verdict() == ArchiveVerdict::Undecided,
        "{audit:?}"
    );
}

#[test]
fn a_key_that_a_filter_took_from_all_is_told_and_one_that_some_lack_is_a_fault() {
    let key = || KeySchema::new(vec!["pk:S".parse().unwrap()]).unwrap();
    let lacking = |missing| {
        let content = FileContent {
            missing_keys: [missing, 0],
            keys: Some(key()),
            without_key: vec![2],
            ..whole(3)
        };
        archive(3, Some(ETAG), Some(Read::Whole(content)))
    };
    let filtered = |is_filtered| Knowledge {
        keys: Some(key()),
        is_filtered,
    };
    assert_eq!(
        judged_by(&lacking(3), &filtered(None)).1,
        ["key_projected_away"]
    );
    assert_eq!(
        judged_by(&lacking(1), &filtered(None)).0,
        ["keys_missing", "key_missing"]
    );
    assert_eq!(
        judged_by(&lacking(1), &filtered(Some(true))),
        (vec![], vec!["key_projected_away"])
    );
    assert_eq!(
        judged_by(&lacking(3), &filtered(Some(false))).0[0],
        "keys_missing"
    );
}

#[test]
fn keys_that_stand_twice_are_named_by_both_places() {
    let read = Some(Read::Whole(whole(3)));
    let duplicates = Duplicates {
        found: vec![DuplicateKey {
            first: (0, 1),
            again: (0, 3),
        }],
        more: 2,
    };
    let knowledge = Knowledge {
        keys: Some(KeySchema::new(vec!["pk:S".parse().unwrap()]).unwrap()),
        is_filtered: None,
    };
    let audit = audit(&archive(3, Some(ETAG), read), &duplicates, &knowledge);
    let told: Vec<String> = audit
        .faults
        .iter()
        .map(|fault| fault.kind.to_string())
        .collect();
    assert_eq!(audit.faults[0].line, Some(3));
    assert_eq!(
        told,
        [
            format!("the key stands in line 1 of {KEY} too"),
            "2 more keys stand twice".to_owned()
        ]
    );
}
