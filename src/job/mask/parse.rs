//! Reading `[mask]` of a plan file.

use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeValue;

use super::{Mask, MaskMethod, MaskPath, MaskRule, SecretSource};
use crate::job::consistency::ConsistencyCheck;
use crate::job::section::{Section, one_of, wrong_type};
use crate::job::value::{self, InvalidValue, KeyRef, Prefix};
use crate::job::violation::Violations;
use crate::job::{Destination, Encryption, Format, Plan, attribute_value};

const KEYS: [&str; 8] = [
    "staging",
    "staging_owner",
    "staging_prefix",
    "staging_key",
    "staging_leaves_the_account",
    "secret_file",
    "secret_environment",
    "attributes",
];

const ATTRIBUTE_KEYS: [&str; 3] = ["path", "as", "with"];

const ADD_ATTRIBUTES: &str =
    "add [[mask.attributes]] with `path = \"…\"` and `as = \"hash\"` below it, once for each";

/// A method as the plan names it.
#[derive(Debug, Clone, Copy)]
enum MethodWord {
    Drop,
    Null,
    Replace,
    Hash,
    Email,
    Digits,
}

const METHODS: [(&str, MethodWord); 6] = [
    ("drop", MethodWord::Drop),
    ("null", MethodWord::Null),
    ("replace", MethodWord::Replace),
    ("hash", MethodWord::Hash),
    ("email", MethodWord::Email),
    ("digits", MethodWord::Digits),
];

/// Reads the section of a plan that was read as if it had none, and gives the plan that exports into the
/// staging bucket. Without a plan it tells what is wrong with the section.
pub(in crate::job) fn read(
    section: Section<'_, '_>,
    plan: Option<Plan>,
    consistency: &mut ConsistencyCheck,
    violations: &mut Violations,
) -> Option<Plan> {
    section.refuse_unknown(&KEYS, violations);
    section.require(
        "staging",
        "add `staging = \"…\"`, a bucket of the source's account that the export goes to until it is masked",
        violations,
    );
    let leaves = section
        .boolean("staging_leaves_the_account", violations)
        .unwrap_or(false);
    let bucket = section.text_that("staging", violations, value::bucket);
    if let (Some(bucket), Some(plan)) = (&bucket, &plan)
        && *bucket.get_ref() == plan.destination.bucket
        && !leaves
    {
        violations.add(
            bucket.span().start,
            "the staging bucket is the destination's, so that the items would be there before they are masked",
            "name a bucket of the source's account, or add `staging_leaves_the_account = true`",
        );
    }
    let owner = section.text_that("staging_owner", violations, value::bucket_owner);
    if let Some(owner) = &owner
        && !leaves
    {
        violations.add(
            owner.span().start,
            "`staging_owner` names an account, and the staging bucket is of the source's",
            "remove it, or add `staging_leaves_the_account = true` if items that are not masked may lie in \
             another account",
        );
    }
    let prefix = section.text_that("staging_prefix", violations, str::parse::<Prefix>);
    let key = section.text_that("staging_key", violations, str::parse::<KeyRef>);
    if let Some(key) = &key
        && let Ok(arn) = key.get_ref().as_str().parse()
    {
        consistency.note_arn("the staging key", &arn, key.span());
    }
    let rules = read_rules(section, violations);
    let secret = read_secret(section, &rules, violations);
    let plan = plan?;
    refuse_format(section, &plan, violations);
    let staging = Destination {
        sign_in: Some(plan.source.sign_in.clone()),
        bucket: bucket?.into_inner(),
        owner: owner.map(Spanned::into_inner),
        prefix: prefix.map(Spanned::into_inner),
    };
    let mask = Mask {
        destination: plan.destination,
        encryption: plan.encryption,
        staging_leaves_the_account: leaves,
        secret,
        rules: rules.into_iter().map(Spanned::into_inner).collect(),
    };
    Some(Plan {
        destination: staging,
        encryption: key.map_or(Encryption::Aes256, |key| Encryption::Kms {
            key: Some(key.into_inner()),
        }),
        mask: Some(Box::new(mask)),
        ..plan
    })
}

/// Refuses tables whose lines cannot be masked.
fn refuse_format(section: Section<'_, '_>, plan: &Plan, violations: &mut Violations) {
    let tables = plan.tables.iter().map(|job| job.format);
    let mut formats = tables.chain(plan.selectors.iter().map(|selector| selector.format));
    if formats.any(|format| format == Format::Ion) {
        violations.add(
            section.at,
            "a mask reads DynamoDB JSON, and a table is exported in Ion",
            "leave `format` out, or remove [mask]",
        );
    }
}

