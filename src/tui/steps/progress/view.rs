//! The Progress step: every export with its state, its failure in full, its verification.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::state::{Following, is_failed};
use crate::aws::dynamodb::ExportStatus;
use crate::tui::model::context::RenderContext;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::{format, text};
use crate::work::event::{OperationProgress, ProgressStage, Side, Verification};

pub(crate) fn draw(
    context: &RenderContext<'_>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let title = match context.model.progress.run {
        Some(run) => format!("Progress · run {run}"),
        None => "Progress".to_owned(),
    };
    let block = parts::pane(context.theme, &title, true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let lines = lines(context, usize::from(inside.width));
    parts::scrolled(context, context.model.text, lines, inside, state, frame);
}

fn lines(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let progress = &context.model.progress;
    let mut lines = summary(context, columns);
    for export in &progress.exports {
        lines.push(Line::default());
        lines.extend(export_lines(context, export, columns));
    }
    if !progress.notes.is_empty() {
        lines.push(Line::default());
        lines.push(parts::heading(context.theme, "Difficulties"));
        for (time, note) in progress.notes.iter().rev() {
            let text = format!("{} {note}", format::clock(*time));
            lines.extend(parts::paragraph(&text, context.theme.warning(), columns));
        }
    }
    lines
}

/// The run as a whole, in a sentence or two.
fn summary(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let theme = context.theme;
    let progress = &context.model.progress;
    let elapsed = progress.began_at.map_or_else(String::new, |began| {
        format::duration(context.model.now.duration_since(began))
    });
    match &progress.state {
        Following::Nothing => parts::paragraph("Nothing was started yet.", Theme::muted(), columns),
        Following::Starting(_) => {
            vec![parts::waiting(
                context,
                "starting: the journal first, then the call …",
            )]
        }
        Following::On(_) => {
            let ended = progress
                .exports
                .iter()
                .filter(|export| export.ended_at.is_some())
                .count();
            let all = progress.exports.len();
            let text = format!("{ended} of {all} ended, {elapsed} so far");
            let mut lines = vec![parts::waiting(context, &text)];
            if !context.model.is_sandbox {
                let note = "The exports run at AWS: quitting does not end them.";
                lines.extend(parts::paragraph(note, Theme::muted(), columns));
            }
            lines
        }
        Following::Finished => finished(context, columns),
        Following::CutOff(why) => {
            let mut lines = parts::paragraph(&format!("✗ {why}"), theme.bad(), columns);
            let hint = match progress.run {
                Some(run) => format!(
                    "hint: r goes on with it, and so does `tableferry resume {run}` later; what runs at AWS goes on"
                ),
                None => "hint: nothing was started".to_owned(),
            };
            lines.extend(parts::paragraph(&hint, Style::new(), columns));
            lines
        }
    }
}

fn finished(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let theme = context.theme;
    let progress = &context.model.progress;
    let all = progress.exports.len();
    let failed = progress
        .exports
        .iter()
        .filter(|export| is_failed(export))
        .count();
    let is_unknown = |export: &OperationProgress| {
        matches!(export.verification, Some(Verification::Unknown { .. }))
    };
    let unknown = progress
        .exports
        .iter()
        .filter(|export| is_unknown(export))
        .count();
    let (text, style) = if !progress.is_success() {
        let wrong = progress
            .exports
            .iter()
            .filter(|export| is_wrong(export))
            .count();
        (
            format!("✗ ended: of {all}, {failed} failed, {wrong} did not verify"),
            theme.bad(),
        )
    } else if unknown > 0 {
        (
            format!("▲ all complete, {unknown} of {all} unverified"),
            theme.warning(),
        )
    } else {
        ("✓ all complete and verified".to_owned(), theme.good())
    };
    parts::paragraph(&text, style, columns)
}

const fn is_wrong(export: &OperationProgress) -> bool {
    matches!(export.verification, Some(Verification::Wrong { .. }))
}

