//! Needs as lines for `tableferry simulate`, so that others can judge the same requests.
//!
//! A line holds what [`super::verdict`] puts to the policy room: the request, its context with the
//! keys that nobody can tell, and every policy that was read. What was not read is not there.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::context::unread_key;
use super::facts::Facts;
use super::job_facts::required_permissions;
use super::request::{PermissionRequest, asks};
use super::verdict::MissingInput;
use crate::job::Plan;
use crate::job::requirement::RequiredPermission;
use tableferry_policy::document::Document;
use tableferry_policy::evaluate::{ContextValue, Grant, Level, Named};

/// One line for each request that the plan's needs lead to, without line ends. A need that cannot be
/// put as a request, because its resource is not known, gives a line with an `error`.
#[must_use]
pub fn simulate_lines(plan: &Plan, facts: &Facts, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, need) in required_permissions(plan, facts).iter().enumerate() {
        match asks(plan, facts, need, now) {
            Ok(asks) => {
                for (example, ask) in asks.iter().enumerate() {
                    let id = format!("{index}.{example}");
                    lines.push(line(&id, facts, need, ask).to_string());
                }
            }
            Err(unclear) => lines.push(
                json!({
                    "id": format!("{index}.0"),
                    "action": need.action,
                    "reason": need.reason,
                    "error": format!("{} is not known ({})", unclear.what, unclear.permission),
                })
                .to_string(),
            ),
        }
    }
    lines
}

fn line(id: &str, facts: &Facts, need: &RequiredPermission, ask: &PermissionRequest<'_>) -> Value {
    let policies = ask.policies();
    let (mut context, mut optional) = (Map::new(), Map::new());
    for (key, value) in ask.context.iter() {
        let (map, values) = match value {
            ContextValue::Known(values) => (&mut context, values),
            ContextValue::KnownOrAbsent(values) => (&mut optional, values),
            ContextValue::Unknown => continue,
        };
        let held = match values.as_slice() {
            [value] => json!(value),
            values => json!(values),
        };
        map.insert(key.to_owned(), held);
    }
    let unknown: Vec<&str> = ask.context.unknown_keys().collect();
    json!({
        "id": id,
        "reason": need.reason,
        "need": need.resource.pattern(),
        // The role behind a session is in `aws:PrincipalArn`.
        "principal": ask.principal.name(),
        "action": ask.action,
        // Calls under one action differ in their context.
        "call": ask.call.to_string(),
        "resource": ask.resource,
        "resource_account": ask.account,
        "context": context,
        // Nobody can tell whether these are there; if they are, they hold this.
        "optional_context": optional,
        "unknown_context": unknown,
        "identity_policies": policies.identity.iter().map(named).collect::<Vec<_>>(),
        "permissions_boundary": policies.boundary.as_ref().map(named),
        "service_control_policies": levels(&policies.service_control),
        "resource_control_policies": levels(&policies.resource_control),
        "resource_policy": policies.resource.as_ref().map(named),
        "kms_grants": policies.grants.iter().map(grant).collect::<Vec<_>>(),
        "not_read": not_read(facts, need, ask),
    })
}

/// What could not be read of the policies, and of the keys that they ask for.
fn not_read(
    facts: &Facts,
    need: &RequiredPermission,
    ask: &PermissionRequest<'_>,
) -> Vec<MissingInput> {
    let mut all = ask.applicable_policies.unread.clone();
    let asked = ask
        .applicable_policies
        .documents()
        .flat_map(Document::context_keys);
    for key in asked.filter(|key| ask.context.get(key) == Some(&ContextValue::Unknown)) {
        let unread = unread_key(facts, &ask.account, need.who, key);
        all.extend(unread.filter(|unread| !all.contains(unread)));
    }
    all
}

fn named(policy: &Named<'_>) -> Value {
    let text = policy.document.text();
    // Numbers and order matter to nobody who reads the line; a text that is no JSON stays a string.
    let document = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    json!({ "name": policy.name, "document": document })
}

fn levels(levels: &[Level<'_>]) -> Vec<Value> {
    levels
        .iter()
        .map(|level| {
            let policies: Vec<Value> = level.policies.iter().map(named).collect();
            json!({ "target": level.target, "policies": policies })
        })
        .collect()
}

fn grant(grant: &Grant) -> Value {
    json!({
        "id": grant.id,
        "grantee_principal": grant.grantee,
        "operations": grant.operations,
        "encryption_context_subset": grant.context_subset,
        "encryption_context_equals": grant.context_equals,
    })
}
