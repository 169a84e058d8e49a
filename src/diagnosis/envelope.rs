//! What stands around a message: the code, the call, the status and the request's id, in the form of each
//! tool (AWS CLI, boto3, and the SDKs for Java, Go, JavaScript, Rust, Ruby, PHP and .NET; CloudFormation).
//!
//! Each form is a marker that nothing but an error has, so that prose about errors has none.

mod fields;
mod other_tools;
mod pairs;

use self::fields::{after, code_name, line, set, up_to};
use self::other_tools::other_tools;
use self::pairs::pairs;
use super::reported::{ErrorForm, ReportedError, is_bare, is_denial};

/// Reads the forms of all tools out of a record's text; what one form tells, a later one does not change.
pub(super) fn read_envelope(text: &str, error: &mut ReportedError) {
    other_tools(text, error);
    cli(text, error);
    go(text, error);
    java(text, error);
    rust(text, error);
    xml(text, error);
    ruby(text, error);
    php(text, error);
    dotnet(text, error);
    pairs(text, error);
    cloudformation(text, error);
    go_v1(text, error);
    class_names(text, error);
}

/// `An error occurred (CODE) when calling the OP operation[ (reached max retries: N)]: MESSAGE`, and the
/// form of older versions, `A client error (CODE) occurred when calling the OP operation: MESSAGE`.
fn cli(text: &str, error: &mut ReportedError) {
    let begun = after(text, "n error occurred (").or_else(|| after(text, "client error ("));
    let Some((code, rest)) = begun.and_then(|rest| rest.split_once(')')) else {
        return;
    };
    // Prose that quotes the beginning of the form does not go on so.
    let Some(rest) = after(rest, "when calling the ") else {
        return;
    };
    error.set_code(code);
    set(&mut error.operation, up_to(rest, &[' ', '\n']));
    // The retries have a colon of their own.
    let rest = match after(rest, "(reached max retries:") {
        Some(retries) => retries.split_once(')').map_or(retries, |(_, rest)| rest),
        None => rest,
    };
    // Some programs put the words on a line of their own.
    let words = match rest.split_once(" operation") {
        Some((_, behind)) if behind.trim_start_matches(' ').starts_with('\n') => Some(behind),
        _ => rest.split_once(": ").map(|(_, message)| message),
    };
    if let Some(message) = words {
        error.set_message(within_quotes(unquoted(text, line(message))));
    }
}

/// A message up to the quote that ends the string of JSON in which it stands.
fn within_quotes(message: &str) -> &str {
    let ends = |at: usize| {
        let behind = message.get(at + 1..).unwrap_or_default().trim_start();
        behind.is_empty() || behind.starts_with([',', '}', ']', ')'])
    };
    let mut quotes = message.match_indices('"').map(|(at, _)| at).enumerate();
    let end = quotes.find(|(number, at)| number % 2 == 0 && ends(*at));
    end.and_then(|(_, at)| message.get(..at)).unwrap_or(message)
}

/// A message without the end of the exception that a program printed around it, as Python does in
/// `S3UploadFailedError('… Access Denied',)`.
fn unquoted<'t>(text: &str, message: &'t str) -> &'t str {
    let ends: &[&str] = if text.contains("Error('") {
        &["',)", "')"]
    } else if text.contains("Error(\"") {
        &["\",)", "\")"]
    } else {
        &[]
    };
    let cut = ends.iter().filter_map(|end| message.find(end)).min();
    cut.and_then(|cut| message.get(..cut)).unwrap_or(message)
}

/// Go's second SDK: `operation error S3: PutObject, https response error StatusCode: 403, RequestID: X,
/// HostID: Y, api error CODE: MESSAGE`; an error of the model has its name in place of `api error CODE`.
fn go(text: &str, error: &mut ReportedError) {
    if after(text, "operation error").is_none() && after(text, "api").is_none() {
        return;
    }
    let text = text.replace('\n', " ");
    let operation = after(&text, "operation error ");
    if let Some(rest) = operation
        && let Some((service, rest)) = rest.split_once(": ")
    {
        if error.operation.is_none() {
            error.set_service(service);
        }
        set(&mut error.operation, up_to(rest.trim_start(), &[',', ' ']));
        if let Some(status) = after(rest, "StatusCode: ") {
            error.set_status(status);
        }
        if let Some(id) = after(rest, "RequestID: ") {
            set(&mut error.request_id, up_to(id, &[',', ' ']));
        }
        if !rest.contains("api error")
            && let Some(rest) = after(rest, "RequestID: ")
        {
            let named = rest.split(", ").find_map(|part| {
                let (name, message) = part.split_once(": ")?;
                let is_name = !name.contains(' ') && name != "HostID" && name.len() > 5;
                is_name.then_some((name, message))
            });
            if let Some((name, message)) = named {
                error.set_code(name);
                error.set_message(message);
            }
        }
    }
    let api = text
        .match_indices("api")
        .find_map(|(at, _)| text.get(at + 3..)?.trim_start().strip_prefix("error "));
    if let Some((code, message)) = api.and_then(|rest| rest.split_once(": "))
        && !code.contains(' ')
    {
        error.set_code(code);
        error.set_message(up_to(message, &['"', '\n']));
    }
}

