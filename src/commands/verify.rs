//! `tableferry verify ARCHIVE`: whether an export's files are what was exported, wherever they lie.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::report::Report;
use super::sign_in::{prove, prove_both};
use crate::archive::audit::{Fault, Knowledge, Note};
use crate::archive::line::KeySchema;
use crate::archive::manifest::Summary;
use crate::args::VerifyArgs;
use crate::aws::failure::{Failure, FailureKind};
use crate::job::{Plan, SignIn, Span};
use crate::journal::{RunId, RunRecord, Stage};
use crate::work::{
    ArchiveError, ArchiveEvent, ArchivePlace, ArchiveReport, ArchiveRequest, Side, Work,
};
use tableferry_policy::arn::{Arn, BucketName};

/// The version of the JSON report.
const SCHEMA: u32 = 1;

/// What is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Run(RunId),
    Export(Arn),
    Bucket { bucket: BucketName, folder: String },
    Directory(PathBuf),
}

impl Target {
    /// A number is a run; a directory named like one is `./3`.
    fn parse(text: &str) -> Result<Self, String> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = text
                .parse()
                .map_err(|_| format!("there is no run {text}"))?;
            return Ok(Self::Run(RunId(number)));
        }
        if text.starts_with("arn:") {
            let arn: Arn = text.parse().map_err(|error| format!("{text}: {error}"))?;
            return if text.contains("/export/") {
                Ok(Self::Export(arn))
            } else {
                Err(format!("{text} is not the ARN of an export"))
            };
        }
        let Some(place) = text.strip_prefix("s3://") else {
            return Ok(Self::Directory(PathBuf::from(text)));
        };
        let (bucket, folder) = place.split_once('/').unwrap_or((place, ""));
        let bucket = bucket.parse().map_err(|error| format!("{text}: {error}"))?;
        let folder = folder
            .strip_suffix("manifest-summary.json")
            .unwrap_or(folder)
            .trim_end_matches('/');
        if folder.is_empty() {
            return Err(format!(
                "{text} names no export: give its folder, s3://BUCKET/PREFIX/AWSDynamoDB/EXPORT-ID"
            ));
        }
        Ok(Self::Bucket {
            bucket,
            folder: format!("{folder}/"),
        })
    }
}

/// Verifies what is named.
pub async fn verify(work: &Work, args: &VerifyArgs, cancel: CancellationToken) -> Exit {
    let report = Report::new(args.output.output);
    let exit = match Target::parse(&args.archive) {
        Ok(target) => verify_target(work, args, target, &cancel, &report).await,
        Err(problem) => {
            report.error(&problem, None);
            Exit::Usage
        }
    };
    report.object(&json!({"event": "finished", "schema": SCHEMA, "exit": exit as u8}));
    report.exit(exit)
}

async fn verify_target(
    work: &Work,
    args: &VerifyArgs,
    target: Target,
    cancel: &CancellationToken,
    report: &Report,
) -> Exit {
    let keys = (!args.key.is_empty()).then(|| KeySchema::new(args.key.clone()));
    let keys = match keys.transpose() {
        Ok(keys) => keys,
        Err(error) => {
            report.error(&error.to_string(), None);
            return Exit::Usage;
        }
    };
    let verification = Verification {
        work,
        args,
        keys,
        cancel,
        report,
    };
    match target {
        Target::Run(id) => verification.run(id).await,
        Target::Export(arn) => verification.export(&arn).await,
        Target::Bucket { bucket, folder } => verification.folder(bucket, folder).await,
        Target::Directory(path) => {
            let place = ArchivePlace::Directory(path);
            verification.archive(place, None, None).await
        }
    }
}

/// One call of the command.
struct Verification<'v> {
    work: &'v Work,
    args: &'v VerifyArgs,
    keys: Option<KeySchema>,
    cancel: &'v CancellationToken,
    report: &'v Report,
}

