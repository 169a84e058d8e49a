//! What can be wrong with one statement.

use super::super::actions::{self, S3Resource};
use super::super::document::{Condition, Effect, PrincipalKind, Principals, Statement, Text};
use super::super::near_miss::is_unique_id;
use super::super::operator::{Quantifier, Test};
use super::super::pattern;
use super::super::principal::account_named;
use super::super::public;
use super::super::witness::is_multivalued;
use super::{Findings, Kind, Severity};

/// Checks one statement.
pub(super) fn check(
    statement: &Statement<'_>,
    index: usize,
    kind: Kind,
    findings: &mut Findings<'_>,
) {
    check_actions(statement, findings);
    check_principals(statement, kind, findings);
    check_resources(statement, kind, findings);
    check_s3_level(statement, findings);
    for condition in &statement.conditions {
        check_condition(condition, statement, findings);
    }
    check_contradictions(statement, findings);
    if kind == Kind::ResourceControl && statement.effect == Effect::Allow {
        findings.error(
            "rcp-allow",
            statement.span,
            "a resource control policy of one's own can only deny",
            "make it a Deny of what shall not be; AWS's RCPFullAWSAccess allows the rest",
        );
    }
    // The table of elements in "RCP syntax" has Resource and NotResource, and only Action.
    if kind == Kind::ResourceControl && statement.actions.is_negated {
        findings.error(
            "rcp-not-action",
            statement.actions.span,
            "a resource control policy takes no NotAction",
            "name the actions in Action",
        );
    }
    let is_odd = |sid: &Text<'_>| !sid.value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if let Some(sid) = statement.sid.as_ref().filter(|sid| is_odd(sid))
        && matches!(kind, Kind::Identity | Kind::Trust)
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

fn check_actions(statement: &Statement<'_>, findings: &mut Findings<'_>) {
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
        if name.is_empty() {
            findings.error(
                "action-without-name",
                item.span,
                format!(
                    "the action `{}` has a service but no name, so it matches nothing",
                    item.value
                ),
                format!(
                    "write the whole action, such as `{service}:{}`",
                    example(service)
                ),
            );
            continue;
        }
        check_known(item, service, name, findings);
    }
}

fn example(service: &str) -> &'static str {
    match service {
        "kms" => "Decrypt",
        "s3" => "PutObject",
        "dynamodb" => "ExportTableToPointInTime",
        "sts" => "AssumeRole",
        _ => "*",
    }
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

fn check_principals(statement: &Statement<'_>, kind: Kind, findings: &mut Findings<'_>) {
    let Some(principals) = &statement.principals else {
        if kind.names_principals() {
            findings.error(
                "missing-principal",
                statement.span,
                format!("a statement of {} needs a Principal", kind.noun()),
                "say whom it is about, such as \"Principal\": {\"AWS\": \"arn:aws:iam::111111111111:role/NAME\"}",
            );
        }
        return;
    };
    if !kind.names_principals() {
        findings.error(
            "principal-not-allowed",
            principals.span,
            format!(
                "{} takes no Principal: it is about whom it is attached to",
                kind.noun()
            ),
            "leave the Principal out",
        );
        return;
    }
    if principals.is_negated {
        check_not_principal(statement, principals, kind, findings);
    }
    if kind == Kind::ResourceControl && !principals.is_everyone {
        findings.error(
            "rcp-principal",
            principals.span,
            "the Principal of a resource control policy is always `*`",
            "write \"Principal\": \"*\", and single out principals in the Condition",
        );
    }
    for (entry, text) in &principals.entries {
        check_principal(*entry, text, findings);
    }
    if kind != Kind::ResourceControl {
        check_public(statement, principals, kind, findings);
    }
}

fn check_not_principal(
    statement: &Statement<'_>,
    principals: &Principals<'_>,
    kind: Kind,
    findings: &mut Findings<'_>,
) {
    if matches!(kind, Kind::Trust | Kind::ResourceControl) {
        findings.error(
            "not-principal",
            principals.span,
            format!("NotPrincipal is not allowed in {}", kind.noun()),
            "use a condition on aws:PrincipalArn",
        );
    } else if statement.effect == Effect::Allow {
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
            "NotPrincipal with Deny spares a role only if its account, the role and the session are \
             all listed, and never one that has a permissions boundary",
            "use \"Principal\": \"*\" with ArnNotEquals on aws:PrincipalArn",
        );
    }
}