/// Java's SDKs: `MESSAGE (Service: Amazon S3; Status Code: 403; Error Code: CODE; Request ID: X …)` and
/// `MESSAGE (Service: S3, Status Code: 403, Request ID: X …)`; some programs leave the service out.
fn java(text: &str, error: &mut ReportedError) {
    if after(text, "Service:").is_none() && after(text, "(Status").is_none() {
        return;
    }
    let text = text.replace('\n', " ");
    let Some(at) = ["(Service: ", "(Status Code: "]
        .iter()
        .find_map(|head| text.find(head))
    else {
        return;
    };
    let (before, rest) = text.split_at(at);
    let stops = [';', ',', ')'];
    if let Some(service) = rest.strip_prefix("(Service: ")
        && error.operation.is_none()
    {
        error.set_service(up_to(service, &stops));
    }
    if let Some(status) = after(rest, "Status Code: ") {
        error.set_status(status);
    }
    if let Some(code) = after(rest, "Error Code: ") {
        error.set_code(up_to(code, &stops));
    }
    if let Some(id) = after(rest, "Request ID: ") {
        set(&mut error.request_id, up_to(id, &stops));
    }
    if let Some(code) = after(before, "Service returned error code ") {
        error.set_code(code);
    }
    error.form = ErrorForm::Error;
    // What stands before is `class: MESSAGE`, after a quote or a class's name.
    let message = before.rsplit(['"', '\n', '[']).next().unwrap_or(before);
    let message = message
        .rfind("Exception: ")
        .and_then(|at| message.get(at + 11..))
        .unwrap_or(message);
    let message = message.split("; request: ").next().unwrap_or(message);
    let last = message.rsplit(": ").next().unwrap_or(message);
    // What a program put before it is no word of AWS's: "Query … FAILED with reason Access Denied".
    let ending = ["Access Denied", "Forbidden", "AccessDeniedExceptionnull"]
        .into_iter()
        .find(|words| message.trim_end().ends_with(words));
    error.set_message(match ending {
        _ if is_bare(last) => last,
        Some(ending) => ending.strip_suffix("null").unwrap_or(ending),
        None => message,
    });
}

/// Rust's: `unhandled error (CODE): Error { code: "CODE", message: "MESSAGE", aws_request_id: "X" }`.
fn rust(text: &str, error: &mut ReportedError) {
    if let Some(code) = after(text, "unhandled error (") {
        error.set_code(up_to(code, &[')']));
    }
    if let Some(status) = after(text, "StatusCode(") {
        error.set_status(status);
        if error.status == Some(403) && text.contains("unhandled error") {
            error.form = ErrorForm::Error;
        }
    }
    let Some(rest) = after(text, "Error { code: \"").or_else(|| after(text, "code: Some(\""))
    else {
        return;
    };
    error.set_code(up_to(rest, &['"']));
    if let Some(message) = after(rest, "message: \"").or_else(|| after(rest, "message: Some(\"")) {
        error.set_message(message.split("\", ").next().unwrap_or_default());
    }
    if let Some(id) = after(rest, "request_id: \"") {
        set(&mut error.request_id, up_to(id, &['"']));
    }
}

/// The bodies of S3, STS, IAM and EC2: `<Error><Code>CODE</Code><Message>MESSAGE</Message>`.
fn xml(text: &str, error: &mut ReportedError) {
    let Some(rest) = after(text, "<Code>") else {
        return;
    };
    error.set_code(up_to(rest, &['<']));
    if let Some(message) = after(rest, "<Message>") {
        error.set_message(up_to(message, &['<']));
    }
    if let Some(id) = after(rest, "<RequestId>").or_else(|| after(rest, "<RequestID>")) {
        set(&mut error.request_id, up_to(id, &['<', ' ', '.']));
    }
}

