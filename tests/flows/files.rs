//! Files that cannot be reached, or that are something else than they should be: a clear error at
//! once, and nothing started or changed.

use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use rstest::rstest;
use rustix::fs::{CWD, Mode, mkfifoat};

use crate::program::{Ended, Home, Server};

const PLAN: &str = "[source]\nprofile = 'prod-oncall'\n[destination]\nprofile = 'dev-admin'\n\
                    bucket = 'export-landing'\n[[tables]]\nname = 'Empty'\n";

const CONFIG: &str = ".config/tableferry/config.toml";

/// Puts what its name says where the configuration is looked for.
fn spoil(home: &Home, how: &str) {
    let config = home.path().join(CONFIG);
    let directory = config.parent().unwrap();
    fs::create_dir_all(directory.parent().unwrap()).unwrap();
    match how {
        "a link that leads nowhere" => {
            fs::create_dir(directory).unwrap();
            symlink("elsewhere.toml", config).unwrap();
        }
        "a directory that leads nowhere" => symlink("/nowhere/at/all", directory).unwrap(),
        "a loop" => symlink("tableferry", directory).unwrap(),
        "a file for a directory" => fs::write(directory, "").unwrap(),
        "a directory" => fs::create_dir_all(config).unwrap(),
        "a pipe" => {
            fs::create_dir(directory).unwrap();
            mkfifoat(CWD, &config, Mode::RWXU).unwrap();
        }
        "not UTF-8" => {
            fs::create_dir(directory).unwrap();
            fs::write(config, b"read_only = true # \xe4").unwrap();
        }
        other => panic!("{other}"),
    }
}

#[rstest]
fn guards_that_cannot_be_reached_are_no_guards_that_are_not_there(
    #[values(
        "a link that leads nowhere",
        "a directory that leads nowhere",
        "a loop",
        "a file for a directory",
        "a directory",
        "a pipe",
        "not UTF-8"
    )]
    how: &str,
) {
    let home = Home::new();
    home.write("plan.toml", PLAN);
    spoil(&home, how);
    for command in [
        "run plan.toml --yes",
        "run plan.toml --yes --output json",
        "check plan.toml",
        "check plan.toml --facts facts.json",
        "policies plan.toml --as cli",
        "policies plan.toml --as cli --facts facts.json",
        "survey plan.toml",
        "apply plan.toml --yes",
        "undo 1 --yes",
        "resume",
        "exports",
    ] {
        let mut program = home.command();
        program.current_dir(home.path()).args(command.split(' '));
        let ended = Ended::of(&mut program);
        assert_eq!(ended.status, 2, "{how}, {command}: {ended:?}");
        let told = format!("{}{}", ended.out, ended.err);
        for word in [
            "cannot read the configuration",
            CONFIG,
            "nothing was started",
        ] {
            assert!(told.contains(word), "{how}, {command}: {ended:?}");
        }
        assert!(!home.path().join(".local").exists(), "{how}, {command}");
    }
}

/// The same accounts with and without a configuration: what decides is whether it can be reached.
#[test]
fn a_run_starts_without_a_configuration_and_not_where_it_leads_nowhere() {
    let home = Home::new();
    let _server = Server::start(&home, 0, "0.2");
    let plan = home.write("plan.toml", PLAN);
    let run = || Ended::of(home.command().args(["run", "--yes"]).arg(&plan));
    spoil(&home, "a directory that leads nowhere");
    let ended = run();
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(!home.path().join(".local").exists(), "{ended:?}");
    fs::remove_file(home.path().join(".config/tableferry")).unwrap();
    let ended = run();
    assert_eq!(ended.status, 0, "{ended:?}");
}

#[test]
fn a_state_directory_that_is_not_utf_8_holds_the_journal() {
    let home = Home::new();
    let name = std::ffi::OsString::from_vec(b"st\xe4te".to_vec());
    let directory = home.path().join(name);
    let ended = Ended::of(
        home.command()
            .arg("exports")
            .env("TABLEFERRY_STATE_DIR", &directory),
    );
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(directory.join("journal.db").exists());
    assert!(!home.path().join(".local").exists());
}

