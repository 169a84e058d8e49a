//! Plans of uploads: their fields, their defaults, and what is wrong with one.

use rstest::rstest;

use super::super::*;
use super::parse;

const UPLOADER: &str = "arn:aws:iam::111111111111:role/teams/Uploader";

fn upload(head: &str, source: &str, destination: &str, rest: &str) -> String {
    format!(
        "kind = \"upload\"\n{head}\n[source]\n{source}\n\
         [destination]\nbucket = \"uploads-kms\"\n{destination}\n{rest}\n"
    )
}

#[test]
fn an_upload_leaves_the_encryption_to_the_bucket_and_sends_files_in_parts() {
    let plan = parse(&upload("", "profile = 'p'", "", "")).unwrap();
    let wanted = Kind::Upload(upload::Upload {
        principal: None,
        is_multipart: true,
    });
    assert_eq!(plan.kind, wanted);
    assert_eq!(plan.encryption, Encryption::BucketDefault);
    assert!(plan.tables.is_empty());
}

#[test]
fn a_principal_without_a_profile_of_its_own_is_read_by_the_destinations() {
    let source = format!("principal = '{UPLOADER}'");
    let plan = parse(&upload("", &source, "profile = 'dev-admin'", "")).unwrap();
    assert_eq!(plan.source.sign_in.profile, "dev-admin");
    assert_eq!(plan.principal(), Some(&UPLOADER.parse().unwrap()));
}

#[rstest]
#[case::by_default("multipart = false", "")]
#[case::with_keys_of_s3("", "[encryption]\nalgorithm = 'AES256'")]
#[case::with_a_key(
    "multipart = true",
    "[encryption]\nalgorithm = 'KMS'\nkey = 'alias/uploads'"
)]
fn an_upload_is_read_as_it_is_written(#[case] head: &str, #[case] rest: &str) {
    let source = format!("profile = 'p'\nprincipal = '{UPLOADER}'");
    let plan = parse(&upload(head, &source, "prefix = 'in'", rest)).unwrap();
    assert_eq!(parse(&plan.to_toml()).unwrap(), plan);
}

#[rstest]
#[case::nobody_uploads("", "", "", "", "[source] lacks `profile`")]
#[case::nobody_reads(
    "",
    "principal = 'arn:aws:iam::111111111111:role/U'",
    "",
    "",
    "no profile to read"
)]
#[case::a_group(
    "",
    "principal = 'arn:aws:iam::111111111111:group/U'",
    "profile = 'd'",
    "",
    "not the ARN of a user or role"
)]
#[case::tables(
    "",
    "profile = 'p'",
    "",
    "[[tables]]\nname = 'Orders'",
    "unknown key `tables`"
)]
#[case::a_word_for_multipart("multipart = 'yes'", "profile = 'p'", "", "", "must be true or false")]
#[case::a_key_without_kms(
    "",
    "profile = 'p'",
    "",
    "[encryption]\nkey = 'alias/uploads'",
    "has a key, and no algorithm"
)]
fn what_is_wrong_with_an_upload_is_told(
    #[case] head: &str,
    #[case] source: &str,
    #[case] destination: &str,
    #[case] rest: &str,
    #[case] wanted: &str,
) {
    let violations = parse(&upload(head, source, destination, rest)).unwrap_err();
    assert_eq!(violations.len(), 1, "{violations}");
    assert!(violations.to_string().contains(wanted), "{violations}");
}

#[test]
fn a_kind_that_there_is_not_is_told_and_an_export_takes_no_principal() {
    let describe = |text: &str| parse(text).unwrap_err().to_string();
    let text = upload("", "profile = 'p'", "", "").replace("upload\"\n", "uplaod\"\n");
    assert!(
        describe(&text).contains("did you mean `upload`?"),
        "{}",
        describe(&text)
    );
    let export = "[source]\nprofile = 'p'\nprincipal = 'x'\n[destination]\nbucket = 'landing'\n\
                  [[tables]]\nname = 'Orders'";
    assert!(
        describe(export).contains("unknown key `principal`"),
        "{}",
        describe(export)
    );
}
