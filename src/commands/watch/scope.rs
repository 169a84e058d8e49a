//! Which runs and accounts are watched, and who asks: by the arguments, the journal, and the profiles.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::args::WatchArgs;
use crate::commands::Exit;
use crate::commands::error::CommandError;
use crate::commands::report::Report;
use crate::commands::resume::sign_in_for;
use crate::commands::sign_in::prove;
use crate::job::{Plan, SignIn};
use crate::journal::{RunId, RunRecord};
use crate::work::{Side, WatchedExports, Work};
use tableferry_policy::arn::{Arn, Region};

/// Something to watch, signed in.
pub(super) struct WatchScope {
    pub(super) work: Work,
    pub(super) kind: ScopeKind,
}

/// What is watched.
pub(super) enum ScopeKind {
    /// A run of the journal.
    Run(RunId),
    /// Exports of an account in a Region.
    Account(WatchedExports),
}

/// Finds out what is watched.
struct Scopes<'a> {
    work: &'a Work,
    cancel: &'a CancellationToken,
    report: &'a Report,
    found: Vec<WatchScope>,
    /// The accounts and Regions that are watched as a whole already.
    watched: BTreeSet<(String, Region)>,
    /// How it ends for those that cannot be signed in to.
    exit: Exit,
}

/// What the arguments name, each signed in, and how the command ends for what could not be.
pub(super) async fn scopes(
    work: &Work,
    args: &WatchArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<(Vec<WatchScope>, Exit), CommandError> {
    let runs = work.runs()?;
    let mut scopes = Scopes {
        work,
        cancel,
        report,
        found: Vec::new(),
        watched: BTreeSet::new(),
        exit: Exit::Done,
    };
    let is_of_journal = args.exports.is_empty() && args.accounts.is_empty();
    if is_of_journal || args.all {
        // What is written here goes on while its own program does it, and is no service's to watch.
        let open = runs
            .iter()
            .filter(|run| run.is_open() && !run.is_written_here());
        for run in open {
            scopes.add_run(run).await;
        }
    }
    if !args.exports.is_empty() {
        scopes.add_exports(args, &runs).await?;
    }
    let except = arns_under_way(&runs);
    for profile in &args.accounts {
        let regions: Vec<Option<Region>> = match args.regions.as_slice() {
            [] => vec![None],
            regions => regions.iter().cloned().map(Some).collect(),
        };
        for region in regions {
            let how = SignIn {
                profile: profile.clone(),
                region,
                ..SignIn::default()
            };
            // Those of the journal are not followed beside it.
            let except = if args.all {
                except.clone()
            } else {
                BTreeSet::new()
            };
            scopes.add_account(how, except).await;
        }
    }
    if args.all {
        for how in sources(&runs) {
            scopes.add_account(how, except.clone()).await;
        }
    }
    if cancel.is_cancelled() {
        return Err(CommandError::cut_off());
    }
    Ok((scopes.found, scopes.exit))
}

impl Scopes<'_> {
    /// A run of the journal, both sides signed in as its plan says.
    async fn add_run(&mut self, run: &RunRecord) {
        let own = self.work.with_own_sessions();
        match sign_in_for(&own, run, self.cancel, self.report).await {
            Ok(()) => self.found.push(WatchScope {
                work: own,
                kind: ScopeKind::Run(run.id),
            }),
            Err(error) => self.exit = self.exit.worse(self.report.settle(Err(error))),
        }
    }

    /// All that is under way in an account and Region.
    async fn add_account(&mut self, how: SignIn, except: BTreeSet<String>) {
        let own = self.work.with_own_sessions();
        let Some(identified) = self.sign_in(&own, &how).await else {
            return;
        };
        if !self.watched.insert(identified) {
            return;
        }
        self.found.push(WatchScope {
            work: own,
            kind: ScopeKind::Account(WatchedExports::UnderWay {
                except,
                is_endless: false,
            }),
        });
    }

    async fn sign_in(&mut self, own: &Work, how: &SignIn) -> Option<(String, Region)> {
        let proved = tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(CommandError::cut_off()),
            proved = prove(own, Side::Source, how, self.report) => proved,
        };
        if let Err(error) = proved {
            self.exit = self.exit.worse(self.report.settle(Err(error)));
            return None;
        }
        let identified = own.identified(Side::Source)?;
        Some((identified.identity.account.to_string(), identified.region))
    }

    /// Exports that are named, each as the source of the run that started it, or as the profile.
    async fn add_exports(
        &mut self,
        args: &WatchArgs,
        runs: &[RunRecord],
    ) -> Result<(), CommandError> {
        let mut by_source: BTreeMap<String, (SignIn, Vec<Arn>)> = BTreeMap::new();
        for arn in &args.exports {
            if !arn.resource.contains("/export/") {
                return Err(
                    CommandError::usage(format!("{arn} is not the ARN of an export")).hint(
                        "an export's ARN is arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/export/ID",
                    ),
                );
            }
            let how = match &args.profile {
                Some(profile) => named(profile),
                None => match source_of(arn, runs) {
                    Some(how) => how,
                    None => self.chosen()?,
                },
            };
            let entry = by_source.entry(format!("{how:?}"));
            entry
                .or_insert_with(|| (how, Vec::new()))
                .1
                .push(arn.clone());
        }
        for (how, arns) in by_source.into_values() {
            let own = self.work.with_own_sessions();
            let Some((account, _)) = self.sign_in(&own, &how).await else {
                continue;
            };
            if let Some(other) = arns.iter().find(|arn| arn.account != account) {
                return Err(CommandError::usage(format!(
                    "{other} is of account {}, and profile {} is signed in to {account}",
                    other.account, how.profile
                ))
                .hint(
                    "DescribeExport answers the table's own account alone: give --profile NAME of that \
                     account",
                ));
            }
            self.found.push(WatchScope {
                work: own,
                kind: ScopeKind::Account(WatchedExports::These(arns)),
            });
        }
        Ok(())
    }

    /// The profile that `AWS_PROFILE` chooses.
    fn chosen(&self) -> Result<SignIn, CommandError> {
        let chosen = self.work.profiles().chosen;
        chosen.map(|profile| named(&profile)).ok_or_else(|| {
            CommandError::usage("no profile is named that could ask after the export")
                .hint("give --profile NAME, or set AWS_PROFILE; `tableferry profiles` lists them")
        })
    }
}

