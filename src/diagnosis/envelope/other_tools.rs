//! The forms of libraries that word AWS's errors anew: Arrow and others over the C++ SDK, R's paws, Python's
//! s3fs, the first Java SDK, and CloudFormation where it quotes S3.

use super::fields::{after, code_name, line, set, up_to};
use crate::diagnosis::reported::{ReportedError, is_bare};

/// Reads the form that a record has, if any.
pub(super) fn other_tools(text: &str, error: &mut ReportedError) {
    arrow(text, error);
    paws(text, error);
    s3fs(text, error);
    quoted_s3(text, error);
    first_java(text, error);
}

/// `AWS Error CODE during OP operation: MESSAGE`, the code as the C++ SDK's `CoreErrors` spells it, or its
/// number there.
fn arrow(text: &str, error: &mut ReportedError) {
    let Some((code, rest)) = after(text, "AWS Error ").and_then(|rest| rest.split_once([':', ' ']))
    else {
        return;
    };
    let code = match code {
        // The first Java SDK's `AWS Error Code: …`.
        "Code" | "Message" => return,
        "[code" if rest.starts_with("15]") => "AccessDenied".to_owned(),
        _ => camel_case(code),
    };
    error.set_code(&code);
    if let Some(call) = after(rest, "during ") {
        set(&mut error.operation, up_to(call, &[' ', '\n']));
    }
    if let Some((_, message)) = rest.split_once(": ") {
        error.set_message(line(message));
    }
}

/// `ACCESS_DENIED` as `AccessDenied`.
fn camel_case(code: &str) -> String {
    let words = code.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{first}{}", rest.to_ascii_lowercase())
    });
    words.collect()
}

/// `CODE (HTTP 403). MESSAGE`; a head has no code of AWS's, and names the call.
fn paws(text: &str, error: &mut ReportedError) {
    let Some((before, rest)) = text.split_once(" (HTTP ") else {
        return;
    };
    let Some((status, message)) = rest.split_once("). ") else {
        return;
    };
    let code = before.rsplit([' ', '\n']).next().unwrap_or_default();
    if status.parse::<u16>().is_err() || code_name(code).is_none() {
        return;
    }
    error.set_status(status);
    let message = line(message);
    if let Some(call) = after(message, "when calling the ") {
        set(&mut error.operation, up_to(call, &[' ']));
    }
    let last = message.rsplit(": ").next().unwrap_or(message);
    if status == "403" && is_bare(last) && code == "SerializationError" {
        error.set_code("Forbidden");
        error.set_message(last);
    } else {
        error.set_code(code);
        error.set_message(message);
    }
}

/// s3fs turns a denial into Python's own error, with AWS's words (`s3fs/errors.py`).
fn s3fs(text: &str, error: &mut ReportedError) {
    if let Some(message) = after(text, "PermissionError: ").map(line)
        && is_bare(message)
    {
        error.set_code("AccessDenied");
        error.set_message(message);
    }
}

/// The order of Java's SDK in its first years: `Status Code: 403, AWS Service: Amazon S3, AWS Request ID: X,
/// AWS Error Code: CODE, AWS Error Message: MESSAGE`.
fn first_java(text: &str, error: &mut ReportedError) {
    let Some(code) = after(text, "AWS Error Code: ") else {
        return;
    };
    if let Some(service) = after(text, "AWS Service: ") {
        error.set_service(up_to(service, &[',']));
    }
    error.set_code(up_to(code, &[',', '\n']));
    if let Some(message) = after(code, "AWS Error Message: ") {
        error.set_message(up_to(message, &['"', '\n']));
    }
}

/// `S3 error: MESSAGE` within an error of CloudFormation, which reads templates from S3 as the caller.
fn quoted_s3(text: &str, error: &mut ReportedError) {
    let message = after(text, "S3 error: ").map(line);
    let message = message.map(|message| message.split(" For more").next().unwrap_or(message));
    if let Some(message) = message
        && is_bare(message)
        && message.contains("Denied")
    {
        error.set_service("s3");
        error.set_code("AccessDenied");
        error.set_message(message);
    }
}
