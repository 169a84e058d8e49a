//! One line of a data file: whether it is what an export of its kind holds.
//!
//! A line is checked without a tree being built of it: its text, the type of each value, the rules of
//! `DynamoDB` for numbers, binary values and sets, the table's keys, and what an incremental export says
//! of a change. Its key is handed on in a canonical form, in which two spellings of one key are equal.
//! A fault names an attribute by its path, and never a value.

#![expect(
    clippy::unnecessary_box_returns,
    reason = "a fault is boxed where it arises: hardly any line has one, and results stay small"
)]

mod fault;
mod ion;
mod json;
mod key;
pub mod mask;
mod number;
mod scan;
#[cfg(test)]
mod tests;

pub use fault::{AttributePath, LineFault, LineFaultKind};
pub use key::{InvalidKeySchema, KeyAttribute, KeySchema};
pub(in crate::archive) use number::is_same as is_same_number;

use self::key::KeyBuffer;
use self::scan::Scratch;
use crate::job::{Format, View};

/// What the lines of an export must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRules {
    /// The text that they are written in.
    pub format: Format,
    /// The view of an incremental export; `None` for a full one.
    pub view: Option<View>,
    /// The table's keys, where they are known.
    pub keys: Option<KeySchema>,
}

/// What a sound line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineContent<'c> {
    /// The canonical form of the item's key, where the keys are known and the line has them.
    pub key: Option<&'c [u8]>,
    /// How many items, or images of items, the line holds.
    pub images: u8,
    /// In how many of them each key attribute is missing, in the order of the schema.
    pub missing: [u8; 2],
}

/// Checks lines, one after the other, with buffers that it keeps.
#[derive(Debug)]
pub struct LineChecker {
    format: Format,
    view: Option<View>,
    /// The keys that were given, or those of the first change.
    keys: Option<KeySchema>,
    scratch: Scratch,
    /// Of the item or of `Keys`, of the old image, of the new image.
    buffers: [KeyBuffer; 3],
    key: Vec<u8>,
}

/// The members of a line.
const ITEM: &str = "Item";
const RECORD: &str = "Record";
const METADATA: &str = "Metadata";
const KEYS: &str = "Keys";
const OLD_IMAGE: &str = "OldImage";
const NEW_IMAGE: &str = "NewImage";
const WRITTEN_AT: &str = "WriteTimestampMicros";

/// "DynamoDB supports nested attributes up to 32 levels deep" (developer guide, quotas). How the levels
/// are counted is not said, so that only what is beyond any count is refused.
const DEEPEST: usize = 64;

/// A fault on its way to its line; boxed, since hardly any line has one.
type LineResult<T> = Result<T, Box<LineFault>>;

impl LineChecker {
    /// A checker for the lines of one export.
    #[must_use]
    pub fn new(rules: &LineRules) -> Self {
        Self {
            format: rules.format,
            view: rules.view,
            keys: rules.keys.clone(),
            scratch: Scratch::default(),
            buffers: Default::default(),
            key: Vec::new(),
        }
    }

    /// The keys that were given, or that the first change named.
    #[must_use]
    pub const fn keys(&self) -> Option<&KeySchema> {
        self.keys.as_ref()
    }

    /// Checks a line of UTF-8 text, without its end.
    ///
    /// # Errors
    /// The first fault of the line.
    pub fn check(&mut self, line: &str) -> Result<LineContent<'_>, Box<LineFault>> {
        for buffer in &mut self.buffers {
            buffer.clear();
        }
        match self.format {
            Format::DynamoDbJson => json::check(self, line.as_bytes())?,
            Format::Ion => ion::check(self, line)?,
        }
        self.content()
    }

    /// What the buffers hold once a line was read.
    fn content(&mut self) -> LineResult<LineContent<'_>> {
        let Some(keys) = &self.keys else {
            return Ok(LineContent {
                key: None,
                images: u8::from(self.view.is_none()),
                missing: [0; 2],
            });
        };
        let [whole, old, new] = &self.buffers;
        let mut content = LineContent {
            key: None,
            images: 0,
            missing: [0; 2],
        };
        let items: &[(&KeyBuffer, &str)] = if self.view.is_some() {
            &[(old, OLD_IMAGE), (new, NEW_IMAGE)]
        } else {
            &[(whole, ITEM)]
        };
        for (item, member) in items.iter().filter(|(item, _)| item.is_present) {
            content.images += 1;
            for (index, attribute) in keys.attributes().enumerate() {
                let Some(part) = item.part(index) else {
                    content.missing[index] += 1;
                    continue;
                };
                if self.view.is_some() && whole.part(index) != Some(part) {
                    return Err(LineFault::new(LineFaultKind::OtherKey)
                        .within(&attribute.name)
                        .within(member));
                }
            }
        }
        self.key.clear();
        if whole.write(keys.len(), &mut self.key) {
            content.key = Some(&self.key);
        }
        Ok(content)
    }
}

/// Which images a change may and must have: a delete in the view of new images has none (developer
/// guide, output of a table export).
fn check_images(view: View, has_old: bool, has_new: bool) -> LineResult<()> {
    match view {
        View::NewImage if has_old => {
            Err(LineFault::new(LineFaultKind::UnexpectedMember).within(OLD_IMAGE))
        }
        View::NewAndOldImages if !has_old && !has_new => {
            Err(LineFault::new(LineFaultKind::NoImage))
        }
        _ => Ok(()),
    }
}
