//! The remedies as a script of `aws` commands for a POSIX shell.
//!
//! No write of these services has a condition on what stood there before, so the script looks first: it
//! stops where an account is not the one that is meant, where a document is no longer what was read,
//! and where a name is taken. `put-bucket-policy` always names the expected owner, and
//! `put-key-policy` never bypasses the lockout check.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{ChangeSide, Holder, RemedyAction, RemedyBundle, RemedyItem, Rendered, comment};
use crate::job::{shell_option as option, shell_quoted};
use tableferry_policy::arn::{AccountId, Arn, Region};

/// Writes the remedies as a script.
#[must_use]
pub fn cli(bundle: &RemedyBundle<'_>) -> Rendered {
    let mut left_out = Vec::new();
    let mut steps = String::new();
    let mut sides: BTreeMap<&ChangeSide, (&AccountId, &Region)> = BTreeMap::new();
    for item in bundle.items() {
        steps.push('\n');
        match (item.keeps_out(), &item.account) {
            (None, Some(account)) => {
                for line in [vec![item.title()], item.notes()].concat() {
                    steps.push_str(&comment(&line));
                }
                if let Some(step) = step(item, account) {
                    steps.push_str(&step);
                    sides.entry(&item.side).or_insert((account, &item.region));
                }
            }
            (words, _) => {
                let words = words.unwrap_or_else(|| item.left_out("its account is not known"));
                steps.push_str(&comment(&words));
                left_out.push(words);
            }
        }
    }
    let mut text = String::from("#!/bin/sh\n");
    for line in bundle.head() {
        text.push_str(&comment(&line));
    }
    text.push_str("set -eu\n");
    if !sides.is_empty() {
        text.push_str(HEAD);
    }
    for (side, (account, region)) in sides {
        text.push_str(&profile(bundle, side, account, region));
    }
    text.push_str(&steps);
    Rendered { text, left_out }
}

/// Version 2 of the AWS CLI shows its output in a pager unless told otherwise.
const HEAD: &str = r#"export AWS_PAGER=

stop() {
  printf 'stopped: %s\n' "$1" >&2
  exit 1
}
"#;

/// The variable that holds the profile for a side, and the one of the environment that goes before.
fn variables(side: &ChangeSide) -> (String, String) {
    let name = format!("{}_profile", side.name());
    let environment = name.to_ascii_uppercase();
    (name, environment)
}

/// Chooses the profile of a side and proves that it is of the account.
fn profile(
    bundle: &RemedyBundle<'_>,
    side: &ChangeSide,
    account: &AccountId,
    region: &Region,
) -> String {
    let (name, environment) = variables(side);
    let mut text = String::from("\n");
    match bundle.sign_in(side) {
        Some(sign_in) => {
            text.push_str(&comment(&format!(
                "The plan's profile for account {account}. If it may not make the changes, set \
                 {environment} to one that may."
            )));
            if let Some(role) = &sign_in.role {
                text.push_str(&comment(&format!(
                    "The plan assumes {role} on top of it, which these commands do not."
                )));
            }
            let _ = writeln!(text, "{name}={}", shell_quoted(&sign_in.profile));
            let _ = writeln!(text, "{name}=${{{environment}:-${name}}}");
        }
        None => {
            let _ = writeln!(
                text,
                "{name}=${{{environment}:?names no profile of account {account}}}"
            );
        }
    }
    let _ = write!(
        text,
        "account=$(aws sts get-caller-identity --profile=\"${name}\" --region {region} \\\n  \
         --query Account --output text)\n[ \"$account\" = {account} ] ||\n  \
         stop \"profile ${name} signs in to $account, and the changes are for {account}\"\n"
    );
    text
}

