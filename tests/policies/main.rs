//! `policies` against the sandbox: what it writes is taken by AWS, and fixes the plan.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking"
)]

mod documents;
mod principals;
#[expect(dead_code, reason = "the flows use more of it than these tests")]
#[path = "../flows/program.rs"]
mod program;
mod scripts;
