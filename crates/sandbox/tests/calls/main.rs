//! The sandbox, called by the real clients of the AWS SDK.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helping functions too"
)]

mod clients;
mod clock;
mod documented;
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

#[test]
fn the_documented_tests_are_these() {
    let document = include_str!("../../../../docs/sandbox.md");
    let documented = include_str!("documented.rs");
    assert!(
        document.contains(documented),
        "docs/sandbox.md shows another file"
    );
}
