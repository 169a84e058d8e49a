//! S3's settings of a whole account, which a client of their own asks for.

use super::error_mapper::ErrorMapper;
use super::failure::Failure;
use crate::assess::facts::PublicAccessBlock;
use tableferry_policy::arn::AccountId;

/// S3's settings of accounts, for one identity.
#[derive(Debug, Clone)]
pub struct S3Account {
    pub(super) client: aws_sdk_s3control::Client,
    pub(super) mapper: ErrorMapper,
}

impl S3Account {
    /// The account's Block Public Access, by `GetPublicAccessBlock` of S3 Control; none where it was
    /// never set.
    pub async fn public_access_block(
        &self,
        account: &AccountId,
    ) -> Result<Option<PublicAccessBlock>, Failure> {
        const OPERATION: &str = "s3:GetAccountPublicAccessBlock";
        let call = self
            .client
            .get_public_access_block()
            .account_id(account.as_str())
            .send();
        let absent = "NoSuchPublicAccessBlockConfiguration";
        let answer = self.mapper.answer_unless(absent, OPERATION, account, call);
        let block = answer
            .await?
            .and_then(|answer| answer.public_access_block_configuration);
        Ok(block.map(|block| PublicAccessBlock {
            block_public_acls: block.block_public_acls.unwrap_or_default(),
            ignore_public_acls: block.ignore_public_acls.unwrap_or_default(),
            block_public_policy: block.block_public_policy.unwrap_or_default(),
            restrict_public_buckets: block.restrict_public_buckets.unwrap_or_default(),
        }))
    }
}
