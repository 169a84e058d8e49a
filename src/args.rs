//! The command line, once: parsing, `--help`, completions and the manual page all come from here.

mod apply;
mod archives;
mod assess;
mod changes;
mod config;
mod doctor;
mod examples;
mod expiry;
mod explain;
mod finish;
mod import;
mod inventory;
mod load;
mod mask;
mod policy;
mod practice;
mod resume;
mod start;
#[cfg(test)]
mod tests;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args as ClapArgs, CommandFactory, FromArgMatches as _, Parser, Subcommand, ValueEnum};

pub use apply::{ApplyArgs, GrantOptionArgs, UndoArgs};
pub use archives::{
    ArchivesArgs, AthenaArgs, BucketReaderArgs, FetchArgs, FetchForm, HistoryArgs, ReaderArgs,
    ReportArgs, VerifyArgs,
};
pub use assess::{
    CheckArgs, ControlArgs, FactsArgs, NeedsFormat, PoliciesArgs, PolicyFormat, SurveyArgs,
};
pub use changes::{ChangesArgs, Since};
pub use config::ConfigArgs;
pub use doctor::DoctorArgs;
pub use examples::examples;
pub use expiry::Expiry;
pub use explain::ExplainArgs;
pub use finish::FinishArgs;
pub use import::{ImportArgs, ImportStartArgs};
pub use inventory::{
    InventoryCommand, InventoryForm, InventorySetupArgs, InventoryShowArgs, InventoryStatusArgs,
};
pub use load::{IntoTableArgs, LoadArgs, LoadStartArgs, ReplayArgs};
pub use mask::MaskArgs;
pub use policy::{LintKind, PolicyCommand};
pub use practice::{PracticeArgs, SandboxCommand};
pub use resume::{ExportsArgs, ResumeArgs};
pub use start::{DataFormat, ExportArgs, RetryArgs, RunArgs, StartArgs};
pub use watch::WatchArgs;

use tableferry_policy::arn::Partition;
use tableferry_sandbox::{ClockOffset, Options};

/// Carry DynamoDB tables into another AWS account, by the service's own export to S3.
///
/// Without a command the wizard opens: it signs both accounts in, shows the tables and buckets, the
/// policies that the export needs, and follows the export live.
#[derive(Debug, Parser)]
#[command(name = "tableferry", version, max_term_width = 100)]
#[command(after_help = "\
Exit status: 0 done; 1 an export failed or did not verify; 2 the plan or the usage is wrong;
3 refused before the start; 4 cut off while exports go on, or sign-in needed and no terminal;
5 done, but unverified or undecided for want of reading rights.")]
pub struct Args {
    /// What bears on every command.
    #[command(flatten)]
    pub global: Global,

    /// Open the wizard with this plan filled in
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,

    /// What to do, where it is not the wizard.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Args {
    /// The command line's definition, with examples.
    #[must_use]
    pub fn definition() -> clap::Command {
        examples::with_examples(Self::command(), "")
    }

    /// Reads a command line, the program's name first.
    ///
    /// # Errors
    /// Where it is wrong, and where help was asked for.
    pub fn read<T: Into<OsString> + Clone>(
        words: impl IntoIterator<Item = T>,
    ) -> Result<Self, clap::Error> {
        let mut matches = Self::definition().try_get_matches_from(words)?;
        let args = Self::from_arg_matches_mut(&mut matches)?;
        args.check()?;
        Ok(args)
    }

    /// What a command's help says behind its options, without the examples; the command by its words.
    #[must_use]
    pub fn notes(path: &str) -> Option<String> {
        let command = Self::command();
        let mut found = &command;
        for word in path.split_whitespace() {
            found = found.find_subcommand(word)?;
        }
        found.get_after_help().map(ToString::to_string)
    }

    /// What the definitions above cannot say. `requires` between global options is judged where each
    /// of them stands, so that it fails where one stands before the command and one behind it.
    ///
    /// # Errors
    /// Where an option is given that does nothing without another.
    fn check(&self) -> Result<(), clap::Error> {
        let is_served = matches!(self.command, Some(Command::Sandbox(_)));
        let problem = if self.global.sandbox {
            return Ok(());
        } else if self.global.sandbox_state.is_some() {
            "--sandbox-state keeps what --sandbox makes: give both, before or behind the command"
        } else if self.global.sandbox_partition.is_some() && !is_served {
            "--sandbox-partition places the sandbox's world: give --sandbox too, or use `sandbox serve`"
        } else if self.global.clock_offset.is_some() && !is_served {
            "--clock-offset moves the sandbox's clock: give --sandbox too, or use `sandbox serve`"
        } else if self.global.practice.is_given() && !is_served {
            "--sandbox-fault, --sandbox-tables and --sandbox-most-exports are about the sandbox: give \
             --sandbox too, or use `sandbox serve`"
        } else {
            return Ok(());
        };
        Err(Self::command().error(ErrorKind::MissingRequiredArgument, problem))
    }
}

