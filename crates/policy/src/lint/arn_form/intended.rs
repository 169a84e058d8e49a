//! The ARN that was meant by one that can be of nothing.

use super::super::super::partition::Partition;
use super::super::super::pattern::mask_variables;
use super::super::super::request::is_account_id;
use super::super::super::services;
use super::{IDENTITY_KINDS, KNOWN, Parts, is_s3_regional, may_be_region, problem};

/// The ARN that was meant: what can be told from the parts that are there, and capital words for
/// what is missing.
pub(super) fn arn(text: &str) -> Option<String> {
    let candidate = rebuild(text.trim())?;
    let filled = ["REGION", "ACCOUNT", "NAME", "KEY-ID", "BUCKET"]
        .iter()
        .fold(candidate.clone(), |text, word| text.replace(word, "*"));
    (candidate != text && problem(&filled).is_none()).then_some(candidate)
}

fn rebuild(text: &str) -> Option<String> {
    // The last of several beginnings; in the key of an object it is no beginning.
    let head = mask_variables(text).find('/').unwrap_or(text.len());
    let is_of_s3 = Parts::of(text).service() == Some("s3");
    let inner = text
        .get(..head)?
        .rfind(":arn:")
        .or_else(|| text.rfind("/arn:").filter(|_| !is_of_s3));
    if let Some(inner) = inner.and_then(|at| text.get(at + 1..)) {
        return match problem(inner) {
            None => Some(inner.to_owned()),
            Some(_) => rebuild(inner),
        };
    }
    if let Some((_, place)) = text.split_once("s3://") {
        return Some(format!("arn:aws:s3:::{place}"));
    }
    let parts = Parts::of(text);
    let partition = parts
        .masked
        .iter()
        .take(3)
        .zip(&parts.raw)
        .find(|(masked, _)| masked.parse::<Partition>().is_ok() || masked.starts_with("aws*"))
        .map_or("aws", |(_, raw)| raw);
    let mut names = parts.masked.iter().take(4).enumerate();
    let (at, service) = names.find_map(|(at, part)| {
        let lower = part.to_ascii_lowercase();
        let service = if services::is_service(&lower) {
            lower
        } else {
            services::intended(&lower)?.to_owned()
        };
        KNOWN.contains(&service.as_str()).then_some((at, service))
    })?;
    let skipped: usize = parts
        .raw
        .iter()
        .take(at + 1)
        .map(|part| part.len() + 1)
        .sum();
    let rest = text.get(skipped..)?;
    if service == "s3" {
        let fits = |byte: u8| byte.is_ascii_digit() || b"-*?".contains(&byte);
        let is_whole = at == 2
            && parts.masked.len() == 6
            && may_be_region(parts.masked(3))
            && parts.masked(4).bytes().all(fits);
        let is_bare = parts.masked(3).is_empty() && parts.masked(4).is_empty();
        if is_whole && !is_bare && parts.resource().is_some_and(is_s3_regional) {
            return None;
        }
        return rebuild_s3(
            partition,
            if is_whole { parts.raw(5) } else { rest },
            is_whole,
        );
    }
    rebuild_regional(partition, &service, rest)
}

/// `rest` is what follows `s3:`, or the sixth part of an ARN that is whole before it.
fn rebuild_s3(partition: &str, rest: &str, is_whole: bool) -> Option<String> {
    let masked = mask_variables(rest);
    let slash = masked.find('/').unwrap_or(rest.len());
    let (head, tail) = (masked.get(..slash)?, rest.get(slash..)?);
    let mut at = 0;
    let mut names: Vec<&str> = Vec::new();
    for part in head.split(':') {
        names.extend(rest.get(at..at + part.len()).filter(|raw| !raw.is_empty()));
        at += part.len() + 1;
    }
    // What is the Region's or the account's in a place of its own, and no bucket's name.
    let is_head = |name: &&str| !is_whole && (is_account_id(name) || Partition::knows_region(name));
    while names.len() + usize::from(tail.len() > 1) > 1 && names.first().is_some_and(is_head) {
        names.remove(0);
    }
    let name = names.join("/");
    let tail = if name.is_empty() || name.ends_with('/') {
        tail.trim_start_matches('/')
    } else {
        tail
    };
    let name = if name.is_empty() && tail.is_empty() {
        "BUCKET"
    } else {
        &name
    };
    Some(format!("arn:{partition}:s3:::{name}{tail}"))
}

