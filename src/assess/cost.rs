//! What the exports of a plan are billed for, estimated before the start.
//!
//! Exports are billed by the gigabyte: full ones by the size of the table, incremental ones by the data
//! that changed, of which nobody knows the size before, with a minimum. Prices change, so none is built
//! in; the configuration has them, and what they come to is called an estimate.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::facts::Facts;
use crate::job::{Plan, Span};
use tableferry_policy::arn::Region;

/// What an incremental export is billed for at the least: small ones have a `billedSizeBytes` of
/// 10,000,000.
pub const LEAST_INCREMENTAL: u64 = 10_000_000;

/// A gigabyte as it is billed, of the same kind as that minimum.
const GIGABYTE: u128 = 1_000_000_000;

/// The name under which prices stand that hold for every Region without its own.
const DEFAULT: &str = "default";

/// An amount of money, in millionths of the currency's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct Money(pub u64);

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = self.0.saturating_add(5_000) / 10_000;
        write!(f, "{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

impl Money {
    /// The amount with all six decimals.
    #[must_use]
    pub fn exact(self) -> String {
        format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// What the configuration says of prices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prices {
    /// The currency's name, for people.
    pub currency: String,
    /// By Region's code, or `default`.
    pub regions: BTreeMap<String, RegionPrices>,
}

/// The prices of one Region, each of a gigabyte unless it says otherwise; `None` where the configuration has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RegionPrices {
    /// Of a full export.
    pub full_export: Option<Money>,
    /// Of an incremental export.
    pub incremental_export: Option<Money>,
    /// Of what goes to a bucket in another Region.
    pub transfer: Option<Money>,
    /// Of a million write request units of an on-demand table.
    pub write_units: Option<Money>,
}

/// What write units cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteCost {
    /// At the least.
    pub least: Money,
    /// At the most, where that is known.
    pub most: Option<Money>,
    /// In this currency.
    pub currency: String,
}

/// What a plan's exports are billed for, as far as it is known before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Estimate {
    /// How many full exports there are.
    pub full_exports: usize,
    /// The bytes of their tables, as far as the sizes are known.
    pub full_bytes: u64,
    /// How many incremental exports there are.
    pub incremental_exports: usize,
    /// What they are billed for at the least, in bytes.
    pub incremental_bytes_at_least: u64,
    /// The bytes of full exports that go to another Region, before they are compressed.
    pub transfer_bytes_at_most: u64,
    /// The tables whose sizes are not known.
    pub unknown_sizes: Vec<String>,
    /// The prices that are missing.
    pub missing_prices: Vec<String>,
    /// What it comes to, where no price is missing; an incremental export counts with its minimum.
    pub cost: Option<Money>,
    /// The currency of the cost.
    pub currency: String,
}

/// One gigabyte's price, by what it is of.
#[derive(Debug, Clone, Copy)]
enum Billed {
    Full,
    Incremental,
    Transfer,
}

impl Billed {
    const fn key(self) -> &'static str {
        match self {
            Self::Full => "full_export",
            Self::Incremental => "incremental_export",
            Self::Transfer => "transfer",
        }
    }
}

impl Prices {
    /// Whether the configuration has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }

    /// What so many write request units cost, the least and the most; `None` where no price is known.
    #[must_use]
    pub fn write_cost(&self, region: &str, least: u64, most: Option<u64>) -> Option<WriteCost> {
        let price = |region| self.regions.get(region)?.write_units;
        let Money(price) = price(region).or_else(|| price(DEFAULT))?;
        let cost = |units: u64| {
            let millionths = u128::from(units) * u128::from(price) / 1_000_000;
            Money(u64::try_from(millionths).unwrap_or(u64::MAX))
        };
        Some(WriteCost {
            least: cost(least),
            most: most.map(cost),
            currency: self.currency.clone(),
        })
    }

    fn of(&self, region: &str, billed: Billed) -> Option<Money> {
        let price = |prices: &RegionPrices| match billed {
            Billed::Full => prices.full_export,
            Billed::Incremental => prices.incremental_export,
            Billed::Transfer => prices.transfer,
        };
        let own = self.regions.get(region).and_then(price);
        own.or_else(|| self.regions.get(DEFAULT).and_then(price))
    }
}

