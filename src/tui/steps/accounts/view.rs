//! The Accounts step: both sides beside each other.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::state::{Chosen, ProfileRow, word};
use crate::aws::SignInError;
use crate::aws::profiles::{Profile, ProfileKind};
use crate::tui::model::PRODUCTION;
use crate::tui::model::context::RenderContext;
use crate::tui::remote::Remote;
use crate::tui::services::Identified;
use crate::tui::theme::Theme;
use crate::tui::view::parts;
use crate::tui::view_state::ViewState;
use crate::tui::widgets::text;
use crate::work::event::Side;

/// The rows of a side's box below its profiles.
const PROOF_ROWS: u16 = 6;

pub(crate) fn draw(
    context: &RenderContext<'_>,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let halves = [Constraint::Fill(1), Constraint::Fill(1)];
    let [left, right] = Layout::horizontal(halves).areas(area);
    draw_side(context, Side::Source, left, state, frame);
    draw_side(context, Side::Destination, right, state, frame);
}

fn draw_side(
    context: &RenderContext<'_>,
    side: Side,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let model = context.model;
    let is_focused = model.accounts.focus == side;
    let (name, title) = match side {
        Side::Source => ("source", format!("Source: {}", model.flow.source_role)),
        Side::Destination => ("destination", "Destination: receives".to_owned()),
    };
    let block = parts::side_pane(context.theme, side, &title, is_focused);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let columns = usize::from(inside.width);
    let proof = proof_lines(context, side, columns);
    let most = inside.height.saturating_sub(4);
    let needed = u16::try_from(proof.len() + 1).unwrap_or(most);
    let rows = [
        Constraint::Fill(1),
        Constraint::Length(needed.clamp(PROOF_ROWS.min(most), most)),
    ];
    let [list_area, proof_area] = Layout::vertical(rows).areas(inside);
    draw_list(context, side, name, list_area, state, frame);
    let rule = Line::styled("─".repeat(columns), Theme::muted());
    let mut lines: Vec<Line<'_>> = std::iter::once(rule).chain(proof).collect();
    if lines.len() > usize::from(proof_area.height) {
        lines.truncate(usize::from(proof_area.height).saturating_sub(1));
        lines.push(Line::styled("… ? shows all of it", context.theme.accent()));
    }
    frame.render_widget(Paragraph::new(lines), proof_area);
}

fn draw_list(
    context: &RenderContext<'_>,
    side: Side,
    name: &'static str,
    area: Rect,
    state: &mut ViewState,
    frame: &mut Frame<'_>,
) {
    let accounts = &context.model.accounts;
    let columns = usize::from(area.width);
    let rows = accounts.rows(side);
    let list = &accounts.side(side).list;
    let mut area = area;
    if let Some(line) = parts::filter_line(context, list, rows.len(), columns) {
        let [top, rest] =
            Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        frame.render_widget(Paragraph::new(line), top);
        area = rest;
    }
    if rows.is_empty() {
        frame.render_widget(Paragraph::new(empty(context, columns)), area);
        return;
    }
    let draw_row = |index: usize| match rows.get(index) {
        Some(row) => profile_row(context, side, *row, columns.saturating_sub(2)),
        None => Line::default(),
    };
    let rows = parts::ListRows {
        name,
        count: rows.len(),
        cursor: list.cursor,
        is_focused: accounts.focus == side,
        row: &draw_row,
    };
    parts::rows(context, &rows, area, state, frame);
}

fn empty(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let accounts = &context.model.accounts;
    match accounts.profiles.value() {
        None => vec![parts::waiting(context, "reading the profiles …")],
        Some(profiles) if profiles.usable.is_empty() => {
            let mut lines = parts::paragraph(
                "There are no profiles. `aws configure` or `aws configure sso` makes one; \
                 `tableferry --sandbox` needs none.",
                Style::new(),
                columns,
            );
            for problem in &profiles.problems {
                lines.extend(parts::paragraph(problem, context.theme.bad(), columns));
            }
            lines
        }
        Some(_) => vec![Line::styled("no profile of this name", Theme::muted())],
    }
}

