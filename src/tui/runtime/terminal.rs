//! The terminal: taken over whole, and given back whatever happens.

#![expect(
    clippy::disallowed_methods,
    reason = "the terminal is taken over whole; every frame is scrubbed before it is drawn"
)]

use std::future::poll_fn;
use std::io::{self, IsTerminal, Stdout, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use crossterm::cursor::Show;
use crossterm::event::{self, DisableBracketedPaste, EnableBracketedPaste, Event, EventStream};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, style};
use futures_util::StreamExt;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinHandle;

use super::TuiError;
use crate::tui::message::FrameNumber;

/// How many events are read at a time.
const AT_A_TIME: usize = 256;

/// Whether the terminal is ours now; the panic hook must know without a `Screen` at hand.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    input: TerminalInput,
    /// How many frames were drawn.
    frames: Arc<AtomicU64>,
}

/// What was typed, and the frame that was drawn last before it was read.
pub(super) type Typed = (FrameNumber, io::Result<Event>);

/// What is typed, read by a task of its own.
///
/// The stream remembers only the waker of its first pending poll, so it must not be asked "without
/// waiting" in between; a channel may.
struct TerminalInput {
    events: UnboundedReceiver<Typed>,
    reader: JoinHandle<()>,
}

impl TerminalInput {
    fn listen(frames: Arc<AtomicU64>) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let reader = tokio::spawn(async move {
            let mut stream = EventStream::new().ready_chunks(AT_A_TIME);
            // The number comes before the reading: a frame that is drawn meanwhile was not seen by
            // the one who typed, and nor was it for what came in one piece with a key before it.
            let mut read = async || {
                poll_fn(|context| {
                    let seen = FrameNumber(frames.load(Ordering::SeqCst));
                    let chunk = stream.poll_next_unpin(context);
                    chunk.map(|chunk| chunk.map(|chunk| (seen, chunk)))
                })
                .await
            };
            while let Some((seen, chunk)) = read().await {
                for event in chunk {
                    if sender.send((seen, event)).is_err() {
                        return;
                    }
                }
            }
        });
        Self { events, reader }
    }
}

impl Screen {
    /// Takes the terminal over.
    pub(super) fn open() -> Result<Self, TuiError> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(TuiError::NoTerminal);
        }
        restore_on_panic();
        // With NO_COLOR set crossterm writes a full reset in place of a colour, which would erase
        // a reversed cursor; the theme knows how to do without colours.
        style::force_color_output(true);
        take()?;
        let terminal =
            Terminal::new(CrosstermBackend::new(io::stdout())).inspect_err(|_| restore())?;
        let frames = Arc::<AtomicU64>::default();
        Ok(Self {
            terminal,
            input: TerminalInput::listen(Arc::clone(&frames)),
            frames,
        })
    }

    /// Gives the terminal back. The event stream goes too: a stream that is merely not polled keeps
    /// a thread that takes the next program's keys.
    pub(super) async fn close(&mut self) {
        self.input.reader.abort();
        let _ = (&mut self.input.reader).await;
        restore();
    }

    /// Takes the terminal over again, drops what was typed in between, and draws everything anew.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        take()?;
        while event::poll(Duration::ZERO)? {
            event::read()?;
        }
        self.input = TerminalInput::listen(Arc::clone(&self.frames));
        self.clear()
    }

    /// Forgets what is on the screen, so that the next frame is drawn whole.
    ///
    /// `Terminal::clear` would ask the terminal where its cursor is, and anyone who reads the keys
    /// would get the answer.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal
            .resize(Rect::new(0, 0, size.width, size.height))
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Waits for what is typed next; `None` where the terminal is gone.
    pub(super) async fn typed(&mut self) -> Option<Typed> {
        self.input.events.recv().await
    }

    /// What was typed already, without waiting.
    pub(super) fn queued_input(&mut self) -> Option<Typed> {
        self.input.events.try_recv().ok()
    }

    /// Draws a frame, and tells which one it was; an error if the terminal was given back because some task panicked.
    ///
    /// The output stays locked from the question to the last byte: a frame that another thread's
    /// panic overtook would be drawn over the shell's screen, and over what the panic says.
    pub(super) fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<FrameNumber> {
        let _output = io::stdout().lock();
        if !IS_TAKEN.load(Ordering::SeqCst) {
            return Err(io::Error::other("a part of the program failed"));
        }
        self.terminal.draw(render)?;
        Ok(FrameNumber(self.frames.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    IS_TAKEN.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste).inspect_err(|_| restore())
}

/// Gives the terminal back, once for each time it was taken. There is nobody to tell of a failure.
fn restore() {
    if IS_TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        let _ = execute!(out, DisableBracketedPaste, LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
        let _ = out.flush();
    }
}

fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // Waits for the frame that is being drawn. The lock is reentrant: the thread that
            // panics may be the one that draws.
            let _output = io::stdout().lock();
            restore();
            before(panic);
        }));
    });
}
