use rstest::rstest;

use super::*;
use crate::job::{Encryption, ExportRequest, Format, Span};
use crate::journal::{Journal, NewRun, RunId, new_export};

fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}Z").parse().unwrap()
}

fn record(first: Option<&str>, last: Option<&str>) -> Operation {
    let request = ExportRequest {
        table_arn: "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders"
            .parse()
            .unwrap(),
        bucket: "export-landing".parse().unwrap(),
        bucket_owner: None,
        prefix: None,
        encryption: Encryption::Aes256,
        format: Format::DynamoDbJson,
        span: Span::Full { time: None },
        filter: None,
        client_token: "t".to_owned(),
    };
    let run = NewRun {
        plan: "",
        digest: "",
        source_arn: "",
        source_account: "111111111111",
        source_region: "eu-west-1",
        destination: "",
        destination_arn: None,
    };
    let journal = Journal::in_memory().unwrap();
    let id = journal
        .record_run(
            &run,
            &[new_export(&request, "111111111111", None)],
            at("20T10:00:00"),
            Some(RunId(0)),
        )
        .unwrap();
    let mut export = journal.run(id).unwrap().unwrap().operations.remove(0);
    journal
        .begin_call(&mut export, at("20T10:00:00"), None)
        .unwrap();
    export.first_called = first.map(at);
    export.last_called = last.map(at);
    export
}

#[rstest]
// 15 minutes until the last request can no longer be accepted, 5 for the listing.
#[case::too_early(Some("20T10:00:00"), Some("20T10:00:30"), "20T10:20:29", None)]
#[case::late_enough(Some("20T10:00:00"), Some("20T10:00:30"), "20T10:20:30", Some(true))]
// The first look-up gives the time that the next one counts from.
#[case::last_call_unknown(Some("20T10:00:00"), None, "25T10:00:00", None)]
#[case::first_call_unknown(None, Some("25T10:00:00"), "25T10:20:00", Some(true))]
#[case::beyond_the_listing(Some("20T10:00:00"), Some("20T10:00:00"), "20T10:00:00", Some(false))]
fn absence_proves_nothing_before_the_last_request_is_void(
    #[case] first: Option<&str>,
    #[case] last: Option<&str>,
    #[case] asked_at: &str,
    #[case] is_proved: Option<bool>,
) {
    let mut asked_at = at(asked_at);
    if is_proved == Some(false) {
        asked_at += SignedDuration::from_hours(90 * 24);
    }
    let found = absence(
        &record(first, last),
        Some(asked_at),
        Some(at("01T00:00:00")),
    );
    match is_proved {
        Some(true) => assert!(matches!(found, LookUp::Absent), "{found:?}"),
        Some(false) => assert!(matches!(found, LookUp::Unproved), "{found:?}"),
        None => assert!(
            matches!(found, LookUp::NotYet(proof) if proof > asked_at),
            "{found:?}"
        ),
    }
}

#[rstest]
#[case::no_time_told(None, Some("01T00:00:00"))]
#[case::table_made_again(Some("25T10:00:00"), Some("20T10:00:01"))]
#[case::table_not_read(Some("25T10:00:00"), None)]
fn a_listing_that_does_not_reach_back_to_the_call_proves_nothing(
    #[case] asked_at: Option<&str>,
    #[case] created_at: Option<&str>,
) {
    let record = record(Some("20T10:00:00"), Some("20T10:00:00"));
    let found = absence(&record, asked_at.map(at), created_at.map(at));
    assert!(matches!(found, LookUp::Unproved), "{found:?}");
}

#[test]
fn the_start_of_an_export_is_read_from_its_id() {
    let export: Arn =
        "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/export/01795324670539-0000abcd"
            .parse()
            .unwrap();
    assert_eq!(
        started_at(&export).map(Timestamp::as_millisecond),
        Some(1_795_324_670_539)
    );
    let other: Arn = "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/export/x"
        .parse()
        .unwrap();
    assert_eq!(started_at(&other), None);
}
