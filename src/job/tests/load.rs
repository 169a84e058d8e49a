//! Plans that are loads and replays.

use std::path::PathBuf;

use jiff::Timestamp;
use rstest::rstest;

use crate::job::load::{ArchiveAddress, restore_command};
use crate::job::requirement::Check;
use crate::job::{Plan, TableRef};

const LOAD: &str = r#"kind = "load"

[source]
profile = "dev-admin"

[destination]
profile = "dev-reader"
archive = "s3://landing/prod/AWSDynamoDB/01763805600000-a1b2c3d4"
owner = "222222222222"

[table]
name = "Orders-copy"
max_write_units = 250
onto_source = true
"#;

const REPLAY: &str = r#"kind = "replay"

[source]
profile = "dev-admin"

[destination]
profile = "dev-admin"
archive = "s3://landing/AWSDynamoDB/01763805600000-a1b2c3d4"
directory = "/archives/full"
windows = ["s3://landing/AWSDynamoDB/01763805700000-a1b2c3d4", "/archives/second"]

[table]
name = "Orders-copy"
"#;

fn parse(text: &str) -> Result<Plan, String> {
    Plan::parse(text, "plan", Timestamp::UNIX_EPOCH).map_err(|violations| violations.to_string())
}

#[test]
fn a_load_is_read_and_written_the_same() {
    let plan = parse(LOAD).unwrap();
    let load = plan.load().unwrap();
    assert_eq!(load.most_write_units, Some(250));
    assert!(load.is_onto_source && !load.is_replay());
    assert_eq!(
        plan.tables[0].table,
        TableRef::Name("Orders-copy".to_owned())
    );
    assert!(plan.checks().contains(&Check::Recovery));
    assert!(plan.checks().contains(&Check::Bucket));
    assert_eq!(plan.to_toml(), LOAD);
}

#[test]
fn a_replay_is_read_and_written_the_same() {
    let plan = parse(REPLAY).unwrap();
    let load = plan.load().unwrap();
    assert_eq!(load.directory, Some(PathBuf::from("/archives/full")));
    assert_eq!(
        load.windows,
        [
            ArchiveAddress::Bucket {
                bucket: "landing".parse().unwrap(),
                owner: None,
                folder: "AWSDynamoDB/01763805700000-a1b2c3d4/".to_owned(),
            },
            ArchiveAddress::Directory(PathBuf::from("/archives/second")),
        ]
    );
    assert_eq!(plan.to_toml(), REPLAY);
}

#[test]
fn what_lies_on_this_machine_needs_no_bucket() {
    let local = REPLAY.replace("\"s3://landing/AWSDynamoDB/01763805700000-a1b2c3d4\", ", "");
    let plan = parse(&local).unwrap();
    assert!(!plan.checks().contains(&Check::Bucket));
    assert!(plan.checks().contains(&Check::Recovery));
}

#[rstest]
#[case::no_window(
    "windows = [\"s3://landing/AWSDynamoDB/01763805700000-a1b2c3d4\", \"/archives/second\"]",
    "windows = []",
    "nothing to replay"
)]
#[case::a_directory_in_part("/archives/second", "second", "nor a directory in full")]
#[case::another_bucket(
    "s3://landing/AWSDynamoDB/01763805700000",
    "s3://elsewhere/AWSDynamoDB/01763805700000",
    "another bucket"
)]
#[case::no_rate(
    "name = \"Orders-copy\"",
    "name = \"Orders-copy\"\nmax_write_units = 0",
    "no rate"
)]
#[case::another_partition(
    "name = \"Orders-copy\"",
    "name = \"arn:aws-cn:dynamodb:cn-north-1:222222222222:table/Orders-copy\"",
    "aws-cn"
)]
fn what_cannot_be_replayed_is_refused(#[case] old: &str, #[case] new: &str, #[case] told: &str) {
    assert!(REPLAY.contains(old));
    let changed = REPLAY.replace(old, new).replacen(
        "profile = \"dev-admin\"\n",
        "profile = \"dev-admin\"\nregion = \"eu-west-1\"\n",
        1,
    );
    let refused = parse(&changed).unwrap_err();
    assert!(refused.contains(told), "{refused}");
}

#[test]
fn a_window_of_a_load_is_an_unknown_key() {
    let text = LOAD.replace("owner =", "windows = []\nowner =");
    assert!(parse(&text).unwrap_err().contains("`windows`"));
}

/// The AWS CLI's reference of `restore-table-to-point-in-time`.
#[test]
fn a_table_is_restored_to_a_moment_under_another_name() {
    let arn = "arn:aws:dynamodb:eu-west-1:222222222222:table/Orders-copy";
    let at = Timestamp::from_second(1_768_384_800).unwrap();
    assert_eq!(
        restore_command(&arn.parse().unwrap(), at),
        "aws dynamodb restore-table-to-point-in-time --region eu-west-1 --source-table-name Orders-copy \
         --target-table-name Orders-copy-before --restore-date-time 2026-01-14T10:00:00Z"
    );
}
