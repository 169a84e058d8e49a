//! tableferry carries DynamoDB tables into another AWS account by the service's own export to S3.

pub mod arn;
pub mod policy;
pub mod access;
pub mod archive;
pub mod plan;
pub mod aws;
pub mod sandbox;
