//! Which principals a statement is about: whether it names somebody, and whether it names everybody.

use super::super::document::{
    Condition, PrincipalKind, Principals, Statement, StatementEffect, Text,
};
use super::super::public;
use super::principal_form;
use super::{DocumentKind, Findings};

pub(super) fn check(statement: &Statement<'_>, kind: DocumentKind, findings: &mut Findings<'_>) {
    let Some(principals) = &statement.principals else {
        if kind.names_principals() {
            findings.error(
                "missing-principal",
                statement.span,
                format!("a statement of {} needs a Principal", kind.noun()),
                "say who it is about, such as \"Principal\": {\"AWS\": \"arn:aws:iam::111111111111:role/NAME\"}",
            );
        }
        return;
    };
    if !kind.names_principals() {
        findings.error(
            "principal-not-allowed",
            principals.span,
            format!(
                "{} takes no Principal: it is about the principals that it is attached to",
                kind.noun()
            ),
            "leave the Principal out",
        );
        return;
    }
    if principals.is_negated {
        check_not_principal(statement, principals, kind, findings);
    }
    if kind == DocumentKind::ResourceControl && !principals.is_everyone {
        findings.error(
            "rcp-principal",
            principals.span,
            "the Principal of a resource control policy is always `*`",
            "write \"Principal\": \"*\", and single out principals in the Condition",
        );
    }
    for (entry, text) in &principals.entries {
        let fault = match entry {
            PrincipalKind::Aws => principal_form::aws_fault(&text.value),
            PrincipalKind::Service => principal_form::service_fault(&text.value),
            PrincipalKind::Federated => principal_form::federated_fault(&text.value),
            PrincipalKind::CanonicalUser => principal_form::canonical_fault(&text.value),
        };
        if let Some(fault) = fault {
            findings.error(fault.rule, text.span, fault.message, fault.fix);
        }
    }
    check_public(statement, principals, kind, findings);
}

fn check_not_principal(
    statement: &Statement<'_>,
    principals: &Principals<'_>,
    kind: DocumentKind,
    findings: &mut Findings<'_>,
) {
    if matches!(kind, DocumentKind::Trust | DocumentKind::ResourceControl) {
        findings.error(
            "not-principal",
            principals.span,
            format!("NotPrincipal is not allowed in {}", kind.noun()),
            "use a condition on aws:PrincipalArn",
        );
    } else if statement.effect == StatementEffect::Allow {
        findings.error(
            "not-principal",
            principals.span,
            "NotPrincipal is not supported with Allow: it would let in everybody else, the public too",
            "name those who are allowed in Principal",
        );
    } else {
        findings.warning(
            "not-principal",
            principals.span,
            "NotPrincipal with Deny exempts a role only if its account, the role and the session are \
             all listed, and never one that has a permissions boundary",
            "use \"Principal\": \"*\" with ArnNotEquals on aws:PrincipalArn",
        );
    }
}

/// Only what an Allow grants can be public.
fn check_public(
    statement: &Statement<'_>,
    principals: &Principals<'_>,
    kind: DocumentKind,
    findings: &mut Findings<'_>,
) {
    let names_all = principals.is_everyone
        || principals
            .entries
            .iter()
            .any(|(kind, text)| *kind == PrincipalKind::Aws && text.value == "*");
    if statement.effect == StatementEffect::Deny
        || !names_all
        || kind == DocumentKind::ResourceControl
    {
        return;
    }
    let is_open = match kind {
        DocumentKind::Bucket => public::is_public(statement),
        _ => statement.conditions.is_empty(),
    };
    if !is_open {
        return;
    }
    if let Some(value) = statement.conditions.iter().find_map(role_sessions) {
        findings.warning(
            "role-id-condition",
            value.span,
            "a condition on a role's id and `:*` counts as public for Block Public Access",
            "name the role in Principal, or use aws:PrincipalArn",
        );
    } else {
        findings.warning(
            "public",
            principals.span,
            "the statement grants to the public: anybody, in any account, and without signing in",
            "name the principal, or add a condition with a fixed value such as aws:PrincipalOrgID",
        );
    }
}

/// The value that stands for the sessions of a role by the role's id.
fn role_sessions<'c, 'a>(condition: &'c Condition<'a>) -> Option<&'c Text<'a>> {
    let is_id = condition.key.value.eq_ignore_ascii_case("aws:userid");
    (is_id && !condition.operator.is_negated)
        .then(|| {
            condition
                .values
                .iter()
                .find(|value| value.value.ends_with(":*"))
        })
        .flatten()
}
