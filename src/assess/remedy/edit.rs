//! Edits inside a document that is not ours: an exemption is put into a Deny, a deleted principal is
//! taken out. All else keeps its bytes.

use serde_json::Value as Json;

use tableferry_policy::json::{self, Member, Node, Span, Value};

/// What is added to a Deny so that it spares a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exemption {
    /// The condition's operator.
    pub(super) operator: &'static str,
    /// The condition key.
    pub(super) key: &'static str,
    /// The value.
    pub(super) value: String,
}

/// Puts an exemption into the condition of a statement. `None` where the statement is not there, or
/// has a condition on the same key that cannot be widened.
pub(super) fn exempt(text: &str, index: usize, exemption: &Exemption) -> Option<String> {
    let root = json::read(text).ok()?;
    let statement = statement(&root, index)?;
    let members = object(statement)?;
    let value = Json::from(exemption.value.as_str());
    let (operator, key) = (exemption.operator, exemption.key);
    let Some(condition) = member(members, "Condition") else {
        let block = format!("{{ \"{operator}\": {{ \"{key}\": {value} }} }}");
        return append(text, members, "Condition", &block);
    };
    let operators = object(&condition.node)?;
    let Some(same_operator) = member(operators, operator) else {
        let block = format!("{{ \"{key}\": {value} }}");
        return prepend(text, &condition.node, operator, &block);
    };
    let keys = object(&same_operator.node)?;
    let same_key = keys
        .iter()
        .find(|member| member.key.eq_ignore_ascii_case(key));
    match same_key {
        None => prepend(text, &same_operator.node, key, &value.to_string()),
        // Of a negated operator's values none may match, so that one more spares one more.
        Some(same_key) if operator.contains("Not") => {
            widen(text, &same_key.node, &value.to_string())
        }
        Some(_) => None,
    }
}

/// Adds a value to what a statement's condition on a key takes. `None` where there is no such condition,
/// or it names what it does not take.
pub(super) fn widen_condition(text: &str, index: usize, key: &str, value: &str) -> Option<String> {
    let root = json::read(text).ok()?;
    let condition = member(object(statement(&root, index)?)?, "Condition")?;
    let mut operators = object(&condition.node)?.iter();
    let found = operators.find_map(|operator| {
        let takes = !operator.key.contains("Not") && !operator.key.contains("Null");
        let mut keys = object(&operator.node)?.iter();
        keys.find(|found| takes && found.key.eq_ignore_ascii_case(key))
    })?;
    if let Value::Array(items) = &found.node.value
        && items.iter().any(|item| is_text(item, value))
    {
        return Some(text.to_owned());
    }
    widen(text, &found.node, &Json::from(value).to_string())
}

/// Puts actions in the place of one that a statement names. `None` where it does not name it.
pub(super) fn name_actions(
    text: &str,
    index: usize,
    nameless: &str,
    actions: &[&str],
) -> Option<String> {
    let root = json::read(text).ok()?;
    let node = &member(object(statement(&root, index)?)?, "Action")?.node;
    let named: Vec<String> = actions
        .iter()
        .map(|one| Json::from(*one).to_string())
        .collect();
    let listed = named.join(", ");
    match &node.value {
        Value::Array(items) => {
            let item = items.iter().find(|item| is_text(item, nameless))?;
            splice(text, item.span, &listed)
        }
        _ if !is_text(node, nameless) => None,
        _ if actions.len() == 1 => splice(text, node.span, &listed),
        _ => splice(text, node.span, &format!("[{listed}]")),
    }
}

/// Takes a principal out of a statement, and the statement with it where it names nobody else.
/// `None` where that cannot be done: a `NotPrincipal` that would be left empty denies nobody then.
pub(super) fn drop_principal(text: &str, index: usize, id: &str) -> Option<String> {
    let root = json::read(text).ok()?;
    let statement_node = statement(&root, index)?;
    let members = object(statement_node)?;
    let element = members
        .iter()
        .find(|member| matches!(member.key.as_ref(), "Principal" | "NotPrincipal"))?;
    let kinds = object(&element.node)?;
    let at = kinds.iter().position(|member| member.key == "AWS")?;
    let listed = &kinds.get(at)?.node;
    if let Value::Array(items) = &listed.value
        && items.len() > 1
    {
        let at = items.iter().position(|item| is_text(item, id))?;
        let spans: Vec<Span> = items.iter().map(|item| item.span).collect();
        return cut(text, &spans, at);
    }
    if kinds.len() > 1 {
        let spans: Vec<Span> = kinds.iter().map(whole).collect();
        return cut(text, &spans, at);
    }
    if element.key == "NotPrincipal" {
        return None;
    }
    let Value::Array(statements) = &member(object(&root)?, "Statement")?.node.value else {
        return None;
    };
    let spans: Vec<Span> = statements.iter().map(|item| item.span).collect();
    cut(text, &spans, index)
}

