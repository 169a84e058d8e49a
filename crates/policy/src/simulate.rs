//! Simulation: one request a line in JSON, answered on its own.
//!
//! A line holds the request, its context and every policy, so that nothing but the line bears on
//! the answer. The context is taken as given: a key that is not there is absent, nothing is added. Keys
//! of `optional_context` hold their values or are absent, and nobody can tell which; of those of
//! `unknown_context` nobody can tell anything.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::document::Document;
use super::evaluate::{
    Context, ContextValue, Evaluation, Grant, Level, Named, Policies, Principal, Request, evaluate,
};
use super::json::{self, Member, Node, Place, SyntaxFault, Value};

/// Whether a line could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineStatus {
    /// It was read and answered.
    Answered,
    /// It could not be read; the output says why.
    Unreadable,
}

/// Answers one line: appends a line of JSON, without its line end, to `out`.
pub fn simulate_line(line: &str, out: &mut String) -> LineStatus {
    match InputLine::read(line) {
        Ok(input) => {
            input.answer(line, out);
            LineStatus::Answered
        }
        Err(message) => {
            let id = json::salvage(line, "id").unwrap_or("null");
            out.push_str("{\"id\":");
            out.push_str(id);
            out.push_str(",\"error\":");
            push_string(out, &message);
            out.push('}');
            LineStatus::Unreadable
        }
    }
}

/// Answers a line that is not even text.
pub fn refuse_line(message: &str, out: &mut String) -> LineStatus {
    out.push_str("{\"id\":null,\"error\":");
    push_string(out, message);
    out.push('}');
    LineStatus::Unreadable
}

/// A line, read.
#[derive(Default)]
struct InputLine<'a> {
    id: Option<json::TextSpan>,
    principal: Option<Principal>,
    action: Option<Cow<'a, str>>,
    resource: Option<Cow<'a, str>>,
    resource_account: Option<Cow<'a, str>>,
    context: Context,
    policies: Policies<'a>,
}

/// A fault of the line itself, or one inside a document that is written as a string.
enum Unreadable {
    Here(SyntaxFault),
    Told(String),
}

impl From<SyntaxFault> for Unreadable {
    fn from(fault: SyntaxFault) -> Self {
        Self::Here(fault)
    }
}

type Result<T> = std::result::Result<T, Unreadable>;

fn wrong<T>(node: &Node<'_>, what: &str, wanted: &str) -> Result<T> {
    Err(SyntaxFault::new(
        node.span.start,
        format!("{what} must be {wanted}, and this is {}", node.value.kind()),
    )
    .into())
}

impl<'a> InputLine<'a> {
    fn read(line: &'a str) -> std::result::Result<Self, String> {
        let describe =
            |fault: SyntaxFault| format!("{}: {}", Place::of(line, fault.offset), fault.message);
        let node = json::read(line).map_err(describe)?;
        let Value::Object(members) = node.value else {
            return Err(format!(
                "the line must be an object, and this is {}",
                node.value.kind()
            ));
        };
        let mut input = Self::default();
        let (mut optional, mut unknown) = (Context::default(), Vec::new());
        for member in members {
            let name = member.key.clone();
            input
                .take(line, member, &mut optional, &mut unknown)
                .map_err(|unreadable| match unreadable {
                    Unreadable::Here(fault) => format!("{name}: {}", describe(fault)),
                    Unreadable::Told(text) => format!("{name}: {text}"),
                })?;
        }
        for (key, value) in optional.iter() {
            if let ContextValue::Known(values) = value {
                input.context.set_known_or_absent(key, values.clone());
            }
        }
        for key in unknown {
            input.context.set_unknown(&key);
        }
        input.complete()
    }

    fn take(
        &mut self,
        line: &'a str,
        member: Member<'a>,
        optional: &mut Context,
        unknown: &mut Vec<Cow<'a, str>>,
    ) -> Result<()> {
        let Member { key, node, .. } = member;
        if matches!(node.value, Value::Null) && key != "id" && key != "principal" {
            return Ok(());
        }
        match key.as_ref() {
            "id" => self.id = Some(node.span),
            "principal" => self.principal = Some(principal(node)?),
            "action" => self.action = Some(string(node, "an action")?),
            "resource" => self.resource = Some(string(node, "a resource")?),
            "resource_account" => self.resource_account = Some(string(node, "an account")?),
            "context" => self.context = context(node)?,
            "optional_context" => *optional = context(node)?,
            "unknown_context" => *unknown = strings(node, "a context key")?,
            "identity_policies" => {
                self.policies.identity = named_list(line, node, "identity policy")?;
            }
            "permissions_boundary" => {
                self.policies.boundary = lone(line, node, "permissions boundary")?;
            }
            "session_policy" => self.policies.session = lone(line, node, "session policy")?,
            "service_control_policies" => self.policies.service_control = levels(line, node)?,
            "resource_control_policies" => self.policies.resource_control = levels(line, node)?,
            "vpc_endpoint_policy" => {
                self.policies.vpc_endpoint = lone(line, node, "VPC endpoint policy")?;
            }
            "resource_policy" => self.policies.resource = lone(line, node, "resource policy")?,
            "kms_grants" => self.policies.grants = grants(node)?,
            _ => {}
        }
        Ok(())
    }

