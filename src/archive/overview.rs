//! Which exports lie in a place, by their manifests: of which tables, and how incremental exports follow a
//! full one.
//!
//! An incremental export holds the changes from its first moment to just before its last one (developer
//! guide, incremental exports), so that one that begins where another ends continues it, and one that begins
//! later leaves a gap. A table that was made again under its name is another table.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::layout::ExportId;
use super::manifest::Summary;
use crate::job::Span;

/// An export that lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundExport {
    /// Its id.
    pub id: ExportId,
    /// The folder of its manifests, with a closing slash.
    pub folder: String,
    /// What is known of it.
    pub state: FoundState,
}

/// What is known of an export that lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundState {
    /// It has a summary and a list of its files.
    Complete(Box<Summary>),
    /// It has a summary, and no list of its files.
    WithoutList(Box<Summary>),
    /// It has no summary: it is under way, or failed.
    WithoutSummary,
    /// Its summary cannot be read, for this reason.
    Unreadable(String),
}

impl FoundExport {
    /// The summary, where it could be read.
    #[must_use]
    pub fn summary(&self) -> Option<&Summary> {
        match &self.state {
            FoundState::Complete(summary) | FoundState::WithoutList(summary) => Some(summary),
            FoundState::WithoutSummary | FoundState::Unreadable(_) => None,
        }
    }

    /// Whether it can be read.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self.state, FoundState::Complete(_))
    }
}

/// The exports of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableArchives {
    /// The table's ARN.
    pub table_arn: String,
    /// Its id, which tells apart tables of one name.
    pub table_id: Option<String>,
    /// Its exports in the order of what they hold.
    pub exports: Vec<FoundExport>,
    /// Its chains of incremental exports, the earliest first.
    pub chains: Vec<Chain>,
}

/// Incremental exports of which each begins where one before it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The full export that they continue: the latest within their time.
    pub base: Option<ExportId>,
    /// From when on changes are there.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// The exports, in their order.
    pub exports: Vec<ExportId>,
    /// How much is missing between it and the chain after it: from when until when.
    pub gap: Option<(Timestamp, Timestamp)>,
}

/// What lies in a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overview {
    /// By their tables.
    pub tables: Vec<TableArchives>,
    /// Exports of which no manifest tells the table.
    pub unknown: Vec<FoundExport>,
}

/// Brings what was found into order.
#[must_use]
pub fn overview(found: Vec<FoundExport>) -> Overview {
    let mut tables: BTreeMap<(String, Option<String>), Vec<FoundExport>> = BTreeMap::new();
    let mut overview = Overview::default();
    for export in found {
        match export.summary() {
            Some(summary) => {
                let table = (summary.table_arn.clone(), summary.table_id.clone());
                tables.entry(table).or_default().push(export);
            }
            None => overview.unknown.push(export),
        }
    }
    overview.unknown.sort_by(|one, other| one.id.cmp(&other.id));
    for ((table_arn, table_id), mut exports) in tables {
        exports.sort_by_key(|export| (begin(export), export.id.clone()));
        let chains = chains(&exports);
        overview.tables.push(TableArchives {
            table_arn,
            table_id,
            exports,
            chains,
        });
    }
    overview
}

/// What an export holds begins here.
fn begin(export: &FoundExport) -> Option<Timestamp> {
    match export.summary()?.span {
        Some(Span::Full { time }) => time,
        Some(Span::Incremental { from, .. }) => Some(from),
        None => None,
    }
}

/// The chains of exports that are sorted by their begin.
fn chains(exports: &[FoundExport]) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    for export in exports.iter().filter(|export| export.is_complete()) {
        let Some(Span::Incremental { from, to, .. }) =
            export.summary().and_then(|summary| summary.span.clone())
        else {
            continue;
        };
        match chains.last_mut() {
            Some(chain) if from <= chain.to => {
                chain.exports.push(export.id.clone());
                chain.to = chain.to.max(to);
            }
            last => {
                if let Some(last) = last {
                    last.gap = Some((last.to, from));
                }
                chains.push(Chain {
                    base: None,
                    from,
                    to,
                    exports: vec![export.id.clone()],
                    gap: None,
                });
            }
        }
    }
    for chain in &mut chains {
        chain.base = base(exports, chain.from, chain.to);
    }
    chains
}

