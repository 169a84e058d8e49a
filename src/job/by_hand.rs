//! What is typed to make the same exports with the AWS CLI, as the same identity.
//!
//! This module decides whether the CLI can sign in as the plan does. It assumes a profile's own roles
//! by itself. A role that the plan names is assumed here with the plan's own words, in a subshell of a
//! POSIX shell, where the credentials are variables that are never printed. What a plan lays over the
//! role of a profile, the CLI has no option for.

use std::fmt::Write as _;

use tableferry_policy::arn::{Arn, Region};

use super::command::{export_command, shell_option, shell_quoted};
use super::{ExportRequest, SignIn, equivalent_command};

/// The commands that make these exports, or why the AWS CLI cannot sign in as the plan does. `caller`
/// is who the source proved to be, `region` that of its profile.
///
/// # Errors
/// The reason, in a sentence, with what to do about it.
pub fn by_hand(
    requests: &[ExportRequest],
    sign_in: &SignIn,
    caller: &Arn,
    region: &Region,
) -> Result<String, String> {
    let region_of = |request: &ExportRequest| {
        let named = request.table_arn.region_code();
        named.unwrap_or_else(|| region.clone())
    };
    let Some(session) = session_command(sign_in, caller, region)? else {
        let commands = requests
            .iter()
            .map(|request| equivalent_command(request, &sign_in.profile, &region_of(request)));
        return Ok(commands.collect::<Vec<_>>().join("\n\n"));
    };
    let commands = requests
        .iter()
        .map(|request| export_command(request, None, &region_of(request)));
    let commands = commands.collect::<Vec<_>>().join("\n\n");
    let profile = shell_quoted(&sign_in.profile);
    // A profile that is named by a variable leaves the keys in the variables valid, and lends its
    // endpoints; named by an option it would take their place.
    Ok(format!(
        "(\nset -eu\n{session}\nread -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN <<EOF\n\
         $credentials\nEOF\nexport AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN\n\
         export AWS_PROFILE={profile}\n\n{commands}\n)"
    ))
}

/// The command whose answer is the plan's session; none where the profile alone is that.
fn session_command(
    sign_in: &SignIn,
    caller: &Arn,
    region: &Region,
) -> Result<Option<String>, String> {
    let word = word_over_the_profile(sign_in);
    match (&sign_in.role, word) {
        (Some(role), _) => Ok(Some(assume_role(sign_in, role, caller, region))),
        (None, None) => Ok(None),
        // A user's keys and a device make a session without a role.
        (None, Some("mfa_serial")) if caller.service == "iam" => Ok(Some(session_text(
            "get-session-token",
            Vec::new(),
            sign_in,
            region,
        ))),
        (None, Some(word)) => Err(format!(
            "the AWS CLI cannot lay the plan's {word} over the role of profile `{}`: give the profile \
             {word} in the shared config file, or name the role in the plan",
            sign_in.profile
        )),
    }
}

/// The first of the plan's words on how a session is made.
fn word_over_the_profile(sign_in: &SignIn) -> Option<&'static str> {
    let words = [
        ("external_id", sign_in.external_id.is_some()),
        ("session_name", sign_in.session_name.is_some()),
        ("source_identity", sign_in.source_identity.is_some()),
        ("mfa_serial", sign_in.mfa_serial.is_some()),
        ("duration_seconds", sign_in.duration_seconds.is_some()),
    ];
    let given = words.into_iter().find(|(_, is_given)| *is_given);
    given.map(|(word, _)| word)
}

fn assume_role(sign_in: &SignIn, role: &Arn, caller: &Arn, region: &Region) -> String {
    let session = sign_in.session_name.as_deref().or_else(|| {
        let session = caller.resource_after("assumed-role")?;
        session.rsplit('/').next()
    });
    let mut options = vec![
        ("role-arn", role.to_string()),
        (
            "role-session-name",
            session.unwrap_or("tableferry").to_owned(),
        ),
    ];
    let external_id = sign_in.external_id.clone();
    options.extend(external_id.map(|id| ("external-id", id)));
    let identity = sign_in.source_identity.clone();
    options.extend(identity.map(|identity| ("source-identity", identity)));
    session_text("assume-role", options, sign_in, region)
}

