//! Policy documents: parsing into types that borrow from the text.
//!
//! This module decides what is a policy document at all, by the "Grammar of the IAM JSON policy
//! language" page. What is grammatical and yet useless, or not allowed in a certain kind of policy,
//! is for the linter to say.

use std::borrow::Cow;

use super::json::{self, Fault, Member, Node, Place, Span, Value};
use super::operator::Operator;
use super::pattern;

/// Why a text is no policy document, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ParseError {
    /// Where it shows.
    pub place: Place,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl ParseError {
    pub(crate) fn at(text: &str, fault: Fault) -> Self {
        Self {
            place: Place::of(text, fault.offset),
            message: fault.message.into_owned(),
        }
    }
}

/// The version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, which knows no policy variables; also where no version is given.
    Old,
    /// `2012-10-17`.
    Current,
}

/// A string of the document and where it stands.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    /// The string, its escapes resolved.
    pub value: Cow<'a, str>,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// What a statement does where it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies.
    Deny,
}

/// The patterns of `Action`, `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone)]
pub struct Patterns<'a> {
    /// Whether it is the `Not…` form.
    pub is_negated: bool,
    /// The patterns.
    pub items: Vec<Text<'a>>,
    /// Where the element's value stands.
    pub span: Span,
}

/// What kind of principal an entry names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// `AWS`: an account, a user, a role, a session, or `*`.
    Aws,
    /// `Service`.
    Service,
    /// `Federated`.
    Federated,
    /// `CanonicalUser`.
    CanonicalUser,
}

impl PrincipalKind {
    /// The member of `Principal` that lists them.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Service => "Service",
            Self::Federated => "Federated",
            Self::CanonicalUser => "CanonicalUser",
        }
    }
}

/// The principals that `Principal` or `NotPrincipal` names.
#[derive(Debug, Clone)]
pub struct Principals<'a> {
    /// Whether it is `NotPrincipal`.
    pub is_negated: bool,
    /// Whether it is the string `*`, everybody.
    pub is_everyone: bool,
    /// The principals named.
    pub entries: Vec<(PrincipalKind, Text<'a>)>,
    /// Where the element's value stands.
    pub span: Span,
}

/// One key of a `Condition` under one operator.
#[derive(Debug, Clone)]
pub struct Condition<'a> {
    /// The operator.
    pub operator: Operator,
    /// Where the operator stands.
    pub operator_span: Span,
    /// The context key.
    pub key: Text<'a>,
    /// The values, any of which may match.
    pub values: Vec<Text<'a>>,
    /// Where the value or the list of values stands.
    pub span: Span,
}

/// One statement.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    /// Its id.
    pub sid: Option<Text<'a>>,
    /// What it does.
    pub effect: Effect,
    /// The principals that it is about, in a policy of a resource.
    pub principals: Option<Principals<'a>>,
    /// The actions.
    pub actions: Patterns<'a>,
    /// The resources; absent in a trust policy.
    pub resources: Option<Patterns<'a>>,
    /// The conditions, all of which must hold.
    pub conditions: Vec<Condition<'a>>,
    /// Where it stands, braces included.
    pub span: Span,
}

impl Text<'_> {
    fn into_owned(self) -> Text<'static> {
        Text {
            value: Cow::Owned(self.value.into_owned()),
            span: self.span,
        }
    }
}

fn into_owned_texts(texts: Vec<Text<'_>>) -> Vec<Text<'static>> {
    texts.into_iter().map(Text::into_owned).collect()
}

impl Patterns<'_> {
    fn into_owned(self) -> Patterns<'static> {
        Patterns {
            is_negated: self.is_negated,
            items: into_owned_texts(self.items),
            span: self.span,
        }
    }
}

impl Principals<'_> {
    fn into_owned(self) -> Principals<'static> {
        let entries = self.entries.into_iter();
        Principals {
            is_negated: self.is_negated,
            is_everyone: self.is_everyone,
            entries: entries
                .map(|(kind, text)| (kind, text.into_owned()))
                .collect(),
            span: self.span,
        }
    }
}

impl Condition<'_> {
    fn into_owned(self) -> Condition<'static> {
        Condition {
            operator: self.operator,
            operator_span: self.operator_span,
            key: self.key.into_owned(),
            values: into_owned_texts(self.values),
            span: self.span,
        }
    }
}

