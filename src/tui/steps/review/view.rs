//! The Review step: all of the plan, and what a start would do.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::update::command;
use crate::assess::verdict::{Check, Counts};
use crate::diagnosis::earlier::earlier_causes;
use crate::job::{Encryption, Plan};
use crate::tui::assessing::{self, assessed};
use crate::tui::model::context::RenderContext;
use crate::tui::services::{AssessedPlan, StartSummary};
use crate::tui::steps::destination::state::BucketOwner;
use crate::tui::steps::tables;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::format;
use crate::work::event::Side;

pub(crate) fn draw(
    context: &RenderContext<'_>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let block = parts::pane(context.theme, "Review", true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let lines = lines(context, usize::from(inside.width));
    parts::scrolled(context, context.model.text, lines, inside, state, frame);
}

fn lines(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let Some(plan) = assessing::resolved_plan(context.model) else {
        return parts::paragraph("The plan is not complete yet.", Theme::muted(), columns);
    };
    let mut lines = may_do(context, columns);
    lines.extend(verdict(context, columns));
    lines.push(Line::default());
    lines.extend(sides(context, &plan, columns));
    for job in &plan.tables {
        let text = format!("{}: {}", job.table.name(), tables::view::span_text(job));
        lines.extend(parts::fact(
            "table",
            &text,
            context.theme.side(Side::Source),
            columns,
        ));
        lines.extend(filter(context, job, columns));
    }
    lines.push(Line::default());
    lines.push(parts::heading(context.theme, "The same by hand"));
    let by_hand = match command(context.model, &plan) {
        Ok(command) => parts::paragraph(&command, Style::new(), columns),
        Err(why) => parts::paragraph(&format!("▲ {why}"), context.theme.warning(), columns),
    };
    lines.extend(by_hand);
    lines
}

/// What the Access step found out, as far as it is no good news.
pub(crate) fn may_do(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let theme = context.theme;
    let state = &context.model.assessing.assessed;
    if let (Some(why), true) = (state.error(), assessing::is_of_plan(context.model)) {
        let text = format!("▲ what the plan may do could not be checked: {why}");
        return parts::paragraph(&text, theme.warning(), columns);
    }
    let mut lines = Vec::new();
    if state.is_loading() {
        let text = "checking what the plan may do in both accounts …";
        lines.push(parts::waiting(context, text));
    }
    let fatal = assessing::fatal(context.model);
    if !fatal.is_empty() {
        let text = "✗ AWS would refuse it; Access shows what fixes it (Esc goes there)";
        lines.extend(parts::paragraph(text, theme.bad(), columns));
    }
    for verdict in &fatal {
        let text = format!("  {}: {}", verdict.requirement, verdict.explanation);
        lines.extend(parts::paragraph(&text, Style::new(), columns));
    }
    lines.extend(earlier_failure(context, columns));
    let undecided = assessed(context.model).map_or(0, |assessed| {
        let counts = Counts::of(&assessed.verdicts);
        counts.depends + counts.unknown
    });
    if undecided > 0 {
        let text = format!(
            "▲ {} nobody can tell beforehand (Access shows them)",
            format::counted(undecided as u64, "check")
        );
        lines.extend(parts::paragraph(&text, theme.warning(), columns));
    }
    lines
}

/// What failed before, with nothing changed since.
pub(crate) fn earlier_failure(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let failed = assessed(context.model).and_then(|assessed| {
        let mut verdicts = assessed.verdicts.iter();
        verdicts.find(|verdict| verdict.is_of(Check::EarlierFailure))
    });
    failed.map_or_else(Vec::new, |failed| {
        let text = format!("▲ {}", failed.explanation);
        let mut lines = parts::paragraph(&text, context.theme.warning(), columns);
        let causes = assessed(context.model).map(|assessed| earlier_causes(&assessed.assessment));
        for cause in causes.unwrap_or_default() {
            lines.extend(parts::paragraph(
                &format!("  {cause}"),
                Style::new(),
                columns,
            ));
        }
        lines
    })
}

/// What speaks against the start, and what it will do.
fn verdict(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let theme = context.theme;
    match assessed(context.model) {
        Some(assessed) => match &assessed.start {
            Ok(summary) => summary_lines(context, assessed, summary, columns),
            Err(why) => parts::paragraph(&format!("✗ {why}"), theme.bad(), columns),
        },
        None if context.model.assessing.assessed.error().is_some() => Vec::new(),
        None => vec![parts::waiting(
            context,
            "checking tables, recovery windows and the bucket …",
        )],
    }
}

