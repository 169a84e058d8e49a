//! What a resource control policy may not say ("RCP syntax", AWS Organizations user guide).

use super::super::document::{Statement, StatementEffect};
use super::super::scope;
use super::Findings;

pub(super) fn check(statement: &Statement<'_>, findings: &mut Findings<'_>) {
    if statement.effect == StatementEffect::Allow {
        findings.error(
            "rcp-allow",
            statement.span,
            "a resource control policy of one's own can only deny",
            "make it a Deny of what shall not be; AWS's RCPFullAWSAccess allows the rest",
        );
    }
    // The table of elements has Resource and NotResource, and only Action.
    if statement.actions.is_negated {
        findings.error(
            "rcp-not-action",
            statement.actions.span,
            "a resource control policy takes no NotAction",
            "name the actions in Action",
        );
        return;
    }
    for item in &statement.actions.items {
        let service = item.value.split(':').next().unwrap_or_default();
        if service.bytes().all(|byte| byte == b'*') {
            findings.error(
                "rcp-action",
                item.span,
                format!("a resource control policy takes no Action `{}`", item.value),
                "name the services, such as \"Action\": [\"s3:*\", \"kms:*\"]",
            );
        } else if !service.contains(['*', '?']) && !scope::has_resource_control(service) {
            findings.error(
                "rcp-service",
                item.span,
                format!(
                    "resource control policies do not cover the service {service}, so `{}` is not taken",
                    item.value
                ),
                "take the action out, or deny it in a service control policy",
            );
        }
    }
}
