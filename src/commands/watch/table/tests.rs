use jiff::SignedDuration;

use super::{LiveTable, Stage, Timestamp, WatchedExport};
use crate::work::watch::UsualTime;

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// An export of the journal that has been under way for so many minutes.
fn export(number: u32, minutes: i64) -> WatchedExport {
    let started_at = now() - SignedDuration::from_mins(minutes);
    let id = crate::archive::layout::ExportId::new(started_at, number);
    let arn = format!("arn:aws:dynamodb:eu-west-1:111111111111:table/T{number}/export/{id}");
    WatchedExport::of_arn(&arn.parse().unwrap())
}

#[test]
fn the_longest_come_first_and_what_has_no_room_is_counted() {
    let mut table = LiveTable::default();
    for number in 0..30 {
        table.take(export(number, i64::from(number)));
    }
    let lines = table.lines(10, 100, now());
    assert_eq!(lines.len(), 9);
    assert!(lines[1].starts_with("T29 "), "{lines:#?}");
    assert_eq!(lines[8], "and 23 more; 30 under way, 0 completed, 0 failed");
}

#[test]
fn a_row_says_what_appeared_of_how_large_a_table_and_how_long_it_takes_yet() {
    let mut table = LiveTable::default();
    let usual = UsualTime::of([5, 7].map(SignedDuration::from_mins).to_vec());
    table.take(WatchedExport {
        seen: Some((12, 3 << 20)),
        table_bytes: Some(40 << 20),
        usual,
        ..export(1, 4)
    });
    let row = &table.lines(24, 100, now())[1];
    for part in [
        "4 min 00 s",
        "3.0 MiB in 12",
        "40.0 MiB",
        "about 2 min 00 s",
    ] {
        assert!(row.contains(part), "`{part}` is not in {row}");
    }
    // What could not be counted this time is not forgotten.
    table.take(export(1, 4));
    assert!(table.lines(24, 100, now())[1].contains("3.0 MiB in 12"));
}

#[test]
fn what_ended_leaves_the_table_and_has_one_line() {
    let mut table = LiveTable::default();
    assert_eq!(table.take(export(1, 4)).len(), 1);
    assert_eq!(table.take(export(1, 4)), Vec::<String>::new());
    let ended = WatchedExport {
        stage: Stage::Completed,
        ended_at: Some(now()),
        item_count: Some(7),
        ..export(1, 4)
    };
    let lines = table.take(ended);
    assert_eq!(
        lines,
        ["T1 (111111111111 eu-west-1): completed, after 4 min 00 s, 7 items"]
    );
    assert_eq!(
        table.lines(24, 100, now())[1..],
        ["0 under way, 1 completed, 0 failed"]
    );
}

#[test]
fn on_a_narrow_terminal_columns_are_left_out_and_none_is_cut() {
    let mut table = LiveTable::default();
    table.take(WatchedExport {
        seen: Some((12, 3 << 20)),
        table_bytes: Some(40 << 20),
        ..export(1, 4)
    });
    let head = |columns| table.lines(24, columns, now()).remove(0);
    assert!(head(100).contains("account"));
    // A terminal of 80 columns, whose last one stays free.
    let narrow = table.lines(24, 79, now());
    assert!(narrow.iter().all(|line| !line.contains('…')), "{narrow:#?}");
    assert!(
        !narrow[0].contains("account") && narrow[0].contains("of table"),
        "{narrow:#?}"
    );
    let narrower = head(63);
    assert!(
        narrower.contains("elapsed") && !narrower.contains("of table"),
        "{narrower}"
    );
    assert!(!head(62).contains("elapsed"));
}
