//! `ExportTableToPointInTime`: what is refused at once, and what becomes a job.
//!
//! The rules are those of the API reference; texts and their order are those that public projects
//! saw in live answers (aws-controllers-k8s/dynamodb-controller, `docs/api-quirks/export.md`).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::export_span::span;
use super::{denied, foreign, table_arn};
use crate::call::AuthenticatedCall;
use crate::context::RequestRoute;
use crate::encryption::{KeyProblem, KeyUse};
use crate::export::{Export, ExportSpec, ExportState};
use crate::filter::Filter;
use crate::identifier::{fresh_uuid, job_id};
use crate::json_members::{check_enum, require, text, violation};
use crate::partitions::via_service;
use crate::refusal::Refusal;
use crate::world::{Table, World};
use tableferry_policy::arn::{Arn, BucketName};

/// Starts an export, or says why not.
pub(super) fn start(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let name = table_name(world, call, input)?;
    let account = &call.caller.account;
    if world.table(account, call.region, &name).is_none() {
        let given = require(input, "TableArn")?;
        return Err(Refusal::new(
            "TableNotFoundException",
            format!("Table not found: {given}"),
        ));
    }
    let token = token(input)?;
    if let Some(answer) = repeated(world, call, input, &token)? {
        return Ok(answer);
    }
    check_filter(input)?;
    let export = accept(world, call, &name, input, token)?;
    let answer = json!({ "ExportDescription": export.description() });
    world.exports.insert(export.arn.clone(), export);
    world.touch();
    Ok(answer)
}

