//! The resources of a statement: their form, and whether its actions can be about them.

use super::super::actions::{self, S3Resource};
use super::super::document::{Patterns, Statement};
use super::super::pattern;
use super::arn_form::{self, Parts, is_wild};
use super::{DocumentKind, Findings, action};

pub(super) fn check(statement: &Statement<'_>, kind: DocumentKind, findings: &mut Findings<'_>) {
    let Some(resources) = &statement.resources else {
        if kind != DocumentKind::Trust {
            findings.error(
                "missing-resource",
                statement.span,
                format!("a statement of {} needs a Resource", kind.noun()),
                "say what it is about; in a key policy \"Resource\": \"*\" is the key itself",
            );
        }
        return;
    };
    if kind == DocumentKind::Trust {
        findings.error(
            "resource-not-allowed",
            resources.span,
            "a trust policy takes no Resource: it is about the role that it is attached to",
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
    let mut is_sound = true;
    for item in &resources.items {
        let Some(fault) = arn_form::fault(&item.value) else {
            continue;
        };
        is_sound = false;
        findings.error(
            "invalid-resource",
            item.span,
            format!(
                "`{}` is the ARN of no resource: {}",
                item.value, fault.problem
            ),
            fault.intended.map_or_else(
                || "write arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE".to_owned(),
                |intended| format!("write `{intended}`"),
            ),
        );
    }
    if is_sound && !resources.is_negated && !statement.actions.is_negated {
        let has_foreign = kind == DocumentKind::Bucket
            && statement.actions.items.iter().any(action::is_not_of_s3);
        if !has_foreign {
            check_services(&statement.actions, resources, findings);
        }
        check_s3_level(&statement.actions, resources, findings);
        check_aliases(&statement.actions, resources, findings);
    }
}

/// The services whose ARNs an action's resources have; none for a service that is not listed here.
fn arn_services(service: &str) -> Option<&'static [&'static str]> {
    Some(match service.to_ascii_lowercase().as_str() {
        "dynamodb" => &["dynamodb"],
        "kms" => &["kms"],
        "s3" => &["s3", "s3-object-lambda"],
        "sts" => &["iam", "sts"],
        "iam" => &["iam"],
        "lambda" => &["lambda"],
        "secretsmanager" => &["secretsmanager"],
        "sns" => &["sns"],
        "sqs" => &["sqs"],
        _ => return None,
    })
}

fn example_arn(service: &str) -> &'static str {
    match service {
        "dynamodb" => "`arn:aws:dynamodb:REGION:ACCOUNT:table/NAME`",
        "kms" => "`arn:aws:kms:REGION:ACCOUNT:key/KEY-ID`",
        "s3" => "`arn:aws:s3:::BUCKET` or `arn:aws:s3:::BUCKET/*`",
        "sts" | "iam" => "`arn:aws:iam::ACCOUNT:role/NAME`",
        _ => "an ARN of that service",
    }
}

/// An action of one service does nothing on another service's resource.
fn check_services(actions: &Patterns<'_>, resources: &Patterns<'_>, findings: &mut Findings<'_>) {
    let of_resources: Vec<Option<String>> = resources
        .items
        .iter()
        .map(|item| Parts::of(&item.value).service().map(str::to_owned))
        .collect();
    let of_actions: Vec<Option<&[&str]>> = actions
        .items
        .iter()
        .map(|item| arn_services(item.value.split_once(':')?.0))
        .collect();
    let mut is_found = false;
    for (item, services) in actions.items.iter().zip(&of_actions) {
        let Some(services) = services.filter(|_| !of_resources.is_empty()) else {
            continue;
        };
        if !of_resources
            .iter()
            .all(|of| is_foreign(of.as_deref(), Some(services)))
        {
            continue;
        }
        is_found = true;
        let service = item
            .value
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        findings.error(
            "other-service",
            item.span,
            format!(
                "`{}` is an action of {service}, and the statement names resources of {} only, so it has no effect",
                item.value,
                listed(&of_resources)
            ),
            format!(
                "name a resource of {service} in Resource, such as {}, or give the action a statement of its own",
                example_arn(&service)
            ),
        );
    }
    if is_found {
        return;
    }
    for (item, of) in resources.items.iter().zip(&of_resources) {
        let Some(of) = of.as_deref().filter(|_| !of_actions.is_empty()) else {
            continue;
        };
        if of_actions
            .iter()
            .all(|services| is_foreign(Some(of), *services))
        {
            findings.error(
                "other-service",
                item.span,
                format!(
                    "`{}` is a resource of {of}, and the statement has no action of {of}, so it has no effect on it",
                    item.value
                ),
                "add an action of that service, or take the resource out",
            );
        }
    }
}

