use super::*;
use crate::archive::audit::ArchiveVerdict;
use crate::journal::{ArchiveVerification, RunId, VerificationId};

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders";

fn export() -> ImportedExport {
    ImportedExport {
        export_arn: format!("{TABLE}/export/01693685827463-2d8752fd"),
        table_arn: TABLE.to_owned(),
        status: ExportStatus::Completed,
        started_at: Some("2026-11-01T10:00:00.463Z".parse().unwrap()),
        ended_at: Some("2026-11-01T10:06:00Z".parse().unwrap()),
        bucket: Some("export-landing".to_owned()),
        prefix: None,
        item_count: Some(3),
        billed_size_bytes: Some(0),
        manifest: Some("AWSDynamoDB/01693685827463-2d8752fd/manifest-summary.json".to_owned()),
        failure_code: None,
        failure_message: None,
    }
}

fn verified(place: &str) -> VerificationRecord {
    VerificationRecord {
        id: VerificationId(4),
        at: "2026-11-02T10:00:00Z".parse().unwrap(),
        verification: ArchiveVerification {
            place: place.to_owned(),
            fetched_to: Some("/home/me/copies".to_owned()),
            run: Some(RunId(3)),
            export_arn: Some(export().export_arn),
            table_arn: Some(TABLE.to_owned()),
            reader: Some("arn:aws:iam::222222222222:user/dev-admin".to_owned()),
            is_deep: true,
            verdict: ArchiveVerdict::Whole,
            files: 4,
            bytes: 80,
            items: 3,
            lines: Some(3),
            manifests: Vec::new(),
            faults: Vec::new(),
            fault_count: 0,
            is_of_another_machine: false,
        },
    }
}

fn handed() -> HandedHistory {
    let imported = crate::journal::ImportedRecord {
        imported_at: Timestamp::UNIX_EPOCH,
        export: export(),
    };
    let entries = [
        HistoryEntry::Imported(Box::new(imported)),
        HistoryEntry::Verification(Box::new(verified("s3://export-landing/AWSDynamoDB/x/"))),
        HistoryEntry::Verification(Box::new(verified("/home/me/copies"))),
    ];
    HandedHistory::of(&entries, "2026-11-03T10:00:00Z".parse().unwrap())
}

#[test]
fn what_is_written_is_read_and_what_only_this_machine_knows_stays_here() {
    let text = handed().to_json().unwrap();
    let read = HandedHistory::from_json(&text).unwrap();
    assert_eq!(read, handed());
    assert_eq!(read.exports, [export()]);
    let [verification] = &read.verifications[..] else {
        panic!("{text}")
    };
    assert_eq!(verification.verification.run, None);
    assert!(verification.verification.is_of_another_machine);
    assert!(!text.contains("/home/me"), "{text}");
}

#[test]
fn a_file_that_was_altered_or_cut_or_is_another_is_refused() {
    let text = handed().to_json().unwrap();
    let altered = text.replace("\"item_count\": 3", "\"item_count\": 4");
    assert_ne!(altered, text);
    let refused = |text: &str| HandedHistory::from_json(text).unwrap_err();
    assert!(matches!(refused(&altered), HandedHistoryError::Altered));
    let cut = &text[..text.len() / 2];
    assert!(matches!(refused(cut), HandedHistoryError::Foreign(_)));
    assert!(matches!(refused("{}"), HandedHistoryError::Foreign(_)));
    let later = text.replace(
        "\"tableferry_history\": 1",
        "\"tableferry_history\": 2, \"new\": 0",
    );
    assert!(matches!(
        refused(&later),
        HandedHistoryError::TooNew { found: 2 }
    ));
}

#[test]
fn what_is_no_export_of_its_table_is_refused_although_the_digest_is_right() {
    let refused = |change: fn(&mut ImportedExport)| {
        let mut handed = handed();
        change(&mut handed.exports[0]);
        handed.digest = handed.own_digest();
        HandedHistory::from_json(&handed.to_json().unwrap()).unwrap_err()
    };
    let changes: [fn(&mut ImportedExport); 4] = [
        |export| export.export_arn = "arn:aws:s3:::x".to_owned(),
        |export| export.table_arn.push_str("/x"),
        |export| export.export_arn.push_str("/y"),
        |export| export.export_arn = format!("{TABLE}/export/"),
    ];
    for change in changes {
        assert!(matches!(
            refused(change),
            HandedHistoryError::NotAnExport(_)
        ));
    }
    let error = refused(|export| export.bucket = Some("a/b".to_owned()));
    assert!(
        matches!(error, HandedHistoryError::NotABucket(_)),
        "{error}"
    );
}
