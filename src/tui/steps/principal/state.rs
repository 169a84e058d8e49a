//! Who does the job, and how files are sent.

use crate::job::reading::Reading;
use crate::job::upload::Upload;
use crate::job::{Kind, Plan};
use crate::tui::widgets::list::FilteredList;
use tableferry_policy::arn::Arn;

/// Who does the job, and how files are sent.
#[derive(Debug, Clone)]
pub(crate) struct PrincipalChoice {
    /// Who does it, where it is not the source's profile.
    pub(crate) principal: Option<Arn>,
    /// Whether the files of an upload are sent in parts, as they are by most programs.
    pub(crate) is_multipart: bool,
    /// The principal that was typed or came with the plan.
    pub(crate) typed: Option<Arn>,
    pub(crate) list: FilteredList,
}

/// A row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PrincipalRow<'a> {
    /// The source's profile.
    Profile,
    /// Another principal.
    Named(&'a Arn),
}

impl PrincipalRow<'_> {
    pub(crate) const fn named(&self) -> Option<&Arn> {
        match self {
            Self::Profile => None,
            Self::Named(arn) => Some(arn),
        }
    }
}

impl Default for PrincipalChoice {
    fn default() -> Self {
        Self {
            principal: None,
            is_multipart: true,
            typed: None,
            list: FilteredList::default(),
        }
    }
}

impl PrincipalChoice {
    pub(crate) fn filled_in(plan: &Plan) -> Self {
        let principal = plan.principal().cloned();
        let mut filled = Self {
            typed: principal.clone(),
            principal,
            ..Self::default()
        };
        if let Kind::Upload(upload) = &plan.kind {
            filled.is_multipart = upload.is_multipart;
        }
        filled
    }

    /// The reading as chosen.
    pub(crate) fn reading(&self) -> Reading {
        Reading {
            principal: self.principal.clone(),
        }
    }

    /// The upload as chosen.
    pub(crate) fn upload(&self) -> Upload {
        Upload {
            principal: self.principal.clone(),
            is_multipart: self.is_multipart,
        }
    }

    /// The rows that the filter leaves.
    pub(crate) fn rows(&self) -> Vec<PrincipalRow<'_>> {
        let passes = |row: &PrincipalRow<'_>| match row {
            PrincipalRow::Profile => self.list.filter.is_none(),
            PrincipalRow::Named(arn) => self.list.lets_through(&arn.to_string()),
        };
        std::iter::once(PrincipalRow::Profile)
            .chain(self.typed.as_ref().map(PrincipalRow::Named))
            .filter(passes)
            .collect()
    }

    /// The row under the cursor.
    pub(crate) fn row(&self) -> Option<PrincipalRow<'_>> {
        self.rows().get(self.list.cursor).copied()
    }

    /// Takes a principal that was typed.
    pub(crate) fn name(&mut self, principal: Arn) {
        self.typed = Some(principal.clone());
        self.principal = Some(principal);
        self.list.clear_filter();
        self.list.cursor = 1;
    }
}
