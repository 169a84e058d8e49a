//! STS and IAM: who calls, and what it may become.

use aws_credential_types::Credentials;
use aws_sdk_sts::Client;

use super::clients::{assume, config, credentials, keys, profile, refusal, sandbox};

#[tokio::test]
async fn every_profile_with_keys_is_who_its_name_says() {
    let sandbox = sandbox();
    let cases = [
        ("prod-admin", "arn:aws:iam::111111111111:user/prod-admin"),
        ("prod-reader", "arn:aws:iam::111111111111:user/prod-reader"),
        (
            "prod-oncall",
            "arn:aws:sts::111111111111:assumed-role/OnCallExporter/oncall",
        ),
        (
            "prod-sso",
            "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_ExportOperators_0123456789abcdef/pat@example.com",
        ),
        ("dev-admin", "arn:aws:iam::222222222222:user/dev-admin"),
        ("dev-reader", "arn:aws:iam::222222222222:user/dev-reader"),
        (
            "partner-admin",
            "arn:aws:iam::333333333333:user/partner-admin",
        ),
    ];
    for (name, arn) in cases {
        let sts = Client::new(&profile(&sandbox, name).await);
        let identity = sts.get_caller_identity().send().await.unwrap();
        assert_eq!(identity.arn(), Some(arn));
        assert_eq!(identity.account().map(str::len), Some(12));
    }
}

#[tokio::test]
async fn unknown_keys_wrong_secrets_and_wrong_tokens_are_refused() {
    let sandbox = sandbox();
    let call = async |keys: Credentials| {
        let sts = Client::new(&config(&sandbox, keys, "eu-west-1"));
        refusal(sts.get_caller_identity().send().await).0
    };
    let own = keys(&sandbox, "prod-admin");
    let key = own.access_key_id();
    let plain = |id: &str, secret: &str, token: Option<&str>| {
        Credentials::new(id, secret, token.map(str::to_owned), None, "test")
    };
    assert_eq!(
        call(plain("AKIANOBODY", "x", None)).await,
        "InvalidClientTokenId"
    );
    assert_eq!(call(plain(key, "x", None)).await, "SignatureDoesNotMatch");
    let sso = keys(&sandbox, "prod-sso");
    let (id, secret) = (sso.access_key_id(), sso.secret_access_key());
    assert_eq!(call(plain(id, secret, None)).await, "InvalidClientTokenId");
    assert_eq!(
        call(plain(id, secret, Some("other"))).await,
        "InvalidClientTokenId"
    );
}

#[tokio::test]
async fn json_services_have_their_own_words_for_wrong_keys() {
    let sandbox = sandbox();
    let nobody = Credentials::new("AKIANOBODY", "x", None, None, "test");
    let dynamodb = aws_sdk_dynamodb::Client::new(&config(&sandbox, nobody, "eu-west-1"));
    let (code, message) = refusal(dynamodb.list_tables().send().await);
    assert_eq!(code, "UnrecognizedClientException");
    assert_eq!(
        message,
        "The security token included in the request is invalid."
    );
    let wrong = keys(&sandbox, "prod-admin").access_key_id().to_owned();
    let wrong = Credentials::new(wrong, "x", None, None, "test");
    let kms = aws_sdk_kms::Client::new(&config(&sandbox, wrong.clone(), "eu-west-1"));
    assert_eq!(
        refusal(kms.list_keys().send().await).0,
        "InvalidSignatureException"
    );
    let s3 = aws_sdk_s3::Client::new(&config(&sandbox, wrong, "eu-west-1"));
    assert_eq!(
        refusal(s3.list_buckets().send().await).0,
        "SignatureDoesNotMatch"
    );
}

#[tokio::test]
async fn mfa_is_proved_with_serial_and_code_together() {
    let sandbox = sandbox();
    let sts = Client::new(&profile(&sandbox, "prod-admin").await);
    let request = || {
        sts.assume_role()
            .role_arn("arn:aws:iam::111111111111:role/MfaExporter")
            .role_session_name("me")
    };
    let serial = "arn:aws:iam::111111111111:mfa/prod-admin";
    let (code, message) = refusal(request().send().await);
    assert_eq!(code, "AccessDenied");
    assert!(
        message.contains("is not authorized to perform: sts:AssumeRole"),
        "{message}"
    );
    let (_, message) = refusal(request().serial_number(serial).send().await);
    assert_eq!(
        message,
        "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
    );
    let (_, message) = refusal(
        request()
            .serial_number(serial)
            .token_code("654321")
            .send()
            .await,
    );
    assert_eq!(
        message,
        "MultiFactorAuthentication failed with invalid MFA one time pass code. "
    );
    let answer = request()
        .serial_number(serial)
        .token_code("123456")
        .send()
        .await
        .unwrap();
    let arn = answer.assumed_role_user().unwrap().arn();
    assert_eq!(arn, "arn:aws:sts::111111111111:assumed-role/MfaExporter/me");
}

