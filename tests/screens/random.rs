//! Random keys, sizes, frames and replies in any order: nothing panics, and nothing is changed but what
//! was asked about on the screen and answered with a yes.
//!
//! The number of steps is in `STEPS`, the first seed in `SEED`; each failure names the seed of its walk.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;

use fastrand::Rng;
use jiff::SignedDuration;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tableferry::aws::dynamodb::ExportStatus;
use tableferry::journal::RunId;
use tableferry::tui::keymap::Keymap;
use tableferry::tui::message::{
    Effect, FrameNumber, Message, Mutation, MutationResult, Query, Reply, Watch,
};
use tableferry::tui::model::{Model, WizardStart};
use tableferry::tui::remote::RequestId;
use tableferry::tui::services::{
    Applied, ChangeId, ProbeReport, PropagationReport, PropagationStatus, ReadBack, Undone,
};
use tableferry::tui::theme::Theme;
use tableferry::tui::update::{open, start, update};
use tableferry::tui::view;
use tableferry::tui::view_state::ViewState;
use tableferry::work::event::{Event, ProgressStage, Side};

use crate::access;
use crate::driver::noon;
use crate::flows::TO_THE_QUESTION;
use crate::world::{self, World};

/// How many steps are taken where nobody says.
const USUAL_STEPS: u64 = 10_000;

/// How many steps a walk has.
const WALK: usize = 80;

/// How many of the frames that were drawn last a key may have been read after.
const FRAMES: usize = 4;

/// Every key of the table, those that lead on more often.
const KEYS: [&str; 54] = [
    "0", "i", "w", "m", "a", "a", "p", "p", "enter", "enter", "enter", "enter", "enter", "enter",
    "left", "left", "left", "right", "n", "n", "esc", "b", "q", "u", "u", "?", "a", "a", "p", "p",
    "s", "y", "r", "t", "o", "e", "/", "space", "space", "tab", "tab", "backtab", "up", "down",
    "down", "pageup", "pagedown", "home", "end", "ctrl-c", "ctrl-l", "ctrl-u", "x", "1",
];

/// What a mutation is asked about with; none where it changes nothing that was there.
fn questions(mutation: &Mutation) -> &'static [&'static str] {
    match mutation {
        Mutation::Start(..) => &["Start the export?", "Start although it will fail?"],
        Mutation::Apply(..) | Mutation::SetUpInventory(..) => &["Change this account?"],
        Mutation::Undo(_) => &["Take this change away?"],
        Mutation::Probe(..) => &["Probe the bucket?"],
        Mutation::SavePlan {
            may_replace: true, ..
        } => &["Replace the file?"],
        Mutation::SavePlan { .. } => &[],
    }
}

fn changes_an_account(mutation: &Mutation) -> bool {
    !matches!(mutation, Mutation::SavePlan { .. })
}

/// The account whose name is typed before it is changed.
const PRODUCTION: &str = "dev-main";

struct Walk {
    seed: u64,
    rng: Rng,
    world: World,
    model: Model,
    view: ViewState,
    size: (u16, u16),
    seconds: i64,
    frame: FrameNumber,
    /// The frames that were drawn last, with their numbers.
    frames: VecDeque<(FrameNumber, String)>,
    /// Whether the question before a change of the production account was in a frame since the last
    /// change.
    asked_about: bool,
    queries: Vec<(RequestId, Query)>,
    mutations: Vec<(RequestId, Mutation)>,
    watches: Vec<(RequestId, Watch)>,
    log: Vec<String>,
    has_ended: bool,
}

