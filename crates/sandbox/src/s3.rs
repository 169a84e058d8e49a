//! S3, standing on the s3s crate: it reads requests, checks their signatures and writes answers;
//! here is what the answers say.

mod access;
mod buckets;
mod host;
mod inventory;
mod multipart;
mod objects;
mod operation;
mod refusals;
mod settings;

use std::sync::Arc;

use s3s::config::{S3Config, StaticConfigProvider};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    DeleteBucketInventoryConfigurationInput, DeleteBucketInventoryConfigurationOutput,
    DeleteBucketPolicyInput, DeleteBucketPolicyOutput, DeleteObjectInput, DeleteObjectOutput,
    GetBucketEncryptionInput, GetBucketEncryptionOutput, GetBucketInventoryConfigurationInput,
    GetBucketInventoryConfigurationOutput, GetBucketLocationInput, GetBucketLocationOutput,
    GetBucketOwnershipControlsInput, GetBucketOwnershipControlsOutput, GetBucketPolicyInput,
    GetBucketPolicyOutput, GetBucketPolicyStatusInput, GetBucketPolicyStatusOutput,
    GetBucketRequestPaymentInput, GetBucketRequestPaymentOutput, GetObjectInput, GetObjectOutput,
    GetPublicAccessBlockInput, GetPublicAccessBlockOutput, HeadBucketInput, HeadBucketOutput,
    HeadObjectInput, HeadObjectOutput, ListBucketInventoryConfigurationsInput,
    ListBucketInventoryConfigurationsOutput, ListBucketsInput, ListBucketsOutput,
    ListMultipartUploadsInput, ListMultipartUploadsOutput, ListObjectsV2Input, ListObjectsV2Output,
    PutBucketInventoryConfigurationInput, PutBucketInventoryConfigurationOutput,
    PutBucketPolicyInput, PutBucketPolicyOutput, PutObjectInput, PutObjectOutput, UploadPartInput,
    UploadPartOutput,
};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3Request, S3Response, S3Result};

use super::caller::Caller;
use super::shared::Shared;

pub(super) use host::bucket_of;
pub(super) use operation::operation_of;

/// The S3 side of a sandbox.
pub(super) fn service(shared: Arc<Shared>) -> S3Service {
    let mut builder = S3ServiceBuilder::new(Store {
        shared: Arc::clone(&shared),
    });
    builder.set_auth(access::AccessKeys {
        shared: Arc::clone(&shared),
    });
    builder.set_access(access::Gate { shared });
    builder.set_host(host::Hosts);
    // s3s knows the real clock alone; the gate looks at a request's time by the sandbox's.
    let mut config = S3Config::default();
    config.presigned_url_max_skew_time_secs = u32::MAX;
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    builder.build()
}

/// The buckets, seen through s3s.
#[derive(Clone)]
struct Store {
    shared: Arc<Shared>,
}

impl Store {
    /// A change of a policy that is made now.
    fn policy_edit(&self) -> settings::PolicyEdit {
        settings::PolicyEdit {
            at: self.shared.clock.now(),
            delay: self.shared.open_questions().policy_delay,
        }
    }
}

/// The caller, which the gate has let in.
fn caller<T>(request: &S3Request<T>) -> S3Result<&Caller> {
    request
        .extensions
        .get::<Caller>()
        .ok_or_else(refusals::access_denied)
}

