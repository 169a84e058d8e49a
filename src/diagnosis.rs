//! Why something failed: from the words that a tool printed to causes, evidence and fixes.
//!
//! The room reads text and makes no call; an assessment may say which causes hold ([`assessed`]). A record is decoded, read into a [`ReportedError`], and explained
//! by the catalogue of causes in `assets/causes`; what is known beside the words enters as
//! [`Circumstances`]. [`scan`] finds the errors of a stream of any length, [`group`] counts those of one
//! kind, and [`words`] tells them.

mod access_log;
pub mod assessed;
pub mod catalogue;
pub mod changes;
pub mod circumstance;
mod decode;
pub mod diagnose;
pub mod earlier;
mod envelope;
mod event;
pub mod group;
mod operation_failure;
mod read;
pub mod reported;
pub mod scan;
mod secret;
pub mod sentence;
#[cfg(test)]
mod tests;
pub mod words;

pub use self::circumstance::Circumstances;
pub use self::diagnose::{Candidate, Diagnosis, diagnose};
pub use self::operation_failure::OperationFailure;
pub use self::reported::ReportedError;
