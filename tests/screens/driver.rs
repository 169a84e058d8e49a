//! A wizard under test: keys go in, frames come out, and the world answers when it is asked to.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tableferry::assess::fingerprint::Fingerprint;
use tableferry::job::Plan;
use tableferry::journal::RunId;
use tableferry::tui::keymap::Keymap;
use tableferry::tui::message::{
    Effect, FrameNumber, Message, Mutation, MutationResult, Query, Reply, Watch,
};
use tableferry::tui::model::{Model, WizardStart};
use tableferry::tui::remote::RequestId;
use tableferry::tui::theme::Theme;
use tableferry::tui::update::{open, start, update};
use tableferry::tui::view;
use tableferry::tui::view_state::ViewState;

use crate::world::World;

/// The time at which every test starts.
pub(crate) fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

pub(crate) struct Driver {
    pub model: Model,
    pub world: World,
    pub theme: Theme,
    size: (u16, u16),
    view: ViewState,
    /// The frame that was drawn last.
    frame: FrameNumber,
    pending: VecDeque<Effect>,
    /// All effects but queries, in their order.
    pub done: Vec<Effect>,
}

impl Driver {
    pub(crate) fn new(size: (u16, u16)) -> Self {
        Self::with(size, World::default(), None)
    }

    /// A wizard in the first step of the flow of a plan, or of exports.
    pub(crate) fn with(size: (u16, u16), world: World, plan: Option<Plan>) -> Self {
        let is_at_start = plan.is_none();
        let mut driver = Self::opened(size, world, plan);
        if is_at_start {
            driver.press(&["n"]);
        }
        driver
    }

    /// A wizard that was just opened: at its start screen, where there is no plan.
    pub(crate) fn opened(size: (u16, u16), world: World, plan: Option<Plan>) -> Self {
        let wizard_start = WizardStart {
            is_sandbox: !world.is_real,
            is_read_only: world.is_read_only,
            production: world.production_accounts(),
            plan,
            plan_file: None,
            now: noon(),
        };
        let keymap = Arc::new(Keymap::built_in().unwrap());
        let mut driver = Self {
            model: start(keymap, wizard_start),
            world,
            theme: Theme {
                has_colours: true,
                is_ascii: false,
            },
            size,
            view: ViewState::default(),
            frame: FrameNumber::default(),
            pending: VecDeque::new(),
            done: Vec::new(),
        };
        driver.dispatch(Message::Resized(size.0, size.1));
        let effects = open(&mut driver.model);
        driver.take(effects);
        driver
    }

