//! Popups, drawn over the step.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::{Look, explain, parts};
use crate::tui::keymap::{self, Scope};
use crate::tui::layout;
use crate::tui::model::Model;
use crate::tui::popups::{Popup, Question};
use crate::tui::steps::{Step, accounts};
use crate::tui::theme::Theme;
use crate::tui::widgets::form::{Form, Value};
use crate::tui::widgets::{format, text};

const PLAIN: Theme = Theme {
    has_colours: false,
    is_ascii: false,
};

pub(crate) fn draw(look: &Look<'_>, popup: &Popup, frame: &mut Frame<'_>) {
    let columns = layout::popup_columns((frame.area().width, frame.area().height));
    let theme = look.theme;
    match popup {
        Popup::Help { line } => {
            let lines = help(look, columns);
            text_popup(look, "Help", lines, *line, None, frame);
        }
        Popup::Ask {
            question,
            is_yes,
            line,
        } => {
            let lines = question_text(look, question, columns);
            let title = question_title(question);
            text_popup(
                look,
                title,
                lines,
                *line,
                Some(answers(theme, *is_yes)),
                frame,
            );
        }
        Popup::Runs { cursor } => {
            text_popup(
                look,
                "Runs under way",
                runs(look, *cursor, columns),
                0,
                None,
                frame,
            );
        }
        Popup::Mfa {
            side,
            profile,
            serial,
            entry,
            error,
        } => {
            let sentence = format!(
                "{profile} (the {}) needs the code that {serial} shows now. A code works once.",
                accounts::word(*side)
            );
            let mut lines = parts::paragraph(&sentence, Style::new(), columns);
            lines.push(Line::default());
            lines.push(entry_line(look, "code", entry, columns));
            push_error(look, error.as_deref(), columns, &mut lines);
            text_popup(look, "MFA code", lines, 0, None, frame);
        }
        Popup::Typed {
            purpose,
            entry,
            error,
        } => {
            let mut lines = parts::paragraph(purpose.explanation(), Style::new(), columns);
            lines.push(Line::default());
            lines.push(entry_line(look, ">", entry, columns));
            push_error(look, error.as_deref(), columns, &mut lines);
            text_popup(look, purpose.title(), lines, 0, None, frame);
        }
        Popup::SignIn {
            side,
            profile,
            form,
        } => {
            let title = format!("{} on top of {profile}", accounts::word(*side));
            text_popup(
                look,
                &title,
                form_lines(look, form, columns),
                0,
                None,
                frame,
            );
        }
        Popup::Table { table, form } => {
            let title = format!("How {table} is exported");
            text_popup(
                look,
                &title,
                form_lines(look, form, columns),
                0,
                None,
                frame,
            );
        }
    }
}

/// Draws a text in a popup, with a line below it that stays in sight.
fn text_popup(
    look: &Look<'_>,
    title: &str,
    lines: Vec<Line<'static>>,
    first: usize,
    foot: Option<Line<'static>>,
    frame: &mut Frame<'_>,
) {
    let foot_rows = if foot.is_some() { 2 } else { 0 };
    let area = layout::popup(frame.area(), lines.len() + foot_rows);
    frame.render_widget(Clear, area);
    let block = parts::pane(
        look.theme,
        &text::fit(title, usize::from(area.width) - 6),
        true,
    );
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let rows = [
        Constraint::Fill(1),
        Constraint::Length(u16::try_from(foot_rows).unwrap_or(0)),
    ];
    let [text_area, foot_area] = Layout::vertical(rows).areas(inside);
    parts::scrolled(lines, first, text_area, frame);
    if let Some(foot) = foot {
        frame.render_widget(Paragraph::new(vec![Line::default(), foot]), foot_area);
    }
}

fn push_error(
    look: &Look<'_>,
    error: Option<&str>,
    columns: usize,
    lines: &mut Vec<Line<'static>>,
) {
    lines.push(Line::default());
    if let Some(error) = error {
        lines.extend(parts::paragraph(
            &format!("✗ {error}"),
            look.theme.bad(),
            columns,
        ));
    }
}

fn entry_line(
    look: &Look<'_>,
    label: &str,
    entry: &crate::tui::widgets::entry::Entry,
    columns: usize,
) -> Line<'static> {
    let mut spans = vec![Span::styled(format!("{label} "), look.theme.accent())];
    let room = columns.saturating_sub(text::width(label) + 2);
    spans.extend(parts::entry_spans(entry, true, room));
    Line::from(spans)
}

