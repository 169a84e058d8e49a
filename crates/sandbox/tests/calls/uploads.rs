//! Uploads to a bucket whose default encryption is a customer managed key: what S3 and KMS ask of which principal,
//! by "Required permissions for Amazon S3 API operations" and "Multipart upload API and permissions"
//! (S3 user guide).

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use rstest::rstest;
use serde_json::{Value, json};
use tableferry_sandbox::{Options, Sandbox};

use super::clients::{assume, config, refusal};

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const BUCKET: &str = "uploads-kms";

fn document(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// May upload, and use the key as given.
fn identity(key_actions: &[&str]) -> Value {
    let mut statements = vec![json!({
        "Sid": "Upload",
        "Effect": "Allow",
        "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
        "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
    })];
    if !key_actions.is_empty() {
        statements.push(json!({
            "Sid": "Encrypt", "Effect": "Allow", "Action": key_actions, "Resource": KEY,
        }));
    }
    document(&statements.into())
}

/// The bucket's account gives the uploader's all that an upload takes.
fn bucket_policy() -> Value {
    document(&json!([{
        "Sid": "Uploads",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
        "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
        "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
    }]))
}

/// A world with a role `Uploader` in 111111111111 and a bucket with an account, a default key, and
/// policies of choice.
fn world(account: &str, key: &str, identity: &Value, bucket_policy: &Value) -> Value {
    let mut world: Value = serde_json::from_str(include_str!("../../assets/world.json")).unwrap();
    let trust = document(&json!([{
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:user/prod-admin"},
        "Action": "sts:AssumeRole",
    }]));
    let role = json!({"id": "AROASANDBOXUPLOADER00", "trust": trust, "inline": {"own": identity}});
    world["accounts"]["111111111111"]["roles"]["Uploader"] = role;
    world["buckets"][BUCKET] = json!({
        "account": account,
        "region": "eu-west-1",
        "default_encryption": {"algorithm": "aws:kms", "key": key, "bucket_key": true},
        "policy": bucket_policy,
    });
    world
}

fn open(world: &Value) -> Sandbox {
    Sandbox::of_world(&world.to_string(), Options::default()).unwrap()
}

async fn uploader(sandbox: &Sandbox) -> SdkConfig {
    let keys = assume(sandbox, "prod-admin", "Uploader", "up").await;
    config(sandbox, keys, "eu-west-1")
}

/// `None` where the object is put, else the message of the refusal.
async fn put(s3: &Client) -> Option<String> {
    let put = s3.put_object().bucket(BUCKET).key("small");
    let put = put.body(ByteStream::from_static(b"ahoy")).send().await;
    put.is_err().then(|| {
        let (code, message) = refusal(put);
        assert_eq!(code, "AccessDenied");
        message
    })
}

/// The operation that is refused, with its message; `None` where the upload is completed.
async fn put_in_parts(s3: &Client) -> Option<(&'static str, String)> {
    let place = s3.create_multipart_upload().bucket(BUCKET).key("large");
    let begun = match place.send().await {
        Ok(begun) => begun,
        refused => return Some(("CreateMultipartUpload", refusal(refused).1)),
    };
    let id = begun.upload_id().unwrap();
    let part = s3.upload_part().bucket(BUCKET).key("large").upload_id(id);
    let part = part.part_number(1).body(ByteStream::from_static(b"ahoy"));
    let part = match part.send().await {
        Ok(part) => part,
        refused => return Some(("UploadPart", refusal(refused).1)),
    };
    let part = CompletedPart::builder()
        .part_number(1)
        .set_e_tag(part.e_tag().map(str::to_owned));
    let parts = CompletedMultipartUpload::builder().parts(part.build());
    let end = s3
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key("large")
        .upload_id(id)
        .multipart_upload(parts.build());
    match end.send().await {
        Ok(_) => None,
        refused => Some(("CompleteMultipartUpload", refusal(refused).1)),
    }
}

const BOTH: &[&str] = &["kms:GenerateDataKey", "kms:Decrypt"];

/// An upload in one piece takes kms:GenerateDataKey, one in parts kms:Decrypt as well: "Amazon S3 must
/// decrypt and read data from the encrypted file parts before it completes the multipart upload".
#[rstest]
#[case::neither(&[], Some("kms:GenerateDataKey"), Some("kms:GenerateDataKey"))]
#[case::without_decrypt(&["kms:GenerateDataKey"], None, Some("kms:Decrypt"))]
#[case::without_generate_data_key(&["kms:Decrypt"], Some("kms:GenerateDataKey"), Some("kms:GenerateDataKey"))]
#[case::both(BOTH, None, None)]
#[tokio::test]
async fn a_key_of_another_account_is_asked_of_the_identity_policy(
    #[case] key_actions: &[&str],
    #[case] small: Option<&str>,
    #[case] large: Option<&str>,
) {
    let identity = identity(key_actions);
    let sandbox = open(&world("222222222222", KEY, &identity, &bucket_policy()));
    let s3 = Client::new(&uploader(&sandbox).await);
    let words =
        |action: &str| format!("because no identity-based policy allows the {action} action");
    let refused = put(&s3).await;
    assert_eq!(refused.is_some(), small.is_some(), "{refused:?}");
    if let (Some(message), Some(action)) = (refused, small) {
        assert!(message.ends_with(&words(action)), "{message}");
    }
    let refused = put_in_parts(&s3).await;
    assert_eq!(refused.is_some(), large.is_some(), "{refused:?}");
    if let (Some((operation, message)), Some(action)) = (refused, large) {
        assert_eq!(operation, "CreateMultipartUpload");
        assert!(message.ends_with(&words(action)), "{message}");
    }
}

/// "Both the key policy and the identity policy" ("Allowing users in other accounts to use a KMS key");
/// a Deny on either side ends it.
#[rstest]
#[case::no_word_for_the_account("key", json!([{
    "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
    "Action": "kms:*", "Resource": "*",
}]))]
#[case::a_deny_in_the_key_policy("key", json!([{
    "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
    "Action": "kms:*", "Resource": "*",
}, {
    "Effect": "Deny", "Principal": "*", "Action": "kms:GenerateDataKey", "Resource": "*",
    "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
}]))]
#[case::a_deny_in_the_bucket_policy("bucket", json!([{
    "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
    "Action": "s3:PutObject", "Resource": "arn:aws:s3:::uploads-kms/*",
}, {
    "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::uploads-kms/*",
}]))]
#[case::no_bucket_policy("bucket", json!([]))]
#[tokio::test]
async fn across_accounts_the_other_side_must_allow_too(
    #[case] place: &str,
    #[case] statements: Value,
) {
    let mut world = world("222222222222", KEY, &identity(BOTH), &bucket_policy());
    if place == "bucket" {
        world["buckets"][BUCKET]["policy"] = document(&statements);
    } else {
        world["accounts"]["222222222222"]["keys"][0]["policy"] = document(&statements);
    }
    let sandbox = open(&world);
    let s3 = Client::new(&uploader(&sandbox).await);
    assert!(put(&s3).await.is_some());
    assert_eq!(put_in_parts(&s3).await.unwrap().0, "CreateMultipartUpload");
}

