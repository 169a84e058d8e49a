//! The flow of uploads, key by key.

use rstest::rstest;
use tableferry::job::upload::Upload;
use tableferry::job::{Encryption, Kind, Plan};
use tableferry::tui::message::{Effect, Query};

use crate::driver::Driver;
use crate::pictures::{picture, sized};
use crate::world::{self, World};

const UPLOADER: &str = "arn:aws:iam::111111111111:role/Uploader";

/// To the Uploader step: another job, both profiles.
const TO_UPLOADER: [&str; 8] = [
    "0", "u", // another job
    "enter", "end", "up", "up", "enter", "enter", // both profiles, on
];

/// From the Uploader step to the Upload step.
const TO_UPLOAD: [&str; 5] = ["enter", "enter", "enter", "enter", "enter"];

fn at_uploader() -> Driver {
    let mut driver = Driver::new((80, 24));
    driver.go(&TO_UPLOADER);
    driver
}

/// The plan that was assessed last.
fn assessed(driver: &mut Driver) -> Plan {
    driver.press(&["r"]);
    let plan = driver
        .asked()
        .into_iter()
        .find_map(|(_, query)| match query {
            Query::Assess(plan) => Some(*plan),
            _ => None,
        });
    driver.settle();
    plan.unwrap()
}

#[test]
fn an_upload_is_planned_by_keys() {
    let mut driver = at_uploader();
    driver.shows("Uploader · step 2 of 6").go(&TO_UPLOAD[..4]);
    driver.shows("Access · step 5 of 6");
    let plan = assessed(&mut driver);
    let upload = Upload {
        principal: None,
        is_multipart: true,
    };
    assert_eq!(plan.kind, Kind::Upload(upload));
    assert_eq!(plan.destination.bucket.as_str(), "export-landing");
    assert_eq!(plan.encryption, Encryption::BucketDefault);
    assert!(plan.tables.is_empty());
    driver.go(&["enter"]);
    driver
        .shows("Upload · step 6 of 6")
        .shows("aws s3 cp FILE s3://export-landing/");
    driver.go(&["y"]).shows("clipboard");
    let copied = driver.done.iter().find_map(|effect| match effect {
        Effect::Copy(text) => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(copied, Some("aws s3 cp FILE s3://export-landing/"));
}

#[test]
fn another_uploader_is_typed_and_one_piece_chosen() {
    let mut driver = at_uploader();
    driver.go(&["t"]).type_text("Uploader").go(&["enter"]);
    driver.shows("is not an ARN");
    driver.go(&["ctrl-u"]).type_text(UPLOADER).go(&["enter"]);
    driver.shows("● arn:aws:iam::111111111111:role/Uploader");
    driver
        .go(&["space"])
        .shows("[in one piece]")
        .go(&TO_UPLOAD[..4]);
    let plan = assessed(&mut driver);
    let upload = Upload {
        principal: Some(UPLOADER.parse().unwrap()),
        is_multipart: false,
    };
    assert_eq!(plan.kind, Kind::Upload(upload));
    // The profile is one key away again.
    driver.go(&["esc", "esc", "esc"]).shows("Uploader · step 2");
    driver
        .go(&["home", "enter"])
        .shows("● the source's profile");
}

#[test]
fn what_an_export_suggests_is_no_upload_s_choice() {
    let mut driver = Driver::new((80, 24));
    driver.go(&["enter", "end", "up", "up", "enter", "enter"]);
    driver.go(&["down", "down", "enter", "enter", "enter", "enter"]);
    driver.shows("● SSE-S3 (AES256)");
    driver.go(&["esc", "esc", "esc"]).go(&["esc", "u"]);
    driver.go(&["n", "n", "n"]).shows("● the bucket's default");
}

#[test]
fn a_plan_file_of_an_upload_opens_its_flow() {
    let plan = world::upload_plan();
    let mut driver = Driver::with((80, 24), World::default(), Some(plan.clone()));
    driver.settle().shows("Source: uploads");
    driver
        .go(&["n"])
        .shows("[in one piece]")
        .shows("role/Uploader");
    driver
        .go(&["n"])
        .shows("s3://export-landing/in/…")
        .go(&["n", "n"]);
    let mut assessed = assessed(&mut driver);
    // S3 agreed to it.
    assert!(assessed.destination.owner.take().is_some());
    assert_eq!(assessed, plan);
}

#[rstest]
fn pictures(#[values((60, 16), (80, 24), (120, 40))] size: (u16, u16)) {
    let world = World {
        is_denied: true,
        ..World::default()
    };
    let mut driver = Driver::with(size, world, None);
    driver.go(&TO_UPLOADER);
    driver.go(&["t"]).type_text(UPLOADER).go(&["enter"]);
    picture(&sized("uploader", size), &mut driver);
    driver.go(&TO_UPLOAD[..3]);
    picture(&sized("upload-encryption", size), &mut driver);
    driver.go(&["enter", "enter"]);
    picture(&sized("upload", size), &mut driver);
}
