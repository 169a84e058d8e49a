//! The assessment: whether a plan can work, and what fixes it where it cannot.
//!
//! This room decides which permissions a plan requires ([`job_facts`]), what there is to know about
//! them ([`facts`]), what IAM's own simulation is asked about them ([`simulation`]), what facts mean for
//! each requirement ([`judge`], as a [`verdict`] with a party that is [`responsible`]) and for the
//! configuration's [`limits`], what the job costs ([`cost`]), and what fixes it ([`remedy`]), also as documents for other tools
//! ([`render`]). All of it together is one value, the [`assessment::Assessment`]. The room knows how the
//! policies of the other side name the principal that exports ([`principal`]), and by their
//! [`fingerprint`]s whether anything was changed since an earlier export. It reads no account: what was
//! read is handed in.

mod applicable_policies;
pub mod assessment;
mod call;
mod context;
pub mod cost;
pub(crate) mod deny;
pub mod explain;
pub mod facts;
pub mod fingerprint;
pub mod job_facts;
pub mod judge;
pub mod limits;
pub mod principal;
mod refusal;
pub mod remedy;
pub mod render;
mod request;
pub mod responsible;
pub mod simulation;
#[cfg(test)]
mod tests;
pub mod verdict;
