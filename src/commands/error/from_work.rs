//! The errors of the other rooms as a command's: which exit status each has, and what to do about it.

use std::io;

use super::{CommandError, Problem, Said};
use crate::assess::facts::Mismatch;
use crate::aws::SignInError;
use crate::aws::failure::{Failure, FailureKind};
use crate::commands::exit::Exit;
use crate::config::ConfigError;
use crate::job::Violations;
use crate::journal::{JournalError, RunId};
use crate::tui::TuiError;
use crate::work::history::ImportError;
use crate::work::watch::WatchError;
use crate::work::{
    ApplyError, ArchiveError, ControlFileError, FollowError, InventoryError, LoadError,
    MaskRefusal, ProbeError, ResumeError, SettleError, Side, StartError, TableError, UndoError,
    WatchedExports,
};
use tableferry_sandbox::SandboxError;

/// A file could not be read or the output not be written. That the output's reader went away is no error.
impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::silent(Exit::Done);
        }
        Self::usage(error.to_string())
    }
}

impl From<SandboxError> for CommandError {
    fn from(error: SandboxError) -> Self {
        Self::usage(error.to_string())
    }
}

/// What is wrong with the command line, with its usage below it.
impl From<clap::Error> for CommandError {
    fn from(error: clap::Error) -> Self {
        let text = error.render().to_string();
        let text = text.trim_end();
        let Some(text) = text.strip_prefix("error: ") else {
            return Self::silent(Exit::Usage).followed_by([Said::Usage(text.to_owned())]);
        };
        let (message, usage) = text.split_once('\n').unwrap_or((text, ""));
        let error = Self::usage(message);
        if usage.is_empty() {
            return error;
        }
        error.followed_by([Said::Usage(usage.to_owned())])
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint();
        Self::usage(error.to_string()).hint(hint)
    }
}

impl From<TableError> for CommandError {
    fn from(error: TableError) -> Self {
        Self::refused(error.to_string())
    }
}

impl From<JournalError> for CommandError {
    fn from(error: JournalError) -> Self {
        Self::refused(error.to_string()).hint(error.hint())
    }
}

/// All that is wrong in a plan, each with its place.
impl From<Violations> for CommandError {
    fn from(violations: Violations) -> Self {
        let problems = violations.iter().map(|violation| {
            Problem::new(format!(
                "{}:{}:{}: {}",
                violation.file, violation.line, violation.column, violation.message
            ))
            .hint(&violation.hint)
        });
        Self::several(Exit::Usage, problems)
    }
}

/// Why facts are not of the plan.
impl From<Vec<Mismatch>> for CommandError {
    fn from(mismatches: Vec<Mismatch>) -> Self {
        let problems = mismatches
            .into_iter()
            .map(|mismatch| Problem::new(mismatch.what).hint(mismatch.hint));
        Self::several(Exit::Usage, problems)
    }
}

impl From<ControlFileError> for CommandError {
    fn from(error: ControlFileError) -> Self {
        Self::usage(error.to_string())
            .hint("name a file that holds one policy document, as Organizations shows it")
    }
}

impl From<TuiError> for CommandError {
    fn from(error: TuiError) -> Self {
        let said = Self::usage(error.to_string());
        match error {
            TuiError::NoTerminal => {
                said.hint("`tableferry run PLAN --yes` does a plan without one")
            }
            TuiError::Terminal(_) | TuiError::Keymap(_) => said,
        }
    }
}

/// A call that failed, of which nothing but itself is known.
impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self::refused(failure.to_string())
            .maybe_hint(failure.hint)
            .request_id(failure.request_id)
    }
}

impl From<StartError> for CommandError {
    fn from(error: StartError) -> Self {
        let said = Self::refused(error.to_string());
        match error {
            StartError::Journal(cause) => cause.into(),
            StartError::BrokenOff { run, cause } => {
                said.ending(Exit::CutOff).hint(hint_to_resume(&cause, run))
            }
            StartError::NotSignedIn => said.ending(Exit::CutOff).hint("sign in first"),
            StartError::Resolve(resolve) => said.hint(resolve.hint()),
            StartError::ReadOnly => said.hint("leave --read-only out to start it"),
        }
    }
}

impl From<ProbeError> for CommandError {
    fn from(error: ProbeError) -> Self {
        let request_id = match &error {
            ProbeError::Bucket(failure) => failure.request_id.clone(),
            _ => None,
        };
        Self::refused(format!("the probe cannot be made: {error}"))
            .hint("`tableferry check` without --probe judges by what can be read")
            .request_id(request_id)
    }
}

