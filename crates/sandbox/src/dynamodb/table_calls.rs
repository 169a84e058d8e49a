//! Making and removing tables, and their settings: `CreateTable`, `DeleteTable`, `UpdateTable`, time to
//! live, tags.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{denied, foreign, named_table, table_arn, table_description};
use crate::call::AuthenticatedCall;
use crate::context::RequestRoute;
use crate::encryption::{KeyProblem, KeyUse};
use crate::identifier::fresh_uuid;
use crate::json_members::{require, text};
use crate::partitions::via_service;
use crate::refusal::Refusal;
use crate::table_definition::{Making, TableDefinition};
use crate::world::{Table, World};
use tableferry_policy::arn::Arn;

/// Answers an operation on tables; `None` for one that is not.
pub(super) fn answer(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    operation: &str,
    input: &Value,
) -> Option<Result<Value, Refusal>> {
    Some(match operation {
        "CreateTable" => create_table(world, call, input),
        "DeleteTable" => delete_table(world, call, input),
        "UpdateTable" => update_table(world, call, input),
        "DescribeTimeToLive" => describe_time_to_live(world, call, input),
        "UpdateTimeToLive" => update_time_to_live(world, call, input),
        "TagResource" => tag_resource(world, call, input),
        "UntagResource" => untag_resource(world, call, input),
        "ListTagsOfResource" => list_tags(world, call, input),
        _ => return None,
    })
}

/// How long a table takes to be made or removed: a tenth of a job.
fn delay(call: &AuthenticatedCall<'_>) -> SignedDuration {
    SignedDuration::try_from(call.open_questions.job_length / 10).unwrap_or(SignedDuration::ZERO)
}

/// What `DynamoDB` says to somebody who would make a table of a name that is taken.
pub(super) fn name_taken(name: &str) -> Refusal {
    Refusal::new(
        "ResourceInUseException",
        format!("Table already exists: {name}"),
    )
}

fn not_found(name: &str) -> Refusal {
    Refusal::new(
        "ResourceNotFoundException",
        format!("Requested resource not found: Table: {name} not found"),
    )
}

fn in_use(name: &str, what: &str) -> Refusal {
    Refusal::new(
        "ResourceInUseException",
        format!(
            "Attempt to change a resource which is still in use: Table is being {what}: {name}"
        ),
    )
}

/// The tags of a list of keys and values.
fn tags(input: &Value) -> Vec<(String, String)> {
    let entries = input.get("Tags").and_then(Value::as_array);
    let pair = |tag: &Value| Some((text(tag, "Key")?.to_owned(), text(tag, "Value")?.to_owned()));
    entries.into_iter().flatten().filter_map(pair).collect()
}

impl Table {
    /// A table that a definition makes.
    pub(crate) fn made(
        definition: TableDefinition,
        (region, id): (&str, String),
        (at, active_at): (Timestamp, Timestamp),
    ) -> Self {
        Self {
            name: definition.name.clone(),
            region: region.to_owned(),
            recovery_period_days: 35,
            key_id: definition.key.clone(),
            making: Some(Making {
                id,
                at,
                active_at,
                definition,
            }),
            ..Self::default()
        }
    }
}

fn create_table(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let name = require(input, "TableName")?;
    call.require(world, "dynamodb:CreateTable", &table_arn(call, name))
        .map_err(|denial| denied(&denial))?;
    let mut definition = TableDefinition::read(input)?;
    let account = call.caller.account.clone();
    if world
        .table(&account, call.region, &definition.name)
        .is_some()
    {
        return Err(name_taken(&definition.name));
    }
    settle_key(world, call, &mut definition)?;
    let times = (call.now, call.now + delay(call));
    let mut table = Table::made(definition, (call.region, fresh_uuid()), times);
    table.is_protected = input["DeletionProtectionEnabled"] == true;
    table.tags.extend(tags(input));
    let description = table_description(world, &account, &table, call.now);
    if let Some(account) = world.accounts.get_mut(&account) {
        account.tables.push(table);
    }
    world.touch();
    Ok(json!({ "TableDescription": description }))
}

