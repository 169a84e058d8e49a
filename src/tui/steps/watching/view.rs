//! The Watch step: a row an export, and what is known of the one under the cursor.

use jiff::{SignedDuration, Timestamp};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::journal::Stage;
use crate::tui::model::context::RenderContext;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::columns::Columns;
use crate::tui::widgets::{format, text};
use crate::work::watch::WatchedExport;

/// Account, elapsed, in the bucket, table, left; the account goes first where it is narrow, then the table's size.
const COLUMNS: Columns<5> = Columns {
    widths: [13, 13, 11, 11, 18],
    droppable: &[0, 3],
    name: 14,
};
const HEADS: [&str; 5] = ["account", "elapsed", "files (gz)", "table", "left"];

pub(crate) fn draw(
    context: &RenderContext<'_>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let watching = &context.model.watching;
    let block = parts::pane(context.theme, &title(context), true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let columns = usize::from(inside.width);
    let [head, list_area] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inside);
    let exports = watching.rows();
    let head_line = parts::filter_line(context, &watching.list, exports.len(), columns)
        .unwrap_or_else(|| {
            let heads = HEADS.map(str::to_owned);
            let line = COLUMNS.line("table", &heads, columns.saturating_sub(4));
            Line::styled(format!("    {line}"), Theme::muted())
        });
    frame.render_widget(Paragraph::new(head_line), head);
    if exports.is_empty() {
        frame.render_widget(Paragraph::new(empty(context, columns)), list_area);
        return;
    }
    let draw_row = |index: usize| match exports.get(index) {
        Some(export) => row(context, export, columns.saturating_sub(2)),
        None => Line::default(),
    };
    let rows = parts::ListRows {
        name: "watching",
        count: exports.len(),
        cursor: watching.list.cursor,
        is_focused: true,
        row: &draw_row,
    };
    parts::rows(context, &rows, list_area, state, frame);
}

fn title(context: &RenderContext<'_>) -> String {
    let exports = context.model.watching.exports.values();
    let (mut under_way, mut completed, mut failed) = (0, 0, 0);
    for export in exports {
        match export.stage {
            Stage::Completed => completed += 1,
            Stage::Failed => failed += 1,
            _ => under_way += 1,
        }
    }
    format!("Watch · {under_way} under way, {completed} completed, {failed} failed")
}

fn empty(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let watching = &context.model.watching;
    if let Some(why) = &watching.ended {
        return parts::paragraph(&format!("✗ {why}"), context.theme.bad(), columns);
    }
    let mut lines = vec![parts::waiting(
        context,
        "no export is under way; waiting for one to begin",
    )];
    for note in &watching.notes {
        lines.extend(parts::paragraph(note, context.theme.warning(), columns));
    }
    lines
}

fn row(context: &RenderContext<'_>, export: &WatchedExport, columns: usize) -> Line<'static> {
    let theme = context.theme;
    let (sign, style) = match export.stage {
        _ if export.unknown.is_some() => ("? ", theme.warning()),
        Stage::Completed => ("✓ ", theme.good()),
        Stage::Failed => ("✗ ", theme.bad()),
        _ => (context.spinner(), theme.accent()),
    };
    let now = context.model.now;
    let none = || "–".to_owned();
    let last = match export.stage {
        Stage::Completed => "completed".to_owned(),
        Stage::Failed => failure_code(export).to_owned(),
        _ if export.unknown.is_some() => "not known".to_owned(),
        _ => left(export, now).unwrap_or_else(none),
    };
    let behind = [
        export.account.clone(),
        export.elapsed(now).map_or_else(none, format::duration),
        export
            .seen
            .map_or_else(none, |(_, bytes)| format::size(bytes)),
        export.table_bytes.map_or_else(none, format::size),
        last,
    ];
    Line::from(vec![
        Span::styled(text::pad(sign, 2), style),
        Span::raw(COLUMNS.line(&export.name, &behind, columns.saturating_sub(2))),
    ])
}

fn failure_code(export: &WatchedExport) -> &str {
    let failure = export.failure.as_ref();
    let code = failure.and_then(|failed| failed.failure.code.as_deref());
    code.unwrap_or("failed")
}

/// How long it takes yet, by earlier exports of the table.
fn left(export: &WatchedExport, now: Timestamp) -> Option<String> {
    let left = export.left(now)?;
    Some(if left >= SignedDuration::ZERO {
        format!("≈ {}", format::duration(left))
    } else {
        format!("{} over", format::duration(left.abs()))
    })
}

/// What is known of the export under the cursor.
pub(crate) fn detail(context: &RenderContext<'_>, columns: usize) -> (String, Vec<Line<'static>>) {
    let watching = &context.model.watching;
    let Some(export) = watching.current() else {
        return ("About this step".to_owned(), Vec::new());
    };
    let mut lines = Vec::new();
    for (label, value) in labelled(export, context.model.now) {
        lines.extend(parts::fact(label, &value, Style::new(), columns));
    }
    if let Some(note) = watching.notes.last() {
        lines.extend(parts::paragraph(note, context.theme.warning(), columns));
    }
    (export.name.clone(), lines)
}

/// What is known of an export, as a text to read and to copy.
pub(super) fn facts(export: &WatchedExport, now: Timestamp) -> String {
    let facts = labelled(export, now).into_iter();
    let lines: Vec<String> = facts
        .map(|(label, value)| format!("{label}: {value}"))
        .collect();
    lines.join("\n")
}

fn labelled(export: &WatchedExport, now: Timestamp) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        (
            "export",
            export
                .arn
                .clone()
                .unwrap_or_else(|| export.table_arn.clone()),
        ),
        ("state", export.stage.as_str().to_owned()),
    ];
    let mut add = |label, value: Option<String>| facts.extend(value.map(|value| (label, value)));
    add("not known", export.unknown.clone());
    add(
        "failure",
        export.failure.as_ref().map(|failed| {
            let failure = &failed.failure;
            let words = [&failure.code, &failure.message];
            let words: Vec<&str> = words.into_iter().flatten().map(String::as_str).collect();
            words.join(": ")
        }),
    );
    add("started", export.started_at.map(format::at));
    add("elapsed", export.elapsed(now).map(format::duration));
    add(
        "files",
        export.seen.map(|(files, bytes)| {
            let files = format::counted(files, "file");
            format!("{files}, {} compressed", format::size(bytes))
        }),
    );
    add(
        "table",
        export
            .table_bytes
            .map(|bytes| format!("{} uncompressed", format::size(bytes))),
    );
    add(
        "usual time",
        export.usual.map(|usual| {
            format!(
                "{}, the median of {} completed exports of the table",
                format::duration(usual.median),
                usual.exports
            )
        }),
    );
    add("files in", export.uri.clone());
    facts
}
