//! What an edit did, and where it still stands.
//!
//! A statement is known again by what it says. Sids help where somebody altered what a statement says:
//! then it may still be told which one it was.

use super::super::compare::{is, is_same_set, says_the_same, sid, texts};
use super::left_since;
use super::overlap::{is_about, is_about_action, overlap};
use super::piece::{Piece, names_deleted, pieces};
use crate::document::{Document, Statement};

/// Whether one statement may be the other with another condition or fewer principals.
fn has_same_core(one: &Statement<'_>, other: &Statement<'_>) -> bool {
    sid(one) == sid(other) && has_same_reach(one, other)
}

/// Whether two statements do the same by the same actions to the same resources.
fn has_same_reach(one: &Statement<'_>, other: &Statement<'_>) -> bool {
    one.effect == other.effect
        && one.actions.is_negated == other.actions.is_negated
        && is_same_set(&texts(&one.actions), &texts(&other.actions))
        && match (&one.resources, &other.resources) {
            (None, None) => true,
            (Some(one), Some(other)) => {
                one.is_negated == other.is_negated && is_same_set(&texts(one), &texts(other))
            }
            _ => false,
        }
}

fn has_same_sid(one: &Statement<'_>, other: &Statement<'_>) -> bool {
    !sid(one).is_empty() && sid(one) == sid(other)
}

/// What an edit did, by the indexes of statements before and after.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Statements that stayed, by their index after.
    kept: Vec<usize>,
    /// Statements that are new, by their index after.
    added: Vec<usize>,
    /// Statements that were altered, by their index before and after.
    altered: Vec<(usize, usize)>,
    /// Statements that were taken out, by their index before, without those that name a deleted
    /// principal.
    removed: Vec<usize>,
    /// Whether a deleted principal, or a statement with it, was taken out.
    pub(super) has_dropped: bool,
}

impl Changes {
    pub(super) fn between(old: Option<&Document<'_>>, new: &Document<'_>) -> Self {
        let old = old.map(Document::statements).unwrap_or_default();
        let mut edit = Self::default();
        let mut claimed = vec![false; old.len()];
        let mut claim = |fits: &dyn Fn(&Statement<'_>) -> bool| {
            let at = old
                .iter()
                .zip(&claimed)
                .position(|(statement, is_claimed)| !is_claimed && fits(statement))?;
            if let Some(mark) = claimed.get_mut(at) {
                *mark = true;
            }
            Some(at)
        };
        let mut rest = Vec::new();
        for (index, statement) in new.statements().iter().enumerate() {
            match claim(&|old| is(old, statement)) {
                Some(_) => edit.kept.push(index),
                None => rest.push((index, statement)),
            }
        }
        let mut unmatched = Vec::new();
        for (index, statement) in rest {
            match claim(&|old| has_same_core(old, statement)) {
                Some(at) => edit.altered.push((at, index)),
                None => unmatched.push((index, statement)),
            }
        }
        // What we add has a Sid that is free: under a Sid that was there, or without one, a statement of
        // somebody's was altered.
        for (index, statement) in unmatched {
            let is_it =
                |old: &Statement<'_>| sid(old) == sid(statement) && old.effect == statement.effect;
            match claim(&is_it) {
                Some(at) => edit.altered.push((at, index)),
                None => edit.added.push(index),
            }
        }
        let gone = old.iter().enumerate().zip(&claimed);
        let gone = gone.filter(|(_, is_claimed)| !**is_claimed);
        let (dead, removed): (Vec<_>, Vec<_>) = gone
            .map(|(found, _)| found)
            .partition(|(_, statement)| names_deleted(statement));
        edit.removed = removed.into_iter().map(|(index, _)| index).collect();
        edit.has_dropped = !dead.is_empty()
            || edit.altered.iter().any(|(before, after)| {
                let pair = old.get(*before).zip(new.statements().get(*after));
                let mut pieces = pair.into_iter().flat_map(|(was, wrote)| pieces(was, wrote));
                pieces.any(|piece| piece.drops_principals())
            });
        edit
    }

    /// Statements that were taken out and that nobody has put back, by their index before.
    pub(super) fn missing(&self, old: Option<&Document<'_>>, now: &Document<'_>) -> Vec<usize> {
        let stands =
            |was: &Statement<'_>| now.statements().iter().any(|live| says_the_same(live, was));
        let removed = self.removed.iter().copied();
        removed
            .filter(|index| {
                let was = old.and_then(|old| old.statements().get(*index));
                was.is_some_and(|was| !stands(was))
            })
            .collect()
    }

