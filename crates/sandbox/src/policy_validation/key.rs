//! What KMS checks of a key policy, in its own words (`MalformedPolicyDocumentException`).

use super::all_principals_exist;
use crate::refusal::Refusal;
use crate::world::World;
use tableferry_policy::document::Document;
use tableferry_policy::lint::{DocumentKind, lint};

/// Whether KMS takes a key policy.
pub(crate) fn check_key_policy(world: &World, text: &str) -> Result<(), Refusal> {
    let malformed = |message: &str| Refusal::new("MalformedPolicyDocumentException", message);
    if text.len() > 32 * 1024 {
        // "Key policy document size: 32 KB" ("Resource quotas", KMS developer guide), and the words of
        // the exception in the API reference of `PutKeyPolicy`.
        return Err(Refusal::new(
            "LimitExceededException",
            "The request was rejected because a length constraint or quota was exceeded.",
        ));
    }
    // What KMS says of a document that is no policy, nobody has published.
    let policy = Document::parse(text).map_err(|error| malformed(&error.to_string()))?;
    if policy
        .statements()
        .iter()
        .any(|statement| statement.principals.is_none())
    {
        return Err(malformed("Policy contains a statement with no principal."));
    }
    let has_invalid = lint(text, DocumentKind::Key)
        .iter()
        .any(|finding| matches!(finding.rule, "invalid-principal" | "invalid-service"));
    if has_invalid || !all_principals_exist(world, &policy) {
        return Err(malformed(
            "Policy contains a statement with one or more invalid principals.",
        ));
    }
    Ok(())
}
