//! What frames every step: the header, the steps, the status line and the hint bar.

use std::cmp::Ordering;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::Look;
use crate::tui::consent::Stage;
use crate::tui::keymap::{self, Binding};
use crate::tui::model::{Model, PRODUCTION, Tone};
use crate::tui::steps::Step;
use crate::tui::steps::accounts::Chosen;
use crate::tui::theme::Theme;
use crate::tui::update::{self, can_advance, is_offered};
use crate::tui::widgets::{format, text};
use crate::work::event::Side;

/// The program's name, SANDBOX, the step, and below them both accounts.
pub(crate) fn header(look: &Look<'_>, area: Rect, frame: &mut Frame<'_>) {
    let model = look.model;
    let theme = look.theme;
    let mut spans = vec![Span::raw(" "), Span::styled("tableferry", Theme::strong())];
    if model.is_sandbox {
        spans.extend([Span::raw("  "), Span::styled(" SANDBOX ", theme.badge())]);
    }
    if model.is_read_only {
        spans.extend([Span::raw("  "), Span::styled("read-only", theme.warning())]);
    }
    let step = format!(
        "{} · step {} of {} ",
        model.step.title(),
        model.step.number(),
        Step::ALL.len()
    );
    let left: usize = spans.iter().map(|span| text::width(&span.content)).sum();
    let gap = usize::from(area.width).saturating_sub(left + text::width(&step));
    spans.push(Span::raw(" ".repeat(gap)));
    spans.push(Span::styled(step, Theme::muted()));
    let lines = vec![Line::from(spans), accounts(look, usize::from(area.width))];
    frame.render_widget(Paragraph::new(lines), area);
}

/// Both accounts, in as many words as fit.
fn accounts(look: &Look<'_>, columns: usize) -> Line<'static> {
    let arrow = " ━━▶ ";
    let room = columns.saturating_sub(2 + text::width(arrow));
    let sides = [Side::Source, Side::Destination].map(|side| side_texts(look.model, side));
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
    spans.extend(side_spans(look, Side::Source, &left));
    spans.push(Span::styled(arrow, Theme::muted()));
    spans.extend(side_spans(look, Side::Destination, &right));
    Line::from(spans)
}

/// A side in its colour, the mark of production in that of a warning.
fn side_spans(look: &Look<'_>, side: Side, words: &str) -> Vec<Span<'static>> {
    let style = look.theme.side(side);
    let span = |text: &str| Span::styled(text.to_owned(), style);
    match words.split_once(PRODUCTION) {
        Some((before, after)) => vec![
            span(before),
            Span::styled(PRODUCTION, look.theme.warning()),
            span(after),
        ],
        None => vec![span(words)],
    }
}

/// A side in words, the longest first.
fn side_texts(model: &Model, side: Side) -> [String; 4] {
    let word = crate::tui::steps::accounts::word(side);
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
pub(crate) fn steps(look: &Look<'_>, area: Rect, frame: &mut Frame<'_>) {
    let theme = look.theme;
    let current = look.model.step;
    let mut lines = vec![Line::default()];
    for step in Step::ALL {
        let (sign, sign_style, style) = match step.cmp(&current) {
            Ordering::Less => ("✓", theme.good(), Style::new()),
            Ordering::Equal => ("●", theme.accent(), theme.accent()),
            Ordering::Greater => ("○", Theme::muted(), Theme::muted()),
        };
        lines.push(Line::from(vec![
            Span::raw(" "),
            Span::styled(sign, sign_style),
            Span::raw(" "),
            Span::styled(step.title(), style),
        ]));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// What was just said, or what is missing before one can go on.
pub(crate) fn status(look: &Look<'_>, area: Rect, frame: &mut Frame<'_>) {
    let theme = look.theme;
    let columns = usize::from(area.width).saturating_sub(3);
    let line = match &look.model.notice {
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
        None if look.model.changing.is_some() => changing(look, columns),
        None => match can_advance(look.model) {
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
fn changing(look: &Look<'_>, columns: usize) -> Line<'static> {
    let Some(changing) = &look.model.changing else {
        return Line::default();
    };
    let title = &changing.title;
    let text = match changing.stage {
        Stage::Writing(_) => format!("writing: {title} …"),
        Stage::TakingAway(_) => format!("taking away: {title} …"),
        Stage::Probing(_) => {
            let since = format::duration(look.model.now.duration_since(changing.since));
            format!("probing, {since}: {title}")
        }
        Stage::Holding(_) => {
            let since = format::duration(look.model.now.duration_since(changing.since));
            format!("written, and waiting until it holds, {since}: {title}")
        }
    };
    Line::styled(
        format!(" {} {}", look.spinner(), text::fit(&text, columns)),
        look.theme.accent(),
    )
}

/// The keys that mean something now, cut by priority to the width.
pub(crate) fn hints(look: &Look<'_>, area: Rect, frame: &mut Frame<'_>) {
    let mut spans = vec![Span::raw(" ")];
    for (key, hint) in fitting_hints(look.model, usize::from(area.width).saturating_sub(2)) {
        spans.push(Span::styled(key, look.theme.accent()));
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
        let columns_needed = text::width(&key) + 1 + text::width(&binding.hint);
        let gap = if fitting.is_empty() { 0 } else { 3 };
        if used + gap + columns_needed <= columns {
            used += gap + columns_needed;
            fitting.push((key, binding.hint.clone()));
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
            .action(&scopes, *key, |action| update::is_possible(model, action));
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
