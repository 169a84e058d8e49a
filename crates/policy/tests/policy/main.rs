//! The policy language against AWS's own documentation, and its properties over random cases.

mod corners;
mod evaluation;
mod explained;
mod json;
mod language;
mod lint;
mod mending;
mod properties;
