//! The command line, once: parsing, `--help`, completions and the manual page all come from here.

mod archives;
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
mod practice;
mod start;
#[cfg(test)]
mod tests;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args as ClapArgs, CommandFactory, FromArgMatches as _, Parser, Subcommand, ValueEnum};

pub use archives::{
    ArchivesArgs, AthenaArgs, BucketReaderArgs, FetchArgs, FetchForm, HistoryArgs, ReaderArgs,
    ReportArgs,
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
pub use watch::WatchArgs;

pub use practice::PracticeArgs;
pub use start::{DataFormat, ExportArgs, RetryArgs, RunArgs, StartArgs};

use crate::work::ChangeKind;
use tableferry_policy::arn::{AccountId, Arn, Partition};
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
    #[command(after_help = RUN_HELP)]
    Run(RunArgs),
    /// Start again what failed or was refused in a run, as a new run with new tokens; what is required
    /// is assessed again, and what was exported since is left out
    #[command(after_help = RUN_HELP)]
    Retry(RetryArgs),
    /// Export tables without a plan file: what is asked, assessed, started and verified is what `run`
    /// does with such a plan
    #[command(after_help = RUN_HELP)]
    Export(ExportArgs),
    /// Judge a plan's permissions, settings and times before the start, and say who can fix what;
    /// a plan may be an export or, with `kind = "upload"` or `kind = "inventory"`, another job
    #[command(after_help = CHECK_STATUS)]
    Check(CheckArgs),
    /// Write what bears on a plan's permissions as a file, for `--facts`; it reveals policies and
    /// names, and no credential
    Survey(SurveyArgs),
    /// Write what fixes a plan's permissions as a document for another tool; nothing is changed
    #[command(after_help = POLICIES_HELP)]
    Policies(PoliciesArgs),
    /// Change what a plan is missing in the accounts, each change shown first and agreed to
    #[command(after_help = APPLY_STATUS)]
    Apply(ApplyArgs),
    /// Take a change of `apply` away again: just what was added, from the document as it is now
    Undo(UndoArgs),
    /// Go on with what was cut off: look unanswered calls up, repeat them with their tokens, follow,
    /// verify
    #[command(after_help = RESUME_HELP)]
    Resume(ResumeArgs),
    /// List the exports of the journal
    Exports(ExportsArgs),
    /// Follow exports live, in several accounts and Regions, also those started elsewhere
    #[command(after_help = watch::WATCH_HELP)]
    Watch(WatchArgs),
    /// Verify an export's files, wherever they lie: manifests, presence and ETags, or with --deep every byte
    #[command(after_help = VERIFY_HELP)]
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
    #[command(after_help = EXPLAIN_HELP)]
    Explain(ExplainArgs),
    /// Say who changed the policies and settings that a plan's job depends on, and when
    Changes(ChangesArgs),
    /// Evaluate requests against policies, offline: one JSON object a line in, one a line out
    #[command(after_help = SIMULATE_HELP)]
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

/// What `run` prints for programs.
const RUN_HELP: &str = "\
With --output json the last line is always an object with event `finished`: exports, one for each of the
run, with table, export_arn, status and more; started, how many exports this process started; and
maybe_started, of how many that is not known. Both are 0 where nothing was started.";

/// What `simulate` reads and answers.
const SIMULATE_HELP: &str = "\
Each line is an object: id (any value, given back), principal (an ARN), action, resource, resource_account,
context (keys and their values; one that is not there is absent), optional_context (keys that hold their values
or are absent), unknown_context (a list of keys), identity_policies (a list of {name, document}),
permissions_boundary, session_policy, service_control_policies and resource_control_policies (lists of {target,
policies}), vpc_endpoint_policy, resource_policy, kms_grants. What is left out is not there. For instance:
  {\"id\":1,\"principal\":\"arn:aws:iam::111111111111:user/mona\",\"action\":\"s3:GetObject\",
   \"resource\":\"arn:aws:s3:::landing/a\",\"resource_account\":\"111111111111\",\"identity_policies\":
   [{\"name\":\"Read\",\"document\":{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",
   \"Action\":\"s3:GetObject\",\"Resource\":\"*\"}]}}]}
on one line. The answer has id and decision, with what decides or depends; or id and error.

Exit status: 0 every line was answered; 2 a line could not be read.";

/// How `check` ends.
const CHECK_STATUS: &str = "\
Exit status: 0 all is allowed, or unknown only where the start itself settles it at once; 3 something
that the export cannot do without is denied; 5 something depends on what nobody can tell before, or
could not be read and no earlier export that completed the same way speaks for it, or what only follows
and verifies the export is denied.";

/// How `check` goes.
#[derive(Debug, ClapArgs)]
pub struct CheckArgs {
    /// The plan file
    pub plan: PathBuf,
    /// What is judged.
    #[command(flatten)]
    pub facts: FactsArgs,
    /// What could not be read counts as unknown, not as assumed to be in order; what the start would
    /// settle at once, too
    #[arg(long)]
    pub strict: bool,
    /// Print each need as a line for `simulate`, in place of the verdicts
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub explain_needs: Option<NeedsFormat>,
    /// Try it for real: begin an upload as the export would, send a few bytes, and take it back; what a
    /// probe that was cut off left is taken back first
    #[arg(long, conflicts_with_all = ["file", "explain_needs"])]
    pub probe: bool,
    /// Answer the question before the probe with yes; needed without a terminal
    #[arg(long, requires = "probe")]
    pub yes: bool,
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

/// What `policies` writes, and how it ends.
const POLICIES_HELP: &str = "\
Only the document goes to standard output; what it cannot hold is told on standard error.

json            one object: version, facts_read_at, source_account, bucket, remedies, open. Each remedy
                has kind (bucket_policy, key_policy, role_policy, user_policy, permission_set_policy,
                identity_policy, point_in_time_recovery, plan, message), target, policy_name, account,
                region, value, before, document, added (the Sids of what is new), responsible, fixes,
                lets_through, warnings, problems, is_writable; open holds the verdicts that none fixes
terraform       for the AWS provider from version 5 on, with a provider for each account
cloudformation  a template in YAML for the stack of one account; with several, name one by --account
cli             a script of `aws` commands for sh, which stops where something changed since
message         a text to send for each who can fix something

Exit status: 0 nothing is denied, or what is told fixes it; 3 something that the export cannot do without
stays denied, or a document must not be written as it stands; 5 something stays undecided, such as what
could not be read, or only what follows and verifies the export stays denied.";

/// How `policies` goes.
#[derive(Debug, ClapArgs)]
pub struct PoliciesArgs {
    /// The plan file
    pub plan: PathBuf,
    /// What to write
    #[arg(long = "as", value_enum, value_name = "FORMAT")]
    pub format: PolicyFormat,
    /// Write the whole policies that the plan needs, and not only what is missing
    #[arg(long)]
    pub all: bool,
    /// Write only what is changed in this account, one of those that the plan touches. While
    /// something is missing in another, the exit status is that of `check`
    #[arg(long, value_name = "ID")]
    pub account: Option<AccountId>,
    /// What it goes by.
    #[command(flatten)]
    pub facts: FactsArgs,
    /// How long the grants hold.
    #[command(flatten)]
    pub grant_options: GrantOptionArgs,
    /// Policies of the organization.
    #[command(flatten)]
    pub controls: ControlArgs,
}

/// Facts from a file.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct FactsArgs {
    /// Go by the facts of this file, written by `survey`, and ask AWS nothing. They must be of the
    /// plan's bucket and Region, and of its identities: by the role that the plan names, or the same
    /// profile name as in the plan that was surveyed. Tables and keys not surveyed are unknown
    #[arg(long = "facts", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Vouch for whose the facts are, by the ARN of a user, role or session, where its profile has
    /// another name in this plan; may be given for each side
    #[arg(long = "facts-of", value_name = "ARN", requires = "file")]
    pub of: Vec<Arn>,
}

/// What remedies are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PolicyFormat {
    /// One JSON object
    Json,
    /// Terraform
    Terraform,
    /// A CloudFormation template
    #[value(name = "cloudformation")]
    CloudFormation,
    /// Commands of the AWS CLI
    Cli,
    /// Texts to other teams
    Message,
}

/// How needs are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NeedsFormat {
    /// One JSON object a line, as `simulate` takes them.
    Json,
}

/// How `survey` goes.
#[derive(Debug, ClapArgs)]
pub struct SurveyArgs {
    /// The plan file
    pub plan: PathBuf,
    /// Policies of the organization.
    #[command(flatten)]
    pub controls: ControlArgs,
}

/// Policies of the organization, where it does not show them.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct ControlArgs {
    /// A service control policy over the source's account; may be given several times
    #[arg(long, value_name = "FILE")]
    pub scp: Vec<PathBuf>,
    /// A resource control policy over the destination's account; may be given several times
    #[arg(long, value_name = "FILE")]
    pub rcp: Vec<PathBuf>,
}

/// How `apply` ends.
const APPLY_STATUS: &str = "\
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

/// What `resume` does with calls that went unanswered.
const RESUME_HELP: &str = "\
A call whose answer never came may have started an export. It is looked up by its token first (ListExports,
DescribeExport). One that is not found is made again with the same token for seven hours by AWS's clock,
within which DynamoDB answers with the same export. After that, or where the time of the call is not known,
it is made again only once the listing proves that it started none; otherwise it stays open (exit status 4),
and --started or --not-started settles it.";

