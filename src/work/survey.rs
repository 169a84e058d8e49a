//! Reading what a side holds: tables with their recovery window, buckets, keys.

use futures_util::future;

use super::event::Side;
use super::facts::{BucketFacts, TableFacts};
use super::{Session, Work};
use crate::aws::failure::{Failure, FailureKind};
use crate::aws::kms::Key;
use crate::aws::s3::{Bucket, S3};
use tableferry_policy::arn::{AccountId, Arn, BucketName, Region};

impl Work {
    /// The names of all tables in the source's account and Region.
    pub async fn tables(&self) -> Result<Vec<String>, Failure> {
        let session = self.required(Side::Source, "dynamodb:ListTables")?;
        session.dynamodb(&session.region).list_tables().await
    }

    /// One table of the source, by name or ARN, and its recovery window.
    pub async fn table(&self, table: &str) -> TableFacts {
        match self.required(Side::Source, "dynamodb:DescribeTable") {
            Ok(session) => table_facts(&session, table).await,
            Err(failure) => TableFacts {
                asked: table.to_owned(),
                table: Err(failure.clone()),
                recovery: Err(failure),
            },
        }
    }

    /// The buckets of the destination's account.
    pub async fn buckets(&self) -> Result<Vec<Bucket>, Failure> {
        let session = self.required(Side::Destination, "s3:ListAllMyBuckets")?;
        session.s3(&session.region).list_buckets().await
    }

    /// One bucket, as the destination sees it.
    pub async fn bucket(&self, name: &BucketName) -> BucketFacts {
        match self.required(Side::Destination, "s3:ListBucket") {
            Ok(session) => bucket_facts(&session, name, &session.identity.account).await,
            Err(failure) => BucketFacts {
                name: name.clone(),
                region: Err(failure.clone()),
                owner: Err(failure.clone()),
                encryption: Err(failure),
            },
        }
    }

    /// The destination's keys in a Region.
    pub async fn keys(&self, region: &Region) -> Result<Vec<Key>, Failure> {
        let session = self.required(Side::Destination, "kms:ListKeys")?;
        session.kms(region).list_keys().await
    }

    fn required(&self, side: Side, operation: &str) -> Result<Session, Failure> {
        self.session(side).ok_or_else(|| Failure {
            kind: FailureKind::Credentials,
            operation: operation.to_owned(),
            target: side.to_string(),
            code: None,
            message: format!("the {side} is not signed in"),
            status: None,
            request_id: None,
            hint: Some("choose its profile first".to_owned()),
        })
    }
}

/// Reads a table and its window, at once, in the Region that its ARN names or the session's.
pub(super) async fn table_facts(session: &Session, table: &str) -> TableFacts {
    let arn = table.parse::<Arn>().ok();
    let region = arn.as_ref().and_then(Arn::region_code);
    let name = arn
        .as_ref()
        .and_then(|arn| arn.resource_after("table"))
        .unwrap_or(table);
    let dynamodb = session.dynamodb(region.as_ref().unwrap_or(&session.region));
    let (table_read, recovery) = future::join(
        dynamodb.describe_table(name),
        dynamodb.describe_recovery(name),
    )
    .await;
    TableFacts {
        asked: table.to_owned(),
        table: table_read,
        recovery,
    }
}

/// Reads a bucket; its owner is `expected` if S3 agrees, which is the only way to ask.
pub(super) async fn bucket_facts(
    session: &Session,
    name: &BucketName,
    expected: &AccountId,
) -> BucketFacts {
    let region = session.s3(&session.region).locate(name).await;
    let s3 = session.s3(region.as_ref().unwrap_or(&session.region));
    let (owner, encryption) = future::join(
        prove_owner(&s3, name, expected),
        s3.default_encryption(name, None),
    )
    .await;
    BucketFacts {
        name: name.clone(),
        region,
        owner,
        encryption,
    }
}

/// No call tells a bucket's owner; `ExpectedBucketOwner` is refused where it is wrong
/// (S3 user guide, "Verifying bucket ownership with bucket owner condition").
async fn prove_owner(
    s3: &S3,
    name: &BucketName,
    expected: &AccountId,
) -> Result<AccountId, Failure> {
    s3.head_bucket(name, Some(expected)).await?;
    Ok(expected.clone())
}
