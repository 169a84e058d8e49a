//! Every bad value is refused here in the words of the plan file: each test compares the two, and the
//! words of the plan file are pinned beside it, in `job`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use rstest::rstest;

use super::state::TypedPurpose;
use super::*;
use crate::job::{Plan, SignIn, TableJob};
use crate::tui::keymap::Keymap;
use crate::tui::model::WizardStart;
use crate::tui::update;
use crate::tui::widgets::entry::TextEntry;
use crate::tui::widgets::form::FieldValue;
use crate::work::event::Side;

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn model() -> Model {
    let start = WizardStart {
        is_sandbox: true,
        is_read_only: false,
        production: BTreeMap::new(),
        plan: None,
        plan_file: None,
        now: now(),
    };
    update::start(Arc::new(Keymap::built_in().unwrap()), start)
}

/// What the popup says once it is submitted.
fn error_of(popup: Popup) -> Option<String> {
    let mut model = model();
    model.open(popup);
    let _ = act(&mut model, Action::Submit);
    match model.close()? {
        Popup::Typed { error, .. } => error,
        Popup::SignIn { form, .. } | Popup::Table { form, .. } => form.error,
        _ => None,
    }
}

/// What a plan file with these lines in place of its own is refused with, which is one thing.
fn refusal(lines: &[(&str, &str, toml::Value)]) -> String {
    let mut plan = toml::Table::new();
    let usual = [
        ("source", "profile", "prod"),
        ("destination", "bucket", "landing"),
        ("encryption", "algorithm", "KMS"),
        ("tables", "name", "Orders"),
    ];
    let usual = usual.map(|(section, key, text)| (section, key, text.into()));
    for (section, key, value) in usual.iter().chain(lines) {
        let section = plan
            .entry(*section)
            .or_insert_with(|| toml::Table::new().into());
        let section = section.as_table_mut().unwrap();
        section.insert((*key).to_owned(), value.clone());
    }
    let tables = plan.remove("tables").unwrap();
    plan.insert("tables".to_owned(), vec![tables].into());
    let violations = Plan::parse(&plan.to_string(), "plan", now()).unwrap_err();
    assert_eq!(violations.len(), 1, "{violations}");
    let violation = violations.iter().next().unwrap();
    format!("{} — {}", violation.message, violation.hint)
}

#[rstest]
#[case::short_name(TypedPurpose::Table, "ab", "it has 2 characters")]
#[case::name_with_slash(TypedPurpose::Table, "a/b/c", "it has `/`")]
#[case::another_arn(TypedPurpose::Table, "arn:aws:s3:::Orders", "ARN of a DynamoDB table")]
#[case::index(
    TypedPurpose::Table,
    "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/index/x",
    "ARN of a DynamoDB table"
)]
#[case::no_account(
    TypedPurpose::Table,
    "arn:aws:dynamodb:eu-west-1::table/Orders",
    "ARN of a DynamoDB table"
)]
#[case::bucket_arn(TypedPurpose::Bucket, "arn:aws:s3:::landing", "an ARN")]
#[case::bucket_url(TypedPurpose::Bucket, "s3://landing/prod", "not a bucket's name")]
#[case::bucket_hyphen(TypedPurpose::Bucket, "-landing", "not a bucket's name")]
#[case::no_folder(TypedPurpose::Prefix, "//", "names no folder")]
#[case::prefix_url(TypedPurpose::Prefix, "s3://landing/prod", "an address")]
#[case::owner(TypedPurpose::Owner, "2222-2222-2222", "not an account id")]
#[case::key_of_s3(TypedPurpose::Key, "arn:aws:s3:::landing", "ARN of a KMS key")]
#[case::key_without_id(
    TypedPurpose::Key,
    "arn:aws:kms:eu-west-1:222222222222:key/",
    "ARN of a KMS key"
)]
#[case::key_with_space(TypedPurpose::Key, "a b", "a space")]
fn a_typed_value_is_refused_as_in_a_plan_file(
    #[case] purpose: TypedPurpose,
    #[case] text: &str,
    #[case] part: &str,
) {
    let (section, key) = match purpose {
        TypedPurpose::Table => ("tables", "name"),
        TypedPurpose::Bucket => ("destination", "bucket"),
        TypedPurpose::Prefix => ("destination", "prefix"),
        TypedPurpose::Owner => ("destination", "owner"),
        TypedPurpose::Key => ("encryption", "key"),
        TypedPurpose::Uploader
        | TypedPurpose::Reader
        | TypedPurpose::SourceBucket
        | TypedPurpose::InventoryId
        | TypedPurpose::Refusal
        | TypedPurpose::AccountName(_) => panic!("no value of an export"),
    };
    let told = error_of(Popup::typed(purpose, text)).unwrap();
    assert_eq!(told, refusal(&[(section, key, text.into())]));
    assert!(told.contains(part), "{told}");
}

