//! The start screen: what was left, what can be begun, what was done last.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::rows::{EXPLAIN, RunState, SANDBOX, Section, StartRow, rows, run_state, tables};
use crate::tui::keymap::{self, Action, KeyScope};
use crate::tui::model::Model;
use crate::tui::model::context::RenderContext;
use crate::tui::services::RunSummary;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::{format, text};

/// How wide the names of what can be begun are, their keys before them.
const NAME_COLUMNS: usize = 21;

pub(crate) fn draw(
    context: &RenderContext<'_>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let model = context.model;
    let block = parts::pane(context.theme, "Start", true);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let columns = usize::from(inside.width);
    let rows = rows(model);
    let mut head = first_words(context, columns);
    head.extend(parts::filter_line(
        context,
        &model.start.list,
        rows.len(),
        columns,
    ));
    let height = u16::try_from(head.len()).unwrap_or(u16::MAX);
    let [head_area, list_area] =
        Layout::vertical([Constraint::Length(height), Constraint::Fill(1)]).areas(inside);
    frame.render_widget(Paragraph::new(head), head_area);
    state.note_page(usize::from(list_area.height));

    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut at_cursor = 0..0;
    let mut section: Option<Section> = None;
    for (index, row) in rows.iter().enumerate() {
        let begin = lines.len();
        if section != Some(row.section()) {
            section = Some(row.section());
            lines.push(parts::heading(context.theme, row.section().title()));
        }
        let is_at_cursor = index == model.start.list.cursor;
        lines.extend(row_lines(context, *row, is_at_cursor, columns));
        if is_at_cursor {
            at_cursor = begin..lines.len();
        }
    }
    if rows.is_empty() {
        lines.push(Line::styled("nothing of this name", Theme::muted()));
    }
    parts::list_lines(model.text, &lines, &at_cursor, list_area, state, frame);
}

/// Whether there is no profile to begin anything with.
pub(crate) fn is_without_profiles(model: &Model) -> bool {
    let profiles = model.accounts.profiles.value();
    profiles.is_some_and(|profiles| profiles.usable.is_empty())
}

/// What to do first, where nothing was done yet.
fn first_words(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let model = context.model;
    let words = if is_without_profiles(model) {
        "There are no profiles of AWS accounts yet. `aws configure sso` or `aws configure` makes one, and r \
         looks again. The sandbox needs none: s opens it, to practise."
    } else if model.start.runs.value().is_some_and(Vec::is_empty) {
        "Nothing was exported from here yet. Enter begins an export: it asks for a profile of each side, \
         and starts nothing before it asked."
    } else {
        return Vec::new();
    };
    let mut lines = parts::paragraph(words, Style::new(), columns);
    lines.push(Line::default());
    lines
}

/// A row, its further lines beneath it.
fn row_lines(
    context: &RenderContext<'_>,
    row: StartRow<'_>,
    is_at_cursor: bool,
    columns: usize,
) -> Vec<Line<'static>> {
    let (sign, style) = if is_at_cursor {
        ("▌ ", context.theme.accent())
    } else {
        ("  ", Style::new())
    };
    let room = columns.saturating_sub(2);
    let mut lines = match row {
        StartRow::Flow(flow) => begin_lines(context, flow.begin, (flow.title, flow.about), room),
        StartRow::Explain => begin_lines(context, Action::Explain, EXPLAIN, room),
        StartRow::Sandbox => begin_lines(context, Action::Sandbox, SANDBOX, room),
        StartRow::Left(run) | StartRow::Ended(run) => run_lines(context, run, room),
        StartRow::Plan(saved) => {
            let plan = &saved.plan;
            let what = format!("{} of {}", plan.words().noun, plan.destination.bucket);
            let name = text::clean(&saved.path.display().to_string()).into_owned();
            vec![Line::from(vec![
                Span::raw(text::pad(&name, NAME_COLUMNS)),
                Span::styled(
                    text::fit(&what, room.saturating_sub(NAME_COLUMNS)),
                    Theme::muted(),
                ),
            ])]
        }
    };
    for (index, line) in lines.iter_mut().enumerate() {
        let sign = if index == 0 { sign } else { "  " };
        line.spans.insert(0, Span::styled(sign, style));
        if is_at_cursor && index == 0 {
            *line = std::mem::take(line).patch_style(context.theme.cursor());
        }
    }
    lines
}

