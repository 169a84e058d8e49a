//! The policy language against AWS's own documentation, and its properties over random cases.

mod corners;
mod evaluation;
mod explained;
mod fixing;
mod json;
mod language;
mod lint;
mod properties;
