//! The arguments of `doctor`.

use std::time::Duration;

use clap::Args as ClapArgs;

use super::OutputArgs;

/// What `doctor` looks at, and how it ends.
pub(super) const DOCTOR_HELP: &str = "\
The text is made to be pasted: no secret is in it, the home directory is ~, and of account ids only the last
four digits stand. Nothing is changed or made, and no credentials are used; what goes over the network is one
unsigned GetCallerIdentity for each Region and endpoint of the profiles, which AWS refuses.

With --output json one object: schema, version and findings, each with section, state (right, notable, wrong),
subject, message and hint.

Exit status: 0 nothing is wrong; 1 something is wrong that keeps commands from working; 5 something may be in
the way.";

/// How `doctor` goes.
#[derive(Debug, ClapArgs)]
pub struct DoctorArgs {
    /// Ask nothing over the network
    #[arg(long)]
    pub offline: bool,
    /// How long STS may take in each Region
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = patience, conflicts_with = "offline")]
    pub patience: Duration,
    /// Show account ids in full
    #[arg(long)]
    pub show_accounts: bool,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// From 1 to 60 seconds.
fn patience(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=60) => Ok(Duration::from_secs(seconds)),
        _ => Err("it is a number of seconds from 1 to 60".to_owned()),
    }
}
