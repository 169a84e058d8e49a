//! Conditions on an item: comparisons, functions, and how they combine ("Condition and filter expressions"
//! in the developer guide).

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::token::{Token, Tokens};
use crate::item_store::Item;

/// A condition.
#[derive(Debug)]
pub(super) enum FilterCondition {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compared(Operand, &'static str, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    IsOfType(Path, Operand),
    BeginsWith(Path, Operand),
    Contains(Path, Operand),
}

/// What is compared.
#[derive(Debug)]
pub(super) enum Operand {
    Path(Path),
    Value(Value),
    Size(Path),
}

/// A place in an item: an attribute, and steps into maps and lists.
#[derive(Debug)]
pub(super) struct Path {
    attribute: String,
    steps: Vec<PathStep>,
}

#[derive(Debug)]
pub(super) enum PathStep {
    Name(String),
    Index(usize),
}

const COMPARATORS: [&str; 6] = ["=", "<>", "<=", ">=", "<", ">"];

impl Path {
    /// The attribute and the steps from there.
    pub(super) fn parts(&self) -> Option<(&str, &[PathStep])> {
        (!self.attribute.is_empty()).then_some((self.attribute.as_str(), self.steps.as_slice()))
    }

    /// The attribute value at this place.
    pub(super) fn value<'i>(&self, item: &'i Item) -> Option<&'i Value> {
        let first = item.get(&self.attribute)?;
        self.steps.iter().try_fold(first, |value, step| match step {
            PathStep::Name(name) => value.get("M")?.get(name),
            PathStep::Index(index) => value.get("L")?.get(index),
        })
    }

    fn read(tokens: &mut Tokens) -> Result<Self, String> {
        let Some(Token::Name { text, .. }) = tokens.peek().cloned() else {
            return Err(tokens.syntax_error());
        };
        tokens.next();
        let mut path = Self {
            attribute: text,
            steps: Vec::new(),
        };
        loop {
            if tokens.takes(".") {
                let Some(Token::Name { text, .. }) = tokens.next() else {
                    return Err(tokens.syntax_error());
                };
                path.steps.push(PathStep::Name(text));
            } else if tokens.takes("[") {
                let Some(Token::Number(index)) = tokens.next() else {
                    return Err(tokens.syntax_error());
                };
                path.steps.push(PathStep::Index(index));
                tokens.expect("]")?;
            } else {
                return Ok(path);
            }
        }
    }
}

/// The paths of a projection, with commas between.
pub(super) fn read_paths(mut tokens: Tokens) -> Result<Vec<Path>, String> {
    let mut paths = vec![Path::read(&mut tokens)?];
    while tokens.takes(",") {
        paths.push(Path::read(&mut tokens)?);
    }
    tokens.expect_end().map(|()| paths)
}

impl FilterCondition {
    pub(super) fn read(mut tokens: Tokens) -> Result<Self, String> {
        let condition = Self::read_or(&mut tokens)?;
        tokens.expect_end().map(|()| condition)
    }

    fn read_or(tokens: &mut Tokens) -> Result<Self, String> {
        let mut left = Self::read_and(tokens)?;
        while tokens.takes_word("OR") {
            left = Self::Or(Box::new(left), Box::new(Self::read_and(tokens)?));
        }
        Ok(left)
    }

    fn read_and(tokens: &mut Tokens) -> Result<Self, String> {
        let mut left = Self::read_not(tokens)?;
        while tokens.takes_word("AND") {
            left = Self::And(Box::new(left), Box::new(Self::read_not(tokens)?));
        }
        Ok(left)
    }

    fn read_not(tokens: &mut Tokens) -> Result<Self, String> {
        if tokens.takes_word("NOT") {
            return Ok(Self::Not(Box::new(Self::read_not(tokens)?)));
        }
        if tokens.takes("(") {
            let inner = Self::read_or(tokens)?;
            return tokens.expect(")").map(|()| inner);
        }
        Self::read_single(tokens)
    }

    fn read_single(tokens: &mut Tokens) -> Result<Self, String> {
        if let Some(function) = read_function(tokens)? {
            return Ok(function);
        }
        let left = Operand::read(tokens)?;
        if tokens.takes_word("BETWEEN") {
            let low = Operand::read(tokens)?;
            if !tokens.takes_word("AND") {
                return Err(tokens.syntax_error());
            }
            return Ok(Self::Between(left, low, Operand::read(tokens)?));
        }
        if tokens.takes_word("IN") {
            tokens.expect("(")?;
            let mut choices = vec![Operand::read(tokens)?];
            while tokens.takes(",") {
                choices.push(Operand::read(tokens)?);
            }
            return tokens.expect(")").map(|()| Self::In(left, choices));
        }
        for comparator in COMPARATORS {
            if tokens.takes(comparator) {
                return Ok(Self::Compared(left, comparator, Operand::read(tokens)?));
            }
        }
        Err(tokens.syntax_error())
    }

