//! The elements of a document and of its statements, read by the grammar.

use std::borrow::Cow;

use super::{
    Condition, Patterns, PrincipalKind, Principals, Statement, StatementEffect, Text, Version,
};
use crate::json::{Member, Node, SyntaxFault, TextSpan, Value};
use crate::operator::Operator;

pub(super) fn object<'a>(node: Node<'a>, what: &str) -> Result<Vec<Member<'a>>, SyntaxFault> {
    match node.value {
        Value::Object(members) => Ok(members),
        other => Err(SyntaxFault::new(
            node.span.start,
            format!("{what} must be an object, and this is {}", other.kind()),
        )),
    }
}

pub(super) fn string<'a>(node: Node<'a>, what: &str) -> Result<Text<'a>, SyntaxFault> {
    match node.value {
        Value::String(value) => Ok(Text {
            value,
            span: node.span,
        }),
        other => Err(SyntaxFault::new(
            node.span.start,
            format!("{what} must be a string, and this is {}", other.kind()),
        )),
    }
}

fn strings<'a>(node: Node<'a>, what: &str) -> Result<Vec<Text<'a>>, SyntaxFault> {
    match node.value {
        Value::Array(items) => items.into_iter().map(|item| string(item, what)).collect(),
        _ => Ok(vec![string(node, what)?]),
    }
}

pub(super) fn unknown_element(member: &Member<'_>, known: &str) -> SyntaxFault {
    SyntaxFault::new(
        member.key_span.start,
        format!("no element is called `{}`; there are {known}", member.key),
    )
}

pub(super) fn read_version(node: Node<'_>) -> Result<Version, SyntaxFault> {
    let text = string(node, "Version")?;
    match text.value.as_ref() {
        "2012-10-17" => Ok(Version::Current),
        "2008-10-17" => Ok(Version::Old),
        other => Err(SyntaxFault::new(
            text.span.start,
            format!("`{other}` is not a policy language version: it is 2012-10-17 or 2008-10-17"),
        )),
    }
}

fn read_effect(node: Node<'_>) -> Result<StatementEffect, SyntaxFault> {
    let text = string(node, "Effect")?;
    match text.value.as_ref() {
        "Allow" => Ok(StatementEffect::Allow),
        "Deny" => Ok(StatementEffect::Deny),
        other => Err(SyntaxFault::new(
            text.span.start,
            format!("Effect is Allow or Deny, and not `{other}`"),
        )),
    }
}

/// The elements of a statement as they are met; each pair excludes its other half.
#[derive(Default)]
struct Elements<'a> {
    sid: Option<Text<'a>>,
    effect: Option<StatementEffect>,
    principals: Option<Principals<'a>>,
    actions: Option<Patterns<'a>>,
    resources: Option<Patterns<'a>>,
    conditions: Vec<Condition<'a>>,
}

pub(super) fn read_statement(node: Node<'_>) -> Result<Statement<'_>, SyntaxFault> {
    let span = node.span;
    let mut elements = Elements::default();
    for member in object(node, "a statement")? {
        elements.take(member)?;
    }
    let missing = |what: &str| SyntaxFault::new(span.start, format!("the statement has no {what}"));
    Ok(Statement {
        sid: elements.sid,
        effect: elements.effect.ok_or_else(|| missing("Effect"))?,
        principals: elements.principals,
        actions: elements
            .actions
            .ok_or_else(|| missing("Action and no NotAction"))?,
        resources: elements.resources,
        conditions: elements.conditions,
        span,
    })
}

impl<'a> Elements<'a> {
    fn take(&mut self, member: Member<'a>) -> Result<(), SyntaxFault> {
        let Member {
            key,
            key_span,
            node,
        } = member;
        let is_negated = key.starts_with("Not");
        match key.as_ref() {
            "Sid" => self.sid = Some(string(node, "Sid")?),
            "Effect" => self.effect = Some(read_effect(node)?),
            "Principal" | "NotPrincipal" => {
                set_once(
                    &mut self.principals,
                    read_principals(node, is_negated)?,
                    key_span,
                    "Principal",
                )?;
            }
            "Action" | "NotAction" => {
                let patterns = read_patterns(node, is_negated, "Action")?;
                refuse_bare_actions(&patterns)?;
                set_once(&mut self.actions, patterns, key_span, "Action")?;
            }
            "Resource" | "NotResource" => {
                let patterns = read_patterns(node, is_negated, "Resource")?;
                set_once(&mut self.resources, patterns, key_span, "Resource")?;
            }
            "Condition" => self.conditions = read_conditions(node)?,
            _ => {
                let member = Member {
                    key,
                    key_span,
                    node,
                };
                return Err(unknown_element(
                    &member,
                    "Sid, Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource and Condition",
                ));
            }
        }
        Ok(())
    }
}

/// "Some JSON policy elements are mutually exclusive" ("IAM JSON policy element reference").
fn set_once<T>(
    place: &mut Option<T>,
    value: T,
    key: TextSpan,
    name: &str,
) -> Result<(), SyntaxFault> {
    if place.replace(value).is_some() {
        return Err(SyntaxFault::new(
            key.start,
            format!("a statement has {name} or Not{name}, and not both"),
        ));
    }
    Ok(())
}

fn read_patterns<'a>(
    node: Node<'a>,
    is_negated: bool,
    what: &str,
) -> Result<Patterns<'a>, SyntaxFault> {
    let span = node.span;
    Ok(Patterns {
        is_negated,
        items: strings(node, what)?,
        span,
    })
}

