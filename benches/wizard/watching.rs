//! The Watch step with 300 exports in two accounts: key to frame, beside a reference loop in the same run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::widgets::{Block, Paragraph};
use tableferry::archive::layout::ExportId;
use tableferry::aws::Identity;
use tableferry::aws::profiles::{Profile, ProfileKind, Profiles};
use tableferry::tui::keymap::Keymap;
use tableferry::tui::message::{Effect, FrameNumber, Message, Query, Reply, Watch};
use tableferry::tui::model::{Model, WizardStart};
use tableferry::tui::remote::RequestId;
use tableferry::tui::services::Identified;
use tableferry::tui::theme::Theme;
use tableferry::tui::update::{open, start, update};
use tableferry::tui::view;
use tableferry::tui::view_state::ViewState;
use tableferry::work::watch::{WatchEvent, WatchedExport};

const EXPORTS: u32 = 300;
const KEYS: usize = 2000;
/// What is reported between two keys.
const REPORTS: u32 = 10;
const SIZE: (u16, u16) = (120, 40);

struct Bench {
    model: Model,
    view: ViewState,
    terminal: Terminal<TestBackend>,
    frame: FrameNumber,
    now: Timestamp,
}

pub(crate) fn measure() {
    let mut bench = Bench::new();
    let request = bench.watch();
    for number in 0..EXPORTS {
        bench.report(request, number, 0);
    }
    let keys = ["down", "pagedown", "up", "end", "home", "down"];
    let mut times: Vec<Duration> = (0..KEYS)
        .map(|round| {
            for number in 0..REPORTS {
                let round = u32::try_from(round).unwrap_or(u32::MAX);
                bench.report(request, (round * REPORTS + number) % EXPORTS, round);
            }
            let begun = Instant::now();
            bench.press(keys[round % keys.len()]);
            begun.elapsed()
        })
        .collect();
    let mut reference: Vec<Duration> = (0..KEYS).map(|_| bench.reference()).collect();
    report("300 exports watched, key to frame", &mut times);
    report("reference, an empty frame", &mut reference);
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn report(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |hundredths: usize| times[times.len() * hundredths / 100].as_secs_f64() * 1000.0;
    println!(
        "{what}, ms: median {:.3}, 99th percentile {:.3}",
        at(50),
        at(99)
    );
}

impl Bench {
    fn new() -> Self {
        let now = Timestamp::now();
        let wizard_start = WizardStart {
            is_sandbox: true,
            is_read_only: false,
            production: std::collections::BTreeMap::new(),
            plan: None,
            plan_file: None,
            now,
        };
        let keymap = Arc::new(Keymap::built_in().expect("the key table"));
        let model = start(keymap, wizard_start);
        let terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).expect("a terminal");
        let mut bench = Self {
            model,
            view: ViewState::default(),
            terminal,
            frame: FrameNumber::default(),
            now,
        };
        bench.dispatch(Message::Resized(SIZE.0, SIZE.1));
        let effects = open(&mut bench.model);
        bench.answer(effects);
        bench
    }

    /// Signs both sides in, and goes to the step; the number of its watch.
    fn watch(&mut self) -> RequestId {
        let mut effects = Vec::new();
        for key in ["n", "enter", "down", "enter", "w"] {
            effects = self.press(key);
        }
        let watch = effects.iter().find_map(|effect| match effect {
            Effect::Watch(request, Watch::Accounts) => Some(*request),
            _ => None,
        });
        watch.expect("the watch begins")
    }

    fn dispatch(&mut self, message: Message) -> Vec<Effect> {
        let effects = update(&mut self.model, message);
        self.answer(effects.clone());
        effects
    }

    /// Answers what is asked about profiles and identities; nothing else is needed here.
    fn answer(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let Effect::Ask(request, _, query) = effect else {
                continue;
            };
            let reply = match query {
                Query::Profiles => Reply::Profiles(profiles()),
                Query::SignIn(side, how, _) => {
                    Reply::SignedIn(side, Box::new(Ok(identified(&how.profile))))
                }
                _ => continue,
            };
            self.dispatch(Message::Replied(request, reply));
        }
    }

    fn press(&mut self, key: &str) -> Vec<Effect> {
        let key = crokey::parse(key).expect("a key");
        let effects = self.dispatch(Message::KeyPressed(key, self.frame));
        self.draw();
        effects
    }

    fn draw(&mut self) {
        let theme = Theme {
            has_colours: true,
            is_ascii: false,
        };
        let (model, view) = (&self.model, &mut self.view);
        self.terminal
            .draw(|frame| view::draw(model, theme, view, frame))
            .expect("a frame");
        self.frame.0 += 1;
        let page = self.view.page();
        let _ = update(&mut self.model, Message::Drawn(self.frame, page));
    }

    /// One export's new state.
    fn report(&mut self, request: RequestId, number: u32, round: u32) {
        let started = self.now - SignedDuration::from_mins(i64::from(number) + 1);
        let id = ExportId::new(started, number);
        let account = if number.is_multiple_of(2) {
            "111111111111"
        } else {
            "222222222222"
        };
        let arn = format!("arn:aws:dynamodb:eu-west-1:{account}:table/T{number:03}/export/{id}");
        let arn = arn.parse().expect("an ARN");
        let export = WatchedExport {
            seen: Some((u64::from(round), u64::from(round) << 20)),
            table_bytes: Some(1 << 32),
            ..WatchedExport::of_arn(&arn)
        };
        let event = WatchEvent::Export(Box::new(export));
        self.dispatch(Message::Watched(request, event));
    }

    /// A frame of the same size with nothing of ours.
    fn reference(&mut self) -> Duration {
        let begun = Instant::now();
        self.terminal
            .draw(|frame| {
                let text = Paragraph::new("reference").block(Block::bordered());
                frame.render_widget(text, frame.area());
            })
            .expect("a frame");
        begun.elapsed()
    }
}

fn profiles() -> Profiles {
    let profile = |name: &str| Profile {
        name: name.to_owned(),
        kind: ProfileKind::Keys,
        region: "eu-west-1".parse().ok(),
        role_arn: None,
        mfa_serial: None,
        endpoints: Vec::new(),
        warnings: Vec::new(),
        place: String::new(),
    };
    Profiles {
        usable: vec![profile("dev"), profile("prod")],
        ignored: Vec::new(),
        chosen: None,
        problems: Vec::new(),
    }
}

fn identified(profile: &str) -> Identified {
    let account = if profile == "prod" {
        "111111111111"
    } else {
        "222222222222"
    };
    let arn = format!("arn:aws:iam::{account}:user/{profile}");
    Identified {
        identity: Identity {
            account: account.parse().expect("an account"),
            arn: arn.parse().expect("an ARN"),
            user_id: "AIDAEXAMPLE".to_owned(),
        },
        region: "eu-west-1".parse().expect("a Region"),
        expires_at: None,
        endpoints: Vec::new(),
        warnings: Vec::new(),
    }
}
