//! How the sandbox is played, where it is not as it is by default.

use clap::Args as ClapArgs;
use tableferry_sandbox::OperationFault;

/// What goes wrong in the sandbox, and how much is in it.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct PracticeArgs {
    /// Let requests of an operation go wrong in the sandbox: OPERATION=throttle:0.3 (each by chance),
    /// =reset:5 (the next five), =expired:1 (its credentials), =delay:200ms; * stands for every
    /// operation; may be given several times
    #[arg(
        long,
        global = true,
        value_name = "OPERATION=FAULT",
        help_heading = "Sandbox"
    )]
    pub sandbox_fault: Vec<OperationFault>,

    /// Give a new world of the sandbox so many small tables beside the others, named Bulk-0001 and on
    #[arg(long, global = true, value_name = "N", help_heading = "Sandbox")]
    pub sandbox_tables: Option<u32>,

    /// How many exports run at once in an account and Region of the sandbox; the next is refused
    #[arg(long, global = true, value_name = "N", help_heading = "Sandbox")]
    pub sandbox_most_exports: Option<usize>,
}

impl PracticeArgs {
    /// Whether anything is given.
    pub(super) const fn is_given(&self) -> bool {
        !self.sandbox_fault.is_empty()
            || self.sandbox_tables.is_some()
            || self.sandbox_most_exports.is_some()
    }
}
