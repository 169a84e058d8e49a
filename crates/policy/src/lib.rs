//! The IAM policy language: documents, their evaluation by AWS's published logic, and the reasons.
//!
//! This room decides one question: would AWS allow this request, under these policies? It is pure;
//! everything that bears on the answer is handed in, and what nobody knows is handed in as unknown.

pub mod arn;
pub mod document;
pub mod edit;
pub mod evaluate;
pub mod expiry;
pub mod json;
pub mod lint;
pub mod operator;
pub mod policy;
pub mod public;
pub mod request;
pub mod simulate;

mod actions;
mod automaton;
mod condition;
mod condition_value;
mod decision;
mod dependency;
mod examples;
mod explain;
mod grant;
mod malformed;
mod named_policy;
mod near_miss;
mod partition;
mod pattern;
mod policies;
mod principal;
mod scope;
mod services;
mod unknown;
mod verdict;