    /// Checks that what every request needs is there, and finds the resource's account where the
    /// line leaves it out and the ARN names it.
    fn complete(mut self) -> std::result::Result<Self, String> {
        if self.principal.is_none() {
            return Err("principal is missing".to_owned());
        }
        if self.action.is_none() {
            return Err("action is missing".to_owned());
        }
        if self.resource_account.is_none() {
            let named = self
                .resource
                .as_deref()
                .and_then(|resource| resource.split(':').nth(4))
                .filter(|account| !account.is_empty())
                .map(str::to_owned);
            let is_bare = self
                .resource
                .as_deref()
                .is_none_or(|resource| resource == "*");
            let own = || {
                let principal = self.principal.as_ref()?;
                principal.account().filter(|_| is_bare).map(str::to_owned)
            };
            self.resource_account = Some(Cow::Owned(
                named.or_else(own).ok_or("resource_account is missing")?,
            ));
        }
        Ok(self)
    }

    fn answer(self, line: &str, out: &mut String) {
        let request = Request {
            principal: self.principal.unwrap_or(Principal::Anonymous),
            action: self.action.as_deref().unwrap_or_default(),
            resource: self.resource.as_deref().unwrap_or("*"),
            resource_account: self.resource_account.as_deref().unwrap_or_default(),
            context: &self.context,
        };
        let evaluation = evaluate(&request, &self.policies);
        let id = self.id.and_then(|span| line.get(span.start..span.end));
        push_evaluation(out, id.unwrap_or("null"), &evaluation);
    }
}

fn push_evaluation(out: &mut String, id: &str, evaluation: &Evaluation) {
    out.push_str("{\"id\":");
    out.push_str(id);
    out.push_str(",\"decision\":\"");
    out.push_str(evaluation.decision.as_str());
    out.push_str("\",\"deciding\":[");
    for (index, deciding) in evaluation.deciding.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str("{\"policy\":");
        push_string(out, &deciding.policy);
        out.push_str(",\"sid\":");
        push_string(out, &deciding.sid);
        out.push_str(",\"effect\":\"");
        out.push_str(if deciding.is_deny { "Deny" } else { "Allow" });
        out.push_str("\"}");
    }
    out.push_str("],\"explanation\":");
    push_string(out, &evaluation.explanation);
    out.push_str(",\"depends_on\":[");
    for (index, key) in evaluation.depends_on.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_string(out, key);
    }
    out.push(']');
    if let Some(dependency) = &evaluation.dependency {
        // A dependency always serializes.
        let _ = write!(out, ",\"dependency\":{}", serde_json::json!(dependency));
    }
    out.push('}');
}

/// Appends a JSON string.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') {
        let (clean, from) = rest.split_at(at);
        out.push_str(clean);
        let mut characters = from.chars();
        match characters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some(control) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

fn string<'a>(node: Node<'a>, what: &str) -> Result<Cow<'a, str>> {
    match node.value {
        Value::String(text) => Ok(text),
        _ => wrong(&node, what, "a string"),
    }
}

fn strings<'a>(node: Node<'a>, what: &str) -> Result<Vec<Cow<'a, str>>> {
    match node.value {
        Value::Array(items) => items.into_iter().map(|item| string(item, what)).collect(),
        Value::String(text) => Ok(vec![text]),
        _ => wrong(&node, what, "a list of strings"),
    }
}

fn object<'a>(node: Node<'a>, what: &str) -> Result<Vec<Member<'a>>> {
    match node.value {
        Value::Object(members) => Ok(members),
        _ => wrong(&node, what, "an object"),
    }
}

fn list<'a>(node: Node<'a>, what: &str) -> Result<Vec<Node<'a>>> {
    match node.value {
        Value::Array(items) => Ok(items),
        _ => wrong(&node, what, "a list"),
    }
}

fn principal(node: Node<'_>) -> Result<Principal> {
    if matches!(node.value, Value::Null) {
        return Ok(Principal::Anonymous);
    }
    let start = node.span.start;
    let text = string(node, "a principal")?;
    Principal::parse(&text).ok_or_else(|| {
        SyntaxFault::new(
            start,
            format!("`{text}` is neither the ARN of a principal, nor an account, nor a service"),
        )
        .into()
    })
}

fn context(node: Node<'_>) -> Result<Context> {
    let mut context = Context::default();
    for Member {
        key,
        key_span,
        node,
    } in object(node, "a context")?
    {
        if context.get(&key).is_some() {
            return Err(SyntaxFault::new(
                key_span.start,
                format!("the context key `{key}` is given twice; case does not tell keys apart"),
            )
            .into());
        }
        let values = match node.value {
            Value::Array(items) => items.into_iter().map(scalar).collect::<Result<_>>()?,
            _ => vec![scalar(node)?],
        };
        context.set_all(&key, values);
    }
    Ok(context)
}

fn scalar(node: Node<'_>) -> Result<String> {
    match node.value {
        Value::String(text) | Value::Number(text) => Ok(text.into_owned()),
        Value::Bool(truth) => Ok(truth.to_string()),
        _ => wrong(&node, "a context value", "a string or a list of strings"),
    }
}

