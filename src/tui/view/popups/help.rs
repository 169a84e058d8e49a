//! The help: what the step is about, what is cut elsewhere, and all keys.

use ratatui::text::{Line, Span};

use crate::tui::keymap::{self, Scope};
use crate::tui::model::Model;
use crate::tui::steps::Step;
use crate::tui::view::{self, Look, explain, parts};
use crate::tui::widgets::text::pad;

/// How many lines the help has.
pub(crate) fn line_count(model: &Model, columns: usize) -> usize {
    text(&Look::plain(model), columns).len()
}

/// What a narrow screen may have cut: what is under the cursor, and why a side did not sign in.
fn in_full(look: &Look<'_>, columns: usize) -> Vec<Line<'static>> {
    let (title, mut lines) = view::step_detail(look, columns);
    if !lines.is_empty() {
        lines.insert(0, parts::heading(look.theme, &title));
    }
    if look.model.step == Step::Accounts {
        lines.extend(view::accounts::problems(look, columns));
    }
    lines
}

/// What the step is about, the keys of now, then all others.
pub(super) fn text(look: &Look<'_>, columns: usize) -> Vec<Line<'static>> {
    let mut lines = explain::lines(look, columns);
    lines.push(Line::default());
    lines.extend(in_full(look, columns));
    for scope in scopes(look.model) {
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
                    pad(&keys.join(" "), 22.min(columns / 2)),
                    look.theme.accent(),
                ),
                Span::raw(binding.hint.clone()),
            ]));
        }
    }
    lines
}

fn scopes(model: &Model) -> Vec<Scope> {
    let mut scopes = model.step_scopes();
    let all = model.keymap.bindings().iter().map(|binding| binding.scope);
    for scope in std::iter::once(Scope::Always).chain(all) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes
}