impl From<InventoryError> for CommandError {
    fn from(error: InventoryError) -> Self {
        let said = Self::refused(error.to_string()).hint(error.hint());
        match error {
            InventoryError::OtherKind => said.ending(Exit::Usage),
            InventoryError::NotSignedIn(_) => said.ending(Exit::CutOff),
            InventoryError::Call(failure) => said.request_id(failure.request_id),
        }
    }
}

impl From<ImportError> for CommandError {
    fn from(error: ImportError) -> Self {
        let said = Self::refused(error.to_string());
        match error {
            ImportError::NotSignedIn => said.ending(Exit::CutOff),
            ImportError::Journal(cause) => said.hint(cause.hint()),
            ImportError::Call(failure) => {
                let said = said.request_id(failure.request_id);
                if failure.kind == FailureKind::AccessDenied {
                    said.ending(Exit::Undecided).hint(
                        "it needs dynamodb:ListExports, and dynamodb:DescribeExport on table/*/export/*",
                    )
                } else {
                    said.ending(Exit::CutOff).maybe_hint(failure.hint)
                }
            }
        }
    }
}

impl From<ApplyError> for CommandError {
    fn from(error: ApplyError) -> Self {
        let said = Self::refused(error.to_string()).hint(error.hint());
        match error {
            ApplyError::ChangedMeanwhile { diff, .. } => {
                said.followed_by(diff.lines().map(|line| Said::Line(format!("  {line}"))))
            }
            ApplyError::Unread { cause, .. } | ApplyError::Refused { cause, .. } => {
                said.request_id(cause.request_id)
            }
            ApplyError::Uncertain { cause, .. } => {
                said.ending(Exit::Undecided).request_id(cause.request_id)
            }
            ApplyError::Unrecorded { .. } | ApplyError::CutOff => said.ending(Exit::Undecided),
            _ => said,
        }
    }
}

impl From<UndoError> for CommandError {
    fn from(error: UndoError) -> Self {
        let said = Self::refused(error.to_string()).hint(error.hint());
        match error {
            UndoError::Journal(_) | UndoError::NoSuchChange(_) => said.ending(Exit::Usage),
            UndoError::NotSignedIn(_) | UndoError::CutOff => said.ending(Exit::CutOff),
            UndoError::Call { cause, .. } => said.request_id(cause.request_id),
            _ => said,
        }
    }
}

/// Why an archive was not read. What a refusal lacks is told by the one who knows whose archive it is.
impl From<&ArchiveError> for CommandError {
    fn from(error: &ArchiveError) -> Self {
        let (exit, hint) = archive_advice(error);
        let said = Self::new(exit, Problem::new(error.to_string())).maybe_hint(hint);
        match error {
            ArchiveError::Call(failure) | ArchiveError::NoSuchExport(failure) => {
                said.request_id(failure.request_id.clone())
            }
            _ => said,
        }
    }
}

impl CommandError {
    /// The journal has no run of this number.
    pub(in crate::commands) fn no_such_run(run: RunId) -> Self {
        Self::usage(format!("the journal has no run {run}"))
            .hint("`tableferry exports` lists the runs")
    }

    /// A side could not be signed in. What only a person can fix leaves the run to be gone on with.
    pub(in crate::commands) fn not_signed_in(side: Side, error: &SignInError) -> Self {
        let said = Self::refused(format!("the {side} could not be signed in: {error}"))
            .hint(sign_in_hint(error));
        match error {
            SignInError::MfaRequired { .. } | SignInError::LoginRequired { .. } => {
                said.ending(Exit::CutOff)
            }
            SignInError::CodeRefused { failure, .. } => said
                .ending(Exit::CutOff)
                .request_id(failure.request_id.clone()),
            SignInError::Profile { .. } => said.ending(Exit::Usage),
            SignInError::Call(failure) => {
                let said = said.request_id(failure.request_id.clone());
                if failure.kind == FailureKind::Credentials {
                    said.ending(Exit::CutOff)
                } else {
                    said
                }
            }
        }
    }

    /// A run can no longer be followed; what was started goes on.
    pub(in crate::commands) fn not_followed(error: &FollowError, run: RunId) -> Self {
        let said = Self::refused(error.to_string()).ending(Exit::CutOff);
        match error {
            FollowError::SignIn(_, cause) => said.hint(sign_in_hint(cause)),
            FollowError::Journal(cause) => said.hint(hint_to_resume(cause, run)),
            FollowError::NoSuchRun(_) => said.hint("`tableferry exports` lists the runs"),
        }
    }

