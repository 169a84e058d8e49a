//! The form of a resource's ARN: whether it can be the ARN of anything, and the one that was meant.
//!
//! The forms are those of "Actions, resources, and condition keys" (Service Authorization Reference)
//! for S3, DynamoDB, KMS, IAM and STS; of other services only what all ARNs share is looked at.

use super::super::arn::Region;
use super::super::partition::Partition;
use super::super::pattern::mask_variables;
use super::super::request::is_account_id;
use super::super::services;

mod intended;

/// Why a text is the ARN of nothing.
pub(super) struct ArnFault {
    /// What is wrong with it, to be read after the text and a colon.
    pub(super) problem: String,
    /// The ARN that was meant, as far as it can be told.
    pub(super) intended: Option<String>,
}

/// An ARN's parts at its first five colons, without those inside policy variables.
pub(super) struct Parts<'a> {
    /// The parts as they are written.
    pub(super) raw: Vec<&'a str>,
    /// The same, variables replaced by `*`.
    pub(super) masked: Vec<String>,
}

impl<'a> Parts<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let masked = mask_variables(text);
        let mut at = 0;
        let mut parts = Self {
            raw: Vec::new(),
            masked: Vec::new(),
        };
        for part in masked.splitn(6, ':') {
            parts
                .raw
                .push(text.get(at..at + part.len()).unwrap_or_default());
            parts.masked.push(part.to_owned());
            at += part.len() + 1;
        }
        parts
    }

    fn masked(&self, index: usize) -> &str {
        self.masked.get(index).map_or("", String::as_str)
    }

    fn raw(&self, index: usize) -> &'a str {
        self.raw.get(index).copied().unwrap_or_default()
    }

    /// The service, where it is written out and the text is an ARN.
    pub(super) fn service(&self) -> Option<&str> {
        let service = self.masked(2);
        (self.masked(0) == "arn" && !is_wild(service) && !service.is_empty()).then_some(service)
    }

    /// What follows the fifth colon, variables replaced by `*`.
    pub(super) fn resource(&self) -> Option<&str> {
        self.masked.get(5).map(String::as_str)
    }

    /// What follows `arn:aws:s3:::`, variables replaced by `*`; none where it is something else.
    pub(super) fn s3_name(&self) -> Option<&str> {
        let is_bare = |index: usize| self.masked(index).bytes().all(|byte| byte == b'*');
        let is_empty = self.masked(3).is_empty() && self.masked(4).is_empty();
        self.resource().filter(|resource| {
            let is_other = !is_empty && is_s3_regional(resource);
            self.service() == Some("s3") && is_bare(3) && is_bare(4) && !is_other
        })
    }
}

