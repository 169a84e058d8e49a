//! What a Deny is given so that it exempts the export, and what that lets through besides.

use crate::assess::deny::asks_for;
use crate::assess::facts::Facts;
use crate::assess::principal::{SourcePrincipal, is_same_principal};
use crate::job::requirement::{RequiredPermission, ServiceActor};
use tableferry_policy::document::{Document, Statement};
use tableferry_policy::edit::{self, List};

/// What is added to a Deny so that it exempts a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exemption {
    /// The condition's operator.
    pub(super) operator: &'static str,
    /// The condition key.
    pub(super) key: &'static str,
    /// The value.
    pub(super) value: String,
}

/// The key that tells for which resource a service calls.
const SOURCE: &str = "aws:SourceArn";

/// The exemption that AWS's own examples give for a Deny on networks.
const VIA: Exemption = Exemption {
    operator: "Bool",
    key: "aws:ViaAWSService",
    value: String::new(),
};

/// The smallest exemption from a Deny: for one on networks the calls that services forward, for
/// others the principal. `so_far` counts those that did not suffice.
pub(super) fn exemption(
    statement: &Statement<'_>,
    need: &RequiredPermission,
    named: &SourcePrincipal,
    so_far: usize,
) -> Option<Exemption> {
    const OF_NETWORK: [&str; 5] = [
        "aws:SourceIp",
        "aws:SourceVpc",
        "aws:SourceVpcArn",
        "aws:SourceVpce",
        "aws:VpcSourceIp",
    ];
    if let Some(service) = &need.service {
        // What AWS re:Post puts into a Deny on addresses that hits S3 Inventory.
        let by_source = Exemption {
            operator: "ArnNotLike",
            key: SOURCE,
            value: service.source_arn.clone(),
        };
        return (so_far == 0).then_some(by_source);
    }
    let is_of_network = OF_NETWORK.iter().any(|key| asks_for(statement, key));
    let by_route = (is_of_network && !need.is_direct).then(|| Exemption {
        value: "false".to_owned(),
        ..VIA
    });
    let naming = named.naming();
    let by_principal = match naming.condition {
        Some(("ArnLike", pattern)) => Exemption {
            operator: "ArnNotLike",
            key: "aws:PrincipalArn",
            value: pattern,
        },
        Some((_, arn)) => Exemption {
            operator: "ArnNotEquals",
            key: "aws:PrincipalArn",
            value: arn,
        },
        None => Exemption {
            operator: "ArnNotEquals",
            key: "aws:PrincipalArn",
            value: naming.principal,
        },
    };
    by_route.into_iter().chain([by_principal]).nth(so_far)
}

/// Whether a Deny names the exporter itself: anyone who wrote it meant that principal, and an exemption
/// would leave a Deny that matches nobody.
pub(super) fn names_exporter(statement: &Statement<'_>, facts: &Facts) -> bool {
    mention(statement, facts).is_some()
}

/// Whether a Deny names a service, or the resource that it acts for: an exemption would leave a Deny that
/// matches nobody.
pub(super) fn names_service(statement: &Statement<'_>, service: &ServiceActor) -> bool {
    let is_named = |text: &str| text == service.name || text == service.source_arn;
    let principals = statement.principals.as_ref();
    let is_principal = principals.is_some_and(|principals| {
        let mut entries = principals.entries.iter();
        !principals.is_negated && entries.any(|(_, one)| is_named(&one.value))
    });
    is_principal
        || statement.conditions.iter().any(|condition| {
            !condition.operator.is_negated
                && condition.key.value.eq_ignore_ascii_case(SOURCE)
                && condition.values.iter().any(|one| is_named(&one.value))
        })
}

/// Where a statement names the exporter.
struct Mention {
    list: List,
    value: String,
    /// Whether the list names nobody else.
    is_only: bool,
}

fn mention(statement: &Statement<'_>, facts: &Facts) -> Option<Mention> {
    let caller = facts.source().caller.arn.to_string();
    let is_caller = |text: &str| is_same_principal(text, &caller);
    let principals = statement.principals.as_ref();
    let as_principal = principals
        .filter(|principals| !principals.is_negated)
        .and_then(|principals| {
            let mut entries = principals.entries.iter();
            let (kind, own) = entries.find(|(_, one)| is_caller(&one.value))?;
            Some(Mention {
                list: List::Principals(*kind),
                value: own.value.clone().into_owned(),
                is_only: principals.entries.len() == 1,
            })
        });
    as_principal.or_else(|| {
        statement.conditions.iter().find_map(|condition| {
            let key = condition.key.value.as_ref();
            if condition.operator.is_negated || !key.eq_ignore_ascii_case("aws:PrincipalArn") {
                return None;
            }
            let own = condition.values.iter().find(|one| is_caller(&one.value))?;
            Some(Mention {
                list: List::Condition {
                    operator: condition.operator.to_string(),
                    key: key.to_owned(),
                },
                value: own.value.clone().into_owned(),
                is_only: condition.values.len() == 1,
            })
        })
    })
}

/// The document without the exporter in a Deny that names it, and without the Deny where it names
/// nobody else: a condition without its last value would be gone, and the Deny would hit everybody.
///
/// Unless it `is_final`, the statement keeps its place, and names a principal that cannot be. `None`
/// where nothing would be left of the document.
pub(super) fn without_exporter(
    text: &str,
    index: usize,
    facts: &Facts,
    is_final: bool,
) -> Option<String> {
    /// AWS gives no account this number.
    const NOBODY: &str = "arn:aws:iam::000000000000:role/nobody";
    let document = Document::parse(text).ok()?;
    let Some(found) = mention(document.statements().get(index)?, facts) else {
        return Some(text.to_owned());
    };
    if found.is_only && is_final {
        let removed = edit::remove_at(text, index).ok()?;
        return (!removed.is_empty).then_some(removed.text);
    }
    let changed = if found.is_only {
        edit::replace_value(text, index, &found.list, &found.value, &[NOBODY])
    } else {
        edit::remove_value(text, index, &found.list, &found.value)
    };
    without_exporter(&changed.ok()?, index, facts, is_final)
}

/// What exemptions let through beside what was asked for.
pub(super) fn lets_through<'e>(
    exemptions: impl Iterator<Item = &'e Exemption>,
    named: &SourcePrincipal,
) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    for exemption in exemptions {
        let sentence = if exemption.key == VIA.key {
            "the Deny no longer hits any call that an AWS service forwards for a principal, not only \
             DynamoDB's for an export"
                .to_owned()
        } else if exemption.key == SOURCE {
            format!(
                "the Deny no longer hits what an AWS service does for {}",
                exemption.value
            )
        } else {
            let named = named.named_besides().unwrap_or_else(|| named.to_string());
            format!("the Deny no longer hits {named}, whatever it does and from wherever")
        };
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences
}