    /// Items are not written, or not written on.
    pub(in crate::commands) fn not_loaded(error: &LoadError, run: Option<RunId>) -> Self {
        let said = match error {
            LoadError::CutOff | LoadError::Archive(ArchiveError::CutOff) => Self::cut_off(),
            _ => Self::refused(error.to_string()),
        };
        match error {
            LoadError::SignIn(_, cause) => said.hint(sign_in_hint(cause)),
            LoadError::Journal(cause) => match run {
                Some(run) => said.hint(hint_to_resume(cause, run)),
                None => said.hint(cause.hint()),
            },
            LoadError::Call(failure) | LoadError::Write { failure, .. } => match &failure.hint {
                Some(hint) => said.hint(hint),
                None => said.hint("`tableferry check` with this plan says what is missing"),
            },
            LoadError::Archive(ArchiveError::CutOff) | LoadError::CutOff => said,
            LoadError::Archive(_) | LoadError::OtherArchive(_) | LoadError::NotSendable(_) => {
                said.hint("`tableferry verify --deep` says what is wrong with the export's files")
            }
            LoadError::NoSuchRun(_) => said.hint("`tableferry exports` lists the runs"),
            LoadError::Busy => said.hint("wait until it has ended"),
            LoadError::NotSignedIn(_) | LoadError::OtherAccount { .. } => {
                said.hint("sign the source in to the table's account")
            }
            LoadError::Table(_) => {
                said.hint("`tableferry check` with this plan says what is missing")
            }
        }
    }

    /// What the operator says of a run's open calls settles nothing.
    pub(in crate::commands) fn not_settled(error: &SettleError, run: RunId) -> Self {
        let said = Self::refused(error.to_string());
        match error {
            SettleError::Resume(_) => said.hint("sign the source in to the run's own account"),
            SettleError::Journal(cause) => {
                said.ending(Exit::CutOff).hint(hint_to_resume(cause, run))
            }
            SettleError::NothingOpen(run) => said.hint(format!(
                "`tableferry resume {run}` goes on with it; `tableferry exports` shows how it stands"
            )),
            SettleError::SeveralOpen { .. } => {
                said.hint("name those that are meant with --only TABLE")
            }
            SettleError::NoSuchOperation(_) | SettleError::OtherOperation { .. } => {
                said.hint("`aws dynamodb list-exports` shows the exports of the last 90 days")
            }
        }
    }

    /// The exports of an account could not be watched.
    pub(in crate::commands) fn not_watched(error: &WatchError, which: &WatchedExports) -> Self {
        let said = Self::refused(error.to_string());
        match error {
            WatchError::NotSignedIn => said.ending(Exit::CutOff),
            WatchError::SignIn(cause) => said.ending(Exit::CutOff).hint(sign_in_hint(cause)),
            WatchError::Journal(cause) => said.hint(cause.hint()),
            WatchError::Call(failure) => {
                let needed = match which {
                    WatchedExports::UnderWay { .. } => "dynamodb:ListExports",
                    WatchedExports::These(_) => "dynamodb:DescribeExport on the table's export/*",
                };
                let hint = failure.hint.clone().unwrap_or_else(|| {
                    format!("it needs {needed}; exports are named by their ARNs without it")
                });
                said.hint(hint).request_id(failure.request_id.clone())
            }
        }
    }

    /// What was written could not be read back.
    pub(in crate::commands) fn not_read_back(title: &str, failure: &Failure) -> Self {
        Self::refused(format!(
            "{title} was written, and could not be read back: {failure}"
        ))
        .ending(Exit::Undecided)
        .maybe_hint(failure.hint.clone())
        .request_id(failure.request_id.clone())
    }

    /// A run could not be gone on with as the one who is signed in.
    pub(in crate::commands) fn not_resumed(error: &ResumeError) -> Self {
        Self::refused(error.to_string()).hint("sign the source in to the run's own account")
    }
}

/// What to do about a journal that can no longer be written while a run is in it.
fn hint_to_resume(cause: &JournalError, run: RunId) -> String {
    format!(
        "{}; `tableferry resume {run}` goes on from there",
        cause.hint()
    )
}

/// What to do about a failed sign-in.
pub(in crate::commands) fn sign_in_hint(error: &SignInError) -> String {
    match error {
        SignInError::MfaRequired { .. } => {
            "run the command in a terminal, and give the six digits that the device shows"
                .to_owned()
        }
        SignInError::LoginRequired { command, .. } => format!("run `{command}`, then this again"),
        SignInError::Profile { hint, .. } => hint.clone(),
        SignInError::CodeRefused { failure, .. } | SignInError::Call(failure) => failure
            .hint
            .clone()
            .unwrap_or_else(|| "check the profile and its rights".to_owned()),
    }
}

