//! The loop between the terminal and the work: what happens comes in as messages, one frame is
//! drawn for all that came, and effects go out to tasks.
//!
//! It awaits key events, replies, and a timer only while something moves. Nothing in it waits for
//! the network or the disk.

mod clipboard;
mod perform;
mod saving;
mod signals;
mod terminal;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event as Input, KeyEventKind};
use jiff::Timestamp;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::saving::plans_here;
use self::signals::{Signal, Signals};
use self::terminal::Screen;
use super::keymap::{Keymap, KeymapError};
use super::message::{Effect, FrameNumber, Message, Query, QueryGroup, Watch};
use super::model::{Model, WizardStart};
use super::theme::Theme;
use super::update::{open, start, update};
use super::view;
use super::view_state::ViewState;
use crate::job::Plan;
use crate::journal::RunId;
use crate::work::Work;
use crate::work::event::{OperationProgress, Side};

/// How often a frame is drawn while something moves.
const TICK: Duration = Duration::from_millis(120);

/// How long quitting waits for a run that is followed to be cut off cleanly.
const PATIENCE_AT_THE_END: Duration = Duration::from_secs(5);

/// What the wizard is opened with.
#[derive(Debug, Clone, Default)]
pub struct WizardOptions {
    /// A plan to fill the steps with.
    pub plan: Option<Plan>,
    /// The file it came from.
    pub plan_file: Option<PathBuf>,
    /// Whether changes are forbidden.
    pub is_read_only: bool,
}

/// What there is to say after the wizard has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WizardExit {
    /// The run that was started or gone on with.
    pub run: Option<RunId>,
    /// Its exports as far as they are known.
    pub exports: Vec<OperationProgress>,
    /// Whether exports go on that were not waited for.
    pub is_cut_off: bool,
    /// Whether it was left for the sandbox.
    pub opens_sandbox: bool,
}

/// Why the wizard cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// Standard input or output is no terminal.
    #[error("the wizard needs a terminal")]
    NoTerminal,
    /// The terminal cannot be used.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
    /// The key table is broken.
    #[error(transparent)]
    Keymap(#[from] KeymapError),
}

/// Opens the wizard, and returns when it was left.
pub async fn run(work: Work, options: WizardOptions) -> Result<WizardExit, TuiError> {
    let keymap = Arc::new(Keymap::built_in()?);
    let signals = Signals::listen()?;
    let screen = Screen::open()?;
    let wizard_start = WizardStart {
        is_sandbox: work.settings().is_sandbox,
        is_read_only: options.is_read_only,
        production: work.settings().production.clone(),
        plan: options.plan,
        plan_file: options.plan_file,
        now: Timestamp::now(),
    };
    let (sender, messages) = mpsc::unbounded_channel();
    let mut wizard = Wizard {
        work,
        model: start(keymap, wizard_start),
        theme: Theme::from_environment(|name| std::env::var(name).ok()),
        view: ViewState::default(),
        screen,
        signals,
        sender,
        messages,
        query_groups: HashMap::new(),
        following: CancellationToken::new(),
        tasks: TaskTracker::new(),
        is_over: false,
    };
    wizard.resume().await?;
    Ok(wizard.end().await)
}

/// The wizard while it runs.
struct Wizard {
    work: Work,
    model: Model,
    theme: Theme,
    view: ViewState,
    screen: Screen,
    signals: Signals,
    sender: UnboundedSender<Message>,
    messages: UnboundedReceiver<Message>,
    query_groups: HashMap<QueryGroup, CancellationToken>,
    following: CancellationToken,
    /// Mutations, watches and trials: what the end waits for.
    tasks: TaskTracker,
    is_over: bool,
}

/// What woke the loop.
enum Wake {
    Input(Option<(FrameNumber, io::Result<Input>)>),
    Message(Option<Message>),
    Signal(Signal),
    Tick,
}

impl Wizard {
    async fn resume(&mut self) -> Result<(), TuiError> {
        let (columns, rows) = self.screen.size()?;
        self.dispatch(Message::Resized(columns, rows)).await?;
        let effects = open(&mut self.model);
        self.run_effects(effects).await?;
        self.draw()?;
        while !self.is_over {
            let wake = self.wait().await;
            self.dispatch(Message::Ticked(Timestamp::now())).await?;
            self.handle_wake(wake).await?;
            self.drain().await?;
            self.draw()?;
        }
        Ok(())
    }

    async fn wait(&mut self) -> Wake {
        let is_moving = self.model.is_moving();
        tokio::select! {
            input = self.screen.typed() => Wake::Input(input),
            message = self.messages.recv() => Wake::Message(message),
            signal = self.signals.next() => Wake::Signal(signal),
            () = tokio::time::sleep(TICK), if is_moving => Wake::Tick,
        }
    }

    async fn handle_wake(&mut self, wake: Wake) -> Result<(), TuiError> {
        match wake {
            Wake::Input(Some((seen, Ok(input)))) => match message(input, seen) {
                Some(message) => self.dispatch(message).await,
                None => Ok(()),
            },
            // The terminal is gone: nobody is there to be asked.
            Wake::Input(Some((_, Err(_))) | None) | Wake::Signal(Signal::End) => {
                self.dispatch(Message::Terminated).await
            }
            Wake::Message(Some(message)) => self.dispatch(message).await,
            Wake::Signal(Signal::Stop) => self.suspend().await,
            Wake::Signal(Signal::Continue) => {
                self.screen.close().await;
                Ok(self.screen.reopen()?)
            }
            Wake::Message(None) | Wake::Tick => Ok(()),
        }
    }