/// Within one account the bucket policy alone may allow ("Policy evaluation for requests within a single
/// account"), while a key wants its own policy to allow, or to delegate to identity policies ("Key
/// policies in AWS KMS").
#[rstest]
#[case::the_key_policy_names_the_role("arn:aws:iam::111111111111:role/Uploader", &[], true)]
#[case::it_delegates_and_the_role_has_it("arn:aws:iam::111111111111:root", BOTH, true)]
#[case::it_delegates_and_the_role_has_it_not("arn:aws:iam::111111111111:root", &[], false)]
#[case::it_names_another("arn:aws:iam::111111111111:user/prod-admin", BOTH, false)]
#[tokio::test]
async fn within_an_account_the_bucket_policy_is_enough_and_the_key_policy_is_needed(
    #[case] principal: &str,
    #[case] key_actions: &[&str],
    #[case] is_put: bool,
) {
    let key = "arn:aws:kms:eu-west-1:111111111111:key/0ed6e700-1edc-4e11-8000-000000000001";
    let own = document(&json!([{
        "Effect": "Allow",
        "Action": if key_actions.is_empty() { &["sts:GetCallerIdentity"][..] } else { key_actions },
        "Resource": "*",
    }]));
    let names_role = document(&json!([{
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111111111111:role/Uploader"},
        "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{BUCKET}/*"),
    }]));
    let mut world = world("111111111111", key, &own, &names_role);
    world["accounts"]["111111111111"]["keys"][0]["policy"] = document(&json!([{
        "Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*",
    }]));
    let sandbox = open(&world);
    let s3 = Client::new(&uploader(&sandbox).await);
    assert_eq!(put(&s3).await.is_none(), is_put);
    assert_eq!(put_in_parts(&s3).await.is_none(), is_put);
}

/// "the requester needs permissions for the kms:Decrypt action on the UploadPart": a key that is closed
/// meanwhile ends an upload under way, and s3:AbortMultipartUpload still cleans up, which asks nothing
/// of the key.
#[tokio::test]
async fn a_key_that_is_closed_meanwhile_ends_an_upload_and_lets_it_be_aborted() {
    let sandbox = open(&world(
        "222222222222",
        KEY,
        &identity(BOTH),
        &bucket_policy(),
    ));
    let s3 = Client::new(&uploader(&sandbox).await);
    let begun = s3.create_multipart_upload().bucket(BUCKET).key("large");
    let begun = begun.send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let owner = config(
        &sandbox,
        super::clients::keys(&sandbox, "dev-admin"),
        "eu-west-1",
    );
    let closed = document(&json!([{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
        "Action": "kms:*", "Resource": "*",
    }]));
    let kms = aws_sdk_kms::Client::new(&owner);
    let put = kms.put_key_policy().key_id(KEY).policy(closed.to_string());
    put.send().await.unwrap();
    let part = s3.upload_part().bucket(BUCKET).key("large").upload_id(id);
    let part = part.part_number(1).body(ByteStream::from_static(b"ahoy"));
    let (code, message) = refusal(part.send().await);
    assert_eq!(code, "AccessDenied");
    assert!(
        message.contains("perform: kms:Decrypt on this resource because"),
        "{message}"
    );
    let abort = s3.abort_multipart_upload().bucket(BUCKET).key("large");
    abort.upload_id(id).send().await.unwrap();
}
