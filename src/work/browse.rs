//! What a side holds, to choose from: tables with their recovery window, buckets, keys.

use futures_util::future;

use super::event::Side;
use super::survey::{bucket, table};
use super::{Session, Work};
use crate::assess::facts::{BucketFacts, TableFacts};
use crate::aws::failure::{Failure, FailureKind};
use crate::aws::kms::Key;
use crate::aws::s3::Bucket;
use tableferry_policy::arn::{Arn, BucketName, Region};

impl Work {
    /// The names of all tables in the source's account and Region.
    pub async fn tables(&self) -> Result<Vec<String>, Failure> {
        let session = self.required(Side::Source, "dynamodb:ListTables")?;
        session.dynamodb(&session.region).list_tables().await
    }

    /// One table of the source, by name or ARN, and its recovery window.
    pub async fn table(&self, asked: &str) -> TableFacts {
        let mut facts = TableFacts::new(asked);
        let Some(session) = self.session(Side::Source) else {
            return facts;
        };
        let arn = asked.parse::<Arn>().ok();
        (facts.description, facts.recovery) =
            table::read_description(&session, asked, arn.as_ref()).await;
        facts
    }

    /// The buckets of the destination's account.
    pub async fn buckets(&self) -> Result<Vec<Bucket>, Failure> {
        let session = self.required(Side::Destination, "s3:ListAllMyBuckets")?;
        session.s3(&session.region).list_buckets().await
    }

    /// One bucket, as the destination sees it: its Region, default encryption, and whether the
    /// destination's account owns it.
    pub async fn bucket(&self, name: &BucketName) -> BucketFacts {
        let mut facts = BucketFacts::UNREAD;
        let Some(session) = self.session(Side::Destination) else {
            return facts;
        };
        facts.region = bucket::read_region(name, &session).await;
        let s3 = session.s3(facts.region.value().unwrap_or(&session.region));
        (facts.owner, facts.encryption) = future::join(
            bucket::read_own(name, &s3, &session.identity.account),
            bucket::read_encryption(name, &s3),
        )
        .await;
        facts
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
