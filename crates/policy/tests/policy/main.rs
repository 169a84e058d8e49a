//! The policy language against AWS's own documentation, and its properties over random cases.

mod corners;
mod evaluation;
mod language;
mod mending;
mod properties;
