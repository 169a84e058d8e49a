//! From an error to its causes: which hold, how sure each is, what speaks for it, and what is not known.
//!
//! It decides what is worded as certain: only a cause that AWS's own words or a fact leave as the only one.

use super::catalogue::{Catalogue, Cause, Certainty, ErrorClass};
use super::circumstance::{Circumstance, Circumstances};
use super::reported::{ErrorForm, ReportedError, Stated, squeeze};

/// A cause that may explain the error.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The cause.
    pub cause: &'static Cause,
    /// How sure it is.
    pub certainty: Certainty,
    /// Its place among those of the same certainty; the same number means that nothing separates them.
    pub rank: u8,
    /// The circumstance that confirms it.
    pub confirmed_by: Option<Circumstance>,
    /// A circumstance that would exclude it, where AWS's own words name it all the same: what was read
    /// later is no longer as it was.
    pub contradicted_by: Option<Circumstance>,
}

/// What is said about an error.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// What it is; none where that is not known.
    pub class: Option<ErrorClass>,
    /// The causes, the surest first.
    pub candidates: Vec<Candidate>,
    /// Causes that a circumstance excludes.
    pub excluded: Vec<(&'static Cause, Circumstance)>,
}

impl Diagnosis {
    /// The causes that come first: more than one where nothing separates them.
    pub fn first(&self) -> impl Iterator<Item = &Candidate> {
        let best = self
            .candidates
            .first()
            .map(|first| (first.certainty, first.rank));
        self.candidates
            .iter()
            .take_while(move |candidate| Some((candidate.certainty, candidate.rank)) == best)
    }

    /// Whether AWS refused.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.class.is_some_and(ErrorClass::is_refusal)
    }
}

/// Diagnoses an error by its words and by what is known beside them. None where the words are no error.
#[must_use]
pub fn diagnose(error: &ReportedError, known: &Circumstances) -> Option<Diagnosis> {
    let words = squeeze(&error.record);
    let mut candidates = Vec::new();
    let mut excluded = Vec::new();
    for cause in Catalogue::built_in().causes() {
        let Some(matched) = cause.matching(error, &words, known) else {
            continue;
        };
        if !cause.class.is_of_aws() && error.form == ErrorForm::Error {
            continue;
        }
        if error.form == ErrorForm::Words && !matched.is_by_text && !matched.is_by_code {
            continue;
        }
        let contradicted_by = cause.exclusion(known);
        if let Some(circumstance) = contradicted_by
            && matched.certainty != Certainty::TheCause
        {
            excluded.push((cause, circumstance));
            continue;
        }
        let confirmed_by = cause.confirmation(known);
        let mut certainty = match confirmed_by {
            Some(_) => matched.certainty.max(Certainty::Likely),
            None => matched.certainty,
        };
        if error.is_cut {
            // What was cut off may have said more.
            certainty = certainty.min(Certainty::Likely);
        }
        candidates.push(Candidate {
            cause,
            certainty,
            rank: matched.rank,
            confirmed_by,
            contradicted_by,
        });
    }
    candidates.sort_by_key(|one| std::cmp::Reverse((one.certainty, one.rank)));
    settle(&mut candidates);
    if let [only] = candidates.as_mut_slice()
        && only.confirmed_by.is_some()
        && !excluded.is_empty()
        && !error.is_cut
    {
        // A fact confirms it, and facts exclude every other.
        only.certainty = Certainty::TheCause;
    }
    if candidates.is_empty() && excluded.is_empty() && error.form == ErrorForm::Words {
        return None;
    }
    let first = candidates.first().map(|first| first.cause);
    let class = first
        .or_else(|| excluded.first().map(|(cause, _)| *cause))
        .map(|cause| cause.class)
        .or_else(|| (error.stated != Stated::NotDenied).then_some(ErrorClass::Permission));
    Some(Diagnosis {
        class,
        candidates,
        excluded,
    })
}

/// Where one cause is certain, the others are not shown; where two are, neither is.
fn settle(candidates: &mut Vec<Candidate>) {
    let certain = |candidate: &Candidate| candidate.certainty == Certainty::TheCause;
    match candidates
        .iter()
        .filter(|candidate| certain(candidate))
        .count()
    {
        0 => {}
        1 => candidates.retain(certain),
        _ => {
            candidates.retain(certain);
            for candidate in candidates {
                candidate.certainty = Certainty::Likely;
            }
        }
    }
}
