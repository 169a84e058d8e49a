//! Who reads objects that are there: their owner, their key, and who pays.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{ChecksumMode, RequestPayer};
use serde_json::{Value, json};
use tableferry_sandbox::{HeadKeyUse, Options, Sandbox};

use super::clients::{profile, refusal};

const BUCKET: &str = "read-me";
const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// A bucket of 222222222222 that lets 111111111111 read, with one object.
fn world(object: &Value, bucket: &Value) -> Sandbox {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/world.json");
    let mut world: Value =
        serde_json::from_str(&std::fs::read_to_string(shipped).unwrap()).unwrap();
    let mut whole = json!({
        "content": "YWhveQ==", "etag": "ce08becc73195df12d99d761bfbba68d",
        "modified_at": "2026-11-01T06:00:00Z", "content_type": null, "encryption": "Aes256",
    });
    merge(&mut whole, object);
    world["buckets"][BUCKET] = json!({
        "account": "222222222222", "region": "eu-west-1", "objects": { "a": whole },
        "policy": { "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "AWS": ["111111111111", "333333333333"] },
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": [format!("arn:aws:s3:::{BUCKET}"), format!("arn:aws:s3:::{BUCKET}/*")],
        }] },
    });
    merge(&mut world["buckets"][BUCKET], bucket);
    Sandbox::of_world(&world.to_string(), Options::default()).unwrap()
}

fn merge(into: &mut Value, from: &Value) {
    for (name, value) in from.as_object().unwrap() {
        into[name] = value.clone();
    }
}

async fn reads(sandbox: &Sandbox, name: &str) -> bool {
    let s3 = Client::new(&profile(sandbox, name).await);
    s3.get_object().bucket(BUCKET).key("a").send().await.is_ok()
}

/// "How Amazon S3 authorizes a request for an object operation": the object's owner gives to its own
/// account, and through the access control list to the bucket's; the bucket's policy gives it to nobody.
#[tokio::test]
async fn an_object_of_its_writer_is_read_by_those_whom_its_owner_lets_in() {
    let profiles = ["prod-admin", "dev-admin", "partner-admin"];
    let written = [
        (json!({}), [true, true, true]),
        (
            json!({ "foreign_owner": "111111111111" }),
            [true, false, false],
        ),
        (
            json!({ "sharing_owner": "111111111111" }),
            [true, true, false],
        ),
    ];
    for (object, wanted) in written {
        let sandbox = world(&object, &json!({ "ownership": "ObjectWriter" }));
        for (name, wanted) in profiles.into_iter().zip(wanted) {
            assert_eq!(reads(&sandbox, name).await, wanted, "{name} {object}");
        }
    }
}

#[tokio::test]
async fn a_list_with_owners_names_the_object_s_owner_as_its_account_is_named() {
    let sandbox = world(
        &json!({ "sharing_owner": "111111111111" }),
        &json!({ "ownership": "ObjectWriter" }),
    );
    let reader = Client::new(&profile(&sandbox, "dev-admin").await);
    let listed = reader
        .list_objects_v2()
        .bucket(BUCKET)
        .fetch_owner(true)
        .send()
        .await
        .unwrap();
    let owner = listed.contents()[0]
        .owner()
        .and_then(|owner| owner.id())
        .unwrap()
        .to_owned();
    let of = async |name: &str| {
        let s3 = Client::new(&profile(&sandbox, name).await);
        let buckets = s3.list_buckets().send().await.unwrap();
        buckets
            .owner()
            .and_then(|owner| owner.id())
            .unwrap()
            .to_owned()
    };
    assert_eq!(owner, of("prod-admin").await);
    assert_ne!(owner, of("dev-admin").await);
    let plain = reader
        .list_objects_v2()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    assert!(plain.contents()[0].owner().is_none());
}

/// API reference of `HeadObject`, `ChecksumMode`: a checksum takes `kms:Decrypt`; of other heads it says
/// nothing, so that both are played.
#[tokio::test]
async fn the_head_of_an_encrypted_object_takes_its_key_as_it_is_played() {
    let sandbox = world(
        &json!({ "encryption": { "Kms": { "key": KEY, "bucket_key": true } } }),
        &json!({}),
    );
    let s3 = Client::new(&profile(&sandbox, "partner-admin").await);
    let head = || s3.head_object().bucket(BUCKET).key("a");
    let told = head().send().await.unwrap();
    assert_eq!(told.ssekms_key_id(), Some(KEY));
    assert_eq!(told.bucket_key_enabled(), Some(true));
    assert!(
        head()
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await
            .is_err()
    );
    sandbox.play_head(HeadKeyUse::Decrypts);
    assert!(head().send().await.is_err());
    let (code, message) = refusal(s3.get_object().bucket(BUCKET).key("a").send().await);
    assert_eq!(code, "AccessDenied");
    assert!(message.contains("kms:Decrypt"), "{message}");
}

/// "Using Requester Pays general purpose buckets": all but the owner say that they pay.
#[tokio::test]
async fn a_requester_says_that_it_pays() {
    let sandbox = world(&json!({}), &json!({ "requester_pays": true }));
    assert!(reads(&sandbox, "dev-admin").await);
    assert!(!reads(&sandbox, "prod-admin").await);
    let s3 = Client::new(&profile(&sandbox, "prod-admin").await);
    let paying = s3
        .get_object()
        .bucket(BUCKET)
        .key("a")
        .request_payer(RequestPayer::Requester);
    assert!(paying.send().await.is_ok());
    let listed = s3.list_objects_v2().bucket(BUCKET);
    assert!(listed.clone().send().await.is_err());
    assert!(
        listed
            .request_payer(RequestPayer::Requester)
            .send()
            .await
            .is_ok()
    );
}
