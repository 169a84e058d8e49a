//! IAM: inline policies of users and roles, written and deleted.

use std::time::Duration;

use tableferry_sandbox::Faults;

use super::clients::{profile, refusal, sandbox};

const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:ListTables","Resource":"*"}]}"#;

#[tokio::test]
async fn what_is_written_holds_is_shown_and_goes_again() {
    let sandbox = sandbox();
    let admin = aws_sdk_iam::Client::new(&profile(&sandbox, "prod-admin").await);
    let put = async |document: &str| {
        admin
            .put_role_policy()
            .role_name("Auditor")
            .policy_name("More")
            .policy_document(document)
            .send()
            .await
    };
    put(ALLOW).await.unwrap();
    // A policy of the same name is replaced.
    let other = ALLOW.replace("ListTables", "ListBackups");
    put(&other).await.unwrap();
    let shown = admin
        .get_role_policy()
        .role_name("Auditor")
        .policy_name("More")
        .send()
        .await
        .unwrap();
    assert!(shown.policy_document().contains("ListBackups"));
    let delete = async || {
        admin
            .delete_role_policy()
            .role_name("Auditor")
            .policy_name("More")
            .send()
            .await
    };
    delete().await.unwrap();
    let (code, _) = refusal(delete().await);
    assert_eq!(code, "NoSuchEntity");
}

/// "Changes that you make in IAM … might not be immediately visible" (IAM user guide, "Changes that I
/// make are not always immediately visible").
#[tokio::test]
async fn what_was_just_written_or_deleted_may_not_hold_yet() {
    let sandbox = sandbox();
    let admin = aws_sdk_iam::Client::new(&profile(&sandbox, "prod-admin").await);
    let reader = aws_sdk_dynamodb::Client::new(&profile(&sandbox, "prod-reader").await);
    let may_read = async || {
        let table = "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders";
        let answer = reader
            .get_resource_policy()
            .resource_arn(table)
            .send()
            .await;
        answer.is_ok() || refusal(answer).0 == "PolicyNotFoundException"
    };
    let put = async || {
        let document = ALLOW.replace("ListTables", "GetResourcePolicy");
        let call = admin.put_user_policy().user_name("prod-reader");
        let call = call.policy_name("More").policy_document(document);
        call.send().await.unwrap();
    };
    let wait = |delay| {
        sandbox.set_faults(Faults {
            policy_delay: delay,
            ..Faults::default()
        });
    };
    let hour = Duration::from_hours(1);
    wait(hour);
    put().await;
    assert!(!may_read().await);
    let shown = admin.get_user_policy().user_name("prod-reader");
    assert!(shown.policy_name("More").send().await.is_ok());
    wait(Duration::ZERO);
    put().await;
    assert!(may_read().await);
    wait(hour);
    let delete = admin.delete_user_policy().user_name("prod-reader");
    delete.policy_name("More").send().await.unwrap();
    assert!(may_read().await);
    let listed = admin.list_user_policies().user_name("prod-reader");
    let listed = listed.send().await.unwrap();
    assert!(!listed.policy_names().contains(&"More".to_owned()));
}

#[tokio::test]
async fn what_iam_does_not_take_is_refused() {
    let sandbox = sandbox();
    let admin = aws_sdk_iam::Client::new(&profile(&sandbox, "prod-admin").await);
    let put = async |user: &str, document: &str| {
        let answer = admin
            .put_user_policy()
            .user_name(user)
            .policy_name("More")
            .policy_document(document)
            .send()
            .await;
        refusal(answer).0
    };
    assert_eq!(put("prod-reader", "{").await, "MalformedPolicyDocument");
    let with_principal = ALLOW.replace("\"Effect\"", "\"Principal\":\"*\",\"Effect\"");
    assert_eq!(
        put("prod-reader", &with_principal).await,
        "MalformedPolicyDocument"
    );
    assert_eq!(put("nobody", ALLOW).await, "NoSuchEntity");
    // A user's inline policies may have 2,048 characters together ("IAM and AWS STS quotas").
    let long = ALLOW.replace(
        "\"*\"",
        &format!("\"arn:aws:dynamodb:*:*:table/{}\"", "x".repeat(2048)),
    );
    assert_eq!(put("prod-reader", &long).await, "LimitExceeded");
}

#[tokio::test]
async fn who_may_not_write_policies_writes_none_and_nobody_those_of_identity_center() {
    let sandbox = sandbox();
    let reader = aws_sdk_iam::Client::new(&profile(&sandbox, "prod-reader").await);
    let answer = reader
        .put_user_policy()
        .user_name("prod-reader")
        .policy_name("More")
        .policy_document(ALLOW)
        .send()
        .await;
    let (code, message) = refusal(answer);
    assert_eq!(code, "AccessDenied");
    assert!(message.contains("iam:PutUserPolicy"), "{message}");
    let admin = aws_sdk_iam::Client::new(&profile(&sandbox, "prod-admin").await);
    let answer = admin
        .put_role_policy()
        .role_name("AWSReservedSSO_ExportOperators_0123456789abcdef")
        .policy_name("More")
        .policy_document(ALLOW)
        .send()
        .await;
    assert_eq!(refusal(answer).0, "UnmodifiableEntity");
}
