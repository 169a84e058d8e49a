//! Who uploads, and how.

use crate::job::upload::Upload;
use crate::job::{Kind, Plan};
use crate::tui::widgets::list::FilteredList;
use tableferry_policy::arn::Arn;

/// Who uploads, and how.
#[derive(Debug, Clone)]
pub(crate) struct Uploader {
    /// Who uploads, where it is not the source's profile.
    pub(crate) principal: Option<Arn>,
    /// Whether the files are sent in parts, as they are by most programs.
    pub(crate) is_multipart: bool,
    /// The principal that was typed or came with the plan.
    pub(crate) typed: Option<Arn>,
    pub(crate) list: FilteredList,
}

/// A row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UploaderRow<'a> {
    /// The source's profile.
    Profile,
    /// Another principal.
    Named(&'a Arn),
}

impl UploaderRow<'_> {
    pub(crate) const fn named(&self) -> Option<&Arn> {
        match self {
            Self::Profile => None,
            Self::Named(arn) => Some(arn),
        }
    }
}

impl Default for Uploader {
    fn default() -> Self {
        Self {
            principal: None,
            is_multipart: true,
            typed: None,
            list: FilteredList::default(),
        }
    }
}

impl Uploader {
    pub(crate) fn filled_in(plan: &Plan) -> Self {
        let Kind::Upload(upload) = &plan.kind else {
            return Self::default();
        };
        Self {
            principal: upload.principal.clone(),
            typed: upload.principal.clone(),
            is_multipart: upload.is_multipart,
            list: FilteredList::default(),
        }
    }

    /// The job as chosen.
    pub(crate) fn upload(&self) -> Upload {
        Upload {
            principal: self.principal.clone(),
            is_multipart: self.is_multipart,
        }
    }

    /// The rows that the filter leaves.
    pub(crate) fn rows(&self) -> Vec<UploaderRow<'_>> {
        let passes = |row: &UploaderRow<'_>| match row {
            UploaderRow::Profile => self.list.filter.is_none(),
            UploaderRow::Named(arn) => self.list.lets_through(&arn.to_string()),
        };
        std::iter::once(UploaderRow::Profile)
            .chain(self.typed.as_ref().map(UploaderRow::Named))
            .filter(passes)
            .collect()
    }

    /// The row under the cursor.
    pub(crate) fn row(&self) -> Option<UploaderRow<'_>> {
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
