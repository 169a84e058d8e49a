//! Manifests and data lines as the developer guide's page on the output of a table export shows
//! them, whole and damaged.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::manifest::{FileEntry, ManifestError, Summary};
use super::verify::{ArchiveFinding, Folder, Listed, verify};
use crate::job::{Format, Span, View};

const FULL: &str = r#"{
   "version": "2020-06-30",
   "exportArn": "arn:aws:dynamodb:us-east-1:123456789012:table/ProductCatalog/export/01234567890123-a1b2c3d4",
   "startTime": "2020-11-04T07:28:34.028Z",
   "endTime": "2020-11-04T07:33:43.897Z",
   "tableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/ProductCatalog",
   "tableId": "12345a12-abcd-123a-ab12-1234abc12345",
   "exportTime": "2020-11-04T07:28:34.028Z",
   "s3Bucket": "ddb-productcatalog-export",
   "s3Prefix": "2020-Nov",
   "s3SseAlgorithm": "AES256",
   "s3SseKmsKeyId": null,
   "manifestFilesS3Key": "AWSDynamoDB/01693685827463-2d8752fd/manifest-files.json",
   "billedSizeBytes": 0,
   "itemCount": 8,
   "outputFormat": "DYNAMODB_JSON"
}"#;

const INCREMENTAL: &str = r#"{
 "version": "2023-08-01",
 "exportArn": "arn:aws:dynamodb:us-east-1:599882009758:table/export-test/export/01695097218000-d6299cbd",
 "startTime": "2023-09-19T04:20:18.000Z",
 "endTime": "2023-09-19T04:40:24.780Z",
 "tableArn": "arn:aws:dynamodb:us-east-1:599882009758:table/export-test",
 "tableId": "b116b490-6460-4d4a-9a6b-5d360abf4fb3",
 "exportFromTime": "2023-09-18T17:00:00.000Z",
 "exportToTime": "2023-09-19T04:00:00.000Z",
 "s3Bucket": "jason-exports",
 "s3Prefix": "20230919-prefix",
 "s3SseAlgorithm": "AES256",
 "s3SseKmsKeyId": null,
 "manifestFilesS3Key": "20230919-prefix/AWSDynamoDB/01693685934212-ac809da5/manifest-files.json",
 "billedSizeBytes": 20901239349,
 "itemCount": 169928274,
 "outputFormat": "DYNAMODB_JSON",
 "outputView": "NEW_AND_OLD_IMAGES",
 "exportType": "INCREMENTAL_EXPORT"
}"#;

const LIST: &str = r#"{"itemCount":8,"md5Checksum":"sQMSpEILNgoQmarvDFonGQ==","etag":"af83d6f217c19b8b0fff8023d8ca4716-1","dataFileS3Key":"AWSDynamoDB/01693685827463-2d8752fd/data/asdl123dasas.json.gz"}
{"itemCount":0,"md5Checksum":"1B2M2Y8AsgTpgAmY7PhCfg==","etag":"d41d8cd98f00b204e9800998ecf8427e","dataFileS3Key":"AWSDynamoDB/01693685827463-2d8752fd/data/empty.json.gz"}
"#;

#[test]
fn the_summary_of_a_full_export_is_read() {
    let summary = Summary::parse(FULL.as_bytes()).unwrap();
    assert_eq!(summary.version, Summary::FULL_VERSION);
    assert_eq!(summary.item_count, 8);
    assert_eq!(summary.billed_size_bytes, Some(0));
    assert_eq!(summary.prefix.as_deref(), Some("2020-Nov"));
    assert_eq!(summary.sse_kms_key_id, None);
    assert_eq!(summary.format, Some(Format::DynamoDbJson));
    let exported = "2020-11-04T07:28:34.028Z".parse().unwrap();
    assert_eq!(
        summary.span,
        Some(Span::Full {
            time: Some(exported)
        })
    );
    assert_eq!(summary.start_time, Some(exported));
}

#[test]
fn the_summary_of_an_incremental_export_is_read() {
    let summary = Summary::parse(INCREMENTAL.as_bytes()).unwrap();
    assert_eq!(summary.version, Summary::INCREMENTAL_VERSION);
    assert_eq!(
        summary.span,
        Some(Span::Incremental {
            from: "2023-09-18T17:00:00Z".parse().unwrap(),
            to: "2023-09-19T04:00:00Z".parse().unwrap(),
            view: View::NewAndOldImages,
        })
    );
}

