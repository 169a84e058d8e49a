//! Plans of readings: where the objects lie, who reads, and what is wrong with one.

use rstest::rstest;

use super::super::*;
use super::parse;

const READER: &str = "arn:aws:iam::333333333333:role/teams/Analyst";

fn reading(source: &str, destination: &str, rest: &str) -> String {
    format!("kind = \"read\"\n[source]\n{source}\n[destination]\n{destination}\n{rest}\n")
}

#[rstest]
#[case::an_archive(
    "archive = 's3://landing/prod/AWSDynamoDB/01763805600000-a1b2c3d4/'",
    Some("prod/AWSDynamoDB/01763805600000-a1b2c3d4")
)]
#[case::a_whole_bucket_by_its_address("archive = 's3://landing'", None)]
#[case::a_bucket_and_a_prefix("bucket = 'landing'\nprefix = 'prod'", Some("prod"))]
fn the_place_of_the_objects_is_named_either_way(
    #[case] destination: &str,
    #[case] prefix: Option<&str>,
) {
    let plan = parse(&reading("profile = 'p'", destination, "")).unwrap();
    assert_eq!(plan.kind, Kind::Reading(reading::Reading::default()));
    assert_eq!(plan.destination.bucket.as_str(), "landing");
    assert_eq!(plan.destination.prefix.as_ref().map(Prefix::as_str), prefix);
    assert_eq!(plan.encryption, Encryption::BucketDefault);
    assert_eq!(parse(&plan.to_toml()).unwrap(), plan);
}

#[test]
fn a_reader_without_a_profile_of_its_own_is_read_by_the_destinations() {
    let source = format!("principal = '{READER}'");
    let plan = parse(&reading(&source, "profile = 'd'\nbucket = 'landing'", "")).unwrap();
    assert_eq!(plan.source.sign_in.profile, "d");
    assert_eq!(plan.principal(), Some(&READER.parse().unwrap()));
    assert_eq!(parse(&plan.to_toml()).unwrap(), plan);
}

#[rstest]
#[case::two_places(
    "profile = 'p'",
    "archive = 's3://landing/a'\nprefix = 'b'",
    "",
    "`archive` and `prefix`"
)]
#[case::no_place("profile = 'p'", "profile = 'd'", "", "[destination] lacks `bucket`")]
#[case::no_address(
    "profile = 'p'",
    "archive = 'landing/prod'",
    "",
    "no address of an archive"
)]
#[case::no_bucket_of_that_name("profile = 'p'", "archive = 's3://Landing_/prod'", "", "bucket")]
#[case::nobody_reads("", "bucket = 'landing'", "", "the user or role that reads")]
#[case::a_group(
    "profile = 'p'\nprincipal = 'arn:aws:iam::333333333333:group/U'",
    "bucket = 'landing'",
    "",
    "the ARN of the user or role that reads"
)]
#[case::tables(
    "profile = 'p'",
    "bucket = 'landing'",
    "[[tables]]\nname = 'Orders'",
    "unknown key `tables`"
)]
fn what_is_wrong_with_a_reading_is_told(
    #[case] source: &str,
    #[case] destination: &str,
    #[case] rest: &str,
    #[case] wanted: &str,
) {
    let violations = parse(&reading(source, destination, rest)).unwrap_err();
    assert_eq!(violations.len(), 1, "{violations}");
    assert!(violations.to_string().contains(wanted), "{violations}");
}