pub(super) fn is_wild(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// What stands before the first wildcard.
fn literal_head(text: &str) -> &str {
    text.split(['*', '?']).next().unwrap_or_default()
}

/// Whether a pattern could be of something that begins with `prefix`.
fn may_begin_with(pattern: &str, prefix: &str) -> bool {
    let head = literal_head(pattern);
    head.starts_with(prefix) || (head.len() < pattern.len() && prefix.starts_with(head))
}

/// The services whose ARNs are taken apart to the end.
const KNOWN: [&str; 5] = ["dynamodb", "iam", "kms", "s3", "sts"];

/// The services whose resources have a Region and an account, and what their resources begin with.
const REGIONAL: [(&str, &[&str], &str); 2] = [
    ("dynamodb", &["table", "global-table"], "table/NAME"),
    ("kms", &["key", "alias"], "key/KEY-ID"),
];

/// What S3's resources that have a Region or an account begin with.
const S3_REGIONAL: [&str; 6] = [
    "accesspoint",
    "access-grants",
    "async-request",
    "job",
    "storage-lens",
    "storage-lens-group",
];

/// What the resources of IAM and STS begin with.
const IDENTITY_KINDS: [&str; 13] = [
    "role",
    "user",
    "group",
    "policy",
    "instance-profile",
    "mfa",
    "saml-provider",
    "oidc-provider",
    "server-certificate",
    "assumed-role",
    "federated-user",
    "access-report",
    "sms-mfa",
];

/// Looks at the form of one resource; none where something could have this ARN.
pub(super) fn fault(text: &str) -> Option<ArnFault> {
    let problem = problem(text)?;
    Some(ArnFault {
        problem,
        intended: intended::arn(text),
    })
}

fn problem(text: &str) -> Option<String> {
    let masked = mask_variables(text);
    if masked.bytes().all(|byte| byte == b'*') && !masked.is_empty() {
        return None;
    }
    if text.trim() != text {
        return Some("it begins or ends with a blank".to_owned());
    }
    let parts = Parts::of(text);
    if parts.masked(0) != "arn" || parts.masked.len() < 2 {
        return Some("it is no ARN".to_owned());
    }
    if masked
        .split('/')
        .next()
        .unwrap_or_default()
        .contains(":arn:")
    {
        return Some("`arn:` stands in it twice".to_owned());
    }
    partition_problem(parts.masked(1))
        .or_else(|| service_problem(&parts))
        .or_else(|| head_problem(&parts))
        .or_else(|| resource_problem(&parts))
}

fn partition_problem(partition: &str) -> Option<String> {
    if is_wild(partition) || partition.parse::<Partition>().is_ok() {
        None
    } else if partition.is_empty() {
        Some("the partition is missing between the first two colons".to_owned())
    } else {
        Some(format!("`{partition}` is no partition"))
    }
}

fn service_problem(parts: &Parts<'_>) -> Option<String> {
    let service = parts.masked(2);
    if parts.masked.len() < 3 {
        return (!parts.masked(1).ends_with('*'))
            .then(|| "all after the partition is missing".to_owned());
    }
    if is_wild(service) {
        return None;
    }
    if service.is_empty() {
        return Some("the service is missing after the partition".to_owned());
    }
    if service.bytes().any(|byte| byte.is_ascii_uppercase()) && services::is_service(service) {
        return Some(format!(
            "the service `{service}` is written in small letters"
        ));
    }
    services::intended(service)
        .filter(|meant| KNOWN.contains(meant))
        .map(|meant| format!("no service is called `{service}`, but there is {meant}"))
}

/// The Region and the account, and whether the parts are all there.
fn head_problem(parts: &Parts<'_>) -> Option<String> {
    let count = parts.masked.len();
    let last = parts.masked.last().map_or("", String::as_str);
    let has_star = |part: &String| part.ends_with('*');
    if count < 6 && parts.masked.iter().take(count - 1).any(has_star) {
        // "If the `*` wildcard is the last character of a resource ARN segment, it can expand to
        // match beyond the colon boundaries" ("IAM JSON policy elements: Resource").
        return None;
    }
    if count < 6 && !last.ends_with('*') {
        return Some("it has fewer than the six parts of an ARN".to_owned());
    }
    let region = parts.masked(3);
    if !may_be_region(region) {
        return Some(if is_s3_bucket_place(parts) {
            "two of the colons before the bucket are missing".to_owned()
        } else {
            format!("`{}` stands where the Region belongs", parts.raw(3))
        });
    }
    let account = parts.masked(4);
    let is_known = KNOWN.contains(&parts.masked(2));
    let is_number = account
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-');
    if !account.is_empty() && (is_known || is_number) && !may_be_account(parts.masked(2), account) {
        return Some(if is_number {
            let digits = account.bytes().filter(u8::is_ascii_digit).count();
            format!(
                "an account's id is twelve digits without hyphens, and `{account}` has {digits} digits"
            )
        } else {
            format!("`{}` stands where the account's id belongs", parts.raw(4))
        });
    }
    None
}

/// Whether something that is no Region stands where S3's ARNs have two colons more.
fn is_s3_bucket_place(parts: &Parts<'_>) -> bool {
    parts.masked(2) == "s3" && parts.masked.len() < 6
}

fn may_be_region(text: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-*?".contains(&byte);
    if text.is_empty() || text.parse::<Region>().is_ok() {
        return true;
    }
    is_wild(text) && text.bytes().all(fits) && Partition::has_region_like(literal_head(text))
}

fn may_be_account(service: &str, text: &str) -> bool {
    if is_wild(text) {
        let fixed = text.bytes().filter(|byte| *byte != b'*').count();
        return fixed <= 12
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b"*?".contains(&byte));
    }
    // AWS's managed policies, and the origin access identities of CloudFront.
    is_account_id(text) || (service == "iam" && matches!(text, "aws" | "cloudfront"))
}