#[tokio::test]
async fn one_session_token_with_mfa_opens_the_role() {
    let sandbox = sandbox();
    let sts = Client::new(&profile(&sandbox, "prod-admin").await);
    let token = sts
        .get_session_token()
        .serial_number("arn:aws:iam::111111111111:mfa/prod-admin")
        .token_code("123456")
        .send()
        .await
        .unwrap();
    let session = credentials(token.credentials().unwrap());
    let sts = Client::new(&config(&sandbox, session, "eu-west-1"));
    sts.assume_role()
        .role_arn("arn:aws:iam::111111111111:role/MfaExporter")
        .role_session_name("me")
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_chained_role_lasts_an_hour_at_most() {
    let sandbox = sandbox();
    let oncall = assume(&sandbox, "prod-admin", "OnCallExporter", "oncall").await;
    let sts = Client::new(&config(&sandbox, oncall, "eu-west-1"));
    let audit = || {
        sts.assume_role()
            .role_arn("arn:aws:iam::111111111111:role/Auditor")
            .role_session_name("chained")
    };
    let (code, message) = refusal(audit().duration_seconds(7200).send().await);
    assert_eq!(code, "ValidationError");
    assert_eq!(
        message,
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role \
         chaining."
    );
    audit().duration_seconds(3600).send().await.unwrap();
    let admin = Client::new(&profile(&sandbox, "prod-admin").await);
    let too_long = admin
        .assume_role()
        .role_arn("arn:aws:iam::111111111111:role/OnCallExporter")
        .role_session_name("long")
        .duration_seconds(7200);
    let (code, message) = refusal(too_long.send().await);
    assert_eq!(code, "ValidationError");
    assert!(message.contains("MaxSessionDuration"), "{message}");
}

#[tokio::test]
async fn the_partner_needs_the_external_id_and_learns_no_reason() {
    let sandbox = sandbox();
    let sts = Client::new(&profile(&sandbox, "partner-admin").await);
    let request = || {
        sts.assume_role()
            .role_arn("arn:aws:iam::111111111111:role/partners/PartnerExporter")
            .role_session_name("partner")
    };
    let (_, message) = refusal(request().external_id("wrong").send().await);
    assert_eq!(
        message,
        "User: arn:aws:iam::333333333333:user/partner-admin is not authorized to perform: \
         sts:AssumeRole on resource: arn:aws:iam::111111111111:role/partners/PartnerExporter"
    );
    request().external_id("ferry-4711").send().await.unwrap();
}

#[tokio::test]
async fn session_policies_narrow_what_a_session_may_do() {
    let sandbox = sandbox();
    let sts = Client::new(&profile(&sandbox, "prod-admin").await);
    let answer = sts
        .assume_role()
        .role_arn("arn:aws:iam::111111111111:role/OnCallExporter")
        .role_session_name("narrow")
        .policy(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:DescribeTable","Resource":"*"}]}"#)
        .send()
        .await
        .unwrap();
    let narrow = credentials(answer.credentials().unwrap());
    let dynamodb = aws_sdk_dynamodb::Client::new(&config(&sandbox, narrow, "eu-west-1"));
    dynamodb
        .describe_table()
        .table_name("Orders")
        .send()
        .await
        .unwrap();
    let (_, message) = refusal(dynamodb.list_tables().send().await);
    assert!(
        message.ends_with("because no session policy allows the dynamodb:ListTables action"),
        "{message}"
    );
}

#[tokio::test]
async fn iam_shows_roles_with_their_paths_and_policies() {
    let sandbox = sandbox();
    let iam = aws_sdk_iam::Client::new(&profile(&sandbox, "prod-reader").await);
    let name = "AWSReservedSSO_ExportOperators_0123456789abcdef";
    let role = iam.get_role().role_name(name).send().await.unwrap();
    let role = role.role().unwrap();
    assert_eq!(
        role.arn(),
        format!("arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/eu-west-1/{name}")
    );
    let attached = iam
        .list_attached_role_policies()
        .role_name(name)
        .send()
        .await
        .unwrap();
    let arn = attached.attached_policies()[0].policy_arn().unwrap();
    let policy = iam.get_policy().policy_arn(arn).send().await.unwrap();
    let version = policy.policy().unwrap().default_version_id().unwrap();
    let document = iam
        .get_policy_version()
        .policy_arn(arn)
        .version_id(version)
        .send()
        .await
        .unwrap();
    let text = document.policy_version().unwrap().document().unwrap();
    assert!(text.starts_with("%7B"), "{text}");
    let inline = iam
        .list_role_policies()
        .role_name(name)
        .send()
        .await
        .unwrap();
    assert_eq!(inline.policy_names(), ["AwsSSOInlinePolicy"]);
    let user = iam.get_user().send().await.unwrap();
    assert_eq!(user.user().unwrap().user_name(), "prod-reader");
    let aliases = iam.list_account_aliases().send().await.unwrap();
    assert_eq!(aliases.account_aliases(), ["tableferry-production"]);
    let (code, _) = refusal(iam.get_role().role_name("Nobody").send().await);
    assert_eq!(code, "NoSuchEntity");
}
