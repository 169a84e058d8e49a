//! The archive: what an export leaves behind in the bucket.
//!
//! This room decides where an export's files lie ([`layout`]), what its manifests and checksum
//! files say ([`manifest`], [`checksum`]), whether they are of the export that was asked for ([`origin`]),
//! whether what lies there is what they say ([`verify`]),
//! what a data line must hold ([`mod@line`]), and which exports lead on from one another ([`chain`]). It reads and writes text and bytes that are handed to it;
//! fetching them is for others. The formats are those of the developer guide's page on the output
//! of a table export.

pub mod athena;
pub mod audit;
pub mod chain;
pub mod checksum;
pub mod data_file;
pub mod inventory;
pub mod layout;
pub mod line;
pub mod manifest;
pub mod origin;
pub mod overview;
pub mod plain;
#[cfg(test)]
mod tests;
pub mod value;
pub mod verify;
pub mod write_units;
