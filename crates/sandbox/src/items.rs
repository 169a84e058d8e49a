//! What is in the tables: items that are computed, not stored, and a history of changes to them.
//!
//! Time is cut into ticks. At each tick one item of a table changes, each in its turn, so that an
//! item's version at a time, and what changed in a window, follow from the clock alone: a full
//! export and the incremental ones after it agree.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::world::{ItemKind, Table};

/// When the history begins, in seconds of the Unix epoch: 14 November 2023.
const ORIGIN: i64 = 1_700_000_000;

/// How many partitions hold items; one more is empty.
pub(super) const FILLED_PARTITIONS: u64 = 4;

/// A change to one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ItemChange {
    pub index: u64,
    /// The item's versions before and after.
    pub from_version: u64,
    pub to_version: u64,
    pub at: Timestamp,
}

impl ItemKind {
    /// Seconds from one change in a table to the next.
    const fn tick_seconds(self) -> i64 {
        match self {
            Self::Orders => 20,
            Self::Users => 300,
            Self::Events => 60,
            Self::Sessions => 30,
            Self::Ledger => 120,
        }
    }

    /// The partition key and the sort key, each with its type.
    pub(super) const fn keys(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Orders => &[("orderId", "S")],
            Self::Users => &[("userId", "S")],
            Self::Events => &[("stream", "S"), ("sequence", "N")],
            Self::Sessions => &[("sessionId", "S")],
            Self::Ledger => &[("account", "S"), ("entry", "N")],
        }
    }
}

impl Table {
    /// The tick at or before a time.
    fn tick(&self, at: Timestamp) -> u64 {
        let ticks = (at.as_second() - ORIGIN) / self.kind.tick_seconds();
        u64::try_from(ticks).unwrap_or(0)
    }

    /// How often an item had changed by a time.
    pub(super) fn version_at(&self, index: u64, at: Timestamp) -> u64 {
        let tick = self.tick(at);
        let rounds = tick / self.items.max(1);
        let is_reached = index <= tick % self.items.max(1);
        rounds + u64::from(is_reached)
    }

    /// The items that changed from a time (inclusive) to another (exclusive), each once.
    pub(super) fn changes(&self, from: Timestamp, to: Timestamp) -> Vec<ItemChange> {
        let just_before = |time: Timestamp| time - SignedDuration::from_nanos(1);
        let (before, after) = (just_before(from), just_before(to));
        (0..self.items)
            .filter_map(|index| {
                let from_version = self.version_at(index, before);
                let to_version = self.version_at(index, after);
                (from_version < to_version).then(|| ItemChange {
                    index,
                    from_version,
                    to_version,
                    at: self.changed_at(index, to_version),
                })
            })
            .collect()
    }

