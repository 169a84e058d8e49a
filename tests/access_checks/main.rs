//! `survey` and `check` against the sandbox: what is named before the start is what AWS says after.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking"
)]

mod explained;
mod facts_files;
mod guards;
mod precedents;
mod predicted;
mod probe;
#[expect(dead_code, reason = "the flows use more of it than these tests")]
#[path = "../flows/program.rs"]
mod program;
mod recorded;
mod same;
mod uploads;
