//! A world in AWS GovCloud (US) and one in China: hosts, ARNs, `kms:ViaService`, and what keeps the
//! partitions apart.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use rstest::rstest;
use tableferry_policy::arn::Partition;

use super::clients::{config, keys, refusal, with};

#[rstest]
#[case(Partition::GovCloud, "us-gov-west-1")]
#[case(Partition::China, "cn-northwest-1")]
#[tokio::test]
async fn a_caller_has_the_arn_of_its_partition(#[case] partition: Partition, #[case] region: &str) {
    let sandbox = with(|options| options.partition = Some(partition));
    let config = config(&sandbox, keys(&sandbox, "prod-admin"), region);
    let identity = aws_sdk_sts::Client::new(&config).get_caller_identity();
    let identity = identity.send().await.unwrap();
    assert_eq!(
        identity.arn(),
        Some(format!("arn:{partition}:iam::111111111111:user/prod-admin").as_str())
    );
    let policies = aws_sdk_iam::Client::new(&config).list_attached_user_policies();
    let policies = policies.user_name("prod-admin").send().await.unwrap();
    assert_eq!(
        policies.attached_policies()[0].policy_arn(),
        Some(format!("arn:{partition}:iam::aws:policy/AdministratorAccess").as_str())
    );
}

/// The AWS managed key `aws/s3` lets in what comes through S3 alone, by the host of the partition
/// (`kms:ViaService`, KMS developer guide).
#[rstest]
#[case(Partition::Aws, "eu-west-1")]
#[case(Partition::GovCloud, "us-gov-west-1")]
#[case(Partition::China, "cn-north-1")]
#[tokio::test]
async fn an_aws_managed_key_is_used_through_the_partitions_s3(
    #[case] partition: Partition,
    #[case] region: &str,
) {
    let sandbox = with(|options| options.partition = Some(partition));
    let s3 = aws_sdk_s3::Client::new(&config(&sandbox, keys(&sandbox, "dev-admin"), region));
    let put = s3
        .put_object()
        .bucket("export-nopolicy")
        .key("sealed")
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .body(ByteStream::from_static(b"ahoy"));
    let put = put.send().await.unwrap();
    let key = format!("arn:{partition}:kms:{region}:222222222222:key/");
    assert!(put.ssekms_key_id().unwrap().starts_with(&key), "{put:?}");
}

/// "You can't use your AWS GovCloud (US) credentials to access standard AWS Regions, and vice versa"
/// ("AWS GovCloud (US) compared to standard AWS Regions").
#[tokio::test]
async fn an_access_key_is_unknown_in_another_partition() {
    let sandbox = with(|options| options.partition = Some(Partition::GovCloud));
    let elsewhere = config(&sandbox, keys(&sandbox, "prod-admin"), "us-east-1");
    let identity = aws_sdk_sts::Client::new(&elsewhere).get_caller_identity();
    assert_eq!(refusal(identity.send().await).0, "InvalidClientTokenId");
    let tables = aws_sdk_dynamodb::Client::new(&elsewhere).list_tables();
    assert_eq!(
        refusal(tables.send().await).0,
        "UnrecognizedClientException"
    );
    let buckets = aws_sdk_s3::Client::new(&elsewhere).list_buckets();
    assert_eq!(refusal(buckets.send().await).0, "InvalidAccessKeyId");
}

#[tokio::test]
async fn a_principal_of_another_partition_does_not_exist() {
    let sandbox = with(|options| options.partition = Some(Partition::China));
    let s3 = aws_sdk_s3::Client::new(&config(&sandbox, keys(&sandbox, "dev-admin"), "cn-north-1"));
    let put = async |partition: &str| {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",
            "Principal":{{"AWS":"arn:{partition}:iam::111111111111:role/OnCallExporter"}},
            "Action":"s3:PutObject","Resource":"arn:aws-cn:s3:::export-nopolicy/*"}}]}}"#
        );
        let put = s3.put_bucket_policy().bucket("export-nopolicy");
        put.policy(policy).send().await
    };
    assert_eq!(
        refusal(put("aws").await),
        (
            "MalformedPolicy".to_owned(),
            "Invalid principal in policy".to_owned()
        )
    );
    put("aws-cn").await.unwrap();
}
