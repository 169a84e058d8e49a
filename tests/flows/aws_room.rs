//! The AWS room, tried with the SDK's real clients: its requests go to connectors inside the
//! process, or to loopback sockets that behave badly.

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
