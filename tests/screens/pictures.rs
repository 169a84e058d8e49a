//! What each step looks like, at the three sizes at which the layout differs.

use rstest::rstest;
use tableferry::aws::dynamodb::ExportStatus;
use tableferry::journal::RunId;
use tableferry::tui::message::Message;
use tableferry::work::event::{Event, ProgressStage, Verification};

use crate::driver::{Driver, noon};
use crate::world::{World, export};

const HAPPY: [&str; 10] = [
    "enter", "end", "up", "up", "enter", "enter", // both profiles, on
    "down", "down", "enter", "enter", // Orders, on
];

fn at_tables(size: (u16, u16)) -> Driver {
    let mut driver = Driver::new(size);
    driver.go(&HAPPY[..6]);
    driver
}

fn at_destination(size: (u16, u16)) -> Driver {
    let mut driver = Driver::new(size);
    driver.go(&HAPPY);
    driver
}

#[track_caller]
pub(crate) fn picture(name: &str, driver: &mut Driver) {
    insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, driver.screen());
    });
}

pub(crate) fn sized(name: &str, size: (u16, u16)) -> String {
    format!("{name}-{}x{}", size.0, size.1)
}

#[rstest]
fn every_step(#[values((60, 16), (80, 24), (120, 40))] size: (u16, u16)) {
    let mut driver = Driver::new(size);
    driver.settle();
    picture(&sized("accounts", size), &mut driver);
    driver.go(&HAPPY[..5]);
    picture(&sized("accounts-proved", size), &mut driver);

    let mut driver = at_tables(size);
    driver.go(&["down", "down", "space", "down"]);
    picture(&sized("tables", size), &mut driver);

    let mut driver = at_destination(size);
    driver.go(&["end", "enter"]);
    picture(&sized("destination", size), &mut driver);
    driver.go(&["enter"]);
    picture(&sized("encryption", size), &mut driver);
    driver.go(&["enter"]);
    picture(&sized("access", size), &mut driver);
    driver.go(&["enter"]);
    picture(&sized("review", size), &mut driver);
    driver.go(&["enter"]);
    picture(&sized("review-question", size), &mut driver);
    driver.go(&["left", "enter"]);
    driver.dispatch(Message::Reported(Box::new(Event::Journalled {
        run: RunId(3),
    })));
    driver.started(3);
    let mut under_way = export(0, "Orders");
    under_way.files_seen = Some(2);
    under_way.bytes_seen = Some(4096);
    driver.dispatch(Message::Reported(Box::new(Event::Operation(under_way))));
    driver.wait(95);
    picture(&sized("progress", size), &mut driver);
}

#[rstest]
fn what_is_denied_and_what_fixes_it(#[values((60, 16), (80, 24), (120, 40))] size: (u16, u16)) {
    let world = World {
        is_denied: true,
        ..World::default()
    };
    let mut driver = Driver::with(size, world, None);
    driver.go(&HAPPY).go(&["enter", "enter", "enter"]);
    picture(&sized("access-denied", size), &mut driver);
    driver.go(&["space"]);
    picture(&sized("access-detail", size), &mut driver);
    driver.go(&["esc", "tab"]);
    picture(&sized("access-remedy", size), &mut driver);
    driver.go(&["tab"]);
    picture(&sized("access-message", size), &mut driver);
    driver.go(&["enter"]);
    picture(&sized("review-denied", size), &mut driver);
    driver.go(&["enter"]);
    picture(&sized("review-denied-question", size), &mut driver);
}

#[rstest]
fn a_change_of_an_account(#[values((60, 16), (80, 24), (120, 40))] size: (u16, u16)) {
    let world = World {
        is_denied: true,
        production: Some("dev-main".to_owned()),
        ..World::default()
    };
    let mut driver = Driver::with(size, world, None);
    driver.go(&HAPPY).go(&["enter", "enter", "enter", "a"]);
    picture(&sized("change-question", size), &mut driver);
    driver
        .go(&["left", "enter"])
        .type_text("dev")
        .go(&["enter"]);
    picture(&sized("change-name", size), &mut driver);
    driver.type_text("-main").go(&["enter"]).wait(4);
    picture(&sized("change-writing", size), &mut driver);
}

#[rstest]
fn a_probe_of_the_bucket(#[values((60, 16), (80, 24), (120, 40))] size: (u16, u16)) {
    let world = World {
        production: Some("dev-main".to_owned()),
        ..World::default()
    };
    let mut driver = Driver::with(size, world, None);
    driver.go(&HAPPY).go(&["enter", "enter", "enter", "p"]);
    picture(&sized("probe-question", size), &mut driver);
    driver.go(&["end"]);
    picture(&sized("probe-question-end", size), &mut driver);
    driver.go(&["left", "enter"]).wait(2);
    picture(&sized("probe-making", size), &mut driver);
}

#[rstest]
fn accounts_that_are_marked_production(#[values((60, 16), (80, 24), (120, 40))] size: (u16, u16)) {
    let world = World {
        is_denied: true,
        production: Some("dev-main".to_owned()),
        ..World::default()
    };
    let mut driver = Driver::with(size, world, None);
    driver.go(&HAPPY[..5]);
    picture(&sized("production-accounts", size), &mut driver);
    driver.go(&HAPPY[5..]).go(&["enter", "enter", "enter"]);
    picture(&sized("production-access", size), &mut driver);
    driver.go(&["enter"]);
    picture(&sized("production-review", size), &mut driver);
}

