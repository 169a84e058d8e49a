//! Faults, switched on.

use aws_sdk_dynamodb::Client;
use tableferry_sandbox::Faults;

use super::clients::{profile, refusal, sandbox};
use super::exports::request;

#[tokio::test]
async fn throttling_strikes_as_often_as_asked() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    sandbox.set_faults(Faults {
        throttled_requests: 1,
        ..Faults::default()
    });
    let (code, message) = refusal(dynamodb.list_tables().send().await);
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("ThrottlingException", "Rate exceeded")
    );
    dynamodb.list_tables().send().await.unwrap();
}

#[tokio::test]
async fn expired_credentials_have_each_services_words() {
    let sandbox = sandbox();
    let config = profile(&sandbox, "prod-admin").await;
    sandbox.set_faults(Faults {
        has_expired_credentials: true,
        ..Faults::default()
    });
    let dynamodb = Client::new(&config);
    assert_eq!(
        refusal(dynamodb.list_tables().send().await).0,
        "ExpiredTokenException"
    );
    let sts = aws_sdk_sts::Client::new(&config);
    assert_eq!(
        refusal(sts.get_caller_identity().send().await).0,
        "ExpiredToken"
    );
    let s3 = aws_sdk_s3::Client::new(&config);
    assert_eq!(refusal(s3.list_buckets().send().await).0, "ExpiredToken");
}

#[tokio::test]
async fn an_export_whose_answer_is_lost_is_started_all_the_same() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    sandbox.set_faults(Faults {
        lost_export_answers: 1,
        ..Faults::default()
    });
    let call = || request(&dynamodb, "Empty", "export-landing").client_token("t");
    let error = call().send().await.unwrap_err();
    assert!(error.as_service_error().is_none(), "{error:?}");
    let again = call().send().await.unwrap();
    let listed = dynamodb.list_exports().send().await.unwrap();
    assert_eq!(listed.export_summaries().len(), 1);
    assert_eq!(
        listed.export_summaries()[0].export_arn(),
        again.export_description().unwrap().export_arn()
    );
}

#[tokio::test]
async fn a_reset_connection_does_nothing() {
    let sandbox = sandbox();
    let dynamodb = Client::new(&profile(&sandbox, "prod-oncall").await);
    sandbox.set_faults(Faults {
        reset_connections: 1,
        ..Faults::default()
    });
    assert!(
        request(&dynamodb, "Empty", "export-landing")
            .send()
            .await
            .is_err()
    );
    let listed = dynamodb.list_exports().send().await.unwrap();
    assert!(listed.export_summaries().is_empty());
}