fn summary_lines(
    context: &RenderContext<'_>,
    assessed: &AssessedPlan,
    summary: &StartSummary,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let mut lines = Vec::new();
    let stopped = assessed.stopped_by();
    if let Some(problem) = &stopped {
        let hint = format!("  hint: {}", problem.hint);
        lines.extend(parts::paragraph(&hint, Style::new(), columns));
    }
    for warning in &summary.warnings {
        lines.extend(parts::paragraph(
            &format!("▲ {warning}"),
            theme.warning(),
            columns,
        ));
    }
    for duplicate in &summary.duplicates {
        let text = format!("▲ {}; a new start exports it again", duplicate.sentence());
        lines.extend(parts::paragraph(&text, context.theme.warning(), columns));
    }
    for run in &summary.earlier {
        let state = if run.is_open() {
            "is under way"
        } else {
            "was completed"
        };
        let when = format::ago(run.created_at, context.model.now);
        let text = format!(
            "▲ run {} of the same plan {state} (started {when}); a new start exports everything again",
            run.id
        );
        lines.extend(parts::paragraph(&text, theme.warning(), columns));
    }
    if stopped.is_some() {
        lines.push(Line::raw("It would"));
    } else if assessing::fatal(context.model).is_empty() {
        lines.push(Line::styled("✓ ready to start; it will", theme.good()));
    } else {
        lines.push(Line::raw(
            "Enter starts it all the same, after a question; it would",
        ));
    }
    for line in &summary.lines {
        lines.extend(parts::paragraph(
            &format!("  {line}"),
            Style::new(),
            columns,
        ));
    }
    for line in &summary.estimate {
        let text = format!("  estimate: {line}");
        lines.extend(parts::paragraph(&text, Theme::muted(), columns));
    }
    lines
}

/// Who exports and who receives.
pub(crate) fn parties(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let theme = context.theme;
    let who = |side: Side| {
        context.model.identified(side).map(|known| {
            let account = context.model.named(&known.identity.account);
            format!(
                "{account} in {} as {}",
                known.region, known.identity.arn.resource
            )
        })
    };
    let from = who(Side::Source).unwrap_or_default();
    let to = who(Side::Destination).unwrap_or_else(|| "nobody reads the destination".to_owned());
    let mut lines = parts::fact("from", &from, theme.side(Side::Source), columns);
    lines.extend(parts::fact(
        "to",
        &to,
        theme.side(Side::Destination),
        columns,
    ));
    lines
}

pub(crate) fn sides(
    context: &RenderContext<'_>,
    plan: &Plan,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let mut lines = parties(context, columns);
    let mut add = |label: &str, text: &str, style: Style| {
        lines.extend(parts::fact(label, text, style, columns));
    };
    let to = theme.side(Side::Destination);
    let bucket = &plan.destination.bucket;
    let prefix = plan.destination.prefix.as_ref();
    let prefix = prefix.map_or_else(String::new, |prefix| format!("{prefix}/"));
    add(
        "bucket",
        &format!("s3://{bucket}/{prefix}{}", context.model.flow.objects),
        to,
    );
    let owner = match &context.model.destination.owner {
        BucketOwner::Unknown => "unknown".to_owned(),
        BucketOwner::Found(owner) => format!("{} (filled in)", context.model.named(owner)),
        BucketOwner::Given(owner) => context.model.named(owner),
    };
    add("owner", &owner, to);
    let encryption = match &plan.encryption {
        Encryption::Aes256 => "AES256".to_owned(),
        Encryption::BucketDefault => "the bucket's default".to_owned(),
        Encryption::Kms { .. } => format!("KMS with {}", plan.encryption.key().unwrap_or("aws/s3")),
    };
    add("encryption", &encryption, to);
    for side in [Side::Source, Side::Destination] {
        for (service, url) in context
            .model
            .identified(side)
            .map_or(&[][..], |known| &known.endpoints)
        {
            let text = format!("the {side} sends {service} to {url}");
            add("endpoint", &text, theme.warning());
        }
    }
    lines
}

/// Which attributes leave the account, where a projection says so.
fn filter(
    context: &RenderContext<'_>,
    job: &crate::job::TableJob,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let mut lines = Vec::new();
    let mut add = |label: &str, text: &str, style: Style| {
        lines.extend(parts::fact(label, text, style, columns));
    };
    match job
        .filter
        .as_ref()
        .and_then(|filter| filter.projection.as_ref().map(|text| (filter, text)))
    {
        Some((filter, projection)) => {
            let names: Vec<String> = projection
                .split(',')
                .map(|path| {
                    let path = path.trim();
                    filter
                        .names
                        .get(path)
                        .cloned()
                        .unwrap_or_else(|| path.to_owned())
                })
                .collect();
            let text = format!("only these leave the account: {}", names.join(", "));
            add("attributes", &text, theme.warning());
        }
        None => add("attributes", "all of them", Style::new()),
    }
    if let Some(filter) = &job.filter {
        if let Some(condition) = &filter.key_condition {
            add("key is", condition, Style::new());
        }
        if let Some(expression) = &filter.expression {
            add("filter", expression, Style::new());
        }
    }
    lines
}
