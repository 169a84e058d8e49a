//! What of an error's words is never repeated: access keys, session tokens, signatures of requests.

use std::borrow::Cow;

/// Names before a value that is a secret.
const NAMES: [&str; 12] = [
    "X-Amz-Signature=",
    "X-Amz-Security-Token=",
    "X-Amz-Credential=",
    "AWSAccessKeyId=",
    "Signature=",
    "Credential=",
    "SecretAccessKey",
    "aws_secret_access_key",
    "aws_session_token",
    "SessionToken",
    "x-amz-security-token",
    "AWS_SECRET_ACCESS_KEY",
];

/// How a session token begins.
const TOKENS: [&str; 4] = ["IQoJ", "FwoG", "FQoG", "AgoJ"];

/// The text without secrets.
pub(super) fn without_secrets(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for name in NAMES {
        if text.contains(name) {
            text = Cow::Owned(without_values(&text, name));
        }
    }
    for start in ["AKIA", "ASIA"] {
        if text.contains(start) {
            text = Cow::Owned(without_words(&text, start, 16, |byte| {
                byte.is_ascii_uppercase() || byte.is_ascii_digit()
            }));
        }
    }
    for start in TOKENS {
        if text.contains(start) {
            text = Cow::Owned(without_words(&text, start, 60, |byte| {
                byte.is_ascii_alphanumeric() || b"+/=%_-".contains(&byte)
            }));
        }
    }
    text
}

/// Replaces what stands behind a name, up to the end of its value.
fn without_values(text: &str, name: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(name) {
        kept.push_str(before);
        kept.push_str(name);
        let mark = behind.len()
            - behind
                .trim_start_matches(['"', '\'', ':', '=', ' ', '>'])
                .len();
        let (mark, value) = behind.split_at(mark);
        kept.push_str(mark);
        let end = value
            .find(|character: char| character.is_whitespace() || "&\"',;<)}".contains(character))
            .unwrap_or(value.len());
        if end >= 8 {
            kept.push_str("***");
        } else {
            kept.push_str(value.get(..end).unwrap_or_default());
        }
        rest = value.get(end..).unwrap_or_default();
    }
    kept.push_str(rest);
    kept
}

/// Replaces words that begin so and go on for at least `length` bytes.
fn without_words(text: &str, start: &str, length: usize, is_part: impl Fn(u8) -> bool) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(start) {
        kept.push_str(before);
        kept.push_str(start);
        let end = behind.bytes().take_while(|byte| is_part(*byte)).count();
        if end >= length {
            kept.push_str("***");
        } else {
            kept.push_str(behind.get(..end).unwrap_or_default());
        }
        rest = behind.get(end..).unwrap_or_default();
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tokens_and_signatures_are_not_repeated() {
        let url = "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261120&X-Amz-Signature=0123456789abcdef&X-Amz-Expires=300";
        let told = without_secrets(url);
        assert!(
            !told.contains("AKIAIOSFODNN7EXAMPLE") && !told.contains("0123456789abcdef"),
            "{told}"
        );
        assert!(told.contains("X-Amz-Expires=300"), "{told}");
        let token = format!("token IQoJb3JpZ2lu{} end", "a1B/".repeat(40));
        assert_eq!(without_secrets(&token), "token IQoJ*** end");
        let pair = r#"{"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "a": 1}"#;
        assert_eq!(
            without_secrets(pair),
            r#"{"SecretAccessKey": "***", "a": 1}"#
        );
    }

    #[test]
    fn other_words_stay() {
        for text in [
            "arn:aws:iam::111122223333:role/ASIA",
            "The AWS Access Key Id you provided does not exist",
            "must provide both SessionToken and key",
        ] {
            assert_eq!(without_secrets(text), text);
        }
    }
}
