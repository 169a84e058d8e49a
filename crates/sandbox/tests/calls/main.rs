//! The sandbox, called by the real clients of the AWS SDK.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helping functions too"
)]

mod clients;
mod clock;
mod exports;
mod faults;
mod identity;
mod imports;
mod inline_policies;
mod inventory;
mod items;
mod keys;
mod likeness;
mod partitions;
mod readers;
mod refusals;
mod state;
mod storage;
mod tables;
mod trail;
mod uploads;
