//! What can be wrong with one statement.

use super::super::document::{Statement, Text, Version};
use super::{DocumentKind, Findings, action, condition, principal, resource, resource_control};

/// Checks one statement.
pub(super) fn check(
    statement: &Statement<'_>,
    index: usize,
    version: Version,
    kind: DocumentKind,
    findings: &mut Findings<'_>,
) {
    action::check(statement, kind, findings);
    principal::check(statement, kind, findings);
    resource::check(statement, kind, findings);
    condition::check(statement, version, findings);
    if kind == DocumentKind::ResourceControl {
        resource_control::check(statement, findings);
    }
    let is_odd = |sid: &Text<'_>| !sid.value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if let Some(sid) = statement.sid.as_ref().filter(|sid| is_odd(sid))
        && matches!(kind, DocumentKind::Identity | DocumentKind::Trust)
    {
        findings.error(
            "sid-characters",
            sid.span,
            format!(
                "IAM takes only letters and digits in a Sid, and statement #{index} has others"
            ),
            "leave the other characters out",
        );
    }
}
