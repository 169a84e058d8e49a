//! Lint: what is wrong with a document that AWS would take, or would refuse for its kind, and what
//! would fix it.

use std::fmt;
use std::sync::Arc;

use super::document::{Document, ParseError, Statement, Version};
use super::json::{Place, TextSpan};
use super::pattern;
use super::policy::Policy;

mod action;
mod arn_form;
mod condition;
mod principal;
mod principal_form;
mod resource;
mod resource_control;
mod statement;

/// What a document is attached to; each kind has rules of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// A bucket policy.
    Bucket,
    /// A KMS key policy.
    Key,
    /// An identity policy, or a permissions boundary.
    Identity,
    /// A role's trust policy.
    Trust,
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
}

impl DocumentKind {
    /// The kinds by the names that the command line takes.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("bucket", Self::Bucket),
        ("key", Self::Key),
        ("identity", Self::Identity),
        ("trust", Self::Trust),
        ("scp", Self::ServiceControl),
        ("rcp", Self::ResourceControl),
    ];

    /// Reads a kind by its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, kind)| *kind)
    }

    /// How sentences call it.
    const fn noun(self) -> &'static str {
        match self {
            Self::Bucket => "a bucket policy",
            Self::Key => "a key policy",
            Self::Identity => "an identity policy",
            Self::Trust => "a trust policy",
            Self::ServiceControl => "a service control policy",
            Self::ResourceControl => "a resource control policy",
        }
    }

    /// Whether its statements name principals.
    const fn names_principals(self) -> bool {
        !matches!(self, Self::Identity | Self::ServiceControl)
    }

    /// The largest document, in characters (that of a bucket or a key in bytes), whether white space counts, and where that is said.
    const fn size_limit(self) -> (usize, bool, &'static str) {
        match self {
            Self::Bucket => (
                20 * 1024,
                true,
                "Bucket policies are limited to 20 KB in size",
            ),
            Self::Key => (
                32 * 1024,
                true,
                "Key policy document size: 32 KB, KMS quotas",
            ),
            Self::Identity => (
                6144,
                false,
                "managed policies hold 6,144 characters, white space not counted; inline policies of a \
                 user 2,048, of a group 5,120, of a role 10,240 in all: IAM and AWS STS quotas",
            ),
            Self::Trust => (
                2048,
                false,
                "Role trust policy length: 2,048 characters, which can be raised: IAM and AWS STS quotas",
            ),
            Self::ServiceControl => (
                10_240,
                true,
                "Maximum size of a service control policy: 10,240 characters, AWS Organizations quotas",
            ),
            Self::ResourceControl => (
                5120,
                true,
                "Maximum size of a resource control policy: 5,120 characters, AWS Organizations quotas",
            ),
        }
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// AWS refuses it, or it cannot do what it says.
    Error,
    /// It does less or more than it seems to.
    Warning,
    /// It could be clearer.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// Something that should be fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Its short name, such as `action-without-name`.
    pub rule: &'static str,
    /// Where it stands.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub fix: String,
}

/// Looks through a document, in the order of the text.
#[must_use]
pub fn lint(text: &str, kind: DocumentKind) -> Vec<Finding> {
    findings(text, Document::parse(text).as_ref(), kind)
}

/// The same for a policy that was read.
#[must_use]
pub fn lint_policy(policy: &Policy, kind: DocumentKind) -> Vec<Finding> {
    findings(policy.text(), policy.document().map(Arc::as_ref), kind)
}

fn findings(
    text: &str,
    document: Result<&Document<'_>, &ParseError>,
    kind: DocumentKind,
) -> Vec<Finding> {
    let mut findings = Findings {
        text,
        list: Vec::new(),
    };
    match document {
        Err(error) => findings.list.push(Finding {
            severity: Severity::Error,
            rule: "malformed",
            place: error.place,
            message: error.message.clone(),
            fix: "correct it; AWS refuses the document as it stands".to_owned(),
        }),
        Ok(document) => {
            check_version(document, kind, &mut findings);
            check_statements(document, &mut findings);
            for (index, found) in document.statements().iter().enumerate() {
                statement::check(found, index, document.version(), kind, &mut findings);
            }
        }
    }
    check_size(text, kind, &mut findings);
    let mut list = findings.list;
    list.sort_by_key(|finding| (finding.place, finding.severity));
    list
}

