//! The `[encryption]` section: which algorithm, and which key is legal with it.

use toml::Spanned;

use super::Encryption;
use super::consistency::ConsistencyCheck;
use super::section::Section;
use super::value::{InvalidValue, KeyRef};
use super::violation::Violations;

#[derive(Clone, Copy)]
enum Algorithm {
    Aes256,
    Kms,
}

/// Reads the section; where it names no algorithm, `by_default` stands.
pub(super) fn read(
    section: Section<'_, '_>,
    by_default: Encryption,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Encryption {
    section.refuse_unknown(&["algorithm", "key"], violations);
    let algorithm = section.text_that("algorithm", violations, algorithm);
    let key = section.text_that("key", violations, str::parse::<KeyRef>);
    if let Some(key) = &key
        && let Ok(arn) = key.get_ref().as_str().parse()
    {
        consistency.note_arn("the key", &arn, key.span());
    }
    match algorithm.map(Spanned::into_inner) {
        Some(Algorithm::Kms) => Encryption::Kms {
            key: key.map(Spanned::into_inner),
        },
        None if section.value("algorithm").is_some() => by_default,
        Some(Algorithm::Aes256) => {
            refuse_key(section, key.as_ref(), "its algorithm is AES256", violations);
            Encryption::Aes256
        }
        None => {
            let why = match by_default {
                Encryption::Aes256 => "its algorithm is AES256",
                _ => "no algorithm",
            };
            refuse_key(section, key.as_ref(), why, violations);
            by_default
        }
    }
}

fn algorithm(text: &str) -> Result<Algorithm, InvalidValue> {
    match text {
        "AES256" => Ok(Algorithm::Aes256),
        "KMS" => Ok(Algorithm::Kms),
        _ => {
            let hint = if text.to_ascii_lowercase().contains("kms") {
                "S3SseAlgorithm is spelt \"KMS\" here; `aws:kms` is how S3's own API spells it"
            } else {
                "it is \"AES256\" or \"KMS\""
            };
            Err(InvalidValue {
                message: format!("`{text}` is no algorithm"),
                hint: hint.to_owned(),
            })
        }
    }
}

/// `S3SseKmsKeyId` is refused with any other algorithm: "KMS Key Id is not supported for this
/// encryption type".
fn refuse_key(
    section: Section<'_, '_>,
    key: Option<&Spanned<KeyRef>>,
    why: &str,
    violations: &mut Violations,
) {
    if let Some(key) = key {
        violations.add(
            key.span().start,
            format!("{} has a key, and {why}", section.title),
            "add `algorithm = \"KMS\"`, or remove the key",
        );
    }
}
