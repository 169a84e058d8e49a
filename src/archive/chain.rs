//! Incremental exports as a chain that leads on from a full one: which may be replayed onto it, and in which
//! order.
//!
//! A window holds the last state of each item that changed in it ("the net change", developer guide, output
//! of a table export), so that windows that follow each other without a gap give the table as it was at the
//! end of the last. What is written twice is written the same.

use std::fmt;

use jiff::Timestamp;

use super::manifest::Summary;
use crate::job::Span;

/// Why windows do not lead on from a full export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokenChain {
    /// The export to begin with is not a full one, or its manifest names no time.
    NotFull(String),
    /// An export to be replayed is not incremental.
    NotIncremental(String),
    /// An export is of another table.
    OtherTable {
        /// The export.
        export: String,
        /// Its table.
        table: String,
        /// That of the full export.
        expected: String,
    },
    /// A table of the same name was made again in between.
    MadeAgain(String),
    /// What changed between these times is in no window.
    Gap {
        /// From here on.
        from: Timestamp,
        /// Until here.
        to: Timestamp,
    },
    /// The last window ends before the full export's time.
    EndsBefore {
        /// When the last window ends.
        end: Timestamp,
        /// The full export's time.
        export_time: Timestamp,
    },
}

impl fmt::Display for BrokenChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFull(export) => write!(
                f,
                "{export} is no full export whose manifest names its time: windows lead on from one"
            ),
            Self::NotIncremental(export) => {
                write!(f, "{export} is not an incremental export")
            }
            Self::OtherTable {
                export,
                table,
                expected,
            } => write!(
                f,
                "{export} is of table {table}, the full export is of {expected}"
            ),
            Self::MadeAgain(export) => write!(
                f,
                "{export} is of a table that was made again: its changes are not those of the full export's"
            ),
            Self::Gap { from, to } => write!(
                f,
                "what changed from {from} to {to} is in none of the incremental exports"
            ),
            Self::EndsBefore { end, export_time } => write!(
                f,
                "the last window ends at {end}, before the full export's time, {export_time}: the table \
                 would be older afterwards"
            ),
        }
    }
}

impl BrokenChain {
    /// What to do.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotFull(_) => "name the full export that the table was loaded from",
            Self::NotIncremental(_) => "leave it out; `tableferry load` loads a full export",
            Self::OtherTable { .. } | Self::MadeAgain(_) => {
                "replay the exports of the table that the full export is of"
            }
            Self::Gap { .. } => "add the incremental export of that time, or export it now",
            Self::EndsBefore { .. } => "add the windows up to the full export's time and beyond",
        }
    }
}

/// The order in which incremental exports are replayed onto a full one: their places in `windows`.
///
/// # Errors
/// Where they do not lead on from it.
pub fn order(full: &Summary, windows: &[Summary]) -> Result<Vec<usize>, BrokenChain> {
    let Some(Span::Full {
        time: Some(export_time),
    }) = full.span
    else {
        return Err(BrokenChain::NotFull(full.export_arn.clone()));
    };
    let mut spans = Vec::new();
    for (index, window) in windows.iter().enumerate() {
        let Some(Span::Incremental { from, to, .. }) = window.span else {
            return Err(BrokenChain::NotIncremental(window.export_arn.clone()));
        };
        same_table(full, window)?;
        spans.push((from, to, index));
    }
    let mut reached = export_time;
    spans.sort_unstable();
    for (from, to, _) in &spans {
        if *from > reached {
            return Err(BrokenChain::Gap {
                from: reached,
                to: *from,
            });
        }
        reached = reached.max(*to);
    }
    // An item has its last state in the windows that hold its last change, and none that ends later
    // holds an earlier state.
    spans.sort_unstable_by_key(|(from, to, _)| (*to, *from));
    if let Some((_, end, _)) = spans.last()
        && *end < export_time
    {
        return Err(BrokenChain::EndsBefore {
            end: *end,
            export_time,
        });
    }
    Ok(spans.into_iter().map(|(_, _, index)| index).collect())
}

fn same_table(full: &Summary, window: &Summary) -> Result<(), BrokenChain> {
    if full.table_arn != window.table_arn {
        return Err(BrokenChain::OtherTable {
            export: window.export_arn.clone(),
            table: window.table_arn.clone(),
            expected: full.table_arn.clone(),
        });
    }
    match (&full.table_id, &window.table_id) {
        (Some(one), Some(other)) if one != other => {
            Err(BrokenChain::MadeAgain(window.export_arn.clone()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::View;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_768_384_800 + minute * 60).unwrap()
    }

    fn summary(span: Span) -> Summary {
        let text = r#"{"version":"2020-06-30","exportArn":"arn:e","startTime":null,"endTime":null,
            "tableArn":"arn:t","tableId":"1","exportTime":"2026-01-14T10:00:00Z","s3Bucket":"landing",
            "s3Prefix":null,"s3SseAlgorithm":null,"s3SseKmsKeyId":null,"manifestFilesS3Key":"k",
            "billedSizeBytes":0,"itemCount":3,"outputFormat":"DYNAMODB_JSON"}"#;
        let mut summary = Summary::parse(text.as_bytes()).unwrap();
        summary.span = Some(span);
        summary
    }

    fn full() -> Summary {
        summary(Span::Full { time: Some(at(0)) })
    }

    fn window(from: i64, to: i64) -> Summary {
        summary(Span::Incremental {
            from: at(from),
            to: at(to),
            view: View::NewImage,
        })
    }

    #[test]
    fn windows_follow_each_other_whatever_their_order_on_the_command_line() {
        let windows = [window(30, 60), window(-10, 30), window(60, 75)];
        assert_eq!(order(&full(), &windows), Ok(vec![1, 0, 2]));
    }

    #[test]
    fn windows_that_overlap_or_repeat_leave_no_gap() {
        let windows = [window(0, 30), window(0, 30), window(20, 60)];
        assert_eq!(order(&full(), &windows), Ok(vec![0, 1, 2]));
        // One that holds another whole comes behind it: it holds the later states.
        let windows = [window(-10, 60), window(10, 30)];
        assert_eq!(order(&full(), &windows), Ok(vec![1, 0]));
    }

    #[test]
    fn a_gap_is_told_with_its_times() {
        let behind = [window(15, 30)];
        let gap = |from, to| {
            Err(BrokenChain::Gap {
                from: at(from),
                to: at(to),
            })
        };
        assert_eq!(order(&full(), &behind), gap(0, 15));
        let between = [window(0, 30), window(31, 60)];
        assert_eq!(order(&full(), &between), gap(30, 31));
    }

    #[test]
    fn windows_that_end_before_the_full_export_would_make_the_table_older() {
        let windows = [window(-60, -30)];
        let found = order(&full(), &windows);
        let (end, export_time) = (at(-30), at(0));
        assert_eq!(found, Err(BrokenChain::EndsBefore { end, export_time }));
    }

    #[test]
    fn what_is_of_another_table_or_kind_is_refused() {
        let mut other = window(0, 30);
        other.table_arn = "arn:other".to_owned();
        assert!(matches!(
            order(&full(), &[other]),
            Err(BrokenChain::OtherTable { .. })
        ));
        let mut again = window(0, 30);
        again.table_id = Some("2".to_owned());
        assert!(matches!(
            order(&full(), &[again]),
            Err(BrokenChain::MadeAgain(_))
        ));
        assert!(matches!(
            order(&full(), &[full()]),
            Err(BrokenChain::NotIncremental(_))
        ));
        assert!(matches!(
            order(&window(0, 30), &[window(0, 30)]),
            Err(BrokenChain::NotFull(_))
        ));
    }
}