/// Puts the id of the key in the place of its reference. The principal that makes a table must be able to
/// use its key through `DynamoDB` ("DynamoDB encryption at rest: usage notes").
pub(super) fn settle_key(
    world: &World,
    call: &AuthenticatedCall<'_>,
    definition: &mut TableDefinition,
) -> Result<(), Refusal> {
    let Some(reference) = definition.key.clone() else {
        return Ok(());
    };
    let account = &call.caller.account;
    let missing = |what: &str| {
        Refusal::validation(format!(
            "KMS validation error: com.amazonaws.services.kms.model.NotFoundException: {what}"
        ))
    };
    let arn = reference.parse::<Arn>().ok();
    let (owner, resource) = match &arn {
        Some(arn) => (arn.account.as_str(), arn.resource.as_str()),
        None => (account.as_str(), reference.as_str()),
    };
    let key = if resource.starts_with("alias/") {
        world
            .key_by_alias(owner, call.region, resource)
            .ok_or_else(|| {
                missing(&format!(
                    "Alias {} is not found.",
                    call.arn("kms", resource)
                ))
            })?
    } else {
        let id = resource.strip_prefix("key/").unwrap_or(resource);
        world.key(owner, call.region, id).ok_or_else(|| {
            missing(&format!(
                "Key '{}' does not exist",
                call.arn("kms", &format!("key/{id}"))
            ))
        })?
    };
    let purpose = KeyUse {
        caller: call.caller,
        actions: &["kms:DescribeKey", "kms:CreateGrant", "kms:Decrypt"],
        via_service: &via_service(world.partition, "dynamodb", call.region),
        encryption_context: &[],
        now: call.now,
        route: RequestRoute::Forwarded {
            by: &["dynamodb.amazonaws.com"],
            address: call.open_questions.source_address,
        },
    };
    world
        .use_key(owner, key, &purpose)
        .map_err(|problem| match problem {
            KeyProblem::Denied(message) => Refusal::new("AccessDeniedException", message),
            KeyProblem::State { message, .. } | KeyProblem::NotFound(message) => {
                Refusal::validation(format!("KMS validation error: {message}"))
            }
        })?;
    definition.key = Some(key.id.clone());
    Ok(())
}

fn delete_table(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let name = named_table(world, call, "dynamodb:DeleteTable", input)?;
    let account = call.caller.account.clone();
    let table = world
        .table_mut(&account, call.region, &name)
        .ok_or_else(|| not_found(&name))?;
    match table.status(call.now) {
        "CREATING" => return Err(in_use(&name, "created")),
        "DELETING" => return Err(in_use(&name, "deleted")),
        _ => {}
    }
    if table.is_protected {
        return Err(Refusal::validation(
            "Resource cannot be deleted as it is currently protected against deletion. Disable \
             deletion protection first.",
        ));
    }
    table.deletion = Some((call.now, call.now + delay(call)));
    let table = table.clone();
    world.touch();
    let description = table_description(world, &account, &table, call.now);
    Ok(json!({ "TableDescription": description }))
}

fn update_table(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let name = named_table(world, call, "dynamodb:UpdateTable", input)?;
    let known = [
        "TableName",
        "DeletionProtectionEnabled",
        "StreamSpecification",
    ];
    let mut members = input.as_object().into_iter().flat_map(|input| input.keys());
    if let Some(other) = members.find(|name| !known.contains(&name.as_str())) {
        return Err(Refusal::validation(format!(
            "The sandbox does not play {other} of UpdateTable: leave it out."
        )));
    }
    let account = call.caller.account.clone();
    let table = world
        .table_mut(&account, call.region, &name)
        .ok_or_else(|| not_found(&name))?;
    if table.status(call.now) != "ACTIVE" {
        return Err(in_use(&name, "created"));
    }
    if let Some(is_protected) = input["DeletionProtectionEnabled"].as_bool() {
        table.is_protected = is_protected;
    }
    if let (Some(stream), Some(making)) = (input.get("StreamSpecification"), &mut table.making) {
        making.definition.stream = Some(stream.clone());
    }
    let table = table.clone();
    world.touch();
    let description = table_description(world, &account, &table, call.now);
    Ok(json!({ "TableDescription": description }))
}

