//! Evaluation: a request against every policy that bears on it.
//!
//! The answer follows "Policy evaluation logic" of the IAM user guide: a Deny that applies anywhere
//! decides; otherwise every guardrail must allow (service control policies level by level, the VPC
//! endpoint's policy), and beneath them the identity side, the resource's side, or both, as the
//! accounts and the kind of resource demand.

use super::condition::ContextReading;
use super::{explain, unknown, verdict};

pub use super::decision::{Deciding, Decision, Evaluation, PossibleDecision};
pub use super::dependency::Dependency;
pub use super::examples::is_multivalued;
pub use super::named_policy::NamedPolicy;
pub use super::pattern::is_like;
pub use super::policies::{Grant, Level, Named, Policies, PolicyKind};
pub use super::request::{Context, ContextValue, Principal, Request};

/// Judges a request.
#[must_use]
pub fn evaluate(request: &Request<'_>, policies: &Policies<'_>) -> Evaluation {
    let partial = verdict::evaluate(request, policies, ContextReading::new(request.context));
    if partial.decision() == Decision::Depends {
        unknown::resolve(request, policies, &partial)
    } else {
        explain::conclude(request, policies, &partial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    fn named<'a>(name: &str, text: &'a str) -> Named<'a> {
        Named::new(name, Document::parse(text).unwrap())
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