/// How `resume` goes.
#[derive(Debug, ClapArgs)]
pub struct ResumeArgs {
    /// The run's number; all runs that are not finished if left out
    pub run: Option<i64>,
    /// Settle a call that went unanswered and cannot be looked up: it started the export with this ARN,
    /// as the console or `aws dynamodb list-exports` shows it. The journal keeps on whose word
    #[arg(
        long,
        value_name = "ARN",
        requires = "run",
        conflicts_with = "not_started"
    )]
    pub started: Option<Arn>,
    /// Settle such a call the other way: it started no export. `run --only TABLE` then starts one
    #[arg(long, requires = "run")]
    pub not_started: bool,
    /// With --not-started, the table that is meant, by name or ARN, where several are open; may be given
    /// several times
    #[arg(long, value_name = "TABLE", requires = "not_started")]
    pub only: Vec<String>,
    /// Look again at the files of all completed exports of the run, whatever was found before. Without
    /// it, those are looked at that were not verified yet, or could not be read
    #[arg(long, requires = "run", conflicts_with_all = ["started", "not_started"])]
    pub verify_again: bool,
    /// What is called at the end.
    #[command(flatten)]
    pub finish: FinishArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What `verify` looks at.
const VERIFY_HELP: &str = "\
ARCHIVE is the number of a run (all its completed exports), an export's ARN, s3://BUCKET/PREFIX/AWSDynamoDB/ID,
or a directory with a copy of that folder; a directory whose name is a number is ./3. A moved or copied
archive is verified as it lies: files are found beside their manifest.

