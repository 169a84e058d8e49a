//! The form of a principal: whether AWS can take it for anybody, and the one that was meant.
//!
//! The forms are those of "AWS JSON policy elements: Principal".

use super::super::arn::is_unique_id;
use super::super::partition::Partition;
use super::super::request::is_account_id;
use super::super::services;

/// What is wrong with a principal.
pub(super) struct PrincipalFault {
    pub(super) rule: &'static str,
    /// A whole sentence.
    pub(super) message: String,
    /// What would be right.
    pub(super) fix: String,
}

fn fault(rule: &'static str, message: impl Into<String>, fix: impl Into<String>) -> PrincipalFault {
    PrincipalFault {
        rule,
        message: message.into(),
        fix: fix.into(),
    }
}

/// Looks at an entry under `AWS`.
pub(super) fn aws_fault(value: &str) -> Option<PrincipalFault> {
    if value == "*" || is_account_id(value) {
        return None;
    }
    if let Some(service) = service_named(value) {
        return Some(fault(
            "service-as-aws",
            format!("`{value}` is a service, and AWS takes accounts, users, roles and sessions"),
            format!("write {{\"Service\": \"{service}\"}}"),
        ));
    }
    if is_unique_id(value) {
        return Some(fault(
            "stale-principal",
            format!(
                "`{value}` is what is left of a role or user that was deleted; it matches nobody, and \
                 the document cannot be written back with it"
            ),
            "put the ARN of the role or user that exists now, or take the entry out",
        ));
    }
    if value.contains("${") {
        return Some(invalid(value, "a Principal takes no policy variable", None));
    }
    if value.contains(['*', '?']) {
        return Some(fault(
            "principal-wildcard",
            format!("a principal takes no wildcard within it, so `{value}` matches nobody"),
            "name the account, and narrow it with ArnLike on aws:PrincipalArn",
        ));
    }
    let problem = if value.starts_with("arn:") {
        arn_problem(value)?
    } else {
        bare_problem(value)
    };
    Some(invalid(value, &problem, intended(value)))
}

fn invalid(value: &str, problem: &str, intended: Option<String>) -> PrincipalFault {
    let fix = match intended {
        Some(intended) => format!("write {intended}"),
        None => "give the twelve digits of the account, or the whole ARN, such as \
                 arn:aws:iam::111111111111:role/NAME"
            .to_owned(),
    };
    fault(
        "invalid-principal",
        format!("`{value}` is no principal: {problem}"),
        fix,
    )
}

fn is_canonical_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn bare_problem(value: &str) -> String {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let is_number = digits > 0
        && value
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"- ".contains(&byte));
    if is_canonical_id(value) {
        "it is the canonical id of an account in S3".to_owned()
    } else if is_number {
        account_problem(value, digits)
    } else {
        "it is neither an ARN nor an account's id".to_owned()
    }
}

fn account_problem(value: &str, digits: usize) -> String {
    format!("an account's id is twelve digits, and `{value}` has {digits}")
        + if digits == 12 {
            " with other characters between them"
        } else {
            ""
        }
}

/// What is wrong with an ARN under `AWS`; none where it can name somebody.
fn arn_problem(value: &str) -> Option<String> {
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let [_, partition, service, region, account, resource] = parts.as_slice() else {
        return Some("it has fewer than the six parts of an ARN".to_owned());
    };
    if partition.parse::<Partition>().is_err() {
        return Some(format!("`{partition}` is no partition"));
    }
    if !matches!(*service, "iam" | "sts") {
        return Some(if service.is_empty() {
            "the service is missing, which is iam or sts".to_owned()
        } else if services::is_service(service)
            && !matches!(service.to_ascii_lowercase().as_str(), "iam" | "sts")
        {
            format!("it is the ARN of a resource of {service}, and principals are of iam or sts")
        } else {
            format!("its service is `{service}`, and principals are of iam or sts")
        });
    }
    if !region.is_empty() {
        return Some(format!(
            "an ARN of {service} has no Region, and this has `{region}`"
        ));
    }
    if *account == "cloudfront" && resource.starts_with("user/CloudFront Origin Access Identity ") {
        return None;
    }
    if !is_account_id(account) {
        return Some(if account.is_empty() {
            "the account is missing".to_owned()
        } else {
            let digits = account.bytes().filter(u8::is_ascii_digit).count();
            account_problem(account, digits)
        });
    }
    resource_problem(service, resource)
}