impl Estimate {
    /// What a plan's exports come to, by the sizes that were read and the prices that are known.
    #[must_use]
    pub fn of(plan: &Plan, facts: &Facts, prices: &Prices) -> Self {
        let mut estimate = Self {
            currency: prices.currency.clone(),
            ..Self::default()
        };
        let mut millionths: u128 = 0;
        let source = facts.source();
        let bucket = facts.bucket(&plan.destination.bucket);
        let bucket_region = bucket.region.value().map(Region::as_str);
        for job in plan.tables.iter().filter(|_| plan.is_export()) {
            let arn = plan.table_arn(job, &source.caller.account, &source.region);
            let region = arn.region.as_str();
            let mut add = |bytes: u64, billed: Billed, missing: &mut Vec<String>| {
                if let Some(price) = prices.of(region, billed) {
                    millionths += u128::from(bytes) * u128::from(price.0) / GIGABYTE;
                    return;
                }
                let key = format!("{} in {region}", billed.key());
                if !missing.contains(&key) {
                    missing.push(key);
                }
            };
            let missing = &mut estimate.missing_prices;
            if matches!(job.span, Span::Incremental { .. }) {
                estimate.incremental_exports += 1;
                estimate.incremental_bytes_at_least += LEAST_INCREMENTAL;
                add(LEAST_INCREMENTAL, Billed::Incremental, missing);
                continue;
            }
            estimate.full_exports += 1;
            let table = facts.table(&job.table.to_string());
            let size = table.and_then(|table| table.description.value()?.size_bytes);
            let Some(bytes) = size else {
                estimate.unknown_sizes.push(job.table.to_string());
                continue;
            };
            estimate.full_bytes = estimate.full_bytes.saturating_add(bytes);
            add(bytes, Billed::Full, missing);
            if bucket_region.is_some_and(|bucket| bucket != region) {
                estimate.transfer_bytes_at_most =
                    estimate.transfer_bytes_at_most.saturating_add(bytes);
                add(bytes, Billed::Transfer, missing);
            }
        }
        if estimate.missing_prices.is_empty() {
            estimate.cost = Some(Money(u64::try_from(millionths).unwrap_or(u64::MAX)));
        }
        estimate
    }

    /// The estimate in sentences; none of a plan that exports nothing.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if self.full_exports > 0 {
            let unknown = match self.unknown_sizes.len() {
                0 => String::new(),
                1 => " (the size of 1 table is not known)".to_owned(),
                more => format!(" (the sizes of {more} tables are not known)"),
            };
            sentences.push(format!(
                "{} of tables in {}{unknown}, sizes up to six hours old and without local indexes that \
                 AWS may count besides",
                gigabytes(self.full_bytes),
                counted(self.full_exports, "full export"),
            ));
        }
        if self.incremental_exports > 0 {
            sentences.push(format!(
                "at least {} in {}: each is billed for what changed, of which the size is not known \
                 before, and for 10 MB at the least",
                gigabytes(self.incremental_bytes_at_least),
                counted(self.incremental_exports, "incremental export"),
            ));
        }
        if self.transfer_bytes_at_most > 0 {
            sentences.push(format!(
                "the bucket lies in another Region: up to {} are transferred, less what compression saves",
                gigabytes(self.transfer_bytes_at_most)
            ));
        }
        match &self.cost {
            Some(cost) if !sentences.is_empty() && !self.currency.is_empty() => {
                let least = if self.is_open() {
                    "at least "
                } else {
                    "about "
                };
                sentences.push(format!(
                    "{least}{cost} {}, an estimate by the prices of the configuration",
                    self.currency
                ));
            }
            _ => {}
        }
        sentences
    }

    /// Whether it may come to more: a size is unknown, or something is incremental.
    const fn is_open(&self) -> bool {
        !self.unknown_sizes.is_empty() || self.incremental_exports > 0
    }
}

fn gigabytes(bytes: u64) -> String {
    let hundredths = (u128::from(bytes) * 100).div_ceil(GIGABYTE);
    format!("{}.{:02} GB", hundredths / 100, hundredths % 100)
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        more => format!("{more} {what}s"),
    }
}

#[cfg(test)]
mod tests;