fn answers(theme: Theme, is_yes: bool) -> Line<'static> {
    let button = |word: &'static str, is_marked: bool| {
        if is_marked {
            Span::styled(format!("[ {word} ]"), theme.accent().patch(Theme::strong()))
        } else {
            Span::styled(format!("  {word}  "), Theme::muted())
        }
    };
    Line::from(vec![
        button("y: yes", is_yes),
        Span::raw("  "),
        button("n: no", !is_yes),
    ])
}

const fn question_title(question: &Question) -> &'static str {
    match question {
        Question::Quit => "Quit?",
        Question::LogIn { .. } => "Sign in?",
        Question::Replace(_) => "Replace the file?",
        Question::Start => "Start the export?",
    }
}

/// The text of a question, for counting its lines.
pub(crate) fn question_lines(
    model: &Model,
    question: &Question,
    columns: usize,
) -> Vec<Line<'static>> {
    let look = Look {
        model,
        theme: PLAIN,
    };
    question_text(&look, question, columns)
}

fn question_text(look: &Look<'_>, question: &Question, columns: usize) -> Vec<Line<'static>> {
    let plain = |text: &str| parts::paragraph(text, Style::new(), columns);
    match question {
        Question::Quit => match look.model.run() {
            Some(_) if look.model.is_sandbox && look.model.has_unfinished_exports() => plain(
                "Exports are under way. In the sandbox they end with this process, unless \
                 --sandbox-state keeps it.",
            ),
            Some(run) if look.model.has_unfinished_exports() => plain(&format!(
                "The exports go on at AWS; only the waiting ends. To come back: \
                 `tableferry resume {run}`, or open the wizard again."
            )),
            _ if !look.model.deeds.is_empty() => {
                plain("A call is in flight; its answer is waited for before the end.")
            }
            _ => plain(
                "Nothing was started. What was chosen is lost unless the plan was saved (s in Review).",
            ),
        },
        Question::LogIn {
            side,
            profile,
            command,
            detail,
        } => {
            let mut lines = plain(&format!(
                "{profile} (the {}) is not signed in: {detail}",
                accounts::word(*side)
            ));
            lines.push(Line::default());
            lines.extend(plain(
                "This command renews it; run it here, in this terminal?",
            ));
            lines.push(Line::default());
            lines.extend(parts::paragraph(
                &format!("  {command}"),
                Theme::strong(),
                columns,
            ));
            lines
        }
        Question::Replace(path) => plain(&format!(
            "{} is there already. Replace it with this plan?",
            path.display()
        )),
        Question::Start => start_text(look, columns),
    }
}

fn start_text(look: &Look<'_>, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let Some(briefing) = look.model.review.briefing.value() else {
        return lines;
    };
    if look.model.is_sandbox {
        let note = "This is the sandbox: nothing leaves this process.";
        lines.extend(parts::paragraph(note, look.theme.warning(), columns));
        lines.push(Line::default());
    }
    for line in &briefing.lines {
        lines.extend(parts::paragraph(line, Style::new(), columns));
    }
    lines.push(Line::default());
    lines.extend(super::review::parties(look, columns));
    for run in &briefing.earlier {
        let state = if run.is_open() {
            "is under way"
        } else {
            "was completed"
        };
        let when = format::ago(run.created_at, look.model.now);
        let text = format!(
            "▲ run {} of the same plan {state} (started {when}).",
            run.id
        );
        lines.extend(parts::paragraph(&text, look.theme.warning(), columns));
    }
    lines.push(Line::default());
    let note = "An export cannot be cancelled once it has started, and is billed by size.";
    lines.extend(parts::paragraph(note, Theme::muted(), columns));
    lines
}

