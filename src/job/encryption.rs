//! The `[encryption]` section: which algorithm, and which key is legal with it.

use super::Encryption;
use super::partition::Claims;
use super::section::{Placed, Section};
use super::violation::Complaints;
use tableferry_policy::arn::Arn;

#[derive(Clone, Copy)]
enum Algorithm {
    Aes256,
    Kms,
}

/// Reads the section; where it is absent, DynamoDB's default stands.
pub(super) fn read(
    section: Section<'_, '_>,
    claims: &mut Claims,
    complaints: &mut Complaints<'_>,
) -> Encryption {
    section.refuse_unknown(&["algorithm", "key"], complaints);
    let algorithm = section.text_that("algorithm", complaints, algorithm);
    let key = section.text_that("key", complaints, key);
    if let Some(arn) = key.as_ref().and_then(|key| key.value.parse::<Arn>().ok()) {
        let at = key.as_ref().map_or(section.at, |key| key.at);
        claims.note_arn("the key", &arn, at);
    }
    match algorithm.map(|algorithm| algorithm.value) {
        Some(Algorithm::Kms) => Encryption::Kms {
            key: key.map(|key| key.value),
        },
        None if section.value("algorithm").is_some() => Encryption::Aes256,
        None | Some(Algorithm::Aes256) => {
            refuse_key_without_kms(section, key.as_ref(), complaints);
            Encryption::Aes256
        }
    }
}

fn algorithm(text: &str) -> Result<Algorithm, (String, String)> {
    match text {
        "AES256" => Ok(Algorithm::Aes256),
        "KMS" => Ok(Algorithm::Kms),
        _ => {
            let hint = if text.to_ascii_lowercase().contains("kms") {
                "S3SseAlgorithm is spelt \"KMS\" here; `aws:kms` is how S3's own API spells it"
            } else {
                "it is \"AES256\" or \"KMS\""
            };
            Err((format!("`{text}` is no algorithm"), hint.to_owned()))
        }
    }
}

/// `S3SseKmsKeyId` is refused with any other algorithm: "KMS Key Id is not supported for this
/// encryption type".
fn refuse_key_without_kms(
    section: Section<'_, '_>,
    key: Option<&Placed<String>>,
    complaints: &mut Complaints<'_>,
) {
    if let Some(key) = key {
        complaints.add(
            key.at,
            format!("{} has a key, and its algorithm is AES256", section.title),
            "add `algorithm = \"KMS\"`, or remove the key",
        );
    }
}

fn key(text: &str) -> Result<String, (String, String)> {
    let right = "give the key's full ARN: arn:aws:kms:REGION:ACCOUNT:key/ID".to_owned();
    let length = text.chars().count();
    if length > 2048 {
        return Err((format!("`key` has {length} characters"), right));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(("`key` has a space or line break".to_owned(), right));
    }
    if text.starts_with("arn:") {
        let arn: Arn = text
            .parse()
            .map_err(|error: tableferry_policy::arn::Malformed| {
                (error.to_string(), right.clone())
            })?;
        let is_key = arn.service == "kms"
            && arn.region_code().is_some()
            && arn.account_id().is_some()
            && ["key", "alias"]
                .iter()
                .any(|kind| arn.resource_after(kind).is_some_and(|id| !id.is_empty()));
        if !is_key {
            return Err((format!("`{text}` is not the ARN of a KMS key"), right));
        }
    }
    Ok(text.to_owned())
}
