//! The wizard driven by messages, without a runtime, a network or a terminal, and what it shows.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a broken assumption may end it where it stands"
)]

mod access;
mod changes;
mod checks;
mod driver;
mod flows;
mod pictures;
mod probes;
mod questions;
mod random;
mod readings;
mod sides;
mod start;
mod uploads;
mod watching;
mod world;
