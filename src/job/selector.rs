//! Entries of a plan whose tables or windows must be looked up, and the plan once they were.
//!
//! A pattern is what a table's name must be like: `*` stands for any characters and `?` for one. Which
//! tables that are is known only from `ListTables`, and where the last export ended only from the journal,
//! so a plan with such entries is resolved before it is assessed. A table that the plan names itself is
//! exported as its own entry says, and patterns pass it over.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use tableferry_policy::evaluate::is_like;

use super::moment::windows;
use super::{Filter, Format, InvalidValue, Plan, Span, TableJob, TableRef, View};

/// What a table's name must be like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TablePattern(String);

/// The word that stands for the end of what was exported before.
pub(super) const LAST: &str = "last";

/// An entry whose tables or windows must be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSelector {
    /// Which tables.
    pub tables: Selected,
    /// What the data lines are written in.
    pub format: Format,
    /// Which states or changes of them.
    pub span: SpanChoice,
    /// What is left out, if anything.
    pub filter: Option<Filter>,
}

/// Which tables an entry means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    /// This one.
    Table(TableRef),
    /// All whose names are like a pattern.
    Pattern(TablePattern),
}

/// Which states or changes an entry asks for, before its windows are cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpanChoice {
    /// The whole table at a time; without one, as it is when the export starts.
    Full {
        /// The time.
        time: Option<Timestamp>,
    },
    /// What changed, in one window or in a chain of them.
    Changes {
        /// The beginning, inclusive.
        from: ChangesFrom,
        /// The end, exclusive; left out only with [`ChangesFrom::Last`], for the latest that can be exported.
        to: Option<Timestamp>,
        /// Which images of a changed item are written.
        view: View,
    },
}

/// Where changes begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangesFrom {
    /// At a time.
    Time(Timestamp),
    /// Where the last completed export of the table to the same place ended.
    Last,
}

/// Why a plan's entries do not come to exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnresolvedEntries {
    /// No table's name is like these patterns.
    NoTable(Vec<TablePattern>),
    /// Of these tables no earlier export to the same place is known.
    NoLast(Vec<String>),
    /// The window of a table since its last export is none that AWS takes.
    NoWindow(String, InvalidValue),
}

/// The latest that can be exported is about five minutes behind (`LatestRestorableDateTime`).
const BEHIND: SignedDuration = SignedDuration::from_mins(5);

impl TablePattern {
    /// The pattern's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a table's name is like it.
    #[must_use]
    pub fn is_name_like(&self, name: &str) -> bool {
        is_like(&self.0, name)
    }

    /// Whether a text is meant as a pattern.
    #[must_use]
    pub fn is_meant_by(text: &str) -> bool {
        text.contains(['*', '?'])
    }
}

impl fmt::Display for TablePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for TablePattern {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        const RIGHT: &str = "a pattern is made of letters, digits, hyphens, underscores and dots, with * \
                             for any characters and ? for one; it matches names of the source's Region";
        let is_allowed = |c: &char| c.is_ascii_alphanumeric() || "_.-*?".contains(*c);
        let problem = match text.chars().find(|c| !is_allowed(c)) {
            Some(other) => Some(format!("it has `{other}`")),
            None => (text.len() > 255).then(|| "no table's name is as long".to_owned()),
        };
        match problem {
            None => Ok(Self(text.to_owned())),
            Some(problem) => Err(InvalidValue {
                message: format!("`{text}` is not a pattern of table names: {problem}"),
                hint: RIGHT.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Selected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => table.fmt(f),
            Self::Pattern(pattern) => pattern.fmt(f),
        }
    }
}

impl fmt::Display for ChangesFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => time.fmt(f),
            Self::Last => f.pad(LAST),
        }
    }
}

impl From<&Span> for SpanChoice {
    fn from(span: &Span) -> Self {
        match span {
            Span::Full { time } => Self::Full { time: *time },
            Span::Incremental { from, to, view } => Self::Changes {
                from: ChangesFrom::Time(*from),
                to: Some(*to),
                view: *view,
            },
        }
    }
}

impl SpanChoice {
    /// Whether it holds what changed.
    #[must_use]
    pub const fn is_incremental(&self) -> bool {
        matches!(self, Self::Changes { .. })
    }

    /// Whether it begins where the last export ended.
    const fn is_since_last(&self) -> bool {
        matches!(
            self,
            Self::Changes {
                from: ChangesFrom::Last,
                ..
            }
        )
    }

    /// The exports that it comes to; `last` is where the last one ended.
    fn spans(&self, last: Option<Timestamp>, now: Timestamp) -> Result<Vec<Span>, InvalidValue> {
        let (from, to, view) = match self {
            Self::Full { time } => return Ok(vec![Span::Full { time: *time }]),
            Self::Changes { from, to, view } => (from, to, *view),
        };
        let from = match (from, last) {
            (ChangesFrom::Time(time), _) => *time,
            (ChangesFrom::Last, Some(last)) => last,
            (ChangesFrom::Last, None) => return Ok(Vec::new()),
        };
        let latest = now.saturating_sub(BEHIND).unwrap_or(now);
        let latest = Timestamp::from_second(latest.as_second()).unwrap_or(latest);
        let windows = windows(from, to.unwrap_or(latest))?;
        let spans = windows
            .into_iter()
            .map(|(from, to)| Span::Incremental { from, to, view });
        Ok(spans.collect())
    }
}