impl Walk {
    fn begin(seed: u64, keymap: &Arc<Keymap>) -> Self {
        let mut rng = Rng::with_seed(seed);
        let world = random_world(&mut rng);
        let is_filled_in = rng.u8(..4) == 0;
        let wizard_start = WizardStart {
            is_sandbox: !world.is_real,
            is_read_only: world.is_read_only,
            production: world.production_accounts(),
            plan: is_filled_in.then(|| {
                if rng.bool() {
                    world::plan()
                } else {
                    world::upload_plan()
                }
            }),
            plan_file: None,
            now: noon(),
        };
        let mut walk = Self {
            seed,
            world,
            model: start(Arc::clone(keymap), wizard_start),
            view: ViewState::default(),
            size: (80, 24),
            seconds: 0,
            frame: FrameNumber::default(),
            frames: VecDeque::new(),
            asked_about: false,
            queries: Vec::new(),
            mutations: Vec::new(),
            watches: Vec::new(),
            log: Vec::new(),
            has_ended: false,
            rng,
        };
        let effects = open(&mut walk.model);
        walk.take(effects);
        // Most walks begin deep in the flow: random keys rarely choose both profiles and a bucket.
        let keys = if is_filled_in {
            vec!["n", "n", "n", "n", "n", "enter"]
        } else {
            [&["n"], &TO_THE_QUESTION[..]].concat()
        };
        let known = match walk.rng.u8(..4) {
            0 => walk.rng.usize(..=keys.len()),
            1 => keys.len(),
            // To the Access step.
            _ => keys.len() - 2,
        };
        for key in &keys[..known] {
            walk.answer_all();
            walk.draw();
            walk.press(key, walk.frame);
        }
        walk
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ask(request, _, query) => self.queries.push((request, query)),
                Effect::Mutate(request, mutation) => self.mutations.push((request, mutation)),
                Effect::Watch(request, watch) => self.watches.push((request, watch)),
                Effect::Quit => self.has_ended = true,
                Effect::Cancel(_)
                | Effect::CutOff
                | Effect::Copy(_)
                | Effect::LogIn(..)
                | Effect::Suspend
                | Effect::Redraw => {}
            }
        }
    }

    fn dispatch(&mut self, message: Message) {
        self.log
            .push(format!("{message:.0?}").chars().take(90).collect());
        let is_key = matches!(message, Message::KeyPressed(..));
        let known = self.mutations.len();
        let effects = update(&mut self.model, message);
        self.take(effects);
        let is_changed = self.mutations.len() > known;
        assert!(
            is_key || !is_changed,
            "without a key: seed {}\n{}",
            self.seed,
            self.log.join("\n")
        );
    }

    fn screen(model: &Model, view: &mut ViewState, size: (u16, u16)) -> String {
        let theme = Theme {
            has_colours: true,
            is_ascii: false,
        };
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        terminal
            .draw(|frame| view::draw(model, theme, view, frame))
            .unwrap();
        let cells = &terminal.backend().buffer().content;
        cells.iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    fn draw(&mut self) {
        let screen = Self::screen(&self.model, &mut self.view, self.size);
        self.asked_about |=
            screen.contains("Change this account?") || screen.contains("Take this change away?");
        self.frame.0 += 1;
        self.frames.push_back((self.frame, screen));
        if self.frames.len() > FRAMES {
            self.frames.pop_front();
        }
        self.dispatch(Message::Drawn(self.frame, self.view.page()));
    }

    /// Presses a key that was read after a frame, and holds what it changes against that frame.
    fn press(&mut self, key: &str, seen: FrameNumber) {
        let key = crokey::parse(key).unwrap();
        let is_enter = key == crokey::parse("enter").unwrap();
        let before = is_enter.then(|| self.model.clone());
        let known = self.mutations.len();
        self.dispatch(Message::KeyPressed(key, seen));
        let Some((_, mutation)) = self.mutations.get(known).cloned() else {
            return;
        };
        let context = || {
            format!(
                "seed {}: {:?}\n{}",
                self.seed,
                mutation,
                self.log.join("\n")
            )
        };
        assert!(
            !self.world.is_read_only || !changes_an_account(&mutation),
            "{}",
            context()
        );
        let questions = questions(&mutation);
        if questions.is_empty() {
            return;
        }
        assert!(is_enter, "not by Enter: {}", context());
        let Some(before) = before else {
            return;
        };
        let shown = Self::screen(&before, &mut self.view.clone(), self.size);
        let seen = self.frames.iter().find(|(frame, _)| *frame == seen);
        let seen = seen.map_or("", |(_, screen)| screen.as_str());
        let is_named = matches!(mutation, Mutation::Apply(..) | Mutation::Undo(_))
            && self.world.production.is_some();
        if is_named {
            assert!(
                shown.contains(&format!("› {PRODUCTION}")),
                "{shown}\n{}",
                context()
            );
            assert!(self.asked_about, "{}", context());
            self.asked_about = false;
            return;
        }
        let asks = |screen: &str| questions.iter().any(|title| screen.contains(title));
        assert!(asks(seen), "was not in sight: {seen}\n{}", context());
        assert!(asks(&shown), "{shown}\n{}", context());
        assert!(
            shown.contains("[ Yes ]"),
            "no is marked: {shown}\n{}",
            context()
        );
        let is_start = |mutation: &Mutation| matches!(mutation, Mutation::Start(..));
        let alike = self.mutations.iter().filter(|(_, known)| {
            changes_an_account(known) && is_start(known) == is_start(&mutation)
        });
        let is_save = !changes_an_account(&mutation);
        assert!(is_save || alike.count() <= 1, "two at once: {}", context());
    }

    fn step(&mut self) {
        match self.rng.u8(..100) {
            0..45 => {
                let key = self.rng.choice(KEYS).unwrap();
                // A walk that ends at once shows little.
                if ["q", "ctrl-c"].contains(&key) && self.rng.u8(..8) > 0 {
                    return;
                }
                let seen = match self.rng.u8(..10) {
                    0 => FrameNumber(self.frame.0.saturating_sub(self.rng.u64(..FRAMES as u64))),
                    _ => self.frame,
                };
                self.press(key, seen);
            }
            45..60 => self.draw(),
            60..64 => self.say_yes(),
            64..70 => self.ask_for_a_change(),
            70..85 => self.answer(),
            85..89 => self.end_a_mutation(),
            89..92 => self.end_a_watch(),
            92..94 => self.report(),
            94 => {
                let sizes = [(80, 24), (60, 16), (120, 40), (20, 5), (1, 1), (76, 20)];
                self.size = self.rng.choice(sizes).unwrap();
                self.dispatch(Message::Resized(self.size.0, self.size.1));
            }
            95 => {
                self.seconds += self.rng.i64(0..400);
                let now = noon() + SignedDuration::from_secs(self.seconds);
                self.dispatch(Message::Ticked(now));
            }
            96 => {
                let texts = [PRODUCTION, "\nyes\n", "y\n", "x", "222222222222", "123456"];
                let text = self.rng.choice(texts).unwrap();
                self.dispatch(Message::Pasted(text.to_owned()));
            }
            97 => {
                let side = self.side();
                let end = if self.rng.bool() {
                    Ok(())
                } else {
                    Err("no".to_owned())
                };
                self.dispatch(Message::LoginEnded(side, end));
            }
            98 => self.type_the_name(),
            _ if self.rng.u8(..10) == 0 => self.dispatch(Message::Terminated),
            _ => self.answer_all(),
        }
    }

    fn side(&mut self) -> Side {
        self.rng.choice([Side::Source, Side::Destination]).unwrap()
    }

    /// Presses the keys that lead to a question, where the step and the world have one.
    fn ask_for_a_change(&mut self) {
        if self.rng.bool() {
            self.end_a_mutation();
            self.end_a_watch();
        }
        let ways: [&[&str]; 6] = [
            &["a"],
            &["a"],
            &["p"],
            &["u", "enter"],
            &["enter"],
            &["s", "enter"],
        ];
        for key in self.rng.choice(ways).unwrap() {
            self.answer_all();
            self.draw();
            self.press(key, self.frame);
        }
        self.answer_all();
        if self.rng.bool() {
            self.say_yes();
        }
    }

    /// Answers a question that is in sight; where there is none, the keys mean something else.
    fn say_yes(&mut self) {
        for key in ["left", "enter"] {
            self.draw();
            self.press(key, self.frame);
        }
    }

    fn type_the_name(&mut self) {
        self.draw();
        self.press("ctrl-u", self.frame);
        self.dispatch(Message::Pasted(PRODUCTION.to_owned()));
        self.press("enter", self.frame);
    }

    fn answer_all(&mut self) {
        while !self.queries.is_empty() {
            let (request, query) = self.queries.remove(0);
            let reply = self.world.answer(&query);
            self.dispatch(Message::Replied(request, reply));
        }
    }

    /// Answers one of the queries, whichever, and sometimes twice, with an error or to nobody.
    fn answer(&mut self) {
        if self.queries.is_empty() {
            return;
        }
        let place = self.rng.usize(..self.queries.len());
        let (request, query) = match self.rng.u8(..10) {
            0 => self.queries[place].clone(),
            _ => self.queries.remove(place),
        };
        let request = match self.rng.u8(..20) {
            0 => RequestId(self.rng.u64(..1000)),
            _ => request,
        };
        let reply = match self.rng.u8(..10) {
            0 => failed(&query),
            _ => None,
        };
        let reply = reply.unwrap_or_else(|| self.world.answer(&query));
        self.dispatch(Message::Replied(request, reply));
    }

    fn end_a_mutation(&mut self) {
        if self.mutations.is_empty() {
            return;
        }
        let place = self.rng.usize(..self.mutations.len());
        let (request, mutation) = self.mutations.remove(place);
        let is_done = self.rng.u8(..4) > 0;
        let why = || "AWS said no".to_owned();
        let result = match mutation {
            Mutation::Start(..) if is_done => MutationResult::Started(RunId(self.rng.i64(1..9))),
            Mutation::Start(..) => MutationResult::NotStarted(why()),
            Mutation::Apply(_, proposal) if is_done => {
                self.world.is_denied = false;
                MutationResult::Applied(Box::new(Applied {
                    id: ChangeId(self.rng.i64(1..9)),
                    title: proposal.title.clone(),
                    read_back: ReadBack::AsWritten,
                }))
            }
            Mutation::Apply(..) | Mutation::SetUpInventory(..) => MutationResult::NotApplied(why()),
            Mutation::Undo(undo) if is_done => {
                self.world.is_denied = true;
                MutationResult::Undone(Box::new(Undone {
                    id: undo.record.id,
                    was_in_place: true,
                    read_back: ReadBack::AsWritten,
                    left: Vec::new(),
                }))
            }
            Mutation::Undo(_) => MutationResult::NotUndone(why()),
            Mutation::Probe(plan, probe) if is_done => {
                MutationResult::Probed(plan, Box::new(ProbeReport::new(&probe, noon())))
            }
            Mutation::Probe(..) => MutationResult::NotProbed(why()),
            Mutation::SavePlan { path, .. } if is_done => MutationResult::Saved(path),
            Mutation::SavePlan {
                path,
                may_replace: false,
                ..
            } => MutationResult::FileExists(path),
            Mutation::SavePlan { .. } => MutationResult::NotSaved(why()),
        };
        self.dispatch(Message::Done(request, result));
    }

    fn end_a_watch(&mut self) {
        if let Some((request, _)) = self.watches.pop() {
            let is_done = self.rng.bool();
            let end = if is_done {
                Ok(())
            } else {
                Err("cut off".to_owned())
            };
            self.dispatch(Message::WatchEnded(request, end));
        }
    }

    fn report(&mut self) {
        let mut export = world::export(self.rng.usize(..2), "Orders");
        if self.rng.bool() {
            export.stage = ProgressStage::Running(ExportStatus::Completed);
        }
        let event = match self.rng.u8(..3) {
            0 => Event::Journalled { run: RunId(3) },
            1 => Event::Noted {
                message: "throttled".to_owned(),
            },
            _ => Event::Operation(export),
        };
        self.dispatch(Message::Reported(Box::new(event)));
    }
}