#[rstest]
fn what_is_in_place_at_the_end(#[values((60, 16), (80, 24))] size: (u16, u16)) {
    let mut driver = at_destination(size);
    driver.go(&["enter", "enter", "enter", "enter", "enter", "left", "enter"]);
    driver.started(3);
    let mut good = export(0, "Orders");
    good.stage = ProgressStage::Running(ExportStatus::Completed);
    driver.dispatch(Message::Reported(Box::new(Event::Operation(good))));
    driver.world.changes = vec![crate::access::change(1), crate::access::change(2)];
    let (request, _) = driver.watch().unwrap();
    driver.dispatch(Message::WatchEnded(request, Ok(())));
    driver.settle();
    picture(&sized("changes-in-place", size), &mut driver);
    driver.go(&["down", "enter"]);
    picture(&sized("undo-question", size), &mut driver);
}

#[test]
fn while_both_accounts_are_still_surveyed() {
    let mut driver = at_destination((80, 24));
    driver.go(&["enter", "enter"]).press(&["enter"]);
    picture("loading-access", &mut driver);
    driver.press(&["enter"]);
    picture("loading-review", &mut driver);
}

#[rstest]
fn the_end_of_a_run(#[values((60, 16), (80, 24), (120, 40))] size: (u16, u16)) {
    let mut driver = at_destination(size);
    driver.go(&["enter", "enter", "enter", "enter", "enter", "left", "enter"]);
    driver.started(3);
    let mut good = export(0, "Orders");
    good.stage = ProgressStage::Running(ExportStatus::Completed);
    good.item_count = Some(10_240);
    good.billed_size_bytes = Some(1_310_720);
    good.manifest = Some("AWSDynamoDB/01763812800000-a1b2c3d4/manifest-summary.json".to_owned());
    good.ended_at = Some(noon() + jiff::SignedDuration::from_secs(140));
    good.verification = Some(Verification::Verified {
        files: 5,
        bytes: 201_338,
        items: 10_240,
    });
    good.verified_at = good.ended_at;
    good.remarks = vec![
        "AWSDynamoDB/01763812800000-a1b2c3d4/manifest-summary.json: its checksum file is missing"
            .to_owned(),
    ];
    let mut bad = export(1, "Users");
    bad.stage = ProgressStage::Running(ExportStatus::Failed);
    bad.failure_code = Some("S3AccessDenied".to_owned());
    bad.failure_message = Some(
        "User: arn:aws:sts::111111111111:assumed-role/OnCall/mona is not authorized to perform: \
         s3:PutObject on resource: \"arn:aws:s3:::export-landing/AWSDynamoDB/x\" because no \
         resource-based policy allows the s3:PutObject action"
            .to_owned(),
    );
    bad.ended_at = good.ended_at;
    driver.dispatch(Message::Reported(Box::new(Event::Operation(good))));
    driver.dispatch(Message::Reported(Box::new(Event::Operation(bad))));
    let (request, _) = driver.watch().unwrap();
    driver.dispatch(Message::WatchEnded(request, Ok(())));
    driver.wait(150);
    picture(&sized("progress-ended", size), &mut driver);
}

#[rstest]
fn popups(#[values((60, 16), (80, 24))] size: (u16, u16)) {
    let mut driver = Driver::new(size);
    driver.go(&["?"]);
    picture(&sized("help", size), &mut driver);
    driver.go(&["esc", "e"]);
    picture(&sized("sign-in-form", size), &mut driver);
    driver.go(&["esc", "down", "enter"]);
    picture(&sized("mfa", size), &mut driver);
    let world = World {
        is_real: true,
        ..World::default()
    };
    let mut driver = Driver::with(size, world, None);
    driver.go(&["down", "down", "enter"]);
    picture(&sized("log-in", size), &mut driver);
    let mut driver = at_tables(size);
    driver.go(&["down", "down", "o", "space", "tab", "tab"]);
    picture(&sized("table-form", size), &mut driver);
}

#[test]
fn while_everything_is_still_read() {
    let mut driver = Driver::new((80, 24));
    picture("loading-profiles", &mut driver);
    driver.settle().press(&["enter"]);
    picture("loading-identity", &mut driver);
}

#[test]
fn a_refusal_is_shown_in_full() {
    let world = World {
        refuses_tables: true,
        ..World::default()
    };
    let mut driver = Driver::with((80, 24), world, None);
    driver.go(&HAPPY[..6]);
    picture("tables-refused", &mut driver);
}

#[test]
fn an_account_without_tables_says_so() {
    let world = World {
        has_no_tables: true,
        ..World::default()
    };
    let mut driver = Driver::with((80, 24), world, None);
    driver.go(&HAPPY[..6]);
    driver.shows("There are no tables in 111111111111 in eu-west-1");
}

#[test]
fn in_ascii_every_sign_has_a_stand_in() {
    let mut driver = at_tables((80, 24));
    driver.theme.is_ascii = true;
    picture("tables-ascii", &mut driver);
    assert!(driver.screen().is_ascii());
}

#[test]
fn a_terminal_that_is_too_small_says_which_size_is_needed() {
    let mut driver = Driver::new((20, 5));
    driver.settle();
    picture("too-small", &mut driver);
    Driver::new((1, 1)).settle().screen();
}
