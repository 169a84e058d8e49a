//! Switching point-in-time recovery.

use aws_sdk_dynamodb::types::PointInTimeRecoverySpecification;

use super::{Dynamodb, Failure};
use tableferry_policy::arn::Arn;

impl Dynamodb {
    /// Switches a table's point-in-time recovery on or off, by `UpdateContinuousBackups`. Switching
    /// it off destroys the recovery window: switched on again, it begins anew.
    pub async fn switch_recovery(&self, table: &Arn, is_enabled: bool) -> Result<(), Failure> {
        const OPERATION: &str = "dynamodb:UpdateContinuousBackups";
        let target = table.to_string();
        self.write_guard.check(OPERATION, &target)?;
        let specification = PointInTimeRecoverySpecification::builder()
            .point_in_time_recovery_enabled(is_enabled)
            .build()
            .map_err(|error| {
                self.mapper
                    .invalid_request(OPERATION, &target, &error.to_string())
            })?;
        let call = self
            .client
            .update_continuous_backups()
            .table_name(&target)
            .point_in_time_recovery_specification(specification)
            .send();
        self.mapper.answer(OPERATION, &target, call).await?;
        Ok(())
    }
}
