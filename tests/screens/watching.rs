//! The flow that watches exports, key by key.

use jiff::SignedDuration;
use tableferry::archive::layout::ExportId;
use tableferry::diagnosis::OperationFailure;
use tableferry::journal::Stage;
use tableferry::tui::message::{Effect, Message, QueryGroup, Watch};
use tableferry::tui::remote::RequestId;
use tableferry::work::FailedOperation;
use tableferry::work::watch::{UsualTime, WatchEvent, WatchedExport};

use crate::driver::{Driver, noon};

/// An export that has been under way for so many minutes.
fn export(number: u32, minutes: i64) -> WatchedExport {
    let id = ExportId::new(noon() - SignedDuration::from_mins(minutes), number);
    let arn =
        format!("arn:aws:dynamodb:eu-west-1:111111111111:table/Table-{number:03}/export/{id}");
    WatchedExport::of_arn(&arn.parse().unwrap())
}

/// At the Watch step, with both accounts proved; the number of its watch.
fn at_watch() -> (Driver, RequestId) {
    let mut driver = Driver::new((80, 24));
    driver.go(&["enter", "end", "up", "up", "enter", "w"]);
    let request = driver.done.iter().find_map(|effect| match effect {
        Effect::Watch(request, Watch::Accounts) => Some(*request),
        _ => None,
    });
    (driver, request.unwrap())
}

fn report(driver: &mut Driver, request: RequestId, export: WatchedExport) {
    let event = WatchEvent::Export(Box::new(export));
    driver.dispatch(Message::Watched(request, event));
}

#[test]
fn one_key_leads_from_the_accounts_to_what_is_under_way() {
    let (mut driver, request) = at_watch();
    driver
        .shows("Watch · step 2 of 2")
        .shows("no export is under way");
    report(
        &mut driver,
        request,
        WatchedExport {
            seen: Some((12, 3 << 20)),
            table_bytes: Some(40 << 20),
            usual: UsualTime::of([5, 7].map(SignedDuration::from_mins).to_vec()),
            ..export(1, 4)
        },
    );
    driver
        .shows("1 under way, 0 completed, 0 failed")
        .shows("3.0 MiB")
        .shows("≈ 2 min 00 s");
    driver.go(&["enter"]);
    driver
        .shows("12 files, 3.0 MiB compressed")
        .shows("40.0 MiB uncompressed")
        .shows("the median of 2 completed exports");
}

#[test]
fn without_accounts_the_key_says_what_is_missing() {
    let mut driver = Driver::new((80, 24));
    driver.go(&["w"]);
    driver.shows("step 1 of 2").shows("choose the accounts");
}

#[test]
fn of_three_hundred_the_cursor_stays_in_sight_and_on_its_row() {
    let (mut driver, request) = at_watch();
    for number in 0..300 {
        report(
            &mut driver,
            request,
            export(number, 400 - i64::from(number)),
        );
    }
    driver.shows("Table-000").hides("Table-299");
    driver.go(&["end"]).shows("Table-299").hides("Table-000");
    // A new state of others moves nothing.
    let ended = WatchedExport {
        stage: Stage::Completed,
        ended_at: Some(noon()),
        ..export(5, 395)
    };
    report(&mut driver, request, ended);
    driver
        .shows("Table-299")
        .shows("299 under way, 1 completed");
    driver.go(&["/"]).type_text("table-007").shows("Table-007");
    driver.hides("Table-299").shows("1 found");
}

#[test]
fn a_failure_opens_its_diagnosis() {
    let (mut driver, request) = at_watch();
    let failed = WatchedExport {
        stage: Stage::Failed,
        ended_at: Some(noon()),
        failure: Some(FailedOperation {
            name: "Table-001".to_owned(),
            arn: None,
            failure: OperationFailure {
                operation: "ExportTableToPointInTime".to_owned(),
                code: Some("S3NoSuchBucket".to_owned()),
                message: Some("The specified bucket does not exist".to_owned()),
                bucket: Some("landing".to_owned()),
                ..OperationFailure::default()
            },
        }),
        ..export(1, 4)
    };
    report(&mut driver, request, failed);
    driver.shows("S3NoSuchBucket").go(&["d"]);
    driver.shows("Why it failed").shows("bucket does not exist");
}

#[test]
fn who_leaves_the_step_watches_no_more() {
    let (mut driver, request) = at_watch();
    driver.go(&["b"]);
    let cancelled = driver
        .done
        .iter()
        .rev()
        .any(|effect| matches!(effect, Effect::Cancel(QueryGroup::Watching)));
    assert!(cancelled, "{:?}", driver.done.last());
    assert!(matches!(
        driver.done.last(),
        Some(Effect::Cancel(QueryGroup::Watching))
    ));
    report(&mut driver, request, export(1, 4));
    driver.go(&["enter"]);
    driver.shows("0 under way");
}

#[test]
fn why_an_account_cannot_be_watched_is_told() {
    let (mut driver, request) = at_watch();
    let why = "dynamodb:ListExports on all tables: AccessDeniedException: no".to_owned();
    driver.dispatch(Message::WatchedEnded(request, Err(why)));
    driver.shows("AccessDeniedException");
}