impl Statement<'_> {
    fn into_owned(self) -> Statement<'static> {
        let conditions = self.conditions.into_iter();
        Statement {
            sid: self.sid.map(Text::into_owned),
            effect: self.effect,
            principals: self.principals.map(Principals::into_owned),
            actions: self.actions.into_owned(),
            resources: self.resources.map(Patterns::into_owned),
            conditions: conditions.map(Condition::into_owned).collect(),
            span: self.span,
        }
    }

    /// How explanations call it: its Sid, or its index such as `#0`.
    #[must_use]
    pub fn label(&self, index: usize) -> String {
        match &self.sid {
            Some(sid) if !sid.value.is_empty() => sid.value.clone().into_owned(),
            _ => format!("#{index}"),
        }
    }
}

/// A policy document, parsed; it borrows from its text.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    text: Cow<'a, str>,
    version: Version,
    version_span: Option<Span>,
    statements: Vec<Statement<'a>>,
    statements_span: Span,
    is_list: bool,
}

impl<'a> Document<'a> {
    /// Parses a document.
    ///
    /// # Errors
    ///
    /// What AWS would refuse as malformed, with its place.
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        json::read(text)
            .and_then(|node| Self::from_node(text, node))
            .map_err(|fault| ParseError::at(text, fault))
    }

    /// Reads a document that was parsed as a part of a larger text; spans and faults count in that.
    pub(crate) fn from_node(text: &'a str, node: Node<'a>) -> Result<Self, Fault> {
        let span = node.span;
        let members = object(node, "a policy document")?;
        let (mut version, mut version_span, mut statements) = (Version::Old, None, None);
        for member in members {
            match member.key.as_ref() {
                "Version" => {
                    version_span = Some(member.node.span);
                    version = read_version(member.node)?;
                }
                "Id" => drop(string(member.node, "Id")?),
                "Statement" => statements = Some(member.node),
                _ => return Err(unknown_element(&member, "Version, Id and Statement")),
            }
        }
        let Some(node) = statements else {
            return Err(Fault::new(span.start, "the element Statement is missing"));
        };
        let statements_span = node.span;
        let (items, is_list) = match node.value {
            Value::Array(items) => (items, true),
            _ => (vec![node], false),
        };
        Ok(Self {
            text: Cow::Borrowed(text),
            version,
            version_span,
            statements: items
                .into_iter()
                .map(read_statement)
                .collect::<Result<_, _>>()?,
            statements_span,
            is_list,
        })
    }

    /// The context keys that the conditions and policy variables of all statements ask for, as they
    /// are written; one may come more than once.
    pub fn context_keys(&self) -> impl Iterator<Item = &str> {
        let has_variables = self.version == Version::Current;
        self.statements.iter().flat_map(move |statement| {
            let conditions = statement.conditions.iter();
            let keys = conditions
                .clone()
                .map(|condition| condition.key.value.as_ref());
            let values = conditions.flat_map(|condition| &condition.values);
            let resources = statement.resources.iter().flat_map(|found| &found.items);
            let named = values
                .chain(resources)
                .filter(move |_| has_variables)
                .flat_map(|text| pattern::variables(&text.value))
                .filter(|name| name.contains(':'));
            keys.chain(named)
        })
    }

    /// The text that was parsed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same document, borrowing from nothing.
    #[must_use]
    pub fn into_owned(self) -> Document<'static> {
        Document {
            text: Cow::Owned(self.text.into_owned()),
            version: self.version,
            version_span: self.version_span,
            statements: self
                .statements
                .into_iter()
                .map(Statement::into_owned)
                .collect(),
            statements_span: self.statements_span,
            is_list: self.is_list,
        }
    }

    /// The version of the language it is written in.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Where the version stands, if there is one.
    #[must_use]
    pub const fn version_span(&self) -> Option<Span> {
        self.version_span
    }

    /// The statements, in order.
    #[must_use]
    pub fn statements(&self) -> &[Statement<'a>] {
        &self.statements
    }

    /// Where the value of `Statement` stands.
    #[must_use]
    pub const fn statements_span(&self) -> Span {
        self.statements_span
    }

    /// Whether `Statement` is a list, as opposed to one statement alone.
    #[must_use]
    pub const fn is_list(&self) -> bool {
        self.is_list
    }
}

fn object<'a>(node: Node<'a>, what: &str) -> Result<Vec<Member<'a>>, Fault> {
    match node.value {
        Value::Object(members) => Ok(members),
        other => Err(Fault::new(
            node.span.start,
            format!("{what} must be an object, and this is {}", other.kind()),
        )),
    }
}