fn random_world(rng: &mut Rng) -> World {
    World {
        is_real: rng.bool(),
        is_read_only: rng.u8(..10) == 0,
        runs: match rng.u8(..6) {
            0 => vec![world::open_run(Some(world::plan()))],
            1 => vec![world::open_run(None)],
            _ => Vec::new(),
        },
        refuses_tables: rng.u8(..20) == 0,
        has_no_tables: rng.u8(..20) == 0,
        is_denied: rng.bool(),
        production: (rng.u8(..3) == 0).then(|| PRODUCTION.to_owned()),
        changes: match rng.u8(..2) {
            0 => vec![access::change(4), access::change(5)],
            _ => Vec::new(),
        },
        ..World::default()
    }
}

/// An answer that says why not, where there is one.
fn failed(query: &Query) -> Option<Reply> {
    let why = || "it cannot be read".to_owned();
    let refusal = || world::refusal("s3:ListAllMyBuckets", "222222222222");
    Some(match query {
        Query::Runs => Reply::Runs(Err(why())),
        Query::Tables => Reply::Tables(Err(refusal())),
        Query::Buckets => Reply::Buckets(Err(refusal())),
        Query::Keys(_) => Reply::Keys(Err(refusal())),
        Query::Assess(_) | Query::AssessWithProbe(..) => Reply::Assessed(Box::new(Err(why()))),
        Query::Changes => Reply::Changes(Err(why())),
        Query::ProposeUndo(_) => Reply::UndoProposed(Box::new(Err(why()))),
        Query::ProposeInventory(_) => Reply::InventoryProposed(Box::new(Err(why()))),
        Query::InventoryStatus(_) => Reply::InventoryStatus(Box::new(Err(why()))),
        Query::WaitForPropagation(_, id) => Reply::Propagation(PropagationReport {
            changes: vec![(*id, PropagationStatus::NotYet(why()))],
        }),
        Query::Profiles
        | Query::Plans
        | Query::SignIn(..)
        | Query::Table(_)
        | Query::Bucket(_)
        | Query::UnfinishedProbes => return None,
    })
}

