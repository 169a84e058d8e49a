//! Policy documents: parsing into types that borrow from the text.
//!
//! This module decides what is a policy document at all, by the "Grammar of the IAM JSON policy
//! language" page. What is grammatical and yet useless, or not allowed in a certain kind of policy,
//! is for the linter to say.

mod read;

use std::borrow::Cow;

use self::read::{object, read_statement, read_version, string, unknown_element};
use super::json::{self, Node, Place, SyntaxFault, TextSpan, Value};
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
    pub(crate) fn at(text: &str, fault: SyntaxFault) -> Self {
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
    pub span: TextSpan,
}

/// What a statement does where it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementEffect {
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
    pub span: TextSpan,
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
    pub span: TextSpan,
}

/// One key of a `Condition` under one operator.
#[derive(Debug, Clone)]
pub struct Condition<'a> {
    /// The operator.
    pub operator: Operator,
    /// Where the operator stands.
    pub operator_span: TextSpan,
    /// The context key.
    pub key: Text<'a>,
    /// The values, any of which may match.
    pub values: Vec<Text<'a>>,
    /// Where the value or the list of values stands.
    pub span: TextSpan,
}

/// One statement.
#[derive(Debug, Clone)]
pub struct Statement<'a> {
    /// Its id.
    pub sid: Option<Text<'a>>,
    /// What it does.
    pub effect: StatementEffect,
    /// The principals that it is about, in a policy of a resource.
    pub principals: Option<Principals<'a>>,
    /// The actions.
    pub actions: Patterns<'a>,
    /// The resources; absent in a trust policy.
    pub resources: Option<Patterns<'a>>,
    /// The conditions, all of which must hold.
    pub conditions: Vec<Condition<'a>>,
    /// Where it stands, braces included.
    pub span: TextSpan,
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
    version_span: Option<TextSpan>,
    statements: Vec<Statement<'a>>,
    statements_span: TextSpan,
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
    pub(crate) fn from_node(text: &'a str, node: Node<'a>) -> Result<Self, SyntaxFault> {
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
            return Err(SyntaxFault::new(
                span.start,
                "the element Statement is missing",
            ));
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
    pub const fn version_span(&self) -> Option<TextSpan> {
        self.version_span
    }

    /// The statements, in order.
    #[must_use]
    pub fn statements(&self) -> &[Statement<'a>] {
        &self.statements
    }

    /// Where the value of `Statement` stands.
    #[must_use]
    pub const fn statements_span(&self) -> TextSpan {
        self.statements_span
    }

    /// Whether `Statement` is a list, as opposed to one statement alone.
    #[must_use]
    pub const fn is_list(&self) -> bool {
        self.is_list
    }
}
