//! What is in the tables of the world as it begins: items that are computed, not stored, and a history
//! of changes to them. The first write to such a table stores the items that it has then.
//!
//! Time is cut into ticks. At each tick one item of a table changes, each in its turn, so that an
//! item's version at a time, and what changed in a window, follow from the clock alone: a full
//! export and the incremental ones after it agree.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::item_store::{Item, ItemPlace, ItemStore, Items, NetChange};
use super::table_definition::TableDefinition;
use super::world::{ItemKind, Table};

/// When the history begins, in seconds of the Unix epoch: 14 November 2023.
const ORIGIN: i64 = 1_700_000_000;

/// How many partitions hold items; one more is empty.
pub(super) const FILLED_PARTITIONS: u64 = 4;

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
        let ticks = (at.as_second() - ORIGIN) / self.tick_seconds();
        u64::try_from(ticks).unwrap_or(0)
    }

    /// How often an item had changed by a time.
    pub(super) fn version_at(&self, index: u64, at: Timestamp) -> u64 {
        let tick = self.tick(at);
        let rounds = tick / self.items.max(1);
        let is_reached = index <= tick % self.items.max(1);
        rounds + u64::from(is_reached)
    }

    fn tick_seconds(&self) -> i64 {
        self.kind.map_or(i64::MAX, ItemKind::tick_seconds)
    }

    /// The generated items that changed from a time (inclusive) to another (exclusive), each once.
    fn generated_changes(&self, from: Timestamp, to: Timestamp) -> Vec<NetChange> {
        let just_before = |time: Timestamp| time - SignedDuration::from_nanos(1);
        let (before, after) = (just_before(from), just_before(to));
        (0..self.items)
            .filter_map(|index| {
                let old = self.version_at(index, before);
                let new = self.version_at(index, after);
                (old < new).then(|| {
                    let item = self.item(index, new);
                    NetChange {
                        place: self.place(&item),
                        at: self.changed_at(index, new),
                        old: Some(self.item(index, old)),
                        new: Some(item),
                    }
                })
            })
            .collect()
    }

    /// What became of items from a time (inclusive) to another (exclusive).
    pub(super) fn changes(&self, from: Timestamp, to: Timestamp) -> Vec<NetChange> {
        match &self.store {
            Some(store) if from >= store.since => store.net_changes(from, to),
            Some(store) if to > store.since => {
                // Each key once: the later of the two parts knows the end, the earlier one the start.
                let mut changes = self.generated_changes(from, store.since);
                for later in store.net_changes(store.since, to) {
                    match changes
                        .iter_mut()
                        .find(|change| change.place == later.place)
                    {
                        Some(change) => {
                            change.at = later.at;
                            change.new = later.new;
                        }
                        None => changes.push(later),
                    }
                }
                changes
            }
            _ => self.generated_changes(from, to),
        }
    }

    /// When an item took on a version.
    fn changed_at(&self, index: u64, version: u64) -> Timestamp {
        let tick = version.saturating_sub(1) * self.items + index;
        let seconds = i64::try_from(tick)
            .unwrap_or(0)
            .saturating_mul(self.tick_seconds());
        Timestamp::from_second(ORIGIN.saturating_add(seconds)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// A generated item in a version, as `DynamoDB` JSON.
    fn item(&self, index: u64, version: u64) -> Item {
        let item = match self.kind {
            None => return Item::new(),
            Some(ItemKind::Orders) => order(index, version),
            Some(ItemKind::Users) => user(index, version),
            Some(ItemKind::Events) => event(index, version),
            Some(ItemKind::Sessions) => session(index, version),
            Some(ItemKind::Ledger) => ledger_entry(index, version),
        };
        match item {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    /// All items as they were at a time.
    pub(super) fn items_at(&self, at: Timestamp) -> Items {
        match &self.store {
            Some(store) if at >= store.since => store.items_at(at),
            _ => (0..self.items)
                .map(|index| self.item(index, self.version_at(index, at)))
                .map(|item| (self.place(&item), item))
                .collect(),
        }
    }

    /// Hands over the items of a partition as they were at a time; generated ones one after another.
    pub(super) fn each_item(&self, part: u64, at: Timestamp, mut take: impl FnMut(&Item)) {
        if let Some(store) = self.store.as_ref().filter(|store| at >= store.since) {
            let items = store.items_at(at);
            for (_, item) in items.iter().filter(|(place, _)| partition(place) == part) {
                take(item);
            }
            return;
        }
        for index in (0..self.items).filter(|index| scatter(*index) % FILLED_PARTITIONS == part) {
            take(&self.item(index, self.version_at(index, at)));
        }
    }

    /// The table's items, to be written to.
    pub(super) fn store_at(&mut self, now: Timestamp) -> &mut ItemStore {
        let generated = if self.store.is_none() {
            self.items_at(now)
        } else {
            Items::new()
        };
        self.store
            .get_or_insert_with(|| ItemStore::beginning_with(generated, now))
    }

    /// The definition that a call gave it.
    pub(super) fn definition(&self) -> Option<&TableDefinition> {
        self.making.as_ref().map(|making| &making.definition)
    }

    /// The partition key and the sort key, each with its type.
    pub(super) fn keys(&self) -> Vec<(&str, &str)> {
        match (self.definition(), self.kind) {
            (Some(definition), _) => definition
                .keys
                .iter()
                .filter_map(|name| Some((name.as_str(), definition.type_of(name)?)))
                .collect(),
            (None, Some(kind)) => kind.keys().to_vec(),
            (None, None) => Vec::new(),
        }
    }

    /// The key attributes of an item.
    pub(super) fn key_of(&self, item: &Item) -> Item {
        self.keys()
            .into_iter()
            .filter_map(|(name, _)| Some((name.to_owned(), item.get(name)?.clone())))
            .collect()
    }

    /// Where an item lies, by its key.
    pub(super) fn place(&self, item: &Item) -> ItemPlace {
        let keys = self.keys();
        ItemPlace::of_key(keys.iter().filter_map(|(name, _)| item.get(*name)))
    }

    /// The table's size in bytes: of generated items estimated from a few, of written ones their text's.
    pub(super) fn size_bytes(&self) -> u64 {
        const SAMPLE: u64 = 16;
        let length = |item: Item| Value::Object(item).to_string().len();
        if let Some(store) = &self.store {
            let bytes = store.items().values().cloned().map(length).sum::<usize>();
            return u64::try_from(bytes).unwrap_or(u64::MAX);
        }
        let sample = self.items.min(SAMPLE);
        let bytes: usize = (0..sample).map(|index| length(self.item(index, 0))).sum();
        let bytes = u64::try_from(bytes).unwrap_or(0);
        (bytes * self.items).checked_div(sample).unwrap_or(0)
    }
}

/// The partition that holds what lies at a place.
pub(super) fn partition(place: &ItemPlace) -> u64 {
    place.hash() % FILLED_PARTITIONS
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
    use std::collections::BTreeSet;

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
            let keys: BTreeSet<String> = (0..2000)
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
            let changed: BTreeSet<ItemPlace> = table
                .changes(from, to)
                .into_iter()
                .map(|change| change.place)
                .collect();
            let just = |time: Timestamp| time - SignedDuration::from_nanos(1);
            let (old, new) = (table.items_at(just(from)), table.items_at(just(to)));
            let differing: BTreeSet<ItemPlace> = new
                .into_iter()
                .filter(|(place, item)| old.get(place) != Some(item))
                .map(|(place, _)| place)
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
