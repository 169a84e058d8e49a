//! Access: who must be able to do what, so that a plan can work.
//!
//! This room decides which permissions a plan implies ([`need`]), how the policies of the other
//! side name the principal that exports ([`principal`]), and what the policy statements are that
//! give those permissions ([`snippets`]). It reads no account: what was read is handed in.

pub mod need;
pub mod principal;
pub mod snippets;
#[cfg(test)]
mod tests;
