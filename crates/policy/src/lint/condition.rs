//! The conditions of a statement: each by itself, and whether they can hold together.

use std::net::IpAddr;

use super::super::condition::{ContextReading, Truth, condition_holds};
use super::super::condition_value::network;
use super::super::document::{Condition, Statement, StatementEffect, Text, Version};
use super::super::examples::is_multivalued;
use super::super::operator::{Comparison, Quantifier, Test};
use super::super::request::Context;
use super::{Findings, Severity};

pub(super) fn check(statement: &Statement<'_>, version: Version, findings: &mut Findings<'_>) {
    for condition in &statement.conditions {
        check_one(condition, statement, findings);
    }
    check_contradictions(statement, version, findings);
}

fn check_one(condition: &Condition<'_>, statement: &Statement<'_>, findings: &mut Findings<'_>) {
    let operator = condition.operator;
    let key = condition.key.value.as_ref();
    if is_multivalued(key)
        && operator.quantifier == Quantifier::Single
        && operator.test != Test::Null
    {
        let fit = match (operator.is_negated, statement.effect) {
            (true, StatementEffect::Deny) | (false, StatementEffect::Allow) => "ForAllValues",
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
        && statement.effect == StatementEffect::Allow
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
    if operator.test == Test::IpAddress {
        for value in &condition.values {
            check_address(value, findings);
        }
    }
}

/// The address may have bits set beyond the prefix: AWS takes `10.0.0.1/8` for its range.
fn check_address(value: &Text<'_>, findings: &mut Findings<'_>) {
    let text = value.value.as_ref();
    if text.contains("${") || network(text).is_some() {
        return;
    }
    findings.error(
        "invalid-address",
        value.span,
        format!(
            "`{text}` is no address and no CIDR range: {}",
            address_problem(text)
        ),
        "write an address, or a range such as 203.0.113.0/24 or 2001:db8::/32",
    );
}

fn address_problem(text: &str) -> String {
    let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
    let parts: Vec<&str> = address.split('.').collect();
    let is_too_great = |part: &&&str| {
        part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u8>().is_err()
            && !part.is_empty()
    };
    if let Ok(address) = address.parse::<IpAddr>() {
        let (kind, widest) = if address.is_ipv4() {
            ("IPv4", 32)
        } else {
            ("IPv6", 128)
        };
        format!("its prefix is `{prefix}`, and that of {kind} is 0 to {widest}")
    } else if text.contains(['*', '?']) {
        "an address takes no wildcards".to_owned()
    } else if address.contains(':') {
        "it has not the form of an IPv6 address".to_owned()
    } else if let Some(part) = parts.iter().find(is_too_great) {
        format!("`{part}` is above 255")
    } else {
        format!("an IPv4 address has four numbers, and `{address}` has not")
    }
}

/// Conditions that cannot hold together: a key that must be absent and have a value, no value to
/// match at all, or one condition that refuses all that another asks for.
fn check_contradictions(statement: &Statement<'_>, version: Version, findings: &mut Findings<'_>) {
    let what = match statement.effect {
        StatementEffect::Allow => "Allow",
        StatementEffect::Deny => "Deny",
    };
    for condition in &statement.conditions {
        if !needs_value(condition) {
            continue;
        }
        let others: Vec<&Condition<'_>> = statement
            .conditions
            .iter()
            .filter(|other| {
                !std::ptr::eq(*other, condition)
                    && other.key.value.eq_ignore_ascii_case(&condition.key.value)
            })
            .collect();
        let key = &condition.key.value;
        let reason = if condition.values.is_empty() {
            format!("the condition on {key} has no value that could match")
        } else if others.iter().any(|other| needs_absence(other)) {
            format!("{key} must be absent and have a value")
        } else if let Some(other) = others.iter().find(|other| refuses(other, condition)) {
            format!(
                "{} and {} on {key} exclude each other",
                condition.operator, other.operator
            )
        } else if is_refused_by_value(condition, &others, version) {
            format!("no value of {key} satisfies all of its conditions")
        } else {
            continue;
        };
        findings.error(
            "never-matches",
            condition.key.span,
            format!("this {what} can never match: {reason}"),
            "correct the conditions, or take the statement out",
        );
        return;
    }
}

/// Whether a condition holds only where its key is there.
fn needs_value(condition: &Condition<'_>) -> bool {
    let operator = condition.operator;
    !operator.is_negated
        && !operator.if_exists
        && operator.quantifier != Quantifier::All
        && operator.test != Test::Null
}

fn needs_absence(condition: &Condition<'_>) -> bool {
    condition.operator.test == Test::Null
        && condition
            .values
            .iter()
            .all(|value| value.value.eq_ignore_ascii_case("true"))
}

/// Whether `negated` is false wherever `condition` is true: the same test, and every value that one
/// asks for is among those that the other excludes.
fn refuses(negated: &Condition<'_>, condition: &Condition<'_>) -> bool {
    let (no, yes) = (negated.operator, condition.operator);
    let is_over_all = matches!(
        (yes.quantifier, no.quantifier),
        (Quantifier::Single, Quantifier::Single) | (Quantifier::Any, Quantifier::All)
    );
    let is_text = |test: Test| {
        matches!(
            test,
            Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike
        )
    };
    let is_excluded = |wanted: &Text<'_>| {
        negated
            .values
            .iter()
            .any(|excluded| match (yes.test, no.test) {
                (Test::IpAddress, Test::IpAddress) => {
                    lies_within(&wanted.value, &excluded.value) || wanted.value == excluded.value
                }
                (yes, no) if yes == no => {
                    wanted.value == excluded.value
                        || (no == Test::StringLike && excluded.value == "*")
                }
                (yes, Test::StringLike) if is_text(yes) => excluded.value == "*",
                _ => false,
            })
    };
    no.is_negated && is_over_all && condition.values.iter().all(is_excluded)
}

fn lies_within(inner: &str, outer: &str) -> bool {
    match (network(inner), network(outer)) {
        (Some(inner), Some(outer)) => outer.contains(&inner),
        _ => false,
    }
}

/// Whether each value that a condition asks for, there being so few, fails another condition on the
/// same key. A policy variable may stand for anything.
fn is_refused_by_value(
    condition: &Condition<'_>,
    others: &[&Condition<'_>],
    version: Version,
) -> bool {
    let is_plain = |condition: &&Condition<'_>| {
        condition.operator.quantifier == Quantifier::Single
            && !condition
                .values
                .iter()
                .any(|value| value.value.contains("${"))
    };
    let is_exact = matches!(
        condition.operator.test,
        Test::StringEquals
            | Test::Bool
            | Test::Numeric(Comparison::Equal)
            | Test::Date(Comparison::Equal)
    );
    if !is_exact || !is_plain(&condition) || is_multivalued(&condition.key.value) {
        return false;
    }
    let others: Vec<&&Condition<'_>> = others.iter().filter(|other| is_plain(other)).collect();
    condition.values.iter().all(|value| {
        let mut context = Context::default();
        context.set(&condition.key.value, value.value.as_ref());
        let reading = ContextReading::new(&context);
        others
            .iter()
            .any(|other| condition_holds(other, version, reading) == Truth::No)
    })
}
