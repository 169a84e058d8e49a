//! What frames every step: the header, the steps, the status line and the hint bar.

use std::cmp::Ordering;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::parts;
use crate::tui::actions::{is_offered, is_possible};
use crate::tui::changes::state::ChangePhase;
use crate::tui::keymap::{self, Binding};
use crate::tui::model::context::RenderContext;
use crate::tui::model::{Model, PRODUCTION, Tone};
use crate::tui::steps::accounts::state::{Chosen, word};
use crate::tui::theme::Theme;
use crate::tui::widgets::{format, text};
use crate::work::event::Side;

/// The program's name, SANDBOX, the step, and below them both accounts.
pub(crate) fn header(context: &RenderContext<'_>, area: Rect, frame: &mut Frame<'_>) {
    let model = context.model;
    let theme = context.theme;
    let mut spans = vec![Span::raw(" "), Span::styled("tableferry", Theme::strong())];
    if model.is_sandbox {
        spans.extend([Span::raw("  "), Span::styled(" SANDBOX ", theme.badge())]);
    }
    if model.is_read_only {
        spans.extend([Span::raw("  "), Span::styled("read-only", theme.warning())]);
    }
    let step = match model.flow.steps.len() {
        1 => format!("{} ", model.step.title),
        steps => format!(
            "{} · step {} of {steps} ",
            model.step.title,
            model.flow.place(model.step) + 1
        ),
    };
    let left: usize = spans.iter().map(|span| text::width(&span.content)).sum();
    let gap = usize::from(area.width).saturating_sub(left + text::width(&step));
    spans.push(Span::raw(" ".repeat(gap)));
    spans.push(Span::styled(step, Theme::muted()));
    let lines = vec![
        Line::from(spans),
        accounts(context, usize::from(area.width)),
    ];
    frame.render_widget(Paragraph::new(lines), area);
}

