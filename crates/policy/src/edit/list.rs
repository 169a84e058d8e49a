//! Lists of a statement: a value is put in, and taken out.
//!
//! `Action`, `Resource` and the principals of a kind are such lists, and so are the values of a context
//! key under a condition operator. A condition that is not there yet is made with its first value, and
//! goes again with its last. One value may stand alone, without brackets ("Grammar of the IAM JSON
//! policy language"); whatever else stands in the statement keeps its bytes.

use std::fmt;

use serde_json::Value as Json;

use super::EditError;
use super::bytes::{
    gap_before, inserted, nth_statement, object, position, replaced, slice, whole, without_sibling,
};
use crate::document::{Document, PrincipalKind};
use crate::json::{self, Member, Node, TextSpan, Value};
use crate::operator::Operator;

/// A list of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// `Action` or `NotAction`, whichever the statement has.
    Actions,
    /// `Resource` or `NotResource`.
    Resources,
    /// The principals of a kind, of `Principal` or `NotPrincipal`.
    Principals(PrincipalKind),
    /// The values of a condition.
    Condition {
        /// The operator, such as `ArnNotEquals`.
        operator: String,
        /// The context key.
        key: String,
    },
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actions => f.write_str("Action"),
            Self::Resources => f.write_str("Resource"),
            Self::Principals(kind) => write!(f, "{} principals", kind.as_str()),
            Self::Condition { operator, key } => write!(f, "condition {operator} on {key}"),
        }
    }
}

/// Puts a condition into a statement that then applies to less: a new one, or one value more of a
/// negated one, of whose values none may match.
///
/// # Errors
///
/// Where the document cannot be parsed, there is no such statement, or the statement has a condition of
/// this operator on the key that a value more would widen.
pub fn add_condition(
    document: &str,
    statement: usize,
    operator: &str,
    key: &str,
    value: &str,
) -> Result<String, EditError> {
    let list = List::Condition {
        operator: operator.to_owned(),
        key: key.to_owned(),
    };
    edit(document, statement, |node| {
        let is_there = find(node, &list).is_some();
        let is_negated = Operator::parse(operator).is_some_and(|operator| operator.is_negated);
        if is_there && !is_negated {
            return Err(EditError::Widens(key.to_owned()));
        }
        with_value(document, node, &list, value)
    })
}

/// Puts a value into a list of a statement.
///
/// # Errors
///
/// Where the document cannot be parsed, there is no such statement, or it has no such list and none can
/// be made.
pub fn add_value(
    document: &str,
    statement: usize,
    list: &List,
    value: &str,
) -> Result<String, EditError> {
    edit(document, statement, |node| {
        with_value(document, node, list, value)
    })
}

/// Takes a value out of a list of a statement. A condition and a kind of principals go with their last
/// value.
///
/// # Errors
///
/// Where the document cannot be parsed, there is no such statement, list or value, or the value is the
/// last of a list that the statement must have.
pub fn remove_value(
    document: &str,
    statement: usize,
    list: &List,
    value: &str,
) -> Result<String, EditError> {
    edit(document, statement, |node| {
        without_value(document, node, list, value)
    })
}

/// Puts values in the place of one that a list of a statement holds.
///
/// # Errors
///
/// Where the document cannot be parsed, or there is no such statement, list or value.
pub fn replace_value(
    document: &str,
    statement: usize,
    list: &List,
    value: &str,
    by: &[&str],
) -> Result<String, EditError> {
    edit(document, statement, |node| {
        let (found, at) = locate(node, list, value)?;
        let quoted: Vec<String> = by.iter().map(|one| Json::from(*one).to_string()).collect();
        let listed = quoted.join(", ");
        Ok(match &found.node.value {
            Value::Array(items) => {
                let span = items.get(at).map_or(found.node.span, |item| item.span);
                replaced(document, span, &listed)
            }
            _ if by.len() == 1 => replaced(document, found.node.span, &listed),
            _ => replaced(document, found.node.span, &format!("[{listed}]")),
        })
    })
}

