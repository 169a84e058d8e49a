//! The Tables step.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::state::{Readiness, Tables};
use crate::assess::facts::{Fact, TableFacts};
use crate::job::{Span as ExportSpan, TableJob, TablePattern, TableStatus, recovery_command};
use crate::tui::model::context::RenderContext;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::{format, text};
use crate::work::event::Side;

/// The columns after the name: recovery, items, size, how.
const RECOVERY: usize = 9;
const ITEMS: usize = 12;
const SIZE: usize = 11;
const HOW: usize = 12;

pub(crate) fn draw(
    context: &RenderContext<'_>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let tables = &context.model.tables;
    let title = match tables.jobs.len() + tables.selectors.len() {
        0 => "Tables".to_owned(),
        chosen => format!("Tables · {chosen} chosen"),
    };
    let block = parts::pane(context.theme, &title, true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let columns = usize::from(inside.width);
    let [head, list_area] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(inside);
    let names = tables.rows();
    let head_line = parts::filter_line(context, &tables.list, names.len(), columns)
        .unwrap_or_else(|| heads(columns));
    frame.render_widget(Paragraph::new(head_line), head);
    if names.is_empty() {
        frame.render_widget(Paragraph::new(empty(context, columns)), list_area);
        return;
    }
    let draw_row = |index: usize| match names.get(index) {
        Some(name) => row(context, name, columns.saturating_sub(2)),
        None => Line::default(),
    };
    let rows = parts::ListRows {
        name: "tables",
        count: names.len(),
        cursor: tables.list.cursor,
        is_focused: true,
        row: &draw_row,
    };
    parts::rows(context, &rows, list_area, state, frame);
}

fn name_columns(columns: usize) -> usize {
    let how = if columns >= 62 { HOW } else { 0 };
    columns
        .saturating_sub(4 + RECOVERY + ITEMS + SIZE + how)
        .max(12)
}

fn heads(columns: usize) -> Line<'static> {
    let columns = columns.saturating_sub(2);
    let mut head = format!(
        "      {}{}{:>ITEMS$}{:>SIZE$}",
        text::pad("table", name_columns(columns)),
        text::pad("recovery", RECOVERY),
        "items",
        "size",
    );
    if columns >= 62 {
        head.push_str("  export");
    }
    Line::styled(head, Theme::muted())
}