fn kind(mutation: &Mutation) -> &'static str {
    match mutation {
        Mutation::Start(..) => "start",
        Mutation::Apply(..) => "apply",
        Mutation::SetUpInventory(..) => "set up",
        Mutation::Undo(_) => "undo",
        Mutation::Probe(..) => "probe",
        Mutation::SavePlan { .. } => "save",
    }
}

#[test]
fn nothing_panics_and_nothing_is_changed_without_its_question() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let steps = number("STEPS").unwrap_or(USUAL_STEPS);
    let keymap = Arc::new(Keymap::built_in().unwrap());
    let mut changed: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut taken, mut seed) = (0, number("SEED").unwrap_or(0));
    while taken < steps {
        let mut walk = Walk::begin(seed, &keymap);
        for _ in 0..WALK {
            let known = walk.mutations.len();
            walk.step();
            for (_, mutation) in walk.mutations.iter().skip(known) {
                *changed.entry(kind(mutation)).or_default() += 1;
            }
            taken += 1;
            if walk.has_ended || taken == steps {
                break;
            }
        }
        seed += 1;
    }
    // Walks that change nothing would show nothing.
    for kind in ["start", "apply", "undo", "probe", "save"] {
        assert!(changed.contains_key(kind), "no {kind} in {changed:?}");
    }
}
