//! CloudWatch Logs, as far as imports need it: the log that an import writes, and how it is read.
//!
//! An import logs as the principal that started it, in the group `/aws-dynamodb/imports` and in streams of
//! its own: `<id>/info` and `<id>/error` ("DynamoDB import format, validation" and "Requesting a table
//! import", developer guide).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::authorize::Attempt;
use super::call::AuthenticatedCall;
use super::context::{self, RequestRoute};
use super::import::Import;
use super::json_members::{require, text};
use super::log_group::LogGroup;
use super::refusal::Refusal;
use super::upload::FORWARDERS;
use super::world::World;

impl World {
    /// Opens the log of an import, or gives the sentence that refuses it.
    pub(super) fn open_import_log(&mut self, import: &Import, at: Timestamp) -> Result<(), String> {
        let group = import.log_group();
        let prefix = group.split(":log-group:").next().unwrap_or_default();
        let any = format!("{prefix}:log-group:*");
        let info = format!("{group}:log-stream:{}/info", import.id);
        for (action, resource) in [
            ("logs:DescribeLogGroups", any.as_str()),
            ("logs:CreateLogGroup", &group),
            ("logs:PutRetentionPolicy", &group),
            ("logs:DescribeLogStreams", &group),
            ("logs:CreateLogStream", &info),
            ("logs:PutLogEvents", &info),
        ] {
            let route = RequestRoute::Forwarded {
                by: FORWARDERS,
                address: import.source_address,
            };
            let caller = &import.caller;
            let mut context = context::of_request(self, caller, &import.region, at, route);
            context::add_resource_account(&mut context, self, &caller.account);
            self.authorize(&Attempt {
                caller,
                action,
                resource,
                resource_account: &caller.account,
                policy: None,
                grants: &[],
                context: &context,
                now: at,
            })
            .map_err(|denial| denial.sentence())?;
        }
        let opened = self.log_groups.entry(group).or_insert_with(|| LogGroup {
            name: "/aws-dynamodb/imports".to_owned(),
            created_at: at,
            streams: BTreeMap::new(),
        });
        opened
            .streams
            .entry(format!("{}/info", import.id))
            .or_default();
        Ok(())
    }

    /// Logs what is wrong with an item.
    pub(super) fn log_import_error(&mut self, import: &Import, event: &str, at: Timestamp) {
        if let Some(group) = self.log_groups.get_mut(&import.log_group()) {
            let stream = group.streams.entry(format!("{}/error", import.id));
            stream.or_default().push((at, event.to_owned()));
        }
    }
}

/// Answers an operation.
pub(super) fn answer(
    world: &World,
    call: &AuthenticatedCall<'_>,
    operation: &str,
    input: &Value,
) -> Result<Value, Refusal> {
    match operation {
        "DescribeLogGroups" => describe_groups(world, call, input),
        "DescribeLogStreams" => describe_streams(world, call, input),
        "GetLogEvents" => get_events(world, call, input),
        "FilterLogEvents" => filter_events(world, call, input),
        _ => Err(Refusal::unknown_operation(
            "UnknownOperationException",
            "CloudWatch Logs",
            operation,
        )),
    }
}

fn require_right(
    world: &World,
    call: &AuthenticatedCall<'_>,
    action: &str,
    resource: &str,
) -> Result<(), Refusal> {
    call.require(world, action, resource)
        .map_err(|denial| Refusal::new("AccessDeniedException", denial.sentence()))
}

/// The ARN of a group by its name, or of all of them.
fn group_arn(call: &AuthenticatedCall<'_>, name: &str) -> String {
    call.arn("logs", &format!("log-group:{name}"))
}

fn group<'w>(
    world: &'w World,
    call: &AuthenticatedCall<'_>,
    action: &str,
    input: &Value,
) -> Result<&'w LogGroup, Refusal> {
    let name = require(input, "logGroupName")?;
    let arn = group_arn(call, name);
    let stream = text(input, "logStreamName");
    // Of these, GetLogEvents alone is about a stream (service authorization reference).
    let resource = match stream.filter(|_| action == "logs:GetLogEvents") {
        Some(stream) => format!("{arn}:log-stream:{stream}"),
        None => format!("{arn}:log-stream:"),
    };
    require_right(world, call, action, &resource)?;
    world.log_groups.get(&arn).ok_or_else(|| {
        Refusal::new(
            "ResourceNotFoundException",
            "The specified log group does not exist.",
        )
    })
}

fn describe_groups(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    require_right(world, call, "logs:DescribeLogGroups", &group_arn(call, "*"))?;
    let prefix = text(input, "logGroupNamePrefix").unwrap_or_default();
    let own = group_arn(call, prefix);
    let groups: Vec<Value> = world
        .log_groups
        .iter()
        .filter(|(arn, _)| arn.starts_with(&own))
        .map(|(arn, group)| {
            json!({
                "logGroupName": group.name,
                "arn": format!("{arn}:*"),
                "logGroupArn": arn,
                "creationTime": group.created_at.as_millisecond(),
            })
        })
        .collect();
    Ok(json!({ "logGroups": groups }))
}

fn describe_streams(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let group = group(world, call, "logs:DescribeLogStreams", input)?;
    let prefix = text(input, "logStreamNamePrefix").unwrap_or_default();
    let streams: Vec<Value> = group
        .streams
        .iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, events)| {
            json!({
                "logStreamName": name,
                "firstEventTimestamp": events.first().map(|(at, _)| at.as_millisecond()),
                "lastEventTimestamp": events.last().map(|(at, _)| at.as_millisecond()),
            })
        })
        .collect();
    Ok(json!({ "logStreams": streams }))
}

fn no_stream() -> Refusal {
    Refusal::new(
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )
}

fn get_events(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let group = group(world, call, "logs:GetLogEvents", input)?;
    let stream = require(input, "logStreamName")?;
    let events = group.streams.get(stream).ok_or_else(no_stream)?;
    let events: Vec<Value> = events
        .iter()
        .map(|(at, message)| {
            let at = at.as_millisecond();
            json!({"timestamp": at, "message": message, "ingestionTime": at})
        })
        .collect();
    // The same token again tells a reader that it has reached the end.
    Ok(json!({"events": events, "nextForwardToken": "f/end", "nextBackwardToken": "b/begin"}))
}

fn filter_events(
    world: &World,
    call: &AuthenticatedCall<'_>,
    input: &Value,
) -> Result<Value, Refusal> {
    let group = group(world, call, "logs:FilterLogEvents", input)?;
    let names = input.get("logStreamNames").and_then(Value::as_array);
    let prefix = text(input, "logStreamNamePrefix").unwrap_or_default();
    let is_asked = |stream: &str| {
        stream.starts_with(prefix) && names.is_none_or(|names| names.iter().any(|n| n == stream))
    };
    let events: Vec<Value> = group
        .streams
        .iter()
        .filter(|(stream, _)| is_asked(stream))
        .flat_map(|(stream, events)| events.iter().map(move |event| (stream, event)))
        .map(|(stream, (at, message))| {
            let at = at.as_millisecond();
            json!({
                "logStreamName": stream, "timestamp": at, "message": message,
                "ingestionTime": at,
            })
        })
        .collect();
    Ok(json!({ "events": events, "searchedLogStreams": [] }))
}