fn resource_problem(service: &str, resource: &str) -> Option<String> {
    if service == "iam" && resource == "root" {
        return None;
    }
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
    };
    let (kind, names) = resource.split_once('/').unwrap_or((resource, ""));
    let last = names.rsplit('/').next().unwrap_or_default();
    match (service, kind) {
        ("iam", "role" | "user") | ("sts", "federated-user") if is_name(last) => None,
        ("sts", "assumed-role") => match names.split('/').collect::<Vec<_>>().as_slice() {
            [role, session] if is_name(role) && is_name(session) => None,
            [_] => Some(
                "a session's ARN is assumed-role/ROLE/SESSION, and the session is missing"
                    .to_owned(),
            ),
            _ => Some(
                "a session's ARN is assumed-role/ROLE/SESSION, without the role's path".to_owned(),
            ),
        },
        ("iam", "role" | "user") | ("sts", "federated-user") => Some(if last.is_empty() {
            format!("no name follows {kind}/")
        } else {
            format!("`{last}` cannot be a name")
        }),
        ("iam", "group") => Some("a group cannot be a principal".to_owned()),
        ("iam", "saml-provider" | "oidc-provider") => {
            Some("an identity provider stands under Federated".to_owned())
        }
        ("iam", "assumed-role" | "federated-user") => {
            Some("sessions are of sts, not of iam".to_owned())
        }
        ("sts", "role" | "user" | "root") => {
            Some("roles, users and the root are of iam, not of sts".to_owned())
        }
        ("iam", _) if resource.eq_ignore_ascii_case("root") => {
            Some("`root` is written in small letters".to_owned())
        }
        _ => Some(format!(
            "`{resource}` is neither root nor role/NAME, user/NAME or a session"
        )),
    }
}

/// The principal that was meant, as JSON.
fn intended(value: &str) -> Option<String> {
    if is_canonical_id(value) {
        return Some(format!("{{\"CanonicalUser\": \"{value}\"}}"));
    }
    let parts: Vec<&str> = value.trim().split(':').collect();
    let digits_of = |part: &str| {
        let is_number = part
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"- ".contains(&byte));
        let digits: String = part.chars().filter(char::is_ascii_digit).collect();
        (is_number && is_account_id(&digits)).then_some(digits)
    };
    if let [only] = parts.as_slice() {
        return digits_of(only).map(|account| format!("\"{account}\""));
    }
    let partition = parts
        .iter()
        .find(|part| part.parse::<Partition>().is_ok())
        .copied()
        .unwrap_or("aws");
    let (at, account, rest) = parts.iter().enumerate().find_map(|(at, part)| {
        // What follows the account may have lost its colon to a slash.
        let (head, rest) = part
            .split_once('/')
            .map_or((*part, ""), |(head, rest)| (head, rest));
        Some((at, digits_of(head)?, rest))
    })?;
    if parts
        .get(2)
        .is_some_and(|service| services::is_service(service) && !matches!(*service, "iam" | "sts"))
    {
        return None;
    }
    let mut words: Vec<&str> = Some(rest)
        .filter(|rest| !rest.is_empty())
        .into_iter()
        .collect();
    words.extend(parts.iter().skip(at + 1).filter(|part| !part.is_empty()));
    let resource = words.join("/");
    let (kind, name) = resource.split_once('/').unwrap_or((&resource, ""));
    let kind = kind.to_ascii_lowercase();
    let kind = kind.strip_suffix('s').unwrap_or(&kind);
    let (service, resource) = match kind {
        "root" => ("iam", "root".to_owned()),
        "role" | "user" => ("iam", format!("{kind}/{name}")),
        "assumed-role" | "federated-user" => ("sts", format!("{kind}/{name}")),
        "instance-profile" => ("iam", format!("role/{name}")),
        "saml-provider" | "oidc-provider" => {
            let arn = format!("arn:{partition}:iam::{account}:{kind}/{name}");
            return Some(format!("{{\"Federated\": \"{arn}\"}}"));
        }
        _ => return None,
    };
    let arn = format!("arn:{partition}:{service}::{account}:{resource}");
    (arn != value && arn_problem(&arn).is_none()).then(|| format!("`{arn}`"))
}

/// The endings of services' names: the partitions' domains, and those of AWS's own.
fn has_service_ending(name: &str) -> bool {
    let suffixes = Partition::ALL.map(Partition::dns_suffix);
    suffixes.iter().chain(&["aws.internal"]).any(|suffix| {
        name.strip_suffix(suffix)
            .is_some_and(|head| head.ends_with('.'))
    })
}

