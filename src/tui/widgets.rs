//! The parts that every step is drawn with.

pub(crate) mod columns;
pub(crate) mod entry;
pub(crate) mod form;
pub(crate) mod format;
pub(crate) mod list;
pub(crate) mod text;
