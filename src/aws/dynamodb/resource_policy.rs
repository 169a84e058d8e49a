//! A table's own policy.

use super::{Dynamodb, Failure};
use tableferry_policy::arn::Arn;

impl Dynamodb {
    /// The table's resource policy as it stands, by `GetResourcePolicy`; none where there is none.
    pub async fn resource_policy(&self, table: &Arn) -> Result<Option<String>, Failure> {
        let target = table.to_string();
        let answer = self
            .client
            .get_resource_policy()
            .resource_arn(&target)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.policy),
            Err(error) => {
                let operation = "dynamodb:GetResourcePolicy";
                let failure = self.mapper.failure(operation, &target, &error);
                if failure.code.as_deref() == Some("PolicyNotFoundException") {
                    Ok(None)
                } else {
                    Err(failure)
                }
            }
        }
    }
}