/// Whether a resource's service is known not to be among those of an action's resources.
fn is_foreign(of: Option<&str>, services: Option<&[&str]>) -> bool {
    match (of, services) {
        (Some(of), Some(services)) => !services.contains(&of),
        _ => false,
    }
}

fn listed(services: &[Option<String>]) -> String {
    let mut names: Vec<&str> = services.iter().flatten().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names.join(" and ")
}

/// Actions on objects with the ARN of the bucket alone, and the reverse, do nothing.
fn check_s3_level(actions: &Patterns<'_>, resources: &Patterns<'_>, findings: &mut Findings<'_>) {
    let parts: Vec<Parts<'_>> = resources
        .items
        .iter()
        .map(|item| Parts::of(&item.value))
        .collect();
    let of_s3 = parts
        .iter()
        .zip(&resources.items)
        .filter(|(parts, _)| parts.service().is_none_or(|service| service == "s3"));
    let names: Vec<(Option<&str>, &str)> = of_s3
        .map(|(parts, item)| (parts.s3_name(), item.value.as_ref()))
        .collect();
    let Some((_, first)) = names.first() else {
        return;
    };
    let may_be_object = names
        .iter()
        .any(|(name, _)| name.is_none_or(|name| name.contains('/') || is_wild(name)));
    let may_be_bucket = names
        .iter()
        .any(|(name, _)| name.is_none_or(|name| !name.contains('/')));
    for item in &actions.items {
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
            let end = pattern::mask_variables(first)
                .find('/')
                .unwrap_or(first.len());
            findings.error(
                "objects-for-bucket",
                resources.span,
                format!(
                    "{} is about the bucket, and `{first}` are objects, so the statement has no effect on it",
                    item.value
                ),
                format!("write `{}`", first.get(..end).unwrap_or(first)),
            );
        }
    }
}

/// "To specify a KMS key … use the key ARN. You cannot use a key ID, alias name, or alias ARN" ("IAM
/// policies for AWS KMS"); an alias is the resource of the actions that manage aliases.
fn check_aliases(actions: &Patterns<'_>, resources: &Patterns<'_>, findings: &mut Findings<'_>) {
    const OF_ALIASES: [&str; 3] = ["CreateAlias", "DeleteAlias", "UpdateAlias"];
    let is_alias = |text: &str| {
        let parts = Parts::of(text);
        parts.service() == Some("kms")
            && parts
                .resource()
                .is_some_and(|resource| resource.starts_with("alias/"))
    };
    if resources.items.is_empty() || !resources.items.iter().all(|item| is_alias(&item.value)) {
        return;
    }
    for item in &actions.items {
        let Some((service, name)) = item.value.split_once(':') else {
            continue;
        };
        let is_of_aliases = OF_ALIASES
            .iter()
            .any(|action| pattern::action_matches(name, action));
        if service.eq_ignore_ascii_case("kms") && !name.is_empty() && !is_of_aliases {
            findings.error(
                "alias-for-key",
                resources.span,
                format!(
                    "{} is about keys, and a policy does not name a key by its alias, so the statement has no effect",
                    item.value
                ),
                "write the key's own ARN, or `arn:aws:kms:REGION:ACCOUNT:key/*` with a condition on kms:ResourceAliases",
            );
        }
    }
}
