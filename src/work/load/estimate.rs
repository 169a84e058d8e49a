//! How long writing takes, and what it costs, told before it is agreed to.

use crate::archive::manifest::Summary;
use crate::archive::write_units::UNIT;
use crate::assess::cost::{Prices, WriteCost};
use crate::aws::dynamodb::Table;

/// The write units a second where nobody says how many. A new on-demand table takes 4,000 at once
/// (developer guide, on-demand capacity mode); a table with units of its own has perhaps fewer.
const UNITS_BY_DEFAULT: u64 = 1000;

/// The most write units a second.
pub(super) fn most_units(chosen: Option<u64>, table: &Table) -> u64 {
    let by_default = table.write_units.unwrap_or(u64::MAX).min(UNITS_BY_DEFAULT);
    chosen.unwrap_or(by_default)
}

/// The write units that an export's items take of the table: no fewer than the first, and no more than the
/// second where its items are those that were billed. Sizes are told of full exports alone.
pub(super) fn units(summary: &Summary, is_full: bool) -> (u64, Option<u64>) {
    let items = summary.item_count;
    let bytes = summary.billed_size_bytes.filter(|_| is_full);
    // An item takes its kilobytes, the last of which it need not fill.
    let kilobytes = bytes.map(|bytes| bytes / UNIT);
    let least = items.max(kilobytes.unwrap_or(0));
    (
        least,
        kilobytes.map(|kilobytes| items.saturating_add(kilobytes)),
    )
}

/// The time and the cost of so many write units, in sentences.
pub(super) fn lines(
    (least, most): (u64, Option<u64>),
    rate: u64,
    table: &Table,
    prices: &Prices,
) -> Vec<String> {
    let span = |seconds: u64| {
        let duration = jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        format!("{duration:#}")
    };
    let seconds = |units: u64| units.div_ceil(rate.max(1));
    let (units, time) = match most {
        Some(most) if most > least => {
            let (from, to) = (span(seconds(least)), span(seconds(most)));
            let time = if from == to {
                from
            } else {
                format!("{from} to {to}")
            };
            (format!("{least} to {most}"), time)
        }
        _ => (
            format!("{least} or more"),
            format!("{} or more", span(seconds(least))),
        ),
    };
    let indexes = match table.indexes.len() {
        0 => String::new(),
        count => format!(", and more for {count} indexes"),
    };
    let mut lines = vec![format!(
        "it takes {units} write units{indexes}: at {rate} a second, {time}"
    )];
    lines.push(if table.write_units.is_some() {
        "the table's provisioned units are used, which cost nothing beside".to_owned()
    } else {
        match prices.write_cost(table.arn.region.as_str(), least, most) {
            Some(WriteCost {
                least,
                most,
                currency,
            }) => match most {
                Some(most) if most > least => {
                    format!("estimated cost of the writes: {least} to {most} {currency}")
                }
                _ => format!("estimated cost of the writes: {least} {currency} or more"),
            },
            None => "what the write units cost is not known: [prices.REGION] write_units of the \
                     configuration says it"
                .to_owned(),
        }
    });
    lines
}