fn read_rules(section: Section<'_, '_>, violations: &mut Violations) -> Vec<Spanned<MaskRule>> {
    section.require("attributes", ADD_ATTRIBUTES, violations);
    let Some(value) = section.value("attributes") else {
        return Vec::new();
    };
    let DeValue::Array(items) = value.get_ref() else {
        let problem = wrong_type("attributes", "a list of attributes", value.get_ref());
        violations.add(value.span().start, problem, ADD_ATTRIBUTES);
        return Vec::new();
    };
    if items.is_empty() {
        let problem = "the mask names no attribute";
        violations.add(value.span().start, problem, ADD_ATTRIBUTES);
    }
    let mut rules: Vec<Spanned<MaskRule>> = Vec::new();
    for item in items {
        let at = item.span().start;
        let DeValue::Table(table) = item.get_ref() else {
            let problem = wrong_type("attributes", "a list of attributes", item.get_ref());
            violations.add(at, problem, ADD_ATTRIBUTES);
            continue;
        };
        let section = Section::new("[[mask.attributes]]", at, table);
        let Some(rule) = read_rule(section, violations) else {
            continue;
        };
        let path = &rule.get_ref().path;
        let met = rules.iter().find(|other| other.get_ref().path.meets(path));
        if let Some(met) = met {
            let other = &met.get_ref().path;
            violations.add(
                rule.span().start,
                format!("`{path}` and `{other}` mask one value"),
                "keep one of the two",
            );
        }
        rules.push(rule);
    }
    rules
}

fn read_rule(section: Section<'_, '_>, violations: &mut Violations) -> Option<Spanned<MaskRule>> {
    section.refuse_unknown(&ATTRIBUTE_KEYS, violations);
    section.require(
        "path",
        "add `path = \"…\"`, the attribute's path",
        violations,
    );
    section.require(
        "as",
        "add `as = \"hash\"`, or `\"drop\"`, `\"null\"`, `\"replace\"`, `\"email\"` or `\"digits\"`",
        violations,
    );
    let path = section.text_that("path", violations, str::parse::<MaskPath>);
    let word = one_of(section, "as", &METHODS, violations).map(Spanned::into_inner);
    let with = section
        .value("with")
        .and_then(|value| attribute_value::read(value, "with", violations));
    match (word, section.place_of("with")) {
        (Some(MethodWord::Replace), None) => violations.add(
            section.at,
            "`replace` needs what it writes",
            "add `with = { S = \"…\" }`, the value with its type",
        ),
        (Some(MethodWord::Replace) | None, _) | (_, None) => {}
        (Some(_), Some(at)) => violations.add(
            at,
            "`with` is what `replace` writes, and the attribute is masked otherwise",
            "remove it, or write `as = \"replace\"`",
        ),
    }
    let method = match word? {
        MethodWord::Drop => MaskMethod::Drop,
        MethodWord::Null => MaskMethod::Null,
        MethodWord::Replace => MaskMethod::Replace(with?),
        MethodWord::Hash => MaskMethod::Hash,
        MethodWord::Email => MaskMethod::Email,
        MethodWord::Digits => MaskMethod::Digits,
    };
    let path = path?;
    let at = path.span();
    let path = path.into_inner();
    Some(Spanned::new(at, MaskRule { path, method }))
}

fn read_secret(
    section: Section<'_, '_>,
    rules: &[Spanned<MaskRule>],
    violations: &mut Violations,
) -> Option<SecretSource> {
    let file = section.text("secret_file", violations);
    let variable = section.text_that("secret_environment", violations, variable);
    if let (Some(_), Some(variable)) = (&file, &variable) {
        violations.add(
            variable.span().start,
            "the secret comes from a file and from the environment",
            "keep one of the two",
        );
    }
    let mut rules = rules.iter();
    let keyed = rules.find(|rule| rule.get_ref().method.is_keyed());
    let is_named = ["secret_file", "secret_environment"]
        .iter()
        .any(|key| section.value(key).is_some());
    if let Some(rule) = keyed
        && !is_named
    {
        let method = rule.get_ref().method.as_str();
        violations.add(
            rule.span().start,
            format!("`{method}` needs a secret, and [mask] names none"),
            "add `secret_file = \"…\"` or `secret_environment = \"…\"` to [mask]; the secret has at least 16 \
             bytes, as of `openssl rand -hex 32`",
        );
    }
    let file = file.map(|file| SecretSource::File(PathBuf::from(file.into_inner())));
    file.or(variable.map(|variable| SecretSource::Environment(variable.into_inner())))
}

/// The name of a variable of the environment ("Base Definitions", POSIX, chapter 8).
fn variable(text: &str) -> Result<String, InvalidValue> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_name = text.chars().all(is_part) && !text.starts_with(|c: char| c.is_ascii_digit());
    if is_name {
        return Ok(text.to_owned());
    }
    Err(InvalidValue {
        message: "`secret_environment` is no name of a variable".to_owned(),
        hint:
            "give the name of the variable, not the secret itself: letters, digits and underscores"
                .to_owned(),
    })
}
