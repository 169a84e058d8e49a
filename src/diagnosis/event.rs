//! CloudTrail's event of a call that was refused or failed.
//!
//! Fields: CloudTrail user guide, cloudtrail-event-reference-record-contents.

use serde_json::Value;

use super::decode::decode;
use super::reported::{ErrorForm, ReportedError, one_line};
use super::sentence::find_sentences;

/// Reads an event: a JSON object with `eventName` and `errorCode`.
pub(super) fn read_event(text: &str) -> Option<ReportedError> {
    let trimmed = text.trim_start();
    if !trimmed.starts_with('{') || !trimmed.contains("\"eventName\"") {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(trimmed).into_iter::<Value>();
    let event = values.next()?.ok()?;
    error_of_event(&event)
}

/// The error of an event; none where the call was done.
pub(super) fn error_of_event(event: &Value) -> Option<ReportedError> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let code = text("/errorCode")?;
    let name = text("/eventName")?;
    let code = code.strip_prefix("Client.").unwrap_or(code);
    let code = code.strip_prefix("Server.").unwrap_or(code);
    let message = text("/errorMessage").unwrap_or_default();
    let mut error = ReportedError {
        code: Some(code.to_owned()),
        service: text("/eventSource")
            .and_then(|source| source.split('.').next())
            .map(ToOwned::to_owned),
        operation: Some(name.to_owned()),
        request_id: text("/requestID").map(ToOwned::to_owned),
        principal: text("/userIdentity/arn")
            .or_else(|| text("/userIdentity/invokedBy"))
            .map(ToOwned::to_owned),
        resource: resource_of(event),
        event_time: text("/eventTime").map(ToOwned::to_owned),
        has_encoded_message: message.contains("Encoded authorization failure message"),
        message: one_line(message).chars().take(1500).collect(),
        form: ErrorForm::Error,
        ..ReportedError::default()
    };
    error.record = format!("{code} {}", decode(message.as_bytes()));
    if let Some(placed) = find_sentences(&error.record).into_iter().next() {
        error.say(placed.sentence);
    }
    error.settle();
    Some(error)
}

fn resource_of(event: &Value) -> Option<String> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    if let Some(arn) = text("/resources/0/ARN") {
        return Some(arn.to_owned());
    }
    if let Some(bucket) = text("/requestParameters/bucketName") {
        let key = text("/requestParameters/key").map(|key| format!("/{key}"));
        return Some(format!("arn:aws:s3:::{bucket}{}", key.unwrap_or_default()));
    }
    let names = [
        "roleArn",
        "keyId",
        "tableArn",
        "tableName",
        "roleName",
        "secretId",
    ];
    names
        .iter()
        .find_map(|name| text(&format!("/requestParameters/{name}")))
        .map(ToOwned::to_owned)
}