/// What can be begun, behind its key.
fn begin_lines(
    context: &RenderContext<'_>,
    action: Action,
    (title, about): (&str, &str),
    columns: usize,
) -> Vec<Line<'static>> {
    let key = context
        .model
        .keymap
        .in_scopes(&[KeyScope::Start])
        .find(|binding| binding.action == action)
        .and_then(|binding| binding.keys.first())
        .map_or_else(String::new, |key| keymap::key_label(*key));
    let key_columns = 3;
    let about = text::wrap(about, columns.saturating_sub(NAME_COLUMNS));
    let lines = about.into_iter().enumerate().map(|(index, about)| {
        let (key, title) = if index == 0 {
            (key.as_str(), title)
        } else {
            ("", "")
        };
        Line::from(vec![
            Span::styled(text::pad(key, key_columns), context.theme.accent()),
            Span::raw(text::pad(title, NAME_COLUMNS - key_columns)),
            Span::styled(about, Theme::muted()),
        ])
    });
    lines.collect()
}

/// A run, and how it stands beneath it.
fn run_lines(context: &RenderContext<'_>, run: &RunSummary, columns: usize) -> Vec<Line<'static>> {
    let theme = context.theme;
    let when = format::ago(run.created_at, context.model.now);
    let head = format!("run {}, {when}: {}", run.id, tables(run));
    let state = run_state(run);
    let (sign, style) = match state {
        RunState::Verified => ("✓", theme.good()),
        RunState::CutOff | RunState::UnderWay | RunState::NotVerified | RunState::Unknown => {
            ("·", theme.warning())
        }
        RunState::Failed | RunState::Damaged => ("✗", theme.bad()),
    };
    let words = format!("{sign} {}", state.words());
    let beneath = format!("{words} · {}", run.destination);
    let room = columns.saturating_sub(2);
    let mut lines = vec![Line::raw(text::fit(&head, columns))];
    let wrapped = text::wrap(&beneath, room).into_iter();
    lines.extend(wrapped.map(|line| Line::from(vec![Span::raw("  "), Span::styled(line, style)])));
    lines
}

/// All about a run, and what can be done with it from the shell.
pub(super) fn run_text(run: &RunSummary, now: Timestamp, is_sandbox: bool) -> String {
    let mut lines = vec![
        format!(
            "run {}, begun {} ({})",
            run.id,
            format::at(run.created_at),
            format::ago(run.created_at, now)
        ),
        format!("from account {} to {}", run.source, run.destination),
        run_state(run).words().to_owned(),
        String::new(),
    ];
    for export in &run.exports {
        let failure = [&export.failure_code, &export.failure_message];
        let failure: Vec<&str> = failure.into_iter().flatten().map(String::as_str).collect();
        lines.push(match failure.as_slice() {
            [] => export.subject.clone(),
            failure => format!("{}: {}", export.subject, failure.join(": ")),
        });
    }
    if !run.uris.is_empty() {
        lines.extend([String::new(), "Its files:".to_owned()]);
        lines.extend(run.uris.iter().cloned());
    }
    // Without a state file the sandbox's journal ends with the wizard.
    if !is_sandbox {
        lines.push(String::new());
        lines.extend(next_commands(run));
    }
    lines.join("\n")
}

/// What a run is followed by, as commands.
fn next_commands(run: &RunSummary) -> Vec<String> {
    let id = run.id;
    match run_state(run) {
        RunState::CutOff | RunState::UnderWay | RunState::NotVerified => {
            vec![format!("tableferry resume {id}")]
        }
        RunState::Failed => vec![
            format!("tableferry explain {id}"),
            format!("tableferry retry {id}"),
        ],
        RunState::Damaged | RunState::Unknown => {
            vec![format!("tableferry resume {id} --verify-again")]
        }
        RunState::Verified => vec![
            format!("tableferry verify {id} --deep"),
            format!("tableferry fetch {id} DIRECTORY"),
            format!("tableferry import {id} --table NEW-TABLE"),
            format!("tableferry report {id}"),
        ],
    }
}

/// What is known of the run under the cursor.
pub(crate) fn detail(context: &RenderContext<'_>, columns: usize) -> (String, Vec<Line<'static>>) {
    let model = context.model;
    match rows(model).get(model.start.list.cursor) {
        Some(StartRow::Left(run) | StartRow::Ended(run)) => {
            let words = run_text(run, model.now, model.is_sandbox);
            let lines = parts::paragraph(&words, Style::new(), columns);
            (format!("Run {}", run.id), lines)
        }
        _ => ("About this screen".to_owned(), Vec::new()),
    }
}
