//! `tableferry mask EXPORT --plan PLAN`: an export's items, masked on their way from where it is staged to
//! where they are to go.

use std::io::IsTerminal as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::archive_reading::{key_schema, request};
use super::archive_target::{Finder, LocatedArchive};
use super::archive_words::{SCHEMA, exit_of, tell, tell_event};
use super::consent::Consent;
use super::error::CommandError;
use super::plan_file::read_plan;
use super::refusal::{check_can_ask, check_may_change};
use super::report::Report;
use super::sign_in::prove;
use crate::archive::line::mask::{InvalidSecret, MaskSecret};
use crate::args::MaskArgs;
use crate::job::{Mask, Plan, Prefix, SecretSource, value};
use crate::regular_file;
use crate::work::{
    ArchiveError, ArchivePlace, MaskPlace, MaskReport, MaskRequest, PreparedMask, RuleReport, Side,
    Work,
};
use tableferry_policy::arn::{AccountId, BucketName};

/// A secret of more bytes is some other file.
const LARGEST_SECRET: u64 = 64 * 1024;

/// Masks what is named.
pub(super) async fn mask(
    work: &Work,
    args: &MaskArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let plan = read_plan(&args.plan)?;
    let Some(mask) = plan.mask.as_deref() else {
        let name = args.plan.display();
        return Err(
            CommandError::usage(format!("the plan {name} has no [mask]")).hint(
                "add [mask] with `staging`, a secret, and [[mask.attributes]] (docs/plan.md)",
            ),
        );
    };
    let secret = mask.secret.as_ref().map(read_secret).transpose()?;
    let keys = key_schema(&args.key)?;
    let to = To::parse(args.to.as_deref(), mask)?;
    if matches!(to, To::Bucket { .. }) {
        check_may_change(work, "a masking writes into a bucket")?;
        check_can_ask(args.yes, "writing into a bucket", "add --yes")?;
    }
    let finder = Finder {
        work,
        profile: None,
        plan: Some(&plan),
        bucket_owner: None,
        report,
    };
    let (archives, mut worst) = finder.locate(&args.export).await?;
    let to = to.place(&finder, mask).await?;
    for archive in archives {
        let archive = staged(archive, &plan, work);
        let request = MaskRequest {
            archive: request(archive, true, keys.as_ref()),
            mask: mask.clone(),
            secret: secret.clone(),
            to: to.clone(),
        };
        let masked = mask_one(work, args, &request, cancel, report).await;
        worst = worst.worse(report.settle(masked));
    }
    Ok(worst)
}

/// The secret that the plan names.
fn read_secret(source: &SecretSource) -> Result<MaskSecret, CommandError> {
    let (name, bytes) = match source {
        SecretSource::File(path) => {
            let name = format!("the file {}", path.display());
            let bytes = regular_file::read(path, LARGEST_SECRET).map_err(|error| {
                CommandError::refused(format!("cannot read the secret of the mask from {name}"))
                    .because(error)
                    .hint("it is `secret_file` of [mask] in the plan")
            })?;
            (name, bytes)
        }
        SecretSource::Environment(variable) => {
            let name = format!("the variable {variable}");
            let value = std::env::var_os(variable).unwrap_or_default();
            (name, value.as_bytes().to_vec())
        }
    };
    MaskSecret::new(&bytes).map_err(|invalid: InvalidSecret| {
        CommandError::refused(format!(
            "the secret of the mask in {name} is none: {invalid}"
        ))
        .hint("make one that nobody can guess, as of `openssl rand -hex 32`, and keep it")
    })
}

/// The archive, with the account that must own the staging bucket.
fn staged(mut archive: LocatedArchive, plan: &Plan, work: &Work) -> LocatedArchive {
    let staging = &plan.destination;
    if let ArchivePlace::Bucket { bucket, owner, .. } = &mut archive.place
        && *bucket == staging.bucket
        && owner.is_none()
    {
        let leaves = plan
            .mask
            .as_ref()
            .is_some_and(|mask| mask.staging_leaves_the_account);
        let source = work.account(Side::Source).filter(|_| !leaves);
        *owner = staging.owner.clone().or(source);
    }
    archive
}

/// Where the masked copy goes, as it is named.
enum To {
    Directory(PathBuf),
    Bucket {
        bucket: BucketName,
        prefix: Option<Prefix>,
    },
}

