//! The remedies as Terraform, for the AWS provider from version 5 on.
//!
//! `aws_s3_bucket_policy` and `aws_kms_key_policy` hold the whole document, as putting one replaces
//! what stands there. Where a document stands there already, an `import` block takes it over first, so
//! that `terraform plan` shows the difference, and destroying it is prevented: that would delete the
//! bucket's whole policy, or set the key's back to the default.
//!
//! Point-in-time recovery is a block of `aws_dynamodb_table`, and of no resource of its own. A table's
//! keys, indexes and throughput are its own configuration's to know, and a stub without them would
//! change or replace the table; so the block is written as a comment, to be put where it belongs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{
    ChangeSide, Holder, RemedyAction, RemedyBundle, RemedyItem, Rendered, comment, laid_out,
};
use crate::sanitize::is_terminal_control;
use tableferry_policy::arn::{AccountId, Region};

/// A provider of the configuration: who signs in, and where.
type Provider<'a> = (&'a ChangeSide, &'a Region);

/// Writes the remedies as Terraform.
#[must_use]
pub fn terraform(bundle: &RemedyBundle<'_>) -> Rendered {
    let providers: BTreeSet<Provider<'_>> = bundle
        .items()
        .iter()
        .filter(|item| item.keeps_out().is_none() && is_resource(item))
        .map(|item| (&item.side, &item.region))
        .collect();
    let mut text: String = bundle.head().iter().map(|line| comment(line)).collect();
    text.push_str(HEAD);
    for provider in &providers {
        text.push_str(&provider_block(bundle, *provider, &providers));
    }
    let mut left_out = Vec::new();
    for item in bundle.items() {
        text.push('\n');
        let aside = item.keeps_out().or_else(|| recovery(item));
        if let Some(words) = aside {
            text.push_str(&comment(&words));
            left_out.push(words);
        } else {
            text.push_str(&resource(item, &providers));
        }
    }
    Rendered { text, left_out }
}

const fn is_resource(item: &RemedyItem<'_>) -> bool {
    matches!(item.change, RemedyAction::Policy { .. })
}

/// `import` blocks came with Terraform 1.5.
const HEAD: &str = r#"
terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}
"#;

/// A provider's alias: the side, and its Region where the side has several.
fn alias((side, region): Provider<'_>, providers: &BTreeSet<Provider<'_>>) -> String {
    let regions = providers.iter().filter(|(other, _)| *other == side);
    if regions.count() > 1 {
        format!("{}_{}", side.name(), region.as_str().replace('-', "_"))
    } else {
        side.name()
    }
}

/// A provider that works in one account only, whatever its profile signs in to.
fn provider_block(
    bundle: &RemedyBundle<'_>,
    (side, region): Provider<'_>,
    providers: &BTreeSet<Provider<'_>>,
) -> String {
    let account = bundle
        .items()
        .iter()
        .find(|item| (&item.side, &item.region) == (side, region))
        .and_then(|item| item.account.as_ref());
    let mut block = String::new();
    let sign_in = bundle.sign_in(side);
    if sign_in.is_none() {
        block.push_str("\n# The plan names no profile for this account: add one.");
    }
    let _ = write!(
        block,
        "\nprovider \"aws\" {{\n  alias               = {}\n  region              = {}\n",
        quoted(&alias((side, region), providers)),
        quoted(region.as_str())
    );
    if let Some(account) = account {
        let _ = writeln!(block, "  allowed_account_ids = [{}]", of_account(account));
    }
    if let Some(sign_in) = sign_in {
        let _ = writeln!(
            block,
            "  profile             = {}",
            quoted(&sign_in.profile)
        );
        if let Some(role) = &sign_in.role {
            let _ = write!(
                block,
                "\n  assume_role {{\n    role_arn = {}\n",
                quoted(&role.to_string())
            );
            if let Some(id) = &sign_in.external_id {
                let _ = writeln!(block, "    external_id = {}", quoted(id));
            }
            block.push_str("  }\n");
        }
    }
    block.push_str("}\n");
    block
}

fn of_account(account: &AccountId) -> String {
    quoted(account.as_str())
}

fn resource(item: &RemedyItem<'_>, providers: &BTreeSet<Provider<'_>>) -> String {
    let RemedyAction::Policy {
        holder,
        before,
        after,
    } = &item.change
    else {
        return String::new();
    };
    let side = item.side.name();
    let (kind, label, id, arguments) = match holder {
        Holder::Bucket { bucket } => (
            "aws_s3_bucket_policy",
            "landing".to_owned(),
            (*bucket).to_owned(),
            vec![("bucket  ", *bucket)],
        ),
        Holder::Key { key } => {
            let id = key.rsplit('/').next().unwrap_or(key);
            (
                "aws_kms_key_policy",
                label("key", id),
                id.to_owned(),
                vec![("key_id  ", *key)],
            )
        }
        Holder::Role { role, policy } => (
            "aws_iam_role_policy",
            side,
            format!("{role}:{policy}"),
            vec![("name    ", *policy), ("role    ", role.as_str())],
        ),
        Holder::User { user, policy } => (
            "aws_iam_user_policy",
            side,
            format!("{user}:{policy}"),
            vec![("name    ", *policy), ("user    ", user.as_str())],
        ),
        Holder::PermissionSet { .. } | Holder::Nobody { .. } => return String::new(),
    };
    let mut text = comment(&item.title());
    for note in item.notes() {
        text.push_str(&comment(&note));
    }
    if before.is_some() {
        text.push_str(&comment(
            "If another configuration manages this policy, put the document there: two of them undo \
             each other.",
        ));
        let _ = write!(
            text,
            "import {{\n  to = {kind}.{label}\n  id = {}\n}}\n\n",
            quoted(&id)
        );
    }
    let provider = alias((&item.side, &item.region), providers);
    let _ = write!(
        text,
        "resource \"{kind}\" \"{label}\" {{\n  provider = aws.{provider}\n"
    );
    for (name, value) in arguments {
        let _ = writeln!(text, "  {name} = {}", quoted(value));
    }
    let _ = write!(text, "  policy   = {}", heredoc(after));
    if before.is_some() {
        text.push_str("\n  lifecycle {\n    prevent_destroy = true\n  }\n");
    }
    text.push_str("}\n");
    text
}

/// What to add where a table is configured.
fn recovery(item: &RemedyItem<'_>) -> Option<String> {
    let RemedyAction::Recovery { .. } = item.change else {
        return None;
    };
    Some(format!(
        "{} is a block of the table's own aws_dynamodb_table resource, which only its owner's \
         configuration holds whole. Add to it:\n\n  point_in_time_recovery {{\n    enabled = true\n  }}",
        item.title()
    ))
}

/// A name that Terraform takes: letters, digits, `_` and `-`, the first no digit ("Identifiers").
fn label(kind: &str, id: &str) -> String {
    let id: String = id
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    format!("{kind}_{id}")
}

/// A policy as a heredoc: in it `${` and `%{` begin a template, and doubled they stand for themselves
/// ("Strings and Templates"). No line of JSON can be the closing word.
fn heredoc(document: &str) -> String {
    format!("<<POLICY\n{}\nPOLICY\n", literal(&laid_out(document)))
}

fn literal(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// A text as a quoted string of HCL.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in literal(text).chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if is_terminal_control(c) => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
