//! An inventory configuration for other tools: a command of the AWS CLI, and a CloudFormation template.
//!
//! CloudFormation has no resource for a configuration alone: it is a property of the bucket, which must be
//! taken over by a resource import, and it has no place for the encryption of the reports (`AWS::S3::Bucket`
//! `InventoryConfiguration` and `AWS::S3::Bucket` `Destination`, CloudFormation template reference).

use std::fmt::Write as _;

use super::Inventory;
use super::configuration::InventoryConfiguration;
use crate::job::{Plan, shell_option, shell_quoted};

/// The command that writes a configuration, for a POSIX shell.
#[must_use]
pub fn cli(plan: &Plan, inventory: &Inventory, configuration: &InventoryConfiguration) -> String {
    let sign_in = &plan.source.sign_in;
    let mut command = format!(
        "aws s3api put-bucket-inventory-configuration {}",
        shell_option("profile", &sign_in.profile)
    );
    if let Some(region) = &sign_in.region {
        let _ = write!(command, " --region {region}");
    }
    let _ = write!(
        command,
        " \\\n  {} {} \\\n  --inventory-configuration {}\n",
        shell_option("bucket", inventory.bucket.as_str()),
        shell_option("id", &inventory.id),
        shell_quoted(&configuration.to_json())
    );
    command
}

/// A template with the bucket and its configuration, and what it does not hold, in sentences.
#[must_use]
pub fn cloudformation(
    inventory: &Inventory,
    configuration: &InventoryConfiguration,
) -> (String, Vec<String>) {
    let target = &configuration.destination.bucket;
    // JSON is YAML: every text is written as a JSON string.
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let mut template = String::from(
        "AWSTemplateFormatVersion: \"2010-09-09\"\nResources:\n  SourceBucket:\n    \
         Type: AWS::S3::Bucket\n    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n    \
         Properties:\n",
    );
    // Writing to a string cannot fail.
    let _ = write!(
        template,
        "      BucketName: {}\n      InventoryConfigurations:\n        - Id: {}\n          \
         Enabled: {}\n          IncludedObjectVersions: {}\n          ScheduleFrequency: {}\n",
        text(inventory.bucket.as_str()),
        text(&configuration.id),
        configuration.is_enabled,
        configuration.included_object_versions,
        configuration.schedule.frequency,
    );
    if let Some(filter) = &configuration.filter {
        let _ = writeln!(template, "          Prefix: {}", text(&filter.prefix));
    }
    if !configuration.optional_fields.is_empty() {
        template.push_str("          OptionalFields:\n");
        for field in &configuration.optional_fields {
            let _ = writeln!(template, "            - {field}");
        }
    }
    let _ = write!(
        template,
        "          Destination:\n            BucketArn: {}\n            Format: {}\n",
        text(&target.bucket),
        target.format
    );
    if let Some(account) = &target.account_id {
        let _ = writeln!(template, "            BucketAccountId: {}", text(account));
    }
    if let Some(prefix) = &target.prefix {
        let _ = writeln!(template, "            Prefix: {}", text(prefix));
    }
    let mut left_out = vec![format!(
        "a bucket that is there must be taken over by a resource import, and every other property of {} \
         written beside this one: what a template leaves out, CloudFormation takes away",
        inventory.bucket
    )];
    if target.encryption.is_some() {
        left_out.push(
            "CloudFormation has no place for the encryption of the reports: give the destination bucket a \
             default encryption, or write the configuration by `--as cli`"
                .to_owned(),
        );
    }
    (template, left_out)
}
