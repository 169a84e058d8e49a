//! `FilterSpecification`: which items an export holds, and what of them ("Exporting with filters" in the
//! developer guide; the expressions are those of `Query`).
//!
//! A key condition and a filter decide alike here: what they cost differs, and the sandbox bills no
//! request. In an incremental export a change is judged by its latest image, a deletion by the old one.

mod condition;
mod token;

use serde_json::{Map, Value};

use super::item_store::Item;
use super::json_members::text;
use condition::{FilterCondition, Path, PathStep};
use token::Tokens;

/// What an export leaves out.
#[derive(Debug)]
pub(super) struct Filter {
    conditions: Vec<FilterCondition>,
    projection: Option<Vec<Path>>,
}

impl Filter {
    /// The filter of a request; `None` without one. `Err` says what is wrong with it.
    pub(super) fn of(request: &Value) -> Result<Option<Self>, String> {
        let Some(given) = request.get("FilterSpecification").filter(|f| !f.is_null()) else {
            return Ok(None);
        };
        let empty = Map::new();
        let members = |name: &str| given.get(name).and_then(Value::as_object).unwrap_or(&empty);
        let names = members("ExpressionAttributeNames");
        let values = members("ExpressionAttributeValues");
        let mut conditions = Vec::new();
        for name in ["KeyConditionExpression", "FilterExpression"] {
            if let Some(expression) = text(given, name) {
                let tokens = Tokens::of(expression, names, values);
                let condition = tokens.and_then(FilterCondition::read);
                let wrong = |problem| format!("Invalid {name}: {problem}");
                conditions.push(condition.map_err(wrong)?);
            }
        }
        let projection = match text(given, "ProjectionExpression") {
            None => None,
            Some(expression) => {
                let tokens = Tokens::of(expression, names, values);
                let paths = tokens.and_then(condition::read_paths);
                let wrong = |problem| format!("Invalid ProjectionExpression: {problem}");
                Some(paths.map_err(wrong)?)
            }
        };
        Ok(Some(Self {
            conditions,
            projection,
        }))
    }

    /// Whether an item is exported.
    pub(super) fn keeps(&self, item: &Item) -> bool {
        self.conditions
            .iter()
            .all(|condition| condition.holds(item))
    }

    /// What of an item is exported.
    pub(super) fn project(&self, item: &Item) -> Item {
        let Some(paths) = &self.projection else {
            return item.clone();
        };
        let mut kept = Item::new();
        for path in paths {
            if let Some(value) = path.value(item) {
                put(&mut kept, path, value.clone());
            }
        }
        kept
    }
}

/// Puts a value at a path: a list holds what was projected of it in its order.
fn put(kept: &mut Item, path: &Path, value: Value) {
    let Some((first, steps)) = path.parts() else {
        return;
    };
    let whole = steps.iter().rev().fold(value, |value, step| match step {
        PathStep::Name(name) => {
            let mut map = Map::new();
            map.insert(name.clone(), value);
            serde_json::json!({ "M": map })
        }
        PathStep::Index(_) => serde_json::json!({ "L": [value] }),
    });
    match kept.get_mut(first) {
        Some(known) => merge(known, whole),
        None => {
            kept.insert(first.to_owned(), whole);
        }
    }
}

fn merge(known: &mut Value, more: Value) {
    let (Some(known), Value::Object(more)) = (known.as_object_mut(), more) else {
        return;
    };
    for (kind, value) in more {
        match (known.get_mut(&kind), value) {
            (Some(Value::Object(known)), Value::Object(value)) => {
                for (name, value) in value {
                    match known.get_mut(&name) {
                        Some(one) => merge(one, value),
                        None => {
                            known.insert(name, value);
                        }
                    }
                }
            }
            (Some(Value::Array(known)), Value::Array(value)) => known.extend(value),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