/// Each variable that names a directory from wherever one stands.
#[rstest]
fn a_relative_directory_is_refused(
    #[values("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "TABLEFERRY_STATE_DIR")] variable: &str,
) {
    let home = Home::new();
    let mut program = home.command();
    program.current_dir(home.path()).env(variable, "here");
    let ended = Ended::of(program.arg("exports"));
    assert_eq!(ended.status, 2, "{ended:?}");
    let told = format!("{variable} is `here`, which is not an absolute path");
    assert!(ended.err.contains(&told), "{ended:?}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_state_directory_that_everybody_may_write_to_is_refused() {
    let home = Home::new();
    let directory = home.path().join("state");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
    let mut program = home.command();
    program
        .arg("exports")
        .env("TABLEFERRY_STATE_DIR", &directory);
    let ended = Ended::of(&mut program);
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.contains("chmod o-w"), "{ended:?}");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(Ended::of(&mut program).status, 0);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_journal_is_not_opened_through_a_link_and_what_it_leads_to_keeps_its_mode() {
    let home = Home::new();
    let foreign = home.write("notes.db", "");
    fs::set_permissions(&foreign, fs::Permissions::from_mode(0o644)).unwrap();
    let state = home.path().join(".local/state/tableferry");
    fs::create_dir_all(&state).unwrap();
    for link in ["journal.db", "journal.db.changes.lock"] {
        symlink(&foreign, state.join(link)).unwrap();
        let mut program = home.command();
        let arguments: &[&str] = if link == "journal.db" {
            &["exports"]
        } else {
            &["undo", "1", "--yes"]
        };
        let ended = Ended::of(program.args(arguments));
        assert_eq!(mode(&foreign), 0o644, "{link}: {ended:?}");
        assert_eq!(fs::read(&foreign).unwrap(), b"", "{link}: {ended:?}");
        if link == "journal.db" {
            assert_eq!(ended.status, 2, "{ended:?}");
            assert!(ended.err.contains("it is a symbolic link"), "{ended:?}");
        }
        fs::remove_file(state.join(link)).unwrap();
    }
    // A directory on the way may well be a link.
    let moved = home.path().join("moved");
    fs::rename(&state, &moved).unwrap();
    symlink(&moved, &state).unwrap();
    let ended = Ended::of(home.command().arg("exports"));
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(moved.join("journal.db").exists());
}

/// Where a pipe stands in place of a file, and the command that would wait for it for good.
#[rstest]
#[case::journal(".local/state/tableferry/journal.db", "exports")]
#[case::plan("pipe", "check pipe")]
#[case::facts("pipe", "check plan.toml --facts pipe")]
#[case::configuration("pipe", "exports --config pipe")]
#[case::policy("pipe", "policy lint pipe --kind bucket")]
#[case::control("pipe", "check plan.toml --scp pipe")]
#[case::profiles(".aws/config", "profiles")]
#[case::world("pipe", "--sandbox --sandbox-state pipe exports")]
#[case::journal_of_a_world("world.journal", "--sandbox --sandbox-state world exports")]
fn a_pipe_in_place_of_a_file_blocks_nothing(#[case] place: &str, #[case] command: &str) {
    let home = Home::new();
    home.write("plan.toml", PLAN);
    let pipe = home.path().join(place);
    fs::create_dir_all(pipe.parent().unwrap()).unwrap();
    mkfifoat(CWD, &pipe, Mode::RWXU).unwrap();
    let mut program = home.command();
    program.current_dir(home.path()).args(command.split(' '));
    let ended = Ended::of(&mut program);
    assert_eq!(ended.status, 2, "{ended:?}");
    let is_told = ["a named pipe", "no regular file"]
        .iter()
        .any(|word| ended.err.contains(word));
    assert!(is_told, "{ended:?}");
}

#[test]
fn a_plan_that_is_far_too_large_is_refused_before_it_is_read() {
    let home = Home::new();
    let plan = home.path().join("plan.toml");
    // A hole of a gigabyte takes no room on the disk.
    fs::File::create(&plan).unwrap().set_len(1 << 30).unwrap();
    let ended = Ended::of(home.sandbox(&["check"]).arg(&plan));
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.err.contains("it is larger than 1.0 MiB"), "{ended:?}");
}
