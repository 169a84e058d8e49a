//! The configuration as it holds, key by key, and where each value comes from.

use std::fmt;
use std::time::Duration;

use bytesize::ByteSize;
use serde::Serialize;
use serde_json::{Value, json};
use tableferry_policy::arn::AccountId;

use super::{Config, STATE_VARIABLE};
use crate::assess::cost::Money;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingOrigin {
    /// A variable of the environment.
    Variable,
    /// The file.
    File,
    /// Neither says it.
    Default,
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Variable => STATE_VARIABLE,
            Self::File => "the file",
            Self::Default => "default",
        })
    }
}

/// One key as it holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    /// The key with its sections, such as `poll.first_seconds`.
    pub key: String,
    /// Its value; none where it is not set and nothing is limited.
    pub value: Option<Value>,
    /// Where the value comes from.
    pub origin: SettingOrigin,
}

impl Config {
    /// Every key as it holds, in the order of the file that documents them.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        let file = self.text.as_deref().and_then(|text| text.parse().ok());
        let file: toml::Table = file.unwrap_or_default();
        let limits = &self.guards.limits;
        let size = |bytes: Option<u64>| bytes.map(|bytes| json!(ByteSize(bytes).to_string()));
        let named = |names: Vec<String>| (!names.is_empty()).then(|| json!(names));
        let mut settings = Vec::new();
        let mut add = |key: &str, value: Option<Value>| {
            let origin = if has(&file, key) {
                SettingOrigin::File
            } else {
                SettingOrigin::Default
            };
            settings.push(Setting {
                key: key.to_owned(),
                value,
                origin,
            });
        };
        add("state_dir", Some(json!(self.state_dir.to_string_lossy())));
        add("read_only", Some(json!(self.guards.is_read_only)));
        for (key, length) in [
            ("poll.first_seconds", self.poll.first),
            ("poll.longest_seconds", self.poll.longest),
            ("poll.patience_seconds", self.poll.patience),
            ("timeouts.connect_seconds", self.timeouts.connect),
            ("timeouts.read_seconds", self.timeouts.read),
            ("timeouts.attempt_seconds", self.timeouts.attempt),
            ("timeouts.operation_seconds", self.timeouts.operation),
        ] {
            add(key, Some(json!(seconds(length))));
        }
        let command = self.finish.command.as_ref().map(|command| {
            let words = command.words().map(|word| word.to_string_lossy());
            json!(words.collect::<Vec<_>>())
        });
        add("finish.command", command);
        add("finish.bell", Some(json!(self.finish.has_bell)));
        let has_notification = self.finish.has_notification;
        add("finish.notification", Some(json!(has_notification)));
        for (id, name, is_production) in accounts(&file) {
            add(&format!("accounts.{id}.name"), Some(json!(name)));
            add(
                &format!("accounts.{id}.production"),
                Some(json!(is_production)),
            );
        }
        let accounts = limits.accounts.iter().map(AccountId::to_string).collect();
        add("allowed.accounts", named(accounts));
        add(
            "allowed.organization",
            limits.organization.as_ref().map(|id| json!(id)),
        );
        let buckets = limits.buckets.iter().map(ToString::to_string).collect();
        add("allowed.buckets", named(buckets));
        add("allowed.largest_size", size(limits.largest_bytes));
        let are_copies_allowed = !self.guards.are_local_copies_forbidden;
        add("allowed.local_copies", Some(json!(are_copies_allowed)));
        add(
            "limits.largest_download",
            size(self.guards.largest_download),
        );
        let money = |money: Option<Money>| money.map(|money| json!(money.to_string()));
        add("limits.largest_cost", money(limits.largest_cost));
        for (region, prices) in &limits.prices.regions {
            let currency = Some(json!(limits.prices.currency));
            add(&format!("prices.{region}.currency"), currency);
            for (key, price) in [
                ("full_export", prices.full_export),
                ("incremental_export", prices.incremental_export),
                ("transfer", prices.transfer),
            ] {
                let exact = price.map(|price| json!(price.exact()));
                add(&format!("prices.{region}.{key}"), exact);
            }
        }
        if self.is_state_dir_of_variable
            && let Some(state_dir) = settings.first_mut()
        {
            state_dir.origin = SettingOrigin::Variable;
        }
        settings
    }

    /// Whether the file is there.
    #[must_use]
    pub fn is_file_present(&self) -> bool {
        self.text.is_some()
    }
}

fn seconds(length: Duration) -> u64 {
    length.as_secs()
}

fn has(file: &toml::Table, key: &str) -> bool {
    let mut sections = key.split('.');
    let first = sections.next().and_then(|section| file.get(section));
    sections
        .try_fold(first, |found, section| Some(found?.get(section)))
        .flatten()
        .is_some()
}

/// The accounts of the file, those that are not marked production too.
fn accounts(file: &toml::Table) -> Vec<(String, String, bool)> {
    let accounts = file.get("accounts").and_then(toml::Value::as_table);
    accounts
        .into_iter()
        .flatten()
        .map(|(id, account)| {
            let name = account.get("name").and_then(toml::Value::as_str);
            let is_production = account.get("production").and_then(toml::Value::as_bool);
            (
                id.clone(),
                name.unwrap_or_default().to_owned(),
                is_production.unwrap_or(false),
            )
        })
        .collect()
}