#[test]
fn a_typed_prefix_has_at_most_1024_characters_as_in_a_plan_file() {
    let text = "é".repeat(1025);
    let told = error_of(Popup::typed(TypedPurpose::Prefix, &text)).unwrap();
    assert_eq!(
        told,
        refusal(&[("destination", "prefix", text.as_str().into())])
    );
    assert!(told.contains("1025 characters"), "{told}");
    assert_eq!(
        error_of(Popup::typed(TypedPurpose::Prefix, &"é".repeat(1024))),
        None
    );
}

#[rstest]
#[case::region(0, "region", "Ireland", "not a Region's code")]
#[case::zone(0, "region", "eu-west-1a", "not a Region's code")]
#[case::role_name(1, "role", "Exporter", "is not an ARN")]
#[case::user(
    1,
    "role",
    "arn:aws:iam::111111111111:user/x",
    "not the ARN of an IAM role"
)]
#[case::session(
    1,
    "role",
    "arn:aws:sts::111111111111:assumed-role/X/y",
    "a session of a role"
)]
#[case::external_id(2, "external_id", "x", "has 1 character")]
#[case::session_name(3, "session_name", "a b", "a character that AWS does not take")]
#[case::short(4, "duration_seconds", "899", "`duration_seconds` is 899")]
#[case::long(4, "duration_seconds", "43201", "900 to 43200")]
#[case::device(5, "mfa_serial", "arn", "has 3 characters")]
fn a_sign_in_is_refused_as_in_a_plan_file(
    #[case] field: usize,
    #[case] key: &str,
    #[case] text: &str,
    #[case] part: &str,
) {
    let profile = SignIn {
        profile: "prod".to_owned(),
        ..SignIn::default()
    };
    let value = match text.parse::<i64>() {
        Ok(seconds) => toml::Value::from(seconds),
        Err(_) => text.into(),
    };
    let told = error_of(filled_in(
        accounts::forms::form(Side::Source, &profile),
        &[(field, text)],
    ));
    let told = told.unwrap();
    assert_eq!(told, refusal(&[("source", key, value)]));
    assert!(told.contains(part), "{told}");
}

#[rstest]
#[case::words("yesterday", "is not a time")]
#[case::future("2026-11-22T12:00:01Z", "in the future")]
fn a_time_is_refused_as_in_a_plan_file(#[case] text: &str, #[case] part: &str) {
    let told = error_of(filled_in(table_form(), &[(1, text)])).unwrap();
    assert_eq!(told, refusal(&[("tables", "time", text.into())]));
    assert!(told.contains(part), "{told}");
}

#[rstest]
#[case::backwards(
    "2026-11-21T01:00:00Z",
    "2026-11-21T01:00:00Z",
    "not later than `from`"
)]
#[case::short("2026-11-21T01:00:00Z", "2026-11-21T01:14:59Z", "at least 15 minutes")]
#[case::future(
    "2026-11-22T01:00:00Z",
    "2026-11-22T13:00:00Z",
    "`to` is 2026-11-22T13:00:00Z, which is in the future"
)]
fn a_window_is_refused_as_in_a_plan_file(#[case] from: &str, #[case] to: &str, #[case] part: &str) {
    let popup = filled_in(table_form(), &[(2, from), (3, to)]);
    let told = error_of(incremental(popup)).unwrap();
    let file = [
        ("tables", "type", "INCREMENTAL_EXPORT".into()),
        ("tables", "from", from.into()),
        ("tables", "to", to.into()),
    ];
    assert_eq!(told, refusal(&file));
    assert!(told.contains(part), "{told}");
}

fn table_form() -> Popup {
    let table = "Orders";
    tables::form::form(&model(), table, &TableJob::new(table.parse().unwrap()))
}

/// The form with these texts in its fields.
fn filled_in(mut popup: Popup, texts: &[(usize, &str)]) -> Popup {
    if let Popup::SignIn { form, .. } | Popup::Table { form, .. } = &mut popup {
        for (field, text) in texts {
            form.fields[*field].value = FieldValue::Text(TextEntry::new(text));
        }
    }
    popup
}

fn incremental(mut popup: Popup) -> Popup {
    if let Popup::Table { form, .. } = &mut popup {
        form.focus = 0;
        form.act(Action::Toggle);
    }
    popup
}