/// What bears on every command.
#[derive(Debug, Clone, ClapArgs)]
pub struct Global {
    /// Practise: run everything against an AWS in memory, without an account or a network
    #[arg(long, global = true)]
    pub sandbox: bool,

    /// Keep the sandbox's accounts and journal in FILE and FILE.journal between runs
    #[arg(long, global = true, value_name = "FILE")]
    pub sandbox_state: Option<PathBuf>,

    /// How long an export takes in the sandbox
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 6.0, value_parser = job_length)]
    pub sandbox_job: f64,

    /// The partition that the sandbox's world is in; left out, the one that its state is in, or `aws`
    #[arg(long, global = true, value_name = "PARTITION", value_parser = sandbox_partition)]
    pub sandbox_partition: Option<Partition>,

    /// How else the sandbox is played.
    #[command(flatten)]
    pub practice: PracticeArgs,

    /// Move the sandbox's clock, as its clients see it, by a duration such as +12h or -90m; @FILE reads
    /// it from a file, again at every request, so that the clock can be moved meanwhile
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        allow_hyphen_values = true
    )]
    pub clock_offset: Option<ClockOffset>,

    /// Change nothing in any account: no request that would is ever built
    #[arg(long, global = true)]
    pub read_only: bool,

    /// The configuration file, in place of ~/.config/tableferry/config.toml
    #[arg(long, global = true, value_name = "FILE", env = "TABLEFERRY_CONFIG")]
    pub config: Option<PathBuf>,
}

/// What can be done without the wizard.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a plan: prove both identities, start its exports, follow and verify them
    #[command(after_help = start::RUN_HELP)]
    Run(RunArgs),
    /// Start again what failed or was refused in a run, as a new run with new tokens; what is required
    /// is assessed again, and what was exported since is left out
    #[command(after_help = start::RUN_HELP)]
    Retry(RetryArgs),
    /// Export tables without a plan file: what is asked, assessed, started and verified is what `run`
    /// does with such a plan
    #[command(after_help = start::RUN_HELP)]
    Export(ExportArgs),
    /// Judge a plan's permissions, settings and times before the start, and say who can fix what;
    /// a plan may be an export or, with `kind = "upload"` or `kind = "inventory"`, another job
    #[command(after_help = assess::CHECK_STATUS)]
    Check(CheckArgs),
    /// Write what bears on a plan's permissions as a file, for `--facts`; it reveals policies and
    /// names, and no credential
    Survey(SurveyArgs),
    /// Write what fixes a plan's permissions as a document for another tool; nothing is changed
    #[command(after_help = assess::POLICIES_HELP)]
    Policies(PoliciesArgs),
    /// Change what a plan is missing in the accounts, each change shown first and agreed to
    #[command(after_help = apply::APPLY_STATUS)]
    Apply(ApplyArgs),
    /// Take a change of `apply` away again: just what was added, from the document as it is now
    Undo(UndoArgs),
    /// Go on with what was cut off: look unanswered calls up, repeat them with their tokens, follow,
    /// verify
    #[command(after_help = resume::RESUME_HELP)]
    Resume(ResumeArgs),
    /// List the exports of the journal
    Exports(ExportsArgs),
    /// Follow exports live, in several accounts and Regions, also those started elsewhere
    #[command(after_help = watch::WATCH_HELP)]
    Watch(WatchArgs),
    /// Verify an export's files, wherever they lie: manifests, presence and ETags, or with --deep every byte
    #[command(after_help = archives::VERIFY_HELP)]
    Verify(VerifyArgs),
    /// Bring an export's files to this machine, each byte checked while it arrives
    #[command(after_help = archives::FETCH_HELP)]
    Fetch(FetchArgs),
    /// Mask an export's items, by the `[mask]` of a plan: from its staging bucket into the destination
    #[command(after_help = mask::MASK_HELP)]
    Mask(MaskArgs),
    /// List the exports that lie in a bucket, by their manifests, and which continue which
    Archives(ArchivesArgs),
    /// Write the statements with which an export is queried in Athena
    #[command(after_help = archives::ATHENA_HELP)]
    Athena(AthenaArgs),
    /// Tell everything that was done: exports, changes, probes, verifications, beyond AWS's 90 days
    #[command(after_help = archives::HISTORY_HELP)]
    History(HistoryArgs),
    /// Write one document on a run for an audit: who, changes, exports, verifications, grants in place
    Report(ReportArgs),
    /// Import a full export into a new table, checked and agreed to, and followed to its end
    #[command(after_help = import::IMPORT_HELP)]
    Import(ImportArgs),
    /// Write a full export's items into a table that is there, at a bounded rate, resumable at any cut
    #[command(after_help = load::LOAD_HELP)]
    Load(LoadArgs),
    /// Write incremental exports onto a table that holds the full one, window by window
    #[command(after_help = load::REPLAY_HELP)]
    Replay(ReplayArgs),
    /// Have S3 deliver inventory reports of a bucket, by a plan with `kind = "inventory"`
    #[command(subcommand)]
    Inventory(InventoryCommand),
    /// List the profiles that can be chosen, and those that the SDK ignores
    Profiles(OutputArgs),
    /// Look at all that a command stands on (files, profiles, network, clock, terminal, journal), and say what
    /// is wrong with it
    #[command(after_help = doctor::DOCTOR_HELP)]
    Doctor(DoctorArgs),
    /// Write, check or show the configuration file
    #[command(after_help = config::CONFIG_HELP)]
    Config(ConfigArgs),
    /// Say why something was refused or failed and what to do: of a message, a log, a run, or an export
    #[command(after_help = explain::EXPLAIN_HELP)]
    Explain(ExplainArgs),
    /// Say who changed the policies and settings that a plan's job depends on, and when
    Changes(ChangesArgs),
    /// Evaluate requests against policies, offline: one JSON object a line in, one a line out
    #[command(after_help = policy::SIMULATE_HELP)]
    Simulate {
        /// The requests; standard input if left out
        file: Option<PathBuf>,
    },
    /// Work on policy documents, offline
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// The practice AWS
    #[command(subcommand)]
    Sandbox(SandboxCommand),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write the pages of all commands
    Man {
        /// The directory that gets a page for each command
        #[arg(long, value_name = "DIRECTORY")]
        dir: Option<PathBuf>,
    },
}

