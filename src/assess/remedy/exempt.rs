//! What a Deny is given so that it exempts the export, and what that lets through besides.

use crate::assess::deny::asks_for;
use crate::assess::facts::Facts;
use crate::assess::principal::{SourcePrincipal, is_same_principal};
use crate::job::requirement::RequiredPermission;
use tableferry_policy::document::Statement;

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
    let caller = facts.source().caller.arn.to_string();
    let is_caller = |text: &str| is_same_principal(text, &caller);
    let principals = statement.principals.as_ref();
    let is_principal = principals.is_some_and(|principals| {
        !principals.is_negated
            && principals
                .entries
                .iter()
                .any(|(_, one)| is_caller(&one.value))
    });
    is_principal
        || statement.conditions.iter().any(|condition| {
            !condition.operator.is_negated
                && condition.key.value.eq_ignore_ascii_case("aws:PrincipalArn")
                && condition.values.iter().any(|value| is_caller(&value.value))
        })
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