fn check_principal(kind: PrincipalKind, text: &Text<'_>, findings: &mut Findings<'_>) {
    let value = text.value.as_ref();
    if kind != PrincipalKind::Aws {
        return;
    }
    if value.ends_with(".amazonaws.com") || value.ends_with(".amazonaws.com.cn") {
        findings.error(
            "service-as-aws",
            text.span,
            format!("`{value}` is a service, and AWS takes accounts, users, roles and sessions"),
            format!("write {{\"Service\": \"{value}\"}}"),
        );
    } else if is_unique_id(value) {
        findings.error(
            "stale-principal",
            text.span,
            format!(
                "`{value}` is what is left of a role or user that was deleted; it matches nobody, and \
                 the document cannot be written back with it"
            ),
            "put the ARN of the role or user that exists now, or take the entry out",
        );
    } else if value.contains(['*', '?']) && value != "*" {
        findings.error(
            "principal-wildcard",
            text.span,
            format!("a principal takes no wildcard within it, so `{value}` matches nobody"),
            "name the account, and narrow it with ArnLike on aws:PrincipalArn",
        );
    } else if value != "*" && !value.starts_with("arn:") && account_named(value).is_none() {
        findings.error(
            "invalid-principal",
            text.span,
            format!("`{value}` is neither an ARN nor an account's id"),
            "give the whole ARN, or the twelve digits of the account",
        );
    }
}

fn check_public(
    statement: &Statement<'_>,
    principals: &Principals<'_>,
    kind: Kind,
    findings: &mut Findings<'_>,
) {
    let names_all = principals.is_everyone
        || principals
            .entries
            .iter()
            .any(|(kind, text)| *kind == PrincipalKind::Aws && text.value == "*");
    if statement.effect == Effect::Deny || !names_all {
        return;
    }
    let is_open = match kind {
        Kind::Bucket => public::is_public(statement),
        _ => statement.conditions.is_empty(),
    };
    if is_open {
        findings.warning(
            "public",
            principals.span,
            "the statement grants to the public: anybody, in any account, and without signing in",
            "name the principal, or add a condition with a fixed value such as aws:PrincipalOrgID",
        );
    }
}

fn check_resources(statement: &Statement<'_>, kind: Kind, findings: &mut Findings<'_>) {
    let Some(resources) = &statement.resources else {
        if kind != Kind::Trust {
            findings.error(
                "missing-resource",
                statement.span,
                format!("a statement of {} needs a Resource", kind.noun()),
                "say what it is about; in a key policy \"Resource\": \"*\" is the key itself",
            );
        }
        return;
    };
    if kind == Kind::Trust {
        findings.error(
            "resource-not-allowed",
            resources.span,
            "a trust policy takes no Resource: it is about the role that it hangs on",
            "leave the Resource out",
        );
    }
    if resources.items.is_empty() && !resources.is_negated {
        findings.error(
            "empty-resource",
            resources.span,
            "the statement names no resource, so it never applies",
            "name the resources",
        );
    }
    for item in &resources.items {
        let value = item.value.as_ref();
        // A final `*` may stand for the segments that are missing.
        let is_short = value.splitn(6, ':').count() < 6 && !value.contains('*');
        if value != "*" && (is_short || !value.starts_with("arn:")) {
            findings.error(
                "invalid-resource",
                item.span,
                format!("`{value}` is no ARN"),
                "write arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE",
            );
        }
    }
}

/// Actions on objects with the ARN of the bucket alone, and the reverse, do nothing.
fn check_s3_level(statement: &Statement<'_>, findings: &mut Findings<'_>) {
    let Some(resources) = statement
        .resources
        .as_ref()
        .filter(|resources| !resources.is_negated)
    else {
        return;
    };
    let tails: Vec<Option<&str>> = resources
        .items
        .iter()
        .map(|item| s3_tail(&item.value))
        .collect();
    let may_be_object = tails
        .iter()
        .any(|tail| tail.is_none_or(|tail| tail.contains(['/', '*', '?'])));
    let may_be_bucket = tails
        .iter()
        .any(|tail| tail.is_none_or(|tail| !tail.contains('/')));
    if statement.actions.is_negated || tails.is_empty() {
        return;
    }
    for item in &statement.actions.items {
        let Some((service, name)) = item.value.split_once(':') else {
            continue;
        };
        if !service.eq_ignore_ascii_case("s3") || name.is_empty() {
            continue;
        }
        let matched = |level: S3Resource| {
            actions::s3_actions()
                .any(|(of, action)| of == level && pattern::action_matches(name, action))
        };
        let (objects, buckets) = (matched(S3Resource::Object), matched(S3Resource::Bucket));
        let first = resources
            .items
            .first()
            .map_or("", |item| item.value.as_ref());
        if objects && !buckets && !may_be_object {
            findings.error(
                "bucket-for-objects",
                resources.span,
                format!(
                    "{} is about objects, and `{first}` is the bucket, so the statement has no effect on it",
                    item.value
                ),
                format!("write `{first}/*`"),
            );
        } else if buckets && !objects && !may_be_bucket {
            let bucket = first.split_once('/').map_or(first, |(bucket, _)| bucket);
            findings.error(
                "objects-for-bucket",
                resources.span,
                format!(
                    "{} is about the bucket, and `{first}` are objects, so the statement has no effect on it",
                    item.value
                ),
                format!("write `{bucket}`"),
            );
        }
    }
}