#[async_trait::async_trait]
impl S3 for Store {
    async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        let listed = buckets::list(&self.shared.world(), caller(&request)?, &request.input);
        Ok(S3Response::new(listed))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        buckets::head(&self.shared.world(), &request.input.bucket).map(S3Response::new)
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        buckets::location(&self.shared.world(), &request.input.bucket).map(S3Response::new)
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        buckets::list_objects(&self.shared.world(), request.input).map(S3Response::new)
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        objects::get(
            &self.shared.world(),
            caller(&request)?,
            &request.input,
            self.shared.clock.now(),
        )
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let now = self.shared.clock.now();
        objects::head(&self.shared.world(), caller(&request)?, &request.input, now)
            .map(S3Response::new)
    }

    async fn put_object(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let content = objects::receive(request.input.body.take()).await?;
        let now = self.shared.clock.now();
        let mut world = self.shared.world();
        objects::put(&mut world, caller(&request)?, &request.input, content, now)
            .map(S3Response::new)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        objects::delete(&mut self.shared.world(), &request.input).map(S3Response::new)
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let now = self.shared.clock.now();
        let mut world = self.shared.world();
        multipart::create(&mut world, caller(&request)?, &request.input, now).map(S3Response::new)
    }

    async fn upload_part(
        &self,
        mut request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let content = objects::receive(request.input.body.take()).await?;
        let now = self.shared.clock.now();
        let mut world = self.shared.world();
        multipart::add_part(&mut world, caller(&request)?, &request.input, content, now)
            .map(S3Response::new)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let now = self.shared.clock.now();
        multipart::complete(&mut self.shared.world(), request.input, now).map(S3Response::new)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        multipart::abort(&mut self.shared.world(), &request.input).map(S3Response::new)
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        multipart::list(&self.shared.world(), request.input).map(S3Response::new)
    }

    async fn get_bucket_policy(
        &self,
        request: S3Request<GetBucketPolicyInput>,
    ) -> S3Result<S3Response<GetBucketPolicyOutput>> {
        settings::policy(&self.shared.world(), &request.input.bucket).map(S3Response::new)
    }

    async fn put_bucket_policy(
        &self,
        request: S3Request<PutBucketPolicyInput>,
    ) -> S3Result<S3Response<PutBucketPolicyOutput>> {
        let edit = self.policy_edit();
        let input = &request.input;
        let mut world = self.shared.world();
        settings::put_policy(&mut world, &input.bucket, &input.policy, edit).map(S3Response::new)
    }

    async fn delete_bucket_policy(
        &self,
        request: S3Request<DeleteBucketPolicyInput>,
    ) -> S3Result<S3Response<DeleteBucketPolicyOutput>> {
        let edit = self.policy_edit();
        settings::delete_policy(&mut self.shared.world(), &request.input.bucket, edit)
            .map(S3Response::new)
    }

    async fn get_bucket_policy_status(
        &self,
        request: S3Request<GetBucketPolicyStatusInput>,
    ) -> S3Result<S3Response<GetBucketPolicyStatusOutput>> {
        settings::policy_status(&self.shared.world(), &request.input.bucket).map(S3Response::new)
    }

    async fn get_bucket_encryption(
        &self,
        request: S3Request<GetBucketEncryptionInput>,
    ) -> S3Result<S3Response<GetBucketEncryptionOutput>> {
        settings::encryption(&self.shared.world(), &request.input.bucket).map(S3Response::new)
    }

    async fn get_bucket_ownership_controls(
        &self,
        request: S3Request<GetBucketOwnershipControlsInput>,
    ) -> S3Result<S3Response<GetBucketOwnershipControlsOutput>> {
        settings::ownership(&self.shared.world(), &request.input.bucket).map(S3Response::new)
    }

    async fn get_public_access_block(
        &self,
        request: S3Request<GetPublicAccessBlockInput>,
    ) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
        settings::public_access_block(&self.shared.world(), &request.input.bucket)
            .map(S3Response::new)
    }

    async fn get_bucket_request_payment(
        &self,
        request: S3Request<GetBucketRequestPaymentInput>,
    ) -> S3Result<S3Response<GetBucketRequestPaymentOutput>> {
        settings::request_payment(&self.shared.world(), &request.input.bucket).map(S3Response::new)
    }

    async fn put_bucket_inventory_configuration(
        &self,
        request: S3Request<PutBucketInventoryConfigurationInput>,
    ) -> S3Result<S3Response<PutBucketInventoryConfigurationOutput>> {
        let open_questions = self.shared.open_questions();
        let played = inventory::Played {
            now: self.shared.clock.now(),
            day: open_questions.job_length,
            address: open_questions.source_address,
        };
        let mut world = self.shared.world();
        inventory::put(&mut world, request.input, played).map(S3Response::new)
    }

    async fn get_bucket_inventory_configuration(
        &self,
        request: S3Request<GetBucketInventoryConfigurationInput>,
    ) -> S3Result<S3Response<GetBucketInventoryConfigurationOutput>> {
        let input = &request.input;
        inventory::get(&self.shared.world(), &input.bucket, &input.id).map(S3Response::new)
    }

    async fn list_bucket_inventory_configurations(
        &self,
        request: S3Request<ListBucketInventoryConfigurationsInput>,
    ) -> S3Result<S3Response<ListBucketInventoryConfigurationsOutput>> {
        inventory::list(&self.shared.world(), request.input).map(S3Response::new)
    }

    async fn delete_bucket_inventory_configuration(
        &self,
        request: S3Request<DeleteBucketInventoryConfigurationInput>,
    ) -> S3Result<S3Response<DeleteBucketInventoryConfigurationOutput>> {
        let input = &request.input;
        let mut world = self.shared.world();
        inventory::delete(&mut world, &input.bucket, &input.id).map(S3Response::new)
    }
}