/// The findings as they are made.
struct Findings<'t> {
    text: &'t str,
    list: Vec<Finding>,
}

impl Findings<'_> {
    fn add(
        &mut self,
        severity: Severity,
        rule: &'static str,
        span: TextSpan,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.list.push(Finding {
            severity,
            rule,
            place: Place::of(self.text, span.start),
            message: message.into(),
            fix: fix.into(),
        });
    }

    fn error(
        &mut self,
        rule: &'static str,
        span: TextSpan,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(Severity::Error, rule, span, message, fix);
    }

    fn warning(
        &mut self,
        rule: &'static str,
        span: TextSpan,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(Severity::Warning, rule, span, message, fix);
    }
}

fn check_version(document: &Document<'_>, kind: DocumentKind, findings: &mut Findings<'_>) {
    if document.version() == Version::Current {
        return;
    }
    let span = document.version_span().unwrap_or_default();
    let fix = "write \"Version\": \"2012-10-17\"";
    if document.statements().iter().any(uses_variables) {
        let message = "policy variables are mere text without Version 2012-10-17";
        findings.error("version", span, message, fix);
    } else if kind == DocumentKind::ResourceControl {
        let message = "a resource control policy needs Version 2012-10-17";
        findings.error("version", span, message, fix);
    } else if document.version_span().is_some() {
        let message = "2008-10-17 is an old version of the policy language";
        findings.warning("version", span, message, fix);
    } else {
        let message = "without a Version the document is read as of 2008-10-17";
        findings.warning("version", span, message, fix);
    }
}

fn uses_variables(statement: &Statement<'_>) -> bool {
    let resources = statement
        .resources
        .iter()
        .flat_map(|resources| &resources.items);
    let values = statement
        .conditions
        .iter()
        .flat_map(|condition| &condition.values);
    resources
        .chain(values)
        .any(|text| pattern::variables(&text.value).next().is_some())
}

fn check_statements(document: &Document<'_>, findings: &mut Findings<'_>) {
    if document.statements().is_empty() {
        findings.error(
            "no-statement",
            document.statements_span(),
            "the document has no statement",
            "add one, or delete the policy",
        );
    }
    for (index, statement) in document.statements().iter().enumerate() {
        let Some(sid) = statement.sid.as_ref().filter(|sid| !sid.value.is_empty()) else {
            continue;
        };
        let is_taken = document.statements().iter().take(index).any(|earlier| {
            earlier
                .sid
                .as_ref()
                .is_some_and(|other| other.value == sid.value)
        });
        if is_taken {
            findings.error(
                "duplicate-sid",
                sid.span,
                format!("the Sid `{}` is given twice", sid.value),
                "give each statement a Sid of its own",
            );
        }
    }
}

fn check_size(text: &str, kind: DocumentKind, findings: &mut Findings<'_>) {
    let (limit, counts_space, source) = kind.size_limit();
    let size = if counts_space {
        text.len()
    } else {
        text.chars().filter(|c| !c.is_whitespace()).count()
    };
    let (unit, fix) = match kind {
        DocumentKind::Bucket | DocumentKind::Key => (
            "bytes",
            "there is but one such policy: take out statements that nobody needs any more, join those \
             that differ in one element, or shorten lists with wildcards",
        ),
        DocumentKind::Identity => (
            "characters",
            "move statements to a managed policy of their own, or shorten lists with wildcards",
        ),
        _ => ("characters", "split it, or shorten it with wildcards"),
    };
    if size > limit {
        findings.error(
            "size",
            TextSpan::default(),
            format!(
                "the document has {size} {unit}, and {} may have {limit} ({source})",
                kind.noun()
            ),
            fix,
        );
    }
}
