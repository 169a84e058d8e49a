//! The commands that the documents print, run as they are printed: each page in a home of its own, with a
//! sandbox behind its profiles, a plan, and three runs in its journal.

use std::path::Path;

use rstest::rstest;

use crate::program::{Ended, Home, Server};

/// The plan of README, which the pages call plan.toml.
const PLAN: &str = r#"
[source]
profile = "prod-oncall"

[destination]
profile = "dev-admin"
bucket = "export-landing"
prefix = "prod"

[[tables]]
name = "Orders"
"#;

/// The lines that end with something else than 0: what is denied, what is undecided, and the findings of
/// `doctor` about the machine that the tests run on.
const OTHERWISE: [(&str, &[i32]); 6] = [
    ("tableferry doctor", &[0, 5]),
    (
        "tableferry --sandbox check assets/plans/key-without-grant.toml",
        &[3],
    ),
    (
        "tableferry --sandbox check assets/plans/key-other-region.toml",
        &[3],
    ),
    (
        "tableferry --sandbox --sandbox-state world.json check assets/plans/inventory.toml",
        &[3],
    ),
    // In a new process the sandbox has delivered nothing yet.
    (
        "tableferry --sandbox --sandbox-state world.json inventory status",
        &[0, 5],
    ),
    ("tableferry explain", &[5]),
];

/// The lines of a page's shell blocks.
fn commands(page: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join(page)).unwrap();
    let mut lines = Vec::new();
    for block in text.split("```sh\n").skip(1) {
        let (block, _) = block.split_once("```").unwrap();
        let block = block.replace("\\\n", " ");
        lines.extend(block.lines().map(str::to_owned));
    }
    lines
}

/// A home with the example plans beside plan.toml.
fn home() -> Home {
    let home = Home::new();
    let plans = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/plans");
    for entry in std::fs::read_dir(plans).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        home.write(
            &format!("assets/plans/{name}"),
            &std::fs::read_to_string(&path).unwrap(),
        );
    }
    home.write("plan.toml", PLAN);
    home
}

/// Runs a line in a shell that finds the program.
fn run(home: &Home, line: &str) -> Ended {
    let program = Path::new(env!("CARGO_BIN_EXE_tableferry"));
    let mut path = vec![program.parent().unwrap().to_owned()];
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    let mut shell = home.command_under("sh");
    shell
        .args(["-c", line])
        .env("PATH", std::env::join_paths(path).unwrap())
        .current_dir(home.path());
    Ended::of(&mut shell)
}

fn expected(line: &str) -> &'static [i32] {
    let otherwise = OTHERWISE.iter().find(|(begin, _)| line.starts_with(begin));
    otherwise.map_or(&[0], |(_, statuses)| *statuses)
}

#[rstest]
#[case::permissions("docs/permissions.md", 2)]
#[case::kms("docs/kms.md", 3)]
#[case::sign_in("docs/sign-in.md", 2)]
#[case::inventory("docs/inventory.md", 5)]
#[case::archives("docs/archives.md", 8)]
#[case::automation("docs/automation.md", 6)]
#[case::json("docs/json.md", 6)]
#[case::faq("docs/faq.md", 1)]
fn the_commands_of_a_page_run_as_printed(#[case] page: &str, #[case] count: usize) {
    let home = home();
    let _server = Server::start(&home, 0, "0.2");
    for _ in 0..3 {
        let ended = run(&home, "tableferry run plan.toml --yes --again");
        assert_eq!(ended.status, 0, "{ended:?}");
    }
    let lines = commands(page);
    assert_eq!(lines.len(), count, "{lines:#?}");
    for line in lines {
        let ended = run(&home, &line);
        assert!(expected(&line).contains(&ended.status), "{line}\n{ended:?}");
    }
}

/// Those of README that need no terminal and no account.
#[test]
fn the_sandboxs_commands_in_readme_run_as_printed() {
    let home = home();
    let lines = commands("README.md");
    let of_sandbox = lines
        .iter()
        .filter(|line| line.starts_with("tableferry --sandbox "));
    let mut count = 0;
    for line in of_sandbox {
        let ended = run(&home, line);
        assert!([0, 3, 5].contains(&ended.status), "{line}\n{ended:?}");
        count += 1;
    }
    assert!(count > 0, "{lines:#?}");
}
