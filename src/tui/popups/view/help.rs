//! The help: what the step is about, what is cut elsewhere, and all keys.

use ratatui::text::{Line, Span};

use crate::tui::keymap::{self, KeyScope};
use crate::tui::model::Model;
use crate::tui::model::context::RenderContext;
use crate::tui::view::{explain, parts};
use crate::tui::widgets::text::pad;

/// What a narrow screen may have cut: what is under the cursor, and why a side did not sign in.
fn in_full(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let step = context.model.step;
    let (title, mut lines) = (step.detail)(context, columns);
    if !lines.is_empty() {
        lines.insert(0, parts::heading(context.theme, &title));
    }
    lines.extend((step.in_full)(context, columns));
    lines
}

/// What the step is about, the keys of now, then all others.
pub(super) fn text(context: &RenderContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let mut lines = explain::lines(context, columns);
    lines.push(Line::default());
    lines.extend(in_full(context, columns));
    for scope in scopes(context.model) {
        lines.push(Line::default());
        lines.push(parts::heading(
            context.theme,
            &format!("Keys: {}", scope.title()),
        ));
        for binding in context
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
                    context.theme.accent(),
                ),
                Span::raw(parts::hint(context.model, binding)),
            ]));
        }
    }
    lines
}

fn scopes(model: &Model) -> Vec<KeyScope> {
    let mut scopes = model.step_scopes();
    let all = model.keymap.bindings().iter().map(|binding| binding.scope);
    for scope in std::iter::once(KeyScope::Always).chain(all) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes
}