/// Ruby's: `MESSAGE (Aws::S3::Errors::CODE)` and `Aws::S3::Errors::CODE: MESSAGE`.
fn ruby(text: &str, error: &mut ReportedError) {
    let Some((before, rest)) = text.split_once("::Errors::") else {
        return;
    };
    let name = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (code, rest) = rest.split_at(name);
    let Some((before, service)) = before.rsplit_once("::") else {
        return;
    };
    if !before.to_ascii_lowercase().ends_with("aws") {
        return;
    }
    error.set_code(code);
    error.set_service(service);
    if let Some(message) = rest.strip_prefix(": ") {
        let message = up_to(line(message), &['>']);
        error.set_message(message.trim_start_matches("[!] "));
    } else if let Some(message) = before
        .get(..before.len() - 3)
        .and_then(|text| text.strip_suffix('('))
    {
        let message = message.rsplit(['\n', '\'']).next().unwrap_or(message);
        error.set_message(message.trim_start_matches([':', ' ']));
    }
}

/// PHP's: `Error executing "OP" on "URL"; AWS HTTP error: … CODE (client): MESSAGE - <?xml`, and the older
/// class `S3`'s: `S3::putObject(): [CODE] MESSAGE`.
fn php(text: &str, error: &mut ReportedError) {
    if let Some((_, rest)) = after(text, "S3::").and_then(|rest| rest.split_once("(): ["))
        && let Some((code, message)) = rest.split_once(']')
    {
        error.set_code(code);
        let message = line(message);
        let message = message.split(" on line ").next().unwrap_or(message);
        error.set_message(message.split(" in /").next().unwrap_or(message));
    }
    let Some(rest) = after(text, "Error executing \"") else {
        return;
    };
    set(&mut error.operation, up_to(rest, &['"']));
    for side in [" (client): ", " (server): "] {
        if let Some((before, message)) = rest.split_once(side) {
            error.set_code(before.rsplit([' ', '\n']).next().unwrap_or_default());
            error.set_message(message.split(" - ").next().unwrap_or_default());
        }
    }
}

/// .NET's: `Amazon.S3.AmazonS3Exception: MESSAGE ---> …`; without a body, `Error making request with
/// Error Code CODE and Http Status Code …`.
fn dotnet(text: &str, error: &mut ReportedError) {
    if let Some(code) = after(text, "with Error Code ") {
        let code = up_to(code, &[' ', '\n']);
        error.set_code(code);
        error.set_message(code);
    }
    for (at, _) in text.match_indices("Amazon.") {
        let rest = text.get(at + 7..).unwrap_or_default();
        let Some((name, message)) = rest.split_once(": ") else {
            continue;
        };
        if name.contains([' ', '\n']) || !name.ends_with("Exception") || name.starts_with("Runtime")
        {
            continue;
        }
        let message = message.split("--->").next().map(line).unwrap_or_default();
        error.set_service(name.split('.').next().unwrap_or_default());
        if is_bare(message) {
            error.set_code("AccessDenied");
        }
        error.set_message(message);
        return;
    }
}

/// CloudFormation's: `(RequestToken: U, HandlerErrorCode: CODE)`, and `API: s3:PutBucketPolicy Access Denied`.
fn cloudformation(text: &str, error: &mut ReportedError) {
    if let Some(rest) = after(text, "API: ")
        && let Some((action, message)) = rest.split_once(' ')
        && let Some((service, operation)) = action.split_once(':')
        && is_bare(up_to(line(message), &['(']))
    {
        error.set_service(service);
        set(&mut error.operation, operation);
        error.set_code("AccessDenied");
        error.set_message("Access Denied");
        if error.action.is_none() {
            error.action = Some(action.to_owned());
        }
    }
    if let Some(code) = after(text, "HandlerErrorCode: ") {
        error.set_code(up_to(code, &[')', ',']));
    }
}