fn string<'a>(node: Node<'a>, what: &str) -> Result<Text<'a>, Fault> {
    match node.value {
        Value::String(value) => Ok(Text {
            value,
            span: node.span,
        }),
        other => Err(Fault::new(
            node.span.start,
            format!("{what} must be a string, and this is {}", other.kind()),
        )),
    }
}

fn strings<'a>(node: Node<'a>, what: &str) -> Result<Vec<Text<'a>>, Fault> {
    match node.value {
        Value::Array(items) => items.into_iter().map(|item| string(item, what)).collect(),
        _ => Ok(vec![string(node, what)?]),
    }
}

fn unknown_element(member: &Member<'_>, known: &str) -> Fault {
    Fault::new(
        member.key_span.start,
        format!("no element is called `{}`; there are {known}", member.key),
    )
}

fn read_version(node: Node<'_>) -> Result<Version, Fault> {
    let text = string(node, "Version")?;
    match text.value.as_ref() {
        "2012-10-17" => Ok(Version::Current),
        "2008-10-17" => Ok(Version::Old),
        other => Err(Fault::new(
            text.span.start,
            format!("`{other}` is not a policy language version: it is 2012-10-17 or 2008-10-17"),
        )),
    }
}

fn read_effect(node: Node<'_>) -> Result<Effect, Fault> {
    let text = string(node, "Effect")?;
    match text.value.as_ref() {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        other => Err(Fault::new(
            text.span.start,
            format!("Effect is Allow or Deny, and not `{other}`"),
        )),
    }
}

/// The elements of a statement as they are met; each pair excludes its other half.
#[derive(Default)]
struct Elements<'a> {
    sid: Option<Text<'a>>,
    effect: Option<Effect>,
    principals: Option<Principals<'a>>,
    actions: Option<Patterns<'a>>,
    resources: Option<Patterns<'a>>,
    conditions: Vec<Condition<'a>>,
}

fn read_statement(node: Node<'_>) -> Result<Statement<'_>, Fault> {
    let span = node.span;
    let mut elements = Elements::default();
    for member in object(node, "a statement")? {
        elements.take(member)?;
    }
    let missing = |what: &str| Fault::new(span.start, format!("the statement has no {what}"));
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
    fn take(&mut self, member: Member<'a>) -> Result<(), Fault> {
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
fn set_once<T>(place: &mut Option<T>, value: T, key: Span, name: &str) -> Result<(), Fault> {
    if place.replace(value).is_some() {
        return Err(Fault::new(
            key.start,
            format!("a statement has {name} or Not{name}, and not both"),
        ));
    }
    Ok(())
}

fn read_patterns<'a>(node: Node<'a>, is_negated: bool, what: &str) -> Result<Patterns<'a>, Fault> {
    let span = node.span;
    Ok(Patterns {
        is_negated,
        items: strings(node, what)?,
        span,
    })
}

/// IAM answers "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
fn refuse_bare_actions(patterns: &Patterns<'_>) -> Result<(), Fault> {
    let bare = patterns
        .items
        .iter()
        .find(|item| !item.value.contains(':') && !item.value.bytes().all(|byte| byte == b'*'));
    match bare {
        Some(item) => Err(Fault::new(
            item.span.start,
            format!(
                "the action `{}` has no service in front, such as s3:PutObject",
                item.value
            ),
        )),
        None => Ok(()),
    }
}

fn read_principals(node: Node<'_>, is_negated: bool) -> Result<Principals<'_>, Fault> {
    let span = node.span;
    let mut principals = Principals {
        is_negated,
        is_everyone: false,
        entries: Vec::new(),
        span,
    };
    if let Value::String(value) = &node.value {
        if value != "*" {
            return Err(Fault::new(
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
                return Err(Fault::new(
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

fn read_conditions(node: Node<'_>) -> Result<Vec<Condition<'_>>, Fault> {
    let mut conditions = Vec::new();
    for block in object(node, "Condition")? {
        let Some(operator) = Operator::parse(&block.key) else {
            return Err(Fault::new(
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

fn condition_values(node: Node<'_>) -> Result<Vec<Text<'_>>, Fault> {
    match node.value {
        Value::Array(items) => items.into_iter().map(condition_value).collect(),
        _ => Ok(vec![condition_value(node)?]),
    }
}

/// Numbers and booleans may stand without quotes ("Grammar of the IAM JSON policy language").
fn condition_value(node: Node<'_>) -> Result<Text<'_>, Fault> {
    let value = match node.value {
        Value::String(value) => value,
        Value::Number(text) => text,
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        other => {
            return Err(Fault::new(
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
