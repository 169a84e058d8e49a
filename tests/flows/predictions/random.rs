//! Worlds made at random: what `check` says beforehand is what the sandbox does.
//!
//! - If it says that the export is allowed, and what it assumes of what nobody could read is so, the
//!   export completes, however the sandbox plays what AWS leaves open.
//! - If it says that the export is denied, it fails, however that is played.
//! - If it says that it depends, on things that can be played, it completes for some and fails for
//!   others.
//! - If it says that it cannot tell, and that the start settles it, the start is refused at once, or the
//!   export completes. What a probe settles is in no doubt once a probe went through, and what reading
//!   settles is in none once the readings that it names are allowed.
//! - With the remedies carried out it completes, or it was said beforehand that they do not suffice.
//!
//! `WORLDS=n` makes n of them; `WORLD=seed` makes one, and tells about it.

pub(super) mod case;
mod remedy;
mod settled;
mod statements;
mod unread;
mod world;

use tableferry::assess::verdict::{AssessedRequirement, Requirement, SettledBy, Verdict};
use tableferry::job::requirement::Criticality;
use tableferry_policy::evaluate::Dependency;
use tableferry_sandbox::{AclContext, ExportAcl, ForwardedTransport, SourceAddress};

use crate::predictions::place::{self, Ending, Place};
use case::Case;

/// How many worlds are made where nobody says.
const USUAL: u64 = 160;

/// What `check` claims of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Completes,
    Fails,
    /// Both happen, for some values of what can be played.
    Varies,
    /// It is refused at once, or completes.
    Starts,
    /// Nothing that could be seen to be wrong.
    Open,
}

/// The values of the context keys that the sandbox can play.
const PLAYED: [&str; 5] = [
    "aws:SecureTransport",
    "aws:SourceIp",
    "s3:x-amz-acl",
    "aws:PrincipalTag/team",
    "aws:MultiFactorAuthPresent",
];

/// What verdicts come to.
pub(super) fn claim(case: &Case, verdicts: &[AssessedRequirement]) -> Claim {
    let job = || {
        verdicts
            .iter()
            .filter(|found| found.criticality == Criticality::Required)
    };
    if job().any(|found| found.outcome == Verdict::Denied) {
        return Claim::Fails;
    }
    let depending: Vec<(&AssessedRequirement, &Dependency)> = job()
        .filter_map(|found| match &found.outcome {
            Verdict::Depends { on, .. } => Some((found, on)),
            _ => None,
        })
        .collect();
    let is_clear = |found: &AssessedRequirement| match &found.outcome {
        Verdict::Allowed { assumed } => assumed.iter().all(|unread| case.holds(unread)),
        Verdict::Depends { unread, .. } => unread.is_empty(),
        _ => false,
    };
    let is_settled_by_start = |found: &AssessedRequirement| {
        matches!(
            &found.outcome,
            Verdict::Unknown {
                settled_by: SettledBy::Start,
                ..
            }
        )
    };
    if !job().all(is_clear) {
        let starts = |found| is_clear(found) || is_settled_by_start(found);
        return if depending.is_empty() && job().all(starts) {
            Claim::Starts
        } else {
            Claim::Open
        };
    }
    let Some((first, _)) = depending.first() else {
        return Claim::Completes;
    };
    // Two that depend may each be met by what spoils the other, and a user has no word about MFA.
    let is_one = depending
        .iter()
        .all(|(found, _)| found.deciding == first.deciding);
    let is_playable = |key: &str| {
        PLAYED.iter().any(|known| known.eq_ignore_ascii_case(key))
            && !(case.is_user() && key.contains("MultiFactor"))
    };
    // A call of the operator's own comes from the operator's address, and from no other.
    let is_own_call = |found: &AssessedRequirement| matches!(&found.requirement, Requirement::Permission(need) if need.action.starts_with("dynamodb:"));
    let can_be_played = depending.iter().all(|(found, on)| {
        on.names().iter().all(|key| {
            is_playable(key) && !(is_own_call(found) && key.eq_ignore_ascii_case("aws:SourceIp"))
        })
    });
    if is_one && can_be_played {
        Claim::Varies
    } else {
        Claim::Open
    }
}

