//! The sandbox's clock, moved: signatures, tokens, sessions and exports go by it.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::Client;
use jiff::SignedDuration;
use rstest::rstest;

use super::clients::{profile, refusal, sandbox};
use super::exports::request;

/// Clients whose second attempt goes by the `Date` of the first one's answer.
pub(crate) fn correcting(config: &SdkConfig) -> SdkConfig {
    let retry = RetryConfig::standard()
        .with_max_attempts(2)
        .with_initial_backoff(Duration::ZERO);
    config.to_builder().retry_config(retry).build()
}

#[rstest]
#[case::ahead(20, "Signature expired")]
#[case::behind(-20, "Signature not yet current")]
#[tokio::test]
async fn what_is_signed_by_another_clock_is_refused_in_each_services_words(
    #[case] minutes: i64,
    #[case] words: &str,
) {
    let sandbox = sandbox();
    let config = profile(&sandbox, "prod-admin").await;
    sandbox.set_clock_offset(SignedDuration::from_mins(minutes));
    let (code, message) = refusal(Client::new(&config).list_tables().send().await);
    assert_eq!(code, "InvalidSignatureException");
    assert!(message.starts_with(words), "{message}");
    let sts = aws_sdk_sts::Client::new(&config);
    let (code, message) = refusal(sts.get_caller_identity().send().await);
    assert_eq!(code, "SignatureDoesNotMatch");
    assert!(message.starts_with(words), "{message}");
    let s3 = aws_sdk_s3::Client::new(&config);
    let refused = refusal(s3.list_buckets().send().await);
    assert_eq!(refused.0, "RequestTimeTooSkewed");
}

#[rstest]
#[case::ahead(12)]
#[case::behind(-12)]
#[tokio::test]
async fn a_client_that_goes_by_the_date_of_the_answers_is_served(#[case] hours: i64) {
    let sandbox = sandbox();
    let config = correcting(&profile(&sandbox, "prod-admin").await);
    sandbox.set_clock_offset(SignedDuration::from_hours(hours));
    Client::new(&config).list_tables().send().await.unwrap();
    let s3 = aws_sdk_s3::Client::new(&config);
    s3.list_buckets().send().await.unwrap();
    let sts = aws_sdk_sts::Client::new(&config);
    sts.get_caller_identity().send().await.unwrap();
}

/// Ten minutes are too many for DynamoDB, and not for STS and S3.
#[tokio::test]
async fn services_differ_in_what_they_tolerate() {
    let sandbox = sandbox();
    let config = profile(&sandbox, "prod-admin").await;
    sandbox.set_clock_offset(SignedDuration::from_mins(10));
    let sts = aws_sdk_sts::Client::new(&config);
    sts.get_caller_identity().send().await.unwrap();
    let s3 = aws_sdk_s3::Client::new(&config);
    s3.list_buckets().send().await.unwrap();
    let (code, _) = refusal(Client::new(&config).list_tables().send().await);
    assert_eq!(code, "InvalidSignatureException");
}

#[tokio::test]
async fn an_export_has_the_sandboxs_times_and_its_token_holds_for_eight_hours_by_them() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&correcting(&profile(&sandbox, "prod-admin").await));
    let mut arns = Vec::new();
    for minutes in [0, 8 * 60 - 1, 8 * 60 + 1] {
        sandbox.set_clock_offset(SignedDuration::from_mins(minutes));
        let start = request(&dynamodb, "Empty", "export-landing").client_token("t");
        let started = start.send().await.unwrap().export_description.unwrap();
        arns.push(started.export_arn.unwrap());
    }
    assert_eq!(arns[0], arns[1]);
    assert_ne!(arns[0], arns[2]);
    let told = dynamodb.describe_export().export_arn(&arns[2]);
    let told = told.send().await.unwrap().export_description.unwrap();
    let told = u64::try_from(told.start_time.unwrap().secs()).unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let ahead = told.abs_diff(now.unwrap().as_secs());
    assert_eq!(ahead / 3600, 8, "{ahead}");
}

#[tokio::test]
async fn a_session_ends_by_the_sandboxs_clock() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&correcting(&profile(&sandbox, "prod-oncall").await));
    sandbox.set_clock_offset(SignedDuration::from_mins(59));
    dynamodb.list_tables().send().await.unwrap();
    sandbox.set_clock_offset(SignedDuration::from_mins(61));
    let (code, _) = refusal(dynamodb.list_tables().send().await);
    assert_eq!(code, "ExpiredTokenException");
}