    pub(crate) fn dispatch(&mut self, message: Message) {
        let effects = update(&mut self.model, message);
        self.take(effects);
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask(..) => self.pending.push_back(effect),
                other => self.done.push(other),
            }
        }
    }

    /// Presses keys, each with the screen in sight, and lets nobody answer.
    pub(crate) fn press(&mut self, keys: &[&str]) -> &mut Self {
        for key in keys {
            self.draw().press_blindly(&[key]);
        }
        self
    }

    /// Presses keys that were all on their way before the next frame was drawn.
    pub(crate) fn press_blindly(&mut self, keys: &[&str]) -> &mut Self {
        for key in keys {
            let key = crokey::parse(key).unwrap();
            self.dispatch(Message::KeyPressed(key, self.frame));
        }
        self
    }

    /// Types a text, each sign with the screen in sight.
    pub(crate) fn type_text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.draw();
            let code = crossterm::event::KeyCode::Char(c);
            let key = crossterm::event::KeyEvent::new(code, crossterm::event::KeyModifiers::NONE);
            self.dispatch(Message::KeyPressed(key.into(), self.frame));
        }
        self
    }

    /// Lets a frame be drawn.
    pub(crate) fn draw(&mut self) -> &mut Self {
        self.screen();
        self.frame.0 += 1;
        self.dispatch(Message::Drawn(self.frame, self.view.page()));
        self
    }

    /// Presses keys, each after all questions were answered.
    pub(crate) fn go(&mut self, keys: &[&str]) -> &mut Self {
        self.settle();
        for key in keys {
            self.press(&[key]).settle();
        }
        self
    }

    /// Answers all questions, also those that the answers give rise to.
    pub(crate) fn settle(&mut self) -> &mut Self {
        while let Some(effect) = self.pending.pop_front() {
            if let Effect::Ask(request, _, query) = effect {
                let reply = self.world.answer(&query);
                self.dispatch(Message::Replied(request, reply));
            }
        }
        self
    }

    /// The questions that nobody answered yet.
    pub(crate) fn asked(&self) -> Vec<(RequestId, Query)> {
        self.pending
            .iter()
            .filter_map(|effect| match effect {
                Effect::Ask(request, _, query) => Some((*request, query.clone())),
                _ => None,
            })
            .collect()
    }

    /// Answers one question, and forgets all others.
    pub(crate) fn reply(&mut self, request: RequestId, reply: Reply) {
        self.dispatch(Message::Replied(request, reply));
    }

    pub(crate) fn forget_questions(&mut self) {
        self.pending.clear();
    }

    /// The start that was asked for, if any.
    pub(crate) fn start(&self) -> Option<(RequestId, Plan)> {
        self.done.iter().find_map(|effect| match effect {
            Effect::Mutate(request, Mutation::Start(plan, _)) => Some((*request, (**plan).clone())),
            _ => None,
        })
    }

    /// What was read for each export of the start that was asked for last.
    pub(crate) fn start_fingerprints(&self) -> Vec<Fingerprint> {
        let mut done = self.done.iter().rev();
        let found = done.find_map(|effect| match effect {
            Effect::Mutate(_, Mutation::Start(_, summary)) => Some(summary.fingerprints.clone()),
            _ => None,
        });
        found.unwrap()
    }

    /// The change of an account that was asked for last.
    pub(crate) fn change(&self) -> Option<(RequestId, Mutation)> {
        self.done.iter().rev().find_map(|effect| match effect {
            Effect::Mutate(request, mutation @ (Mutation::Apply(..) | Mutation::Undo(_))) => {
                Some((*request, mutation.clone()))
            }
            _ => None,
        })
    }

    /// The watch that was asked for last.
    pub(crate) fn watch(&self) -> Option<(RequestId, Watch)> {
        self.done.iter().rev().find_map(|effect| match effect {
            Effect::Watch(request, watch) => Some((*request, *watch)),
            _ => None,
        })
    }

    pub(crate) fn has_quit(&self) -> bool {
        self.done
            .iter()
            .any(|effect| matches!(effect, Effect::Quit))
    }

    pub(crate) fn started(&mut self, run: i64) {
        let (request, _) = self.start().unwrap();
        self.dispatch(Message::Done(request, MutationResult::Started(RunId(run))));
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.size = (columns, rows);
        self.dispatch(Message::Resized(columns, rows));
        self
    }

    pub(crate) fn wait(&mut self, seconds: i64) -> &mut Self {
        let now = noon() + SignedDuration::from_secs(seconds);
        self.dispatch(Message::Ticked(now));
        self
    }

    /// What is on the screen.
    pub(crate) fn screen(&mut self) -> String {
        let backend = TestBackend::new(self.size.0, self.size.1);
        let mut terminal = Terminal::new(backend).unwrap();
        let (model, theme, state) = (&self.model, self.theme, &mut self.view);
        terminal
            .draw(|frame| view::draw(model, theme, state, frame))
            .unwrap();
        let buffer = terminal.backend().buffer();
        let rows = buffer.content.chunks(usize::from(self.size.0));
        let lines: Vec<String> = rows
            .map(|row| {
                let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
                line.trim_end().to_owned()
            })
            .collect();
        lines.join("\n")
    }

    #[track_caller]
    pub(crate) fn shows(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        assert!(screen.contains(text), "`{text}` is not on\n{screen}");
        self
    }

    #[track_caller]
    pub(crate) fn hides(&mut self, text: &str) -> &mut Self {
        let screen = self.screen();
        assert!(!screen.contains(text), "`{text}` is on\n{screen}");
        self
    }
}
