//! The sandbox, called by the real clients of the AWS SDK.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helping functions too"
)]

#[path = "sandbox_calls/clients.rs"]
mod clients;
#[path = "sandbox_calls/exports.rs"]
mod exports;
#[path = "sandbox_calls/faults.rs"]
mod faults;
#[path = "sandbox_calls/identity.rs"]
mod identity;
#[path = "sandbox_calls/inline_policies.rs"]
mod inline_policies;
#[path = "sandbox_calls/keys.rs"]
mod keys;
#[path = "sandbox_calls/refusals.rs"]
mod refusals;
#[path = "sandbox_calls/state.rs"]
mod state;
#[path = "sandbox_calls/storage.rs"]
mod storage;
#[path = "sandbox_calls/tables.rs"]
mod tables;