With --deep each data file is read once: the MD5 of its bytes, its gzip to the end, and each line as
DynamoDB JSON or Ion of that kind of export; keys that stand twice are found across all files. Faults are
told by file, line and attribute path, and never by value.

Where S3 or KMS refuses, what the reader lacks is told as `check` tells it: what decides, as far as that can be
read, and what fixes it. --save-plan writes the reading as a plan for `policies` and `apply`.

Exit status: 0 whole; 1 damaged; 2 the usage is wrong; 3 larger than [limits] allow; 4 cut off, the export
is still running, or sign-in needed; 5 undecided, or not to be read.";

/// How `verify` goes.
#[derive(Debug, ClapArgs)]
pub struct VerifyArgs {
    /// What is verified
    pub archive: String,
    /// Read every byte
    #[arg(long)]
    pub deep: bool,
    /// Who reads.
    #[command(flatten)]
    pub reader: ReaderArgs,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How `exports` goes.
#[derive(Debug, ClapArgs)]
pub struct ExportsArgs {
    /// Follow the exports that are under way, until ctrl-c
    #[arg(long)]
    pub watch: bool,
    /// How to print.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What `explain` reads and prints.
const EXPLAIN_HELP: &str = "\
It finds every refusal in what any tool printed (the AWS CLI, SDKs, Terraform, CloudFormation, Spark, Lambda,
CloudTrail, S3 access logs), however it is wrapped, escaped, cut or coloured, and says for each what was
refused, to which principal, on what, by which kind of policy, and why: `the cause` where AWS's words leave no other,
`likely`, or `possible`. What is no refusal (throttling, a wrong parameter, the network, TLS, a bug) is called
what it is. Files packed with gzip are unpacked. It is offline, and repeats no access key, token or signature.

With --output json one object: schema, bytes, lines, errors_not_shown, and errors, one for each kind: class,
refusal, count, first_line, last_line, code, service, operation, action, principal, principal_kind, resource,
other_resources, stated, policy_kind, policy_arn, status, request_id, event_time, message, cut, causes (id,
certainty, place, title, means, fix, look, evidence, sources; the same place where nothing separates two),
excluded, not_known. With --plan also refused_by_plan: requirement and explanation of each requirement that
the assessment denies.

A run is told by the journal, an export or import by DescribeExport and DescribeImport; for a run and with
--plan both accounts are read now. Then the object has of, operations (name, arn, refused, failed_at), errors,
refused_by_plan, last_success, changes (as `changes` prints them) and not_read.

Exit status: 0 every error has a cause that is certain or likely, or there is none; 2 the input cannot be
read; 5 of some the cause is only possible, or not known.";

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

/// What can be done with policy documents.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Find what is wrong with a policy document; exit status 1 on errors
    Lint {
        /// The document
        file: PathBuf,
        /// What the document is attached to
        #[arg(long, value_enum)]
        kind: LintKind,
    },
}

/// What a policy document is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LintKind {
    /// A bucket.
    Bucket,
    /// A KMS key.
    Key,
    /// A user, group or role.
    Identity,
    /// A role, saying who may assume it.
    Trust,
    /// An organization: a service control policy.
    Scp,
    /// An organization: a resource control policy.
    Rcp,
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
