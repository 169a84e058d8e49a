//! The least statements that give what is missing: just the missing actions, on just the objects under
//! the prefix, to a principal named so that AWS accepts it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::assess::facts::Facts;
use crate::assess::principal::SourcePrincipal;
use crate::job::Plan;
use crate::job::purposes;
use crate::job::requirement::{Actor, Purpose, RequiredPermission, Resource};
use tableferry_policy::arn::Arn;

/// Whether a Sid is one that we give, with a number behind it or without.
pub(super) fn is_ours(given: &str) -> bool {
    let name = given.trim_end_matches(|digit: char| digit.is_ascii_digit());
    purposes().any(|purpose| purpose.sid() == name)
}

/// What goes into statements beside the needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct StatementOptions<'a> {
    /// Until when the grant holds.
    pub(super) expires: Option<Timestamp>,
    /// `kms:ViaService` for the bucket's key, where the bucket's Region is known.
    pub(super) via_s3: Option<&'a str>,
    /// Whether tables are named by the pattern that holds them all, and not one by one.
    pub(super) is_wide: bool,
}

/// `kms:ViaService` for keys that are used through S3, where the bucket's Region is known.
pub(super) fn via_s3(plan: &Plan, facts: &Facts) -> Option<String> {
    let region = facts.bucket(&plan.destination.bucket).region.value()?;
    let suffix = region.partition().dns_suffix();
    Some(format!("s3.{region}.{suffix}"))
}

/// One statement for each purpose and principal among the needs.
pub(super) fn statements(
    needs: &[RequiredPermission],
    principal: Option<&dyn Fn(&RequiredPermission) -> SourcePrincipal>,
    is_key_policy: bool,
    grant_options: StatementOptions<'_>,
) -> Vec<(String, Map<String, Value>)> {
    let mut groups: Vec<(Actor, Purpose)> =
        needs.iter().map(|need| (need.who, need.purpose)).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
        .into_iter()
        .map(|(who, purpose)| {
            let of_group: Vec<&RequiredPermission> = needs
                .iter()
                .filter(|need| (need.who, need.purpose) == (who, purpose))
                .collect();
            let first = of_group.first();
            let named = principal.and_then(|principal| Some(principal(first?)));
            let statement = statement(&of_group, named.as_ref(), is_key_policy, grant_options);
            (purpose.sid().to_owned(), statement)
        })
        .collect()
}

fn statement(
    needs: &[&RequiredPermission],
    principal: Option<&SourcePrincipal>,
    is_key_policy: bool,
    grant_options: StatementOptions<'_>,
) -> Map<String, Value> {
    let mut conditions = Conditions::default();
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), "Allow".into());
    if let Some(principal) = principal {
        let naming = principal.naming();
        statement.insert(
            "Principal".to_owned(),
            json!({ naming.kind: naming.principal }),
        );
        if let Some((operator, pattern)) = naming.condition {
            conditions.add(operator, "aws:PrincipalArn", pattern.into());
        }
    }
    let actions = once(needs.iter().map(|need| need.action));
    statement.insert("Action".to_owned(), one_or_many(&actions));
    // In a key policy `*` is the key itself ("Key policies in AWS KMS").
    let resources = if is_key_policy {
        vec!["*"]
    } else {
        once(needs.iter().map(|need| need.resource.pattern()))
    };
    let resources = if grant_options.is_wide {
        wide(&resources)
    } else {
        resources.into_iter().map(str::to_owned).collect()
    };
    let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
    statement.insert("Resource".to_owned(), one_or_many(&resources));
    for need in needs {
        if let Resource::KeyByAlias { alias, .. } = &need.resource {
            let key = "kms:ResourceAliases";
            conditions.add("ForAnyValue:StringEquals", key, alias.as_str().into());
        }
    }
    for condition in needs.iter().flat_map(|need| need.grant_conditions()) {
        let value = condition.value.as_str().into();
        conditions.add(condition.operator, condition.key, value);
    }
    let is_by_principal = |need: &&&RequiredPermission| need.service.is_none();
    let is_of_bucket_key = needs
        .iter()
        .filter(is_by_principal)
        .any(|need| need.is_encrypting());
    let via = once(needs.iter().filter_map(|need| need.via.as_deref()));
    if !via.is_empty() {
        conditions.add("StringEquals", "kms:ViaService", one_or_many(&via));
    } else if let Some(via) = grant_options.via_s3.filter(|_| is_of_bucket_key) {
        conditions.add("StringEquals", "kms:ViaService", via.into());
    }
    if let Some(expires) = grant_options.expires {
        let time = expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        conditions.add("DateLessThan", "aws:CurrentTime", time.into());
    }
    if !conditions.0.is_empty() {
        statement.insert("Condition".to_owned(), conditions.0.into());
    }
    statement
}

