//! Access: who must be able to do what, so that a plan can work.
//!
//! This room decides which permissions a plan implies ([`requirement`]), what there is to know about them
//! ([`facts`]), what IAM's own simulation is asked about them ([`simulation`]), what the one makes of
//! the other ([`verdict`]), and what mends that ([`remedy`]), also as documents for other tools
//! ([`render`]). It knows how the policies of the other side name the principal that exports
//! ([`principal`]), and writes the statements that a plan needs from scratch ([`snippets`]). Whether
//! anything was changed since an earlier export it tells by their [`fingerprint`]s. It reads no
//! account: what was read is handed in.

mod applicable_policies;
mod call;
mod context;
pub mod explain;
pub mod facts;
pub mod fingerprint;
pub mod principal;
pub mod remedy;
pub mod render;
mod request;
pub mod requirement;
pub mod simulation;
pub mod snippets;
#[cfg(test)]
mod tests;
pub mod verdict;
