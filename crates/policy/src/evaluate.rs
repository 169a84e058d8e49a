//! Evaluation: a request against every policy that bears on it.
//!
//! The answer follows "Policy evaluation logic" of the IAM user guide: a Deny that applies anywhere
//! decides; otherwise every guardrail must allow (service control policies level by level, the VPC
//! endpoint's policy), and beneath them the identity side, the resource's side, or both, as the
//! accounts and the kind of resource demand.

use std::collections::BTreeMap;

use super::condition::{Reading, Truth};
use super::document::Document;
use super::unknown;
use super::verdict::{self, Weighed};

pub use super::request::{Context, ContextValue, Principal, Request};
pub use super::witness::is_multivalued;

/// A document and the name it goes by in explanations.
#[derive(Debug, Clone)]
pub struct Named<'a> {
    /// The name: a policy's name or ARN, or what it hangs on.
    pub name: String,
    /// The document.
    pub document: Document<'a>,
}

/// The policies of one level of an organization: the root, a unit, or the account.
#[derive(Debug, Clone)]
pub struct Level<'a> {
    /// What the policies are attached to.
    pub target: String,
    /// The policies attached there.
    pub policies: Vec<Named<'a>>,
}

/// A KMS grant.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The grant's id.
    pub id: String,
    /// The principal that may use the key: an ARN, or a service's name.
    pub grantee: String,
    /// The operations, as KMS names them: `GenerateDataKey`, `Decrypt`.
    pub operations: Vec<String>,
    /// Pairs that the encryption context must hold.
    pub context_subset: BTreeMap<String, String>,
    /// The whole encryption context, where the grant fixes it.
    pub context_equals: Option<BTreeMap<String, String>>,
    /// The resource for which a service must act: the request's `aws:SourceArn`.
    pub source_arn: Option<String>,
}

/// Every policy that bears on a request.
#[derive(Debug, Clone, Default)]
pub struct Policies<'a> {
    /// The principal's identity policies: attached, inline, and of its groups.
    pub identity: Vec<Named<'a>>,
    /// The principal's permissions boundary.
    pub boundary: Option<Named<'a>>,
    /// The session policy.
    pub session: Option<Named<'a>>,
    /// Service control policies of the principal's account, root first; empty without an organization.
    pub service_control: Vec<Level<'a>>,
    /// Resource control policies of the resource's account, root first.
    pub resource_control: Vec<Level<'a>>,
    /// The policy of the VPC endpoint that the request comes through.
    pub vpc_endpoint: Option<Named<'a>>,
    /// The resource's own policy: a bucket's, a key's, a role's trust policy.
    pub resource: Option<Named<'a>>,
    /// The key's grants, for KMS.
    pub grants: Vec<Grant>,
    /// Kinds of policy that are taken to allow the request, whatever stands in those given here: what
    /// could not be read may hold an Allow. Their Denies count all the same.
    pub assumed_to_allow: Vec<PolicyKind>,
}

/// The answer's short form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// AWS would allow the request.
    Allowed,
    /// A Deny statement applies.
    ExplicitDeny,
    /// Nothing denies it, and something that must allow it does not.
    ImplicitDeny,
    /// It depends on context keys that nobody can tell.
    Depends,
}

impl Decision {
    /// The word for it that the command line prints.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ExplicitDeny => "explicit_deny",
            Self::ImplicitDeny => "implicit_deny",
            Self::Depends => "depends",
        }
    }
}

/// Where a statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyKind {
    /// An identity policy.
    Identity,
    /// A permissions boundary.
    Boundary,
    /// A session policy.
    Session,
    /// A service control policy.
    ServiceControl,
    /// A resource control policy.
    ResourceControl,
    /// A VPC endpoint policy.
    VpcEndpoint,
    /// A resource policy, a key policy among them.
    Resource,
    /// A role's trust policy.
    Trust,
    /// A KMS grant.
    Grant,
}

impl PolicyKind {
    /// How AWS's own refusals call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::VpcEndpoint => "VPC endpoint policy",
            Self::Resource => "resource-based policy",
            Self::Trust => "role trust policy",
            Self::Grant => "grant",
        }
    }
}

/// One statement that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deciding {
    /// What kind of policy it stands in.
    pub kind: PolicyKind,
    /// The policy's name.
    pub policy: String,
    /// The statement's Sid, or its index such as `#0`.
    pub sid: String,
    /// Whether it denies.
    pub is_deny: bool,
}

/// The whole answer.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The short form.
    pub decision: Decision,
    /// The statements that decide: the Deny, or the Allows.
    pub deciding: Vec<Deciding>,
    /// For a denial, the kind of policy that AWS's message would name: the one with the Deny, or
    /// the one in which no statement allows.
    pub denied_by: Option<PolicyKind>,
    /// The answer in a sentence.
    pub explanation: String,
    /// The unknown context keys that the answer depends on.
    pub depends_on: Vec<String>,
    /// Where the answer depends: what the values of the unknown keys lead to, one example for each
    /// answer that is possible.
    pub outcomes: Vec<Outcome>,
    /// Whether no value of the unknown keys leads to another answer than these; where it is not so,
    /// the keys could not be tried with all that they may hold.
    pub is_exhaustive: bool,
    /// Whether the request is allowed, or may be for some values of the unknown keys: an answer that
    /// depends may still be a denial either way.
    pub can_be_allowed: bool,
}

/// What certain values of the unknown keys lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The keys and their values; a key with `None` is absent.
    pub when: Vec<(String, Option<Vec<String>>)>,
    /// The decision then.
    pub decision: Decision,
}

/// Judges a request.
#[must_use]
pub fn evaluate(request: &Request<'_>, policies: &Policies<'_>) -> Evaluation {
    let weighed = verdict::weigh(request, policies, Reading::new(request.context));
    if weighed.decision() == Decision::Depends {
        unknown::resolve(request, policies, &weighed)
    } else {
        conclude(request, policies, &weighed)
    }
}

/// Puts a verdict that depends on nothing into words.
pub(crate) fn conclude(
    request: &Request<'_>,
    policies: &Policies<'_>,
    weighed: &Weighed<'_>,
) -> Evaluation {
    let decision = weighed.decision();
    Evaluation {
        decision,
        deciding: weighed.deciding(Truth::Yes),
        denied_by: weighed.denied_by(),
        explanation: super::explain::sentence(request, policies, weighed),
        depends_on: Vec::new(),
        outcomes: Vec::new(),
        is_exhaustive: true,
        can_be_allowed: decision == Decision::Allowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named<'a>(name: &str, text: &'a str) -> Named<'a> {
        Named {
            name: name.to_owned(),
            document: Document::parse(text).unwrap(),
        }
    }

    #[test]
    fn an_identity_policy_alone_suffices_within_an_account() {
        let context = Context::default();
        let policies = Policies {
            identity: vec![named(
                "Writer",
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Put*","Resource":"arn:aws:s3:::b/*"}}"#,
            )],
            ..Policies::default()
        };
        let mut request = Request {
            principal: Principal::parse("arn:aws:iam::111111111111:user/Ann").unwrap(),
            action: "s3:PutObject",
            resource: "arn:aws:s3:::b/x",
            resource_account: "111111111111",
            context: &context,
        };
        assert_eq!(evaluate(&request, &policies).decision, Decision::Allowed);
        request.resource_account = "222222222222";
        let answer = evaluate(&request, &policies);
        assert_eq!(answer.decision, Decision::ImplicitDeny);
        assert_eq!(answer.denied_by, Some(PolicyKind::Resource));
    }
}
