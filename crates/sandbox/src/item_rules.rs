//! What makes an item one that `DynamoDB` takes: types, keys, sizes and depths, by "Supported data types
//! and naming rules" and "Quotas" of the developer guide. Numbers are brought into their normal form.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::item_store::{Item, ItemPlace};
use super::number::{NumberFault, normalize};
use super::world::Table;

/// The most bytes that an item may have, names included.
const MOST_BYTES: usize = 400 * 1024;

/// The most levels of lists and maps.
const MOST_LEVELS: u32 = 32;

const INVALID: &str = "One or more parameter values were invalid: ";

/// Checks an item of a table and brings its numbers into their normal form; gives where it lies.
pub(super) fn check_item(table: &Table, item: &mut Item) -> Result<ItemPlace, String> {
    check_attributes(item)?;
    for (name, kind) in table.keys() {
        let value = item
            .get(name)
            .ok_or_else(|| format!("{INVALID}Missing the key {name} in the item"))?;
        check_key_value(name, kind, value)?;
    }
    check_index_keys(table, item)?;
    if size(item) > MOST_BYTES {
        return Err("Item size has exceeded the maximum allowed size".to_owned());
    }
    Ok(table.place(item))
}

/// Checks a key of a table; gives where its item lies.
pub(super) fn check_key(table: &Table, key: &mut Item) -> Result<ItemPlace, String> {
    check_attributes(key)?;
    let keys = table.keys();
    let fits = |(name, kind): &(&str, &str)| key.get(*name).is_some_and(|v| v.get(*kind).is_some());
    if key.len() != keys.len() || !keys.iter().all(fits) {
        return Err("The provided key element does not match the schema".to_owned());
    }
    for (name, kind) in &keys {
        check_key_value(name, kind, &key[*name])?;
    }
    Ok(table.place(key))
}

/// The size of an item, as reads and pages count it ("DynamoDB item sizes and formats").
pub(super) fn size(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value_size(value))
        .sum()
}

fn check_attributes(item: &mut Item) -> Result<(), String> {
    item.values_mut()
        .try_for_each(|value| check_value(value, 0))
}

fn check_key_value(name: &str, kind: &str, value: &Value) -> Result<(), String> {
    let Some(content) = value.get(kind) else {
        return Err(format!(
            "{INVALID}Type mismatch for key {name} expected: {kind} actual: {}",
            kind_of(value)
        ));
    };
    if content.as_str() == Some("") {
        let what = if kind == "B" { "binary" } else { "string" };
        return Err(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute \
             cannot contain an empty {what} value. Key: {name}"
        ));
    }
    Ok(())
}

fn check_index_keys(table: &Table, item: &Item) -> Result<(), String> {
    let Some(definition) = table.definition() else {
        return Ok(());
    };
    let indexes = definition.global_indexes.iter();
    for index in indexes.chain(&definition.local_indexes) {
        for name in &index.keys {
            let kind = definition.type_of(name).unwrap_or_default();
            let Some(value) = item.get(name) else {
                continue;
            };
            if value.get(kind).is_none() {
                return Err(format!(
                    "{INVALID}Type mismatch for Index Key {name} Expected: {kind} Actual: {} \
                     IndexName: {}",
                    kind_of(value),
                    index.name
                ));
            }
        }
    }
    Ok(())
}

fn kind_of(value: &Value) -> &str {
    let members = value.as_object();
    members
        .and_then(|members| members.keys().next())
        .map_or("NULL", String::as_str)
}

/// Checks one attribute value.
fn check_value(value: &mut Value, level: u32) -> Result<(), String> {
    if level >= MOST_LEVELS {
        return Err("Nesting Levels have exceeded supported limits".to_owned());
    }
    let members = value.as_object_mut().ok_or_else(empty_value)?;
    if members.len() > 1 {
        return Err(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of \
             the supported datatypes"
                .to_owned(),
        );
    }
    let (kind, content) = members.iter_mut().next().ok_or_else(empty_value)?;
    match (kind.as_str(), content) {
        ("S", Value::String(_)) | ("BOOL", Value::Bool(_)) | ("NULL", Value::Bool(true)) => Ok(()),
        ("NULL", _) => Err(format!(
            "{INVALID}Null attribute value types must have the value of true"
        )),
        ("B", Value::String(text)) => check_binary(text),
        ("N", Value::String(text)) => check_number(text),
        ("SS" | "NS" | "BS", Value::Array(members)) => check_set(kind, members),
        ("L", Value::Array(values)) => values
            .iter_mut()
            .try_for_each(|value| check_value(value, level + 1)),
        ("M", Value::Object(map)) => check_map(map, level),
        _ => Err(empty_value()),
    }
}

fn empty_value() -> String {
    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
        .to_owned()
}

fn check_map(map: &mut Map<String, Value>, level: u32) -> Result<(), String> {
    map.values_mut()
        .try_for_each(|value| check_value(value, level + 1))
}

fn check_binary(text: &str) -> Result<(), String> {
    STANDARD
        .decode(text)
        .map(drop)
        .map_err(|_| "Base64 encoded length is expected a multiple of 4 bytes".to_owned())
}

fn check_number(text: &mut String) -> Result<(), String> {
    *text = normalize(text).map_err(|fault| match fault {
        NumberFault::NotANumber => {
            format!("The parameter cannot be converted to a numeric value: {text}")
        }
        NumberFault::TooPrecise => {
            "Attempting to store more than 38 significant digits in a Number".to_owned()
        }
        NumberFault::TooLarge => "Number overflow. Attempting to store a number with magnitude \
                                  larger than supported range"
            .to_owned(),
        NumberFault::TooSmall => "Number underflow. Attempting to store a number with magnitude \
                                  smaller than supported range"
            .to_owned(),
    })?;
    Ok(())
}

fn check_set(kind: &str, members: &mut [Value]) -> Result<(), String> {
    if members.is_empty() {
        let what = match kind {
            "SS" => "An string set",
            "NS" => "An number set",
            _ => "Binary sets",
        };
        return Err(format!("{INVALID}{what}  may not be empty"));
    }
    for member in members.iter_mut() {
        let Value::String(text) = member else {
            return Err(empty_value());
        };
        match kind {
            "NS" => check_number(text)?,
            "BS" => check_binary(text)?,
            _ => {}
        }
    }
    let distinct: BTreeSet<&str> = members.iter().filter_map(Value::as_str).collect();
    if distinct.len() < members.len() {
        let all: Vec<&str> = members.iter().filter_map(Value::as_str).collect();
        return Err(format!(
            "{INVALID}Input collection [{}] contains duplicates.",
            all.join(", ")
        ));
    }
    Ok(())
}

fn value_size(value: &Value) -> usize {
    let Some((kind, content)) = value.as_object().and_then(|members| members.iter().next()) else {
        return 0;
    };
    let scalar = |kind: &str, text: &str| match kind {
        "N" | "NS" => text.len().div_ceil(2) + 1,
        "B" | "BS" => text.len() / 4 * 3,
        _ => text.len(),
    };
    match content {
        Value::String(text) => scalar(kind, text),
        Value::Array(members) if kind == "L" => {
            3 + members
                .iter()
                .map(|value| 1 + value_size(value))
                .sum::<usize>()
        }
        Value::Array(members) => members
            .iter()
            .filter_map(Value::as_str)
            .map(|text| scalar(kind, text))
            .sum(),
        Value::Object(map) => {
            let member = |(name, value): (&String, &Value)| 1 + name.len() + value_size(value);
            3 + map.iter().map(member).sum::<usize>()
        }
        _ => 1,
    }
}
