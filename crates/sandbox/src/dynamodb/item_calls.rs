//! Reading and writing items: `GetItem`, `PutItem`, `DeleteItem`, `BatchWriteItem` and `Scan`. Expressions
//! are not played: a request that brings one is refused.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::named_table;
use crate::call::AuthenticatedCall;
use crate::item_rules::{check_item, check_key, size};
use crate::item_store::{Item, ItemPlace};
use crate::json_members::{check_enum, require};
use crate::refusal::Refusal;
use crate::world::{Table, World};

/// The most bytes that one page of a scan reads.
const PAGE: usize = 1024 * 1024;

/// The most requests of one `BatchWriteItem`.
const MOST_REQUESTS: usize = 25;

/// The members that ask for what is not played.
const NOT_PLAYED: [&str; 15] = [
    "AttributeUpdates",
    "AttributesToGet",
    "ConditionExpression",
    "ConditionalOperator",
    "Expected",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "FilterExpression",
    "IndexName",
    "KeyConditionExpression",
    "KeyConditions",
    "ProjectionExpression",
    "QueryFilter",
    "ScanFilter",
    "UpdateExpression",
];

/// Answers an operation on items; `None` for one that is not of items.
pub(super) fn answer(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    operation: &str,
    input: &Value,
) -> Option<Result<Value, Refusal>> {
    let answer = match operation {
        "GetItem" => get_item,
        "PutItem" | "DeleteItem" => write_item,
        "BatchWriteItem" => return Some(batch_write(world, call, input)),
        "Scan" => return Some(scan(world, call, input)),
        _ => return None,
    };
    Some(answer(world, call, operation, input))
}

fn refuse_expressions(input: &Value) -> Result<(), Refusal> {
    let asked = NOT_PLAYED.iter().find(|name| input.get(**name).is_some());
    asked.map_or(Ok(()), |name| {
        Err(Refusal::validation(format!(
            "The sandbox does not play {name} of requests for items: leave it out."
        )))
    })
}

/// What an operation on a table's items says of a table that is not there, or not yet.
fn not_found() -> Refusal {
    Refusal::new("ResourceNotFoundException", "Requested resource not found")
}

/// The table that a call names, ready for reading and writing.
fn usable_table<'w>(
    world: &'w World,
    call: &AuthenticatedCall<'_>,
    operation: &str,
    input: &Value,
) -> Result<&'w Table, Refusal> {
    let action = format!("dynamodb:{operation}");
    let name = named_table(world, call, &action, input)?;
    world
        .table(&call.caller.account, call.region, &name)
        .filter(|table| table.is_usable(call.now))
        .ok_or_else(not_found)
}

fn item_member(input: &Value, name: &str) -> Result<Item, Refusal> {
    match input.get(name) {
        Some(Value::Object(item)) => Ok(item.clone()),
        _ => Err(require(input, name).err().unwrap_or_else(not_found)),
    }
}

fn get_item(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    operation: &str,
    input: &Value,
) -> Result<Value, Refusal> {
    refuse_expressions(input)?;
    let table = usable_table(world, call, operation, input)?;
    let mut key = item_member(input, "Key")?;
    let place = check_key(table, &mut key).map_err(Refusal::validation)?;
    Ok(match table.items_at(call.now).get(&place) {
        Some(item) => json!({ "Item": item }),
        None => json!({}),
    })
}

fn write_item(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    operation: &str,
    input: &Value,
) -> Result<Value, Refusal> {
    refuse_expressions(input)?;
    check_enum(input, "ReturnValues", &["NONE", "ALL_OLD"])?;
    let table = usable_table(world, call, operation, input)?;
    let write = Write::check(table, operation == "PutItem", input)?;
    let name = table.name.clone();
    let old = apply(world, call, &name, write)?;
    Ok(match old.filter(|_| input["ReturnValues"] == "ALL_OLD") {
        Some(old) => json!({ "Attributes": old }),
        None => json!({}),
    })
}

/// A write that is checked.
struct Write {
    place: ItemPlace,
    item: Option<Item>,
}

impl Write {
    /// Checks `Item` of a put, or `Key` of a delete.
    fn check(table: &Table, is_put: bool, input: &Value) -> Result<Self, Refusal> {
        if is_put {
            let mut item = item_member(input, "Item")?;
            let place = check_item(table, &mut item).map_err(Refusal::validation)?;
            return Ok(Self {
                place,
                item: Some(item),
            });
        }
        let mut key = item_member(input, "Key")?;
        let place = check_key(table, &mut key).map_err(Refusal::validation)?;
        Ok(Self { place, item: None })
    }
}

/// Writes, and gives what was there.
fn apply(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    table: &str,
    write: Write,
) -> Result<Option<Item>, Refusal> {
    let table = world
        .table_mut(&call.caller.account, call.region, table)
        .ok_or_else(not_found)?;
    let store = table.store_at(call.now);
    let old = store.items().get(&write.place).cloned();
    store.write(write.place, write.item, call.now);
    world.touch();
    Ok(old)
}

