//! CloudTrail: what the sandbox records of calls that change a policy or a setting, and `LookupEvents`.
//!
//! It decides which calls are recorded and in whose account: in the caller's and in the resource owner's, as
//! for S3 (S3 user guide, cloudtrail-logging-s3-info). An event is there at once; CloudTrail's own comes some
//! minutes later. Events are kept as they are answered, the last thousand of each account.

use std::borrow::Cow;

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::Timestamp;
use quick_xml::escape::unescape;
use serde_json::{Map, Value, json};

use super::call::AuthenticatedCall;
use super::caller::{Caller, CallerIdentity};
use super::context::OPERATOR_ADDRESS;
use super::identifier::fresh_uuid;
use super::query::{Parameters, lower_first};
use super::refusal::Refusal;
use super::trail_event::TrailEvent;
use super::world::World;

/// The most events of an account that are kept.
const MOST_EVENTS: usize = 1000;
/// For how long the event history goes back (CloudTrail user guide, view-cloudtrail-events).
const DAYS: i64 = 90;

/// A call that is recorded if it is answered.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    access_key: String,
    region: String,
    source: &'static str,
    name: String,
    parameters: Value,
    /// The account of the resource, its type, its ARN and the name that a look-up finds it by.
    resource: Option<RecordedResource>,
    user_agent: String,
}

#[derive(Debug, Clone)]
struct RecordedResource {
    account: Option<String>,
    kind: &'static str,
    arn: String,
    name: String,
}

