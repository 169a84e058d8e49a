//! How often a part of the plan changed.
//!
//! What was read for one revision of a part is out of date with the next. Each holder of such things
//! keeps the revision that they are of, and drops them where it is another one by now.

/// How often something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Revision(u64);

impl Revision {
    pub(crate) const fn advance(&mut self) {
        self.0 += 1;
    }

    /// Takes over another revision; says whether it is another one.
    pub(crate) fn follow(&mut self, now: Self) -> bool {
        std::mem::replace(self, now) != now
    }
}
