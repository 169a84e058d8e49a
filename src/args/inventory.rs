//! The arguments of `inventory`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::{ControlArgs, Output, OutputArgs};

/// What can be done with an inventory.
#[derive(Debug, Subcommand)]
pub enum InventoryCommand {
    /// Write the plan's inventory configuration to the source bucket, shown first and agreed to; one of the
    /// same id is shown as a difference. `undo` puts back what stood there
    #[command(after_help = SETUP_STATUS)]
    Setup(InventorySetupArgs),
    /// Say which reports arrived in the destination, and verify the newest: manifest, checksum, files
    #[command(after_help = STATUS_STATUS)]
    Status(InventoryStatusArgs),
    /// Write the plan's inventory configuration for another tool; nothing is asked or changed. Its owner of
    /// the destination is `destination.owner`
    Show(InventoryShowArgs),
}

impl InventoryCommand {
    /// Which reader the command's output is meant for.
    pub(super) const fn output(&self) -> Output {
        match self {
            Self::Setup(setup) => setup.output.output,
            Self::Status(status) => status.output.output,
            Self::Show(_) => Output::Text,
        }
    }
}

const SETUP_STATUS: &str = "\
Exit status: 0 the configuration is written, or stands there already; 2 the plan or the usage is wrong;
3 it was not agreed to, the check before it denies the delivery, or AWS refused; 5 it does not read back.";

const STATUS_STATUS: &str = "\
Exit status: 0 the newest report is verified; 1 it is damaged; 2 the plan or the usage is wrong; 3 the
destination cannot be read; 5 no report is complete yet, or not all of it was looked at.";

/// How `inventory setup` goes.
#[derive(Debug, ClapArgs)]
pub struct InventorySetupArgs {
    /// The plan file, with `kind = \"inventory\"`
    pub plan: PathBuf,
    /// Answer the question with yes; needed without a terminal
    #[arg(long)]
    pub yes: bool,
    /// Write it although the check before it shows that S3 will not deliver
    #[arg(long)]
    pub force: bool,
    /// The name of an account that is marked production, in place of typing it; may be given several
    /// times
    #[arg(long, value_name = "NAME")]
    pub production: Vec<String>,
    /// Policies of the organization.
    #[command(flatten)]
    pub controls: ControlArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How `inventory status` goes.
#[derive(Debug, ClapArgs)]
pub struct InventoryStatusArgs {
    /// The plan file, with `kind = \"inventory\"`
    pub plan: PathBuf,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How `inventory show` goes.
#[derive(Debug, ClapArgs)]
pub struct InventoryShowArgs {
    /// The plan file, with `kind = \"inventory\"`
    pub plan: PathBuf,
    /// What to write
    #[arg(long = "as", value_enum, value_name = "FORMAT", default_value = "json")]
    pub format: InventoryForm,
}

/// What a configuration is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InventoryForm {
    /// The document that the AWS CLI takes with --inventory-configuration
    Json,
    /// The command of the AWS CLI
    Cli,
    /// A CloudFormation template with the bucket and its configuration
    #[value(name = "cloudformation")]
    CloudFormation,
}
