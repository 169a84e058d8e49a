//! Denies on uploads: the document that one stands in, and the encryption that it demands.

use std::sync::Arc;

use super::applicable_policies::bucket_document;
use super::facts::Facts;
use tableferry_policy::document::{Document, Statement, StatementEffect};
use tableferry_policy::evaluate::{Deciding, PolicyKind};

/// The document that a Deny on a bucket stands in: the bucket's policy, or a resource control policy.
pub(super) fn denying_document<'f>(facts: &'f Facts, deny: &Deciding) -> Option<&'f Document<'f>> {
    let policy = match deny.kind {
        PolicyKind::Resource => facts
            .buckets()
            .find(|(name, _)| bucket_document(name) == deny.policy)
            .and_then(|(_, bucket)| bucket.policy.value()),
        PolicyKind::ResourceControl => {
            let levels = facts
                .accounts()
                .filter_map(|(_, account)| account.resource_control.value());
            levels
                .flatten()
                .flat_map(|level| &level.policies)
                .find(|policy| policy.name == deny.policy)
                .map(|policy| &policy.document)
        }
        _ => None,
    };
    policy?.document().ok().map(Arc::as_ref)
}

/// Whether a Deny on a bucket is for want of encryption, which the job can meet.
pub(crate) fn is_for_encryption(facts: &Facts, deny: &Deciding) -> bool {
    denying_document(facts, deny).is_some_and(|document| is_deny_of_encryption(document, &deny.sid))
}

/// Whether a Deny of a document is one that the plan meets by encrypting as it asks. One that exempts
/// no way in which an export can encrypt is not.
pub(super) fn is_deny_of_encryption(document: &Document<'_>, label: &str) -> bool {
    let first = denies_named(document, label).into_iter().next();
    let statement = first.and_then(|index| document.statements().get(index));
    statement.is_some_and(|statement| demands_aes256(statement) || demands_kms(statement))
}

/// The indexes of the Denies that go by a label, as verdicts name them.
pub(super) fn denies_named(document: &Document<'_>, label: &str) -> Vec<usize> {
    document
        .statements()
        .iter()
        .enumerate()
        .filter(|(index, statement)| {
            statement.effect == StatementEffect::Deny && statement.label(*index) == label
        })
        .map(|(index, _)| index)
        .collect()
}

/// Whether a statement has a condition on a key, or on one that begins with it.
pub(super) fn asks_for(statement: &Statement<'_>, key: &str) -> bool {
    statement.conditions.iter().any(|condition| {
        let asked = condition.key.value.as_ref();
        asked
            .get(..key.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(key))
    })
}

/// Whether a Deny is one for want of encryption, which the plan meets by encrypting as it asks.
pub(super) fn is_about_encryption(statement: &Statement<'_>) -> bool {
    asks_for(statement, "s3:x-amz-server-side-encryption")
}

/// Whether a Deny is met by encrypting with a KMS key: one that exempts `aws:kms`, hits `AES256`, or
/// asks for a key. An export cannot ask for `aws:kms:dsse` (`S3SseAlgorithm` is `AES256` or `KMS`).
pub(super) fn demands_kms(statement: &Statement<'_>) -> bool {
    statement.conditions.iter().any(|condition| {
        let key = condition.key.value.to_ascii_lowercase();
        let is_negated = condition.operator.is_negated;
        let has = |wanted: &dyn Fn(&str) -> bool| {
            let mut values = condition.values.iter();
            values.any(|value| wanted(value.value.as_ref()))
        };
        let is_of_kms = |value: &str| match value.strip_suffix('*') {
            Some(head) => "aws:kms".starts_with(head),
            None => value == "aws:kms",
        };
        match key.as_str() {
            "s3:x-amz-server-side-encryption" if is_negated => has(&is_of_kms),
            "s3:x-amz-server-side-encryption" => has(&|value| value == "AES256"),
            "s3:x-amz-server-side-encryption-aws-kms-key-id" => true,
            _ => false,
        }
    })
}

/// The key that a Deny demands for uploads: every other is denied.
pub(super) fn demanded_key(statement: &Statement<'_>) -> Option<String> {
    statement.conditions.iter().find_map(|condition| {
        let is_key = condition
            .key
            .value
            .eq_ignore_ascii_case("s3:x-amz-server-side-encryption-aws-kms-key-id");
        let value = condition.values.first()?;
        (is_key && condition.operator.is_negated && value.value.contains(":key/"))
            .then(|| value.value.clone().into_owned())
    })
}

/// Whether a Deny exempts none but uploads with S3's own keys.
pub(super) fn demands_aes256(statement: &Statement<'_>) -> bool {
    statement.conditions.iter().any(|condition| {
        condition
            .key
            .value
            .eq_ignore_ascii_case("s3:x-amz-server-side-encryption")
            && condition.operator.is_negated
            && condition.values.iter().any(|value| value.value == "AES256")
    })
}
