//! What AWS does that an operator meets by hand: access control lists, ownership, keys on their way
//! out, and the words for what the sandbox does not play.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ObjectCannedAcl, ServerSideEncryption};
use rstest::rstest;
use serde_json::{Value, json};
use tableferry_sandbox::{Options, Sandbox};

use super::clients::{profile, refusal, sandbox};

/// The world that a sandbox begins with, changed.
fn changed(change: impl FnOnce(&mut Value)) -> Sandbox {
    let mut world: Value = serde_json::from_str(include_str!("../../assets/world.json")).unwrap();
    change(&mut world);
    Sandbox::of_world(&world.to_string(), Options::default()).unwrap()
}

async fn put(
    sandbox: &Sandbox,
    key: &str,
    acl: Option<ObjectCannedAcl>,
) -> Result<(), (String, String)> {
    let s3 = aws_sdk_s3::Client::new(&profile(sandbox, "prod-oncall").await);
    let put = s3
        .put_object()
        .bucket("export-landing")
        .key(key)
        .set_acl(acl)
        .body(ByteStream::from_static(b"x"));
    match put.send().await {
        Ok(_) => Ok(()),
        refused => Err(refusal(refused)),
    }
}

/// "BucketOwnerEnforced": requests that set an access control list fail, but for the one that gives
/// the bucket's owner all ("Controlling ownership of objects and disabling ACLs for your bucket").
#[tokio::test]
async fn an_enforced_bucket_takes_no_access_control_list_but_the_owners() {
    let sandbox = sandbox();
    let refused = put(&sandbox, "public", Some(ObjectCannedAcl::PublicRead)).await;
    assert_eq!(
        refused,
        Err((
            "AccessControlListNotSupported".to_owned(),
            "The bucket does not allow ACLs".to_owned()
        ))
    );
    let owners = Some(ObjectCannedAcl::BucketOwnerFullControl);
    assert_eq!(put(&sandbox, "owners", owners).await, Ok(()));
    assert_eq!(put(&sandbox, "none", None).await, Ok(()));
}

/// "ObjectWriter": anyone who uploads owns the object, and a bucket policy does not cover it (the same
/// page, and "Bucket policies for Amazon S3").
#[rstest]
#[case("ObjectWriter", None, false)]
#[case("ObjectWriter", Some(ObjectCannedAcl::BucketOwnerFullControl), true)]
#[case("BucketOwnerPreferred", None, false)]
#[case(
    "BucketOwnerPreferred",
    Some(ObjectCannedAcl::BucketOwnerFullControl),
    true
)]
#[case("BucketOwnerEnforced", None, true)]
#[tokio::test]
async fn the_bucket_owner_reads_what_the_writer_gives(
    #[case] ownership: &str,
    #[case] acl: Option<ObjectCannedAcl>,
    #[case] is_read: bool,
) {
    let sandbox = changed(|world| {
        world["buckets"]["export-landing"]["ownership"] = json!(ownership);
    });
    assert_eq!(put(&sandbox, "theirs", acl).await, Ok(()));
    let owner = aws_sdk_s3::Client::new(&profile(&sandbox, "dev-admin").await);
    let read = owner.get_object().bucket("export-landing").key("theirs");
    let answer = read.send().await;
    if is_read {
        answer.unwrap();
    } else {
        assert_eq!(refusal(answer).0, "AccessDenied");
    }
}

#[tokio::test]
async fn a_refusal_for_the_wrong_region_names_the_right_one_for_the_cli_to_follow() {
    let sandbox = sandbox();
    let s3 = aws_sdk_s3::Client::new(&profile(&sandbox, "dev-admin").await);
    let asked = s3.get_bucket_policy().bucket("export-frankfurt");
    let error = asked.send().await.unwrap_err();
    let body = error.raw_response().unwrap().body().bytes().unwrap();
    let body = String::from_utf8_lossy(body);
    assert!(
        body.contains("<Code>AuthorizationHeaderMalformed</Code>"),
        "{body}"
    );
    assert!(
        body.contains("<Region>eu-central-1</Region></Error>"),
        "{body}"
    );
}

/// "Key states of AWS KMS keys", KMS developer guide.
#[tokio::test]
async fn a_key_pending_deletion_is_described_and_cannot_be_used() {
    let sandbox = changed(|world| {
        let keys = world["accounts"]["111111111111"]["keys"].as_array_mut();
        let retired = keys
            .unwrap()
            .iter_mut()
            .find(|key| key["aliases"][0] == "alias/retired");
        retired.unwrap()["state"] = json!("PendingDeletion");
    });
    let config = profile(&sandbox, "prod-admin").await;
    let kms = aws_sdk_kms::Client::new(&config);
    let described = kms.describe_key().key_id("alias/retired").send().await;
    let described = described.unwrap().key_metadata.unwrap();
    assert_eq!(described.key_state.unwrap().as_str(), "PendingDeletion");
    assert!(!described.enabled && described.deletion_date.is_some());
    let arn = described.arn.unwrap();
    let put = aws_sdk_s3::Client::new(&config)
        .put_object()
        .bucket("prod-archive")
        .key("late")
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .ssekms_key_id(&arn)
        .body(ByteStream::from_static(b"x"));
    assert_eq!(
        refusal(put.send().await),
        (
            "KMS.KMSInvalidStateException".to_owned(),
            format!("{arn} is pending deletion.")
        )
    );
}

#[tokio::test]
async fn what_is_not_played_is_refused_in_every_protocol_by_name() {
    let sandbox = sandbox();
    let config = profile(&sandbox, "dev-admin").await;
    let refusals = [
        (
            "ListUsers",
            refusal(aws_sdk_iam::Client::new(&config).list_users().send().await),
        ),
        (
            "GetAccessKeyInfo",
            refusal(
                aws_sdk_sts::Client::new(&config)
                    .get_access_key_info()
                    .access_key_id("AKIASANDBOXPRODADMIN")
                    .send()
                    .await,
            ),
        ),
        (
            "CreateKey",
            refusal(aws_sdk_kms::Client::new(&config).create_key().send().await),
        ),
        (
            "DescribeKinesisStreamingDestination",
            refusal(
                aws_sdk_dynamodb::Client::new(&config)
                    .describe_kinesis_streaming_destination()
                    .table_name("Orders")
                    .send()
                    .await,
            ),
        ),
        (
            "GetBucketTagging",
            refusal(
                aws_sdk_s3::Client::new(&config)
                    .get_bucket_tagging()
                    .bucket("export-landing")
                    .send()
                    .await,
            ),
        ),
    ];
    for (operation, (_, message)) in refusals {
        assert!(
            message.starts_with("tableferry's sandbox does not play the operation")
                && message.contains(operation),
            "{operation}: {message}"
        );
    }
}
