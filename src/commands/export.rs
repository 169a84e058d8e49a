//! `tableferry export`: a plan that is written on the command line, and run like any other.

use jiff::Zoned;
use tokio_util::sync::CancellationToken;
use toml::{Table, Value};

use super::Exit;
use super::error::CommandError;
use super::plan_file::write_new_plan;
use super::report::Report;
use super::run::{TableChoice, may_start, run_plan};
use crate::args::{DataFormat, ExportArgs};
use crate::job::Plan;
use crate::work::Work;

/// Exports what the command line names.
pub(super) async fn export(
    work: &Work,
    args: &ExportArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    may_start(work, &args.start)?;
    // By the rules of a plan file.
    let text = plan_text(args).to_string();
    let plan = Plan::parse(&text, "the command line", Zoned::now())?;
    if let Some(path) = &args.save_plan {
        write_new_plan(&plan, path, "nothing was started")?;
    }
    run_plan(work, &args.start, (plan, TableChoice::All), cancel, report).await
}

fn plan_text(args: &ExportArgs) -> Table {
    let mut source = section([
        ("profile", Some(&args.from)),
        ("region", args.region.as_ref()),
    ]);
    let destination = section([
        ("profile", args.to.as_ref()),
        ("bucket", Some(&args.bucket)),
        ("owner", args.bucket_owner.as_ref()),
        ("prefix", args.prefix.as_ref()),
    ]);
    let tables = args
        .table
        .iter()
        .map(|name| Value::Table(entry(args, name)));
    let mut plan = Table::new();
    plan.insert("tables".to_owned(), Value::Array(tables.collect()));
    plan.insert(
        "source".to_owned(),
        Value::Table(std::mem::take(&mut source)),
    );
    plan.insert("destination".to_owned(), Value::Table(destination));
    if let Some(key) = &args.key {
        let algorithm = "KMS".to_owned();
        let encryption = section([("algorithm", Some(&algorithm)), ("key", Some(key))]);
        plan.insert("encryption".to_owned(), Value::Table(encryption));
    }
    plan
}

fn entry(args: &ExportArgs, name: &String) -> Table {
    let incremental = args
        .changes_from
        .as_ref()
        .map(|_| "INCREMENTAL_EXPORT".to_owned());
    let five_minutes_ago = "5m".to_owned();
    let is_since_last = args.changes_from.as_deref() == Some("last");
    let to = match (&args.changes_from, &args.changes_to) {
        (None, _) => None,
        (_, Some(to)) => Some(to),
        (Some(_), None) => (!is_since_last).then_some(&five_minutes_ago),
    };
    let ion = "ION".to_owned();
    section([
        ("name", Some(name)),
        ("time", args.time.as_ref()),
        ("type", incremental.as_ref()),
        ("from", args.changes_from.as_ref()),
        ("to", to),
        ("format", (args.format == DataFormat::Ion).then_some(&ion)),
    ])
}

fn section<const N: usize>(members: [(&str, Option<&String>); N]) -> Table {
    let given = members
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), Value::String(value?.clone()))));
    given.collect()
}