/// An `aws sts` command whose credentials a variable takes; a device's code is asked for before it.
fn session_text(
    operation: &str,
    options: Vec<(&str, String)>,
    sign_in: &SignIn,
    region: &Region,
) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    if let Some(serial) = &sign_in.mfa_serial {
        let prompt = shell_quoted(&format!("code of {serial}: "));
        let _ = writeln!(text, "printf %s {prompt} >&2\nread -r code");
    }
    let _ = write!(text, "credentials=$(aws sts {operation}");
    let mut all = vec![
        ("profile", sign_in.profile.clone()),
        ("region", region.to_string()),
    ];
    all.extend(options);
    let seconds = sign_in.duration_seconds;
    all.extend(seconds.map(|seconds| ("duration-seconds", seconds.to_string())));
    let serial = sign_in.mfa_serial.clone();
    all.extend(serial.map(|serial| ("serial-number", serial)));
    for (name, value) in all {
        let _ = write!(text, " \\\n  {}", shell_option(name, &value));
    }
    if sign_in.mfa_serial.is_some() {
        text.push_str(" \\\n  --token-code \"$code\"");
    }
    text.push_str(
        " \\\n  --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' \\\n  --output text)",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in() -> SignIn {
        SignIn {
            profile: "-dev".to_owned(),
            ..SignIn::default()
        }
    }

    fn text(sign_in: &SignIn, caller: &str) -> Result<String, String> {
        let caller = caller.parse().unwrap();
        by_hand(&[], sign_in, &caller, &"eu-west-1".parse().unwrap())
    }

    const USER: &str = "arn:aws:iam::111111111111:user/mona";
    const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/Exporter/tableferry-mona";

    #[test]
    fn a_role_of_the_plan_is_assumed_with_all_that_the_plan_says() {
        let whole = SignIn {
            role: Some("arn:aws:iam::111111111111:role/x/Exporter".parse().unwrap()),
            external_id: Some("ferry-4711".to_owned()),
            session_name: Some("night".to_owned()),
            source_identity: Some("mona".to_owned()),
            duration_seconds: Some(900),
            mfa_serial: Some("arn:aws:iam::111111111111:mfa/mona".to_owned()),
            ..sign_in()
        };
        let expected = r#"(
set -eu
printf %s 'code of arn:aws:iam::111111111111:mfa/mona: ' >&2
read -r code
credentials=$(aws sts assume-role \
  --profile=-dev \
  --region eu-west-1 \
  --role-arn arn:aws:iam::111111111111:role/x/Exporter \
  --role-session-name night \
  --external-id ferry-4711 \
  --source-identity mona \
  --duration-seconds 900 \
  --serial-number arn:aws:iam::111111111111:mfa/mona \
  --token-code "$code" \
  --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' \
  --output text)
read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN <<EOF
$credentials
EOF
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
export AWS_PROFILE=-dev


)"#;
        assert_eq!(text(&whole, SESSION).unwrap(), expected);
    }

    #[test]
    fn without_a_name_of_the_plan_the_session_has_the_name_that_it_has_here() {
        let with_role = SignIn {
            role: Some("arn:aws:iam::111111111111:role/Exporter".parse().unwrap()),
            ..sign_in()
        };
        let text = text(&with_role, SESSION).unwrap();
        assert!(
            text.contains("--role-session-name tableferry-mona"),
            "{text}"
        );
        assert!(!text.contains("code"), "{text}");
    }

    #[test]
    fn a_users_device_makes_a_session_without_a_role() {
        let with_device = SignIn {
            mfa_serial: Some("GAHT12345678".to_owned()),
            ..sign_in()
        };
        let text = text(&with_device, USER).unwrap();
        assert!(text.contains("aws sts get-session-token"), "{text}");
        assert!(text.contains("--serial-number GAHT12345678"), "{text}");
    }

    #[test]
    fn what_the_cli_has_no_option_for_is_said() {
        let over = SignIn {
            external_id: Some("ferry-4711".to_owned()),
            ..sign_in()
        };
        let why = text(&over, SESSION).unwrap_err();
        assert!(
            why.contains("cannot lay the plan's external_id over"),
            "{why}"
        );
        let over = SignIn {
            mfa_serial: Some("GAHT12345678".to_owned()),
            ..sign_in()
        };
        assert!(text(&over, SESSION).is_err());
    }
}
