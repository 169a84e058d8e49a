//! The actions of a statement: their form, and whether there are such services and actions.

use super::super::actions;
use super::super::document::{Statement, Text};
use super::super::pattern;
use super::super::services;
use super::{DocumentKind, Findings, Severity};

pub(super) fn check(statement: &Statement<'_>, kind: DocumentKind, findings: &mut Findings<'_>) {
    let patterns = &statement.actions;
    if patterns.items.is_empty() && !patterns.is_negated {
        findings.error(
            "empty-action",
            patterns.span,
            "the statement names no action, so it never applies",
            "name the actions",
        );
    }
    for item in &patterns.items {
        let Some((service, name)) = item.value.split_once(':') else {
            continue;
        };
        if is_well_formed(item, service, name, findings) {
            check_service(item, service, name, kind, findings);
        }
    }
}

fn is_well_formed(item: &Text<'_>, service: &str, name: &str, findings: &mut Findings<'_>) -> bool {
    let value = item.value.as_ref();
    if let Some((other, action)) = name.split_once(':') {
        let is_doubled = services::is_service(other) && !action.is_empty() && !action.contains(':');
        findings.error(
            "action-colons",
            item.span,
            format!("the action `{value}` has two colons, and one stands between service and name, so it matches nothing"),
            if is_doubled {
                format!("write `{other}:{action}`")
            } else if value.starts_with("arn:") {
                "put the ARN in Resource, and name the action as SERVICE:NAME".to_owned()
            } else {
                format!("write the action as SERVICE:NAME, such as `{service}:{}`", example(service))
            },
        );
        return false;
    }
    if value.contains(char::is_whitespace) {
        let bare: String = value.split_whitespace().collect();
        findings.error(
            "action-blank",
            item.span,
            format!("the action `{value}` holds a blank, so it matches nothing"),
            format!("write `{bare}`"),
        );
        return false;
    }
    if name.is_empty() {
        findings.error(
            "action-without-name",
            item.span,
            format!("the action `{value}` has a service but no name, so it matches nothing"),
            format!(
                "write the whole action, such as `{service}:{}`",
                example(service)
            ),
        );
        return false;
    }
    if service.is_empty() {
        findings.error(
            "action-without-service",
            item.span,
            format!("the action `{value}` names no service, so it matches nothing"),
            "write the service in front of the colon, such as `s3:PutObject`",
        );
        return false;
    }
    true
}

fn example(service: &str) -> &'static str {
    match service.to_ascii_lowercase().as_str() {
        "kms" => "Decrypt",
        "s3" => "PutObject",
        "dynamodb" => "ExportTableToPointInTime",
        "sts" => "AssumeRole",
        _ => "*",
    }
}

fn check_service(
    item: &Text<'_>,
    service: &str,
    name: &str,
    kind: DocumentKind,
    findings: &mut Findings<'_>,
) {
    if service.contains(['*', '?']) {
        return;
    }
    let has_name = |service: &str| {
        actions::actions_of(service)
            .is_some_and(|mut known| known.any(|action| pattern::action_matches(name, action)))
    };
    if let Some(meant) = services::intended(service) {
        // A service of a few letters may be new; with an action of the one that is near it is not.
        let is_sure = service.len() >= 5 || has_name(meant);
        findings.add(
            if is_sure {
                Severity::Error
            } else {
                Severity::Warning
            },
            "unknown-service",
            item.span,
            format!(
                "no service is called `{service}`, so `{}` matches nothing",
                item.value
            ),
            format!("did you mean `{meant}:{name}`?"),
        );
        return;
    }
    if kind == DocumentKind::Bucket && is_not_of_s3(item) {
        findings.error(
            "action-of-other-service",
            item.span,
            format!(
                "a bucket policy takes actions of S3 only, and `{}` is of {service}",
                item.value
            ),
            "put it in an identity policy, or in the policy of that service's resource",
        );
        return;
    }
    check_known(item, service, name, findings);
}

/// Whether S3 refuses an action in a bucket policy with "Policy has invalid action"; directory, table
/// and vector buckets have prefixes of their own.
pub(super) fn is_not_of_s3(item: &Text<'_>) -> bool {
    item.value.split_once(':').is_some_and(|(service, _)| {
        !service.contains(['*', '?']) && !service.to_ascii_lowercase().starts_with("s3")
    })
}

fn check_known(item: &Text<'_>, service: &str, name: &str, findings: &mut Findings<'_>) {
    let Some(mut known) = actions::actions_of(service) else {
        return;
    };
    if known.any(|action| pattern::action_matches(name, action)) {
        return;
    }
    let nearest = actions::actions_of(service).and_then(|known| {
        let likeness = |action: &str| {
            strsim::jaro_winkler(&action.to_ascii_lowercase(), &name.to_ascii_lowercase())
        };
        known.max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
    });
    findings.warning(
        "unknown-action",
        item.span,
        format!("no action of {service} is called `{name}`"),
        nearest.map_or_else(
            || "correct the name".to_owned(),
            |nearest| format!("did you mean `{service}:{nearest}`?"),
        ),
    );
}
