//! DynamoDB: tables, their recovery window, their items, exports and imports.

mod export_request;
mod export_span;
mod import_request;
mod item_calls;
mod table_calls;

use serde_json::{Value, json};

use super::authorize::Denial;
use super::call::AuthenticatedCall;
use super::export::{Export, epoch};
use super::identifier::uuid_of;
use super::json_members::{require, text};
use super::refusal::Refusal;
use super::table_definition::schema;
use super::world::{Table, World};
use tableferry_policy::arn::Arn;

/// Answers an operation.
pub(super) fn answer(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    operation: &str,
    input: &Value,
) -> Result<Value, Refusal> {
    if let Some(answer) = table_calls::answer(world, call, operation, input) {
        return answer;
    }
    if let Some(answer) = item_calls::answer(world, call, operation, input) {
        return answer;
    }
    match operation {
        "ImportTable" => import_request::start(world, call, input),
        "DescribeImport" => import_request::describe(world, call, input),
        "ListImports" => import_request::list(world, call, input),
        "ListTables" => list_tables(world, call, input),
        "DescribeTable" => describe_table(world, call, input),
        "DescribeContinuousBackups" => describe_backups(world, call, input),
        "UpdateContinuousBackups" => update_backups(world, call, input),
        "ExportTableToPointInTime" => export_request::start(world, call, input),
        "GetResourcePolicy" => resource_policy(world, call, input),
        "DescribeExport" => describe_export(world, call, input),
        "ListExports" => list_exports(world, call, input),
        _ => Err(Refusal::unknown_operation(
            "UnknownOperationException",
            "DynamoDB",
            operation,
        )),
    }
}

/// `DynamoDB`'s refusal for want of a permission.
pub(super) fn denied(denial: &Denial) -> Refusal {
    Refusal::new("AccessDeniedException", denial.sentence())
}

/// What `DynamoDB` says about things of another account.
pub(super) fn foreign() -> Refusal {
    Refusal::new("AccessDeniedException", "Access is denied")
}

/// All tables of the caller's account and Region, as policies name them.
fn any_table(call: &AuthenticatedCall<'_>) -> String {
    call.arn("dynamodb", "table/*")
}

fn list_tables(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    call.require(world, "dynamodb:ListTables", &any_table(call))
        .map_err(|denial| denied(&denial))?;
    let limit = match input.get("Limit").and_then(Value::as_u64) {
        None => 100,
        Some(limit @ 1..=100) => usize::try_from(limit).unwrap_or(100),
        Some(limit) => return Err(limit_violation("limit", limit, 100)),
    };
    let after = text(input, "ExclusiveStartTableName");
    let mut names: Vec<&str> = world
        .account(&call.caller.account)
        .map(|account| account.tables.as_slice())
        .unwrap_or_default()
        .iter()
        .filter(|table| table.region == call.region)
        .map(|table| table.name.as_str())
        .filter(|name| after.is_none_or(|after| *name > after))
        .collect();
    names.sort_unstable();
    let has_more = names.len() > limit;
    names.truncate(limit);
    let mut answer = json!({ "TableNames": names });
    if has_more && let Some(last) = names.last() {
        answer["LastEvaluatedTableName"] = (*last).into();
    }
    Ok(answer)
}

fn limit_violation(field: &str, value: u64, most: u64) -> Refusal {
    let rule = if value == 0 {
        "greater than or equal to 1".to_owned()
    } else {
        format!("less than or equal to {most}")
    };
    Refusal::validation(format!(
        "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: \
         Member must have value {rule}"
    ))
}

/// The name of a table given by name or ARN, authorized for an action.
fn named_table(
    world: &World,
    call: &AuthenticatedCall<'_>,
    action: &str,
    input: &Value,
) -> Result<String, Refusal> {
    let given = require(input, "TableName")?;
    let name = match given.parse::<Arn>() {
        Ok(arn) if arn.account != call.caller.account => return Err(foreign()),
        Ok(arn) => arn.resource_after("table").unwrap_or(given).to_owned(),
        Err(_) => given.to_owned(),
    };
    let arn = table_arn(call, &name);
    let policy = world
        .table(&call.caller.account, call.region, &name)
        .and_then(|table| table.policy.as_ref());
    call.require_with(world, action, &arn, policy.map(|text| text.0.as_str()))
        .map_err(|denial| denied(&denial))?;
    Ok(name)
}

