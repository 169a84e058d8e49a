//! The flow of readings, key by key.

use rstest::rstest;
use tableferry::job::reading::Reading;
use tableferry::job::{Encryption, Kind, Plan};
use tableferry::tui::message::{Effect, Query};

use crate::driver::Driver;
use crate::pictures::{picture, sized};
use crate::world::World;

const READER: &str = "arn:aws:iam::111111111111:role/Analyst";

/// To the Reader step: another job, both profiles.
const TO_READER: [&str; 8] = [
    "0", "d", // another job
    "enter", "end", "up", "up", "enter", "enter", // both profiles, on
];

/// From the Reader step to the Access step.
const TO_ACCESS: [&str; 3] = ["enter", "enter", "enter"];

/// The plan that was assessed last.
fn assessed(driver: &mut Driver) -> Plan {
    driver.press(&["r"]);
    let asked = driver.asked();
    let plan = asked.into_iter().find_map(|(_, query)| match query {
        Query::Assess(plan) => Some(*plan),
        _ => None,
    });
    driver.settle();
    plan.unwrap()
}

#[test]
fn a_reading_is_planned_by_keys() {
    let mut driver = Driver::new((80, 24));
    driver.go(&TO_READER).shows("Reader · step 2 of 5");
    driver.go(&TO_ACCESS).shows("Access · step 4 of 5");
    let plan = assessed(&mut driver);
    assert_eq!(plan.kind, Kind::Reading(Reading { principal: None }));
    assert_eq!(plan.destination.bucket.as_str(), "export-landing");
    assert_eq!(plan.encryption, Encryption::BucketDefault);
    assert!(plan.tables.is_empty());
    driver.go(&["enter"]).shows("Read · step 5 of 5");
    driver.go(&["y"]).shows("clipboard");
    let copied = driver.done.iter().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.as_str()),
        _ => None,
    });
    let command = "aws s3 cp --recursive s3://export-landing/ DIRECTORY";
    assert_eq!(copied, Some(command));
}

#[test]
fn another_reader_is_typed_and_the_profile_is_one_key_away_again() {
    let mut driver = Driver::new((80, 24));
    driver.go(&TO_READER);
    driver.go(&["t"]).type_text("Analyst").go(&["enter"]);
    driver.shows("is not an ARN");
    driver.go(&["ctrl-u"]).type_text(READER).go(&["enter"]);
    driver.shows("● arn:aws:iam::111111111111:role/Analyst");
    driver.go(&TO_ACCESS);
    let reading = Reading {
        principal: Some(READER.parse().unwrap()),
    };
    assert_eq!(assessed(&mut driver).kind, Kind::Reading(reading));
    driver.go(&["esc", "esc"]).shows("Reader · step 2");
    driver
        .go(&["home", "enter"])
        .shows("● the source's profile");
}

#[rstest]
fn pictures(#[values((60, 16), (80, 24), (120, 40))] size: (u16, u16)) {
    let world = World {
        is_denied: true,
        ..World::default()
    };
    let mut driver = Driver::with(size, world, None);
    driver.go(&TO_READER);
    driver.go(&["t"]).type_text(READER).go(&["enter"]);
    picture(&sized("reader", size), &mut driver);
    driver.go(&["enter"]);
    picture(&sized("read-objects", size), &mut driver);
    driver.go(&TO_ACCESS[1..]).go(&["enter"]);
    picture(&sized("read", size), &mut driver);
}
