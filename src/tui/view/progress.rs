//! The Progress step: every export with its state, its failure in full, its verification.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Look, parts};
use crate::aws::dynamodb::ExportStatus;
use crate::tui::model::Model;
use crate::tui::steps::progress::{Following, is_failed};
use crate::tui::theme::Theme;
use crate::tui::widgets::{format, text};
use crate::work::event::{OperationProgress, Side, Stage, Verification};

pub(crate) fn draw(look: &Look<'_>, area: Rect, frame: &mut Frame<'_>) {
    let title = match look.model.progress.run {
        Some(run) => format!("Progress · run {run}"),
        None => "Progress".to_owned(),
    };
    let block = parts::pane(look.theme, &title, true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let lines = lines(look, usize::from(inside.width));
    parts::scrolled(lines, look.model.progress.line, inside, frame);
}

/// How many lines the progress has.
pub(crate) fn line_count(model: &Model, columns: usize) -> usize {
    lines(&Look::plain(model), columns).len()
}

fn lines(look: &Look<'_>, columns: usize) -> Vec<Line<'static>> {
    let progress = &look.model.progress;
    let mut lines = summary(look, columns);
    for export in &progress.exports {
        lines.push(Line::default());
        lines.extend(export_lines(look, export, columns));
    }
    if !progress.notes.is_empty() {
        lines.push(Line::default());
        lines.push(parts::heading(look.theme, "Difficulties"));
        for (time, note) in progress.notes.iter().rev() {
            let text = format!("{} {note}", format::clock(*time));
            lines.extend(parts::paragraph(&text, look.theme.warning(), columns));
        }
    }
    lines
}

/// The run as a whole, in a sentence or two.
fn summary(look: &Look<'_>, columns: usize) -> Vec<Line<'static>> {
    let theme = look.theme;
    let progress = &look.model.progress;
    let elapsed = progress.began_at.map_or_else(String::new, |began| {
        format::duration(look.model.now.duration_since(began))
    });
    match &progress.state {
        Following::Nothing => parts::paragraph("Nothing was started yet.", Theme::muted(), columns),
        Following::Starting(_) => {
            vec![parts::waiting(
                look,
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
            let mut lines = vec![parts::waiting(look, &text)];
            if !look.model.is_sandbox {
                let note = "The exports run at AWS: quitting does not end them.";
                lines.extend(parts::paragraph(note, Theme::muted(), columns));
            }
            lines
        }
        Following::Finished => finished(look, columns),
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

fn finished(look: &Look<'_>, columns: usize) -> Vec<Line<'static>> {
    let theme = look.theme;
    let progress = &look.model.progress;
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

fn export_lines(look: &Look<'_>, export: &OperationProgress, columns: usize) -> Vec<Line<'static>> {
    let theme = look.theme;
    let mut lines = vec![head(look, export, columns)];
    let inner = columns.saturating_sub(2);
    let mut details = Vec::new();
    if let Some(code) = &export.failure_code {
        details.extend(parts::fact("failure", code, theme.bad(), inner));
    }
    if let Some(message) = &export.failure_message {
        details.extend(parts::paragraph(message, theme.bad(), inner));
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
    details.extend(verification(look, export, inner));
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

fn head(look: &Look<'_>, export: &OperationProgress, columns: usize) -> Line<'static> {
    let theme = look.theme;
    let (sign, word, style) = match &export.stage {
        Stage::Planned => ("○", "planned", Theme::muted()),
        Stage::Calling => (look.spinner(), "asking AWS to start", theme.accent()),
        Stage::Refused => ("✗", "refused", theme.bad()),
        Stage::NotStarted => ("✗", "not started", theme.bad()),
        Stage::Running(ExportStatus::InProgress) => (look.spinner(), "in progress", theme.accent()),
        Stage::Running(ExportStatus::Completed) => ("✓", "completed", theme.good()),
        Stage::Running(ExportStatus::Failed) => ("✗", "failed", theme.bad()),
    };
    let lasted = export.started_at.map_or_else(String::new, |started| {
        let end = export.ended_at.unwrap_or(look.model.now);
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
        "{}, {}",
        format::counted(files, "data file"),
        format::size(bytes)
    ))
}

fn verification(look: &Look<'_>, export: &OperationProgress, columns: usize) -> Vec<Line<'static>> {
    let theme = look.theme;
    let mut lines = match &export.verification {
        None if export.stage == Stage::Running(ExportStatus::Completed) => {
            return vec![not_verified_yet(look)];
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

fn not_verified_yet(look: &Look<'_>) -> Line<'static> {
    if look.model.progress.is_followed() {
        parts::waiting(look, "verifying the files against the manifests …")
    } else {
        Line::styled("not verified yet", look.theme.warning())
    }
}