/// What follows `arn:aws:s3:::`; none where the pattern is of something else.
fn s3_tail(pattern: &str) -> Option<&str> {
    let mut parts = pattern.splitn(6, ':');
    let (arn, _, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account) = (parts.next()?, parts.next()?);
    (arn == "arn" && service == "s3" && region.is_empty() && account.is_empty())
        .then(|| parts.next())
        .flatten()
}

fn check_condition(
    condition: &Condition<'_>,
    statement: &Statement<'_>,
    findings: &mut Findings<'_>,
) {
    let operator = condition.operator;
    let key = condition.key.value.as_ref();
    if is_multivalued(key)
        && operator.quantifier == Quantifier::Single
        && operator.test != Test::Null
    {
        let fit = match (operator.is_negated, statement.effect) {
            (true, Effect::Deny) | (false, Effect::Allow) => "ForAllValues",
            _ => "ForAnyValue",
        };
        findings.add(
            if operator.is_negated {
                Severity::Error
            } else {
                Severity::Warning
            },
            "multivalued-key",
            condition.operator_span,
            format!(
                "{key} holds a list, and an operator without a set qualifier does not compare lists"
            ),
            format!("put {fit}: in front of the operator"),
        );
    }
    if operator.quantifier == Quantifier::All
        && statement.effect == Effect::Allow
        && !operator.if_exists
    {
        let is_checked = statement.conditions.iter().any(|other| {
            other.operator.test == Test::Null && other.key.value.eq_ignore_ascii_case(key)
        });
        if !is_checked {
            findings.warning(
                "forallvalues-absent",
                condition.operator_span,
                format!(
                    "ForAllValues is also true where {key} is absent, so the Allow applies then too"
                ),
                format!("add \"Null\": {{\"{key}\": \"false\"}}"),
            );
        }
    }
    if !key.contains(':') {
        findings.error(
            "invalid-key",
            condition.key.span,
            format!("the context key `{key}` has no service in front, such as aws:SourceIp"),
            "give the whole key",
        );
    }
    if key.eq_ignore_ascii_case("aws:userid")
        && let Some(value) = condition
            .values
            .iter()
            .find(|value| value.value.ends_with(":*"))
    {
        findings.warning(
            "role-id-condition",
            value.span,
            "a condition on a role's id and `:*` counts as public for Block Public Access",
            "name the role in Principal, or use aws:PrincipalArn",
        );
    }
    let is_wild =
        |value: &&Text<'_>| value.value.contains(['*', '?']) && !value.value.contains("${");
    if operator.test == Test::StringEquals
        && let Some(value) = condition.values.iter().find(is_wild)
    {
        findings.warning(
            "literal-wildcard",
            value.span,
            format!(
                "the operator knows no wildcards, so `{}` is compared as it stands",
                value.value
            ),
            "use StringLike or ArnLike",
        );
    }
}

/// Conditions that cannot hold together: a key that must be absent and have a value, or no value to
/// match at all.
fn check_contradictions(statement: &Statement<'_>, findings: &mut Findings<'_>) {
    let what = match statement.effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    for condition in &statement.conditions {
        let operator = condition.operator;
        let needs_value = !operator.is_negated
            && !operator.if_exists
            && operator.quantifier != Quantifier::All
            && operator.test != Test::Null;
        let must_be_absent = statement.conditions.iter().any(|other| {
            other.operator.test == Test::Null
                && other.key.value.eq_ignore_ascii_case(&condition.key.value)
                && other
                    .values
                    .iter()
                    .all(|value| value.value.eq_ignore_ascii_case("true"))
        });
        if needs_value && (must_be_absent || condition.values.is_empty()) {
            findings.error(
                "never-matches",
                condition.key.span,
                format!(
                    "this {what} can never match: nothing satisfies the conditions on {}",
                    condition.key.value
                ),
                "correct the conditions, or take the statement out",
            );
        }
    }
}
