//! What was put right inside a statement of somebody else's is taken back to their own text.

use rstest::rstest;
use tableferry::aws::Session;
use tableferry::work::{ChangeId, UndoError, Work};
use tableferry_policy::arn::Arn;

use crate::account_changes::world::*;

const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// The key is the bucket's own, by an S3 Bucket Key.
const PLAN: &str = r#"
[source]
profile = "prod-oncall"
region = "eu-west-1"

[destination]
profile = "dev-admin"
bucket = "export-kms-default"
owner = "222222222222"
prefix = "prod"

[encryption]
algorithm = "KMS"
key = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab"

[[tables]]
name = "Orders"
"#;

/// "A key policy sample with `kms:` is cut short": the name of the action is missing.
const CUT_SHORT: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"kms:*","Resource":"*"},{"Sid":"Enable cross account IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/OnCallExporter"},"Action":"kms:","Resource":"*"}]}"#;

/// The encryption context names the objects alone; with an S3 Bucket Key it is the bucket.
const OBJECTS_ALONE: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "EnableIamPolicies",
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::222222222222:root" },
      "Action": "kms:*",
      "Resource": "*"
    },
    {
      "Sid": "ProductionExports",
      "Effect": "Allow",
      "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
      "Action": [ "kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey" ],
      "Resource": "*",
      "Condition": {
        "StringEquals": { "kms:ViaService": "s3.eu-west-1.amazonaws.com" },
        "StringLike": { "kms:EncryptionContext:aws:s3:arn": [ "arn:aws:s3:::export-kms-default/*" ] }
      }
    }
  ]
}"#;

const THEIRS: &str = r#"{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"kms:Sign","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#;

/// The key's policy as its owner reads and writes it.
struct Key(Session);

impl Key {
    async fn policy(&self) -> String {
        let kms = self.0.kms(&self.0.region);
        kms.key_policy(KEY).await.unwrap().unwrap()
    }

    async fn write(&self, text: &str) {
        let key: Arn = KEY.parse().unwrap();
        let kms = self.0.kms(&self.0.region);
        kms.put_key_policy(&key, text).await.unwrap();
    }
}

/// The key with this policy, and the remedy applied to it.
async fn repaired(work: &Work, key: &Key, policy: &str) -> ChangeId {
    key.write(policy).await;
    let plan = plan(PLAN);
    sign_in(work, &plan).await;
    let proposal = only(work, &plan).await;
    let id = work.apply(&plan, &proposal).await.unwrap().id;
    assert_ne!(key.policy().await, policy);
    id
}

async fn undone(work: &Work, id: ChangeId) {
    let undo = work.propose_undo(id, false).await.unwrap();
    let undone = work.undo(&undo).await.unwrap();
    assert_eq!(undone.left, Vec::<String>::new());
    assert!(!work.change(id).unwrap().unwrap().is_in_place());
}

#[rstest]
#[case::an_action_cut_short(CUT_SHORT)]
#[case::a_condition_too_narrow(OBJECTS_ALONE)]
#[tokio::test]
async fn a_key_whose_statement_was_repaired_has_the_bytes_that_it_had(#[case] policy: &str) {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let key = Key(session(&sandbox, "dev-admin").await);
    let id = repaired(&work, &key, policy).await;
    undone(&work, id).await;
    assert_eq!(key.policy().await, policy);
}

/// Somebody put a statement in front of all others, and altered the one that is the account's.
#[rstest]
#[case::an_action_cut_short(CUT_SHORT, "Enable IAM User Permissions")]
#[case::a_condition_too_narrow(OBJECTS_ALONE, "EnableIamPolicies")]
#[tokio::test]
async fn what_others_did_to_other_statements_stays(#[case] policy: &str, #[case] other: &str) {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let key = Key(session(&sandbox, "dev-admin").await);
    let id = repaired(&work, &key, policy).await;
    let since = |text: &str| {
        let text = text.replacen('[', &format!("[{THEIRS},"), 1);
        text.replace(other, "Owner")
    };
    key.write(&since(&key.policy().await)).await;
    undone(&work, id).await;
    assert_eq!(key.policy().await, since(policy));
}

/// Somebody took one of the actions out that stand in the place of `kms:`.
#[tokio::test]
async fn a_repaired_statement_that_somebody_altered_is_left_and_the_difference_told() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let key = Key(session(&sandbox, "dev-admin").await);
    let id = repaired(&work, &key, CUT_SHORT).await;
    let repaired = key.policy().await;
    let altered = repaired.replace("\"kms:Decrypt\"", "\"kms:Decrypt*\"");
    assert_ne!(altered, repaired);
    key.write(&altered).await;
    let refused = work.propose_undo(id, false).await.unwrap_err();
    let UndoError::Altered { left, diff, .. } = &refused else {
        panic!("{refused}");
    };
    assert!(
        left.contains("`Enable cross account IAM User Permissions` was altered since"),
        "{left}"
    );
    let line = |sign: char, action: &str| {
        let mut lines = diff.lines();
        lines.any(|line| line.starts_with(sign) && line.contains(action))
    };
    assert!(
        line('-', "\"kms:Decrypt\"") && line('+', "\"kms:Decrypt*\""),
        "{diff}"
    );
    assert_eq!(key.policy().await, altered);
    assert!(work.change(id).unwrap().unwrap().is_in_place());
}

/// The service was altered by somebody; the value that was put beside the objects is ours.
#[tokio::test]
async fn a_value_goes_out_of_a_condition_that_somebody_altered_besides() {
    let sandbox = sandbox();
    let work = work(&sandbox);
    let key = Key(session(&sandbox, "dev-admin").await);
    let id = repaired(&work, &key, OBJECTS_ALONE).await;
    let since = |text: &str| text.replace("s3.eu-west-1.amazonaws.com", "s3.*.amazonaws.com");
    key.write(&since(&key.policy().await)).await;
    undone(&work, id).await;
    assert_eq!(key.policy().await, since(OBJECTS_ALONE));
}