/// IAM answers "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
fn refuse_bare_actions(patterns: &Patterns<'_>) -> Result<(), SyntaxFault> {
    let bare = patterns
        .items
        .iter()
        .find(|item| !item.value.contains(':') && !item.value.bytes().all(|byte| byte == b'*'));
    match bare {
        Some(item) => Err(SyntaxFault::new(
            item.span.start,
            format!(
                "the action `{}` has no service in front, such as s3:PutObject",
                item.value
            ),
        )),
        None => Ok(()),
    }
}

fn read_principals(node: Node<'_>, is_negated: bool) -> Result<Principals<'_>, SyntaxFault> {
    let span = node.span;
    let mut principals = Principals {
        is_negated,
        is_everyone: false,
        entries: Vec::new(),
        span,
    };
    if let Value::String(value) = &node.value {
        if value != "*" {
            return Err(SyntaxFault::new(
                span.start,
                format!("a principal alone can only be `*`; write {{\"AWS\": \"{value}\"}}"),
            ));
        }
        principals.is_everyone = true;
        return Ok(principals);
    }
    for member in object(node, "a principal that is not `*`")? {
        let kind = match member.key.as_ref() {
            "AWS" => PrincipalKind::Aws,
            "Service" => PrincipalKind::Service,
            "Federated" => PrincipalKind::Federated,
            "CanonicalUser" => PrincipalKind::CanonicalUser,
            _ => {
                return Err(SyntaxFault::new(
                    member.key_span.start,
                    format!(
                        "`{}` is no kind of principal: there are AWS, Service, Federated and CanonicalUser",
                        member.key
                    ),
                ));
            }
        };
        for text in strings(member.node, "a principal")? {
            principals.entries.push((kind, text));
        }
    }
    Ok(principals)
}

fn read_conditions(node: Node<'_>) -> Result<Vec<Condition<'_>>, SyntaxFault> {
    let mut conditions = Vec::new();
    for block in object(node, "Condition")? {
        let Some(operator) = Operator::parse(&block.key) else {
            return Err(SyntaxFault::new(
                block.key_span.start,
                format!("`{}` is no condition operator", block.key),
            ));
        };
        for member in object(block.node, "a condition operator's value")? {
            let span = member.node.span;
            conditions.push(Condition {
                operator,
                operator_span: block.key_span,
                key: Text {
                    value: member.key,
                    span: member.key_span,
                },
                values: condition_values(member.node)?,
                span,
            });
        }
    }
    Ok(conditions)
}

fn condition_values(node: Node<'_>) -> Result<Vec<Text<'_>>, SyntaxFault> {
    match node.value {
        Value::Array(items) => items.into_iter().map(condition_value).collect(),
        _ => Ok(vec![condition_value(node)?]),
    }
}

/// Numbers and booleans may stand without quotes ("Grammar of the IAM JSON policy language").
fn condition_value(node: Node<'_>) -> Result<Text<'_>, SyntaxFault> {
    let value = match node.value {
        Value::String(value) => value,
        Value::Number(text) => text,
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        other => {
            return Err(SyntaxFault::new(
                node.span.start,
                format!(
                    "a condition's value must be a string, number or boolean, and this is {}",
                    other.kind()
                ),
            ));
        }
    };
    Ok(Text {
        value,
        span: node.span,
    })
}