/// A document as an object, or as a string that holds one.
fn document<'a>(line: &'a str, node: Node<'a>) -> Result<Document<'a>> {
    match node.value {
        Value::String(text) => {
            let describe = |fault: SyntaxFault| {
                let place = Place::of(&text, fault.offset);
                Unreadable::Told(format!("in the document, {place}: {}", fault.message))
            };
            let inner = json::read(&text).map_err(describe)?.into_owned();
            let own = line.get(node.span.start..node.span.end).unwrap_or_default();
            Document::from_node(own, inner).map_err(describe)
        }
        _ => Ok(Document::from_node(line, node)?),
    }
}

/// A document that may come with a name.
fn named<'a>(line: &'a str, node: Node<'a>, name: &str) -> Result<Named<'a>> {
    let is_wrapped = match &node.value {
        Value::Object(members) => members.iter().any(|member| member.key == "document"),
        _ => false,
    };
    if !is_wrapped {
        return Ok(Named::new(name, document(line, node)?));
    }
    let (start, mut given, mut found) = (node.span.start, None, None);
    for member in object(node, "a policy")? {
        match member.key.as_ref() {
            "name" => given = Some(string(member.node, "a name")?.into_owned()),
            "document" => found = Some(document(line, member.node)?),
            _ => {}
        }
    }
    let document = found.ok_or_else(|| SyntaxFault::new(start, "the document is missing"))?;
    Ok(Named::new(
        given.unwrap_or_else(|| name.to_owned()),
        document,
    ))
}

fn named_list<'a>(line: &'a str, node: Node<'a>, name: &str) -> Result<Vec<Named<'a>>> {
    list(node, "a list of policies")?
        .into_iter()
        .map(|item| named(line, item, name))
        .collect()
}

/// One document, also as a list of one.
fn lone<'a>(line: &'a str, node: Node<'a>, name: &str) -> Result<Option<Named<'a>>> {
    let start = node.span.start;
    let is_list = matches!(node.value, Value::Array(_));
    if !is_list {
        return named(line, node, name).map(Some);
    }
    let mut found = named_list(line, node, name)?;
    if found.len() > 1 {
        return Err(SyntaxFault::new(start, "there can be only one document here").into());
    }
    Ok(found.pop())
}

fn levels<'a>(line: &'a str, node: Node<'a>) -> Result<Vec<Level<'a>>> {
    let mut levels = Vec::new();
    for node in list(node, "the levels")? {
        let mut level = Level {
            target: String::new(),
            policies: Vec::new(),
        };
        for member in object(node, "a level")? {
            match member.key.as_ref() {
                "target" => level.target = string(member.node, "a target")?.into_owned(),
                "policies" => level.policies = named_list(line, member.node, "control policy")?,
                _ => {}
            }
        }
        levels.push(level);
    }
    Ok(levels)
}

/// Grants as `ListGrants` gives them, or with the same names in snake case.
fn grants(node: Node<'_>) -> Result<Vec<Grant>> {
    let mut grants = Vec::new();
    for (index, node) in list(node, "the grants")?.into_iter().enumerate() {
        let start = node.span.start;
        let mut grant = Grant {
            id: format!("#{index}"),
            grantee: String::new(),
            operations: Vec::new(),
            context_subset: BTreeMap::new(),
            context_equals: None,
            source_arn: None,
        };
        for member in object(node, "a grant")? {
            take_grant_member(&mut grant, member)?;
        }
        if grant.grantee.is_empty() {
            return Err(SyntaxFault::new(start, "the grant has no grantee_principal").into());
        }
        grants.push(grant);
    }
    Ok(grants)
}

fn take_grant_member(grant: &mut Grant, member: Member<'_>) -> Result<()> {
    let name: String = member
        .key
        .chars()
        .filter(|c| *c != '_')
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let node = member.node;
    if matches!(node.value, Value::Null) {
        return Ok(());
    }
    match name.as_str() {
        "id" | "grantid" | "name" => grant.id = string(node, "a grant's id")?.into_owned(),
        "grantee" | "granteeprincipal" | "granteeserviceprincipal" => {
            grant.grantee = string(node, "a grantee")?.into_owned();
        }
        "operations" => {
            grant.operations = strings(node, "an operation")?
                .into_iter()
                .map(Cow::into_owned)
                .collect();
        }
        "constraints" => {
            for member in object(node, "constraints")? {
                take_grant_member(grant, member)?;
            }
        }
        "encryptioncontextsubset" | "contextsubset" => grant.context_subset = pairs(node)?,
        "sourcearn" => grant.source_arn = Some(string(node, "a source ARN")?.into_owned()),
        "encryptioncontextequals" | "contextequals" => grant.context_equals = Some(pairs(node)?),
        _ => {}
    }
    Ok(())
}

fn pairs(node: Node<'_>) -> Result<BTreeMap<String, String>> {
    object(node, "an encryption context")?
        .into_iter()
        .map(|member| Ok((member.key.into_owned(), scalar(member.node)?)))
        .collect()
}