/// How exports of a case end, in every way that they can be played.
pub(super) async fn endings(case: &Case, world: &serde_json::Value) -> Vec<(String, Ending)> {
    let text = world.to_string();
    let both = |is_asked: bool| {
        if is_asked {
            vec![false, true]
        } else {
            vec![false]
        }
    };
    let mut endings = Vec::new();
    for has_tag in both(text.contains("aws:PrincipalTag")) {
        for has_mfa in both(text.contains("aws:MultiFactor")) {
            let world = varied(case, world, has_tag, has_mfa);
            let plan = place::plan(&case.plan());
            endings.extend(
                play(&world, &plan)
                    .await
                    .into_iter()
                    .map(|(how, ending)| (format!("{how}, tag {has_tag}, MFA {has_mfa}"), ending)),
            );
        }
    }
    endings
}

/// The same world with another tag on the caller, and another way of signing in.
fn varied(
    case: &Case,
    world: &serde_json::Value,
    has_tag: bool,
    has_mfa: bool,
) -> serde_json::Value {
    let mut world = world.clone();
    if let Some(holder) = world.pointer_mut(&case.whereabouts().exporter)
        && has_tag
    {
        holder["tags"] = serde_json::json!({ "team": "data" });
    }
    for session in world["sessions"].as_object_mut().unwrap().values_mut() {
        session["has_mfa"] = has_mfa.into();
    }
    world
}

/// How exports of a plan end, for each address, each access control list, each context in which S3 may
/// ask for its permission, and with and without `aws:SecureTransport`.
pub(super) async fn play(
    world: &serde_json::Value,
    plan: &tableferry::job::Plan,
) -> Vec<(String, Ending)> {
    let place = Place::open(world, plan).await;
    let requests = place.requests(plan).await;
    let mut endings = Vec::new();
    let text = world.to_string();
    for address in [
        SourceAddress::Service,
        SourceAddress::Operator,
        SourceAddress::Absent,
    ] {
        for acl in [ExportAcl::BucketOwnerFullControl, ExportAcl::Absent] {
            let is_asked = (address == SourceAddress::Service || text.contains("aws:SourceIp"))
                && (acl == ExportAcl::BucketOwnerFullControl || text.contains("s3:x-amz-acl"));
            for context in [AclContext::Upload, AclContext::AclAlone] {
                let is_asked = is_asked
                    && (context == AclContext::Upload || text.contains("s3:x-amz-server-side"));
                for transport in [ForwardedTransport::Secure, ForwardedTransport::Absent] {
                    let is_asked = is_asked
                        && (transport == ForwardedTransport::Secure
                            || text.contains("aws:SecureTransport"));
                    if is_asked {
                        place.play_as(address, acl);
                        place.play_acl_context(context);
                        place.play_transport(transport);
                        let ending = place.send(&requests[0]).await;
                        let played = format!("{address:?}, {acl:?}, {context:?}, {transport:?}");
                        endings.push((played, ending));
                    }
                }
            }
        }
    }
    endings
}

/// What is wrong with a case, if anything; and what was claimed.
async fn fault(case: &Case) -> (Claim, Option<String>) {
    let plan = place::plan(&case.plan());
    let world = case.world();
    let facts = Place::open(&world, &plan).await.survey(&plan).await;
    let now = jiff::Timestamp::now();
    let verdicts = tableferry::assess::judge::judge(&plan, &facts, now);
    let claim = claim(case, &verdicts);
    let describe = || {
        let told = verdicts
            .iter()
            .filter(|found| found.criticality == Criticality::Required);
        told.map(|found| {
            format!(
                "{}: {} ({})",
                found.requirement,
                found.outcome.as_str(),
                found.explanation
            )
        })
        .collect::<Vec<_>>()
        .join("\n")
    };
    let endings = endings(case, &world).await;
    let completed = endings
        .iter()
        .filter(|(_, ending)| ending.is_completed())
        .count();
    let is_right = match claim {
        Claim::Completes => completed == endings.len(),
        Claim::Fails => completed == 0,
        Claim::Varies => completed > 0 && completed < endings.len(),
        Claim::Starts => endings
            .iter()
            .all(|(_, ending)| !matches!(ending, Ending::Failed { .. })),
        Claim::Open => true,
    };
    if !is_right {
        return (
            claim,
            Some(format!(
                "{claim:?} was claimed\n{}\n{endings:#?}",
                describe()
            )),
        );
    }
    let mut problem = remedy::line_fault(&plan, &facts, &verdicts, now);
    if problem.is_none() {
        problem = remedy::fault(case, &world, &plan, &facts, &verdicts, now).await;
    }
    if problem.is_none() {
        problem = settled::reading_fault(case, &verdicts).await;
    }
    if problem.is_none() {
        problem = settled::probe_fault(case, &verdicts, &endings).await;
    }
    (
        claim,
        problem.map(|problem| format!("{problem}\n{}", describe())),
    )
}

