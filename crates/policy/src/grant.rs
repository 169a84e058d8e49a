//! Grants on keys: whether one lists an operation, and whether a request meets its constraints.

use super::condition::{ContextReading, Truth};
use super::policies::Grant;
use super::request::Request;

/// Whether a grant lists the operation, and the request meets its constraints.
pub(crate) fn holds(grant: &Grant, request: &Request<'_>, reading: ContextReading<'_>) -> Truth {
    let Some(operation) = operation_of_kms(request.action) else {
        return Truth::No;
    };
    let is_listed = grant
        .operations
        .iter()
        .any(|known| known.eq_ignore_ascii_case(operation));
    if is_listed {
        constraints_hold(grant, operation, reading)
    } else {
        Truth::No
    }
}

fn operation_of_kms(action: &str) -> Option<&str> {
    let (service, operation) = action.split_once(':')?;
    service.eq_ignore_ascii_case("kms").then_some(operation)
}

/// The operations with an encryption context; `CreateGrant` hands the constraint on. To others, "such
/// as cryptographic operations with asymmetric KMS keys and management operations", the constraints
/// "are not applied" (`GrantConstraints` in the KMS API reference).
const WITH_ENCRYPTION_CONTEXT: [&str; 9] = [
    "CreateGrant",
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
];

/// Whether the request meets the grant's constraints.
fn constraints_hold(grant: &Grant, operation: &str, reading: ContextReading<'_>) -> Truth {
    let source = grant
        .source_arn
        .as_ref()
        .map_or(Truth::Yes, |source| reading.equals("aws:SourceArn", source));
    let has_context = WITH_ENCRYPTION_CONTEXT
        .iter()
        .any(|known| known.eq_ignore_ascii_case(operation));
    if !has_context {
        return source;
    }
    source.and(encryption_context_holds(grant, reading))
}

/// Whether the request's encryption context is the one that the grant demands.
fn encryption_context_holds(grant: &Grant, reading: ContextReading<'_>) -> Truth {
    let pair_holds = |(name, value): (&String, &String)| {
        reading.equals(&format!("kms:EncryptionContext:{name}"), value)
    };
    let subset = Truth::all(grant.context_subset.iter().map(pair_holds));
    let Some(whole) = &grant.context_equals else {
        return subset;
    };
    let no_more = Truth::all(reading.keys_under("kms:EncryptionContext:").map(
        |(name, presence)| {
            match presence {
                Truth::Yes => whole
                    .keys()
                    .any(|known| known.eq_ignore_ascii_case(name))
                    .into(),
                _ if whole.keys().any(|known| known.eq_ignore_ascii_case(name)) => Truth::Yes,
                Truth::Unknown => Truth::Unknown,
                Truth::No => Truth::Yes,
            }
        },
    ));
    subset
        .and(Truth::all(whole.iter().map(pair_holds)))
        .and(no_more)
}
