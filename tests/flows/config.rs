//! `tableferry config`: the file is written once, checked with lines, and shown with origins.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

fn tableferry(home: &std::path::Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tableferry"))
        .args(args)
        .env_clear()
        .env("HOME", home)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_first_file_is_written_for_its_owner_alone_and_never_over_another() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(".config/tableferry/config.toml");
    let written = tableferry(home.path(), &["config", "--init"]);
    assert_eq!(written.status.code(), Some(0), "{written:?}");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let checked = tableferry(home.path(), &["config", "--check"]);
    assert_eq!(checked.status.code(), Some(0), "{checked:?}");

    std::fs::write(&path, "read_only = true\n").unwrap();
    let again = tableferry(home.path(), &["config", "--init"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("left as it is"), "{again:?}");
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "read_only = true\n"
    );
}

#[test]
fn a_mistake_is_told_with_its_line_and_what_was_meant() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("c.toml");
    std::fs::write(&path, "\nread_olny = true\n").unwrap();
    let file = path.to_str().unwrap();
    let checked = tableferry(home.path(), &["config", "--check", "--config", file]);
    assert_eq!(checked.status.code(), Some(2));
    let told = text(&checked.stderr);
    assert!(told.contains("line 2, column 1"), "{told}");
    assert!(told.contains("did you mean `read_only`?"), "{told}");
}

#[test]
fn what_holds_is_shown_to_programs_with_its_origin() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("c.toml");
    std::fs::write(&path, "[limits]\nlargest_download = \"2 GiB\"\n").unwrap();
    let file = path.to_str().unwrap();
    let shown = tableferry(
        home.path(),
        &["config", "--show", "--output", "json", "--config", file],
    );
    assert_eq!(shown.status.code(), Some(0), "{shown:?}");
    let settings: Vec<serde_json::Value> = text(&shown.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|object: &serde_json::Value| object["event"] == "setting")
        .collect();
    let of = |key: &str| {
        settings
            .iter()
            .find(|setting| setting["key"] == key)
            .unwrap()
    };
    assert_eq!(of("limits.largest_download")["origin"], "file");
    assert_eq!(of("limits.largest_download")["value"], "2.0 GiB");
    assert_eq!(of("read_only")["origin"], "default");
    assert_eq!(of("read_only")["value"], false);
}
