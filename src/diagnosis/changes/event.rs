//! CloudTrail's event of a change: fields of the CloudTrail user guide,
//! cloudtrail-event-reference-record-contents, and of the services' own samples.

use jiff::Timestamp;
use serde_json::Value;

use super::names::{self, ChangeName, ResourceKind};
use super::{ChangeRefusal, ChangedResource, RecordedChange};

/// The change that an event tells; none where it changes no policy and no setting.
pub(super) fn change_of(event: &Value) -> Option<RecordedChange> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let own = |pointer: &str| text(pointer).map(ToOwned::to_owned);
    let known = names::of_event(text("/eventName")?, text("/eventSource")?)?;
    let at: Timestamp = text("/eventTime")?.parse().ok()?;
    let parameter = |name: &str| {
        let parameters = event.get("requestParameters")?;
        parameters.get(name).filter(|_| !name.is_empty())
    };
    let refusal = text("/errorCode").map(|code| ChangeRefusal {
        code: code.to_owned(),
        message: own("/errorMessage").unwrap_or_default(),
    });
    let own_name = own("/userIdentity/arn").or_else(|| own("/userIdentity/principalId"));
    let invoked_by = own("/userIdentity/invokedBy");
    // A service that acts for itself has no ARN: "invokedBy" names it (CloudTrail user guide,
    // cloudtrail-event-reference-user-identity, AWSService).
    let is_service = text("/userIdentity/type") == Some("AWSService");
    let (principal, invoked_by) = match own_name {
        None if is_service => (invoked_by, None),
        None => (own("/userIdentity/accountId"), invoked_by),
        named => (named, invoked_by),
    };
    Some(RecordedChange {
        at,
        event: known.event.to_owned(),
        setting: known.setting,
        resource: resource_of(event, known)?,
        part: parameter(known.part)
            .and_then(Value::as_str)
            .map(ToOwned::to_owned),
        principal,
        invoked_by,
        address: own("/sourceIPAddress"),
        refusal,
        document: parameter(known.document).and_then(document_text),
        id: own("/eventID"),
        request_id: own("/requestID"),
    })
}

/// A document as a text: policies of IAM and KMS are texts already, S3's are parsed.
fn document_text(document: &Value) -> Option<String> {
    match document {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        parsed => serde_json::to_string(parsed).ok(),
    }
}

fn resource_of(event: &Value, known: &ChangeName) -> Option<ChangedResource> {
    let parameter = |name: &str| event.get("requestParameters")?.get(name)?.as_str();
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let named = match known.kind {
        ResourceKind::Bucket => parameter("bucketName"),
        ResourceKind::Key => text("/resources/0/ARN").or_else(|| parameter("keyId")),
        ResourceKind::Role => parameter("roleName"),
        ResourceKind::User => parameter("userName"),
        ResourceKind::ManagedPolicy => parameter("policyArn"),
        ResourceKind::Table => parameter("resourceArn")
            .or_else(|| parameter("tableName"))
            .or_else(|| parameter("targetTableName")),
        ResourceKind::Account => parameter("accountId").or_else(|| text("/recipientAccountId")),
    };
    Some(ChangedResource {
        kind: known.kind,
        name: named?.to_owned(),
        account: text("/recipientAccountId").map(ToOwned::to_owned),
        region: text("/awsRegion").map(ToOwned::to_owned),
    })
}