impl Verification<'_> {
    /// The completed exports of a run.
    async fn run(&self, id: RunId) -> Exit {
        let run = match self.work.run(id) {
            Ok(Some(run)) => run,
            Ok(None) => {
                let hint = "`tableferry exports` lists the runs; a directory of this name is ./";
                let told = format!("the journal has no run {id}");
                self.report.error(&told, Some(&format!("{hint}{id}")));
                return Exit::Usage;
            }
            Err(error) => {
                self.report.error(&error.to_string(), Some(&error.hint()));
                return Exit::Refused;
            }
        };
        if let Err(exit) = self.sign_in_for(&run).await {
            return exit;
        }
        let mut worst = Exit::Done;
        for operation in &run.operations {
            let Some(export) = operation.to_export() else {
                continue;
            };
            let name = operation.name();
            if operation.stage != Stage::Completed {
                let told = format!(
                    "{name}: the export is not complete: {}",
                    operation.stage.as_str()
                );
                let hint = format!("`tableferry resume {id}` goes on with it");
                self.report.error(&told, Some(&hint));
                worst = worse(worst, Exit::CutOff);
                continue;
            }
            let exit = if let Some(place) = self.work.archive_of(&export) {
                let is_filtered = Some(export.request.filter.is_some());
                self.archive(place, operation.arn.clone(), is_filtered)
                    .await
            } else {
                let told = format!("{name}: the journal does not tell where its manifest lies");
                self.report
                    .error(&told, Some("name the export by its s3:// folder"));
                Exit::Undecided
            };
            worst = worse(worst, exit);
        }
        worst
    }

    async fn sign_in_for(&self, run: &RunRecord) -> Result<(), Exit> {
        if self.args.profile.is_some() {
            return self.sign_in().await;
        }
        let name = format!("the plan of run {}", run.id);
        let plan = Plan::parse(&run.plan, &name, Timestamp::now()).map_err(|violations| {
            self.report.error(&violations.to_string(), None);
            Exit::Usage
        })?;
        prove_both(self.work, &plan, self.report).await
    }

    /// Signs in as the profile that is named, or the one that `AWS_PROFILE` chooses.
    async fn sign_in(&self) -> Result<(), Exit> {
        let named = self.args.profile.clone();
        let Some(profile) = named.or_else(|| self.work.profiles().chosen) else {
            self.report.error(
                "no profile is named that could read the archive",
                Some("give --profile NAME, or set AWS_PROFILE; `tableferry profiles` lists them"),
            );
            return Err(Exit::Usage);
        };
        let how = SignIn {
            profile,
            ..SignIn::default()
        };
        prove(self.work, Side::Destination, &how, self.report).await
    }

    /// An export by its ARN.
    async fn export(&self, arn: &Arn) -> Exit {
        if let Err(exit) = self.sign_in().await {
            return exit;
        }
        match self.work.described_archive(Side::Destination, arn).await {
            Ok((place, is_filtered)) => {
                self.archive(place, Some(arn.to_string()), Some(is_filtered))
                    .await
            }
            Err(error) => self.not_verified(&error),
        }
    }

    /// A folder of a bucket.
    async fn folder(&self, bucket: BucketName, folder: String) -> Exit {
        if let Err(exit) = self.sign_in().await {
            return exit;
        }
        let place = ArchivePlace::Bucket {
            side: Side::Destination,
            bucket,
            owner: self.args.bucket_owner.clone(),
            folder,
        };
        self.archive(place, None, None).await
    }

    async fn archive(
        &self,
        place: ArchivePlace,
        export_arn: Option<String>,
        is_filtered: Option<bool>,
    ) -> Exit {
        let request = ArchiveRequest {
            place,
            is_deep: self.args.deep,
            knowledge: Knowledge {
                keys: self.keys.clone(),
                is_filtered,
            },
            export_arn,
        };
        let (sender, mut events) = mpsc::unbounded_channel();
        let verifying = self.work.verify_archive(&request, &sender, self.cancel);
        let mut verifying = std::pin::pin!(verifying);
        let verified = loop {
            tokio::select! {
                biased;
                Some(event) = events.recv() => self.event(event),
                verified = &mut verifying => break verified,
            }
        };
        self.report.stop_bar();
        match verified {
            Ok(found) => {
                self.tell(&found);
                exit_of(&found)
            }
            Err(error) => self.not_verified(&error),
        }
    }

    fn event(&self, event: ArchiveEvent) {
        match event {
            ArchiveEvent::Estimated {
                files,
                bytes,
                requests,
            } => {
                let calls = match requests {
                    0 => String::new(),
                    requests => format!(", by {requests} downloads or more"),
                };
                self.report.line(&format!(
                    "reading {files} files, {}{calls}",
                    bytesize::ByteSize(bytes)
                ));
                self.report.object(&json!({
                    "event": "estimated", "files": files, "bytes": bytes, "requests": requests,
                }));
                self.report.start_bytes_bar(bytes);
            }
            ArchiveEvent::Read { bytes, .. } => self.report.set_bytes(bytes),
        }
    }

    fn not_verified(&self, error: &ArchiveError) -> Exit {
        let (exit, hint) = advice(error);
        self.report.error(&error.to_string(), hint.as_deref());
        exit
    }

    /// Prints what was found.
    fn tell(&self, found: &ArchiveReport) {
        self.report.object(&archive_object(found));
        let line = |text: String| self.report.line(&text);
        line(format!("archive  {}", found.place));
        if let Some(summary) = &found.summary {
            line(format!("export   {}", summary.export_arn));
            line(format!(
                "table    {}{}",
                summary.table_arn,
                span_words(summary)
            ));
        }
        for fault in &found.audit.faults {
            line(format!("fault    {}", fault_words(fault)));
        }
        for note in &found.audit.notes {
            line(format!("note     {note}"));
        }
        line(conclusion(found));
    }
}

