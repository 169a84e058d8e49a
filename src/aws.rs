//! The only room that holds SDK clients. SDK types stop at its door: what leaves it are this
//! project's own words for accounts, tables, buckets, keys and failures.
//!
//! An [`Environment`] is what the AWS tools take from outside. Signing in with it gives a
//! [`Session`]: one identity, proved, that makes a client per service and Region.

pub mod cloudtrail;
pub mod dynamodb;
pub mod environment;
pub mod failure;
pub mod iam;
pub mod kms;
pub mod organizations;
pub mod profiles;
pub mod reach;
pub mod s3;
pub mod s3_account;
pub mod session;

mod chain;
mod client_defaults;
mod clock_skew;
mod credentials;
mod endpoints;
mod error_mapper;
mod ini;
mod network_fault;
mod service_clock;
mod shared_files;
mod sign_in;
mod sign_in_error;
mod trust;
mod write_guard;

pub use endpoints::url_without_secrets;
pub use environment::{CaBundle, Environment, Timeouts};
pub use failure::{Failure, FailureKind};
pub use session::{Identity, MfaCode, NotACode, Session};
pub use sign_in_error::SignInError;