/// The ARN that a name would have in the Region that was called.
pub(super) fn table_arn(call: &AuthenticatedCall<'_>, name: &str) -> String {
    call.arn("dynamodb", &format!("table/{name}"))
}

fn describe_table(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let name = named_table(world, call, "dynamodb:DescribeTable", input)?;
    let account = &call.caller.account;
    let table = world.table(account, call.region, &name).ok_or_else(|| {
        Refusal::new(
            "ResourceNotFoundException",
            format!("Requested resource not found: Table: {name} not found"),
        )
    })?;
    Ok(json!({ "Table": table_description(world, account, table, call.now) }))
}

/// `DescribeTable`'s counts are brought up to date "approximately every six hours" (API reference of
/// `TableDescription`): those of a young table are still zero.
const COUNTS_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_hours(6);

fn table_description(world: &World, account: &str, table: &Table, now: jiff::Timestamp) -> Value {
    let keys = table.keys();
    let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
    let attributes: Vec<Value> = keys
        .iter()
        .map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}))
        .collect();
    let arn = table.arn(world.partition, account);
    let status = table.status(now);
    let mut description = json!({
        "AttributeDefinitions": attributes,
        "TableName": table.name,
        "KeySchema": schema(&names),
        "TableStatus": status,
        "CreationDateTime": epoch(table.created_at(world.born)),
        "ProvisionedThroughput": {
            "NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0,
        },
        "TableSizeBytes": table.size_bytes(),
        "ItemCount": table.item_count(),
        "TableId": table.id(&arn),
        "TableArn": arn,
        "DeletionProtectionEnabled": table.is_protected,
    });
    match table.definition() {
        Some(definition) => definition.describe(&mut description, (&arn, status)),
        None => description["BillingModeSummary"] = json!({"BillingMode": "PAY_PER_REQUEST"}),
    }
    if table.making.is_some() && now.duration_since(table.created_at(world.born)) < COUNTS_AFTER {
        description["TableSizeBytes"] = 0.into();
        description["ItemCount"] = 0.into();
    }
    if let Some(key) = &table.key_id {
        description["SSEDescription"] = json!({
            "Status": "ENABLED",
            "SSEType": "KMS",
            "KMSMasterKeyArn": format!(
                "arn:{}:kms:{}:{account}:key/{key}",
                world.partition, table.region
            ),
        });
    }
    description
}

fn table_not_found(name: &str) -> Refusal {
    Refusal::new("TableNotFoundException", format!("Table not found: {name}"))
}

fn describe_backups(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let name = named_table(world, call, "dynamodb:DescribeContinuousBackups", input)?;
    let table = world
        .table(&call.caller.account, call.region, &name)
        .ok_or_else(|| table_not_found(&name))?;
    Ok(backups_description(call, table))
}

fn backups_description(call: &AuthenticatedCall<'_>, table: &Table) -> Value {
    let recovery = match table.recovery_window(call.now) {
        None => json!({ "PointInTimeRecoveryStatus": "DISABLED" }),
        Some((earliest, latest)) => json!({
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": table.recovery_period_days,
            "EarliestRestorableDateTime": epoch(earliest),
            "LatestRestorableDateTime": epoch(latest),
        }),
    };
    json!({ "ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": recovery,
    }})
}

fn update_backups(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let name = named_table(world, call, "dynamodb:UpdateContinuousBackups", input)?;
    let specification = input
        .get("PointInTimeRecoverySpecification")
        .cloned()
        .unwrap_or_default();
    let enable = specification
        .get("PointInTimeRecoveryEnabled")
        .and_then(Value::as_bool)
        .ok_or_else(|| {
            Refusal::validation(
                "1 validation error detected: Value null at \
                 'pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled' failed to satisfy \
                 constraint: Member must not be null",
            )
        })?;
    let period = match specification
        .get("RecoveryPeriodInDays")
        .and_then(Value::as_u64)
    {
        None => None,
        Some(days @ 1..=35) => u32::try_from(days).ok(),
        Some(days) => return Err(limit_violation("recoveryPeriodInDays", days, 35)),
    };
    let table = world
        .table_mut(&call.caller.account, call.region, &name)
        .ok_or_else(|| table_not_found(&name))?;
    table.recovery_since = match (enable, table.recovery_since) {
        (false, _) => None,
        (true, Some(since)) => Some(since),
        (true, None) => Some(call.now),
    };
    if let Some(days) = period {
        table.recovery_period_days = days;
    }
    let answer = backups_description(call, table);
    world.touch();
    Ok(answer)
}

