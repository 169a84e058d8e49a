//! The arguments of the commands that change accounts: `apply` and `undo`.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{ControlArgs, Expiry, OutputArgs};
use crate::work::ChangeKind;

/// How `apply` ends.
pub(super) const APPLY_STATUS: &str = "\
Exit status: 0 all is allowed now; 3 nothing was agreed to, a change was refused or something is
still denied; 5 something depends, is unknown, or was not seen to hold yet.";

/// How `apply` goes.
#[derive(Debug, ClapArgs)]
pub struct ApplyArgs {
    /// The plan file
    #[arg(required_unless_present = "list")]
    pub plan: Option<PathBuf>,
    /// List the changes that are still in place, with the numbers that `undo` takes, and the uploads
    /// that a probe may have left
    #[arg(long, conflicts_with_all = ["plan", "yes", "allow", "production", "no_wait"])]
    pub list: bool,
    /// Answer with yes for the kinds of change that --allow names, and with no for the others
    #[arg(long)]
    pub yes: bool,
    /// What --yes covers: bucket-policy, key-policy, identity-policy, recovery
    #[arg(long, value_name = "KINDS", value_delimiter = ',', requires = "yes")]
    pub allow: Vec<ChangeKind>,
    /// A Deny that names the principal itself, by its Sid: the principal is taken out of it, once the
    /// Sid is typed on the terminal; may be given several times
    #[arg(long, value_name = "SID", conflicts_with_all = ["yes", "list"])]
    pub change_deny: Vec<String>,
    /// The name of an account that is marked production, in place of typing it; may be given several
    /// times
    #[arg(long, value_name = "NAME")]
    pub production: Vec<String>,
    /// Do not wait until the changes hold
    #[arg(long)]
    pub no_wait: bool,
    /// What is asked of remedies.
    #[command(flatten)]
    pub grant_options: GrantOptionArgs,
    /// Policies of the organization.
    #[command(flatten)]
    pub controls: ControlArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How `undo` goes.
#[derive(Debug, ClapArgs)]
pub struct UndoArgs {
    /// The change's number, as `apply --list` shows it
    pub change: i64,
    /// Answer the question with yes; needed without a terminal
    #[arg(long)]
    pub yes: bool,
    /// Switch point-in-time recovery off, which destroys the table's recovery window
    #[arg(long)]
    pub recovery: bool,
    /// The name of an account that is marked production, in place of typing it; may be given several
    /// times
    #[arg(long, value_name = "NAME")]
    pub production: Vec<String>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What is asked of remedies.
#[derive(Debug, Clone, Copy, Default, ClapArgs)]
pub struct GrantOptionArgs {
    /// Let what is granted end by itself: after a duration such as 2h, or at a time such as
    /// 2026-12-01T18:00:00Z. Every upload is judged by it: less than three times what the tables' exports
    /// took before is refused. What is put into a Deny, and point-in-time recovery, do not end by
    /// themselves
    #[arg(long, value_name = "WHEN")]
    pub expires: Option<Expiry>,
}