/// Takes out what does not matter to a fault.
async fn shrink(mut case: Case) -> Case {
    let mut at = 0;
    loop {
        let mut smaller = case.clone();
        if !drop_at(&mut smaller, at) {
            return case;
        }
        let is_smaller = smaller != case;
        if is_smaller && fault(&smaller).await.1.is_some() {
            case = smaller;
        } else {
            at += 1;
        }
    }
}

/// Takes out the statement or the condition at a place; whether there is such a place.
fn drop_at(case: &mut Case, mut at: usize) -> bool {
    for (list, least) in case.lists() {
        if at < list.len() {
            if list.len() > least {
                list.remove(at);
            }
            return true;
        }
        at -= list.len();
        for statement in list.iter_mut() {
            let keys = statement["Condition"]
                .as_object()
                .map(|block| block.keys().cloned().collect::<Vec<_>>());
            let Some(keys) = keys else { continue };
            if let Some(operator) = keys.get(at) {
                let block = statement["Condition"].as_object_mut().unwrap();
                block.remove(operator);
                if block.is_empty() {
                    statement.as_object_mut().unwrap().remove("Condition");
                }
                return true;
            }
            at -= keys.len();
        }
    }
    false
}

/// Judges the cases of some seeds; counts what was claimed.
async fn judge_seeds(seeds: impl Iterator<Item = u64>) -> ([usize; 5], Vec<String>) {
    let mut counts = [0; 5];
    let mut faults = Vec::new();
    for seed in seeds {
        let case = Case::of_seed(seed);
        let (claim, problem) = fault(&case).await;
        counts[claim as usize] += 1;
        if problem.is_some() {
            let small = shrink(case).await;
            let problem = fault(&small).await.1.unwrap_or_default();
            faults.push(format!("seed {seed}: {problem}\n{small}"));
            if faults.len() >= 5 {
                break;
            }
        }
    }
    (counts, faults)
}

#[test]
fn what_is_said_of_any_world_is_what_happens_in_it() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    if let Some(seed) = number("WORLD") {
        let (_, faults) = place::run(|| judge_seeds(seed..=seed));
        assert!(
            faults.is_empty(),
            "{}\n{}",
            faults.join("\n"),
            Case::of_seed(seed)
        );
        return;
    }
    let first = number("FIRST_WORLD").unwrap_or(0);
    let count = number("WORLDS").unwrap_or(USUAL);
    let halves = [0, 1].map(|half| {
        let seeds = (first..first + count).filter(move |seed| seed % 2 == half);
        std::thread::spawn(|| place::run(|| judge_seeds(seeds)))
    });
    let mut counts = [0; 5];
    let mut faults = Vec::new();
    for half in halves {
        let (counted, found) = half.join().unwrap();
        for (sum, more) in counts.iter_mut().zip(counted) {
            *sum += more;
        }
        faults.extend(found);
    }
    assert!(faults.is_empty(), "{counts:?}\n{}", faults.join("\n\n"));
    // Each claim is made often enough to say something; that only the start is unknown is rare.
    let is_rare = |claim: usize| claim == Claim::Starts as usize;
    let least = |claim| count / if is_rare(claim) { 250 } else { 60 };
    let mut claims = counts.iter().enumerate();
    assert!(
        claims.all(|(claim, made)| *made as u64 >= least(claim)),
        "{counts:?}"
    );
}
