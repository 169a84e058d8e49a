//! Entries of a plan that name tables by a pattern, and the plan once they were looked up.
//!
//! A pattern is what a table's name must be like: `*` stands for any characters and `?` for one. Which
//! tables that are is known only from `ListTables`, so a plan with patterns is resolved before it is
//! assessed. A table that the plan names itself is exported as its own entry says, and patterns pass it
//! over.

use std::fmt;
use std::str::FromStr;

use tableferry_policy::evaluate::is_like;

use super::{Filter, Format, InvalidValue, Plan, Span, TableJob, TableRef};

/// What a table's name must be like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TablePattern(String);

/// The tables whose names are like a pattern, and how each is exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSelector {
    /// What their names are like.
    pub pattern: TablePattern,
    /// What the data lines are written in.
    pub format: Format,
    /// The whole tables at a time, or what changed in a window.
    pub span: Span,
    /// What is left out, if anything.
    pub filter: Option<Filter>,
}

/// The patterns of a plan that no table's name is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched(pub Vec<TablePattern>);

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

impl TableSelector {
    /// The whole tables as they are when the export starts.
    #[must_use]
    pub fn new(pattern: TablePattern) -> Self {
        Self {
            pattern,
            format: Format::default(),
            span: Span::Full { time: None },
            filter: None,
        }
    }

    fn job(&self, name: &str) -> TableJob {
        TableJob {
            table: TableRef::Name(name.to_owned()),
            format: self.format,
            span: self.span.clone(),
            filter: self.filter.clone(),
        }
    }
}

impl Plan {
    /// Whether the plan says by itself which tables it is about.
    #[must_use]
    pub const fn is_resolved(&self) -> bool {
        self.selectors.is_empty()
    }

    /// The plan with tables in place of its patterns; `names` are all tables of the source's account
    /// and Region. A table that two patterns ask for in the same way stands once.
    ///
    /// # Errors
    /// Where nothing is like a pattern: what was meant to be exported would be missing.
    pub fn resolved(&self, names: &[String]) -> Result<Self, Unmatched> {
        let mut plan = Self {
            selectors: Vec::new(),
            ..self.clone()
        };
        let mut unmatched = Vec::new();
        for selector in &self.selectors {
            let is_like = |name: &&String| selector.pattern.is_name_like(name);
            let matching: Vec<&String> = names.iter().filter(is_like).collect();
            if matching.is_empty() {
                unmatched.push(selector.pattern.clone());
            }
            for name in matching {
                let job = selector.job(name);
                let is_named = self.tables.iter().any(|own| own.table.is_named(name));
                if !is_named && !plan.tables.contains(&job) {
                    plan.tables.push(job);
                }
            }
        }
        if unmatched.is_empty() {
            Ok(plan)
        } else {
            Err(Unmatched(unmatched))
        }
    }
}