fn runs(look: &Look<'_>, cursor: usize, columns: usize) -> Vec<Line<'static>> {
    let theme = look.theme;
    let intro = "These runs were begun and are not finished. Going on repeats a call whose answer \
                 never came, with its token: nothing is exported twice.";
    let mut lines = parts::paragraph(intro, Style::new(), columns);
    lines.push(Line::default());
    for (index, run) in look
        .model
        .open_runs
        .value()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let is_at_cursor = index == cursor;
        let tables: Vec<&str> = run
            .exports
            .iter()
            .map(|export| export.table.as_str())
            .collect();
        let when = format::ago(run.created_at, look.model.now);
        let head = format!(
            "run {}, {when}: {} to {}",
            run.id, run.source, run.destination
        );
        let (sign, style) = if is_at_cursor {
            ("▌ ", theme.accent())
        } else {
            ("  ", Style::new())
        };
        lines.push(Line::from(vec![
            Span::styled(sign, style),
            Span::styled(text::fit(&head, columns.saturating_sub(2)), style),
        ]));
        let tables = text::fit(&tables.join(", "), columns.saturating_sub(4));
        lines.push(Line::styled(format!("    {tables}"), Theme::muted()));
    }
    lines
}

fn form_lines(look: &Look<'_>, form: &Form, columns: usize) -> Vec<Line<'static>> {
    const LABEL: usize = 14;
    let theme = look.theme;
    let mut lines = Vec::new();
    for (index, field) in form.fields.iter().enumerate() {
        let is_focused = index == form.focus;
        let label_style = if is_focused {
            theme.accent()
        } else {
            Theme::muted()
        };
        let mut spans = vec![Span::styled(text::pad(field.label, LABEL), label_style)];
        let room = columns.saturating_sub(LABEL);
        match &field.value {
            Value::Text(entry) if entry.text().is_empty() && !is_focused => {
                spans.push(Span::styled(text::fit(field.hint, room), Theme::muted()));
            }
            Value::Text(entry) => spans.extend(parts::entry_spans(entry, is_focused, room)),
            Value::Choice { options, chosen } => {
                for (place, option) in options.iter().enumerate() {
                    let span = if place == *chosen {
                        Span::styled(
                            format!("[{option}] "),
                            if is_focused {
                                theme.accent()
                            } else {
                                Theme::strong()
                            },
                        )
                    } else {
                        Span::styled(format!(" {option}  "), Theme::muted())
                    };
                    spans.push(span);
                }
            }
        }
        lines.push(Line::from(spans));
    }
    lines.push(Line::default());
    let hint = form.fields.get(form.focus).map_or("", |field| field.hint);
    lines.push(Line::styled(hint, Theme::muted()));
    if let Some(error) = &form.error {
        lines.extend(parts::paragraph(
            &format!("✗ {error}"),
            theme.bad(),
            columns,
        ));
    }
    lines
}

/// The help, for counting its lines.
pub(crate) fn help_lines(model: &Model, columns: usize) -> Vec<Line<'static>> {
    let look = Look {
        model,
        theme: PLAIN,
    };
    help(&look, columns)
}

/// What a narrow screen may have cut: what is under the cursor, and why a side did not sign in.
fn in_full(look: &Look<'_>, columns: usize) -> Vec<Line<'static>> {
    let (title, mut lines) = super::step_detail(look, columns);
    if !lines.is_empty() {
        lines.insert(0, parts::heading(look.theme, &title));
    }
    if look.model.step == Step::Accounts {
        lines.extend(super::accounts::problems(look, columns));
    }
    lines
}

/// What the step is about, the keys of now, then all others.
fn help(look: &Look<'_>, columns: usize) -> Vec<Line<'static>> {
    let mut lines = explain::lines(look, columns);
    lines.push(Line::default());
    lines.extend(in_full(look, columns));
    for scope in help_scopes(look.model) {
        lines.push(Line::default());
        lines.push(parts::heading(
            look.theme,
            &format!("Keys: {}", scope.title()),
        ));
        for binding in look
            .model
            .keymap
            .bindings()
            .iter()
            .filter(|binding| binding.scope == scope)
        {
            let keys: Vec<String> = binding
                .keys
                .iter()
                .map(|key| keymap::key_label(*key))
                .collect();
            lines.push(Line::from(vec![
                Span::styled(
                    text::pad(&keys.join(" "), 22.min(columns / 2)),
                    look.theme.accent(),
                ),
                Span::raw(binding.hint.clone()),
            ]));
        }
    }
    lines
}

fn help_scopes(model: &Model) -> Vec<Scope> {
    let mut scopes = model.step_scopes();
    let all = model.keymap.bindings().iter().map(|binding| binding.scope);
    for scope in std::iter::once(Scope::Always).chain(all) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes
}