/// The latest full export whose time the changes cover, so that those from its time on continue it.
fn base(exports: &[FoundExport], from: Timestamp, to: Timestamp) -> Option<ExportId> {
    let full = exports.iter().filter(|export| export.is_complete());
    let within = full.filter_map(|export| match export.summary()?.span {
        Some(Span::Full { time: Some(time) }) if time >= from && time <= to => {
            Some((time, export.id.clone()))
        }
        _ => None,
    });
    within.max().map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::View;

    const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders";

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_768_000_000 + hour * 3600).unwrap()
    }

    fn summary(span: Span) -> Summary {
        let text = format!(
            r#"{{"exportArn":"{TABLE}/export/x","tableArn":"{TABLE}","tableId":"one","s3Bucket":"b","manifestFilesS3Key":"k","itemCount":1}}"#
        );
        Summary {
            span: Some(span),
            ..Summary::parse(text.as_bytes()).unwrap()
        }
    }

    fn export(number: u32, state: FoundState) -> FoundExport {
        let id = ExportId::new(at(0), number);
        FoundExport {
            folder: format!("AWSDynamoDB/{id}/"),
            id,
            state,
        }
    }

    fn complete(number: u32, span: Span) -> FoundExport {
        export(number, FoundState::Complete(Box::new(summary(span))))
    }

    const fn full(time: Timestamp) -> Span {
        Span::Full { time: Some(time) }
    }

    const fn window(from: Timestamp, to: Timestamp) -> Span {
        Span::Incremental {
            from,
            to,
            view: View::NewImage,
        }
    }

    fn id(number: u32) -> ExportId {
        ExportId::new(at(0), number)
    }

    #[test]
    fn windows_that_meet_are_a_chain_and_what_lies_between_chains_is_a_gap() {
        let found = vec![
            complete(4, window(at(9), at(10))),
            complete(3, window(at(4), at(6))),
            complete(2, window(at(2), at(4))),
            complete(1, full(at(2))),
        ];
        let overview = overview(found);
        let [table] = overview.tables.as_slice() else {
            panic!("{overview:?}")
        };
        let [first, second] = table.chains.as_slice() else {
            panic!("{table:?}")
        };
        assert_eq!(first.exports, [id(2), id(3)]);
        assert_eq!((first.from, first.to), (at(2), at(6)));
        assert_eq!(first.base, Some(id(1)));
        assert_eq!(first.gap, Some((at(6), at(9))));
        assert_eq!(
            (second.exports.clone(), second.base.clone(), second.gap),
            (vec![id(4)], None, None)
        );
        let order: Vec<_> = table
            .exports
            .iter()
            .map(|export| export.id.clone())
            .collect();
        assert_eq!(order, [id(1), id(2), id(3), id(4)]);
    }

    #[test]
    fn windows_that_overlap_leave_no_gap_and_the_latest_full_export_is_continued() {
        let found = vec![
            complete(1, full(at(1))),
            complete(2, full(at(3))),
            complete(3, window(at(1), at(5))),
            complete(4, window(at(2), at(4))),
            complete(5, window(at(4), at(7))),
        ];
        let overview = overview(found);
        let [chain] = overview.tables[0].chains.as_slice() else {
            panic!("{overview:?}")
        };
        assert_eq!(chain.exports, [id(3), id(4), id(5)]);
        assert_eq!((chain.base.clone(), chain.to), (Some(id(2)), at(7)));
    }

    #[test]
    fn an_export_that_is_not_complete_is_no_link_and_one_without_a_summary_has_no_table() {
        let broken = FoundState::WithoutList(Box::new(summary(window(at(2), at(4)))));
        let found = vec![
            complete(1, window(at(1), at(2))),
            export(2, broken),
            complete(3, window(at(4), at(5))),
            export(4, FoundState::WithoutSummary),
            export(5, FoundState::Unreadable("no JSON".to_owned())),
        ];
        let overview = overview(found);
        assert_eq!(overview.tables[0].chains.len(), 2);
        assert_eq!(overview.tables[0].chains[0].gap, Some((at(2), at(4))));
        let unknown: Vec<_> = overview
            .unknown
            .iter()
            .map(|export| export.id.clone())
            .collect();
        assert_eq!(unknown, [id(4), id(5)]);
    }

    #[test]
    fn a_table_that_was_made_again_is_another_table() {
        let mut other = summary(full(at(1)));
        other.table_id = Some("two".to_owned());
        let found = vec![
            complete(1, full(at(1))),
            export(2, FoundState::Complete(Box::new(other))),
        ];
        assert_eq!(overview(found).tables.len(), 2);
    }
}
