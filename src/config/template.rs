//! The file that documents every key, assets/config.toml, and what it says of the keys that there are.
//!
//! A key that the template has not is unknown: it is named with its line and the nearest that there is.

use toml::de::{DeTable, DeValue};

use crate::nearest::nearest;

/// The file, with every key commented out.
pub const TEMPLATE: &str = include_str!("../../assets/config.toml");

/// The template with its keys as if they were set. A key is behind `#`, prose behind `# `.
pub(super) fn set() -> String {
    let lines = TEMPLATE.lines().map(|line| match line.strip_prefix('#') {
        Some(key) if !key.is_empty() && !key.starts_with(' ') => key,
        _ => "",
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The keys of a file that the template has not, each with the byte at which it stands.
pub(super) fn unknown(file: &DeTable<'_>) -> Vec<(usize, String)> {
    let set = set();
    let mut unknown = Vec::new();
    if let Ok(known) = DeTable::parse(&set) {
        compare(file, known.get_ref(), "", &mut unknown);
    }
    unknown
}

fn compare(
    file: &DeTable<'_>,
    known: &DeTable<'_>,
    section: &str,
    unknown: &mut Vec<(usize, String)>,
) {
    for (key, value) in file {
        let name = key.get_ref().as_ref();
        // Accounts go by their ids and prices by Regions: the one of the template stands for all.
        let found = match section {
            "accounts" | "prices" => known.values().next(),
            _ => known.get(name),
        };
        match (found.map(toml::Spanned::get_ref), value.get_ref()) {
            (None, _) => unknown.push((key.span().start, misspelt(name, section, known))),
            (Some(DeValue::Table(known)), DeValue::Table(table)) => {
                let below = if section.is_empty() { name } else { section };
                let title = match section {
                    "" => below,
                    "prices" => "prices.REGION",
                    _ => "accounts.ID",
                };
                compare(table, known, title, unknown);
            }
            _ => {}
        }
    }
}

fn misspelt(name: &str, section: &str, known: &DeTable<'_>) -> String {
    let place = if section.is_empty() {
        String::new()
    } else {
        format!(" in [{section}]")
    };
    let keys: Vec<&str> = known.keys().map(|key| key.get_ref().as_ref()).collect();
    let remedy = match nearest(name, &keys) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("it takes {}", keys.join(", ")),
    };
    format!("unknown key `{name}`{place}: {remedy}")
}