fn object<'n, 'a>(node: &'n Node<'a>) -> Option<&'n [Member<'a>]> {
    match &node.value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

fn member<'n, 'a>(members: &'n [Member<'a>], key: &str) -> Option<&'n Member<'a>> {
    members.iter().find(|member| member.key == key)
}

fn statement<'n, 'a>(root: &'n Node<'a>, index: usize) -> Option<&'n Node<'a>> {
    let found = member(object(root)?, "Statement")?;
    match &found.node.value {
        Value::Array(items) => items.get(index),
        _ => (index == 0).then_some(&found.node),
    }
}

fn is_text(node: &Node<'_>, text: &str) -> bool {
    matches!(&node.value, Value::String(found) if found == text)
}

const fn whole(member: &Member<'_>) -> Span {
    Span {
        start: member.key_span.start,
        end: member.node.span.end,
    }
}

fn splice(text: &str, span: Span, by: &str) -> Option<String> {
    Some([text.get(..span.start)?, by, text.get(span.end..)?].concat())
}

fn insert(text: &str, at: usize, what: &str) -> Option<String> {
    splice(text, Span { start: at, end: at }, what)
}

/// Cuts one of several siblings with the comma that parts it from the next, or from the one before.
fn cut(text: &str, siblings: &[Span], at: usize) -> Option<String> {
    let own = *siblings.get(at)?;
    let before = at.checked_sub(1).and_then(|at| siblings.get(at));
    let span = match (siblings.get(at + 1), before) {
        (Some(next), _) => Span {
            start: own.start,
            end: next.start,
        },
        (None, Some(before)) => Span {
            start: before.end,
            end: own.end,
        },
        (None, None) => own,
    };
    splice(text, span, "")
}

/// The white space before a place.
fn gap_before(text: &str, at: usize) -> Option<&str> {
    let head = text.get(..at)?;
    head.get(head.trim_end().len()..)
}