fn step(item: &RemedyItem<'_>, account: &AccountId) -> Option<String> {
    let (name, _) = variables(&item.side);
    let who = format!("--profile=\"${name}\" --region {}", item.region);
    match &item.change {
        RemedyAction::Policy {
            holder,
            before,
            after,
        } => match holder {
            Holder::Bucket { bucket } => {
                let bucket = format!(
                    "{} \\\n  {}",
                    option("bucket", bucket),
                    option("expected-bucket-owner", account.as_str())
                );
                let words = Words {
                    get: format!("aws s3api get-bucket-policy {who} {bucket}"),
                    put: format!("aws s3api put-bucket-policy {who} {bucket}"),
                    absent: Some("NoSuchBucketPolicy"),
                };
                Some(replacing(&words, *before, after))
            }
            Holder::Key { key } => {
                let key = format!("\\\n  {} --policy-name default", option("key-id", key));
                let words = Words {
                    get: format!("aws kms get-key-policy {who} {key}"),
                    put: format!("aws kms put-key-policy {who} {key}"),
                    absent: None,
                };
                Some(replacing(&words, *before, after))
            }
            Holder::Role { role, policy } => Some(adding(
                "role",
                &option("role-name", role),
                policy,
                &who,
                after,
            )),
            Holder::User { user, policy } => Some(adding(
                "user",
                &option("user-name", user),
                policy,
                &who,
                after,
            )),
            Holder::PermissionSet { .. } | Holder::Nobody { .. } => None,
        },
        RemedyAction::Recovery { table } => Some(recovery(table, &who)),
        RemedyAction::Plan { .. } | RemedyAction::Message { .. } => None,
    }
}

/// The commands for a document that there is one of.
struct Words {
    get: String,
    put: String,
    /// The error that says that there is none; `None` where there always is one.
    absent: Option<&'static str>,
}

/// Puts a whole document in place of one that must still be what was read.
fn replacing(words: &Words, before: Option<&str>, after: &str) -> String {
    let Words { get, put, absent } = words;
    let before = quoted(before.unwrap_or_default());
    let wanted = quoted(after);
    let unread = "stop \"the policy cannot be read: $live\"";
    let or_none = match absent {
        Some(absent) => {
            format!("case $live in\n  *{absent}*) live= ;;\n  *) {unread} ;;\nesac")
        }
        None => unread.to_owned(),
    };
    format!(
        "before={before}\nwanted={wanted}\n\
         live=$({get} \\\n  --query Policy --output text 2>&1) ||\n  {or_none}\n\
         if [ \"$live\" != \"$wanted\" ]; then\n  \
         [ \"$live\" = \"$before\" ] ||\n    \
         stop 'the policy was changed since it was read: generate this again'\n  \
         {put} \\\n    --policy \"$wanted\"\nfi\n",
        put = put.replace('\n', "\n  "),
        or_none = or_none.replace('\n', "\n  "),
    )
}

/// Adds an inline policy under a name that must be free: putting one replaces its namesake.
fn adding(kind: &str, principal: &str, policy: &str, who: &str, after: &str) -> String {
    let policy = option("policy-name", policy);
    let wanted = quoted(after);
    format!(
        "live=$(aws iam get-{kind}-policy {who} {principal} \\\n  {policy} 2>&1) &&\n  \
         stop 'the {kind} has an inline policy of this name: generate this again'\n\
         case $live in\n  *NoSuchEntity*) ;;\n  *) stop \"the policy cannot be read: $live\" ;;\nesac\n\
         aws iam put-{kind}-policy {who} {principal} \\\n  {policy} \\\n  --policy-document {wanted}\n"
    )
}

fn recovery(table: &Arn, who: &str) -> String {
    let name = table.resource_after("table").unwrap_or(&table.resource);
    format!(
        "aws dynamodb update-continuous-backups {who} {} \\\n  \
         --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true\n",
        option("table-name", name)
    )
}

/// A document as one word; the shell drops the line ends at the end of what a command prints.
fn quoted(document: &str) -> String {
    shell_quoted(document.trim_end_matches('\n'))
}
