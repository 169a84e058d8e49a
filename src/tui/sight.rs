//! What the operator has in sight: what takes no key before it was drawn, and what is scrolled.
//!
//! This module decides whether a key was meant for what it would go to. What changes something takes
//! no key that was on its way when it opened.

use super::keymap::Action;
use super::message::FrameNumber;

/// The number of something on the screen, given once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct ScreenId(u64);

/// A move in a text that a key asked for. The view makes it when it draws the text, since it alone
/// knows how many lines there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scroll {
    /// Counted from 1, so that each is made once.
    pub(crate) number: u64,
    pub(crate) text: ScreenId,
    pub(crate) action: Action,
}

/// What was numbered, drawn and scrolled so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sight {
    last_id: u64,
    /// What is guarded and in sight, and the frame that showed it first.
    guarded: Option<(ScreenId, FrameNumber)>,
    /// The moves that no frame shows yet.
    scrolls: Vec<Scroll>,
    last_scroll: u64,
    /// How many rows of the list with the focus the last frame showed.
    pub(crate) page: usize,
}

impl Sight {
    /// A number for something new on the screen.
    pub(crate) const fn id(&mut self) -> ScreenId {
        self.last_id += 1;
        ScreenId(self.last_id)
    }

    /// Takes that a frame was drawn, in which this is guarded and so many rows are in sight.
    pub(crate) fn note_drawn(
        &mut self,
        frame: FrameNumber,
        guarded: Option<ScreenId>,
        page: usize,
    ) {
        let known = self.guarded.filter(|(id, _)| guarded == Some(*id));
        self.guarded = known.or_else(|| Some((guarded?, frame)));
        self.scrolls.clear();
        self.page = page;
    }

    /// Whether a key that was read after this frame was meant for what is guarded now.
    pub(crate) fn is_meant(&self, guarded: ScreenId, seen: FrameNumber) -> bool {
        self.guarded
            .is_some_and(|(shown, first)| shown == guarded && seen >= first)
    }

    /// Asks for a move in a text, if the action is one; the next frame shows it.
    pub(crate) fn scroll(&mut self, text: ScreenId, action: Action) {
        if action.is_move() {
            self.last_scroll += 1;
            self.scrolls.push(Scroll {
                number: self.last_scroll,
                text,
                action,
            });
        }
    }

    pub(crate) fn scrolls(&self) -> &[Scroll] {
        &self.scrolls
    }
}