/// "If none of the items can be processed due to insufficient provisioned throughput on all of the tables
/// in the request, then `BatchWriteItem` returns a `ProvisionedThroughputExceededException`" (API reference).
fn batch_write(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let batches = input.get("RequestItems").and_then(Value::as_object);
    let batches = batches
        .filter(|batches| !batches.is_empty())
        .ok_or_else(|| {
            Refusal::validation(
                "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy \
             constraint: Member must have length greater than or equal to 1",
            )
        })?;
    let mut writes = Vec::new();
    for (given, requests) in batches {
        let named = json!({ "TableName": given });
        let table = usable_table(world, call, "BatchWriteItem", &named)?;
        for request in requests.as_array().into_iter().flatten() {
            writes.push((given, table.name.clone(), request, checked(table, request)?));
        }
    }
    if writes.len() > MOST_REQUESTS {
        return Err(Refusal::validation(
            "Too many items requested for the BatchWriteItem call",
        ));
    }
    let distinct: BTreeSet<_> = writes
        .iter()
        .map(|(_, name, _, w)| (name, &w.place))
        .collect();
    if distinct.len() < writes.len() {
        return Err(Refusal::validation(
            "Provided list of item keys contains duplicates",
        ));
    }
    let refused = world.take_unprocessed(writes.len());
    if refused > 0 && refused == writes.len() {
        return Err(Refusal::new(
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded. Consider \
             increasing your provisioning level with the UpdateTable API.",
        ));
    }
    let mut unprocessed = json!({});
    for (index, (given, name, request, write)) in writes.into_iter().enumerate() {
        if index < refused {
            match unprocessed[given].as_array_mut() {
                Some(requests) => requests.push(request.clone()),
                None => unprocessed[given] = json!([request]),
            }
        } else {
            apply(world, call, &name, write)?;
        }
    }
    Ok(json!({ "UnprocessedItems": unprocessed }))
}

fn checked(table: &Table, request: &Value) -> Result<Write, Refusal> {
    match (request.get("PutRequest"), request.get("DeleteRequest")) {
        (Some(put), None) => Write::check(table, true, put),
        (None, Some(delete)) => Write::check(table, false, delete),
        _ => Err(Refusal::validation(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of \
             the supported datatypes",
        )),
    }
}

/// A page of a scan: up to `Limit` items or a megabyte, of one segment.
fn scan(world: &World, call: &AuthenticatedCall<'_>, input: &Value) -> Result<Value, Refusal> {
    refuse_expressions(input)?;
    check_enum(input, "Select", &["ALL_ATTRIBUTES", "COUNT"])?;
    let table = usable_table(world, call, "Scan", input)?;
    let segment = segment(input)?;
    let limit = input.get("Limit").and_then(Value::as_u64);
    if limit == Some(0) {
        return Err(super::limit_violation("limit", 0, u64::MAX));
    }
    let after = match input.get("ExclusiveStartKey") {
        Some(Value::Object(key)) => {
            let mut key = key.clone();
            Some(
                check_key(table, &mut key)
                    .map_err(|_| Refusal::validation("The provided starting key is invalid"))?,
            )
        }
        _ => None,
    };
    let all = table.items_at(call.now);
    let mut here = all
        .iter()
        .filter(|(place, _)| place.hash() % segment.1 == segment.0)
        .filter(|(place, _)| after.as_ref().is_none_or(|after| *place > after))
        .map(|(_, item)| item)
        .peekable();
    let (mut items, mut bytes) = (Vec::new(), 0);
    while let Some(item) = here.peek() {
        let is_full = limit.is_some_and(|limit| items.len() as u64 >= limit);
        if is_full || (bytes > 0 && bytes + size(item) > PAGE) {
            break;
        }
        bytes += size(item);
        items.extend(here.next());
    }
    let mut answer = json!({"Count": items.len(), "ScannedCount": items.len()});
    if input["Select"] != "COUNT" {
        answer["Items"] = json!(items);
    }
    if here.peek().is_some()
        && let Some(last) = items.last()
    {
        answer["LastEvaluatedKey"] = Value::Object(table.key_of(last));
    }
    Ok(answer)
}

/// Which of how many segments a scan reads.
fn segment(input: &Value) -> Result<(u64, u64), Refusal> {
    let number = |name: &str| input.get(name).and_then(Value::as_u64);
    match (number("Segment"), number("TotalSegments")) {
        (None, None) => Ok((0, 1)),
        (Some(segment), Some(total)) if segment < total && total <= 1_000_000 => {
            Ok((segment, total))
        }
        (Some(segment), Some(total)) => Err(Refusal::validation(format!(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: \
             Segment: {segment} is not less than TotalSegments: {total}"
        ))),
        (Some(_), None) => Err(Refusal::validation(
            "The TotalSegments parameter is required but was not present in the request when \
             Segment parameter is present",
        )),
        (None, Some(_)) => Err(Refusal::validation(
            "The Segment parameter is required but was not present in the request when parameter \
             TotalSegments is present",
        )),
    }
}