fn profile_row(
    context: &RenderContext<'_>,
    side: Side,
    row: ProfileRow<'_>,
    columns: usize,
) -> Line<'static> {
    let theme = context.theme;
    let chosen = &context.model.accounts.side(side).chosen;
    match row {
        ProfileRow::Usable(profile) => {
            let is_chosen = matches!(chosen, Chosen::Profile { sign_in, .. } if sign_in.profile == profile.name);
            let kind = kind_text(profile, columns);
            let room = columns.saturating_sub(2 + text::width(&kind) + 1);
            let name = text::pad(&profile.name, room);
            Line::from(vec![
                Span::styled(if is_chosen { "● " } else { "  " }, theme.side(side)),
                if is_chosen {
                    Span::styled(name, theme.side(side))
                } else {
                    Span::raw(name)
                },
                Span::styled(format!(" {kind}"), Theme::muted()),
            ])
        }
        ProfileRow::Without => {
            let is_chosen = matches!(chosen, Chosen::Without);
            Line::from(vec![
                Span::styled(if is_chosen { "● " } else { "  " }, theme.side(side)),
                Span::styled("– without a profile", Theme::muted()),
            ])
        }
        ProfileRow::Ignored(profile) => Line::from(vec![
            Span::styled("✗ ", theme.bad()),
            Span::styled(
                text::fit(&profile.name, columns.saturating_sub(10)),
                Theme::muted(),
            ),
            Span::styled(" ignored", Theme::muted()),
        ]),
    }
}

/// The kind, and the Region where there is room.
fn kind_text(profile: &Profile, columns: usize) -> String {
    let kind = profile.kind.label();
    match &profile.region {
        Some(region) if columns >= 44 => format!("{kind:<12} {:<14}", region.as_str()),
        _ => kind.to_owned(),
    }
}

/// Who the side proved to be, or why not.
fn proof_lines(context: &RenderContext<'_>, side: Side, columns: usize) -> Vec<Line<'static>> {
    match &context.model.accounts.side(side).chosen {
        Chosen::Nothing => vec![Line::styled("no profile selected", Theme::muted())],
        Chosen::Without => parts::paragraph(
            "Without a profile the bucket cannot be read: its name and owner are taken from you, \
             and the export is not verified.",
            Theme::muted(),
            columns,
        ),
        Chosen::Profile { sign_in, proof } => match &**proof {
            Remote::Loaded(known) | Remote::Stale(known, _) => {
                identity_lines(context, known, columns)
            }
            Remote::Refused(error) | Remote::Failed(error) => error_lines(context, error, columns),
            Remote::NotAsked | Remote::Loading(_) => {
                let room = columns.saturating_sub(16);
                let profile = text::fit(&sign_in.profile, room);
                vec![parts::waiting(context, &format!("signing in: {profile} …"))]
            }
        },
    }
}

fn identity_lines(
    context: &RenderContext<'_>,
    known: &Identified,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    let account = &known.identity.account;
    let mut lines = vec![Line::from(vec![
        Span::styled("✓ ", theme.good()),
        Span::styled(account.to_string(), Theme::strong()),
        Span::styled(format!("  {}", known.region), Theme::muted()),
    ])];
    if let Some(name) = context.model.production.get(account) {
        let mark = text::fit(&format!("{PRODUCTION}: {name}"), columns);
        lines.push(Line::styled(mark, theme.warning()));
    }
    let who = text::fit_middle(&known.identity.arn.resource, columns);
    lines.push(Line::raw(who));
    if let Some(end) = known.expires_at {
        let left = end.duration_since(context.model.now);
        let sentence = if left.is_negative() {
            "session has ended".to_owned()
        } else {
            format!("session ends in {} min", left.as_mins())
        };
        let is_short = left.as_mins() < 15;
        lines.push(Line::styled(
            sentence,
            if is_short {
                theme.warning()
            } else {
                Theme::muted()
            },
        ));
    }
    for (service, url) in &known.endpoints {
        let endpoint = format!("▲ {service}: {url}");
        lines.extend(parts::paragraph(&endpoint, theme.warning(), columns));
    }
    for warning in &known.warnings {
        let warning = format!("▲ {warning}");
        lines.extend(parts::paragraph(&warning, theme.warning(), columns));
    }
    lines
}

fn error_lines(
    context: &RenderContext<'_>,
    error: &SignInError,
    columns: usize,
) -> Vec<Line<'static>> {
    let theme = context.theme;
    match error {
        SignInError::CodeRefused { failure, .. } | SignInError::Call(failure) => {
            parts::failure(theme, failure, columns)
        }
        SignInError::MfaRequired { serial, .. } => {
            let sentence = format!("▲ a code of {serial} is needed: Enter asks for it");
            parts::paragraph(&sentence, theme.warning(), columns)
        }
        SignInError::LoginRequired {
            command, detail, ..
        } => {
            let mut lines =
                parts::paragraph(&format!("✗ not signed in: {detail}"), theme.bad(), columns);
            lines.extend(parts::paragraph(
                &format!("hint: {command}"),
                Style::new(),
                columns,
            ));
            lines
        }
        SignInError::Profile { message, hint } => {
            let mut lines = parts::paragraph(&format!("✗ {message}"), theme.bad(), columns);
            lines.extend(parts::paragraph(
                &format!("hint: {hint}"),
                Style::new(),
                columns,
            ));
            lines
        }
    }
}

