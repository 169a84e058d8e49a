//! S3 Inventory: configurations as the API has them, and reports that S3 writes itself, or does not.
//!
//! The policies are those of "Bucket policy examples" and "Configuring Amazon S3 Inventory" (S3 user
//! guide), and of AWS re:Post on deliveries that are denied.

use std::io::Read as _;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    InventoryConfiguration, InventoryDestination, InventoryEncryption, InventoryFormat,
    InventoryFrequency, InventoryIncludedObjectVersions, InventoryOptionalField,
    InventoryS3BucketDestination, InventorySchedule, Ssekms, Sses3,
};
use flate2::read::GzDecoder;
use jiff::SignedDuration;
use md5::{Digest as _, Md5};
use rstest::rstest;
use serde_json::{Value, json};
use tableferry_sandbox::{Options, Sandbox, SourceAddress};

use super::clients::{profile, refusal};

const SOURCE: &str = "orders-files";
const LANDING: &str = "inventory-landing";
const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn document(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// The statement of "Granting permissions for Amazon S3 Inventory and Amazon S3 analytics".
fn grant() -> Value {
    json!({
        "Sid": "DeliverInventory", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{LANDING}/*"),
        "Condition": {
            "ArnLike": {"aws:SourceArn": format!("arn:aws:s3:::{SOURCE}")},
            "StringEquals": {
                "aws:SourceAccount": "111111111111",
                "s3:x-amz-acl": "bucket-owner-full-control",
            },
        },
    })
}

/// A Deny on addresses, with what is put beside it.
fn office_only(beside: &Value) -> Value {
    let mut condition = json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}});
    condition
        .as_object_mut()
        .unwrap()
        .extend(beside.as_object().unwrap().clone());
    json!({
        "Sid": "OfficeOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{LANDING}/*"), "Condition": condition,
    })
}

fn world(policy: &[Value]) -> Value {
    let mut world: Value = serde_json::from_str(include_str!("../../assets/world.json")).unwrap();
    world["buckets"][SOURCE] = json!({"account": "111111111111", "region": "eu-west-1"});
    world["buckets"][LANDING] = json!({
        "account": "222222222222", "region": "eu-west-1", "policy": document(&policy.into()),
    });
    world
}

fn open(world: &Value, address: SourceAddress) -> Sandbox {
    let options = Options {
        job_length: Duration::from_mins(1),
        source_address: address,
        ..Options::default()
    };
    Sandbox::of_world(&world.to_string(), options).unwrap()
}

async fn client(sandbox: &Sandbox, name: &str) -> Client {
    Client::new(&profile(sandbox, name).await)
}

fn configuration(id: &str, encryption: Option<InventoryEncryption>) -> InventoryConfiguration {
    let destination = InventoryS3BucketDestination::builder()
        .account_id("222222222222")
        .bucket(format!("arn:aws:s3:::{LANDING}"))
        .format(InventoryFormat::Csv)
        .prefix("in")
        .set_encryption(encryption)
        .build()
        .unwrap();
    InventoryConfiguration::builder()
        .id(id)
        .is_enabled(true)
        .included_object_versions(InventoryIncludedObjectVersions::Current)
        .optional_fields(InventoryOptionalField::Size)
        .optional_fields(InventoryOptionalField::ETag)
        .schedule(
            InventorySchedule::builder()
                .frequency(InventoryFrequency::Daily)
                .build()
                .unwrap(),
        )
        .destination(
            InventoryDestination::builder()
                .s3_bucket_destination(destination)
                .build(),
        )
        .build()
        .unwrap()
}

async fn put(s3: &Client, configuration: &InventoryConfiguration) {
    s3.put_bucket_inventory_configuration()
        .bucket(SOURCE)
        .id(configuration.id())
        .inventory_configuration(configuration.clone())
        .send()
        .await
        .unwrap();
}

/// The keys of what was delivered when two days and more, of a minute each, are over.
async fn delivered(sandbox: &Sandbox) -> Vec<String> {
    sandbox.set_clock_offset(SignedDuration::from_mins(3));
    let s3 = client(sandbox, "dev-admin").await;
    let listed = s3.list_objects_v2().bucket(LANDING).send().await.unwrap();
    let keys = listed.contents().iter();
    keys.map(|object| object.key().unwrap().to_owned())
        .collect()
}

async fn content(s3: &Client, key: &str) -> Vec<u8> {
    let answer = s3.get_object().bucket(LANDING).key(key).send().await;
    let body = answer.unwrap().body.collect().await.unwrap();
    body.into_bytes().to_vec()
}

#[tokio::test]
async fn a_configuration_is_put_read_listed_and_taken_away() {
    let sandbox = open(&world(&[]), SourceAddress::Service);
    let s3 = client(&sandbox, "prod-admin").await;
    let get = || {
        s3.get_bucket_inventory_configuration()
            .bucket(SOURCE)
            .id("all")
            .send()
    };
    assert_eq!(refusal(get().await).0, "NoSuchConfiguration");
    let wanted = configuration("all", None);
    put(&s3, &wanted).await;
    assert_eq!(
        get().await.unwrap().inventory_configuration(),
        Some(&wanted)
    );
    for number in 0..100 {
        put(&s3, &configuration(&format!("n{number:03}"), None)).await;
    }
    let list = |after: Option<String>| {
        s3.list_bucket_inventory_configurations()
            .bucket(SOURCE)
            .set_continuation_token(after)
            .send()
    };
    let first = list(None).await.unwrap();
    assert_eq!(first.inventory_configuration_list().len(), 100);
    assert_eq!(first.is_truncated(), Some(true));
    let rest = list(first.next_continuation_token).await.unwrap();
    assert_eq!(rest.inventory_configuration_list().len(), 1);
    let delete = s3.delete_bucket_inventory_configuration().bucket(SOURCE);
    delete.id("all").send().await.unwrap();
    assert_eq!(refusal(get().await).0, "NoSuchConfiguration");
}

#[tokio::test]
async fn a_report_has_a_manifest_a_checksum_and_the_objects_of_the_source() {
    let sandbox = open(&world(&[grant()]), SourceAddress::Service);
    let source = client(&sandbox, "prod-admin").await;
    for (key, body) in [("a/one two.json", "ahoy"), ("b", "")] {
        let put = source.put_object().bucket(SOURCE).key(key);
        let body = ByteStream::from(body.as_bytes().to_vec());
        put.body(body).send().await.unwrap();
    }
    put(&source, &configuration("all", None)).await;
    let keys = delivered(&sandbox).await;
    let manifest_key = keys.iter().find(|key| key.ends_with("/manifest.json"));
    let manifest_key = manifest_key.unwrap_or_else(|| panic!("{keys:?}"));
    assert!(
        manifest_key.starts_with("in/orders-files/all/20"),
        "{manifest_key}"
    );
    let s3 = client(&sandbox, "dev-admin").await;
    let manifest = content(&s3, manifest_key).await;
    let checksum_key = manifest_key.replace("manifest.json", "manifest.checksum");
    let checksum = content(&s3, &checksum_key).await;
    assert_eq!(checksum, hex::encode(Md5::digest(&manifest)).as_bytes());
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["sourceBucket"], SOURCE);
    assert_eq!(
        manifest["destinationBucket"],
        format!("arn:aws:s3:::{LANDING}")
    );
    assert_eq!(manifest["fileSchema"], "Bucket, Key, Size, ETag");
    let file = &manifest["files"][0];
    let data = content(&s3, file["key"].as_str().unwrap()).await;
    assert_eq!(file["size"], data.len());
    assert_eq!(file["MD5checksum"], hex::encode(Md5::digest(&data)));
    let mut lines = String::new();
    GzDecoder::new(data.as_slice())
        .read_to_string(&mut lines)
        .unwrap();
    // The MD5s of `ahoy` and of nothing, by md5sum.
    let expected = "\"orders-files\",\"a/one%20two.json\",\"4\",\"9609a0108b80a92967d3461a789e1f37\"\n\
         \"orders-files\",\"b\",\"0\",\"d41d8cd98f00b204e9800998ecf8427e\"\n";
    assert_eq!(lines, expected);
    let symlink = keys.iter().find(|key| key.ends_with("/symlink.txt"));
    let symlink = content(&s3, symlink.unwrap()).await;
    let wanted = format!("s3://{LANDING}/{}\n", file["key"].as_str().unwrap());
    assert_eq!(symlink, wanted.as_bytes());
}

/// Whether S3 may write, by the destination's policy and by where it is seen to call from.
#[rstest]
#[case::the_documented_grant(&[grant()], true)]
#[case::none(&[], false)]
#[case::a_blanket_deny(&[grant(), office_only(&json!({}))], false)]
#[case::a_deny_that_exempts_the_source(
    &[grant(), office_only(&json!({"ArnNotLike": {"aws:SourceArn": "arn:aws:s3:::orders-files"}}))],
    true,
)]
#[case::a_deny_that_exempts_forwarded_calls(
    &[grant(), office_only(&json!({"Bool": {"aws:ViaAWSService": "false"}}))],
    false,
)]
#[case::a_deny_that_exempts_services(
    &[grant(), office_only(&json!({"Bool": {"aws:PrincipalIsAWSService": "false"}}))],
    true,
)]
#[tokio::test]
async fn s3_writes_as_its_own_principal_for_the_source_bucket(
    #[case] policy: &[Value],
    #[case] is_delivered: bool,
    #[values(SourceAddress::Service, SourceAddress::Absent)] address: SourceAddress,
) {
    let sandbox = open(&world(policy), address);
    put(
        &client(&sandbox, "prod-admin").await,
        &configuration("all", None),
    )
    .await;
    assert_eq!(!delivered(&sandbox).await.is_empty(), is_delivered);
}

#[rstest]
#[case::another_region(&|world: &mut Value| world["buckets"][LANDING]["region"] = "eu-central-1".into())]
#[case::another_owner(&|world: &mut Value| world["buckets"][LANDING]["account"] = "333333333333".into())]
#[tokio::test]
async fn nothing_arrives_in_another_region_or_in_another_accounts_bucket(
    #[case] change: &dyn Fn(&mut Value),
) {
    let mut world = world(&[grant()]);
    change(&mut world);
    let sandbox = open(&world, SourceAddress::Service);
    put(
        &client(&sandbox, "prod-admin").await,
        &configuration("all", None),
    )
    .await;
    sandbox.set_clock_offset(SignedDuration::from_mins(3));
    let _ = client(&sandbox, "prod-admin")
        .await
        .list_buckets()
        .send()
        .await
        .unwrap();
    assert_eq!(sandbox.object_keys(LANDING), Vec::<String>::new());
}

/// A report with a key needs the key's own policy to allow the service.
#[rstest]
#[case::not_named(None, false)]
#[case::named(Some(json!({
    "Sid": "EncryptInventory", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
    "Action": "kms:GenerateDataKey", "Resource": "*",
    "Condition": {
        "StringEquals": {"aws:SourceAccount": "111111111111"},
        "ArnLike": {"aws:SourceArn": "arn:aws:s3:::orders-files"},
    },
})), true)]
#[tokio::test]
async fn a_key_must_let_the_service_in(
    #[case] statement: Option<Value>,
    #[case] is_delivered: bool,
) {
    let mut world = world(&[grant()]);
    let keys = world["accounts"]["222222222222"]["keys"]
        .as_array_mut()
        .unwrap();
    let key = keys
        .iter_mut()
        .find(|key| KEY.ends_with(key["id"].as_str().unwrap()));
    let mut statements = vec![json!({
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
        "Action": "kms:*", "Resource": "*",
    })];
    statements.extend(statement);
    key.unwrap()["policy"] = document(&statements.into());
    let sandbox = open(&world, SourceAddress::Service);
    let kms = Ssekms::builder().key_id(KEY).build().unwrap();
    let encryption = InventoryEncryption::builder().ssekms(kms).build();
    let source = client(&sandbox, "prod-admin").await;
    put(&source, &configuration("all", Some(encryption))).await;
    assert_eq!(!delivered(&sandbox).await.is_empty(), is_delivered);
}

/// "If the default encryption is SSE-KMS" without a key's ARN, nobody can read what S3 wrote.
#[tokio::test]
async fn a_default_without_a_keys_arn_gives_reports_that_nobody_can_read() {
    let mut world = world(&[grant()]);
    world["buckets"][LANDING]["default_encryption"] = json!({"algorithm": "aws:kms"});
    let sandbox = open(&world, SourceAddress::Service);
    let source = client(&sandbox, "prod-admin").await;
    put(&source, &configuration("all", None)).await;
    let keys = delivered(&sandbox).await;
    let s3 = client(&sandbox, "dev-admin").await;
    let read = s3.get_object().bucket(LANDING).key(&keys[0]).send().await;
    assert!(refusal(read).0.contains("KMS"), "{keys:?}");
    let own = InventoryEncryption::builder()
        .sses3(Sses3::builder().build())
        .build();
    put(&source, &configuration("own", Some(own))).await;
    sandbox.set_clock_offset(SignedDuration::from_mins(6));
    let listed = s3
        .list_objects_v2()
        .bucket(LANDING)
        .prefix("in/orders-files/own/");
    let listed = listed.send().await.unwrap();
    content(&s3, listed.contents()[0].key().unwrap()).await;
}