/// The text with a list of one value written as that value alone.
pub(super) fn unwrapped(document: &str, statement: usize, list: &List) -> Option<String> {
    let root = json::read(document).ok()?;
    let node = find(nth_statement(&root, statement)?, list)?.node;
    match &node.value {
        Value::Array(items) => match items.as_slice() {
            [only] => Some(replaced(document, node.span, slice(document, only.span))),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a list of a statement is one value without brackets.
pub(super) fn is_lone(document: &str, statement: usize, list: &List) -> bool {
    let Ok(root) = json::read(document) else {
        return false;
    };
    let found = nth_statement(&root, statement).and_then(|node| find(node, list));
    found.is_some_and(|found| !matches!(found.node.value, Value::Array(_)))
}

/// Only what is a policy document is edited.
fn edit(
    document: &str,
    statement: usize,
    with: impl FnOnce(&Node<'_>) -> Result<String, EditError>,
) -> Result<String, EditError> {
    Document::parse(document).map_err(EditError::Document)?;
    let missing = || EditError::Missing(format!("#{statement}"));
    let root = json::read(document).map_err(|_| missing())?;
    with(nth_statement(&root, statement).ok_or_else(missing)?)
}

/// A list where it stands: the objects that lead to it from the statement, each with the place in it.
struct FoundList<'n, 'a> {
    path: Vec<(&'n [Member<'a>], usize)>,
    node: &'n Node<'a>,
}

impl<'n, 'a> FoundList<'n, 'a> {
    fn of(members: &'n [Member<'a>], is_it: impl Fn(&str) -> bool) -> Option<Self> {
        let at = position(members, is_it)?;
        Some(Self {
            path: vec![(members, at)],
            node: &members.get(at)?.node,
        })
    }

    /// The values; one may stand without brackets.
    fn items(&self) -> &'n [Node<'a>] {
        match &self.node.value {
            Value::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(self.node),
        }
    }

    fn below(mut self, is_it: impl Fn(&str) -> bool) -> Option<Self> {
        let below = Self::of(object(self.node)?, is_it)?;
        self.path.extend(below.path);
        Some(Self {
            path: self.path,
            node: below.node,
        })
    }
}

fn find<'n, 'a>(statement: &'n Node<'a>, list: &List) -> Option<FoundList<'n, 'a>> {
    let members = object(statement)?;
    match list {
        List::Actions => FoundList::of(members, |key| matches!(key, "Action" | "NotAction")),
        List::Resources => FoundList::of(members, |key| matches!(key, "Resource" | "NotResource")),
        List::Principals(kind) => {
            FoundList::of(members, is_principal)?.below(|key| key == kind.as_str())
        }
        List::Condition { operator, key } => {
            // Operators go without regard to case, so that one may stand there twice.
            let blocks = object(FoundList::of(members, is_condition)?.node)?;
            blocks.iter().enumerate().find_map(|(at, block)| {
                if Operator::parse(&block.key) != Operator::parse(operator) {
                    return None;
                }
                let condition = FoundList::of(members, is_condition)?;
                let mut found =
                    FoundList::of(object(&block.node)?, |own| own.eq_ignore_ascii_case(key))?;
                found.path = [condition.path, vec![(blocks, at)], found.path].concat();
                Some(found)
            })
        }
    }
}

fn is_principal(key: &str) -> bool {
    matches!(key, "Principal" | "NotPrincipal")
}

fn is_condition(key: &str) -> bool {
    key == "Condition"
}

fn with_value(
    text: &str,
    statement: &Node<'_>,
    list: &List,
    value: &str,
) -> Result<String, EditError> {
    let quoted = Json::from(value).to_string();
    if let Some(found) = find(statement, list) {
        return Ok(widened(text, found.node, &quoted));
    }
    let made = match list {
        List::Actions | List::Resources => None,
        List::Principals(kind) => {
            let members = object(statement).unwrap_or_default();
            let principals = FoundList::of(members, is_principal);
            principals.and_then(|found| prepended(text, found.node, kind.as_str(), &quoted))
        }
        List::Condition { operator, key } => {
            with_condition(text, statement, operator, key, &quoted)
        }
    };
    made.ok_or_else(|| EditError::NoList(list.to_string()))
}

/// Makes what a condition lacks: the block of its operator, and the Condition around it.
fn with_condition(
    text: &str,
    statement: &Node<'_>,
    operator: &str,
    key: &str,
    value: &str,
) -> Option<String> {
    let name = Json::from(key);
    let members = object(statement)?;
    let Some(condition) = FoundList::of(members, is_condition) else {
        let block = format!("{{ \"{operator}\": {{ {name}: {value} }} }}");
        return appended(text, members, "Condition", &block);
    };
    let is_it = |own: &str| Operator::parse(own) == Operator::parse(operator);
    if let Some(block) = FoundList::of(object(condition.node)?, is_it) {
        return prepended(text, block.node, key, value);
    }
    let block = format!("{{ {name}: {value} }}");
    prepended(text, condition.node, operator, &block)
}

/// Adds a value behind a lone one, or behind the last of a list, laid out as that is.
fn widened(text: &str, node: &Node<'_>, value: &str) -> String {
    let Value::Array(items) = &node.value else {
        return replaced(
            text,
            node.span,
            &format!("[{}, {value}]", slice(text, node.span)),
        );
    };
    match items.last() {
        Some(last) => {
            let gap = gap_before(text, last.span.start);
            let gap = if gap.contains('\n') { gap } else { " " };
            inserted(text, last.span.end, &format!(",{gap}{value}"))
        }
        None => inserted(text, node.span.start + 1, value),
    }
}

/// Adds a member behind the last, laid out as the first is.
fn appended(text: &str, members: &[Member<'_>], key: &str, value: &str) -> Option<String> {
    let gap = gap_before(text, members.first()?.key_span.start);
    let space = if gap.is_empty() { " " } else { gap };
    let at = members.last()?.node.span.end;
    Some(inserted(text, at, &format!(",{space}\"{key}\": {value}")))
}

/// Adds a member before the first, laid out as that is.
fn prepended(text: &str, node: &Node<'_>, key: &str, value: &str) -> Option<String> {
    let key = Json::from(key);
    let Some(first) = object(node)?.first() else {
        return Some(inserted(
            text,
            node.span.start + 1,
            &format!("{key}: {value}"),
        ));
    };
    let at = first.key_span.start;
    let gap = gap_before(text, at);
    let space = if gap.is_empty() { " " } else { gap };
    Some(inserted(text, at, &format!("{key}: {value},{space}")))
}

fn without_value(
    text: &str,
    statement: &Node<'_>,
    list: &List,
    value: &str,
) -> Result<String, EditError> {
    let (found, at) = locate(statement, list, value)?;
    let items = found.items();
    if items.len() > 1 {
        let lacking = || EditError::NoList(list.to_string());
        let spans: Vec<TextSpan> = items.iter().map(|item| item.span).collect();
        return without_sibling(text, &spans, at).ok_or_else(lacking);
    }
    // An object without a member, such as an operator without a key, goes too; the statement stays.
    let outermost = usize::from(!matches!(list, List::Condition { .. }));
    let mut path = found.path.iter().skip(outermost).rev();
    let roomy = path.find(|(members, _)| members.len() > 1);
    let cut = roomy.and_then(|(members, at)| {
        let spans: Vec<TextSpan> = members.iter().map(whole).collect();
        without_sibling(text, &spans, *at)
    });
    cut.ok_or_else(|| EditError::LastValue {
        list: list.to_string(),
        value: value.to_owned(),
    })
}

/// A list that holds a value, and the value's place in it.
fn locate<'n, 'a>(
    statement: &'n Node<'a>,
    list: &List,
    value: &str,
) -> Result<(FoundList<'n, 'a>, usize), EditError> {
    let found = find(statement, list).ok_or_else(|| EditError::NoList(list.to_string()))?;
    let at = found.items().iter().position(|item| says(item, value));
    let at = at.ok_or_else(|| EditError::NoValue {
        list: list.to_string(),
        value: value.to_owned(),
    })?;
    Ok((found, at))
}

/// Whether a value of a list is this one; conditions may have numbers and truth values.
fn says(item: &Node<'_>, value: &str) -> bool {
    match &item.value {
        Value::String(own) | Value::Number(own) => own == value,
        Value::Bool(truth) => truth.to_string() == value,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(rest: &str) -> String {
        format!(r#"{{"Statement": [ {{"Effect": "Deny", "Action": "s3:*"{rest}}} ]}}"#)
    }

    fn with(block: &str) -> String {
        around(&format!(r#", "Condition": {{{block}}}"#))
    }

    fn via(text: &str) -> Result<String, EditError> {
        add_condition(text, 0, "Bool", "aws:ViaAWSService", "false")
    }

    fn role(text: &str) -> Result<String, EditError> {
        add_condition(text, 0, "ArnNotEquals", "aws:PrincipalArn", "R")
    }

    #[test]
    fn a_deny_without_a_condition_gets_one() {
        assert_eq!(
            via(&around("")).unwrap(),
            around(r#", "Condition": { "Bool": { "aws:ViaAWSService": "false" } }"#)
        );
    }

    #[test]
    fn a_condition_gets_an_operator_in_its_own_layout() {
        let text = |more: &str| {
            format!(
                "{{\n  \"Statement\": {{\n    \"Effect\": \"Deny\", \"Action\": \"s3:*\",\n    \"Condition\": {{\n      {more}\"NotIpAddress\": {{ \"aws:SourceIp\": \"10.0.0.0/8\" }}\n    }}\n  }}\n}}"
            )
        };
        let block = "\"Bool\": { \"aws:ViaAWSService\": \"false\" },\n      ";
        assert_eq!(via(&text("")).unwrap(), text(block));
    }

    #[test]
    fn an_operator_gets_a_key_and_a_key_a_value() {
        assert_eq!(
            via(&with(r#""Bool": {"aws:SecureTransport": "false"}"#)).unwrap(),
            with(r#""Bool": {"aws:ViaAWSService": "false", "aws:SecureTransport": "false"}"#)
        );
        assert_eq!(
            role(&with(r#""ArnNotEquals": {"aws:principalarn": "Q"}"#)).unwrap(),
            with(r#""ArnNotEquals": {"aws:principalarn": ["Q", "R"]}"#)
        );
        assert_eq!(
            role(&with(r#""ArnNotEquals": {"aws:PrincipalArn": ["Q"]}"#)).unwrap(),
            with(r#""ArnNotEquals": {"aws:PrincipalArn": ["Q", "R"]}"#)
        );
        assert_eq!(
            via(&with(r#""Bool": {"aws:ViaAWSService": "true"}"#)),
            Err(EditError::Widens("aws:ViaAWSService".to_owned()))
        );
    }

    /// "Condition operators" are not case sensitive, and `ArnEquals` and `ArnLike` "behave identically".
    #[test]
    fn an_operator_is_known_in_other_letters_and_by_its_other_name() {
        assert_eq!(
            role(&with(r#""arnnotlike": {"aws:PrincipalArn": "Q"}"#)).unwrap(),
            with(r#""arnnotlike": {"aws:PrincipalArn": ["Q", "R"]}"#)
        );
        let twice =
            r#""Bool": {"aws:SecureTransport": "true"}, "bool": {"AWS:viaAWSService": "true"}"#;
        assert_eq!(
            via(&with(twice)),
            Err(EditError::Widens("aws:ViaAWSService".to_owned()))
        );
    }

    #[test]
    fn a_value_takes_the_layout_of_its_list() {
        let text = "{\"Statement\":{\"Effect\":\"Allow\",\"Resource\":\"*\",\"Action\":[\n    \"kms:Encrypt\",\n    \"s3\\u003aPutObject\"\n]}}";
        let after = add_value(text, 0, &List::Actions, "kms:Decrypt").unwrap();
        assert_eq!(
            after,
            text.replace("PutObject\"", "PutObject\",\n    \"kms:Decrypt\"")
        );
        assert_eq!(
            remove_value(&after, 0, &List::Actions, "kms:Decrypt").unwrap(),
            text
        );
        // An escape is a way of writing, not another value.
        assert!(remove_value(text, 0, &List::Actions, "s3:PutObject").is_ok());
    }

    #[test]
    fn an_action_without_a_name_gets_the_names_that_are_needed() {
        let with =
            |action: &str| format!(r#"{{"Statement": {{"Effect": "Allow", "Action": {action}}}}}"#);
        let named = |action: &str, names: &[&str]| {
            replace_value(&with(action), 0, &List::Actions, "kms:", names).ok()
        };
        assert_eq!(
            named(r#""kms:""#, &["kms:Decrypt"]),
            Some(with(r#""kms:Decrypt""#))
        );
        assert_eq!(
            named(r#""kms:""#, &["kms:A", "kms:B"]),
            Some(with(r#"["kms:A", "kms:B"]"#))
        );
        assert_eq!(
            named(r#"["kms:C", "kms:"]"#, &["kms:A", "kms:B"]),
            Some(with(r#"["kms:C", "kms:A", "kms:B"]"#))
        );
        assert_eq!(named(r#""kms:C""#, &["kms:A"]), None);
    }

    #[test]
    fn a_list_that_a_statement_must_have_keeps_its_last_value() {
        let text = around("");
        assert_eq!(
            remove_value(&text, 0, &List::Actions, "s3:*"),
            Err(EditError::LastValue {
                list: "Action".to_owned(),
                value: "s3:*".to_owned()
            })
        );
        assert!(matches!(
            add_value(&text, 0, &List::Resources, "*"),
            Err(EditError::NoList(_))
        ));
    }

    #[test]
    fn a_condition_goes_with_its_last_value() {
        let key = |operator: &str, key: &str| List::Condition {
            operator: operator.to_owned(),
            key: key.to_owned(),
        };
        let secure = key("Bool", "aws:SecureTransport");
        let number = key("NumericLessThan", "s3:max-keys");
        let lone = with(r#""Bool": {"aws:SecureTransport": false}"#);
        assert_eq!(
            remove_value(&lone, 0, &secure, "false").unwrap(),
            around("")
        );
        let two = with(
            r#""Bool": {"aws:SecureTransport": "false"}, "NumericLessThan": {"s3:max-keys": [1, 2]}"#,
        );
        assert_eq!(
            remove_value(&two, 0, &secure, "false").unwrap(),
            with(r#""NumericLessThan": {"s3:max-keys": [1, 2]}"#)
        );
        assert_eq!(
            remove_value(&two, 0, &number, "2").unwrap(),
            with(
                r#""Bool": {"aws:SecureTransport": "false"}, "NumericLessThan": {"s3:max-keys": [1]}"#
            )
        );
    }

    #[test]
    fn a_principal_is_taken_from_its_list_or_with_its_kind() {
        let of = |principal: &str| around(&format!(r#", "Principal": {principal}"#));
        let take = |principal: &str| {
            let list = List::Principals(PrincipalKind::Aws);
            remove_value(&of(principal), 0, &list, "AROA1")
        };
        assert_eq!(
            take(r#"{"AWS":["AROA1", "x"]}"#).unwrap(),
            of(r#"{"AWS":["x"]}"#)
        );
        assert_eq!(
            take(r#"{"AWS":"AROA1","Service":"s"}"#).unwrap(),
            of(r#"{"Service":"s"}"#)
        );
        for lone in [r#"{"AWS":"AROA1"}"#, r#"{"AWS":["AROA1"]}"#] {
            assert!(
                matches!(take(lone), Err(EditError::LastValue { .. })),
                "{lone}"
            );
        }
    }
}