/// Everything that is wrong with the files and the sides, in full.
pub(crate) fn problems(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let accounts = &context.model.accounts;
    let mut lines = Vec::new();
    for problem in accounts
        .profiles
        .value()
        .map_or(&[][..], |profiles| &profiles.problems)
    {
        lines.push(Line::default());
        lines.extend(parts::paragraph(problem, context.theme.bad(), columns));
    }
    for side in [Side::Source, Side::Destination] {
        if let Chosen::Profile { sign_in, proof } = &accounts.side(side).chosen
            && let Some(error) = proof.error()
        {
            lines.push(Line::default());
            let heading = format!("{}: {}", word(side), sign_in.profile);
            lines.push(parts::heading(context.theme, &text::clean(&heading)));
            lines.extend(error_lines(context, error, columns));
        }
    }
    lines
}

/// What is known of the profile under the cursor.
pub(crate) fn detail(context: &RenderContext<'_>, columns: usize) -> (String, Vec<Line<'static>>) {
    let theme = context.theme;
    let accounts = &context.model.accounts;
    match accounts.row(accounts.focus) {
        Some(ProfileRow::Usable(profile)) => (
            profile.name.clone(),
            profile_detail(context, profile, columns),
        ),
        Some(ProfileRow::Ignored(profile)) => {
            let mut lines = parts::paragraph(&profile.reason, theme.warning(), columns);
            lines.extend(parts::fact("where", &profile.place, Style::new(), columns));
            (profile.name.clone(), lines)
        }
        Some(ProfileRow::Without) => ("No profile".to_owned(), Vec::new()),
        None => (word(accounts.focus).to_owned(), Vec::new()),
    }
}

fn profile_detail(
    _look: &RenderContext<'_>,
    profile: &Profile,
    columns: usize,
) -> Vec<Line<'static>> {
    let kind = match &profile.kind {
        ProfileKind::Role { from } => format!("a role, assumed from {from}"),
        kind => kind.label().to_owned(),
    };
    let mut lines = Vec::new();
    let mut add = |label: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.extend(parts::fact(label, &value, Style::new(), columns));
        }
    };
    add("signs in by", Some(kind));
    let region = profile.region.as_ref().map(ToString::to_string);
    add(
        "Region",
        Some(region.unwrap_or_else(|| "none: give one with e".to_owned())),
    );
    add("role", profile.role_arn.as_ref().map(ToString::to_string));
    add("MFA device", profile.mfa_serial.clone());
    for (service, url) in &profile.endpoints {
        add("endpoint", Some(format!("{service}: {url}")));
    }
    add("where", Some(profile.place.clone()));
    lines
}
