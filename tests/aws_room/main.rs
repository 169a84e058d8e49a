//! The AWS room, tried with the SDK's real clients: its requests go to connectors inside the
//! process, or to loopback sockets that behave badly.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the lints' exception for tests does not reach the functions that tests share"
)]

mod buckets;
mod changes;
mod endpoints;
mod fake;
mod files;
mod keys;
mod logins;
mod mfa;
mod refusals;
mod sign_in;
mod silence;
mod simulation;
mod tables;
mod trust;
