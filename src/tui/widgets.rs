//! The parts that every step is drawn with.

pub mod entry;
pub mod form;
pub mod format;
pub mod list;
pub mod text;