/// Adds a member behind the last, laid out as the first is.
fn append(text: &str, members: &[Member<'_>], key: &str, value: &str) -> Option<String> {
    let gap = gap_before(text, members.first()?.key_span.start)?;
    let at = members.last()?.node.span.end;
    let space = if gap.is_empty() { " " } else { gap };
    insert(text, at, &format!(",{space}\"{key}\": {value}"))
}

/// Adds a member before the first, laid out as that is.
fn prepend(text: &str, node: &Node<'_>, key: &str, value: &str) -> Option<String> {
    let Some(first) = object(node)?.first() else {
        return insert(text, node.span.start + 1, &format!("\"{key}\": {value}"));
    };
    let at = first.key_span.start;
    let gap = gap_before(text, at)?;
    let space = if gap.is_empty() { " " } else { gap };
    insert(text, at, &format!("\"{key}\": {value},{space}"))
}

/// Adds a value to a condition's one value or list of values.
fn widen(text: &str, node: &Node<'_>, value: &str) -> Option<String> {
    if let Value::Array(items) = &node.value {
        return match items.last() {
            Some(last) => insert(text, last.span.end, &format!(", {value}")),
            None => insert(text, node.span.start + 1, value),
        };
    }
    let own = text.get(node.span.start..node.span.end)?;
    splice(text, node.span, &format!("[{own}, {value}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_takes_one_value_more_and_one_that_excludes_takes_none() {
        let before =
            around(r#", "Condition": {"StringNotLike": {"k": "x"}, "StringLike": {"K": "a"}}"#);
        assert_eq!(
            widen_condition(&before, 0, "k", "b").unwrap(),
            around(
                r#", "Condition": {"StringNotLike": {"k": "x"}, "StringLike": {"K": ["a", "b"]}}"#
            )
        );
        let excluding = around(r#", "Condition": {"StringNotLike": {"k": "x"}}"#);
        assert_eq!(widen_condition(&excluding, 0, "k", "b"), None);
    }

    #[test]
    fn an_action_without_a_name_gets_the_names_that_are_needed() {
        let with = |action: &str| around(&format!(r#", "Action": {action}"#));
        let named = |action: &str, names: &[&str]| name_actions(&with(action), 0, "kms:", names);
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

    const VIA: Exemption = Exemption {
        operator: "Bool",
        key: "aws:ViaAWSService",
        value: String::new(),
    };

    fn via() -> Exemption {
        Exemption {
            value: "false".to_owned(),
            ..VIA
        }
    }

    fn role() -> Exemption {
        Exemption {
            operator: "ArnNotEquals",
            key: "aws:PrincipalArn",
            value: "R".to_owned(),
        }
    }

    fn around(condition: &str) -> String {
        format!(r#"{{"Statement": [ {{"Effect": "Deny"{condition}}} ]}}"#)
    }

    #[test]
    fn a_deny_without_a_condition_gets_one() {
        assert_eq!(
            exempt(&around(""), 0, &via()).unwrap(),
            around(r#", "Condition": { "Bool": { "aws:ViaAWSService": "false" } }"#)
        );
    }

    #[test]
    fn a_condition_gets_an_operator_in_its_own_layout() {
        let before = "{\n  \"Statement\": {\n    \"Condition\": {\n      \"NotIpAddress\": { \"aws:SourceIp\": \"10.0.0.0/8\" }\n    }\n  }\n}";
        let after = exempt(before, 0, &via()).unwrap();
        assert_eq!(
            after,
            "{\n  \"Statement\": {\n    \"Condition\": {\n      \"Bool\": { \"aws:ViaAWSService\": \"false\" },\n      \"NotIpAddress\": { \"aws:SourceIp\": \"10.0.0.0/8\" }\n    }\n  }\n}"
        );
    }

    #[test]
    fn an_operator_gets_a_key_and_a_key_a_value() {
        let with = |block: &str| around(&format!(r#", "Condition": {{{block}}}"#));
        assert_eq!(
            exempt(
                &with(r#""Bool": {"aws:SecureTransport": "false"}"#),
                0,
                &via()
            )
            .unwrap(),
            with(r#""Bool": {"aws:ViaAWSService": "false", "aws:SecureTransport": "false"}"#)
        );
        assert_eq!(
            exempt(
                &with(r#""ArnNotEquals": {"aws:principalarn": "Q"}"#),
                0,
                &role()
            )
            .unwrap(),
            with(r#""ArnNotEquals": {"aws:principalarn": ["Q", "R"]}"#)
        );
        assert_eq!(
            exempt(
                &with(r#""ArnNotEquals": {"aws:PrincipalArn": ["Q"]}"#),
                0,
                &role()
            )
            .unwrap(),
            with(r#""ArnNotEquals": {"aws:PrincipalArn": ["Q", "R"]}"#)
        );
        assert_eq!(
            exempt(&with(r#""Bool": {"aws:ViaAWSService": "true"}"#), 0, &via()),
            None
        );
    }

    #[test]
    fn a_deleted_principal_is_taken_from_its_list_or_goes_with_its_statement() {
        let listed = r#"{"Statement":[{"Principal":{"AWS":["AROA1", "x"]}}]}"#;
        assert_eq!(
            drop_principal(listed, 0, "AROA1").unwrap(),
            r#"{"Statement":[{"Principal":{"AWS":["x"]}}]}"#
        );
        let beside = r#"{"Statement":[{"Principal":{"AWS":"AROA1","Service":"s"}}]}"#;
        assert_eq!(
            drop_principal(beside, 0, "AROA1").unwrap(),
            r#"{"Statement":[{"Principal":{"Service":"s"}}]}"#
        );
        let alone = r#"{"Statement":[{"Sid":"a"}, {"Principal":{"AWS":["AROA1"]}}]}"#;
        assert_eq!(
            drop_principal(alone, 1, "AROA1").unwrap(),
            r#"{"Statement":[{"Sid":"a"}]}"#
        );
        let negated = r#"{"Statement":[{"NotPrincipal":{"AWS":"AROA1"}}]}"#;
        assert_eq!(drop_principal(negated, 0, "AROA1"), None);
    }
}
