//! What drawing needs to know.

use super::Model;
use crate::tui::theme::Theme;

/// What drawing needs to know.
#[derive(Clone, Copy)]
pub(crate) struct RenderContext<'a> {
    pub(crate) model: &'a Model,
    pub(crate) theme: Theme,
}

impl RenderContext<'_> {
    /// The picture of something that goes on.
    pub(crate) fn spinner(&self) -> &'static str {
        self.theme.spinner(self.model.now.as_millisecond())
    }
}
