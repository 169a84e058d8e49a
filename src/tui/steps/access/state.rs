//! What of the plan's permissions is in sight.

/// What of the plan's permissions is in sight.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    pub(crate) tab: Tab,
    /// The row of the checks under the cursor.
    pub(crate) cursor: usize,
}

/// A tab of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tab {
    /// Every verdict.
    #[default]
    Checks,
    /// A remedy, by its place.
    Remedy(usize),
    /// A policy from scratch, by its place.
    Policy(usize),
}
