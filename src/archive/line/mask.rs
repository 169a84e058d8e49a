//! A line with its attributes masked.
//!
//! What is not masked is copied as it stands, byte for byte, and no tree is built of a line. Of a line it
//! is expected that it is sound, which is for [`super::LineChecker`] to say, of the masked one, too. Every
//! value that a path leads to is masked, whatever its type; where its type or form is not what the method
//! is for, it is hashed, and counted.

mod keyed;
mod size;
#[cfg(test)]
mod tests;
mod tree;
mod walk;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::keyed::Keyed;
use self::size::{LARGEST_ITEM, item_size};
use self::tree::Node;
use self::walk::Walk;
use super::fault::{LineFault, LineFaultKind};
use super::scan::{LineText, Scanner, Scratch};
use super::{ITEM, LineResult, NEW_IMAGE, OLD_IMAGE};
use crate::job::{MaskMethod, MaskRule};

pub use keyed::{InvalidSecret, MaskSecret};

/// The rules of a mask, made ready for lines.
#[derive(Debug)]
pub struct Masking {
    tree: Node,
    methods: Vec<Method>,
}

/// What is done to a value.
#[derive(Debug)]
enum Method {
    Drop,
    /// A value stands in its place; the name of its type, and the whole as JSON.
    Replace(String, String),
    Keyed(Shape, Keyed),
}

/// What a keyed method makes of values that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Hash,
    Email,
    Digits,
}

/// What one rule came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RuleCounts {
    /// Values that its path led to.
    pub values: u64,
    /// Values of a type that the method is not for, and those on the way that are no map or list.
    pub unexpected: u64,
    /// Values of the right type that the method does not fit, so that they were hashed.
    pub hashed: u64,
    /// Masked values that stand elsewhere in their line, too.
    pub copies: u64,
}

impl RuleCounts {
    /// Adds what another file came to.
    pub fn add(&mut self, other: &Self) {
        self.values += other.values;
        self.unexpected += other.unexpected;
        self.hashed += other.hashed;
        self.copies += other.copies;
    }
}

/// A keyed method without a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a keyed method needs a secret")]
pub struct NoSecret;

impl Masking {
    /// Makes rules ready; the secret is needed where one of them is keyed.
    ///
    /// # Errors
    /// Where it is needed and there is none.
    pub fn new(rules: &[MaskRule], secret: Option<&MaskSecret>) -> Result<Self, NoSecret> {
        let keyed = secret.map(Keyed::new);
        let shaped = |shape| Ok(Method::Keyed(shape, keyed.clone().ok_or(NoSecret)?));
        let methods = rules.iter().map(|rule| match &rule.method {
            MaskMethod::Drop => Ok(Method::Drop),
            MaskMethod::Null => Ok(Method::Replace(
                "NULL".to_owned(),
                r#"{"NULL":true}"#.to_owned(),
            )),
            MaskMethod::Replace(value) => {
                let kind = value.as_object().and_then(|value| value.keys().next());
                Ok(Method::Replace(
                    kind.cloned().unwrap_or_default(),
                    value.to_string(),
                ))
            }
            MaskMethod::Hash => shaped(Shape::Hash),
            MaskMethod::Email => shaped(Shape::Email),
            MaskMethod::Digits => shaped(Shape::Digits),
        });
        Ok(Self {
            methods: methods.collect::<Result<_, _>>()?,
            tree: Node::of_rules(rules),
        })
    }
}

/// Masks lines, one after the other, with buffers that it keeps.
#[derive(Debug)]
pub struct LineMasker<'m> {
    masking: &'m Masking,
    scratch: Scratch,
    out: Vec<u8>,
    originals: Vec<(usize, LineText)>,
    counts: Vec<RuleCounts>,
}

impl<'m> LineMasker<'m> {
    /// A masker by these rules.
    #[must_use]
    pub fn new(masking: &'m Masking) -> Self {
        Self {
            masking,
            scratch: Scratch::default(),
            out: Vec::new(),
            originals: Vec::new(),
            counts: vec![RuleCounts::default(); masking.methods.len()],
        }
    }

    /// What each rule came to, in their order.
    #[must_use]
    pub fn counts(&self) -> &[RuleCounts] {
        &self.counts
    }

    /// Masks a sound line, without its end.
    ///
    /// # Errors
    /// Where the line is not sound, or an item would be larger than any may be.
    pub fn mask(&mut self, line: &str) -> Result<&str, Box<LineFault>> {
        self.out.clear();
        self.originals.clear();
        let mut walk = Walk {
            scanner: Scanner::new(line.as_bytes(), &mut self.scratch),
            line: line.as_bytes(),
            copied: 0,
            out: &mut self.out,
            masking: self.masking,
            counts: &mut self.counts,
            originals: &mut self.originals,
        };
        walk.line()?;
        walk.look_for_copies();
        if self.out.len() > LARGEST_ITEM {
            check_sizes(&self.out)?;
        }
        // It is made of texts, and of a line cut between its tokens.
        simdutf8::basic::from_utf8(&self.out).map_err(|_| LineFault::new(LineFaultKind::NotText))
    }
}

/// Whether each item of a line that may be too large is not.
fn check_sizes(line: &[u8]) -> LineResult<()> {
    let Ok(line) = serde_json::from_slice::<Value>(line) else {
        return Err(LineFault::new(LineFaultKind::Syntax { column: None }));
    };
    for member in [ITEM, OLD_IMAGE, NEW_IMAGE] {
        if line
            .get(member)
            .is_some_and(|item| item_size(item) > LARGEST_ITEM)
        {
            return Err(LineFault::new(LineFaultKind::ItemTooLarge).within(member));
        }
    }
    Ok(())
}