    /// What the edit touched, as people call it.
    pub(super) fn labels(&self, old: Option<&Document<'_>>, new: &Document<'_>) -> Vec<String> {
        let altered = self.altered.iter().map(|(_, after)| after);
        let label =
            |of: &Document<'_>, index: &usize| Some(of.statements().get(*index)?.label(*index));
        let touched = self.added.iter().chain(altered);
        let touched = touched.filter_map(|index| label(new, index));
        let removed = self.removed.iter().filter_map(|index| label(old?, index));
        touched.chain(removed).collect()
    }

    /// Whether a statement that is new or altered is about a resource.
    pub(super) fn concerns(&self, new: &Document<'_>, resource: &str) -> bool {
        let altered = self.altered.iter().map(|(_, after)| after);
        let touched = self.added.iter().chain(altered);
        touched
            .filter_map(|index| new.statements().get(*index))
            .any(|statement| is_about(statement, resource))
    }

    /// Finds what the edit wrote in the document as it stands now.
    ///
    /// Whatever stands as it stood is claimed first, so that a statement which only says the same is
    /// never taken for it.
    pub(super) fn find(
        &self,
        old: Option<&Document<'_>>,
        new: &Document<'_>,
        now: &Document<'_>,
    ) -> FoundEdit {
        let wrote = |index: &usize| Some((*index, new.statements().get(*index)?));
        let was = |index: &usize| old?.statements().get(*index);
        let kept: Vec<_> = self.kept.iter().filter_map(wrote).collect();
        let added: Vec<_> = self.added.iter().filter_map(wrote).collect();
        let altered: Vec<_> = self
            .altered
            .iter()
            .filter_map(|(before, after)| {
                let (index, wrote) = wrote(after)?;
                Some((*before, was(before)?, index, wrote))
            })
            .collect();
        let mut search = EditSearch::of(now);
        let kept = search.unclaimed(kept, |(_, kept), live| is(live, kept), |_, _| ());
        let added = search.added(added, is);
        let altered = search.altered(altered, is);
        // Put back by somebody already.
        let altered = search.unclaimed(altered, |(_, was, ..), live| is(live, was), |_, _| ());
        let kept = search.unclaimed(kept, |(_, kept), live| says_the_same(live, kept), |_, _| ());
        let added = search.added(added, says_the_same);
        let altered = search.altered(altered, says_the_same);
        let altered = search.edited(altered);
        let altered = search.unclaimed(
            altered,
            |(_, was, ..), live| says_the_same(live, was),
            |_, _| (),
        );
        for (_, wrote) in added {
            search.miss_added(wrote, &kept);
        }
        for (_, was, _, wrote) in altered {
            search.miss_altered(was, wrote);
        }
        search.found
    }
}

/// A statement of the edit: its index after, and itself.
type Wrote<'d, 'a> = (usize, &'d Statement<'a>);

/// A statement that the edit altered: its index before, what it said, its index after, what it says.
type Altered<'d, 'o, 'a> = (usize, &'d Statement<'o>, usize, &'d Statement<'a>);

/// Where the edit still stands.
#[derive(Debug, Default)]
pub(super) struct FoundEdit {
    /// New statements, by their index now.
    pub(super) added: Vec<usize>,
    /// Altered statements, by their index before, after and now: as we wrote them, or altered by
    /// somebody besides while what was put into them stands as it was put there.
    pub(super) altered: Vec<(usize, usize, usize)>,
    pub(super) taken: Vec<String>,
    pub(super) left: Vec<String>,
}

/// The search for an edit in the document as it stands now.
struct EditSearch<'n, 'a> {
    now: &'n Document<'a>,
    /// The statements that nobody claimed yet, by their index now.
    free: Vec<usize>,
    found: FoundEdit,
}

impl<'n, 'a> EditSearch<'n, 'a> {
    fn of(now: &'n Document<'a>) -> Self {
        Self {
            now,
            free: (0..now.statements().len()).collect(),
            found: FoundEdit::default(),
        }
    }

