//! Changes of accounts: applied, waited for and undone, against the sandbox.

mod applied;
mod asked;
mod consent;
mod killed;
mod meanwhile;
mod meddling;
mod refused;
mod repaired;
mod undone;
mod unfinished;
mod world;
