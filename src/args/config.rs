//! The arguments of `config`.

use clap::Args as ClapArgs;

use super::OutputArgs;

/// What `config` does, and how it ends.
pub(super) const CONFIG_HELP: &str = "\
The file is ~/.config/tableferry/config.toml, or what --config or TABLEFERRY_CONFIG names. --init never
writes over a file that is there.

Exit status: 0 done; 2 the file is wrong, or cannot be read or written.";

/// What is done with the configuration file.
#[derive(Debug, ClapArgs)]
#[group(id = "deed", required = true, multiple = false)]
pub struct ConfigArgs {
    /// Write a file that documents every key, each commented out
    #[arg(long, group = "deed")]
    pub init: bool,
    /// Check the file: every mistake with its line
    #[arg(long, group = "deed")]
    pub check: bool,
    /// Show every key as it holds, and where its value comes from
    #[arg(long, group = "deed")]
    pub show: bool,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}