impl To {
    fn parse(named: Option<&str>, mask: &Mask) -> Result<Self, CommandError> {
        let Some(named) = named else {
            return Ok(Self::Bucket {
                bucket: mask.destination.bucket.clone(),
                prefix: mask.destination.prefix.clone(),
            });
        };
        let Some(place) = named.strip_prefix("s3://") else {
            return Ok(Self::Directory(PathBuf::from(named)));
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let invalid = |invalid: value::InvalidValue| {
            CommandError::usage(format!("{named}: {}", invalid.message)).hint(invalid.hint)
        };
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        Ok(Self::Bucket {
            bucket: value::bucket(bucket).map_err(invalid)?,
            prefix: prefix
                .map(str::parse::<Prefix>)
                .transpose()
                .map_err(invalid)?,
        })
    }

    /// The place, once who writes there is signed in and whose it is is known.
    async fn place(self, finder: &Finder<'_>, mask: &Mask) -> Result<MaskPlace, CommandError> {
        let (bucket, prefix) = match self {
            Self::Directory(path) => return Ok(MaskPlace::Directory(path)),
            Self::Bucket { bucket, prefix } => (bucket, prefix),
        };
        let work = finder.work;
        if work.account(Side::Source).is_none() {
            finder.sign_in().await?;
        }
        let owner = match (&mask.destination.owner, &mask.destination.sign_in) {
            (Some(owner), _) => owner.clone(),
            (None, Some(how)) => {
                prove(work, Side::Destination, how, finder.report).await?;
                work.account(Side::Destination).ok_or_else(unknown_owner)?
            }
            (None, None) => return Err(unknown_owner()),
        };
        Ok(MaskPlace::Bucket {
            bucket,
            owner,
            prefix: prefix.map(|prefix| prefix.to_string()),
            encryption: mask.encryption.clone(),
        })
    }
}

fn unknown_owner() -> CommandError {
    CommandError::usage("the plan does not say whose the destination's bucket is")
        .hint("add `owner = \"…\"` or `profile = \"…\"` to [destination]")
}

async fn mask_one(
    work: &Work,
    args: &MaskArgs,
    request: &MaskRequest,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let not_read = |error: ArchiveError| CommandError::from(&error);
    let prepared = work.prepare_mask(request, cancel).await.map_err(not_read)?;
    announce(request, &prepared, report);
    let agreed = agree(work, args, request, &prepared, cancel).await;
    agreed.map_err(|refused| refused.line("nothing was masked"))?;
    let (sender, mut events) = mpsc::unbounded_channel();
    let masking = work.mask_archive(prepared, &sender, cancel);
    let mut masking = std::pin::pin!(masking);
    let masked = loop {
        tokio::select! {
            biased;
            Some(event) = events.recv() => tell_event(event, report),
            masked = &mut masking => break masked,
        }
    };
    report.stop_bar();
    let masked = masked.map_err(not_read)?;
    tell(&masked.read, report);
    Ok(conclude(&masked, report))
}

fn announce(request: &MaskRequest, prepared: &PreparedMask, report: &Report) {
    let (from, to) = (prepared.source(), prepared.place());
    report.line(&format!("masking  {from} into {to}"));
    for rule in &request.mask.rules {
        report.line(&format!("  {} as {}", rule.path, rule.method.as_str()));
    }
    if prepared.is_resumed() {
        report.line("it was begun before, and is gone on with");
    }
    report.object(&json!({
        "event": "masking",
        "schema": SCHEMA,
        "source": from,
        "place": to,
        "resumed": prepared.is_resumed(),
    }));
}

/// Asks before a bucket is written to, and for the names of the production accounts that are concerned: the
/// table's, whose items are read, and the bucket's.
async fn agree(
    work: &Work,
    args: &MaskArgs,
    request: &MaskRequest,
    prepared: &PreparedMask,
    cancel: &CancellationToken,
) -> Result<(), CommandError> {
    let table = prepared.account();
    let consent = Consent {
        work,
        cancel,
        is_given: args.yes || !std::io::stdin().is_terminal(),
        names: &args.production,
    };
    match &request.to {
        MaskPlace::Directory(_) => match work.name_to_type(&table) {
            Some(name) => consent.to_read(name).await,
            None => Ok(()),
        },
        MaskPlace::Bucket { owner, .. } => {
            let accounts: Vec<&AccountId> = table.iter().chain([owner]).collect();
            let (files, bytes) = prepared.size();
            let bytes = bytesize::ByteSize(bytes);
            let place = prepared.place();
            let question =
                format!("write {files} masked files, made of {bytes}, into {place} of {owner}");
            consent.to(&question, args.yes, &accounts).await
        }
    }
}

fn conclude(masked: &MaskReport, report: &Report) -> Exit {
    let place = &masked.place;
    for rule in &masked.rules {
        report.line(&format!("rule     {}", rule_words(rule)));
    }
    let found = exit_of(&masked.read);
    let exit = match (masked.is_complete, found) {
        (true, _) => Exit::Done,
        (false, Exit::Done) => Exit::Undecided,
        (false, found) => found,
    };
    report.line(&if masked.is_complete {
        format!(
            "masked   {} items into {place}; `tableferry verify {place} --deep` reads them again",
            masked.items
        )
    } else {
        format!("not masked: {place} has no manifests, and nothing of it counts")
    });
    report.object(&json!({
        "event": "masked",
        "schema": SCHEMA,
        "place": place,
        "complete": masked.is_complete,
        "items": masked.items,
        "rules": masked.rules.iter().map(rule_object).collect::<Vec<_>>(),
    }));
    exit
}

fn rule_words(rule: &RuleReport) -> String {
    let counts = &rule.counts;
    let RuleReport { path, method, .. } = rule;
    let mut words = match counts.values {
        0 => format!("{path} as {method}: no item has it"),
        values => format!("{path} as {method}: {values} values"),
    };
    let details = [
        (counts.hashed, "hashed, since the method does not fit them"),
        (counts.unexpected, "of a type that was not expected"),
        (
            counts.copies,
            "stand elsewhere in their items, too, not masked",
        ),
    ];
    let told = details.iter().filter(|(count, _)| *count > 0);
    words.extend(told.map(|(count, what)| format!(", {count} {what}")));
    words
}

fn rule_object(rule: &RuleReport) -> Value {
    json!({
        "path": rule.path,
        "as": rule.method,
        "values": rule.counts.values,
        "hashed": rule.counts.hashed,
        "unexpected": rule.counts.unexpected,
        "copies": rule.counts.copies,
    })
}
