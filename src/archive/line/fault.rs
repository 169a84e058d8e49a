//! What can be wrong with a line, and where in it.

use std::fmt;

use crate::job::table_definition::KeyType;

/// Something that is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// The member or attribute; empty where it is the line.
    pub path: AttributePath,
    /// What is wrong with it.
    pub kind: LineFaultKind,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFaultKind {
    /// The line is empty.
    Empty,
    /// The line ends with a carriage return before its line feed.
    CarriageReturn,
    /// The line is longer than any item makes it.
    TooLong,
    /// The line is not UTF-8.
    NotText,
    /// The text is not of its format.
    Syntax {
        /// The byte of the line, from 1, where that is known.
        column: Option<usize>,
    },
    /// Something follows the line's value.
    TrailingText,
    /// A member that a line of this kind does not have.
    UnexpectedMember,
    /// A member that a line of this kind has is missing.
    MissingMember(&'static str),
    /// A name stands twice in one map.
    NamedTwice,
    /// A name is empty.
    EmptyName,
    /// The value has no type that `DynamoDB` knows.
    UnknownType,
    /// The value is not of the type that stands before it.
    NotOfItsType(&'static str),
    /// The number has more than 38 digits, or is too large or too small.
    NumberOutOfRange,
    /// The set has no member.
    EmptySet,
    /// A member stands twice in the set.
    MemberTwice,
    /// Lists and maps are nested deeper than in any item.
    TooDeep,
    /// A key attribute is missing.
    KeyMissing,
    /// A key attribute is of another type than the table's.
    KeyOfAnotherType {
        /// The table's type.
        expected: KeyType,
    },
    /// A key attribute is an empty text, or has no bytes.
    EmptyKey,
    /// An attribute of `Keys` that is no key of the table.
    NoKey,
    /// An image's key is not the change's.
    OtherKey,
    /// The change has no image, and its view demands one.
    NoImage,
    /// The item is larger than `DynamoDB` takes one.
    ItemTooLarge,
}

impl LineFaultKind {
    /// The fault's name for programs.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Empty => "empty_line",
            Self::CarriageReturn => "carriage_return",
            Self::TooLong => "line_too_long",
            Self::NotText => "not_utf8",
            Self::Syntax { .. } => "syntax",
            Self::TrailingText => "trailing_text",
            Self::UnexpectedMember => "unexpected_member",
            Self::MissingMember(_) => "missing_member",
            Self::NamedTwice => "named_twice",
            Self::EmptyName => "empty_name",
            Self::UnknownType => "unknown_type",
            Self::NotOfItsType(_) => "not_of_its_type",
            Self::NumberOutOfRange => "number_out_of_range",
            Self::EmptySet => "empty_set",
            Self::MemberTwice => "member_twice",
            Self::TooDeep => "too_deep",
            Self::KeyMissing => "key_missing",
            Self::KeyOfAnotherType { .. } => "key_of_another_type",
            Self::EmptyKey => "empty_key",
            Self::NoKey => "no_key",
            Self::OtherKey => "other_key",
            Self::NoImage => "no_image",
            Self::ItemTooLarge => "item_too_large",
        }
    }
}

impl fmt::Display for LineFaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Empty => "the line is empty",
            Self::CarriageReturn => "the line ends with CR LF; an export writes LF alone",
            Self::TooLong => "the line is longer than any item makes it",
            Self::NotText => "the line is not UTF-8",
            Self::Syntax { column: None } => "the text cannot be read",
            Self::Syntax {
                column: Some(column),
            } => return write!(f, "the text cannot be read from byte {column} on"),
            Self::TrailingText => "something follows the item",
            Self::UnexpectedMember => "an export of this kind has no such member",
            Self::MissingMember(name) => return write!(f, "`{name}` is missing"),
            Self::NamedTwice => "the name stands twice in its map",
            Self::EmptyName => "the name is empty",
            Self::UnknownType => "the value has no type of DynamoDB",
            Self::NotOfItsType(name) => return write!(f, "the value is not of type {name}"),
            Self::NumberOutOfRange => "the number is none that DynamoDB can hold",
            Self::EmptySet => "the set is empty",
            Self::MemberTwice => "a member stands twice in the set",
            Self::TooDeep => "lists and maps are nested deeper than in any item",
            Self::KeyMissing => "the key attribute is missing",
            Self::KeyOfAnotherType { expected } => {
                return write!(f, "the key attribute is not of the table's type {expected}");
            }
            Self::EmptyKey => "the key attribute is empty",
            Self::NoKey => "the attribute is no key of the table",
            Self::OtherKey => "the image has another key than its record",
            Self::NoImage => "the record has neither an old nor a new image",
            Self::ItemTooLarge => "the item would be larger than 400 KB",
        };
        f.write_str(text)
    }
}

impl LineFault {
    /// A fault of the line itself.
    pub(in crate::archive) fn of_line(kind: LineFaultKind) -> Box<Self> {
        Self::new(kind)
    }

    pub(super) fn new(kind: LineFaultKind) -> Box<Self> {
        Box::new(Self {
            path: AttributePath::default(),
            kind,
        })
    }

    /// The same fault, one name further inside.
    pub(super) fn within(mut self: Box<Self>, name: &str) -> Box<Self> {
        self.path.0.insert(0, Segment::Name(name.to_owned()));
        self
    }

    /// The same fault, one list further inside.
    pub(super) fn at(mut self: Box<Self>, index: usize) -> Box<Self> {
        self.path.0.insert(0, Segment::Index(index));
        self
    }
}

/// Where something stands in a line: `Item.lines[2].price`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributePath(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Name(String),
    /// From 0, as in the paths of expressions.
    Index(usize),
}

impl AttributePath {
    /// Whether it is the line itself.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Name(name) => {
                    if index > 0 {
                        f.write_str(".")?;
                    }
                    let is_plain = !name.is_empty()
                        && name
                            .chars()
                            .all(|c| c.is_alphanumeric() || "_-:".contains(c));
                    if is_plain {
                        f.write_str(name)?;
                    } else {
                        write!(f, "{name:?}")?;
                    }
                }
            }
        }
        Ok(())
    }
}
