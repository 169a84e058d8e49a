//! CloudTrail: which calls are in the event history, in whose, and what an event holds.

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use serde_json::{Value, json};
use tableferry_sandbox::Sandbox;

use super::clients::{profile, profile_in, refusal, sandbox};

async fn events(sandbox: &Sandbox, name: &str, region: &str, resource: &str) -> Vec<Value> {
    let client = aws_sdk_cloudtrail::Client::new(&profile_in(sandbox, name, region).await);
    let attribute = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::ResourceName)
        .attribute_value(resource)
        .build()
        .unwrap();
    let mut found = Vec::new();
    let mut next = None;
    loop {
        let answer = client
            .lookup_events()
            .lookup_attributes(attribute.clone())
            .max_results(2)
            .set_next_token(next)
            .send()
            .await
            .unwrap();
        let events = answer.events().iter();
        found.extend(
            events.map(|event| serde_json::from_str(event.cloud_trail_event().unwrap()).unwrap()),
        );
        next = answer.next_token().map(str::to_owned);
        if next.is_none() {
            return found;
        }
    }
}

fn policy(sid: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::export-nopolicy/*"}]})
}

async fn put_policy(sandbox: &Sandbox, name: &str, policy: &Value) -> bool {
    let s3 = aws_sdk_s3::Client::new(&profile(sandbox, name).await);
    let put = s3.put_bucket_policy().bucket("export-nopolicy");
    put.policy(policy.to_string()).send().await.is_ok()
}

/// Fields: CloudTrail user guide, cloudtrail-event-reference-record-contents; the parameters of
/// `PutBucketPolicy` as public rules show them.
#[tokio::test]
async fn a_policy_that_is_written_is_an_event_with_who_what_and_the_document() {
    let sandbox = sandbox();
    assert!(put_policy(&sandbox, "dev-admin", &policy("One")).await);
    let found = events(&sandbox, "dev-admin", "eu-west-1", "export-nopolicy").await;
    let event = &found[0];
    assert_eq!(found.len(), 1);
    assert_eq!(event["eventName"], "PutBucketPolicy");
    assert_eq!(event["eventSource"], "s3.amazonaws.com");
    assert_eq!(
        event["userIdentity"]["arn"],
        "arn:aws:iam::222222222222:user/dev-admin"
    );
    assert_eq!(event["requestParameters"]["bucketName"], "export-nopolicy");
    assert_eq!(event["requestParameters"]["bucketPolicy"], policy("One"));
    assert_eq!(event["errorCode"], Value::Null);
    assert_eq!(event["recipientAccountId"], "222222222222");
}

#[tokio::test]
async fn a_refused_change_is_recorded_with_its_code_in_both_accounts() {
    let sandbox = sandbox();
    assert!(!put_policy(&sandbox, "prod-admin", &policy("One")).await);
    for name in ["prod-admin", "dev-admin"] {
        let found = events(&sandbox, name, "eu-west-1", "export-nopolicy").await;
        assert_eq!(found[0]["errorCode"], "AccessDenied", "{name}: {found:?}");
        assert_eq!(found[0]["userIdentity"]["accountId"], "111111111111");
    }
}

#[tokio::test]
async fn the_newest_comes_first_and_pages_follow_each_other() {
    let sandbox = sandbox();
    for sid in ["One", "Two", "Three", "Four", "Five"] {
        assert!(put_policy(&sandbox, "dev-admin", &policy(sid)).await);
    }
    let found = events(&sandbox, "dev-admin", "eu-west-1", "export-nopolicy").await;
    let sids: Vec<&str> = found
        .iter()
        .map(|event| {
            event["requestParameters"]["bucketPolicy"]["Statement"][0]["Sid"]
                .as_str()
                .unwrap()
        })
        .collect();
    assert_eq!(sids, ["Five", "Four", "Three", "Two", "One"]);
}

/// "events … occur in that region": IAM's are in us-east-1 since November 2021 (AWS's announcement of the
/// change of CloudTrail's look-up).
#[tokio::test]
async fn iams_events_are_in_the_partitions_global_region_and_no_other() {
    let sandbox = sandbox();
    let iam = aws_sdk_iam::Client::new(&profile(&sandbox, "prod-admin").await);
    let put = iam
        .put_role_policy()
        .role_name("Auditor")
        .policy_name("More");
    put.policy_document(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:ListTables","Resource":"*"}]}"#)
        .send()
        .await
        .unwrap();
    assert!(
        events(&sandbox, "prod-admin", "eu-west-1", "Auditor")
            .await
            .is_empty()
    );
    let found = events(&sandbox, "prod-admin", "us-east-1", "Auditor").await;
    assert_eq!(found[0]["eventName"], "PutRolePolicy");
    assert_eq!(found[0]["requestParameters"]["policyName"], "More");
    let document = found[0]["requestParameters"]["policyDocument"]
        .as_str()
        .unwrap();
    assert!(document.contains("dynamodb:ListTables"), "{document}");
}

#[tokio::test]
async fn what_only_reads_is_no_event_and_looking_up_needs_its_permission() {
    let sandbox = sandbox();
    let s3 = aws_sdk_s3::Client::new(&profile(&sandbox, "dev-admin").await);
    s3.get_bucket_policy()
        .bucket("export-landing")
        .send()
        .await
        .unwrap();
    assert!(
        events(&sandbox, "dev-admin", "eu-west-1", "export-landing")
            .await
            .is_empty()
    );
    let oncall = aws_sdk_cloudtrail::Client::new(&profile(&sandbox, "prod-oncall").await);
    let (code, message) = refusal(oncall.lookup_events().send().await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("cloudtrail:LookupEvents"), "{message}");
}