fn export_lines(
    context: &RenderContext<'_>,
    export: &OperationProgress,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let mut lines = vec![head(context, export, columns)];
    let inner = columns.saturating_sub(2);
    let mut details = Vec::new();
    if let Some(code) = &export.failure_code {
        details.extend(parts::fact("failure", code, theme.bad(), inner));
    }
    if let Some(message) = &export.failure_message {
        details.extend(parts::paragraph(message, theme.bad(), inner));
    }
    let diagnosis = context.model.progress.diagnoses.get(&export.index);
    for cause in diagnosis.into_iter().flat_map(|found| &found.brief) {
        details.extend(parts::fact("cause", cause, theme.warning(), inner));
    }
    if let Some(seen) = seen(export) {
        details.extend(parts::fact("written", &seen, Style::new(), inner));
    }
    if let Some(items) = export.item_count {
        let billed = export.billed_size_bytes.map_or_else(String::new, |bytes| {
            format!(", {} billed", format::size(bytes))
        });
        let text = format!("{}{billed}", format::counted(items, "item"));
        details.extend(parts::fact("exported", &text, Style::new(), inner));
    }
    details.extend(verification(context, export, inner));
    if let Some(manifest) = &export.manifest {
        details.extend(parts::fact("manifest", manifest, Style::new(), inner));
    }
    if let Some(arn) = &export.arn {
        details.extend(parts::fact("export", arn, Theme::muted(), inner));
    }
    lines.extend(details.into_iter().map(|mut line| {
        line.spans.insert(0, Span::raw("  "));
        line
    }));
    lines
}

fn head(context: &RenderContext<'_>, export: &OperationProgress, columns: usize) -> Line<'static> {
    let theme = context.theme;
    let (sign, word, style) = match &export.stage {
        ProgressStage::Planned => ("○", "planned", Theme::muted()),
        ProgressStage::Calling => (context.spinner(), "asking AWS to start", theme.accent()),
        ProgressStage::Refused => ("✗", "refused", theme.bad()),
        ProgressStage::NotStarted => ("✗", "not started", theme.bad()),
        ProgressStage::Running(ExportStatus::InProgress) => {
            (context.spinner(), "in progress", theme.accent())
        }
        ProgressStage::Running(ExportStatus::Completed) => ("✓", "completed", theme.good()),
        ProgressStage::Running(ExportStatus::Failed) => ("✗", "failed", theme.bad()),
    };
    let lasted = export.started_at.map_or_else(String::new, |started| {
        let end = export.ended_at.unwrap_or(context.model.now);
        let lasted = end.duration_since(started);
        if lasted.is_negative() {
            String::new()
        } else {
            format::duration(lasted)
        }
    });
    let room = columns.saturating_sub(2 + 22 + text::width(&lasted));
    Line::from(vec![
        Span::styled(format!("{sign} "), style),
        Span::styled(
            text::pad(&export.name, room),
            theme.side(Side::Source).patch(Theme::strong()),
        ),
        Span::styled(text::pad(word, 22), style),
        Span::styled(lasted, Theme::muted()),
    ])
}

/// What has appeared in the bucket: the only view of progress that there is.
fn seen(export: &OperationProgress) -> Option<String> {
    let files = export.files_seen?;
    let bytes = export.bytes_seen.unwrap_or(0);
    Some(format!(
        "{}, {} compressed",
        format::counted(files, "data file"),
        format::size(bytes)
    ))
}

fn verification(
    context: &RenderContext<'_>,
    export: &OperationProgress,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let mut lines = match &export.verification {
        None if export.stage == ProgressStage::Running(ExportStatus::Completed) => {
            return vec![not_verified_yet(context)];
        }
        None => return Vec::new(),
        Some(Verification::Verified {
            files,
            bytes,
            items,
        }) => {
            let text = format!(
                "✓ {} with {}, {}: as the manifests say",
                format::counted(*files, "file"),
                format::counted(*items, "item"),
                format::size(*bytes)
            );
            parts::fact("verified", &text, theme.good(), columns)
        }
        Some(Verification::Wrong { findings }) => {
            let mut lines = parts::fact("verified", "✗ it differs", theme.bad(), columns);
            for finding in findings {
                lines.extend(parts::paragraph(finding, theme.bad(), columns));
            }
            lines
        }
        Some(Verification::Unknown { reason }) => {
            let text = format!("▲ unknown: {reason}");
            parts::fact("verified", &text, theme.warning(), columns)
        }
    };
    for remark in &export.remarks {
        lines.extend(parts::fact("remark", remark, theme.warning(), columns));
    }
    let looked_at = export.verified_at.map_or_else(
        || "a time that is not in the journal".to_owned(),
        |at| format!("{at:.0}"),
    );
    lines.extend(parts::fact("as of", &looked_at, Theme::muted(), columns));
    lines
}

fn not_verified_yet(context: &RenderContext<'_>) -> Line<'static> {
    if context.model.progress.is_followed() {
        parts::waiting(context, "verifying the files against the manifests …")
    } else {
        Line::styled("not verified yet", context.theme.warning())
    }
}
