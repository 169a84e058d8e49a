//! The members of a request in the JSON protocols, and the words for one that breaks a rule.

use serde_json::Value;

use super::query::lower_first;
use super::refusal::Refusal;

/// A text member.
pub(super) fn text<'a>(input: &'a Value, name: &str) -> Option<&'a str> {
    input.get(name).and_then(Value::as_str)
}

/// A text member that must be there.
pub(super) fn require<'a>(input: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    text(input, name).ok_or_else(|| {
        Refusal::validation(format!(
            "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member \
             must not be null",
            lower_first(name)
        ))
    })
}

/// A text member that must be one of several values.
pub(super) fn check_enum(input: &Value, name: &str, choices: &[&str]) -> Result<(), Refusal> {
    match text(input, name) {
        Some(value) if !choices.contains(&value) => Err(violation(
            &lower_first(name),
            value,
            &format!(
                "Member must satisfy enum value set: [{}]",
                choices.join(", ")
            ),
        )),
        _ => Ok(()),
    }
}

/// A member whose value breaks a rule.
pub(super) fn violation(field: &str, value: &str, rule: &str) -> Refusal {
    Refusal::validation(format!(
        "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: \
         {rule}"
    ))
}