/// `rest` is what follows the service and its colon.
fn rebuild_regional(partition: &str, service: &str, rest: &str) -> Option<String> {
    let (mut region, mut account, mut resource) = ("", String::new(), rest);
    // Region, account and an empty part or two may come in any order; then comes the resource.
    for _ in 0..4 {
        let end = mask_variables(resource)
            .find([':', '/'])
            .unwrap_or(resource.len());
        let (part, after) = resource.split_at_checked(end)?;
        let after = after.get(1..).unwrap_or_default();
        let digits: String = part.chars().filter(char::is_ascii_digit).collect();
        let fits = |byte: u8| byte.is_ascii_digit() || byte == b'-';
        let is_number = digits.len() >= 8 && part.bytes().all(fits);
        let is_wild = mask_variables(part).bytes().all(|byte| byte == b'*');
        if part.is_empty() {
            resource = after;
        } else if Partition::knows_region(part)
            || (is_wild && region.is_empty() && !after.is_empty())
        {
            region = part;
            resource = after;
        } else if is_wild && !after.is_empty() {
            part.clone_into(&mut account);
            resource = after;
        } else if is_number && !after.is_empty() {
            account = if is_account_id(&digits) {
                digits
            } else {
                String::new()
            };
            resource = after;
        } else if let Some(head) = part
            .get(..12)
            .filter(|head| is_account_id(head) && service != "kms")
        {
            head.clone_into(&mut account);
            resource = resource.get(head.len()..)?;
        } else {
            break;
        }
    }
    let resource = rebuild_resource(service, resource)?;
    let is_global = matches!(service, "iam" | "sts") || resource.starts_with("global-table/");
    let region = match region {
        _ if is_global => "",
        "" => "REGION",
        region => region,
    };
    let account = if account.is_empty() {
        "ACCOUNT"
    } else {
        &account
    };
    Some(format!(
        "arn:{partition}:{service}:{region}:{account}:{resource}"
    ))
}

fn rebuild_resource(service: &str, resource: &str) -> Option<String> {
    let kinds: &[&str] = match service {
        "dynamodb" => &["global-table", "table"],
        "kms" => &["key", "alias"],
        _ => &IDENTITY_KINDS,
    };
    if kinds.contains(&"role") && resource.eq_ignore_ascii_case("root") {
        return Some("root".to_owned());
    }
    let masked = mask_variables(resource);
    let end = masked.find([':', '/']).unwrap_or(resource.len());
    let (word, name) = resource.split_at_checked(end)?;
    let name = name.trim_start_matches([':', '/']);
    let known = kinds.iter().find(|kind| {
        word.eq_ignore_ascii_case(kind)
            || word
                .strip_suffix('s')
                .is_some_and(|one| one.eq_ignore_ascii_case(kind))
    });
    match (known, service) {
        (Some(&"key"), _) if name.starts_with("alias/") => Some(name.to_owned()),
        (Some(kind), "dynamodb") => {
            let name = name.replacen(
                ':',
                "/",
                usize::from(!name.contains('/') || name.find(':') < name.find('/')),
            );
            Some(format!(
                "{kind}/{}",
                if name.is_empty() { "NAME" } else { &name }
            ))
        }
        (Some(kind), _) => Some(format!(
            "{kind}/{}",
            if name.is_empty() { "NAME" } else { name }
        )),
        (None, "dynamodb") if !word.is_empty() => {
            Some(format!("table/{}", resource.trim_start_matches('/')))
        }
        (None, "kms") if is_key_id(word) => Some(format!("key/{word}")),
        _ => None,
    }
}

/// A key's id: a UUID, or that of a multi-Region key.
fn is_key_id(text: &str) -> bool {
    let hex = text.strip_prefix("mrk-").unwrap_or(text);
    let digits = hex.bytes().filter(u8::is_ascii_hexdigit).count();
    digits == 32
        && hex
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}
