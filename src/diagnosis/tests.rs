//! The room against labelled messages, its own catalogue, and any bytes.

mod catalogue;
mod labels;
mod signatures;
mod streams;