/// The service of a call, as far as recording it goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum RecordedService<'s> {
    DynamoDb(&'s str),
    Kms(&'s str),
    Iam,
    S3,
}

impl World {
    /// What is recorded of a request; none of one that changes nothing.
    pub(super) fn recorded(
        &self,
        service: RecordedService<'_>,
        request: &Request<Bytes>,
        (access_key, region): (&str, &str),
    ) -> Option<Recorded> {
        let (source, name, parameters) = match service {
            RecordedService::DynamoDb(operation) => (
                "dynamodb.amazonaws.com",
                operation.to_owned(),
                json_parameters(request)?,
            ),
            RecordedService::Kms(operation) => (
                "kms.amazonaws.com",
                operation.to_owned(),
                json_parameters(request)?,
            ),
            RecordedService::Iam => {
                let (name, parameters) = form_parameters(request)?;
                ("iam.amazonaws.com", name, parameters)
            }
            RecordedService::S3 => {
                let (name, parameters) = bucket_parameters(request)?;
                ("s3.amazonaws.com", name.to_owned(), parameters)
            }
        };
        // Reads and writes of items are data events, which the event history does not hold.
        let data_events = ["PutItem", "DeleteItem", "BatchWriteItem", "Scan"];
        if data_events.contains(&name.as_str()) {
            return None;
        }
        let reads = ["Get", "List", "Describe", "Simulate"];
        if reads.iter().any(|prefix| name.starts_with(prefix)) {
            return None;
        }
        let account = self.open_key(access_key)?.caller.account;
        let region = match source {
            "iam.amazonaws.com" => self.partition.global_region().to_string(),
            "s3.amazonaws.com" => parameters["bucketName"]
                .as_str()
                .and_then(|bucket| self.bucket(bucket))
                .map_or_else(|| region.to_owned(), |bucket| bucket.region.clone()),
            _ => region.to_owned(),
        };
        let agent = request.headers().get("user-agent");
        Some(Recorded {
            access_key: access_key.to_owned(),
            resource: self.recorded_resource(source, &parameters, &account, &region),
            region,
            source,
            name,
            parameters,
            user_agent: agent
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
        })
    }

    fn recorded_resource(
        &self,
        source: &str,
        parameters: &Value,
        account: &str,
        region: &str,
    ) -> Option<RecordedResource> {
        let partition = self.partition;
        let text = |name: &str| parameters.get(name).and_then(Value::as_str);
        let of_iam = |kind, what: &str, name: &str| RecordedResource {
            account: None,
            kind,
            arn: format!("arn:{partition}:iam::{account}:{what}/{name}"),
            name: name.to_owned(),
        };
        match source {
            "s3.amazonaws.com" => {
                let name = text("bucketName")?;
                Some(RecordedResource {
                    account: self.bucket(name).map(|bucket| bucket.account.clone()),
                    kind: "AWS::S3::Bucket",
                    arn: format!("arn:{partition}:s3:::{name}"),
                    name: name.to_owned(),
                })
            }
            "kms.amazonaws.com" => {
                let named = text("keyId")?;
                let arn = if named.starts_with("arn:") {
                    named.to_owned()
                } else {
                    format!("arn:{partition}:kms:{region}:{account}:key/{named}")
                };
                Some(RecordedResource {
                    account: arn.split(':').nth(4).map(str::to_owned),
                    kind: "AWS::KMS::Key",
                    name: arn.clone(),
                    arn,
                })
            }
            "iam.amazonaws.com" => text("roleName")
                .map(|name| of_iam("AWS::IAM::Role", "role", name))
                .or_else(|| text("userName").map(|name| of_iam("AWS::IAM::User", "user", name))),
            _ => {
                let created = parameters.pointer("/tableCreationParameters/tableName");
                let named = text("tableName")
                    .or_else(|| text("tableArn"))
                    .or_else(|| created.and_then(Value::as_str))?;
                let name = named.rsplit('/').next().unwrap_or(named);
                let arn = format!("arn:{partition}:dynamodb:{region}:{account}:table/{name}");
                Some(RecordedResource {
                    account: None,
                    kind: "AWS::DynamoDB::Table",
                    name: arn.clone(),
                    arn,
                })
            }
        }
    }

    /// Records a call with how it was answered.
    pub(super) fn record(&mut self, call: &Recorded, answer: &Response<Bytes>, now: Timestamp) {
        let Some(caller) = self.open_key(&call.access_key).map(|opened| opened.caller) else {
            return;
        };
        let error = (answer.status().as_u16() >= 400).then(|| error_of(answer));
        let mut accounts = vec![caller.account.clone()];
        if let Some(owner) = call.resource.as_ref().and_then(|of| of.account.clone())
            && owner != caller.account
        {
            accounts.push(owner);
        }
        let ids = (fresh_uuid(), fresh_uuid());
        for account in accounts {
            let event = event_text(call, &caller, &account, (&error, &ids), now);
            let resources = call.resource.iter();
            let event = TrailEvent {
                at: now,
                region: call.region.clone(),
                name: call.name.clone(),
                source: call.source.to_owned(),
                resources: resources
                    .map(|resource| (resource.kind.to_owned(), resource.name.clone()))
                    .collect(),
                event,
            };
            let events = self.trail.entry(account).or_default();
            events.push(event);
            let more = events.len().saturating_sub(MOST_EVENTS);
            events.drain(..more);
        }
        self.touch();
    }
}

/// Changes of a bucket's policy and of its inventory configurations, with the parameters as CloudTrail shows
/// them; the document of a configuration is left out.
fn bucket_parameters(request: &Request<Bytes>) -> Option<(&'static str, Value)> {
    let query = request.uri().query().unwrap_or_default();
    let value = |name: &str| {
        query
            .split('&')
            .find_map(|pair| match pair.split_once('=') {
                Some((key, value)) => (key == name).then_some(value),
                None => (pair == name).then_some(""),
            })
    };
    let bucket = super::s3::bucket_of(request)?;
    if value("inventory").is_some() {
        let name = match *request.method() {
            Method::PUT => "PutBucketInventoryConfiguration",
            Method::DELETE => "DeleteBucketInventoryConfiguration",
            _ => return None,
        };
        let parameters = json!({ "bucketName": bucket, "inventory": "", "id": value("id") });
        return Some((name, parameters));
    }
    value("policy")?;
    let host = request.headers().get(http::header::HOST);
    let mut parameters = json!({
        "bucketName": bucket,
        "Host": host.and_then(|host| host.to_str().ok()),
        "policy": "",
    });
    match *request.method() {
        Method::PUT => {
            parameters["bucketPolicy"] = serde_json::from_slice(request.body())
                .unwrap_or_else(|_| String::from_utf8_lossy(request.body()).into());
            Some(("PutBucketPolicy", parameters))
        }
        Method::DELETE => Some(("DeleteBucketPolicy", parameters)),
        _ => None,
    }
}

/// The parameters of a JSON service, their names as CloudTrail writes them.
fn json_parameters(request: &Request<Bytes>) -> Option<Value> {
    let input: Map<String, Value> = serde_json::from_slice(request.body()).ok()?;
    Some(Value::Object(lower_names(input)))
}

fn lower_names(members: Map<String, Value>) -> Map<String, Value> {
    let lower = |value| match value {
        Value::Object(inner) => Value::Object(lower_names(inner)),
        other => other,
    };
    members
        .into_iter()
        .map(|(name, value)| (lower_first(&name), lower(value)))
        .collect()
}

/// The call and the parameters of a query service.
fn form_parameters(request: &Request<Bytes>) -> Option<(String, Value)> {
    let form = String::from_utf8_lossy(request.body()).into_owned();
    let parameters = Parameters::read(&form);
    let name = parameters.get("Action")?.to_owned();
    let members: Map<String, Value> = parameters
        .all()
        .filter(|(name, _)| !matches!(*name, "Action" | "Version"))
        .map(|(name, value)| (lower_first(name), value.into()))
        .collect();
    Some((name, Value::Object(members)))
}

/// The code and words of an answer that is an error, of XML or JSON.
fn error_of(answer: &Response<Bytes>) -> (String, String) {
    let body = String::from_utf8_lossy(answer.body());
    let between = |start: &str, end: &str| {
        let (_, rest) = body.split_once(start)?;
        rest.split_once(end).map(|(text, _)| text.to_owned())
    };
    if let Some(code) = between("<Code>", "</Code>") {
        let message = between("<Message>", "</Message>").unwrap_or_default();
        let message = unescape(&message).map(Cow::into_owned);
        return (code, message.unwrap_or_default());
    }
    let parsed: Value = serde_json::from_str(&body).unwrap_or_default();
    let code = parsed["__type"].as_str().unwrap_or("InternalFailure");
    let code = code.rsplit('#').next().unwrap_or(code).to_owned();
    let message = parsed["message"].as_str().unwrap_or_default().to_owned();
    (code, message)
}

/// The event, with the fields of cloudtrail-event-reference-record-contents.
fn event_text(
    call: &Recorded,
    caller: &Caller,
    account: &str,
    (error, (event_id, request_id)): (&Option<(String, String)>, &(String, String)),
    now: Timestamp,
) -> String {
    let mut event = json!({
        "eventVersion": "1.11",
        "userIdentity": identity(caller),
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "eventSource": call.source,
        "eventName": call.name,
        "awsRegion": call.region,
        "sourceIPAddress": OPERATOR_ADDRESS,
        "userAgent": call.user_agent,
        "requestParameters": call.parameters,
        "responseElements": null,
        "requestID": request_id,
        "eventID": event_id,
        "readOnly": false,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": account,
        "eventCategory": "Management",
    });
    if let Some(resource) = &call.resource {
        event["resources"] = json!([{
            "accountId": resource.account.as_deref().unwrap_or(&caller.account),
            "type": resource.kind,
            "ARN": resource.arn,
        }]);
    }
    if let Some((code, message)) = error {
        event["errorCode"] = code.as_str().into();
        event["errorMessage"] = message.as_str().into();
    }
    event.to_string()
}

fn identity(caller: &Caller) -> Value {
    let mut identity = json!({
        "principalId": caller.user_id,
        "arn": caller.arn,
        "accountId": caller.account,
        "accessKeyId": caller.access_key,
    });
    match &caller.identity {
        CallerIdentity::User { name } => {
            identity["type"] = "IAMUser".into();
            identity["userName"] = name.as_str().into();
        }
        CallerIdentity::Session { role, .. } => {
            identity["type"] = "AssumedRole".into();
            identity["sessionContext"] = json!({"sessionIssuer": {
                "type": "Role", "arn": caller.principal_arn, "accountId": caller.account,
                "userName": role,
            }});
        }
    }
    identity
}

/// Answers a call of CloudTrail.
pub(super) fn answer(
    world: &World,
    call: &AuthenticatedCall<'_>,
    operation: &str,
    input: &Value,
) -> Result<Value, Refusal> {
    if operation != "LookupEvents" {
        return Err(Refusal::unknown_operation(
            "UnknownOperationException",
            "CloudTrail",
            operation,
        ));
    }
    call.require(world, "cloudtrail:LookupEvents", "*")
        .map_err(|denial| Refusal::new("AccessDeniedException", denial.sentence()))?;
    let matching = LookupRequest::read(input, call.now)?;
    let events = world.trail.get(&call.caller.account);
    let mut found: Vec<&TrailEvent> = events
        .into_iter()
        .flatten()
        .filter(|event| event.region == call.region && matching.takes(event))
        .collect();
    found.reverse();
    let from = match input.get("NextToken").and_then(Value::as_str) {
        Some(token) => token.parse::<usize>().map_err(|_| {
            Refusal::new(
                "InvalidNextTokenException",
                "The specified next token is not valid.",
            )
        })?,
        None => 0,
    };
    let page = found.iter().skip(from).take(matching.most);
    let events: Vec<Value> = page.map(|event| listed(event)).collect();
    let next = from + events.len();
    let mut answer = json!({ "Events": events });
    if next < found.len() {
        answer["NextToken"] = next.to_string().into();
    }
    Ok(answer)
}

/// The parameters of a look-up.
struct LookupRequest {
    attribute: Option<(String, String)>,
    from: Timestamp,
    to: Timestamp,
    most: usize,
}

impl LookupRequest {
    fn read(input: &Value, now: Timestamp) -> Result<Self, Refusal> {
        let attributes = input.get("LookupAttributes").and_then(Value::as_array);
        let attribute = attributes.and_then(|attributes| attributes.first());
        let text = |name: &str| {
            let value = attribute?.get(name)?.as_str()?;
            Some(value.to_owned())
        };
        let most = input
            .get("MaxResults")
            .and_then(Value::as_u64)
            .unwrap_or(50);
        if !(1..=50).contains(&most) {
            let message = "The specified MaxResults parameter is not valid.";
            return Err(Refusal::new("InvalidMaxResultsException", message));
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "seconds of our own clients"
        )]
        let time = |name: &str| {
            let seconds = input.get(name)?.as_f64()?;
            Timestamp::from_second(seconds as i64).ok()
        };
        let earliest = now - jiff::SignedDuration::from_hours(24 * DAYS);
        Ok(Self {
            attribute: text("AttributeKey").zip(text("AttributeValue")),
            from: time("StartTime").unwrap_or(earliest).max(earliest),
            to: time("EndTime").unwrap_or(now),
            most: usize::try_from(most).unwrap_or(50),
        })
    }

    fn takes(&self, event: &TrailEvent) -> bool {
        let is_named = match &self.attribute {
            None => true,
            Some((key, value)) => match key.as_str() {
                "ResourceName" => event.resources.iter().any(|(_, name)| name == value),
                "EventName" => event.name == *value,
                "EventSource" => event.source == *value,
                _ => false,
            },
        };
        is_named && event.at >= self.from && event.at <= self.to
    }
}

fn listed(event: &TrailEvent) -> Value {
    let parsed: Value = serde_json::from_str(&event.event).unwrap_or_default();
    let resources = event.resources.iter();
    json!({
        "EventId": parsed["eventID"],
        "EventName": event.name,
        "ReadOnly": "false",
        "AccessKeyId": parsed["userIdentity"]["accessKeyId"],
        "EventTime": event.at.as_second(),
        "EventSource": event.source,
        "Username": parsed["userIdentity"]["userName"],
        "Resources": resources
            .map(|(kind, name)| json!({"ResourceType": kind, "ResourceName": name}))
            .collect::<Vec<_>>(),
        "CloudTrailEvent": event.event,
    })
}