/// The parts of a table's resource around its name: `…:table/`, the name, and what follows it.
fn parts_of_table(pattern: &str) -> Option<(&str, &str, &str)> {
    let at = pattern.find(":table/")? + ":table/".len();
    let (head, rest) = pattern.split_at_checked(at)?;
    let (name, suffix) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
    Some((head, name, suffix))
}

/// The beginning that names have in common.
fn common_prefix<'a>(one: &'a str, other: &str) -> &'a str {
    let ends = one.char_indices().zip(other.chars());
    let end = ends
        .take_while(|((_, own), other)| own == other)
        .map(|((at, own), _)| at + own.len_utf8())
        .last()
        .unwrap_or_default();
    one.get(..end).unwrap_or_default()
}

/// Resources with all tables of one account and Region as one pattern, which begins as their names do.
fn wide(patterns: &[&str]) -> Vec<String> {
    let mut resources: Vec<String> = Vec::new();
    for pattern in patterns {
        let own = parts_of_table(pattern);
        let alike = patterns.iter().filter_map(|other| parts_of_table(other));
        let names = own.map(|(head, _, suffix)| {
            let alike = alike.filter(|(other, _, end)| (*other, *end) == (head, suffix));
            alike.map(|(_, name, _)| name).collect::<Vec<&str>>()
        });
        let resource = match (own, names.as_deref()) {
            (Some((head, _, suffix)), Some([first, rest @ ..])) if !rest.is_empty() => {
                let common = rest
                    .iter()
                    .fold(*first, |common, name| common_prefix(common, name));
                format!("{head}{common}*{suffix}")
            }
            _ => (*pattern).to_owned(),
        };
        if !resources.contains(&resource) {
            resources.push(resource);
        }
    }
    resources
}

/// What the patterns of a wide document let through beside the tables of the plan, a sentence for each
/// account and Region.
pub(super) fn lets_through_by_patterns(needs: &[RequiredPermission]) -> Vec<String> {
    let tables = once(needs.iter().map(|need| need.resource.pattern()));
    let is_pattern = |resource: &String| !tables.contains(&resource.as_str());
    let mut sentences: Vec<String> = Vec::new();
    for pattern in wide(&tables).iter().filter(|one| is_pattern(one)) {
        let (Ok(arn), Some((_, name, _))) = (pattern.parse::<Arn>(), parts_of_table(pattern))
        else {
            continue;
        };
        let which = match name.strip_suffix('*') {
            Some("") | None => String::new(),
            Some(head) => format!(" whose name begins with `{head}`"),
        };
        let sentence = format!(
            "every table of {} in {}{which}, also those that are made later: the plan's tables one by \
             one would make the document larger than AWS takes",
            arn.account, arn.region
        );
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences
}

#[derive(Default)]
struct Conditions(Map<String, Value>);

impl Conditions {
    fn add(&mut self, operator: &str, key: &str, value: Value) {
        let block = self
            .0
            .entry(operator)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(keys) = block {
            keys.insert(key.to_owned(), value);
        }
    }
}

/// The statement's text with its Sid first.
pub(super) fn text(sid: &str, statement: &Map<String, Value>) -> String {
    let mut whole = Map::new();
    whole.insert("Sid".to_owned(), sid.into());
    whole.extend(statement.clone());
    Value::Object(whole).to_string()
}

fn once<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for word in words {
        if !seen.contains(&word) {
            seen.push(word);
        }
    }
    seen
}

fn one_or_many(words: &[&str]) -> Value {
    match words {
        [only] => (*only).into(),
        many => many.to_vec().into(),
    }
}
