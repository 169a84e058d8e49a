//! Cutting texts at markers, and filling the fields of an error: what was filled first stays.

use memchr::memmem;

use crate::diagnosis::reported::{ErrorForm, ReportedError};

/// Text after a marker.
pub(super) fn after<'t>(text: &'t str, marker: &str) -> Option<&'t str> {
    let at = memmem::find(text.as_bytes(), marker.as_bytes())?;
    text.get(at + marker.len()..)
}

/// Text up to the first of some characters, or all of it.
pub(super) fn up_to<'t>(text: &'t str, stops: &[char]) -> &'t str {
    text.split(stops).next().unwrap_or_default()
}

/// The first line.
pub(super) fn line(text: &str) -> &str {
    text.trim_start_matches([' ', '\n'])
        .split('\n')
        .next()
        .unwrap_or_default()
        .trim()
}

/// The name of a code, without the namespace that some services put before it.
pub(super) fn code_name(code: &str) -> Option<String> {
    let code = code.trim().trim_matches(['"', '\'']);
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.strip_prefix("Client.").unwrap_or(code);
    let code = code.strip_prefix("Server.").unwrap_or(code);
    let code = if code.starts_with("com.") || code.starts_with("software.") {
        code.rsplit('.').next().unwrap_or(code)
    } else {
        code
    };
    let is_code = (3..=80).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b' ' | b'-'));
    is_code.then(|| code.to_owned())
}

/// Fills a field that is empty.
pub(super) fn set(field: &mut Option<String>, value: &str) {
    let value = value.trim().trim_matches(['"', '\'', ',', ';']);
    if field.is_none() && !value.is_empty() && value.len() <= 200 {
        *field = Some(value.to_owned());
    }
}

impl ReportedError {
    pub(super) fn set_code(&mut self, code: &str) {
        if self.code.is_none() {
            self.code = code_name(code);
        }
        if self.code.is_some() {
            self.form = ErrorForm::Error;
        }
    }

    pub(super) fn set_message(&mut self, message: &str) {
        if self.message.is_empty() {
            message.trim().clone_into(&mut self.message);
        }
    }

    pub(super) fn set_status(&mut self, digits: &str) {
        let digits = digits.trim_start_matches([' ', ':', '\'', '"']);
        let end = digits.bytes().take_while(u8::is_ascii_digit).count();
        if self.status.is_none()
            && let Some(status) = digits.get(..end).and_then(|digits| digits.parse().ok())
            && (100..600).contains(&status)
        {
            self.status = Some(status);
        }
    }

    pub(super) fn set_service(&mut self, name: &str) {
        if self.service.is_some() {
            return;
        }
        let name = name.trim().to_ascii_lowercase();
        let name = ["amazon", "aws"].iter().fold(name.as_str(), |name, maker| {
            name.strip_prefix(maker).unwrap_or(name).trim()
        });
        let name = match name {
            "securitytokenservice" | "security token service" => "sts",
            "dynamodbv2" => "dynamodb",
            "identitymanagement" => "iam",
            name => name,
        };
        let is_name = !name.is_empty()
            && name.len() <= 40
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-'));
        if is_name {
            self.service = Some(name.replace(' ', "-"));
        }
    }
}