fn resource_policy(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let given = require(input, "ResourceArn")?;
    let arn: Arn = given
        .parse()
        .map_err(|_| Refusal::validation("Invalid resource ARN"))?;
    if arn.account != call.caller.account {
        return Err(foreign());
    }
    call.require(world, "dynamodb:GetResourcePolicy", given)
        .map_err(|denial| denied(&denial))?;
    let name = arn.resource_after("table").unwrap_or_default();
    let table = world
        .table(&call.caller.account, call.region, name)
        .ok_or_else(|| {
            Refusal::new(
                "ResourceNotFoundException",
                format!("Requested resource not found: {given}"),
            )
        })?;
    let policy = table.policy.as_ref().ok_or_else(|| {
        Refusal::new(
            "PolicyNotFoundException",
            format!("Resource-based policy not found for the provided ResourceArn: {given}"),
        )
    })?;
    Ok(json!({ "Policy": policy.0, "RevisionId": uuid_of(&policy.0) }))
}

fn describe_export(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let given = require(input, "ExportArn")?;
    let arn: Arn = given
        .parse()
        .ok()
        .filter(|arn: &Arn| arn.service == "dynamodb" && arn.resource.contains("/export/"))
        .ok_or_else(|| Refusal::validation("Invalid Export ARN"))?;
    if arn.account != call.caller.account {
        return Err(foreign());
    }
    call.require(world, "dynamodb:DescribeExport", given)
        .map_err(|denial| denied(&denial))?;
    let not_found = |text: &str| {
        Refusal::new(
            "ExportNotFoundException",
            format!("Export not found: {text}"),
        )
    };
    if arn.region != call.region {
        return Err(not_found("Invalid export arn"));
    }
    let export = world.exports.get(given).ok_or_else(|| not_found(given))?;
    Ok(json!({ "ExportDescription": export.description() }))
}

fn list_exports(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let table = text(input, "TableArn");
    let any = any_table(call);
    call.require(world, "dynamodb:ListExports", table.unwrap_or(&any))
        .map_err(|denial| denied(&denial))?;
    let limit = match input.get("MaxResults").and_then(Value::as_u64) {
        None => 25,
        Some(limit @ 1..=25) => usize::try_from(limit).unwrap_or(25),
        Some(limit) => return Err(limit_violation("maxResults", limit, 25)),
    };
    let mut exports: Vec<&Export> = world
        .exports
        .values()
        .filter(|export| {
            export.caller.account == call.caller.account
                && export.region == call.region
                && table.is_none_or(|table| export.spec.table_arn == table)
        })
        .collect();
    // Newest first; an id begins with the time.
    exports.sort_unstable_by(|one, other| other.id.cmp(&one.id));
    let skipped = match text(input, "NextToken") {
        None => 0,
        Some(token) => position_after(&exports, token)?,
    };
    let page: Vec<&&Export> = exports.iter().skip(skipped).take(limit).collect();
    let summaries: Vec<Value> = page
        .iter()
        .map(|export| {
            json!({
                "ExportArn": export.arn,
                "ExportStatus": export.status(),
                "ExportType": export.kind(),
            })
        })
        .collect();
    let mut answer = json!({ "ExportSummaries": summaries });
    if skipped + page.len() < exports.len()
        && let Some(last) = page.last()
    {
        answer["NextToken"] = hex::encode(&last.arn).into();
    }
    Ok(answer)
}

/// How many exports come before the page that a token asks for.
fn position_after(exports: &[&Export], token: &str) -> Result<usize, Refusal> {
    hex::decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|arn| exports.iter().position(|export| export.arn == arn))
        .map(|position| position + 1)
        .ok_or_else(|| {
            Refusal::validation(format!(
                "Invalid Request: Provided nextToken is invalid: {token}"
            ))
        })
}
