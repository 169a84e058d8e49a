//! Colours and signs: the terminal's own sixteen colours, so that they suit its background.
//!
//! Without colours (`NO_COLOR`) bold, dim and reversed say the same. Where the locale is not UTF-8,
//! the frame is translated to ASCII as a last step.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use crate::work::event::Side;

/// How the wizard looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Whether colours may be used.
    pub has_colours: bool,
    /// Whether only ASCII may be drawn.
    pub is_ascii: bool,
}

impl Theme {
    /// The look that the environment asks for: `NO_COLOR`, and the locale.
    #[must_use]
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| given(name));
        let is_utf8 = locale.is_none_or(|locale| {
            let locale = locale.to_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        let is_bare = given("TERM").is_some_and(|term| term == "linux" || term == "dumb");
        Self {
            has_colours: given("NO_COLOR").is_none(),
            is_ascii: !is_utf8 || is_bare,
        }
    }

    fn coloured(self, colour: Color, without: Modifier) -> Style {
        if self.has_colours {
            Style::new().fg(colour)
        } else {
            Style::new().add_modifier(without)
        }
    }

    /// The colour of a side.
    pub(crate) fn side(self, side: Side) -> Style {
        match side {
            Side::Source => self.coloured(Color::Cyan, Modifier::empty()),
            Side::Destination => self.coloured(Color::Magenta, Modifier::empty()),
        }
    }

    /// What is done or right.
    pub(crate) fn good(self) -> Style {
        self.coloured(Color::Green, Modifier::empty())
    }

    /// What deserves a thought.
    pub(crate) fn warning(self) -> Style {
        self.coloured(Color::Yellow, Modifier::BOLD)
    }

    /// What went wrong.
    pub(crate) fn bad(self) -> Style {
        self.coloured(Color::Red, Modifier::BOLD)
    }

    /// A verdict that something is denied.
    pub(crate) fn denied(self) -> Style {
        self.bad()
    }

    /// What has the focus.
    pub(crate) fn accent(self) -> Style {
        self.coloured(Color::LightBlue, Modifier::BOLD)
    }

    /// Titles and what matters most.
    pub(crate) const fn strong() -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is there to be looked up.
    pub(crate) const fn muted() -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The row under the cursor.
    pub(crate) const fn cursor(self) -> Style {
        if self.has_colours {
            Style::new().add_modifier(Modifier::BOLD)
        } else {
            Style::new().add_modifier(Modifier::REVERSED)
        }
    }

    /// The sign that nothing here is real.
    pub(crate) fn badge(self) -> Style {
        self.coloured(Color::Yellow, Modifier::BOLD)
            .add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    /// A border.
    pub(crate) fn border(self, is_focused: bool) -> Style {
        if is_focused {
            self.accent()
        } else {
            Self::muted()
        }
    }

    /// The picture of the spinner for this moment.
    pub(crate) fn spinner(self, millisecond: i64) -> &'static str {
        const SMOOTH: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
        const PLAIN: [&str; 4] = ["|", "/", "-", "\\"];
        let beat = usize::try_from(millisecond.rem_euclid(12_000) / 120).unwrap_or(0);
        let pictures: &[&str] = if self.is_ascii { &PLAIN } else { &SMOOTH };
        pictures.get(beat % pictures.len()).copied().unwrap_or("*")
    }

    /// Translates a drawn frame to ASCII, where nothing else may be drawn.
    pub(crate) fn translate(self, buffer: &mut Buffer) {
        if !self.is_ascii {
            return;
        }
        for cell in &mut buffer.content {
            if !cell.symbol().is_ascii() {
                let plain = ascii(cell.symbol());
                cell.set_symbol(plain);
            }
        }
    }
}

fn ascii(symbol: &str) -> &'static str {
    match symbol {
        "╭" | "╮" | "╰" | "╯" | "✓" | "├" | "┤" => "+",
        "─" | "━" | "–" | "—" | "←" => "-",
        "│" | "┃" | "█" => "|",
        "▌" | "▶" | "→" | "›" => ">",
        "✗" | "×" => "x",
        "●" => "*",
        "○" => "o",
        "▲" => "!",
        "…" | "·" => ".",
        "↑" => "^",
        "↓" => "v",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(variables: &[(&str, &str)]) -> Theme {
        Theme::from_environment(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn no_color_is_honoured_unless_it_is_empty() {
        assert!(theme(&[]).has_colours);
        assert!(theme(&[("NO_COLOR", "")]).has_colours);
        assert!(!theme(&[("NO_COLOR", "1")]).has_colours);
    }

    #[test]
    fn without_colours_no_style_has_one() {
        let theme = theme(&[("NO_COLOR", "1")]);
        for style in [
            theme.good(),
            theme.bad(),
            theme.badge(),
            theme.side(Side::Source),
        ] {
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        assert!(!theme(&[("LANG", "de_DE.UTF-8")]).is_ascii);
        assert!(theme(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]).is_ascii);
        assert!(theme(&[("TERM", "linux")]).is_ascii);
        assert!(!theme(&[]).is_ascii);
    }
}
