//! What the terminal can: its size, colours, signs, and the clipboard.

use std::io::IsTerminal as _;
use std::process::{Command, Stdio};

use super::finding::{Finding, State};
use crate::commands::output;
use crate::tui::SMALLEST;
use crate::tui::theme::Theme;

const TERMINAL: &str = "terminal";

pub(super) fn terminal() -> Vec<Finding> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if !(std::io::stdin().is_terminal() && output::is_terminal()) {
        let words = "standard input or output is none: commands work, the wizard needs one";
        return vec![Finding::right(TERMINAL, "terminal", words)];
    }
    let name = variable("TERM").unwrap_or_else(|| "TERM is not set".to_owned());
    let mut findings = vec![Finding::right(TERMINAL, "TERM", name)];
    findings.extend(crossterm::terminal::size().ok().map(size));
    let theme = Theme::from_environment(|name| std::env::var(name).ok());
    let colours = if theme.has_colours {
        "sixteen are used, the terminal's own"
    } else {
        "none: NO_COLOR is set"
    };
    findings.push(Finding::right(TERMINAL, "colours", colours));
    let signs = if theme.is_ascii {
        "ASCII: neither LC_ALL, LC_CTYPE nor LANG names UTF-8, or TERM cannot show it"
    } else {
        "UTF-8"
    };
    findings.push(Finding::right(TERMINAL, "signs", signs));
    findings.push(clipboard(
        variable("TMUX").is_some(),
        variable("STY").is_some(),
        tmux_setting,
    ));
    findings
}

fn size((columns, rows): (u16, u16)) -> Finding {
    let words = format!("{columns}×{rows}");
    let (least_columns, least_rows) = SMALLEST;
    if columns >= least_columns && rows >= least_rows {
        return Finding::right(TERMINAL, "size", words);
    }
    Finding::new(TERMINAL, State::Notable, "size", words).hint(format!(
        "the wizard needs {least_columns}×{least_rows}; commands do not"
    ))
}

/// Whether what the wizard copies (OSC 52) reaches the clipboard.
fn clipboard(
    is_tmux: bool,
    is_screen: bool,
    tmux_setting: impl FnOnce() -> Option<String>,
) -> Finding {
    if is_screen && !is_tmux {
        let words = "GNU screen passes OSC 52 on to no terminal";
        return Finding::new(TERMINAL, State::Notable, "clipboard", words)
            .hint("copy with the mouse, or use tmux");
    }
    if !is_tmux {
        let words = "OSC 52; whether the terminal takes it, it does not say";
        return Finding::right(TERMINAL, "clipboard", words);
    }
    match tmux_setting().as_deref() {
        Some("on") => Finding::right(TERMINAL, "clipboard", "OSC 52, which tmux passes on"),
        setting => {
            let setting = setting.unwrap_or("not known");
            let words =
                format!("tmux's set-clipboard is {setting}: what the wizard copies may be lost");
            Finding::new(TERMINAL, State::Notable, "clipboard", words)
                .hint("`tmux set -s set-clipboard on`, or that line in ~/.tmux.conf")
        }
    }
}

/// What tmux says of its own setting.
fn tmux_setting() -> Option<String> {
    let answer = Command::new("tmux")
        .args(["show-options", "-sv", "set-clipboard"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// tmux's manual: `external` ignores what programs inside ask for.
    #[test]
    fn under_tmux_the_clipboard_is_reached_only_where_set_clipboard_is_on() {
        let state =
            |setting: Option<&str>| clipboard(true, false, || setting.map(str::to_owned)).state;
        assert_eq!(state(Some("on")), State::Right);
        assert_eq!(state(Some("external")), State::Notable);
        assert_eq!(state(Some("off")), State::Notable);
        assert_eq!(state(None), State::Notable);
    }

    #[test]
    fn a_terminal_that_is_too_small_for_the_wizard_is_told() {
        assert_eq!(size((60, 16)).state, State::Right);
        assert_eq!(size((59, 16)).state, State::Notable);
    }
}