    /// Claims for each of these the first free statement that fits it; those that found none.
    fn unclaimed<T>(
        &mut self,
        wanted: Vec<T>,
        fits: impl Fn(&T, &Statement<'_>) -> bool,
        mut take: impl FnMut(&mut FoundEdit, (&T, usize)),
    ) -> Vec<T> {
        let mut rest = Vec::new();
        for one in wanted {
            let statements = self.now.statements();
            let place = self
                .free
                .iter()
                .position(|at| statements.get(*at).is_some_and(|live| fits(&one, live)));
            match place {
                Some(place) => {
                    let at = self.free.remove(place);
                    take(&mut self.found, (&one, at));
                }
                None => rest.push(one),
            }
        }
        rest
    }

    fn added<'d, 's>(
        &mut self,
        wanted: Vec<Wrote<'d, 's>>,
        is_it: impl Fn(&Statement<'_>, &Statement<'_>) -> bool,
    ) -> Vec<Wrote<'d, 's>> {
        self.unclaimed(
            wanted,
            |(_, wrote), live| is_it(live, wrote),
            |found, ((index, wrote), at)| {
                found.added.push(at);
                found.taken.push(wrote.label(*index));
            },
        )
    }

    fn altered<'d, 'o, 's>(
        &mut self,
        wanted: Vec<Altered<'d, 'o, 's>>,
        is_it: impl Fn(&Statement<'_>, &Statement<'_>) -> bool,
    ) -> Vec<Altered<'d, 'o, 's>> {
        self.unclaimed(
            wanted,
            |(_, _, _, wrote), live| is_it(live, wrote),
            |found, ((before, _, index, _), at)| found.altered.push((*before, *index, at)),
        )
    }

    /// Claims statements that somebody altered while what was put into them stands as it was put.
    fn edited<'d, 'o, 's>(&mut self, wanted: Vec<Altered<'d, 'o, 's>>) -> Vec<Altered<'d, 'o, 's>> {
        self.unclaimed(
            wanted,
            |(_, was, _, wrote), live| {
                let pieces = pieces(was, wrote);
                let is_it = has_same_sid(live, wrote) || has_same_reach(live, wrote);
                live.effect == wrote.effect
                    && is_it
                    && pieces.iter().any(Piece::adds)
                    && pieces.iter().all(|piece| piece.stands_in(live))
            },
            |found, ((before, _, index, _), at)| found.altered.push((*before, *index, at)),
        )
    }

    /// Tells of statements that have the effect of one that was added and is not found. Statements of
    /// others that had some of it before, and still have their Sid, are theirs.
    fn miss_added(&mut self, wrote: &Statement<'_>, kept: &[Wrote<'_, '_>]) {
        let is_theirs = |live: &Statement<'_>| {
            kept.iter()
                .any(|(_, kept)| has_same_sid(kept, live) && overlap(kept, wrote))
        };
        let has_its_effect = |live: &Statement<'_>| {
            live.effect == wrote.effect && overlap(live, wrote) && !is_theirs(live)
        };
        self.leave(wrote, has_its_effect, |label| {
            format!("the statement `{label}` grants some of what was added: it is left as it is")
        });
    }

    /// Tells of statements that hold some of what was put into one that is not found.
    fn miss_altered(&mut self, was: &Statement<'_>, wrote: &Statement<'_>) {
        let pieces = pieces(was, wrote);
        let before = texts(&was.actions);
        let mut actions = texts(&wrote.actions);
        actions.retain(|action| !before.contains(action));
        let holds_it = |live: &Statement<'_>| {
            live.effect == wrote.effect
                && overlap(live, wrote)
                && (pieces.iter().any(|piece| piece.has_part_in(live))
                    || actions.iter().any(|action| is_about_action(live, action)))
        };
        self.leave(wrote, holds_it, |label| {
            format!("the statement `{label}` holds what was put into it: it is left as it is")
        });
    }

    fn leave(
        &mut self,
        wrote: &Statement<'_>,
        fits: impl Fn(&Statement<'_>) -> bool,
        words: impl Fn(&str) -> String,
    ) {
        for at in &self.free {
            let Some(live) = self.now.statements().get(*at).filter(|live| fits(live)) else {
                continue;
            };
            let label = live.label(*at);
            let text = if has_same_core(live, wrote) || has_same_sid(live, wrote) {
                left_since(&label)
            } else {
                words(&label)
            };
            if !self.found.left.contains(&text) {
                self.found.left.push(text);
            }
        }
    }
}
