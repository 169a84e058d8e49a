//! The sentence in AWS's own examples (IAM user guide, `troubleshoot_access-denied`) and as tools wrap it.

use rstest::rstest;

use super::*;

fn only(text: &str) -> AuthorizationSentence {
    let mut found = find_sentences(text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    found.remove(0).sentence
}

const ANN: &str = "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: ";

#[rstest]
#[case(
    "because no identity-based policy allows the s3:GetObject action",
    StatedReason::NoAllow(NamedPolicy::Identity)
)]
#[case(
    "because no resource-based policy allows the s3:GetObject action",
    StatedReason::NoAllow(NamedPolicy::Resource)
)]
#[case(
    "because no session policy allows the s3:GetObject action",
    StatedReason::NoAllow(NamedPolicy::Session)
)]
#[case(
    "because no service control policy allows the s3:GetObject action",
    StatedReason::NoAllow(NamedPolicy::ServiceControl)
)]
#[case(
    "because no VPC endpoint policy allows the s3:GetObject action",
    StatedReason::NoAllow(NamedPolicy::Endpoint)
)]
#[case(
    "because no permissions boundary allows the s3:GetObject action",
    StatedReason::NoAllow(NamedPolicy::Boundary)
)]
#[case(
    "because no role trust policy allows the sts:AssumeRole action",
    StatedReason::NoAllow(NamedPolicy::Trust)
)]
#[case(
    "with an explicit deny in an identity-based policy",
    StatedReason::Deny(Some(NamedPolicy::Identity))
)]
#[case(
    "with an explicit deny in a resource-based policy",
    StatedReason::Deny(Some(NamedPolicy::Resource))
)]
#[case(
    "with an explicit deny in a service control policy",
    StatedReason::Deny(Some(NamedPolicy::ServiceControl))
)]
#[case(
    "with an explicit deny in a resource control policy",
    StatedReason::Deny(Some(NamedPolicy::ResourceControl))
)]
#[case(
    "with an explicit deny in a session policy",
    StatedReason::Deny(Some(NamedPolicy::Session))
)]
#[case(
    "with an explicit deny in a VPC endpoint policy",
    StatedReason::Deny(Some(NamedPolicy::Endpoint))
)]
#[case(
    "with an explicit deny in a permissions boundary",
    StatedReason::Deny(Some(NamedPolicy::Boundary))
)]
#[case(
    "with an explicit deny in the role trust policy",
    StatedReason::Deny(Some(NamedPolicy::Trust))
)]
#[case("with an explicit deny", StatedReason::Deny(None))]
#[case("", StatedReason::None)]
fn every_reason_is_read(#[case] reason: &str, #[case] expected: StatedReason) {
    for resource in [
        "arn:aws:s3:::b/k",
        "\"arn:aws:s3:::b/k\"",
        "*",
        "role exporter",
        "***",
    ] {
        let text = format!("{ANN}s3:GetObject on resource: {resource} {reason}");
        let sentence = only(&text);
        assert_eq!(sentence.reason, expected, "{text}");
        assert_eq!(
            sentence.principal.as_deref(),
            Some("arn:aws:iam::111122223333:user/ann")
        );
        assert_eq!(
            sentence.resource.as_deref(),
            Some(resource.trim_matches('"')),
            "{text}"
        );
        assert!(!sentence.is_cut, "{text}");
    }
}

/// Wrapped at every place, with a box's bars gone, the sentence says the same.
#[test]
fn a_wrap_anywhere_changes_nothing() {
    let text = format!(
        "{ANN}kms:Decrypt on resource: arn:aws:kms:eu-west-1:444455556666:key/1234 with an explicit deny \
         in a service control policy: arn:aws:organizations::987654321098:policy/o-x/service_control_policy/p-x"
    );
    let whole = only(&text);
    assert!(
        whole
            .policy_arn
            .as_deref()
            .is_some_and(|arn| arn.ends_with("/p-x"))
    );
    let arn = text.find("arn:aws:organizations").unwrap();
    for (at, _) in text.char_indices().filter(|(at, _)| (5..arn).contains(at)) {
        let (head, tail) = text.split_at(at);
        let wrapped = only(&format!("{head}\n {tail}"));
        assert_eq!(wrapped, whole, "{head} / {tail}");
    }
}

#[test]
fn the_arn_at_the_end_ends_where_the_tool_goes_on() {
    let text = format!(
        "{ANN}sqs:createqueue on resource: arn:aws:sqs:eu-west-1:1:q with an explicit deny in an \
         identity-based policy: arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3 (Service: Sqs, Status Code: 403)"
    );
    let sentence = only(&text);
    assert_eq!(sentence.action.as_deref(), Some("sqs:createqueue"));
    assert_eq!(
        sentence.policy_arn.as_deref(),
        Some("arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3")
    );
}

#[rstest]
#[case("because no id", StatedReason::NoAllow(NamedPolicy::Identity))]
#[case(
    "because no resource-b...",
    StatedReason::NoAllow(NamedPolicy::Resource)
)]
#[case("because no s", StatedReason::None)]
#[case("bec", StatedReason::None)]
#[case("with an expl…", StatedReason::None)]
fn a_sentence_that_breaks_off_says_so(#[case] reason: &str, #[case] expected: StatedReason) {
    let sentence = only(&format!(
        "{ANN}s3:GetObject on resource: arn:aws:s3:::b/k {reason}"
    ));
    assert_eq!(sentence.reason, expected);
    assert!(sentence.is_cut);
}

#[test]
fn a_sentence_without_a_resource_or_with_this_resource_is_read() {
    let sentence = only(&format!("{ANN}route53:ListHostedZones</Message>"));
    assert_eq!(sentence.action.as_deref(), Some("route53:ListHostedZones"));
    assert_eq!(sentence.resource, None);
    let sentence = only(&format!(
        "{ANN}kms:GenerateDataKey on this resource because the resource does not exist in this Region, no \
         resource-based policies allow access, or a resource-based policy explicitly denies access"
    ));
    assert_eq!(sentence.reason, StatedReason::KeyNotReachable);
    assert_eq!(sentence.resource, None);
}

#[test]
fn the_action_that_the_reason_names_is_the_one_that_is_missing() {
    let sentence = only(
        "You are not authorized to perform this operation. User: arn:aws:sts::***:assumed-role/A/s is not \
         authorized to perform: ec2:CreateVpcEndpoint on resource: arn:aws:ec2:eu-west-2:***:vpc-endpoint/* \
         because no identity-based policy allows the vpce:AllowMultiRegion action.",
    );
    assert_eq!(sentence.action.as_deref(), Some("vpce:AllowMultiRegion"));
}

#[test]
fn a_setting_of_s3_is_kept_in_its_words() {
    let sentence = only(&format!(
        "{ANN}s3:PutBucketPolicy on resource: \"arn:aws:s3:::b\" because public policies are prevented by \
         the BlockPublicPolicy setting in S3 Block Public Access."
    ));
    let StatedReason::Setting(words) = sentence.reason else {
        panic!("{sentence:?}");
    };
    assert!(words.contains("BlockPublicPolicy"), "{words}");
}

#[test]
fn prose_about_authorization_is_no_sentence() {
    for text in [
        "INFO user ann authorized to perform a refund on order 12",
        "You are not authorized to perform this operation.",
        "Sorry, you are not authorized to perform this action",
    ] {
        assert!(find_sentences(text).is_empty(), "{text}");
    }
}