    /// Whether it holds of an item. What is compared and absent, or of another type, does not hold.
    pub(super) fn holds(&self, item: &Item) -> bool {
        match self {
            Self::And(left, right) => left.holds(item) && right.holds(item),
            Self::Or(left, right) => left.holds(item) || right.holds(item),
            Self::Not(inner) => !inner.holds(item),
            Self::Compared(left, comparator, right) => {
                let (left, right) = (left.value(item), right.value(item));
                match (left, right) {
                    (Some(left), Some(right)) => compared(&left, comparator, &right),
                    // An attribute that is absent equals nothing.
                    _ => *comparator == "<>",
                }
            }
            Self::Between(value, low, high) => {
                let (value, low, high) = (value.value(item), low.value(item), high.value(item));
                let (Some(value), Some(low), Some(high)) = (value, low, high) else {
                    return false;
                };
                compared(&value, ">=", &low) && compared(&value, "<=", &high)
            }
            Self::In(value, choices) => {
                let value = value.value(item);
                choices.iter().any(|choice| {
                    let choice = choice.value(item);
                    value.is_some() && choice.is_some() && is_equal(value.as_ref(), choice.as_ref())
                })
            }
            Self::Exists(path) => path.value(item).is_some(),
            Self::IsOfType(path, kind) => {
                let kind = kind.value(item);
                let wanted = kind.as_ref().and_then(|kind| kind.get("S")?.as_str());
                let value = path.value(item).and_then(Value::as_object);
                value
                    .zip(wanted)
                    .is_some_and(|(value, wanted)| value.contains_key(wanted))
            }
            Self::BeginsWith(path, start) => {
                let start = start.value(item);
                let texts = texts(path.value(item), start.as_ref());
                texts.is_some_and(|(text, start)| text.starts_with(start))
            }
            Self::Contains(path, part) => {
                let (value, part) = (path.value(item), part.value(item));
                contains(value, part.as_ref())
            }
        }
    }
}

/// A function that is a condition by itself, if one comes next.
fn read_function(tokens: &mut Tokens) -> Result<Option<FilterCondition>, String> {
    const FUNCTIONS: [&str; 5] = [
        "attribute_exists",
        "attribute_not_exists",
        "attribute_type",
        "begins_with",
        "contains",
    ];
    let Some(name) = FUNCTIONS.into_iter().find(|name| tokens.takes_word(name)) else {
        return Ok(None);
    };
    tokens.expect("(")?;
    let path = Path::read(tokens)?;
    let condition = match name {
        "attribute_exists" => FilterCondition::Exists(path),
        "attribute_not_exists" => FilterCondition::Not(Box::new(FilterCondition::Exists(path))),
        _ => {
            tokens.expect(",")?;
            let argument = Operand::read(tokens)?;
            match name {
                "attribute_type" => FilterCondition::IsOfType(path, argument),
                "begins_with" => FilterCondition::BeginsWith(path, argument),
                _ => FilterCondition::Contains(path, argument),
            }
        }
    };
    tokens.expect(")").map(|()| Some(condition))
}

impl Operand {
    fn read(tokens: &mut Tokens) -> Result<Self, String> {
        if let Some(Token::Value(value)) = tokens.peek().cloned() {
            tokens.next();
            return Ok(Self::Value(value));
        }
        if tokens.takes_word("size") {
            tokens.expect("(")?;
            let path = Path::read(tokens)?;
            return tokens.expect(")").map(|()| Self::Size(path));
        }
        Path::read(tokens).map(Self::Path)
    }

    fn value(&self, item: &Item) -> Option<Value> {
        match self {
            Self::Value(value) => Some(value.clone()),
            Self::Path(path) => path.value(item).cloned(),
            Self::Size(path) => {
                let value = path.value(item)?.as_object()?.values().next()?;
                let size = match value {
                    Value::String(text) => text.len(),
                    Value::Array(members) => members.len(),
                    Value::Object(members) => members.len(),
                    _ => return None,
                };
                Some(json!({ "N": size.to_string() }))
            }
        }
    }
}

fn compared(left: &Value, comparator: &str, right: &Value) -> bool {
    match comparator {
        "=" => is_equal(Some(left), Some(right)),
        "<>" => !is_equal(Some(left), Some(right)),
        _ => matches!(
            (order(left, right), comparator),
            (Some(Ordering::Less), "<" | "<=")
                | (Some(Ordering::Greater), ">" | ">=")
                | (Some(Ordering::Equal), "<=" | ">=")
        ),
    }
}

fn is_equal(left: Option<&Value>, right: Option<&Value>) -> bool {
    let (Some(left), Some(right)) = (left, right) else {
        return false;
    };
    left == right || order(left, right) == Some(Ordering::Equal)
}

/// How two values of one type that has an order compare; as exactly as a double tells numbers apart.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    let member = |value: &'_ Value, kind: &str| value.get(kind)?.as_str().map(str::to_owned);
    if let (Some(left), Some(right)) = (member(left, "N"), member(right, "N")) {
        let numbers: (f64, f64) = (left.parse().ok()?, right.parse().ok()?);
        return numbers.0.partial_cmp(&numbers.1);
    }
    ["S", "B"]
        .into_iter()
        .find_map(|kind| Some(member(left, kind)?.cmp(&member(right, kind)?)))
}

/// Two values that are both text.
fn texts<'v>(one: Option<&'v Value>, other: Option<&'v Value>) -> Option<(&'v str, &'v str)> {
    let text = |value: &'v Value| value.get("S")?.as_str();
    Some((text(one?)?, text(other?)?))
}

/// Whether a text has another in it, or a set or list a member.
fn contains(value: Option<&Value>, part: Option<&Value>) -> bool {
    if let Some((text, part)) = texts(value, part) {
        return text.contains(part);
    }
    let (Some(value), Some(part)) = (value, part) else {
        return false;
    };
    let list = value.get("L").and_then(Value::as_array);
    let sets = [("SS", "S"), ("NS", "N"), ("BS", "B")];
    list.is_some_and(|list| list.contains(part))
        || sets.into_iter().any(|(set, kind)| {
            let members = value.get(set).and_then(Value::as_array);
            let wanted = part.get(kind);
            members
                .zip(wanted)
                .is_some_and(|(members, wanted)| members.contains(wanted))
        })
}