fn named(profile: &str) -> SignIn {
    SignIn {
        profile: profile.to_owned(),
        ..SignIn::default()
    }
}

/// The ARNs of the journal's exports that are under way.
fn arns_under_way(runs: &[RunRecord]) -> BTreeSet<String> {
    let operations = runs.iter().flat_map(|run| &run.operations);
    let open = operations.filter(|operation| operation.is_open());
    open.filter_map(|operation| operation.arn.clone()).collect()
}

/// How the source of the run signs in that started an export.
fn source_of(arn: &Arn, runs: &[RunRecord]) -> Option<SignIn> {
    let arn = arn.to_string();
    let run = runs.iter().find(|run| {
        let mut operations = run.operations.iter();
        operations.any(|operation| operation.arn.as_deref() == Some(arn.as_str()))
    })?;
    source(run)
}

fn source(run: &RunRecord) -> Option<SignIn> {
    let plan = Plan::parse(&run.plan, "the plan", Timestamp::now()).ok()?;
    Some(plan.source.sign_in)
}

/// How the sources of all runs sign in, each once.
fn sources(runs: &[RunRecord]) -> Vec<SignIn> {
    let mut found: Vec<SignIn> = Vec::new();
    for how in runs.iter().filter_map(source) {
        if !found.contains(&how) {
            found.push(how);
        }
    }
    found
}
