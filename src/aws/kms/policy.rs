//! Writing the policy of a key.

use super::{Failure, Kms};
use tableferry_policy::arn::Arn;

impl Kms {
    /// Writes the key's policy over what stands there, by `PutKeyPolicy`. KMS's check that the caller
    /// can still change the policy afterwards is never bypassed.
    pub async fn put_key_policy(&self, key: &Arn, policy: &str) -> Result<(), Failure> {
        const OPERATION: &str = "kms:PutKeyPolicy";
        let target = key.to_string();
        self.write_guard.check(OPERATION, &target)?;
        let call = self
            .client
            .put_key_policy()
            .key_id(&target)
            .policy_name("default")
            .policy(policy)
            .send();
        self.mapper.answer(OPERATION, &target, call).await?;
        Ok(())
    }
}
