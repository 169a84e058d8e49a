//! `ImportTable`, `DescribeImport` and `ListImports`: what is refused at once, and what becomes a job.
//!
//! The shapes are those of the API reference; texts, and what a client token really does, are those that a
//! public project saw in live answers (aws-controllers-k8s/dynamodb-controller,
//! `docs/api-quirks/import.md`).

use serde_json::{Value, json};

use super::table_calls::{name_taken, settle_key};
use super::{any_table, denied, foreign, limit_violation, table_arn};
use crate::call::AuthenticatedCall;
use crate::identifier::{fresh_uuid, job_id};
use crate::import::{Import, ImportCounts, ImportSource, ImportState};
use crate::json_members::{check_enum, require, text, violation};
use crate::refusal::Refusal;
use crate::table_definition::TableDefinition;
use crate::world::World;
use tableferry_policy::arn::Arn;

/// "Up to 50 simultaneous import table operations are allowed per account" (API reference of
/// `LimitExceededException`).
const MOST_AT_ONCE: usize = 50;

/// Starts an import, or says why not.
pub(super) fn start(
    world: &mut World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let parameters = structure(input, "TableCreationParameters")?;
    let name = require(parameters, "TableName")?;
    let arn = table_arn(call, name);
    call.require(world, "dynamodb:ImportTable", &arn)
        .map_err(|denial| denied(&denial))?;
    let source = source(call, input)?;
    let definition = TableDefinition::read(parameters)?;
    if let Some(answer) = repeated(world, call, input, &definition.name)? {
        return Ok(answer);
    }
    let import = accept(world, call, input, (source, definition))?;
    let answer = json!({ "ImportTableDescription": import.description() });
    world.imports.insert(import.arn.clone(), import);
    world.touch();
    Ok(answer)
}

fn structure<'v>(input: &'v Value, name: &str) -> Result<&'v Value, Refusal> {
    match input.get(name) {
        Some(value) if value.is_object() => Ok(value),
        _ => Err(require(input, name).err().unwrap_or_else(foreign)),
    }
}

/// The objects that are asked for; the caller's account stands for an owner that is left out.
fn source(call: &AuthenticatedCall<'_>, input: &Value) -> Result<ImportSource, Refusal> {
    require(input, "InputFormat")?;
    check_enum(input, "InputFormat", &["CSV", "DYNAMODB_JSON", "ION"])?;
    check_enum(input, "InputCompressionType", &["GZIP", "NONE", "ZSTD"])?;
    let source = structure(input, "S3BucketSource")?;
    let bucket = require(source, "S3Bucket")?.to_owned();
    let owner = text(source, "S3BucketOwner").unwrap_or(&call.caller.account);
    if owner.len() != 12 || !owner.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(violation(
            "s3BucketSource.s3BucketOwner",
            owner,
            "Member must satisfy regular expression pattern: [0-9]{12}",
        ));
    }
    let format = require(input, "InputFormat")?;
    if input
        .get("InputFormatOptions")
        .is_some_and(|o| !o.is_null())
        && format != "CSV"
    {
        return Err(Refusal::validation(format!(
            "Invalid Request: Unsupported InputFormatOptions for the given input format: {format}."
        )));
    }
    if format != "DYNAMODB_JSON" || text(input, "InputCompressionType") == Some("ZSTD") {
        return Err(Refusal::validation(
            "The sandbox imports DYNAMODB_JSON alone, with GZIP or NONE.",
        ));
    }
    Ok(ImportSource {
        bucket,
        owner: owner.to_owned(),
        prefix: text(source, "S3KeyPrefix").map(str::to_owned),
        is_gzip: text(input, "InputCompressionType") == Some("GZIP"),
    })
}

/// What a token that was used before is answered with, and a name that is taken.
///
/// The same token gives the same import while it is in progress, whatever else is asked for, another table
/// alone excepted; once it has ended, the name is looked at first.
fn repeated(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
    name: &str,
) -> Result<Option<Value>, Refusal> {
    let account = &call.caller.account;
    let earlier = text(input, "ClientToken").and_then(|token| {
        let mut imports = world.imports.values();
        imports.find(|import| {
            import.caller.account == *account
                && import.region == call.region
                && import.holds_token(token, call.now)
        })
    });
    let answer = earlier.map(|import| json!({ "ImportTableDescription": import.description() }));
    match earlier {
        Some(import) if import.definition.name != name => Err(Refusal::new(
            "ImportConflictException",
            "Import conflict: Duplicate request detected with conflicting parameters",
        )),
        Some(import) if import.state == ImportState::InProgress => Ok(answer),
        _ if world.table(account, call.region, name).is_some() => Err(name_taken(name)),
        _ => Ok(answer),
    }
}