fn row(context: &RenderContext<'_>, name: &str, columns: usize) -> Line<'static> {
    let theme = context.theme;
    let tables = &context.model.tables;
    if TablePattern::is_meant_by(name) {
        return pattern_row(context, name, columns);
    }
    let job = tables.job(name);
    let (recovery, style) = match tables.readiness(name) {
        Readiness::Ready => ("✓ on", theme.good()),
        Readiness::RecoveryOff => ("✗ off", theme.bad()),
        Readiness::Unknown => ("unknown", theme.warning()),
        Readiness::Unread => ("…", Theme::muted()),
    };
    let table = tables
        .known(name)
        .and_then(|facts| facts.description.value());
    let items = table.and_then(|table| table.item_count).map(format::count);
    let size = table.and_then(|table| table.size_bytes).map(format::size);
    let shown = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
    let short = name.parse::<tableferry_policy::arn::Arn>().map_or_else(
        |_| name.to_owned(),
        |arn| {
            format!(
                "{} ({})",
                arn.resource_after("table").unwrap_or_default(),
                arn.region
            )
        },
    );
    let (check, check_style) = match job {
        Some(_) => ("[x] ", theme.side(Side::Source)),
        None if tables.is_selected(name) => ("[*] ", theme.side(Side::Source)),
        None => ("[ ] ", Theme::muted()),
    };
    let mut spans = vec![
        Span::styled(check, check_style),
        Span::raw(text::pad(&short, name_columns(columns))),
        Span::styled(text::pad(recovery, RECOVERY), style),
        Span::raw(format!("{:>ITEMS$}", shown(items))),
        Span::raw(format!("{:>SIZE$}", shown(size))),
    ];
    if columns >= 62 {
        let how = job.map_or("", |job| kind(&job.span));
        spans.push(Span::styled(format!("  {how}"), theme.side(Side::Source)));
    }
    Line::from(spans)
}

/// A pattern, and how many tables are like it.
fn pattern_row(context: &RenderContext<'_>, pattern: &str, columns: usize) -> Line<'static> {
    let tables = &context.model.tables;
    let (check, style) = match tables.selector(pattern) {
        Some(_) => ("[x] ", context.theme.side(Side::Source)),
        None => ("[ ] ", Theme::muted()),
    };
    Line::from(vec![
        Span::styled(check, style),
        Span::raw(text::pad(pattern, name_columns(columns))),
        Span::raw(matching(tables, pattern)),
    ])
}

fn matching(tables: &Tables, pattern: &str) -> String {
    let pattern = pattern.parse().ok();
    match pattern.and_then(|pattern| tables.matching(&pattern)) {
        None => "…".to_owned(),
        Some(0) => "no table is named like it".to_owned(),
        Some(1) => "1 table".to_owned(),
        Some(count) => format!("{count} tables"),
    }
}

const fn kind(span: &ExportSpan) -> &'static str {
    match span {
        ExportSpan::Full { .. } => "full",
        ExportSpan::Incremental { .. } => "incr.",
    }
}

fn empty(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let model = context.model;
    let place = model
        .identified(Side::Source)
        .map_or_else(String::new, |known| {
            format!("{} in {}", known.identity.account, known.region)
        });
    if let Some(failure) = model.tables.names.error() {
        let mut lines = parts::failure(context.theme, failure, columns);
        lines.push(Line::default());
        let way = "A table can be typed with t; r reads again.";
        lines.extend(parts::paragraph(way, Theme::muted(), columns));
        return lines;
    }
    if model.tables.names.value().is_none() {
        return vec![parts::waiting(
            context,
            &format!("reading the tables of {place} …"),
        )];
    }
    let sentence = if model.tables.list.filter.is_some() {
        "No table's name contains this. Esc clears the filter.".to_owned()
    } else {
        format!("There are no tables in {place}. Another Region is chosen in Accounts with e.")
    };
    parts::paragraph(&sentence, Theme::muted(), columns)
}

/// How a job exports, in a sentence.
pub(crate) fn span_text(job: &TableJob) -> String {
    match &job.span {
        ExportSpan::Full { time: None } => "full, as it is at the start".to_owned(),
        ExportSpan::Full { time: Some(time) } => format!("full, as of {}", format::at(*time)),
        ExportSpan::Incremental { from, to, view } => format!(
            "incremental, {} to {}, {}",
            format::at(*from),
            format::at(*to),
            view.as_str()
        ),
    }
}

/// What is known of the table under the cursor.
pub(crate) fn detail(context: &RenderContext<'_>, columns: usize) -> (String, Vec<Line<'static>>) {
    let tables = &context.model.tables;
    let Some(name) = tables.row() else {
        return ("Table".to_owned(), Vec::new());
    };
    let mut lines = Vec::new();
    if let Some(job) = tables.job(name) {
        let how = span_text(job);
        lines.extend(parts::fact(
            "export",
            &how,
            context.theme.side(Side::Source),
            columns,
        ));
        if job.filter.is_some() {
            let note = "only what its filter of the plan lets through";
            lines.extend(parts::fact("filter", note, Style::new(), columns));
        }
    }
    if TablePattern::is_meant_by(name) {
        lines.extend(parts::fact(
            "matches",
            &matching(tables, name),
            Style::new(),
            columns,
        ));
        return (name.to_owned(), lines);
    }
    match tables.known(name) {
        Some(facts) => lines.extend(facts_lines(context, facts, columns)),
        None => lines.push(parts::waiting(context, "reading this table …")),
    }
    let short = name.parse::<tableferry_policy::arn::Arn>().map_or_else(
        |_| name.to_owned(),
        |arn| arn.resource_after("table").unwrap_or_default().to_owned(),
    );
    (short, lines)
}

fn facts_lines(
    context: &RenderContext<'_>,
    facts: &TableFacts,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let mut lines = Vec::new();
    match &facts.recovery {
        Fact::Known { value, .. } if !value.is_enabled => {
            let missing = "Point-in-time recovery is off, which an export needs. The Access step enables it, \
                 after a question; by hand:";
            lines.extend(parts::paragraph(missing, theme.bad(), columns));
            let command = recovery_command(facts.name().unwrap_or(&facts.asked));
            lines.extend(parts::paragraph(&command, Style::new(), columns));
        }
        Fact::Known { value, .. } => {
            let shown =
                |time: Option<jiff::Timestamp>| time.map_or_else(|| "?".to_owned(), format::at);
            let window = format!("{} to {}", shown(value.earliest), shown(value.latest));
            lines.extend(parts::fact("recoverable", &window, Style::new(), columns));
        }
        other => lines.extend(parts::not_read(theme, other, "the table", columns)),
    }
    let Some(table) = facts.description.value() else {
        if facts.recovery.is_settled() {
            lines.extend(parts::not_read(
                theme,
                &facts.description,
                "the table",
                columns,
            ));
        }
        return lines;
    };
    let mut add = |label: &str, value: &str| {
        lines.extend(parts::fact(label, value, Style::new(), columns));
    };
    add("keys", &table.key_attributes.join(", "));
    if table.status != TableStatus::Active {
        add("state", &table.status.to_string());
    }
    if let Some(key) = &table.key {
        add("table's key", &key.to_string());
    }
    add("ARN", &table.arn.to_string());
    lines
}
