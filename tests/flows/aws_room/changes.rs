//! The calls that change something: what they send, and that none of them is built where every
//! change is forbidden.

use serde_json::{Value, json};
use tableferry::aws::iam::PolicyHolder;
use tableferry::aws::{Failure, FailureKind, Session};
use tableferry_policy::arn::{AccountId, Arn, BucketName};

use crate::aws_room::fake::{
    CONFIG, Fake, Reply, Request, environment, profile, query_error, region,
};

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;
const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd";
const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders";

fn accept(request: &Request) -> Reply {
    if request.host.starts_with("iam.") {
        let action = request.operation();
        return Reply::xml(
            200,
            &format!(
                "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
                 <ResponseMetadata><RequestId>R</RequestId></ResponseMetadata></{action}Response>"
            ),
        );
    }
    match request.operation().as_str() {
        "" => Reply::xml(204, ""),
        _ => Reply::json(200, "{}"),
    }
}

async fn session(fake: &Fake, is_read_only: bool) -> Session {
    let mut environment = environment(fake, CONFIG);
    if is_read_only {
        environment = environment.read_only();
    }
    environment.sign_in(&profile("ops"), None).await.unwrap()
}

/// Makes every call that changes something.
async fn change_all(session: &Session) -> Vec<Result<(), Failure>> {
    let bucket: BucketName = "export-landing".parse().unwrap();
    let owner: AccountId = "222222222222".parse().unwrap();
    let (key, table): (Arn, Arn) = (KEY.parse().unwrap(), TABLE.parse().unwrap());
    let s3 = session.s3(&region("eu-west-1"));
    let kms = session.kms(&region("eu-west-1"));
    let iam = session.iam();
    let dynamodb = session.dynamodb(&region("eu-west-1"));
    let (user, role) = (PolicyHolder::User("ada"), PolicyHolder::Role("Exporter"));
    vec![
        s3.put_bucket_policy(&bucket, &owner, POLICY).await,
        s3.delete_bucket_policy(&bucket, &owner).await,
        kms.put_key_policy(&key, POLICY).await,
        iam.put_inline_policy(user, "ours", POLICY).await,
        iam.put_inline_policy(role, "ours", POLICY).await,
        iam.delete_inline_policy(user, "ours").await,
        iam.delete_inline_policy(role, "ours").await,
        dynamodb.switch_recovery(&table, true).await,
    ]
}

#[tokio::test]
async fn where_every_change_is_forbidden_no_such_request_is_built() {
    let fake = Fake::with_sts(accept);
    let session = session(&fake, true).await;
    let signing_in = fake.seen().len();
    for answer in change_all(&session).await {
        let failure = answer.unwrap_err();
        assert_eq!(failure.kind, FailureKind::ReadOnly, "{failure}");
        assert!(failure.message.contains("--read-only"), "{failure}");
        assert!(failure.hint.is_some() && !failure.is_retryable());
    }
    assert_eq!(fake.seen().len(), signing_in);
    assert!(session.is_read_only());
    let refused = session.may_change("s3:PutObject", "export-landing/x");
    assert_eq!(refused.unwrap_err().kind, FailureKind::ReadOnly);
}

#[tokio::test]
async fn each_change_sends_what_keeps_it_from_the_wrong_account() {
    let fake = Fake::with_sts(accept);
    let session = session(&fake, false).await;
    for answer in change_all(&session).await {
        answer.unwrap();
    }
    let to_s3: Vec<Request> = fake
        .seen()
        .into_iter()
        .filter(|request| request.path.contains("policy"))
        .collect();
    let methods: Vec<&str> = to_s3
        .iter()
        .map(|request| request.method.as_str())
        .collect();
    assert_eq!(methods, ["PUT", "DELETE"]);
    for request in &to_s3 {
        // "Verifying bucket ownership with bucket owner condition".
        let owner = request.header("x-amz-expected-bucket-owner");
        assert_eq!(owner, Some("222222222222"), "{request:?}");
    }
    assert_eq!(to_s3[0].body, POLICY);

    let to_kms: Value = serde_json::from_str(&fake.seen_of("PutKeyPolicy")[0].body).unwrap();
    assert_eq!(
        to_kms,
        json!({"KeyId": KEY, "PolicyName": "default", "Policy": POLICY}),
        "the lockout check is never bypassed"
    );
    for action in [
        "PutUserPolicy",
        "PutRolePolicy",
        "DeleteUserPolicy",
        "DeleteRolePolicy",
    ] {
        let request = &fake.seen_of(action)[0];
        assert_eq!(request.parameter("PolicyName").as_deref(), Some("ours"));
    }
    let to_dynamodb = &fake.seen_of("UpdateContinuousBackups")[0].body;
    let to_dynamodb: Value = serde_json::from_str(to_dynamodb).unwrap();
    assert_eq!(
        to_dynamodb["PointInTimeRecoverySpecification"],
        json!({"PointInTimeRecoveryEnabled": true})
    );
}

/// `NoSuchEntity` is said of the policy and of its holder alike.
#[tokio::test]
async fn a_policy_that_is_not_there_is_told_from_a_role_that_is_not() {
    let fake = Fake::with_sts(|request| {
        let message = match request.parameter("RoleName").as_deref() {
            Some("Exporter") => "The role policy with name ours cannot be found.",
            _ => "The role with name Nobody cannot be found.",
        };
        query_error(404, "NoSuchEntity", message)
    });
    let iam = session(&fake, false).await.iam();
    let free = iam
        .inline_policy(PolicyHolder::Role("Exporter"), "ours")
        .await;
    assert_eq!(free.unwrap(), None);
    let nobody = iam
        .inline_policy(PolicyHolder::Role("Nobody"), "ours")
        .await;
    assert_eq!(nobody.unwrap_err().code.as_deref(), Some("NoSuchEntity"));
}