impl Command {
    /// Which reader the command's output is meant for.
    #[must_use]
    pub fn output(&self) -> Output {
        match self {
            Self::Run(run) => run.start.output.output,
            Self::Retry(retry) => retry.start.output.output,
            Self::Export(export) => export.start.output.output,
            Self::Check(check) => check.output.output,
            Self::Apply(apply) => apply.output.output,
            Self::Undo(undo) => undo.output.output,
            Self::Resume(resume) => resume.output.output,
            Self::Exports(exports) => exports.output.output,
            Self::Watch(watch) => watch.output.output,
            Self::Verify(verify) => verify.output.output,
            Self::Fetch(fetch) => fetch.output.output,
            Self::Mask(mask) => mask.output.output,
            Self::History(history) => history.output.output,
            Self::Archives(archives) => archives.output.output,
            Self::Import(import) => import.start.output.output,
            Self::Load(load) => load.into.start.output.output,
            Self::Replay(replay) => replay.into.start.output.output,
            Self::Inventory(inventory) => inventory.output(),
            Self::Profiles(args) => args.output,
            Self::Doctor(doctor) => doctor.output.output,
            Self::Config(config) => config.output.output,
            Self::Explain(explain) => explain.output.output,
            Self::Changes(changes) => changes.output.output,
            _ => Output::Text,
        }
    }

    /// What is called when a run has ended, by the command line.
    #[must_use]
    pub fn on_finish(&self) -> &[OsString] {
        match self {
            Self::Run(run) => &run.start.finish.on_finish,
            Self::Retry(retry) => &retry.start.finish.on_finish,
            Self::Export(export) => &export.start.finish.on_finish,
            Self::Resume(resume) => &resume.finish.on_finish,
            Self::Watch(watch) => &watch.finish.on_finish,
            _ => &[],
        }
    }
}

/// How to print.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub struct OutputArgs {
    /// Words for people, or one JSON object a line
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub output: Output,
}

/// What the output is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// People.
    Text,
    /// Programs.
    Json,
}

/// The sandbox has no world in the isolated partitions.
fn sandbox_partition(text: &str) -> Result<Partition, String> {
    Options::PARTITIONS
        .into_iter()
        .find(|partition| partition.as_str() == text)
        .ok_or_else(|| "give aws, aws-us-gov or aws-cn".to_owned())
}

fn job_length(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| (0.0..=86_400.0).contains(seconds))
        .ok_or_else(|| "give seconds, from 0 to 86400".to_owned())
}