impl TableSelector {
    /// The whole tables as they are when the export starts.
    #[must_use]
    pub const fn new(pattern: TablePattern) -> Self {
        Self {
            tables: Selected::Pattern(pattern),
            format: Format::DynamoDbJson,
            span: SpanChoice::Full { time: None },
            filter: None,
        }
    }

    /// Its pattern, where it has one.
    #[must_use]
    pub const fn pattern(&self) -> Option<&TablePattern> {
        match &self.tables {
            Selected::Pattern(pattern) => Some(pattern),
            Selected::Table(_) => None,
        }
    }

    /// Whether a table of the source's Region is meant by it.
    #[must_use]
    pub fn is_of(&self, name: &str) -> bool {
        match &self.tables {
            Selected::Pattern(pattern) => pattern.is_name_like(name),
            Selected::Table(table) => table.is_named(name),
        }
    }

    /// Its exports where nothing must be looked up for them.
    pub(super) fn given_jobs(&self) -> Option<Vec<TableJob>> {
        let Selected::Table(table) = &self.tables else {
            return None;
        };
        if self.span.is_since_last() {
            return None;
        }
        let spans = self.span.spans(None, Timestamp::MAX).ok()?;
        Some(
            spans
                .into_iter()
                .map(|span| self.job(table.clone(), span))
                .collect(),
        )
    }

    fn job(&self, table: TableRef, span: Span) -> TableJob {
        TableJob {
            table,
            format: self.format,
            span,
            filter: self.filter.clone(),
        }
    }

    /// The tables that it means among those of these names.
    fn tables(&self, names: &[String]) -> Vec<TableRef> {
        match &self.tables {
            Selected::Table(table) => vec![table.clone()],
            Selected::Pattern(pattern) => {
                let matching = names.iter().filter(|name| pattern.is_name_like(name));
                matching.map(|name| TableRef::Name(name.clone())).collect()
            }
        }
    }
}

/// What a selector is resolved by.
pub struct Known<'a> {
    /// The names of all tables of the source's account and Region.
    pub names: &'a [String],
    /// Where the last completed export like a job ended.
    pub last_end: &'a dyn Fn(&TableJob) -> Option<Timestamp>,
    /// The time that "now" stands for.
    pub now: Timestamp,
}

impl Plan {
    /// Whether the plan says by itself which tables and windows it is about.
    #[must_use]
    pub const fn is_resolved(&self) -> bool {
        self.selectors.is_empty()
    }

    /// Whether an entry begins where the last export ended.
    #[must_use]
    pub fn is_since_last(&self) -> bool {
        let mut selectors = self.selectors.iter();
        selectors.any(|selector| selector.span.is_since_last())
    }

    /// The plan with tables and windows in place of its selectors. What two selectors ask for in the same
    /// way stands once.
    ///
    /// # Errors
    /// Where something that was meant to be exported would be missing.
    pub fn resolved(&self, known: &Known<'_>) -> Result<Self, UnresolvedEntries> {
        let mut plan = Self {
            selectors: Vec::new(),
            ..self.clone()
        };
        let (mut unmatched, mut without_last) = (Vec::new(), Vec::new());
        for selector in &self.selectors {
            let tables = selector.tables(known.names);
            if let (Some(pattern), true) = (selector.pattern(), tables.is_empty()) {
                unmatched.push(pattern.clone());
            }
            for table in tables {
                let is_named = |own: &TableJob| own.table.is_named(table.name());
                if selector.pattern().is_some() && self.tables.iter().any(is_named) {
                    continue;
                }
                match selector.jobs_of(&table, known)? {
                    Some(jobs) => {
                        let new = jobs.into_iter().filter(|job| !plan.tables.contains(job));
                        let new: Vec<TableJob> = new.collect();
                        plan.tables.extend(new);
                    }
                    None => without_last.push(table.to_string()),
                }
            }
        }
        if !unmatched.is_empty() {
            Err(UnresolvedEntries::NoTable(unmatched))
        } else if !without_last.is_empty() {
            Err(UnresolvedEntries::NoLast(without_last))
        } else {
            Ok(plan)
        }
    }
}

impl TableSelector {
    /// The exports of one table; `None` where they begin at an earlier one's end and there is none.
    fn jobs_of(
        &self,
        table: &TableRef,
        known: &Known<'_>,
    ) -> Result<Option<Vec<TableJob>>, UnresolvedEntries> {
        let mut last = None;
        if self.span.is_since_last() {
            let like = self.job(table.clone(), Span::Full { time: None });
            last = (known.last_end)(&like);
            if last.is_none() {
                return Ok(None);
            }
        }
        let spans = self.span.spans(last, known.now);
        let spans =
            spans.map_err(|invalid| UnresolvedEntries::NoWindow(table.to_string(), invalid))?;
        Ok(Some(
            spans
                .into_iter()
                .map(|span| self.job(table.clone(), span))
                .collect(),
        ))
    }
}