fn describe_time_to_live(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let name = named_table(world, call, "dynamodb:DescribeTimeToLive", input)?;
    let table = world.table(&call.caller.account, call.region, &name);
    let table = table.ok_or_else(|| not_found(&name))?;
    let description = match &table.time_to_live {
        Some(name) => json!({"TimeToLiveStatus": "ENABLED", "AttributeName": name}),
        None => json!({"TimeToLiveStatus": "DISABLED"}),
    };
    Ok(json!({ "TimeToLiveDescription": description }))
}

fn update_time_to_live(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let name = named_table(world, call, "dynamodb:UpdateTimeToLive", input)?;
    let specification = input
        .get("TimeToLiveSpecification")
        .cloned()
        .unwrap_or_default();
    let attribute = require(&specification, "AttributeName")?.to_owned();
    let enable = specification["Enabled"] == true;
    let table = world
        .table_mut(&call.caller.account, call.region, &name)
        .ok_or_else(|| not_found(&name))?;
    if enable == table.time_to_live.is_some() {
        let state = if enable { "enabled" } else { "disabled" };
        return Err(Refusal::validation(format!(
            "TimeToLive is already {state}"
        )));
    }
    table.time_to_live = enable.then_some(attribute);
    world.touch();
    Ok(json!({ "TimeToLiveSpecification": specification }))
}

/// The name of the table whose ARN `ResourceArn` is, authorized for an action.
fn tagged_table(
    world: &World,
    call: &AuthenticatedCall<'_>,
    action: &str,
    input: &Value,
) -> Result<String, Refusal> {
    let given = require(input, "ResourceArn")?;
    let arn: Arn = given.parse().map_err(|_| {
        Refusal::validation(format!(
            "Invalid TableArn: Invalid ResourceArn provided as input {given}"
        ))
    })?;
    if arn.account != call.caller.account {
        return Err(foreign());
    }
    call.require(world, action, given)
        .map_err(|denial| denied(&denial))?;
    let name = arn.resource_after("table").unwrap_or_default().to_owned();
    if world.table(&arn.account, call.region, &name).is_none() {
        return Err(Refusal::new(
            "ResourceNotFoundException",
            format!("Requested resource not found: ResourcArn: {given} not found"),
        ));
    }
    Ok(name)
}

fn tag_resource(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let name = tagged_table(world, call, "dynamodb:TagResource", input)?;
    if let Some(table) = world.table_mut(&call.caller.account, call.region, &name) {
        table.tags.extend(tags(input));
    }
    world.touch();
    Ok(json!({}))
}

fn untag_resource(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let name = tagged_table(world, call, "dynamodb:UntagResource", input)?;
    let keys = input.get("TagKeys").and_then(Value::as_array);
    if let Some(table) = world.table_mut(&call.caller.account, call.region, &name) {
        for key in keys.into_iter().flatten().filter_map(Value::as_str) {
            table.tags.remove(key);
        }
    }
    world.touch();
    Ok(json!({}))
}

fn list_tags(world: &World, call: &AuthenticatedCall<'_>, input: &Value) -> Result<Value, Refusal> {
    let name = tagged_table(world, call, "dynamodb:ListTagsOfResource", input)?;
    let table = world.table(&call.caller.account, call.region, &name);
    let tags = table.map(|table| &table.tags).into_iter().flatten();
    let tags: Vec<Value> = tags
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect();
    Ok(json!({ "Tags": tags }))
}
