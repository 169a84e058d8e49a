//! How the sandbox is played, where it is not as it is by default, and the arguments of `sandbox`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
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

/// What can be done with the practice AWS.
#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Serve the sandbox on 127.0.0.1 for the AWS CLI and SDKs, until ctrl-c
    Serve {
        /// The port; 0 takes a free one
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Keep the accounts in this file
        #[arg(long, value_name = "FILE")]
        state: Option<PathBuf>,
        /// Give a new world a table `Generated` of so many items beside `Orders`
        #[arg(long, value_name = "N")]
        items: Option<u64>,
        /// Write the AWS files `config` and `credentials` into this directory, in place of printing them
        #[arg(long, value_name = "DIR")]
        write_files: Option<PathBuf>,
    },
}