    /// Takes all that is queued, so that one frame shows it.
    async fn drain(&mut self) -> Result<(), TuiError> {
        while !self.is_over {
            if let Some((seen, input)) = self.screen.queued_input() {
                if let Some(message) = input.ok().and_then(|input| message(input, seen)) {
                    self.dispatch(message).await?;
                }
            } else if let Ok(message) = self.messages.try_recv() {
                self.dispatch(message).await?;
            } else {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn dispatch(&mut self, message: Message) -> Result<(), TuiError> {
        let effects = update(&mut self.model, message);
        self.run_effects(effects).await
    }

    async fn run_effects(&mut self, effects: Vec<Effect>) -> Result<(), TuiError> {
        for effect in effects {
            match effect {
                Effect::Ask(request, query_group, query) => {
                    let token = self.query_groups.entry(query_group).or_default().clone();
                    let is_trial = matches!(query, Query::WaitForPropagation(..));
                    let asking = perform::ask(self.work.clone(), request, query, token.clone());
                    let sender = self.sender.clone();
                    if is_trial {
                        // It begins uploads, which must be taken back before the end.
                        self.tasks
                            .spawn(async move { drop(sender.send(asking.await)) });
                        continue;
                    }
                    tokio::spawn(async move {
                        tokio::select! {
                            () = token.cancelled() => {}
                            message = asking => drop(sender.send(message)),
                        }
                    });
                }
                Effect::Cancel(query_group) => {
                    if let Some(token) = self.query_groups.remove(&query_group) {
                        token.cancel();
                    }
                }
                Effect::Mutate(request, mutation) => {
                    let (cancel, sender) = (self.following.clone(), self.sender.clone());
                    self.tasks.spawn(perform::mutation(
                        self.work.clone(),
                        request,
                        mutation,
                        cancel,
                        sender,
                    ));
                }
                Effect::Watch(request, Watch::Accounts) => {
                    let token = self.query_groups.entry(QueryGroup::Watching).or_default();
                    let (token, sender) = (token.clone(), self.sender.clone());
                    let watching =
                        perform::watch_accounts(self.work.clone(), request, token, sender);
                    self.tasks.spawn(watching);
                }
                Effect::Watch(request, watch) => {
                    let cancel = self.following.clone();
                    let sender = self.sender.clone();
                    let watching =
                        perform::watch(self.work.clone(), request, watch, cancel, sender);
                    self.tasks.spawn(watching);
                }
                Effect::CutOff => self.following.cancel(),
                Effect::Copy(text) => clipboard::copy(&text)?,
                Effect::LogIn(side, words) => self.log_in(side, &words).await?,
                Effect::Suspend => self.suspend().await?,
                Effect::Redraw => self.screen.clear()?,
                Effect::Quit => self.is_over = true,
            }
        }
        Ok(())
    }

    /// Hands the terminal to the command that signs a side in.
    async fn log_in(&mut self, side: Side, words: &[String]) -> Result<(), TuiError> {
        self.screen.close().await;
        let end = perform::run_command(words).await;
        self.signals.forget_interrupts();
        self.screen.reopen()?;
        let _ = self.sender.send(Message::LoginEnded(side, end));
        Ok(())
    }

    async fn suspend(&mut self) -> Result<(), TuiError> {
        self.screen.close().await;
        signals::stop_this_process()?;
        Ok(self.screen.reopen()?)
    }

    fn draw(&mut self) -> Result<(), TuiError> {
        let (model, theme, view) = (&self.model, self.theme, &mut self.view);
        let drawn = self
            .screen
            .draw(|frame| view::draw(model, theme, view, frame))?;
        // It calls for nothing: what is to be done about the model was, before it was drawn.
        let _ = update(&mut self.model, Message::Drawn(drawn, self.view.page()));
        Ok(())
    }

    /// Cuts off what is followed, and waits for it to be written down.
    async fn end(mut self) -> WizardExit {
        self.following.cancel();
        for token in self.query_groups.values() {
            token.cancel();
        }
        self.screen.close().await;
        self.tasks.close();
        // A mutation is waited for by the model itself; this is for watches, which end at once.
        let _ = tokio::time::timeout(PATIENCE_AT_THE_END, self.tasks.wait()).await;
        while let Ok(message) = self.messages.try_recv() {
            let _ = update(&mut self.model, message);
        }
        WizardExit {
            run: self.model.run(),
            exports: self.model.exports().to_vec(),
            is_cut_off: self.model.has_unfinished_exports(),
            opens_sandbox: self.model.opens_sandbox(),
        }
    }
}

/// A terminal's event, read after a frame, as a message.
fn message(input: Input, seen: FrameNumber) -> Option<Message> {
    match input {
        Input::Key(key) if key.kind != KeyEventKind::Release => {
            Some(Message::KeyPressed(key.into(), seen))
        }
        Input::Paste(text) => Some(Message::Pasted(text)),
        Input::Resize(columns, rows) => Some(Message::Resized(columns, rows)),
        _ => None,
    }
}