/// Go's first SDK: `CODE: MESSAGE`, then a line `status code: 403, request id: X`.
fn go_v1(text: &str, error: &mut ReportedError) {
    let Some((before, rest)) = text.split_once("status code: ") else {
        return;
    };
    error.set_status(rest);
    if let Some(id) = after(rest, "request id: ") {
        set(&mut error.request_id, up_to(id, &[',', ' ', '\n', ')']));
    }
    if error.code.is_some() {
        return;
    }
    // The message may be empty.
    let before = before.trim_end().trim_end_matches(':');
    let last = before.rsplit('\n').next().unwrap_or(before);
    let parts: Vec<&str> = last.split(": ").collect();
    let last_word = |part: &&str| part.rsplit(' ').next().unwrap_or_default().to_owned();
    // What wraps an error stands before it, and may name a resource in one word.
    let code = parts
        .iter()
        .rposition(|part| is_denial(&last_word(part)))
        .or_else(|| parts.iter().position(|part| is_code_word(&last_word(part))));
    if let Some(position) = code {
        error.set_code(
            parts
                .get(position)
                .and_then(|part| part.rsplit(' ').next())
                .unwrap_or_default(),
        );
        error.set_message(&parts.get(position + 1..).unwrap_or_default().join(": "));
    }
}

/// A class's name that is a code: `botocore.errorfactory.CODE: `, `…services.kms.model.CODE: `, and a name
/// that ends with `Exception` before a message.
fn class_names(text: &str, error: &mut ReportedError) {
    for namespace in ["services.", "amazonaws.services."] {
        if let Some(rest) = after(text, namespace)
            && let Some((service, rest)) = rest.split_once(".model.")
            && !service.contains([' ', '\n'])
        {
            error.set_service(service);
            let name = up_to(rest, &[':', ' ', '\n']);
            let is_general = name.eq_ignore_ascii_case(&format!("{service}Exception"))
                || name.starts_with("Amazon")
                || name.starts_with("AWS");
            if !is_general && rest.contains(": ") {
                error.set_code(name);
            }
        }
    }
    if let Some(rest) = after(text, "botocore.errorfactory.") {
        error.set_code(up_to(rest, &[':']));
    }
    if error.code.is_some() || error.form == ErrorForm::Error {
        return;
    }
    // Words alone: whether they are an error is for the catalogue to say.
    let named = text.match_indices(": ").filter_map(|(at, _)| {
        let before = text.get(..at)?;
        let start = before
            .rfind([' ', '\n', '"', '\'', '(', '{', '*', ']'])
            .map_or(0, |at| at + 1);
        let word = before.get(start..)?;
        let is_first = before.get(..start)?.trim_end_matches([' ', '{', '"', '*']);
        let is_first = is_first.is_empty() || is_first.ends_with(['\n', ':', ']']);
        let message = line(text.get(at + 2..).unwrap_or_default());
        let is_head = matches!(word, "Forbidden" | "Unknown") && is_bare(message);
        (is_head || is_code_word(word)).then_some((word, message, is_first))
    });
    // What wraps an error stands before it, and may name a resource in one word.
    let named: Vec<_> = named.collect();
    let denial = named
        .iter()
        .rfind(|(word, message, _)| is_denial(word) && is_bare(without_encoded(message)));
    let Some((code, message, is_first)) = denial.or(named.first()).copied() else {
        return;
    };
    error.code = code_name(code);
    error.set_message(message);
    // A code at the beginning of a line, with an SDK's stack below, is an error whatever its words.
    let is_thrown = text.contains("\nat ") && (text.contains("aws-sdk") || text.contains("amazon"));
    if is_first && is_thrown {
        error.form = ErrorForm::Error;
    }
}

/// A message without what `sts:DecodeAuthorizationMessage` opens.
pub(super) fn without_encoded(message: &str) -> &str {
    let (words, _) = message
        .split_once(" Encoded authorization")
        .unwrap_or((message, ""));
    words
}

/// Whether a word looks like a code: capitals within, letters alone.
fn is_code_word(word: &str) -> bool {
    const FIELDS: [&str; 8] = [
        "StatusCode",
        "RequestID",
        "RequestId",
        "HostID",
        "StatusMessage",
        "ErrorCode",
        "RequestToken",
        "HandlerErrorCode",
    ];
    // A class of somebody else has its namespace before it.
    let is_namespaced = word.contains('.') && !word.starts_with("KMS.");
    !is_namespaced
        && !FIELDS.contains(&word)
        && word.len() >= 6
        && word
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_uppercase())
        && word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase())
        && word.bytes().any(|byte| byte.is_ascii_lowercase())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
}
