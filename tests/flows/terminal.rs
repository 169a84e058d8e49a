//! The wizard in a real pseudo-terminal, as a person drives it: by keys alone.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use tableferry::aws::Environment;
use tableferry::journal::Journal;
use tableferry::tui;
use tableferry::work::{Settings, Work};

use crate::program::{Ended, Home, Server};

const PATIENCE: Duration = Duration::from_secs(20);

/// The wizard in a terminal of its own; killed when dropped.
pub(crate) struct Terminal {
    screen: Arc<Mutex<vt100::Parser>>,
    /// Everything that was sent to the terminal.
    sent: Arc<Mutex<Vec<u8>>>,
    keys: Box<dyn Write + Send>,
    program: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    /// Reads what the program writes, until nobody holds the terminal any more.
    reader: JoinHandle<()>,
}

impl Terminal {
    pub(crate) fn open(home: &Home, columns: u16, rows: u16, arguments: &[&str]) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tableferry"));
        command.args(arguments);
        command.env_clear();
        Self::spawn(home, command, columns, rows)
    }

    pub fn spawn(home: &Home, mut command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        command.env("HOME", home.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("TERM", "xterm-256color");
        command.cwd(home.path());
        let program = pair.slave.spawn_command(command).unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(
            NonZero::new(rows).unwrap(),
            NonZero::new(columns).unwrap(),
            0,
        )));
        let sent = Arc::new(Mutex::new(Vec::new()));
        let mut output = pair.master.try_clone_reader().unwrap();
        let (shared_screen, shared_sent) = (Arc::clone(&screen), Arc::clone(&sent));
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                shared_screen.lock().unwrap().process(&buffer[..read]);
                shared_sent
                    .lock()
                    .unwrap()
                    .extend_from_slice(&buffer[..read]);
            }
        });
        Self {
            screen,
            sent,
            keys: pair.master.take_writer().unwrap(),
            program,
            master: pair.master,
            reader,
        }
    }

    pub(crate) fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Everything that was sent to the terminal so far.
    pub fn sent(&self) -> String {
        String::from_utf8_lossy(&self.sent.lock().unwrap()).into_owned()
    }

    /// Waits until the screen shows all of these, twice in a row: a key that comes before the program
    /// knows that its frame was drawn may count as one that was on its way.
    pub(crate) fn sees(&self, words: &[&str]) {
        let begun = Instant::now();
        let mut times = 0;
        loop {
            let text = self.text();
            let is_seen = words.iter().all(|word| text.contains(word));
            times = if is_seen { times + 1 } else { 0 };
            if times == 2 {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{words:?} did not come on the screen:\n{text}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the screen shows this no longer.
    pub(crate) fn sees_no(&self, words: &str) {
        let begun = Instant::now();
        while self.text().contains(words) {
            assert!(
                begun.elapsed() < PATIENCE,
                "{words} stays:\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Says yes to the question in sight. Where the key came before the program knew that the
    /// question was drawn, it is pressed again: to mark an answer twice is to mark it once.
    pub(crate) fn agree(&mut self) {
        self.sees(&["[ No ]"]);
        let begun = Instant::now();
        while !self.text().contains("[ Yes ]") {
            assert!(begun.elapsed() < PATIENCE, "no Yes:\n{}", self.text());
            self.press(LEFT);
            std::thread::sleep(Duration::from_millis(10));
        }
        self.press(ENTER);
    }

    fn signal(&self, name: &str) {
        let status = std::process::Command::new("kill")
            .args([
                &format!("-{name}"),
                &self.program.process_id().unwrap().to_string(),
            ])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for the end, and until all that was written is read; gives the exit status.
    pub(crate) fn ended(&mut self) -> u32 {
        let begun = Instant::now();
        loop {
            let status = self.program.try_wait().unwrap();
            if let Some(status) = status.filter(|_| self.reader.is_finished()) {
                return status.exit_code();
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "it does not end:\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Left the alternate screen, shows the cursor, pastes as it did before.
    fn is_sound(&self) -> bool {
        let parser = self.screen.lock().unwrap();
        let screen = parser.screen();
        !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

pub(crate) const ENTER: &str = "\r";
pub(crate) const ESCAPE: &str = "\u{1b}";
pub(crate) const DOWN: &str = "\u{1b}[B";
const LEFT: &str = "\u{1b}[D";
const CTRL_U: &str = "\u{15}";

/// From the profiles to the confirmation, by keys alone.
fn walk_to_the_start(terminal: &mut Terminal) {
    walk_to_review(terminal);
    terminal.press(ENTER);
    terminal.sees(&["Start the export?"]);
}

/// From the profiles to the last step before the start, by keys alone.
fn walk_to_review(terminal: &mut Terminal) {
    // The second profile is prod-oncall.
    walk_to_tables(terminal, 1);
    terminal.press(&DOWN.repeat(3));
    terminal.press(" ");
    terminal.sees(&["1 chosen", "on to Destination"]);
    terminal.press(ENTER);
    terminal.sees(&["export-landing"]);
    walk_from_destination(terminal);
    terminal.sees(&["dynamodb:ExportTableToPointInTime"]);
    terminal.press(ENTER);
    terminal.sees(&["ready to start"]);
}

/// From the start screen to the profiles.
fn begin_export(terminal: &mut Terminal) {
    terminal.sees(&["n  Export"]);
    terminal.press("n");
}

/// From the start screen to the tables, both sides proved; the source is so many profiles down.
fn walk_to_tables(terminal: &mut Terminal, source: usize) {
    begin_export(terminal);
    terminal.sees(&["prod-oncall", "dev-admin"]);
    // The source, and with it the focus goes to the destination.
    terminal.press(&DOWN.repeat(source));
    terminal.press(ENTER);
    // The account's id stands in a role's ARN before the role was assumed.
    terminal.sees(&["✓ 111111111111"]);
    terminal.press(&DOWN.repeat(5));
    terminal.press(ENTER);
    terminal.sees(&["222222222222", "on to Tables"]);
    terminal.press(ENTER);
    terminal.sees(&["Orders", "10,000"]);
}

/// From the buckets to the Access step.
fn walk_from_destination(terminal: &mut Terminal) {
    terminal.press(&DOWN.repeat(3));
    terminal.press(ENTER);
    terminal.sees(&["222222222222, which S3 agreed to"]);
    terminal.press(ENTER);
    terminal.sees(&["AES256", "on to Access"]);
    terminal.press(ENTER);
}

#[test]
fn the_wizard_goes_from_two_profiles_to_a_verified_export_by_keys_alone() {
    let home = Home::new();
    let mut terminal = Terminal::open(&home, 80, 24, &["--sandbox", "--sandbox-job", "0.5"]);
    walk_to_the_start(&mut terminal);
    terminal.agree();
    terminal.sees(&["all complete and verified", "10,000 items"]);
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
    assert!(terminal.is_sound(), "{}", terminal.text());
    // Practice leaves nothing behind.
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_wrong_code_is_asked_for_again_and_chooses_no_destination() {
    let home = Home::new();
    let mut terminal = Terminal::open(&home, 80, 24, &["--sandbox"]);
    begin_export(&mut terminal);
    terminal.sees(&["prod-mfa"]);
    terminal.press(&DOWN.repeat(4));
    terminal.press(ENTER);
    terminal.sees(&["MFA code", "prod-mfa (the source)"]);
    terminal.press(&format!("999999{ENTER}"));
    terminal.sees(&["AWS refused the code", "every 30", "prod-mfa (the source)"]);
    terminal.press(&format!("123456{ENTER}"));
    terminal.sees(&["source prod-mfa 111111111111", "destination –"]);
}

/// The role's session ends while the export goes on, and only somebody with the device can begin another.
#[test]
fn a_run_whose_session_ends_goes_on_once_somebody_signs_in_again_and_exports_once() {
    let home = Home::new();
    let plan = include_str!("../../assets/plans/one-table.toml");
    home.write("plan.toml", &plan.replace("prod-oncall", "prod-mfa"));
    let sandbox = ["--sandbox", "--sandbox-state", "world.json"];
    let fault = [
        "--sandbox-job",
        "1",
        "--sandbox-fault",
        "DescribeExport=expired:1",
    ];
    let words = [&sandbox[..], &fault, &["run", "plan.toml", "--yes"]].concat();
    let mut terminal = Terminal::open(&home, 100, 40, &words);
    for asked in 0..2 {
        let begun = Instant::now();
        while terminal.text().matches("mfa/prod-admin: ").count() <= asked {
            assert!(begun.elapsed() < PATIENCE, "{}", terminal.text());
            std::thread::sleep(Duration::from_millis(10));
        }
        terminal.press(&format!("123456{ENTER}"));
    }
    assert_eq!(terminal.ended(), 0, "{}", terminal.text());
    let text = terminal.text();
    assert!(
        text.contains("paused: the source must be signed in again"),
        "{text}"
    );
    assert!(text.contains("completed, 10000 items, verified"), "{text}");
    // What DynamoDB lists is the one export of the journal.
    let mut history = home.command();
    let history = history.current_dir(home.path()).args(sandbox);
    let listed = history.args(["history", "--import", "--profile", "prod-admin"]);
    let listed = Ended::of(listed);
    assert!(
        listed.out.contains("0 exports were taken in, 1 were known"),
        "{listed:?}"
    );
}

/// Without the wizard too, and no more often than three times.
#[rstest::rstest]
#[case::right(&["99", "999999", "123456"], 0)]
#[case::wrong(&["999999", "999998", "999997"], 4)]
fn a_command_asks_again_for_a_code_that_was_refused(#[case] codes: &[&str], #[case] exit: u32) {
    let home = Home::new();
    let plan = include_str!("../../assets/plans/one-table.toml");
    home.write("plan.toml", &plan.replace("prod-oncall", "prod-mfa"));
    let arguments = [
        "--sandbox",
        "--sandbox-job",
        "0.2",
        "run",
        "plan.toml",
        "--yes",
    ];
    let mut terminal = Terminal::open(&home, 100, 40, &arguments);
    for (index, code) in codes.iter().enumerate() {
        let begun = Instant::now();
        while terminal.text().matches("mfa/prod-admin: ").count() <= index {
            assert!(begun.elapsed() < PATIENCE, "{}", terminal.text());
            std::thread::sleep(Duration::from_millis(10));
        }
        terminal.press(&format!("{code}{ENTER}"));
    }
    assert_eq!(terminal.ended(), exit, "{}", terminal.text());
    let text = terminal.text();
    assert!(text.contains("every 30 seconds"), "{text}");
    let asked = text.matches("mfa/prod-admin: ").count();
    assert_eq!(asked, 3, "{text}");
}

/// The one who typed it had not read what is asked.
#[test]
fn a_line_that_was_typed_before_the_question_is_no_answer() {
    let home = Home::new();
    let plan = include_str!("../../assets/plans/one-table.toml");
    home.write("plan.toml", plan);
    let arguments = ["--sandbox", "--sandbox-job", "0.2", "run", "plan.toml"];
    let mut terminal = Terminal::open(&home, 100, 40, &arguments);
    terminal.press(&format!("y{ENTER}"));
    terminal.sees(&["start (y/N)?"]);
    terminal.press(ENTER);
    assert_eq!(terminal.ended(), 3, "{}", terminal.text());
    terminal.sees(&["nothing was started"]);
}

/// From a plan that is filled in to the Access step; each step is left once it has read this.
fn walk_to_access(terminal: &mut Terminal, steps: [&[&str]; 4]) {
    for read in steps {
        terminal.sees(read);
        terminal.press("n");
    }
}

/// What could not be read, since nobody is signed in to the destination, the probe settles.
#[test]
fn a_probe_is_agreed_to_made_and_judged_with_by_keys_alone() {
    let home = Home::new();
    home.write(
        "config.toml",
        "[accounts.\"111111111111\"]\nname = \"shop-prod\"\nproduction = true\n",
    );
    let plan = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/assets/plans/no-destination-profile.toml"
    );
    let arguments = [
        "--sandbox",
        "--sandbox-state",
        "world.json",
        "--config",
        "config.toml",
        "--plan",
        plan,
    ];
    let mut terminal = Terminal::open(&home, 80, 24, &arguments);
    walk_to_access(
        &mut terminal,
        [
            &["111111111111 PRODUCTION", "on to Tables"],
            &["1 chosen", "10,000"],
            &["export-landing", "on to Encryption"],
            &["AES256", "on to Access"],
        ],
    );
    terminal.sees(&["? 4 unknown", "? unknown s3:PutObject on", "p probe"]);
    terminal.press("p");
    terminal.sees(&[
        "Probe the bucket?",
        "source      111111111111 PRODUCTION",
        "CreateMultipartUpload of",
        "[ No ]",
    ]);
    terminal.agree();
    terminal.sees(&[
        "the probe got through and left nothing",
        "? 1 unknown",
        "probed ",
        "? unknown s3:PutObjectAcl",
    ]);
    assert!(!terminal.text().contains("unknown s3:PutObject on"));
    terminal.press("q");
    terminal.press("y");
    assert_eq!(terminal.ended(), 0);
    assert!(terminal.is_sound(), "{}", terminal.text());
    assert_eq!(uploads_of(&home), 0);
    let stages: Vec<String> = home
        .journal()
        .prepare("SELECT state FROM operation WHERE kind = 'probe'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(stages, ["SETTLED"]);
}

/// The uploads under way in the bucket, as the sandbox keeps them.
fn uploads_of(home: &Home) -> usize {
    let text = std::fs::read_to_string(home.path().join("world.json")).unwrap();
    let world: serde_json::Value = serde_json::from_str(&text).unwrap();
    let uploads = &world["buckets"]["export-landing"]["uploads"];
    uploads.as_object().map_or(0, serde_json::Map::len)
}

/// A plan outside the configuration's limits is neither probed nor fixed.
#[test]
fn beyond_the_limits_nothing_is_probed_and_nothing_changed() {
    let home = Home::new();
    home.write("config.toml", "[allowed]\naccounts = [\"333333333333\"]\n");
    let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/plans/no-grant.toml");
    let arguments = ["--sandbox", "--config", "config.toml", "--plan", plan];
    let mut terminal = Terminal::open(&home, 80, 24, &arguments);
    walk_to_access(&mut terminal, TO_ACCESS);
    terminal.sees(&["✗ denied  configured limit on export-nopolicy", "p probe"]);
    assert!(!terminal.text().contains("a apply"), "{}", terminal.text());
    terminal.press("p");
    terminal.sees(&[
        "The probe cannot be made",
        "the configuration allows only",
        "333333333333",
    ]);
    terminal.press("q");
    terminal.press("\t");
    terminal.sees(&["not to be done from here: the configuration allows only"]);
}

const TO_ACCESS: [&[&str]; 4] = [
    &["prod-oncall 111111111111", "on to Tables"],
    &["1 chosen", "10,000"],
    &["which S3 agreed to"],
    &["AES256", "on to Access"],
];

#[test]
fn a_bucket_that_grants_nothing_is_fixed_used_and_left_as_it_was_by_keys_alone() {
    let home = Home::new();
    let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/plans/no-grant.toml");
    let arguments = ["--sandbox", "--sandbox-job", "0.5", "--plan", plan];
    let mut terminal = Terminal::open(&home, 80, 24, &arguments);
    walk_to_access(&mut terminal, TO_ACCESS);
    terminal.sees(&["✗ denied  s3:PutObject", "a apply "]);
    terminal.press("a");
    terminal.sees(&[
        "Change this account?",
        "222222222222 (the destination)",
        "+{",
    ]);
    terminal.agree();
    terminal.sees(&["changed, and it holds", "✓ 18 allowed"]);
    assert!(!terminal.text().contains("denied"), "{}", terminal.text());
    terminal.press(ENTER);
    terminal.sees(&["ready to start"]);
    terminal.press(ENTER);
    terminal.sees(&["Start the export?"]);
    terminal.agree();
    terminal.sees(&["all complete and verified", "Changes in place"]);
    terminal.press(ENTER);
    terminal.sees(&[
        "Take this change away?",
        "the document as a whole is deleted",
    ]);
    terminal.agree();
    terminal.sees(&["bucket policy of export-nopolicy: taken away"]);
    terminal.sees_no("Changes in place");
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
    assert!(terminal.is_sound(), "{}", terminal.text());
}

/// With a plan, and typed by keys.
#[rstest::rstest]
#[case::plan(true)]
#[case::keys(false)]
fn recovery_that_is_off_is_enabled_in_access_and_exported_from(#[case] has_plan: bool) {
    let home = Home::new();
    // prod-oncall may not enable it.
    let plan = include_str!("../../assets/plans/pitr-off.toml");
    home.write("plan.toml", &plan.replace("prod-oncall", "prod-admin"));
    let mut arguments = vec!["--sandbox", "--sandbox-job", "0.5"];
    if has_plan {
        arguments.extend(["--plan", "plan.toml"]);
    }
    let mut terminal = Terminal::open(&home, 80, 24, &arguments);
    let off = "recovery is off on Sessions: Access can enable it";
    if has_plan {
        let to_access: [&[&str]; 4] = [
            &["prod-admin 111111111111", "on to Tables"],
            &["1 chosen", "✗ off", "on to Destination"],
            &["which S3 agreed to", off],
            &["AES256", "on to Access"],
        ];
        walk_to_access(&mut terminal, to_access);
    } else {
        walk_to_tables(&mut terminal, 0);
        terminal.press("/");
        terminal.press(&format!("Sessions{ENTER} "));
        terminal.sees(&["1 chosen", "off on Sessions: the Access step can enable it"]);
        terminal.press(ENTER);
        terminal.sees(&["export-landing", off]);
        walk_from_destination(&mut terminal);
    }
    terminal.sees(&["✗ denied  point-in-time recovery of Sessions", "a apply"]);
    terminal.press("a");
    terminal.sees(&[
        "Change this account?",
        "+ point-in-time recovery of",
        "per GB-month",
        "an estimate for",
    ]);
    terminal.agree();
    terminal.sees(&["changed, and it holds"]);
    assert!(!terminal.text().contains("denied"), "{}", terminal.text());
    terminal.press(ENTER);
    terminal.sees(&["ready to start"]);
    terminal.press(ENTER);
    terminal.sees(&["Start the export?"]);
    terminal.agree();
    terminal.sees(&["all complete and verified"]);
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn a_pasted_line_end_confirms_nothing() {
    let home = Home::new();
    let mut terminal = Terminal::open(&home, 80, 24, &["--sandbox"]);
    walk_to_the_start(&mut terminal);
    terminal.press("\u{1b}[200~y\r\ny\r\n\u{1b}[201~");
    terminal.press("\u{1b}");
    terminal.sees_no("Start the export?");
    terminal.sees(&["ready to start"]);
    assert!(!terminal.text().contains("Progress · run"));
}

/// All in one piece, as a key that is held down, a slow line or a terminal without bracketed paste
/// sends it.
#[test]
fn keys_that_were_on_their_way_when_a_question_opened_do_not_answer_it() {
    let home = Home::new();
    let mut terminal = Terminal::open(&home, 80, 24, &["--sandbox"]);
    walk_to_review(&mut terminal);
    terminal.press(&format!("{ENTER}{LEFT}{ENTER}y{ENTER}"));
    terminal.sees(&["Start the export?", "[ No ]"]);
    terminal.press(&format!("~/yes/plan.toml\t{ENTER}"));
    terminal.sees_no("Start the export?");
    terminal.sees(&["ready to start"]);
    terminal.press(ENTER);
    terminal.sees(&["Start the export?"]);
    terminal.agree();
    terminal.sees(&["Progress · run 1"]);
}

#[test]
fn a_save_that_failed_keeps_its_path_and_a_tilde_is_the_home_directory() {
    let home = Home::new();
    let mut terminal = Terminal::open(&home, 80, 24, &["--sandbox"]);
    walk_to_review(&mut terminal);
    terminal.press("s");
    terminal.sees(&["Save the plan", "plan.toml"]);
    terminal.press(&format!("{CTRL_U}~/missing/plan.toml{ENTER}"));
    terminal.sees(&["was not saved", "os error 2", "› ~/missing/plan.toml"]);
    // The same once more, as anyone who believes the dialog closed.
    terminal.press(&format!("{CTRL_U}~/my-plan.toml{ENTER}"));
    let path = home.path().join("my-plan.toml");
    terminal.sees(&["the plan is in"]);
    let saved = std::fs::read_to_string(&path).unwrap();
    assert!(saved.contains("[[tables]]"), "{saved}");
    assert!(!terminal.text().contains("Start the export?"));

    terminal.press("s");
    terminal.sees(&["Save the plan"]);
    std::fs::write(&path, "theirs").unwrap();
    terminal.press(ENTER);
    terminal.sees(&["Replace the file?"]);
    terminal.press(ENTER);
    terminal.sees(&["Save the plan", "already"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "theirs");
    terminal.press(ENTER);
    terminal.sees(&["Replace the file?"]);
    terminal.agree();
    terminal.sees(&["the plan is in"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), saved);
}

#[test]
fn quitting_while_an_export_runs_asks_and_opening_again_shows_what_is_under_way() {
    let home = Home::new();
    let _server = Server::start(&home, 0, "600");
    let mut terminal = Terminal::open(&home, 80, 24, &[]);
    walk_to_the_start(&mut terminal);
    terminal.agree();
    terminal.sees(&["in progress"]);
    terminal.press("q");
    terminal.sees(&["Quit?", "resume"]);
    terminal.press("y");
    assert_eq!(terminal.ended(), 4);
    assert!(terminal.is_sound());
    assert!(
        terminal.text().contains("tableferry resume 1"),
        "{}",
        terminal.text()
    );

    let mut again = Terminal::open(&home, 80, 24, &[]);
    again.sees(&["under way", "s3://export-landing"]);
    again.signal("TERM");
    again.ended();
    assert!(again.is_sound());
}

#[rstest::rstest]
#[case("TERM")]
#[case("HUP")]
#[case("INT")]
fn a_signal_leaves_a_sound_terminal(#[case] signal: &str) {
    let home = Home::new();
    let mut terminal = Terminal::open(&home, 80, 24, &["--sandbox", "--sandbox-job", "600"]);
    walk_to_the_start(&mut terminal);
    terminal.agree();
    terminal.sees(&["in progress"]);
    terminal.signal(signal);
    assert_eq!(terminal.ended(), 4);
    assert!(terminal.is_sound());
}

#[test]
fn a_terminal_that_is_too_small_is_told_and_a_larger_one_goes_on() {
    let home = Home::new();
    let mut terminal = Terminal::open(&home, 20, 5, &["--sandbox"]);
    terminal.sees(&["60"]);
    // First the one that reads: what is drawn at the new size is lost on a screen of the old one.
    terminal
        .screen
        .lock()
        .unwrap()
        .screen_mut()
        .set_size(NonZero::new(24).unwrap(), NonZero::new(80).unwrap());
    terminal.master.resize(size(80, 24)).unwrap();
    terminal.sees(&["SANDBOX", "n  Export"]);
    // Nothing was chosen, so that nothing is asked.
    terminal.press("q");
    terminal.ended();
    assert!(terminal.is_sound());
}

#[test]
fn control_characters_from_outside_are_not_sent_to_the_terminal() {
    let home = Home::new();
    home.write(
        ".aws/config",
        "[profile good]\nregion = eu-west-1\n[profile ev\u{1b}]0;owned\u{7}il]\nregion = eu-west-1\n",
    );
    home.write(
        ".aws/credentials",
        "[good]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n",
    );
    let mut terminal = Terminal::open(&home, 80, 24, &[]);
    begin_export(&mut terminal);
    terminal.sees(&["good"]);
    terminal.press("q");
    terminal.press("y");
    terminal.ended();
    let sent = terminal.sent.lock().unwrap();
    let text = String::from_utf8_lossy(&sent);
    assert!(!text.contains("\u{1b}]0;owned"), "{text:?}");
}

/// Set in the child of [`a_panic_gives_the_terminal_back`], which is this test once more.
const CHILD: &str = "TABLEFERRY_TEST_PANICS";

/// An HTTP client with a fault in it.
#[derive(Debug)]
struct Faulty;

impl HttpConnector for Faulty {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        panic!("a fault in the program")
    }
}

impl HttpClient for Faulty {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Self)
    }
}

fn wizard_with_a_fault() {
    let environment = Environment::in_memory(
        "[profile faulty]\nregion = eu-west-1\n".to_owned(),
        "[faulty]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n".to_owned(),
        SharedHttpClient::new(Faulty),
    );
    let settings = Settings {
        is_sandbox: false,
        ..Settings::default()
    };
    let work = Work::new(environment, Journal::in_memory().unwrap(), settings);
    let _ = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(tui::run(work, tui::WizardOptions::default()));
}

#[test]
fn a_panic_gives_the_terminal_back() {
    if std::env::var_os(CHILD).is_some() {
        return wizard_with_a_fault();
    }
    let home = Home::new();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "--nocapture",
        "terminal::a_panic_gives_the_terminal_back",
    ]);
    command.env_clear();
    command.env(CHILD, "1");
    let mut terminal = Terminal::spawn(&home, command, 80, 24);
    begin_export(&mut terminal);
    terminal.sees(&["faulty", "use this profile"]);
    terminal.press(ENTER);
    terminal.ended();
    assert!(terminal.is_sound(), "{}", terminal.text());
    assert!(
        terminal.text().contains("a fault in the program"),
        "{}",
        terminal.text()
    );
}