#[test]
fn a_summary_is_written_with_the_documented_members_in_their_order() {
    for documented in [FULL, INCREMENTAL] {
        let summary = Summary::parse(documented.as_bytes()).unwrap();
        let written: serde_json::Value = serde_json::from_str(&summary.to_json()).unwrap();
        let expected: serde_json::Value = serde_json::from_str(documented).unwrap();
        assert_eq!(written, expected);
        let members = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(members(&written), members(&expected));
        assert!(!summary.to_json().contains('\n'));
    }
}

#[test]
fn a_summary_may_have_members_that_we_do_not_know_and_lack_what_we_can_do_without() {
    let short = r#"{"exportArn":"a","tableArn":"t","s3Bucket":"b","manifestFilesS3Key":"k",
        "itemCount":1,"outputFormat":"PARQUET","filterSpecification":{"x":[1]}}"#;
    let summary = Summary::parse(short.as_bytes()).unwrap();
    assert_eq!((summary.item_count, summary.format), (1, None));
    assert_eq!((summary.span, summary.prefix), (None, None));
}

#[test]
fn a_damaged_summary_is_told_with_its_line() {
    let cases: [(&[u8], &str); 5] = [
        (b"", "manifest-summary.json, line 1"),
        (b"<html>\n", "manifest-summary.json, line 1"),
        (b"{\n\"itemCount\": -1}", "manifest-summary.json, line 2"),
        (b"{}", "missing field"),
        (b"{\"version\": \"\xff\"}", "byte 13 is not UTF-8"),
    ];
    for (bytes, part) in cases {
        let error = Summary::parse(bytes).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn the_list_of_files_is_read_and_written_line_by_line() {
    let entries = FileEntry::parse_list(LIST.as_bytes()).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].item_count, 8);
    assert_eq!(entries[0].etag, "af83d6f217c19b8b0fff8023d8ca4716-1");
    assert_eq!(FileEntry::write_list(&entries), LIST);
    let spaced = format!("\n{}\r\n\n", LIST.replace('\n', "\r\n"));
    assert_eq!(FileEntry::parse_list(spaced.as_bytes()).unwrap(), entries);
}

#[test]
fn a_damaged_list_is_told_with_its_line() {
    let damaged = LIST.replace("\"itemCount\":0", "\"itemCount\":\"0\"");
    let error = FileEntry::parse_list(damaged.as_bytes()).unwrap_err();
    assert!(
        matches!(error, ManifestError::Line { line: 2, .. }),
        "{error}"
    );
    assert!(error.to_string().starts_with("manifest-files.json, line 2"));
}

fn whole() -> (Summary, Vec<FileEntry>, BTreeMap<String, Listed>) {
    let summary = Summary::parse(FULL.as_bytes()).unwrap();
    let entries = FileEntry::parse_list(LIST.as_bytes()).unwrap();
    let listing = entries
        .iter()
        .zip([700, 20])
        .map(|(entry, size)| {
            let listed = Listed {
                size,
                etag: format!("\"{}\"", entry.etag),
            };
            (entry.key.clone(), listed)
        })
        .collect();
    (summary, entries, listing)
}

#[test]
fn a_whole_export_has_no_findings_and_its_totals() {
    let (summary, entries, listing) = whole();
    let report = verify(&summary, &entries, &listing, Folder::Own);
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!((report.files, report.bytes, report.items), (2, 720, 8));
}

#[test]
fn files_are_found_below_the_prefix_when_the_manifest_leaves_it_out() {
    let (summary, entries, listing) = whole();
    let prefixed = listing
        .into_iter()
        .map(|(key, listed)| (format!("2020-Nov/{key}"), listed))
        .collect();
    assert!(verify(&summary, &entries, &prefixed, Folder::Own).is_whole());
}

#[test]
fn a_file_that_is_missing_is_found() {
    let (summary, entries, mut listing) = whole();
    listing.remove(&entries[1].key);
    let report = verify(&summary, &entries, &listing, Folder::Own);
    let key = entries[1].key.clone();
    assert_eq!(report.findings, [ArchiveFinding::Missing { key }]);
    assert_eq!(report.bytes, 700);
}

#[test]
fn a_file_that_was_changed_is_found() {
    let (summary, entries, mut listing) = whole();
    listing.get_mut(&entries[0].key).unwrap().etag = "other".to_owned();
    let report = verify(&summary, &entries, &listing, Folder::Own);
    assert_eq!(
        report.findings,
        [ArchiveFinding::EtagDiffers {
            key: entries[0].key.clone(),
            expected: "af83d6f217c19b8b0fff8023d8ca4716-1".to_owned(),
            found: "other".to_owned(),
        }]
    );
}

