//! What a pasted error means.

use crate::diagnosis::Circumstances;
use crate::diagnosis::group::ErrorGroups;
use crate::diagnosis::scan::scan;
use crate::diagnosis::words::describe;

/// What the errors of a message mean, and what to do about them.
///
/// # Errors
/// Where it tells of none.
pub(crate) fn explained(message: &str) -> Result<String, String> {
    let mut groups = ErrorGroups::default();
    let add = |found| groups.add(found, Circumstances::of_text);
    let read = scan(std::io::Cursor::new(message.to_owned()), add);
    read.map_err(|error| error.to_string())?;
    let kinds: Vec<String> = groups
        .sorted()
        .iter()
        .map(|group| describe(group))
        .collect();
    if kinds.is_empty() {
        return Err(
            "it tells of no error of AWS; `tableferry explain FILE` reads more than one line"
                .to_owned(),
        );
    }
    Ok(kinds.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_was_pasted_is_told_with_its_action_and_what_to_do() {
        let text = explained(
            "An error occurred (AccessDenied) when calling the PutObject operation: User: \
             arn:aws:iam::111111111111:user/mona is not authorized to perform: s3:PutObject on resource: \
             \"arn:aws:s3:::landing/a\" because no resource-based policy allows the s3:PutObject action",
        )
        .unwrap();
        assert!(text.contains("s3:PutObject was refused"), "{text}");
        assert!(text.contains("user/mona"), "{text}");
    }

    #[test]
    fn a_text_without_an_error_says_so() {
        assert!(explained("hello").unwrap_err().contains("no error of AWS"));
    }
}