fn accept(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
    (source, mut definition): (ImportSource, TableDefinition),
) -> Result<Import, Refusal> {
    let in_progress = world.imports.values().filter(|import| {
        import.caller.account == call.caller.account
            && import.region == call.region
            && import.state == ImportState::InProgress
    });
    if in_progress.count() >= MOST_AT_ONCE {
        // The rule is documented; its words are not.
        return Err(Refusal::new(
            "LimitExceededException",
            "The limit of 50 simultaneous import table operations is reached",
        ));
    }
    settle_key(world, call, &mut definition)?;
    let mut request = input.clone();
    if let Some(members) = request.as_object_mut() {
        members.remove("ClientToken");
    }
    let id = job_id(call.now);
    let table_arn = table_arn(call, &definition.name);
    Ok(Import {
        arn: format!("{table_arn}/import/{id}"),
        id,
        region: call.region.to_owned(),
        caller: call.caller.clone(),
        token: text(input, "ClientToken").map_or_else(fresh_uuid, str::to_owned),
        request,
        source,
        definition,
        table_arn,
        table_id: fresh_uuid(),
        source_address: call.open_questions.source_address,
        started_at: call.now,
        length: call.open_questions.job_length,
        ended_at: None,
        state: ImportState::InProgress,
        steps_done: 0,
        objects: Vec::new(),
        counts: ImportCounts::default(),
    })
}

/// `DescribeImport`.
pub(super) fn describe(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let given = require(input, "ImportArn")?;
    let arn: Arn = given
        .parse()
        .ok()
        .filter(|arn: &Arn| arn.service == "dynamodb" && arn.resource.contains("/import/"))
        .ok_or_else(|| Refusal::validation("Invalid Import ARN"))?;
    if arn.account != call.caller.account {
        return Err(foreign());
    }
    call.require(world, "dynamodb:DescribeImport", given)
        .map_err(|denial| denied(&denial))?;
    let import = world
        .imports
        .get(given)
        .filter(|_| arn.region == call.region)
        .ok_or_else(|| {
            Refusal::new(
                "ImportNotFoundException",
                format!("Import not found: {given}"),
            )
        })?;
    Ok(json!({ "ImportTableDescription": import.description() }))
}

/// `ListImports`: the newest first.
pub(super) fn list(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let table = text(input, "TableArn");
    call.require(world, "dynamodb:ListImports", &any_table(call))
        .map_err(|denial| denied(&denial))?;
    let limit = match input.get("PageSize").and_then(Value::as_u64) {
        None => 10,
        Some(limit @ 1..=25) => usize::try_from(limit).unwrap_or(25),
        Some(limit) => return Err(limit_violation("pageSize", limit, 25)),
    };
    let mut imports: Vec<&Import> = world
        .imports
        .values()
        .filter(|import| {
            import.caller.account == call.caller.account
                && import.region == call.region
                && table.is_none_or(|table| import.table_arn == table)
        })
        .collect();
    imports.sort_unstable_by(|one, other| other.id.cmp(&one.id));
    let skipped = match text(input, "NextToken") {
        None => 0,
        Some(token) => hex::decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|arn| imports.iter().position(|import| import.arn == arn))
            .map(|position| position + 1)
            .ok_or_else(|| {
                Refusal::validation(format!(
                    "Invalid Request: Provided nextToken is invalid: {token}"
                ))
            })?,
    };
    let page: Vec<&&Import> = imports.iter().skip(skipped).take(limit).collect();
    let summaries: Vec<Value> = page.iter().map(|import| import.summary()).collect();
    let mut answer = json!({ "ImportSummaryList": summaries });
    if skipped + page.len() < imports.len()
        && let Some(last) = page.last()
    {
        answer["NextToken"] = hex::encode(&last.arn).into();
    }
    Ok(answer)
}
