//! The inventory configurations of a bucket: read, written, and taken away.

use aws_sdk_s3::types as sdk;
use aws_smithy_types::error::operation::BuildError;

use super::{Failure, S3};
use crate::job::inventory::configuration::{
    Empty, InventoryBucket, InventoryConfiguration, InventoryDestination, InventoryEncryption,
    InventoryFilter, InventoryKey, InventorySchedule,
};
use tableferry_policy::arn::{AccountId, BucketName};

/// One configuration of a bucket.
#[derive(Debug, Clone, Copy)]
pub struct InventoryName<'a> {
    /// The source bucket.
    pub bucket: &'a BucketName,
    /// The account that must own it.
    pub owner: &'a AccountId,
    /// The configuration's id.
    pub id: &'a str,
}

impl std::fmt::Display for InventoryName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.id, self.bucket)
    }
}

impl S3 {
    /// A configuration as it stands, by `GetBucketInventoryConfiguration`; none where there is none.
    pub async fn inventory_configuration(
        &self,
        name: InventoryName<'_>,
    ) -> Result<Option<InventoryConfiguration>, Failure> {
        const OPERATION: &str = "s3:GetInventoryConfiguration";
        let call = self
            .client
            .get_bucket_inventory_configuration()
            .bucket(name.bucket.as_str())
            .id(name.id)
            .expected_bucket_owner(name.owner.as_str())
            .send();
        let answer = self
            .mapper
            .answer_unless("NoSuchConfiguration", OPERATION, name, call)
            .await?;
        Ok(answer.and_then(|answer| answer.inventory_configuration().map(of_sdk)))
    }

    /// Writes a configuration, given as its document, over the one of this id, by
    /// `PutBucketInventoryConfiguration`. The owner is always sent, so that no other account's bucket is written.
    pub async fn put_inventory_configuration(
        &self,
        name: InventoryName<'_>,
        document: &str,
    ) -> Result<(), Failure> {
        const OPERATION: &str = "s3:PutInventoryConfiguration";
        let target = name.to_string();
        self.write_guard.check(OPERATION, &target)?;
        let unreadable = |problem: &str| self.mapper.unreadable(OPERATION, &target, problem);
        let configuration: InventoryConfiguration =
            serde_json::from_str(document).map_err(|error| unreadable(&error.to_string()))?;
        let configuration =
            to_sdk(&configuration).map_err(|error| unreadable(&error.to_string()))?;
        let call = self
            .client
            .put_bucket_inventory_configuration()
            .bucket(name.bucket.as_str())
            .id(name.id)
            .expected_bucket_owner(name.owner.as_str())
            .inventory_configuration(configuration)
            .send();
        self.mapper.answer(OPERATION, &target, call).await?;
        Ok(())
    }

    /// Takes a configuration away, by `DeleteBucketInventoryConfiguration`, which needs the permission
    /// to put one.
    pub async fn delete_inventory_configuration(
        &self,
        name: InventoryName<'_>,
    ) -> Result<(), Failure> {
        const OPERATION: &str = "s3:PutInventoryConfiguration";
        let target = name.to_string();
        self.write_guard.check(OPERATION, &target)?;
        let call = self
            .client
            .delete_bucket_inventory_configuration()
            .bucket(name.bucket.as_str())
            .id(name.id)
            .expected_bucket_owner(name.owner.as_str())
            .send();
        self.mapper.answer(OPERATION, &target, call).await?;
        Ok(())
    }
}

fn of_sdk(answer: &sdk::InventoryConfiguration) -> InventoryConfiguration {
    let destination = answer
        .destination()
        .and_then(sdk::InventoryDestination::s3_bucket_destination);
    InventoryConfiguration {
        destination: InventoryDestination {
            bucket: InventoryBucket {
                account_id: destination.and_then(|one| one.account_id().map(str::to_owned)),
                bucket: destination.map_or_else(String::new, |one| one.bucket().to_owned()),
                format: destination.map_or_else(String::new, |one| one.format().to_string()),
                prefix: destination.and_then(|one| one.prefix().map(str::to_owned)),
                encryption: destination
                    .and_then(sdk::InventoryS3BucketDestination::encryption)
                    .map(encryption_of_sdk),
            },
        },
        is_enabled: answer.is_enabled(),
        filter: answer.filter().map(|filter| InventoryFilter {
            prefix: filter.prefix().to_owned(),
        }),
        id: answer.id().to_owned(),
        included_object_versions: answer.included_object_versions().to_string(),
        optional_fields: answer
            .optional_fields()
            .iter()
            .map(ToString::to_string)
            .collect(),
        schedule: InventorySchedule {
            frequency: answer
                .schedule()
                .map_or_else(String::new, |schedule| schedule.frequency().to_string()),
        },
    }
}

fn encryption_of_sdk(answer: &sdk::InventoryEncryption) -> InventoryEncryption {
    InventoryEncryption {
        s3: answer.sses3().map(|_| Empty {}),
        kms: answer.ssekms().map(|kms| InventoryKey {
            key_id: kms.key_id().to_owned(),
        }),
    }
}

fn to_sdk(wanted: &InventoryConfiguration) -> Result<sdk::InventoryConfiguration, BuildError> {
    let bucket = &wanted.destination.bucket;
    let encryption = match &bucket.encryption {
        Some(encryption) => Some(encryption_to_sdk(encryption)?),
        None => None,
    };
    let destination = sdk::InventoryS3BucketDestination::builder()
        .set_account_id(bucket.account_id.clone())
        .bucket(&bucket.bucket)
        .format(bucket.format.as_str().into())
        .set_prefix(bucket.prefix.clone())
        .set_encryption(encryption)
        .build()?;
    let filter = match &wanted.filter {
        Some(filter) => Some(
            sdk::InventoryFilter::builder()
                .prefix(&filter.prefix)
                .build()?,
        ),
        None => None,
    };
    let fields: Vec<sdk::InventoryOptionalField> = wanted
        .optional_fields
        .iter()
        .map(|field| field.as_str().into())
        .collect();
    sdk::InventoryConfiguration::builder()
        .destination(
            sdk::InventoryDestination::builder()
                .s3_bucket_destination(destination)
                .build(),
        )
        .is_enabled(wanted.is_enabled)
        .set_filter(filter)
        .id(&wanted.id)
        .included_object_versions(wanted.included_object_versions.as_str().into())
        .set_optional_fields((!fields.is_empty()).then_some(fields))
        .schedule(
            sdk::InventorySchedule::builder()
                .frequency(wanted.schedule.frequency.as_str().into())
                .build()?,
        )
        .build()
}

fn encryption_to_sdk(wanted: &InventoryEncryption) -> Result<sdk::InventoryEncryption, BuildError> {
    let mut encryption = sdk::InventoryEncryption::builder();
    if wanted.s3.is_some() {
        encryption = encryption.sses3(sdk::Sses3::builder().build());
    }
    if let Some(key) = &wanted.kms {
        encryption = encryption.ssekms(sdk::Ssekms::builder().key_id(&key.key_id).build()?);
    }
    Ok(encryption.build())
}