/// Checks the members one by one, the table's ARN, and the permission.
fn table_name(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<String, Refusal> {
    let given = require(input, "TableArn")?;
    check_members(input)?;
    let arn: Arn = given.parse().map_err(|_| {
        Refusal::validation(
            "One or more parameter values were invalid: tableArn is not a valid ARN",
        )
    })?;
    if arn.account != call.caller.account {
        return Err(foreign());
    }
    let name = arn
        .resource_after("table")
        .filter(|name| arn.service == "dynamodb" && !name.contains('/'))
        .ok_or_else(|| Refusal::validation("Invalid Request: Table ARN is invalid."))?;
    let policy = world
        .table(&arn.account, &arn.region, name)
        .and_then(|table| table.policy.as_ref());
    call.require_with(
        world,
        "dynamodb:ExportTableToPointInTime",
        given,
        policy.map(|text| text.0.as_str()),
    )
    .map_err(|denial| denied(&denial))?;
    // The name is looked up in the Region that was called, whatever the ARN says.
    if arn.region == call.region {
        Ok(name.to_owned())
    } else {
        Err(Refusal::new(
            "TableNotFoundException",
            format!("Table not found: {given}"),
        ))
    }
}

/// The rules that a member breaks by itself.
fn check_members(input: &Value) -> Result<(), Refusal> {
    let bucket = require(input, "S3Bucket")?;
    if bucket.parse::<BucketName>().is_err() {
        return Err(violation(
            "s3Bucket",
            bucket,
            "Member must satisfy regular expression pattern: \
             ^[a-z0-9A-Z]+[\\.\\-\\w]*[a-z0-9A-Z]+$",
        ));
    }
    if let Some(owner) = text(input, "S3BucketOwner")
        && (owner.len() != 12 || !owner.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Err(violation(
            "s3BucketOwner",
            owner,
            "Member must satisfy regular expression pattern: [0-9]{12}",
        ));
    }
    match text(input, "S3Prefix") {
        Some("") => {
            return Err(violation(
                "s3Prefix",
                "",
                "Member must have length greater than or equal to 1",
            ));
        }
        Some(prefix) if prefix.chars().count() > 1024 => {
            return Err(violation(
                "s3Prefix",
                prefix,
                "Member must have length less than or equal to 1024",
            ));
        }
        _ => {}
    }
    check_enum(input, "S3SseAlgorithm", &["AES256", "KMS"])?;
    check_enum(input, "ExportFormat", &["DYNAMODB_JSON", "ION"])?;
    check_enum(input, "ExportType", &["FULL_EXPORT", "INCREMENTAL_EXPORT"])
}

/// The token that was sent, or one of this call alone.
fn token(input: &Value) -> Result<String, Refusal> {
    match text(input, "ClientToken") {
        None => Ok(fresh_uuid()),
        Some(token) if token.is_empty() || token.contains('$') => Err(violation(
            "clientToken",
            token,
            "Member must satisfy regular expression pattern: ^[^\\$]+$",
        )),
        Some(token) => Ok(token.to_owned()),
    }
}

/// The export that the same token started, if it asked for the same.
fn repeated(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
    token: &str,
) -> Result<Option<Value>, Refusal> {
    let started = world.exports.values().find(|export| {
        export.caller.account == call.caller.account
            && export.region == call.region
            && export.holds_token(token, call.now)
    });
    match started {
        None => Ok(None),
        Some(export) if export.spec.request == without_token(input) => {
            Ok(Some(json!({ "ExportDescription": export.description() })))
        }
        Some(_) => Err(Refusal::new(
            "ExportConflictException",
            "Export conflict: Duplicate request detected with conflicting parameters",
        )),
    }
}

fn without_token(input: &Value) -> Value {
    let mut request = input.clone();
    if let Some(members) = request.as_object_mut() {
        members.remove("ClientToken");
    }
    request
}

/// The rules that a filter breaks by itself.
fn check_filter(input: &Value) -> Result<(), Refusal> {
    if let Some(filter) = input.get("FilterSpecification").filter(|f| !f.is_null()) {
        let members = filter.as_object().map_or(0, serde_json::Map::len);
        if members == 0 {
            return Err(Refusal::validation(
                "Invalid Request: Invalid FilterSpecification: The specification can not be empty",
            ));
        }
        for name in [
            "KeyConditionExpression",
            "FilterExpression",
            "ProjectionExpression",
        ] {
            if text(filter, name).is_some_and(|expression| expression.len() > 4096) {
                return Err(Refusal::validation(format!(
                    "Invalid Request: Invalid FilterSpecification: {name} is longer than 4096 \
                     bytes"
                )));
            }
        }
        Filter::of(input).map_err(|problem| {
            Refusal::validation(format!(
                "Invalid Request: Invalid FilterSpecification: {problem}"
            ))
        })?;
    }
    Ok(())
}

/// The rules between members, the recovery window and the keys; then the job.
fn accept(
    world: &World,
    call: &AuthenticatedCall<'_>,
    name: &str,
    input: &Value,
    token: String,
) -> Result<Export, Refusal> {
    let account = &call.caller.account;
    let table = world
        .table(account, call.region, name)
        .ok_or_else(|| Refusal::new("TableNotFoundException", "Table not found"))?;
    let span = span(call, table, input)?;
    check_quota(world, call)?;
    let algorithm = text(input, "S3SseAlgorithm").unwrap_or("AES256");
    let key = text(input, "S3SseKmsKeyId");
    check_key(algorithm, key)?;
    check_table_key(world, call, table)?;
    let id = export_id(world, call.now);
    let arn = table_arn(call, name);
    Ok(Export {
        arn: format!("{arn}/export/{id}"),
        id,
        region: call.region.to_owned(),
        table_name: name.to_owned(),
        table_id: table.id(&arn),
        caller: call.caller.clone(),
        spec: ExportSpec {
            table_arn: arn,
            bucket: require(input, "S3Bucket")?.to_owned(),
            bucket_owner: text(input, "S3BucketOwner").map(str::to_owned),
            prefix: text(input, "S3Prefix").map(str::to_owned),
            algorithm: algorithm.to_owned(),
            key: key.map(str::to_owned),
            span,
            is_ion: text(input, "ExportFormat") == Some("ION"),
            token,
            request: without_token(input),
        },
        source_address: call.open_questions.source_address,
        acl: call.open_questions.export_acl,
        acl_context: call.open_questions.acl_context,
        started_at: call.now,
        length: call.open_questions.job_length,
        ended_at: None,
        state: ExportState::InProgress,
        steps_done: 0,
        files: Vec::new(),
    })
}

/// So many exports run at once. What AWS says then beside the code is not known.
fn check_quota(world: &World, call: &AuthenticatedCall<'_>) -> Result<(), Refusal> {
    let running = world.exports.values().filter(|export| {
        export.state == ExportState::InProgress
            && export.caller.account == call.caller.account
            && export.region == call.region
    });
    let most = call.open_questions.most_exports;
    if running.count() < most {
        return Ok(());
    }
    Err(Refusal::new(
        "LimitExceededException",
        format!("{most} exports are in progress in this account and Region already."),
    ))
}

/// An id that no other export has.
fn export_id(world: &World, now: Timestamp) -> String {
    loop {
        let id = job_id(now);
        if !world.exports.values().any(|export| export.id == id) {
            return id;
        }
    }
}

fn check_key(algorithm: &str, key: Option<&str>) -> Result<(), Refusal> {
    let Some(key) = key else { return Ok(()) };
    if algorithm != "KMS" {
        return Err(Refusal::validation(
            "Invalid Request: KMS Key Id is not supported for this encryption type",
        ));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || ":/_-".contains(c);
    if key.is_empty() || key.len() > 2048 || !key.chars().all(fits) {
        return Err(Refusal::validation(format!(
            "Invalid Request: 1 validation error detected: Value '{key}' at 's3SseKmsKeyId' \
             failed to satisfy constraint: Member must satisfy regular expression pattern: \
             ^[a-zA-Z0-9:/_-]+$"
        )));
    }
    Ok(())
}

/// The caller must be able to use the table's own customer managed key, through `DynamoDB`.
fn check_table_key(
    world: &World,
    call: &AuthenticatedCall<'_>,
    table: &Table,
) -> Result<(), Refusal> {
    let Some(id) = &table.key_id else {
        return Ok(());
    };
    let account = &call.caller.account;
    let refused = |message: String| Refusal::new("AccessDeniedException", message);
    let key = world.key(account, &table.region, id).ok_or_else(|| {
        refused(format!(
            "The key {id} that encrypts the table does not exist"
        ))
    })?;
    let purpose = KeyUse {
        caller: call.caller,
        actions: &["kms:Decrypt"],
        via_service: &via_service(world.partition, "dynamodb", &table.region),
        encryption_context: &[
            ("aws:dynamodb:tableName", &table.name),
            ("aws:dynamodb:subscriberId", account),
        ],
        now: call.now,
        route: RequestRoute::Forwarded {
            by: &["dynamodb.amazonaws.com"],
            address: call.open_questions.source_address,
        },
    };
    world
        .use_key(account, key, &purpose)
        .map_err(|problem| match problem {
            KeyProblem::Denied(message)
            | KeyProblem::State { message, .. }
            | KeyProblem::NotFound(message) => refused(message),
        })
}
