//! The policies that a plan needs, in full, to read and to copy.
//!
//! They are written from the plan's needs. Whether an account has them already is not judged here:
//! the documents say what must be allowed, however it comes to be allowed.

use serde_json::{Map, Value, json};

use super::principal::SourcePrincipal;
use super::requirement::{
    JobContext, Purpose, RequiredPermission, Resource, Who, key_account, needs,
};
use crate::job::{Encryption, Plan};
use tableferry_policy::arn::{AccountId, Arn, Region};

/// The documents for one plan and one principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippets {
    /// The identity policy of the principal that exports: a JSON document.
    pub identity: String,
    /// The statement for the bucket's policy, as a whole document; `None` if the bucket is of the
    /// exporting account, where the identity policy is enough.
    pub bucket: Option<String>,
    /// The statement for the key's policy, as a whole document; `None` without a customer managed
    /// key of another account.
    pub key: Option<String>,
    /// What to know before copying them, a sentence or two each.
    pub notes: Vec<String>,
}

/// Writes the documents for a plan.
///
/// `account` and `region` are the source's; `owner` is the bucket's account where it is known, the
/// plan's own word coming first.
#[must_use]
pub fn snippets(
    plan: &Plan,
    account: &AccountId,
    region: &Region,
    owner: Option<&AccountId>,
    principal: &SourcePrincipal,
) -> Snippets {
    let situation = JobContext {
        account,
        region,
        owner: plan.destination.owner.as_ref().or(owner),
        table_keys: &[],
    };
    snippets_in(plan, situation, principal)
}

/// Writes the documents for a plan, with all that is known about the situation.
#[must_use]
pub fn snippets_in(
    plan: &Plan,
    situation: JobContext<'_>,
    principal: &SourcePrincipal,
) -> Snippets {
    let account = situation.account;
    let needs: Vec<RequiredPermission> = needs(plan, situation)
        .into_iter()
        .filter(|need| need.who == Who::Exporter)
        .collect();
    let is_foreign = situation.owner.is_none_or(|owner| owner != account);
    let key_is_foreign = key_account(plan).is_some_and(|key| key != *account);
    Snippets {
        identity: document(&identity_statements(&needs)),
        bucket: is_foreign.then(|| document(&[bucket_statement(&needs, principal)])),
        key: key_statement(&needs, principal)
            .filter(|_| key_is_foreign)
            .map(|statement| document(&[statement])),
        notes: notes(plan, situation, principal, key_is_foreign),
    }
}

fn document(statements: &[Value]) -> String {
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    format!("{document:#}")
}

fn identity_statements(needs: &[RequiredPermission]) -> Vec<Value> {
    let purposes = [
        (Purpose::Export, "TableferryExport"),
        (Purpose::Follow, "TableferryFollow"),
        (Purpose::List, "TableferryList"),
        (Purpose::Write, "TableferryWrite"),
        (Purpose::Encrypt, "TableferryEncrypt"),
        (Purpose::ReadTable, "TableferryReadTable"),
    ];
    purposes
        .into_iter()
        .filter_map(|(purpose, sid)| {
            let (actions, resources) = gathered(needs, purpose)?;
            let mut statement = Map::new();
            statement.insert("Sid".to_owned(), sid.into());
            statement.insert("Effect".to_owned(), "Allow".into());
            statement.insert("Action".to_owned(), one_or_many(&actions));
            statement.insert("Resource".to_owned(), one_or_many(&resources));
            let condition = condition(needs, purpose);
            if !condition.is_empty() {
                statement.insert("Condition".to_owned(), condition.into());
            }
            Some(statement.into())
        })
        .collect()
}

fn bucket_statement(needs: &[RequiredPermission], principal: &SourcePrincipal) -> Value {
    let (actions, resources) = gathered(needs, Purpose::Write).unwrap_or_default();
    resource_statement(
        "TableferryWrite",
        principal,
        &actions,
        one_or_many(&resources),
    )
}

/// The statement for the key's own policy, where `*` means the key itself (the KMS developer
/// guide's page on key policies).
fn key_statement(needs: &[RequiredPermission], principal: &SourcePrincipal) -> Option<Value> {
    let (actions, _) = gathered(needs, Purpose::Encrypt)?;
    Some(resource_statement(
        "TableferryEncrypt",
        principal,
        &actions,
        "*".into(),
    ))
}

fn resource_statement(
    sid: &str,
    principal: &SourcePrincipal,
    actions: &[&str],
    resource: Value,
) -> Value {
    let naming = principal.naming();
    let mut statement = Map::new();
    statement.insert("Sid".to_owned(), sid.into());
    statement.insert("Effect".to_owned(), "Allow".into());
    statement.insert("Principal".to_owned(), json!({ "AWS": naming.principal }));
    statement.insert("Action".to_owned(), one_or_many(actions));
    statement.insert("Resource".to_owned(), resource);
    if let Some((operator, pattern)) = naming.condition {
        let mut condition = Map::new();
        condition.insert(operator.to_owned(), json!({ "aws:PrincipalArn": pattern }));
        statement.insert("Condition".to_owned(), condition.into());
    }
    statement.into()
}