/// The exit status of an archive that was not verified, and what to do.
fn archive_advice(error: &ArchiveError) -> (Exit, Option<String>) {
    let say = |hint: &str| Some(hint.to_owned());
    match error {
        ArchiveError::NoDirectory { .. } => (
            Exit::Usage,
            say(
                "give the folder that holds manifest-summary.json, a run's number, an export's ARN or an s3:// folder",
            ),
        ),
        ArchiveError::SeveralExports { .. } => (Exit::Usage, say("name the folder of one of them")),
        ArchiveError::NoManifest { .. } => (
            Exit::Failed,
            say(
                "nothing says which files belong to an export without it: the export is still running or failed, the folder is another, or the manifests were not copied",
            ),
        ),
        ArchiveError::NoSuchExport(_) => (
            Exit::Usage,
            say(
                "DynamoDB knows exports for 90 days, in the table's own account and Region; an older one is verified by its s3:// folder",
            ),
        ),
        ArchiveError::StillRunning(_) => (
            Exit::CutOff,
            say("its manifests are written at the end: verify it then"),
        ),
        ArchiveError::ExportFailed { .. } => (
            Exit::Failed,
            say("a failed export has no manifests; what it wrote is of no use"),
        ),
        ArchiveError::TooLarge { .. } => (
            Exit::Refused,
            say(
                "without --deep nothing is downloaded but the manifests; the limit is largest_download under [limits] in the configuration",
            ),
        ),
        ArchiveError::Index(_) => (
            Exit::Refused,
            say(
                "it needs 24 bytes for each item in the directory of the journal (state_dir in the configuration)",
            ),
        ),
        ArchiveError::CutOff => (
            Exit::CutOff,
            say("run it again: what was read to its end is not read again"),
        ),
        ArchiveError::CopiesForbidden => (
            Exit::Refused,
            say(
                "it is local_copies under [allowed]; `verify --deep` reads an archive without keeping it",
            ),
        ),
        ArchiveError::UnusableDirectory { .. } => (
            Exit::Refused,
            say(
                "name a directory of your own that nobody else may look into, or one that is not there yet",
            ),
        ),
        ArchiveError::NoRoom { .. } => (
            Exit::Refused,
            say("make room, or name a directory of another file system"),
        ),
        ArchiveError::Copy(_) => (
            Exit::CutOff,
            say("once that is fixed, run it again: what has arrived is not fetched again"),
        ),
        ArchiveError::Damaged { .. } => (
            Exit::Failed,
            say("`tableferry verify` names all that is damaged"),
        ),
        ArchiveError::NotMasked(refusal) => (Exit::Refused, say(mask_advice(refusal))),
        ArchiveError::Journal(_) => (Exit::Usage, None),
        ArchiveError::NotSignedIn(_) => (Exit::CutOff, None),
        ArchiveError::Unreadable { .. } => (Exit::Undecided, None),
        ArchiveError::Call(failure) => call_advice(failure),
    }
}

const fn mask_advice(refusal: &MaskRefusal) -> &'static str {
    match refusal {
        MaskRefusal::Ion => "export the table as DYNAMODB_JSON",
        MaskRefusal::UnknownKeys => "name them: --key orderId:S, and a second one for the sort key",
        MaskRefusal::Key { .. } => {
            "an attribute of the key is masked `as = \"hash\"`, or not at all"
        }
        MaskRefusal::SamePlace(_) => "give --to another place",
        MaskRefusal::Occupied(_) => {
            "give --to another prefix or directory: nothing is written over"
        }
        MaskRefusal::OtherSecret(_) => {
            "give the secret that it was begun with, or mask to another place from the start"
        }
        MaskRefusal::OtherRules(_) => {
            "give the plan that it was begun with, or mask to another place from the start"
        }
        MaskRefusal::Busy(_) => {
            "let it end, or see to the directory of the journal, and run this again"
        }
    }
}

fn call_advice(failure: &Failure) -> (Exit, Option<String>) {
    let given = failure.hint.clone();
    match failure.kind {
        FailureKind::AccessDenied => (
            Exit::Undecided,
            given.or_else(|| Some(
                "the reader needs s3:GetObject on the export's objects, s3:ListBucket on the bucket, and kms:Decrypt where they are encrypted with a KMS key; by an ARN also dynamodb:DescribeExport".to_owned(),
            )),
        ),
        FailureKind::Credentials => (Exit::CutOff, given),
        _ if failure.is_retryable() => (Exit::CutOff, given),
        _ => (Exit::Usage, given),
    }
}