fn resource_problem(parts: &Parts<'_>) -> Option<String> {
    let resource = parts.resource()?;
    match parts.service()? {
        "s3" => s3_problem(parts, resource),
        service @ ("iam" | "sts") => identity_problem(service, parts, resource),
        service => {
            let (_, kinds, example) = REGIONAL.iter().find(|(name, ..)| *name == service)?;
            regional_problem(parts, resource, kinds, example)
        }
    }
}

fn s3_problem(parts: &Parts<'_>, resource: &str) -> Option<String> {
    let (region, account) = (parts.masked(3), parts.masked(4));
    let is_regional = is_s3_regional(resource);
    let is_fixed = |text: &str| !text.bytes().all(|byte| byte == b'*');
    if (is_fixed(region) || is_fixed(account)) && !is_regional {
        let what = match (is_fixed(region), is_fixed(account)) {
            (true, true) => "neither Region nor account",
            (true, false) => "no Region",
            _ => "no account",
        };
        return Some(format!("a bucket's ARN has {what}"));
    }
    if is_regional && (is_fixed(region) || is_fixed(account)) {
        return None;
    }
    let bucket = resource.split('/').next().unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-*?".contains(c);
    if resource.is_empty() {
        Some("it names no bucket".to_owned())
    } else if bucket.is_empty() {
        Some("a slash stands before the bucket's name".to_owned())
    } else if resource.starts_with(':') {
        Some("it has too many colons before the bucket".to_owned())
    } else if literal_head(bucket).contains(':') {
        Some("a colon follows the bucket's name, where a slash belongs".to_owned())
    } else {
        literal_head(bucket)
            .chars()
            .find(|c| !fits(*c))
            .map(|c| format!("no bucket's name holds `{}`", c.escape_default()))
    }
}

fn is_s3_regional(resource: &str) -> bool {
    let begins = |kind: &&str| {
        [':', '/']
            .iter()
            .any(|sign| may_begin_with(resource, &format!("{kind}{sign}")))
    };
    S3_REGIONAL
        .iter()
        .any(|kind| begins(kind) || resource == *kind)
}

fn regional_problem(
    parts: &Parts<'_>,
    resource: &str,
    kinds: &[&str],
    example: &str,
) -> Option<String> {
    let is_global = resource.starts_with("global-table/");
    if parts.masked(3).is_empty() && !is_global {
        return Some("the Region is missing".to_owned());
    }
    // AWS's own policies hold `arn:aws:kms:*::*`, so this is no slip.
    let is_anything =
        parts.masked(3).ends_with('*') && resource.trim_matches(['*', ':']).is_empty();
    if parts.masked(4).is_empty() && is_anything {
        return None;
    }
    if parts.masked(4).is_empty() {
        return Some("the account is missing".to_owned());
    }
    let Some(kind) = kinds
        .iter()
        .find(|kind| may_begin_with(resource, &format!("{kind}/")))
    else {
        return Some(format!("`{example}` belongs after the account"));
    };
    let name = resource.strip_prefix(kind)?.strip_prefix('/')?;
    let own = name.split('/').next().unwrap_or_default();
    if own.is_empty() {
        Some(format!("no name follows `{kind}/`"))
    } else if own == "arn" || own.starts_with("arn:") {
        Some("`arn:` stands in it twice".to_owned())
    } else if *kind == "key" && own == "alias" {
        Some("an alias is no part of a key's ARN".to_owned())
    } else if literal_head(own).contains(':') {
        Some(format!(
            "a colon follows the name after `{kind}/`, where a slash belongs"
        ))
    } else {
        None
    }
}

fn identity_problem(service: &str, parts: &Parts<'_>, resource: &str) -> Option<String> {
    if !parts.masked(3).bytes().all(|byte| byte == b'*') {
        return Some(format!("an ARN of {service} has no Region"));
    }
    if parts.masked(4).is_empty() {
        return Some("the account is missing".to_owned());
    }
    let (kind, rest) = resource.split_once([':', '/'])?;
    let known = IDENTITY_KINDS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(kind))?;
    if *known != kind {
        Some(format!("`{kind}` is written `{known}`"))
    } else if resource.get(kind.len()..)?.starts_with(':') {
        Some(format!("a colon follows `{kind}`, where a slash belongs"))
    } else if rest.is_empty() {
        Some(format!("no name follows `{kind}/`"))
    } else if rest.starts_with("arn:") {
        Some("`arn:` stands in it twice".to_owned())
    } else {
        None
    }
}
