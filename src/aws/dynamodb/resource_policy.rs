//! A table's own policy.

use super::{Dynamodb, Failure};
use tableferry_policy::arn::Arn;

impl Dynamodb {
    /// The table's resource policy as it stands, by `GetResourcePolicy`; none where there is none.
    pub async fn resource_policy(&self, table: &Arn) -> Result<Option<String>, Failure> {
        let target = table.to_string();
        let call = self
            .client
            .get_resource_policy()
            .resource_arn(&target)
            .send();
        let (absent, operation) = ("PolicyNotFoundException", "dynamodb:GetResourcePolicy");
        let answer = self.mapper.answer_unless(absent, operation, &target, call);
        Ok(answer.await?.and_then(|answer| answer.policy))
    }
}