/// The service's name that a text under `AWS` stands for.
fn service_named(value: &str) -> Option<String> {
    let name = value.to_ascii_lowercase();
    let is_name = !name.contains([':', '/', ' ', '*']);
    if is_name && has_service_ending(&name) {
        return Some(name);
    }
    service_intended(value).filter(|_| value.contains('.') || services::is_service(value))
}

/// Looks at an entry under `Service`.
pub(super) fn service_fault(value: &str) -> Option<PrincipalFault> {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)
            })
    };
    let has_labels = value.split('.').all(is_label);
    let problem = if value == "*" {
        return None;
    } else if is_account_id(value) || value.starts_with("arn:") {
        return Some(fault(
            "invalid-principal",
            format!("`{value}` is no service: accounts, users and roles stand under AWS"),
            format!("write {{\"AWS\": \"{value}\"}}"),
        ));
    } else if has_labels && has_service_ending(value) {
        return None;
    } else if has_labels && value.ends_with(".amazon.com") && !is_of_service(value) {
        // Alexa's services are called so.
        return None;
    } else {
        "a service's name is SERVICE.amazonaws.com, in small letters"
    };
    Some(fault(
        "invalid-service",
        format!("`{value}` is the name of no service: {problem}"),
        service_intended(value).map_or_else(
            || "write the name that the service's page gives, such as s3.amazonaws.com".to_owned(),
            |intended| format!("write \"{intended}\""),
        ),
    ))
}

fn is_of_service(value: &str) -> bool {
    value.split('.').next().is_some_and(services::is_service)
}

/// The name that was meant: the service, a Region where there is one, and AWS's domain.
fn service_intended(value: &str) -> Option<String> {
    let name = value.trim().to_ascii_lowercase();
    let name = name
        .strip_prefix("https://")
        .unwrap_or(&name)
        .trim_end_matches(['/', '.']);
    let labels: Vec<&str> = name.split('.').collect();
    let service = labels.first().copied()?;
    let service = if services::is_service(service) {
        service
    } else {
        services::intended(service)?
    };
    // What follows must be AWS's domain, or a slip in it; another company's domain is its own.
    let is_near = |label: &&str| {
        Partition::knows_region(label)
            || ["amazonaws", "amazon", "aws", "com", "cn"]
                .iter()
                .any(|known| {
                    strsim::damerau_levenshtein(label, known) <= 2 && label.len() + 2 > known.len()
                })
    };
    if !labels.iter().skip(1).all(is_near) {
        return None;
    }
    let region = labels.get(1).filter(|label| Partition::knows_region(label));
    let is_chinese = labels.last() == Some(&"cn");
    let suffix = if is_chinese {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    Some(match region {
        Some(region) => format!("{service}.{region}.{suffix}"),
        None => format!("{service}.{suffix}"),
    })
}

/// Looks at an entry under `Federated`: an identity provider's ARN, or its domain.
pub(super) fn federated_fault(value: &str) -> Option<PrincipalFault> {
    if !value.starts_with("arn:") {
        let is_domain = value.contains('.') && !value.contains([' ', '/', ':']);
        return (!is_domain && value != "*").then(|| {
            fault(
                "invalid-principal",
                format!("`{value}` is no identity provider: it is neither an ARN nor a domain"),
                "write the ARN, such as arn:aws:iam::111111111111:saml-provider/NAME",
            )
        });
    }
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let is_right = matches!(parts.as_slice(), [_, partition, "iam", "", account, resource]
    if partition.parse::<Partition>().is_ok()
        && is_account_id(account)
        && resource.split_once('/').is_some_and(|(kind, name)| {
            matches!(kind, "saml-provider" | "oidc-provider") && !name.is_empty()
        }));
    (!is_right).then(|| {
        fault(
            "invalid-principal",
            format!("`{value}` is the ARN of no identity provider"),
            "write arn:aws:iam::ACCOUNT:saml-provider/NAME or arn:aws:iam::ACCOUNT:oidc-provider/DOMAIN",
        )
    })
}

/// Looks at an entry under `CanonicalUser`.
pub(super) fn canonical_fault(value: &str) -> Option<PrincipalFault> {
    (is_account_id(value) || value.starts_with("arn:")).then(|| {
        fault(
            "invalid-principal",
            format!("`{value}` is no canonical id: accounts, users and roles stand under AWS"),
            format!("write {{\"AWS\": \"{value}\"}}"),
        )
    })
}