#[test]
fn counts_that_do_not_add_up_are_found() {
    let (mut summary, entries, listing) = whole();
    summary.item_count = 9;
    let report = verify(&summary, &entries, &listing, Folder::Own);
    assert_eq!(
        report.findings,
        [ArchiveFinding::CountDiffers {
            expected: 9,
            found: 8
        }]
    );
}

#[test]
fn a_file_that_is_named_twice_is_found() {
    let (mut summary, mut entries, listing) = whole();
    entries.push(entries[0].clone());
    summary.item_count = 16;
    let report = verify(&summary, &entries, &listing, Folder::Own);
    let key = entries[0].key.clone();
    assert_eq!(report.findings, [ArchiveFinding::NamedTwice { key }]);
}

#[test]
fn what_the_manifest_does_not_name_is_found_in_a_folder_of_the_exports_own_alone() {
    let (summary, entries, mut listing) = whole();
    let (folder, _) = entries[0].key.rsplit_once('/').unwrap();
    let listed = |size| Listed {
        size,
        etag: "e".to_owned(),
    };
    listing.insert(format!("{folder}/"), listed(0));
    assert!(verify(&summary, &entries, &listing, Folder::Own).is_whole());
    listing.insert(format!("{folder}/0.json.gz"), listed(20));
    listing.insert(format!("{folder}/notes.txt"), listed(0));
    let report = verify(&summary, &entries, &listing, Folder::Own);
    let first = format!("{folder}/0.json.gz");
    assert_eq!(
        report.findings,
        [ArchiveFinding::Unnamed { first, count: 2 }]
    );
    assert!(verify(&summary, &entries, &listing, Folder::Shared).is_whole());
}

#[test]
fn an_empty_list_is_whole_only_for_a_window_without_changes() {
    let (mut full, _, listing) = whole();
    full.item_count = 0;
    let nothing = BTreeMap::new();
    let report = verify(&full, &[], &nothing, Folder::Own);
    assert_eq!(report.findings, [ArchiveFinding::NoFiles]);
    let mut incremental = Summary::parse(INCREMENTAL.as_bytes()).unwrap();
    incremental.item_count = 0;
    assert!(verify(&incremental, &[], &listing, Folder::Shared).is_whole());
    incremental.item_count = 1;
    assert_eq!(
        verify(&incremental, &[], &listing, Folder::Shared)
            .findings
            .len(),
        2
    );
}

fn damaged(text: &str, damage: Vec<(Index, Index, Vec<u8>)>) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (from, length, patch) in damage {
        let start = from.index(bytes.len() + 1);
        let end = (start + length.index(9)).min(bytes.len());
        bytes.splice(start..end, patch);
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn damaged_files_are_read_or_refused_and_never_panic(
        damage in vec((any::<Index>(), any::<Index>(), vec(any::<u8>(), 0..4)), 1..4),
    ) {
        for text in [FULL, INCREMENTAL] {
            if let Ok(summary) = Summary::parse(&damaged(text, damage.clone())) {
                let (_, entries, listing) = whole();
                let _ = verify(&summary, &entries, &listing, Folder::Own);
                let again = Summary::parse(summary.to_json().as_bytes());
                prop_assert!(again.is_ok(), "{:?}", again);
            }
        }
        if let Ok(entries) = FileEntry::parse_list(&damaged(LIST, damage.clone())) {
            let (summary, _, listing) = whole();
            let _ = verify(&summary, &entries, &listing, Folder::Own);
            let again = FileEntry::parse_list(FileEntry::write_list(&entries).as_bytes()).unwrap();
            prop_assert_eq!(again, entries);
        }
    }

    #[test]
    fn a_dropped_changed_or_doubled_file_never_verifies(at in any::<Index>(), how in 0..3_u8) {
        let (summary, mut entries, mut listing) = whole();
        let index = at.index(entries.len());
        let key = entries[index].key.clone();
        match how {
            0 => drop(listing.remove(&key)),
            1 => listing.get_mut(&key).unwrap().etag.push('0'),
            _ => entries.push(entries[index].clone()),
        }
        prop_assert!(!verify(&summary, &entries, &listing, Folder::Own).is_whole());
    }
}
