//! `tableferry archives s3://BUCKET[/PREFIX]`: which exports lie there, and which continue which.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::archive_reading::ArchiveReading;
use super::archive_words::{masked_words, span_words};
use super::error::CommandError;
use super::report::Report;
use crate::archive::manifest::Summary;
use crate::archive::overview::{Chain, FoundExport, FoundState, Overview, TableArchives, overview};
use crate::args::ArchivesArgs;
use crate::job::{Format, Span};
use crate::work::{ArchivePlace, Side, Work};
use tableferry_policy::arn::BucketName;

/// The version of the JSON output.
pub(super) const SCHEMA: u32 = 1;

/// Lists what lies in the place that is named.
pub(super) async fn archives(
    work: &Work,
    args: &ArchivesArgs,
    cancel: &CancellationToken,
    report: &Report,
) -> Result<Exit, CommandError> {
    let (bucket, prefix) = place(&args.place).map_err(|problem| {
        CommandError::usage(problem)
            .hint("give s3://BUCKET, or s3://BUCKET/PREFIX for what lies below it")
    })?;
    let reading = ArchiveReading::of_bucket(work, &args.bucket, report);
    reading.finder.sign_in().await?;
    let owner = args.bucket.bucket_owner.as_ref();
    let listed = work
        .list_archives(Side::Destination, &bucket, prefix, owner, cancel)
        .await;
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) => {
            let place = ArchivePlace::Bucket {
                side: Side::Destination,
                bucket: bucket.clone(),
                owner: owner.cloned(),
                folder: prefix.to_owned(),
            };
            let below = prefix.trim_end_matches('/').parse().ok();
            return Err(reading.not_read_below(&error, &place, below).await);
        }
    };
    if listed.exports.is_empty() {
        report.line(&format!("no export lies below s3://{bucket}/{prefix}"));
    }
    tell(&overview(listed.exports), &bucket, report);
    if listed.not_looked_into > 0 {
        report.line(&format!(
            "{} folders were not looked into: name a longer prefix to find what lies there",
            listed.not_looked_into
        ));
    }
    report.object(&json!({"event": "looked", "folders_left": listed.not_looked_into}));
    Ok(Exit::Done)
}

/// A bucket and a prefix, which may be empty.
fn place(text: &str) -> Result<(BucketName, &str), String> {
    let Some(place) = text.strip_prefix("s3://") else {
        return Err(format!("{text} is not the address of a bucket"));
    };
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let bucket = bucket.parse().map_err(|error| format!("{text}: {error}"))?;
    Ok((bucket, prefix))
}

fn tell(overview: &Overview, bucket: &BucketName, report: &Report) {
    for table in &overview.tables {
        tell_table(table, bucket, report);
    }
    if !overview.unknown.is_empty() {
        report.line("exports whose table no manifest tells");
    }
    for export in &overview.unknown {
        tell_export(export, bucket, report);
    }
}

fn tell_table(table: &TableArchives, bucket: &BucketName, report: &Report) {
    let id = table.table_id.as_deref().unwrap_or("of no known id");
    report.line(&format!("table {} ({id})", table.table_arn));
    for export in &table.exports {
        tell_export(export, bucket, report);
    }
    for chain in &table.chains {
        report.line(&format!("  {}", chain_words(chain)));
        if let Some((from, to)) = chain.gap {
            report.line(&format!("  gap     nothing from {from} to {to}"));
        }
        report.object(&chain_object(table, chain));
    }
}

fn tell_export(export: &FoundExport, bucket: &BucketName, report: &Report) {
    let (state, why) = state(export);
    let what = export.summary().map_or_else(String::new, |summary| {
        let kind = match summary.span {
            Some(Span::Incremental { .. }) => "changes",
            _ => "full",
        };
        let billed = summary.billed_size_bytes.map(bytesize::ByteSize);
        let billed = billed.map_or_else(String::new, |bytes| format!(", {bytes} billed"));
        format!(
            "  {kind}{}, {} items{billed}",
            span_words(summary),
            summary.item_count
        )
    });
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    report.line(&format!("  {}  {state}{why}{what}", export.id));
    report.line(&format!("      s3://{bucket}/{}", export.folder));
    if let Some(summary) = export.summary()
        && let Some(masked) = &summary.masked
    {
        report.line(&format!("      masked {}", masked_words(summary, masked)));
    }
    report.object(&export_object(export, bucket));
}

/// Whether an export can be read, and what speaks against it.
fn state(export: &FoundExport) -> (&'static str, Option<&str>) {
    match &export.state {
        FoundState::Complete(_) => ("complete", None),
        FoundState::WithoutList(_) => ("incomplete", Some("manifest-files.json is missing")),
        FoundState::WithoutSummary => ("incomplete", Some("it is still running, or failed")),
        FoundState::Unreadable(why) => ("unreadable", Some(why)),
    }
}

fn chain_words(chain: &Chain) -> String {
    let base = match &chain.base {
        Some(id) => format!("after the full export {id}"),
        None => "after no full export that lies here".to_owned(),
    };
    format!(
        "chain   {} exports of changes from {} to {}, {base}",
        chain.exports.len(),
        chain.from,
        chain.to
    )
}

fn chain_object(table: &TableArchives, chain: &Chain) -> Value {
    json!({
        "event": "chain",
        "schema": SCHEMA,
        "table_arn": table.table_arn,
        "table_id": table.table_id,
        "base": chain.base.as_ref().map(ToString::to_string),
        "from": chain.from,
        "to": chain.to,
        "exports": chain.exports.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "gap": chain.gap.map(|(from, to)| json!({"from": from, "to": to})),
    })
}

fn export_object(export: &FoundExport, bucket: &BucketName) -> Value {
    let (state, why) = state(export);
    let summary = export.summary();
    let (time, from, to, view) = times(summary);
    json!({
        "event": "archive",
        "schema": SCHEMA,
        "id": export.id.to_string(),
        "uri": format!("s3://{bucket}/{}", export.folder),
        "state": state,
        "reason": why,
        "export_arn": summary.map(|summary| &summary.export_arn),
        "table_arn": summary.map(|summary| &summary.table_arn),
        "table_id": summary.and_then(|summary| summary.table_id.as_ref()),
        "masked": summary.and_then(|summary| summary.masked.as_ref()),
        "time": time,
        "from": from,
        "to": to,
        "view": view,
        "items": summary.map(|summary| summary.item_count),
        "billed_size_bytes": summary.and_then(|summary| summary.billed_size_bytes),
        "format": summary.and_then(|summary| summary.format).map(Format::as_str),
    })
}

type Times = (
    Option<Timestamp>,
    Option<Timestamp>,
    Option<Timestamp>,
    Option<&'static str>,
);

fn times(summary: Option<&Summary>) -> Times {
    match summary.and_then(|summary| summary.span.as_ref()) {
        Some(Span::Full { time }) => (*time, None, None, None),
        Some(Span::Incremental { from, to, view }) => {
            (None, Some(*from), Some(*to), Some(view.as_str()))
        }
        None => (None, None, None, None),
    }
}
