//! Items that were written: the table as it is, and what it takes to tell how it was before.
//!
//! Items lie in the order of a hash of their partition key, as a scan returns them, and those of one
//! partition key together.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// An item's attributes, as `DynamoDB` JSON.
pub(super) type Item = Map<String, Value>;

/// The items of a table by their place in it.
pub(super) type Items = BTreeMap<ItemPlace, Item>;

/// Where an item lies: the hash of its partition key, then its whole key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct ItemPlace(String);

impl ItemPlace {
    /// The place of a key whose values are in their normal form, in the order of the key schema.
    pub(super) fn of_key<'k>(values: impl IntoIterator<Item = &'k Value>) -> Self {
        let texts: Vec<String> = values.into_iter().map(Value::to_string).collect();
        let hash = Sha256::digest(texts.first().map(String::as_str).unwrap_or_default());
        let hash = hex::encode(hash.get(..8).unwrap_or_default());
        Self(format!("{hash} {}", texts.join(" ")))
    }

    /// A number that is alike for all items of a partition key, and spreads evenly.
    pub(super) fn hash(&self) -> u64 {
        let digits = self.0.get(..16).unwrap_or_default();
        u64::from_str_radix(digits, 16).unwrap_or(0)
    }
}

/// What a write replaced.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Replaced {
    at: Timestamp,
    place: ItemPlace,
    before: Option<Item>,
}

/// The written items of a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ItemStore {
    /// When the first of them was written; the state before it is not here.
    pub since: Timestamp,
    items: Items,
    history: Vec<Replaced>,
}

impl ItemStore {
    /// A store that begins with items at a time.
    pub(super) const fn beginning_with(items: Items, since: Timestamp) -> Self {
        Self {
            since,
            items,
            history: Vec::new(),
        }
    }

    /// The items as they are.
    pub(super) const fn items(&self) -> &Items {
        &self.items
    }

    /// Writes an item, or takes it away.
    pub(super) fn write(&mut self, place: ItemPlace, item: Option<Item>, at: Timestamp) {
        let before = match item {
            Some(item) => self.items.insert(place.clone(), item),
            None => self.items.remove(&place),
        };
        self.history.push(Replaced { at, place, before });
    }

    /// The items as they were at a time.
    pub(super) fn items_at(&self, at: Timestamp) -> Items {
        let mut items = self.items.clone();
        for replaced in self.history.iter().rev().filter(|change| change.at > at) {
            match &replaced.before {
                Some(item) => items.insert(replaced.place.clone(), item.clone()),
                None => items.remove(&replaced.place),
            };
        }
        items
    }

    /// The last write of each item from a time (inclusive) to another (exclusive).
    fn written(&self, from: Timestamp, to: Timestamp) -> BTreeMap<&ItemPlace, Timestamp> {
        self.history
            .iter()
            .filter(|change| (from..to).contains(&change.at))
            .map(|change| (&change.place, change.at))
            .collect()
    }

    /// What the writes from a time (inclusive) to another (exclusive) amount to, an item each; one that
    /// was made and removed in between is not there ("incremental exports", developer guide).
    pub(super) fn net_changes(&self, from: Timestamp, to: Timestamp) -> Vec<NetChange> {
        let just_before = |time: Timestamp| time - SignedDuration::from_nanos(1);
        let (old, new) = (
            self.items_at(just_before(from)),
            self.items_at(just_before(to)),
        );
        self.written(from, to)
            .into_iter()
            .map(|(place, at)| NetChange {
                place: place.clone(),
                at,
                old: old.get(place).cloned(),
                new: new.get(place).cloned(),
            })
            .filter(|change| change.old.is_some() || change.new.is_some())
            .collect()
    }
}

/// What became of one item in a window.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NetChange {
    pub place: ItemPlace,
    pub at: Timestamp,
    pub old: Option<Item>,
    pub new: Option<Item>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn place(key: &str) -> ItemPlace {
        ItemPlace::of_key([&json!({"S": key})])
    }

    fn item(key: &str, value: &str) -> Item {
        let Value::Object(item) = json!({"pk": {"S": key}, "v": {"S": value}}) else {
            return Item::new();
        };
        item
    }

    /// `a` is made, changed and removed; `b` is made between.
    fn store() -> ItemStore {
        let mut store = ItemStore::beginning_with(Items::new(), at(0));
        store.write(place("a"), Some(item("a", "1")), at(10));
        store.write(place("b"), Some(item("b", "1")), at(20));
        store.write(place("a"), Some(item("a", "2")), at(30));
        store.write(place("a"), None, at(40));
        store
    }

    #[test]
    fn the_items_of_a_past_time_are_told() {
        let store = store();
        let values = |seconds| -> Vec<String> {
            let mut values: Vec<String> = store
                .items_at(at(seconds))
                .values()
                .map(|item| format!("{}{}", item["pk"]["S"], item["v"]["S"]).replace('"', ""))
                .collect();
            values.sort();
            values
        };
        assert_eq!(values(9), Vec::<String>::new());
        assert_eq!(values(10), ["a1"]);
        assert_eq!(values(29), ["a1", "b1"]);
        assert_eq!(values(30), ["a2", "b1"]);
        assert_eq!(values(40), ["b1"]);
    }

    #[test]
    fn a_window_tells_an_insert_an_update_and_a_delete_as_one_net_change_each() {
        let store = store();
        let change = |from, to, key| {
            let changes = store.net_changes(at(from), at(to));
            changes
                .into_iter()
                .find(|change| change.place == place(key))
                .map(|change| (change.old, change.new))
        };
        assert_eq!(change(5, 15, "a"), Some((None, Some(item("a", "1")))));
        assert_eq!(
            change(15, 35, "a"),
            Some((Some(item("a", "1")), Some(item("a", "2"))))
        );
        assert_eq!(change(35, 50, "a"), Some((Some(item("a", "2")), None)));
        assert_eq!(change(5, 50, "a"), None, "made and removed in the window");
        assert_eq!(change(5, 50, "b"), Some((None, Some(item("b", "1")))));
        assert_eq!(change(10, 20, "b"), None, "the end is outside");
    }
}