/// Both accounts, in as many words as fit.
fn accounts(context: &RenderContext<'_>, columns: usize) -> Line<'static> {
    let arrow = " ━━▶ ";
    let room = columns.saturating_sub(2 + text::width(arrow));
    let sides = [Side::Source, Side::Destination].map(|side| side_texts(context.model, side));
    let [source, destination] = sides;
    let (left, right) = source
        .iter()
        .zip(&destination)
        .find(|(left, right)| text::width(left) + text::width(right) <= room)
        .map_or_else(
            || {
                let half = room / 2;
                let last = |texts: &[String]| texts.last().cloned().unwrap_or_default();
                (
                    text::fit(&last(&source), half),
                    text::fit(&last(&destination), half),
                )
            },
            |(left, right)| (left.clone(), right.clone()),
        );
    let mut spans = vec![Span::raw(" ")];
    spans.extend(side_spans(context, Side::Source, &left));
    spans.push(Span::styled(arrow, Theme::muted()));
    spans.extend(side_spans(context, Side::Destination, &right));
    Line::from(spans)
}

/// A side in its colour, the mark of production in that of a warning.
fn side_spans(context: &RenderContext<'_>, side: Side, words: &str) -> Vec<Span<'static>> {
    let style = context.theme.side(side);
    let span = |text: &str| Span::styled(text.to_owned(), style);
    match words.split_once(PRODUCTION) {
        Some((before, after)) => vec![
            span(before),
            Span::styled(PRODUCTION, context.theme.warning()),
            span(after),
        ],
        None => vec![span(words)],
    }
}

/// A side in words, the longest first.
fn side_texts(model: &Model, side: Side) -> [String; 4] {
    let word = word(side);
    let account = model.accounts.side(side);
    let short = match (&account.chosen, account.identified()) {
        (Chosen::Profile { sign_in, .. }, Some(known)) => {
            let profile = text::clean(&sign_in.profile).into_owned();
            let account = model.named(&known.identity.account);
            let endpoint = if known.endpoints.is_empty() {
                ""
            } else {
                " ▲ endpoint"
            };
            return [
                format!("{word} {profile} {account} {}{endpoint}", known.region),
                format!("{profile} {account} {}{endpoint}", known.region),
                format!("{profile} {account}{endpoint}"),
                format!("{account}{endpoint}"),
            ];
        }
        (Chosen::Profile { sign_in, proof }, None) if proof.is_loading() => {
            format!("{} …", text::clean(&sign_in.profile))
        }
        (Chosen::Profile { sign_in, .. }, None) => {
            format!("{} ✗", text::clean(&sign_in.profile))
        }
        (Chosen::Without, _) => "no profile".to_owned(),
        (Chosen::Nothing, _) => "–".to_owned(),
    };
    let long = format!("{word} {short}");
    [long.clone(), long.clone(), long, short]
}

/// The steps, each with its state.
pub(crate) fn steps(context: &RenderContext<'_>, area: Rect, frame: &mut Frame<'_>) {
    let theme = context.theme;
    let flow = context.model.flow;
    let current = flow.place(context.model.step);
    let mut lines = vec![Line::default()];
    for (place, step) in flow.steps.iter().enumerate() {
        let (sign, sign_style, style) = match place.cmp(&current) {
            Ordering::Less => ("✓", theme.good(), Style::new()),
            Ordering::Equal => ("●", theme.accent(), theme.accent()),
            Ordering::Greater => ("○", Theme::muted(), Theme::muted()),
        };
        lines.push(Line::from(vec![
            Span::raw(" "),
            Span::styled(sign, sign_style),
            Span::raw(" "),
            Span::styled(step.title, style),
        ]));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// What was just said, or what is missing before one can go on.
pub(crate) fn status(context: &RenderContext<'_>, area: Rect, frame: &mut Frame<'_>) {
    let theme = context.theme;
    let columns = usize::from(area.width).saturating_sub(3);
    let line = match &context.model.notice {
        Some(notice) => {
            let (sign, style) = match notice.tone {
                Tone::Good => ("✓", theme.good()),
                Tone::Plain => ("·", Theme::strong()),
                Tone::Warning => ("▲", theme.warning()),
                Tone::Bad => ("✗", theme.bad()),
            };
            Line::styled(
                format!(" {sign} {}", text::fit(&notice.text, columns)),
                style,
            )
        }
        None if context.model.changes.under_way.is_some() => changing(context, columns),
        None => match (context.model.step.check)(context.model) {
            Err(blocker) => {
                let sentence = format!("to go on: {} — {}", blocker.what, blocker.hint);
                Line::styled(
                    format!("   {}", text::fit(&sentence, columns)),
                    Theme::muted(),
                )
            }
            Ok(()) => Line::default(),
        },
    };
    frame.render_widget(Paragraph::new(line), area);
}

/// The change under way, and for how long.
fn changing(context: &RenderContext<'_>, columns: usize) -> Line<'static> {
    let Some(changing) = &context.model.changes.under_way else {
        return Line::default();
    };
    let title = &changing.title;
    let text = match changing.stage {
        ChangePhase::Writing => format!("writing: {title} …"),
        ChangePhase::TakingAway => format!("taking away: {title} …"),
        ChangePhase::Probing => {
            let since = format::duration(context.model.now.duration_since(changing.since));
            format!("probing, {since}: {title}")
        }
        ChangePhase::Propagating(_) => {
            let since = format::duration(context.model.now.duration_since(changing.since));
            format!("written, and waiting until it holds, {since}: {title}")
        }
    };
    Line::styled(
        format!(" {} {}", context.spinner(), text::fit(&text, columns)),
        context.theme.accent(),
    )
}

/// The keys that mean something now, cut by priority to the width.
pub(crate) fn hints(context: &RenderContext<'_>, area: Rect, frame: &mut Frame<'_>) {
    let mut spans = vec![Span::raw(" ")];
    for (key, hint) in fitting_hints(context.model, usize::from(area.width).saturating_sub(2)) {
        spans.push(Span::styled(key, context.theme.accent()));
        spans.push(Span::styled(format!(" {hint}   "), Theme::muted()));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// The hints that fit, in order of their priority.
fn fitting_hints(model: &Model, columns: usize) -> Vec<(String, String)> {
    let mut used = 0;
    let mut fitting = Vec::new();
    for binding in offered(model) {
        let Some(key) = binding.keys.first() else {
            continue;
        };
        let key = keymap::key_label(*key);
        let hint = parts::hint(model, binding);
        let columns_needed = text::width(&key) + 1 + text::width(&hint);
        let gap = if fitting.is_empty() { 0 } else { 3 };
        if used + gap + columns_needed <= columns {
            used += gap + columns_needed;
            fitting.push((key, hint));
        }
    }
    fitting
}

/// The bindings that are offered now, the most important first; of those on one key only the one
/// that it means.
fn offered(model: &Model) -> Vec<&Binding> {
    let scopes = model.scopes();
    let mut bindings: Vec<&Binding> = Vec::new();
    for binding in model.keymap.in_scopes(&scopes) {
        let Some(key) = binding.keys.first() else {
            continue;
        };
        let means = model
            .keymap
            .action(&scopes, *key, |action| is_possible(model, action));
        let is_said = bindings.iter().any(|said| said.action == binding.action);
        if binding.priority > 0
            && means == Some(binding.action)
            && is_offered(model, binding.action)
            && !is_said
        {
            bindings.push(binding);
        }
    }
    bindings.sort_by_key(|binding| std::cmp::Reverse(binding.priority));
    bindings
}