/// The actions and the resources of all needs of one purpose, each once.
fn gathered(needs: &[RequiredPermission], purpose: Purpose) -> Option<(Vec<&str>, Vec<&str>)> {
    let (mut actions, mut resources) = (Vec::new(), Vec::new());
    for need in needs.iter().filter(|need| need.purpose == purpose) {
        if !actions.contains(&need.action) {
            actions.push(need.action);
        }
        let pattern = need.resource.pattern();
        if !resources.contains(&pattern) {
            resources.push(pattern);
        }
    }
    (!actions.is_empty()).then_some((actions, resources))
}

/// What narrows a statement for keys: the alias that the key goes by, and the services through
/// which it is used.
fn condition(needs: &[RequiredPermission], purpose: Purpose) -> Map<String, Value> {
    let mut condition = Map::new();
    let mut services: Vec<&str> = Vec::new();
    for need in needs.iter().filter(|need| need.purpose == purpose) {
        if let Resource::KeyByAlias { alias, .. } = &need.resource {
            condition.insert(
                "ForAnyValue:StringEquals".to_owned(),
                json!({ "kms:ResourceAliases": alias }),
            );
        }
        if let Some(service) = need.via.as_deref()
            && !services.contains(&service)
        {
            services.push(service);
        }
    }
    if !services.is_empty() {
        condition.insert(
            "StringEquals".to_owned(),
            json!({ "kms:ViaService": one_or_many(&services) }),
        );
    }
    condition
}

fn one_or_many(words: &[&str]) -> Value {
    match words {
        [only] => (*only).into(),
        many => many.to_vec().into(),
    }
}

fn notes(
    plan: &Plan,
    situation: JobContext<'_>,
    principal: &SourcePrincipal,
    key_is_foreign: bool,
) -> Vec<String> {
    let mut notes: Vec<String> = principal.caution().into_iter().collect();
    let bucket = &plan.destination.bucket;
    match situation.owner {
        None => notes.push(format!(
            "Whose bucket {bucket} is, is not known. The bucket policy is needed if it is of \
             another account than {}; the owner's id must then be sent too.",
            situation.account
        )),
        Some(owner) if owner == situation.account => notes.push(format!(
            "{bucket} is of the exporting account, so that the identity policy is enough, unless \
             the bucket's policy denies."
        )),
        Some(owner) => notes.push(format!(
            "Somebody of account {owner} adds the bucket statement to the policy of {bucket}, \
             beside what stands there already."
        )),
    }
    notes.extend(key_note(plan, situation, key_is_foreign));
    notes.push(table_key_note(plan, situation));
    notes
}

fn key_note(plan: &Plan, situation: JobContext<'_>, key_is_foreign: bool) -> Option<String> {
    let Encryption::Kms { key } = &plan.encryption else {
        return None;
    };
    let Some(key) = key else {
        return Some(
            "KMS without a key means the AWS managed key aws/s3, whose policy nobody can change: \
             it serves only callers of the bucket's own account."
                .to_owned(),
        );
    };
    if key_is_foreign {
        return Some(format!(
            "Somebody of account {} adds the key statement to the policy of {key}. Across accounts \
             both are needed, the key policy and the identity policy.",
            key_account(plan)?
        ));
    }
    let is_arn = key.parse::<Arn>().is_ok();
    Some(if is_arn {
        format!(
            "{key} is of the exporting account: its key policy must allow the principal, or \
             delegate to IAM through the account's root, as the default key policy does."
        )
    } else {
        format!(
            "{key} is looked for in {}, the account that exports. A key of another account must be \
             given by its full ARN.",
            situation.account
        )
    })
}

/// A table's own key is no part of a plan, so that a person must look where nobody has.
fn table_key_note(plan: &Plan, situation: JobContext<'_>) -> String {
    if let [first, ..] = situation.table_keys {
        return format!(
            "A table is encrypted with {first}: that key's policy must allow the principal too, or \
             delegate to IAM through the account's root."
        );
    }
    let regions = plan.tables.iter().map(|job| {
        job.table
            .region()
            .unwrap_or_else(|| situation.region.clone())
    });
    let mut services: Vec<String> = regions
        .map(|region| format!("dynamodb.{region}.{}", region.partition().dns_suffix()))
        .collect();
    services.sort_unstable();
    services.dedup();
    format!(
        "If a table is encrypted with a customer managed key of its own, the principal must be \
         able to use that key too, through DynamoDB (kms:ViaService {}).",
        services.join(", ")
    )
}