fn fault_words(fault: &Fault) -> String {
    let place = [
        fault.file.clone(),
        fault.line.map(|line| format!("line {line}")),
        fault.path(),
    ];
    let place: Vec<String> = place.into_iter().flatten().collect();
    if place.is_empty() {
        fault.kind.to_string()
    } else {
        format!("{}: {}", place.join(", "), fault.kind)
    }
}

fn span_words(summary: &Summary) -> String {
    match &summary.span {
        Some(Span::Full { time: Some(time) }) => format!(", as of {time}"),
        Some(Span::Incremental { from, to, .. }) => format!(", changes from {from} to {to}"),
        _ => String::new(),
    }
}

fn conclusion(found: &ArchiveReport) -> String {
    let audit = &found.audit;
    let files = format!("{} files, {}", audit.files, bytesize::ByteSize(audit.bytes));
    match (exit_of(found), audit.lines) {
        (Exit::Failed, _) => format!("damaged: {} faults in {files}", audit.faults.len()),
        (Exit::Done, Some(lines)) => {
            format!("whole: every byte of {files} was read, with {lines} items")
        }
        (Exit::Done, None) => format!(
            "whole as far as manifests and {} tell: {files}, {} items; --deep reads every byte",
            if found.place.starts_with("s3://") {
                "ETags"
            } else {
                "names"
            },
            audit.items
        ),
        _ => format!("undecided: {files}; the notes say what is open"),
    }
}

fn exit_of(found: &ArchiveReport) -> Exit {
    if !found.audit.faults.is_empty() {
        Exit::Failed
    } else if found.audit.is_open() {
        Exit::Undecided
    } else {
        Exit::Done
    }
}

fn archive_object(found: &ArchiveReport) -> Value {
    let audit = &found.audit;
    let verdict = match exit_of(found) {
        Exit::Failed => "damaged",
        Exit::Done => "whole",
        _ => "undecided",
    };
    json!({
        "event": "archive",
        "schema": SCHEMA,
        "place": found.place,
        "export_arn": found.summary.as_ref().map(|summary| &summary.export_arn),
        "table_arn": found.summary.as_ref().map(|summary| &summary.table_arn),
        "deep": found.is_deep,
        "verdict": verdict,
        "files": audit.files,
        "bytes": audit.bytes,
        "items": audit.items,
        "lines": audit.lines,
        "unpacked_bytes": audit.unpacked_bytes,
        "faults": audit.faults.iter().map(fault_object).collect::<Vec<_>>(),
        "notes": audit.notes.iter().map(note_object).collect::<Vec<_>>(),
    })
}

fn fault_object(fault: &Fault) -> Value {
    json!({
        "kind": fault.kind.as_str(),
        "file": fault.file,
        "line": fault.line,
        "path": fault.path(),
        "message": fault.kind.to_string(),
    })
}

fn note_object(note: &Note) -> Value {
    json!({"kind": note.as_str(), "open": note.is_open(), "message": note.to_string()})
}

/// The exit status of an archive that was not verified, and what to do.
fn advice(error: &ArchiveError) -> (Exit, Option<String>) {
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
        ArchiveError::CutOff => (Exit::CutOff, say("run it again: nothing was changed")),
        ArchiveError::NotSignedIn(_) => (Exit::CutOff, None),
        ArchiveError::Unreadable { .. } => (Exit::Undecided, None),
        ArchiveError::Call(failure) => call_advice(failure),
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

/// The one of two exit statuses that asks for more.
fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit| match exit {
        Exit::Failed => 0,
        Exit::CutOff => 1,
        Exit::Usage => 2,
        Exit::Refused => 3,
        Exit::Undecided => 4,
        Exit::Done => 5,
    };
    if rank(other) < rank(one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_told_by_its_form() {
        let bucket = |folder: &str| Target::Bucket {
            bucket: "export-landing".parse().unwrap(),
            folder: folder.to_owned(),
        };
        assert_eq!(Target::parse("3"), Ok(Target::Run(RunId(3))));
        assert_eq!(Target::parse("./3"), Ok(Target::Directory("./3".into())));
        assert_eq!(Target::parse("3a"), Ok(Target::Directory("3a".into())));
        let folder = "p/AWSDynamoDB/01693685827463-2d8752fd/";
        for end in ["", "/", "/manifest-summary.json"] {
            let text = format!("s3://export-landing/{}{end}", folder.trim_end_matches('/'));
            assert_eq!(Target::parse(&text), Ok(bucket(folder)), "{text}");
        }
        let arn =
            "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders/export/01693685827463-2d8752fd";
        assert_eq!(Target::parse(arn), Ok(Target::Export(arn.parse().unwrap())));
        for wrong in [
            "s3://export-landing",
            "s3://export-landing/",
            "s3://x/y",
            "arn:aws:dynamodb:eu-west-1:111111111111:table/Orders",
            "arn:nothing",
            "99999999999999999999999999",
        ] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }
}
