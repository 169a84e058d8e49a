//! KMS keys and IAM roles through the real clients.

use serde_json::{Value, json};
use tableferry::aws::FailureKind;
use tableferry::aws::kms::UNKNOWN_STATE;

use crate::aws_room::fake::{Fake, Reply, Request, query_error, region, signed_in};

fn arn(id: &str) -> String {
    format!("arn:aws:kms:eu-west-1:222222222222:key/{id}")
}

fn kms(request: &Request) -> Reply {
    let body: Value = serde_json::from_str(&request.body).unwrap();
    let answer = match request.operation().as_str() {
        "ListKeys" if body.get("Marker").is_none() => json!({
            "Keys": [{"KeyId": "a", "KeyArn": arn("a")}, {"KeyId": "b", "KeyArn": arn("b")}],
            "Truncated": true, "NextMarker": "m",
        }),
        "ListKeys" => json!({"Keys": [{"KeyId": "rsa", "KeyArn": arn("rsa")}], "Truncated": false}),
        "ListAliases" => json!({"Aliases": [
            {"AliasName": "alias/exports", "TargetKeyId": "a"},
            {"AliasName": "alias/second", "TargetKeyId": "a"},
            {"AliasName": "alias/aws/s3"},
        ], "Truncated": false}),
        _ => return describe(body["KeyId"].as_str().unwrap()),
    };
    Reply::json(200, &answer.to_string())
}

fn describe(id: &str) -> Reply {
    if id == arn("b") {
        let body = r#"{"__type":"AccessDeniedException","message":"no"}"#;
        return Reply::json(400, body);
    }
    let (spec, usage) = if id.ends_with("rsa") {
        ("RSA_2048", "SIGN_VERIFY")
    } else {
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    };
    let arn = if id.starts_with("alias/") {
        arn("a")
    } else {
        id.to_owned()
    };
    let body = json!({"KeyMetadata": {
        "KeyId": "a", "Arn": arn, "KeyState": "Enabled", "KeyManager": "CUSTOMER",
        "KeySpec": spec, "KeyUsage": usage, "Description": "for exports",
    }});
    Reply::json(200, &body.to_string())
}

#[tokio::test]
async fn keys_are_listed_with_aliases_and_a_refused_description_costs_only_itself() {
    let fake = Fake::with_sts(kms);
    let session = signed_in(&fake).await;
    let keys = session.kms(&region("eu-west-1")).list_keys().await.unwrap();
    assert_eq!(keys.len(), 2, "an asymmetric key is none for S3: {keys:?}");
    assert_eq!(keys[0].aliases, ["alias/exports", "alias/second"]);
    assert_eq!(
        (keys[0].state.as_str(), keys[0].is_aws_managed),
        ("Enabled", false)
    );
    assert_eq!(keys[1].arn.to_string(), arn("b"));
    assert_eq!(keys[1].state, UNKNOWN_STATE);
}

#[tokio::test]
async fn an_alias_is_described_as_the_key_behind_it() {
    let fake = Fake::with_sts(kms);
    let session = signed_in(&fake).await;
    let key = session
        .kms(&region("eu-west-1"))
        .describe_key("alias/exports")
        .await
        .unwrap();
    assert_eq!(key.arn.to_string(), arn("a"));
    assert_eq!(key.aliases, ["alias/exports"]);
}

#[tokio::test]
async fn a_role_is_read_with_its_path_and_boundary() {
    let fake = Fake::with_sts(|request| {
        assert_eq!(request.host, "iam.amazonaws.com");
        Reply::xml(
            200,
            "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role>\
             <Path>/teams/data/</Path><RoleName>Exporter</RoleName><RoleId>AROAX</RoleId>\
             <Arn>arn:aws:iam::111111111111:role/teams/data/Exporter</Arn>\
             <CreateDate>2026-01-01T00:00:00Z</CreateDate><PermissionsBoundary>\
             <PermissionsBoundaryType>Policy</PermissionsBoundaryType>\
             <PermissionsBoundaryArn>arn:aws:iam::111111111111:policy/Edge</PermissionsBoundaryArn>\
             </PermissionsBoundary></Role></GetRoleResult></GetRoleResponse>",
        )
    });
    let role = signed_in(&fake).await.iam().role("Exporter").await.unwrap();
    assert_eq!(role.arn.resource, "role/teams/data/Exporter");
    assert_eq!(
        role.boundary.as_deref(),
        Some("arn:aws:iam::111111111111:policy/Edge")
    );
}

#[tokio::test]
async fn a_role_that_may_not_be_read_is_a_refusal() {
    let fake = Fake::with_sts(|_| query_error(403, "AccessDenied", "no"));
    let failure = signed_in(&fake)
        .await
        .iam()
        .role("Exporter")
        .await
        .unwrap_err();
    assert_eq!(
        (failure.kind, failure.operation.as_str()),
        (FailureKind::AccessDenied, "iam:GetRole")
    );
}
