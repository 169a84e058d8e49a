//! KMS: keys and their policies.

use aws_sdk_kms::Client;
use aws_sdk_kms::types::KeyManagerType;

use super::clients::{profile, refusal, sandbox};

const EXPORTS: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";

#[tokio::test]
async fn keys_are_listed_in_pages_and_found_by_alias() {
    let sandbox = sandbox();
    let kms = Client::new(&profile(&sandbox, "dev-admin").await);
    let first = kms.list_keys().limit(2).send().await.unwrap();
    assert!(first.truncated());
    let rest = kms
        .list_keys()
        .marker(first.next_marker().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(first.keys().len() + rest.keys().len(), 4);
    let aliases = kms.list_aliases().send().await.unwrap();
    let names: Vec<_> = aliases
        .aliases()
        .iter()
        .filter_map(|alias| alias.alias_name())
        .collect();
    assert_eq!(
        names,
        [
            "alias/exports",
            "alias/private",
            "alias/granted",
            "alias/aws/s3"
        ]
    );
    let key = kms
        .describe_key()
        .key_id("alias/exports")
        .send()
        .await
        .unwrap();
    assert_eq!(key.key_metadata().unwrap().arn(), Some(EXPORTS));
    let managed = kms
        .describe_key()
        .key_id("alias/aws/s3")
        .send()
        .await
        .unwrap();
    assert_eq!(
        managed.key_metadata().unwrap().key_manager(),
        Some(&KeyManagerType::Aws)
    );
    let missing = kms.describe_key().key_id("alias/nothing").send().await;
    assert_eq!(
        refusal(missing).1,
        "Alias arn:aws:kms:eu-west-1:222222222222:alias/nothing is not found."
    );
}

#[tokio::test]
async fn another_accounts_key_is_described_where_its_policy_says_so() {
    let sandbox = sandbox();
    let kms = Client::new(&profile(&sandbox, "prod-admin").await);
    kms.describe_key().key_id(EXPORTS).send().await.unwrap();
    let private = "arn:aws:kms:eu-west-1:222222222222:key/0000face-0000-4e11-8000-000000000222";
    let (code, message) = refusal(kms.describe_key().key_id(private).send().await);
    assert_eq!(code, "AccessDeniedException");
    assert!(
        message.contains("no resource-based policies allow access"),
        "{message}"
    );
}

#[tokio::test]
async fn a_key_policy_that_locks_its_writer_out_is_not_taken() {
    let sandbox = sandbox();
    let kms = Client::new(&profile(&sandbox, "dev-admin").await);
    let put = |policy: &str| {
        kms.put_key_policy()
            .key_id("1234abcd-12ab-34cd-56ef-1234567890ab")
            .policy(policy)
            .send()
    };
    let read = async || {
        let answer = kms.get_key_policy().key_id(EXPORTS).send().await.unwrap();
        answer.policy().unwrap().to_owned()
    };
    let locked_out = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":
        {"AWS":"arn:aws:iam::111111111111:root"},"Action":"kms:*","Resource":"*"}]}"#;
    let (code, message) = refusal(put(locked_out).await);
    assert_eq!(code, "MalformedPolicyDocumentException");
    assert_eq!(
        message,
        "The new key policy will not allow you to update the key policy in the future."
    );
    let dead = read()
        .await
        .replace("111111111111:root", "111111111111:role/Nobody");
    assert_eq!(
        refusal(put(&dead).await).1,
        "Policy contains a statement with one or more invalid principals."
    );
    let narrower = read()
        .await
        .replace("111111111111:root", "111111111111:role/OnCallExporter");
    put(&narrower).await.unwrap();
    assert_eq!(read().await, narrower);
    let grants = kms.list_grants().key_id(EXPORTS).send().await.unwrap();
    assert!(grants.grants().is_empty());
    let granted = kms
        .describe_key()
        .key_id("alias/granted")
        .send()
        .await
        .unwrap();
    let arn = granted.key_metadata().unwrap().arn().unwrap();
    let grants = kms.list_grants().key_id(arn).send().await.unwrap();
    assert_eq!(
        grants.grants()[0].grantee_principal(),
        Some("arn:aws:iam::111111111111:role/OnCallExporter")
    );
}
