//! `tableferry explain`: what refused or failed in a text, a log or a CloudTrail file, and what to do.
//! Offline: from the text alone, or with the assessment of a plan by facts that were read before. `live`
//! explains what needs the journal or the accounts.

mod live;

pub(super) use self::live::explain as explain_live;

use std::io::{self, BufReader, IsTerminal as _, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use serde_json::json;

use super::error::CommandError;
use super::facts_file::read_facts_file;
use super::plan_file::read_plan;
use super::report::Report;
use super::{Exit, open, output};
use crate::args::{ExplainArgs, Global, Output};
use crate::assess::assessment::Assessment;
use crate::assess::verdict::{AssessedRequirement, Verdict};
use crate::diagnosis::catalogue::Certainty;
use crate::diagnosis::group::{ErrorGroup, ErrorGroups};
use crate::diagnosis::scan::{ScanSummary, scan};
use crate::diagnosis::words::{SCHEMA, describe, to_json};
use crate::diagnosis::{Circumstances, ReportedError, assessed};
use crate::regular_file;

/// What is explained, by its source.
enum Input {
    Text(String),
    Stream(Box<dyn Read>),
}

/// Explains what the arguments name.
pub(super) fn run(
    args: &ExplainArgs,
    global: &Global,
    report: &Report,
) -> Result<Exit, CommandError> {
    let assessment = assess(args, global, report)?;
    explain_input(args, assessment.as_ref())
}

/// Explains a text, a file or standard input, with the assessment of the plan that its errors are of.
fn explain_input(
    args: &ExplainArgs,
    assessment: Option<&Assessment>,
) -> Result<Exit, CommandError> {
    let mut groups = ErrorGroups::default();
    let (input, is_text) = match input(&args.what)? {
        Input::Text(text) => (Box::new(io::Cursor::new(text)) as Box<dyn Read>, true),
        Input::Stream(stream) => (stream, false),
    };
    let summary = explain(input, &mut groups, assessment)?;
    if is_text && groups.sorted().is_empty() && is_like_a_path(&args.what) {
        return Err(CommandError::usage(format!(
            "there is no file {}, and as a text it tells of no error",
            args.what.join(" ")
        )));
    }
    match args.output.output {
        Output::Text => write_words(&groups, summary, assessment)?,
        Output::Json => output::write_value(&json_of(&groups, summary, assessment))?,
    }
    Ok(exit_of(&groups))
}

/// The assessment of the plan that the errors are of, by the facts of a file.
fn assess(
    args: &ExplainArgs,
    global: &Global,
    report: &Report,
) -> Result<Option<Assessment>, CommandError> {
    let Some(plan) = &args.plan else {
        return Ok(None);
    };
    let limits = open::limits(global)?;
    let plan = read_plan(plan)?;
    let (plan, facts) = read_facts_file(&args.facts, &plan, report)?;
    Ok(Some(Assessment::of(
        &plan,
        facts,
        &limits,
        Timestamp::now(),
    )))
}

/// Reads the errors of an input, unpacked where it is gzip.
fn explain(
    input: impl Read + 'static,
    groups: &mut ErrorGroups,
    assessment: Option<&Assessment>,
) -> Result<ScanSummary, CommandError> {
    let mut input = input;
    let mut head = Vec::new();
    input.by_ref().take(2).read_to_end(&mut head)?;
    let is_packed = head == [0x1f, 0x8b];
    let whole = io::Cursor::new(head).chain(input);
    let known = |error: &ReportedError| match assessment {
        Some(assessment) => assessed::circumstances(error, assessment),
        None => Circumstances::of_text(error),
    };
    let add = |found| groups.add(found, known);
    let summary = if is_packed {
        scan(MultiGzDecoder::new(BufReader::new(whole)), add)
    } else {
        scan(whole, add)
    };
    summary.map_err(|error| {
        CommandError::usage("the input could not be read to its end").because(error)
    })
}

/// A file where there is one of this name; standard input for `-` or nothing; a text otherwise.
fn input(what: &[String]) -> Result<Input, CommandError> {
    let standard = || Input::Stream(Box::new(io::stdin()));
    match what {
        [] if io::stdin().is_terminal() => Err(CommandError::usage("nothing to explain")
            .hint("give a message in quotes, a file, or a log on standard input")),
        [] => Ok(standard()),
        [one] if one == "-" => Ok(standard()),
        [one] if Path::new(one).exists() => {
            let path = Path::new(one);
            let file = regular_file::open(path).map_err(|error| {
                CommandError::usage(format!("cannot read {one}")).because(error)
            })?;
            Ok(Input::Stream(Box::new(file)))
        }
        words => Ok(Input::Text(words.join(" "))),
    }
}

/// Whether what was given was meant as a file: one word with a dot or a slash.
fn is_like_a_path(what: &[String]) -> bool {
    match what {
        [one] => !one.contains(char::is_whitespace) && one.contains(['/', '.']),
        _ => false,
    }
}

/// 5 where something is not known for certain or likely; 0 otherwise.
fn exit_of(groups: &ErrorGroups) -> Exit {
    let is_open = groups.sorted().iter().any(|group| {
        let first = group.diagnosis.candidates.first();
        first.is_none_or(|first| first.certainty == Certainty::Possible)
    });
    if is_open { Exit::Undecided } else { Exit::Done }
}

/// What the plan's assessment denies, the next refusals among it.
fn refused_by_plan(assessment: &Assessment) -> impl Iterator<Item = &AssessedRequirement> {
    let denied = |found: &&AssessedRequirement| found.outcome == Verdict::Denied;
    assessment.requirements.iter().filter(denied)
}

fn write_assessment(
    groups: &ErrorGroups,
    assessment: &Assessment,
    mut out: impl Write,
) -> io::Result<()> {
    let is_of_plan = |group: &&ErrorGroup| assessed::is_of_plan(&group.error, assessment);
    let others = groups
        .sorted()
        .iter()
        .filter(|group| !is_of_plan(group))
        .count();
    if others > 0 {
        writeln!(
            out,
            "{others} kinds are of another caller or bucket than the plan's: its facts say nothing of them"
        )?;
    }
    let refused: Vec<&AssessedRequirement> = refused_by_plan(assessment).collect();
    if refused.is_empty() {
        return writeln!(
            out,
            "By the facts nothing of the plan is denied now: it was changed since, or what was not read denies it"
        );
    }
    writeln!(
        out,
        "By the facts the plan is refused, one after the other, for:"
    )?;
    for found in refused {
        writeln!(out, "  {}: {}", found.requirement, found.explanation)?;
    }
    Ok(())
}

fn write_words(
    groups: &ErrorGroups,
    summary: ScanSummary,
    assessment: Option<&Assessment>,
) -> io::Result<()> {
    let mut out = output::words();
    let kinds = groups.sorted();
    for (number, group) in kinds.iter().enumerate() {
        writeln!(out, "{}. {}", number + 1, describe(group))?;
    }
    if let Some(assessment) = assessment {
        write_assessment(groups, assessment, &mut out)?;
    }
    let refusals = kinds.iter().filter(|group| group.diagnosis.is_refusal());
    let (mut count, mut refused) = (0, 0);
    for group in refusals {
        count += group.count;
        refused += 1;
    }
    let others: u64 = kinds.iter().map(|group| group.count).sum::<u64>() - count;
    let several = |count: u64, one: &str, more: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {more}"),
    };
    let kinds_of =
        |count: usize| several(u64::try_from(count).unwrap_or(u64::MAX), "kind", "kinds");
    writeln!(
        out,
        "{} read: {} of {}, {} of {}",
        several(summary.lines, "line", "lines"),
        several(count, "refusal", "refusals"),
        kinds_of(refused),
        several(others, "other error", "other errors"),
        kinds_of(kinds.len() - refused)
    )?;
    if groups.beyond() > 0 {
        writeln!(
            out,
            "{} errors of further kinds are not shown",
            groups.beyond()
        )?;
    }
    if kinds.is_empty() {
        writeln!(
            out,
            "No error of AWS is told of here. If there is one, give more of what the tool printed: the \
             lines around it, or its output with --debug."
        )?;
    }
    match out.flush() {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

fn json_of(
    groups: &ErrorGroups,
    summary: ScanSummary,
    assessment: Option<&Assessment>,
) -> serde_json::Value {
    let mut object = json!({
        "schema": SCHEMA,
        "bytes": summary.bytes,
        "lines": summary.lines,
        "errors": groups.sorted().into_iter().map(to_json).collect::<Vec<_>>(),
        "errors_not_shown": groups.beyond(),
    });
    if let Some(assessment) = assessment {
        object["refused_by_plan"] = assessment_json(assessment);
    }
    object
}

/// What the plan's assessment denies, for programs.
fn assessment_json(assessment: &Assessment) -> serde_json::Value {
    let refused = refused_by_plan(assessment).map(|found| {
        json!({"requirement": found.requirement.to_string(), "explanation": found.explanation})
    });
    refused.collect()
}