    /// When an item took on a version.
    fn changed_at(&self, index: u64, version: u64) -> Timestamp {
        let tick = version.saturating_sub(1) * self.items + index;
        let seconds = i64::try_from(tick).unwrap_or(0) * self.kind.tick_seconds();
        Timestamp::from_second(ORIGIN + seconds).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// An item in a version, as `DynamoDB` JSON.
    pub(super) fn item(&self, index: u64, version: u64) -> Map<String, Value> {
        let item = match self.kind {
            ItemKind::Orders => order(index, version),
            ItemKind::Users => user(index, version),
            ItemKind::Events => event(index, version),
            ItemKind::Sessions => session(index, version),
            ItemKind::Ledger => ledger_entry(index, version),
        };
        match item {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    /// The key attributes of an item.
    pub(super) fn key_of(&self, item: &Map<String, Value>) -> Map<String, Value> {
        self.kind
            .keys()
            .iter()
            .filter_map(|(name, _)| Some(((*name).to_owned(), item.get(*name)?.clone())))
            .collect()
    }

    /// The table's size in bytes, estimated from a few items.
    pub(super) fn size_bytes(&self) -> u64 {
        const SAMPLE: u64 = 16;
        let sample = self.items.min(SAMPLE);
        let bytes: usize = (0..sample)
            .map(|index| Value::Object(self.item(index, 0)).to_string().len())
            .sum();
        let bytes = u64::try_from(bytes).unwrap_or(0);
        (bytes * self.items).checked_div(sample).unwrap_or(0)
    }
}

/// The partition that holds an item.
pub(super) fn partition(index: u64) -> u64 {
    scatter(index) % FILLED_PARTITIONS
}

/// Spreads numbers evenly, always alike (the finalizer of `SplitMix64`).
fn scatter(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// One of several values, chosen by a number.
fn pick<'a>(choices: &[&'a str], number: u64) -> &'a str {
    let index = usize::try_from(number).unwrap_or(0) % choices.len().max(1);
    choices.get(index).copied().unwrap_or_default()
}

fn id(prefix: &str, index: u64) -> String {
    format!("{prefix}-{:08x}", scatter(index) >> 32)
}

const NAMES: &[&str] = &[
    "Ada",
    "Bjørn",
    "Chloë",
    "Dařina",
    "Ελένη",
    "Farid",
    "花子",
    "Ивáн",
];
const CITIES: &[&str] = &[
    "Dublin",
    "Kraków",
    "São Paulo",
    "Zürich",
    "東京",
    "Reykjavík",
];
const STATES: &[&str] = &[
    "PLACED",
    "PAID",
    "PACKED",
    "SHIPPED",
    "DELIVERED",
    "RETURNED",
];
const GOODS: &[&str] = &[
    "rope",
    "lantern",
    "compass",
    "tarpaulin",
    "sextant",
    "flare 🎆",
];

fn order(index: u64, version: u64) -> Value {
    let seed = scatter(index);
    let lines: Vec<Value> = (0..=seed % 3)
        .map(|line| {
            let cents = scatter(seed ^ line) % 20_000;
            json!({"M": {
                "sku": {"S": pick(GOODS, seed >> (8 + line))},
                "quantity": {"N": (1 + line).to_string()},
                "price": {"N": format!("{}.{:02}", cents / 100, cents % 100)},
            }})
        })
        .collect();
    let note = if seed.is_multiple_of(5) {
        json!({"S": "leave at the quay — “ring twice”"})
    } else {
        json!({"NULL": true})
    };
    json!({
        // The index makes the key unique; the scattered part makes it look like one.
        "orderId": {"S": format!("{}-{index:05}", id("ord", index))},
        "customerId": {"S": id("cus", seed % 1200)},
        "status": {"S": pick(STATES, version)},
        "version": {"N": version.to_string()},
        "lines": {"L": lines},
        "address": {"M": {
            "name": {"S": pick(NAMES, seed >> 3)},
            "city": {"S": pick(CITIES, seed >> 7)},
            "isBusiness": {"BOOL": seed.is_multiple_of(2)},
        }},
        "labels": {"SS": ["ferry", pick(&["fragile", "heavy", "express"], seed >> 11)]},
        "weights": {"NS": [(seed % 97).to_string(), format!("0.{}", 1 + seed % 9)]},
        "seal": {"B": STANDARD.encode(seed.to_be_bytes())},
        "note": note,
    })
}

fn user(index: u64, version: u64) -> Value {
    let seed = scatter(index);
    json!({
        "userId": {"S": format!("{}-{index:04}", id("usr", index))},
        "name": {"S": pick(NAMES, seed)},
        "city": {"S": pick(CITIES, seed >> 9)},
        "isActive": {"BOOL": !seed.is_multiple_of(7)},
        "logins": {"N": version.to_string()},
        "roles": {"SS": ["member", pick(&["admin", "crew", "guest"], seed >> 5)]},
        "avatar": {"BS": [STANDARD.encode(seed.to_le_bytes())]},
    })
}

fn event(index: u64, version: u64) -> Value {
    let seed = scatter(index);
    json!({
        "stream": {"S": format!("dock-{}", index % 12)},
        "sequence": {"N": index.to_string()},
        "kind": {"S": pick(&["arrived", "loaded", "departed"], seed)},
        "revision": {"N": version.to_string()},
        "payload": {"M": {"berth": {"N": (seed % 40).to_string()}, "empty": {"M": {}}, "none": {"L": []}}},
    })
}

fn session(index: u64, version: u64) -> Value {
    json!({
        "sessionId": {"S": format!("{:016x}{index:04x}", scatter(index))},
        "touched": {"N": version.to_string()},
        "expires": {"N": (ORIGIN.unsigned_abs() + index * 60).to_string()},
    })
}

fn ledger_entry(index: u64, version: u64) -> Value {
    let seed = scatter(index);
    json!({
        "account": {"S": format!("acct-{:03}", index % 50)},
        "entry": {"N": index.to_string()},
        "amount": {"N": format!("{}{}.{:02}", if seed.is_multiple_of(2) { "-" } else { "" }, seed % 90_000, seed % 100)},
        "currency": {"S": pick(&["EUR", "GBP", "JPY"], seed >> 13)},
        "revision": {"N": version.to_string()},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(kind: ItemKind, items: u64) -> Table {
        serde_json::from_value(json!({
            "name": "T", "region": "eu-west-1", "kind": format!("{kind:?}"), "items": items,
            "created_days_ago": 10,
        }))
        .unwrap()
    }

    const KINDS: [ItemKind; 5] = [
        ItemKind::Orders,
        ItemKind::Users,
        ItemKind::Events,
        ItemKind::Sessions,
        ItemKind::Ledger,
    ];

    #[test]
    fn no_two_items_of_a_table_share_a_key() {
        for kind in KINDS {
            let table = table(kind, 2000);
            let keys: std::collections::BTreeSet<String> = (0..2000)
                .map(|index| Value::Object(table.key_of(&table.item(index, 1))).to_string())
                .collect();
            assert_eq!(keys.len(), 2000, "{kind:?}");
        }
    }

    #[test]
    fn what_changed_in_a_window_is_what_two_snapshots_differ_in() {
        let table = table(ItemKind::Users, 7);
        let from: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        for minutes in [15, 20, 33, 60, 24 * 60] {
            let to = from + SignedDuration::from_mins(minutes);
            let changed: Vec<u64> = table.changes(from, to).iter().map(|c| c.index).collect();
            let just = |time: Timestamp| time - SignedDuration::from_nanos(1);
            let differing: Vec<u64> = (0..7)
                .filter(|i| table.version_at(*i, just(from)) != table.version_at(*i, just(to)))
                .collect();
            assert_eq!(changed, differing, "{minutes}");
            assert!(!changed.is_empty());
        }
    }

    #[test]
    fn a_change_lies_inside_its_window() {
        let table = table(ItemKind::Orders, 100);
        let from: Timestamp = "2026-11-21T00:00:07Z".parse().unwrap();
        let to = from + SignedDuration::from_mins(15);
        let changes = table.changes(from, to);
        assert_eq!(changes.len(), 45, "one change every twenty seconds");
        for change in changes {
            assert!((from..to).contains(&change.at), "{change:?}");
        }
    }

    #[test]
    fn a_table_without_items_has_no_changes() {
        let table = table(ItemKind::Orders, 0);
        let from: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        assert_eq!(
            table.changes(from, from + SignedDuration::from_hours(24)),
            []
        );
        assert_eq!(table.size_bytes(), 0);
    }
}
