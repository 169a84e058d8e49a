//! Changes of accounts: applied, waited for and undone, against the sandbox.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking"
)]

mod applied;
mod asked;
mod consent;
mod killed;
mod meanwhile;
mod meddling;
#[expect(dead_code, reason = "the flows use more of it than these tests")]
#[path = "../flows/program.rs"]
mod program;
mod refused;
#[expect(dead_code, reason = "the flows use more of it than these tests")]
#[path = "../flows/relay.rs"]
mod relay;
mod repaired;
mod undone;
mod unfinished;
mod world;
