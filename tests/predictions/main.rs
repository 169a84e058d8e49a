//! What `check` predicts, against what the sandbox does: known failures, the articles' situations,
//! and worlds made at random.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends by panicking, in its own functions too"
)]

mod articles;
mod calls;
mod diagnosed;
mod others;
mod partly_read;
mod place;
mod random;
mod rows;
mod simulated;
mod uploads;
