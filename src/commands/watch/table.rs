//! The table that moves at the bottom of a terminal: the exports under way, the longest first. One that
//! ended leaves it, and has its last line above.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::words;
use crate::journal::Stage;
use crate::tui::widgets::columns::Columns;
use crate::tui::widgets::format;
use crate::work::watch::{WatchId, WatchedExport};

/// Account, elapsed, in the bucket, table, left; the account goes first where it is narrow.
const COLUMNS: Columns<5> = Columns {
    widths: [13, 13, 22, 11, 16],
    droppable: &[0, 3, 1],
    name: 12,
};

/// The exports that are watched, and what was said of them.
#[derive(Default)]
pub(super) struct LiveTable {
    exports: BTreeMap<WatchId, WatchedExport>,
    /// The last line printed for each, so that a line says something new.
    said: BTreeMap<WatchId, String>,
}

impl LiveTable {
    /// Takes how an export stands; the lines that say what is new about it.
    pub(super) fn take(&mut self, export: WatchedExport) -> Vec<String> {
        let id = export.id.clone();
        let line = words::line(&export);
        let mut lines = Vec::new();
        if self.said.get(&id) != Some(&line) {
            lines.push(line.clone());
            let causes = words::causes(&export).into_iter();
            lines.extend(causes.map(|cause| format!("    {cause}")));
            self.said.insert(id.clone(), line);
        }
        let before = self.exports.get(&id).and_then(|known| known.seen);
        let seen = export.seen.or(before);
        self.exports.insert(id, WatchedExport { seen, ..export });
        lines
    }

    /// The table in so many rows and columns.
    pub(super) fn lines(&self, rows: usize, columns: usize, now: Timestamp) -> Vec<String> {
        let mut under_way: Vec<&WatchedExport> = self
            .exports
            .values()
            .filter(|export| !export.has_ended())
            .collect();
        under_way.sort_by_key(|export| export.started_at);
        let count = |stage| {
            let mut exports = self.exports.values().map(|export| export.stage);
            exports.by_ref().filter(|found| *found == stage).count()
        };
        let (completed, failed) = (count(Stage::Completed), count(Stage::Failed));
        let total = format!(
            "{} under way, {completed} completed, {failed} failed",
            under_way.len()
        );
        let room = rows.saturating_sub(3);
        let mut lines = vec![heads(columns)];
        lines.extend(
            under_way
                .iter()
                .take(room)
                .map(|export| row(export, columns, now)),
        );
        let hidden = under_way.len().saturating_sub(room);
        lines.push(if hidden > 0 {
            format!("and {hidden} more; {total}")
        } else {
            total
        });
        lines
    }
}

fn heads(columns: usize) -> String {
    COLUMNS.line(
        "table",
        &[
            "account",
            "elapsed",
            "in the bucket (gz)",
            "of table",
            "left",
        ]
        .map(str::to_owned),
        columns,
    )
}

fn row(export: &WatchedExport, columns: usize, now: Timestamp) -> String {
    let none = || "-".to_owned();
    let seen = export
        .seen
        .map(|(files, bytes)| format!("{} in {}", format::size(bytes), format::count(files)));
    let elapsed = export.elapsed(now).map(format::duration);
    COLUMNS.line(
        &export.name,
        &[
            export.account.clone(),
            elapsed.unwrap_or_else(none),
            seen.unwrap_or_else(none),
            export.table_bytes.map_or_else(none, format::size),
            words::left(export, now).unwrap_or_else(none),
        ],
        columns,
    )
}

#[cfg(test)]
mod tests;
