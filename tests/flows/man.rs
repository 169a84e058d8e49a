//! The manual: a page for each command, with the sections that people look for.

use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tableferry");

#[test]
fn each_command_has_a_page_with_its_examples() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("pages");
    let written = Command::new(PROGRAM)
        .args(["man", "--dir"])
        .arg(&pages)
        .output()
        .unwrap();
    assert!(written.status.success(), "{written:?}");
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help");
    let mut count = 0;
    for name in commands {
        let page = pages.join(format!("tableferry-{name}.1"));
        let text = std::fs::read_to_string(&page).expect(name);
        for section in ["SYNOPSIS", "EXIT STATUS", "FILES", "ENVIRONMENT"] {
            let heading = format!("\n.SH \"{section}\"\n");
            let plain = format!("\n.SH {section}\n");
            assert!(
                text.contains(&heading) || text.contains(&plain),
                "{name}: {section}"
            );
        }
        count += 1;
    }
    assert!(count > 15, "{count} commands are in the help");
    let setup = std::fs::read_to_string(pages.join("tableferry-inventory-setup.1")).unwrap();
    assert!(setup.contains("inventory setup inventory.toml"), "{setup}");
}
