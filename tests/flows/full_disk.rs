//! A disk without room: refused before anything arrives where that is known, and otherwise an error after which
//! nothing half has its final name and the same command goes on.

use std::process::Command;

use crate::fetched::{fetch, files};
use crate::program::{Ended, Home};
use crate::verify_buckets::orders;

/// The program, where no file may grow beyond so many blocks: each of its writes meets a full disk in time.
pub fn with_small_files(home: &Home, blocks: u32) -> Command {
    let mut command = home.command_under("sh");
    let script = "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"";
    command.args(["-c", script, &blocks.to_string()]);
    command.arg(env!("CARGO_BIN_EXE_tableferry"));
    command.current_dir(home.path());
    command
}

/// A file system of its own at `room`, of so many kilobytes, in which a script runs; `None` where this system
/// lets nobody but root mount one.
fn in_a_small_room(home: &Home, kilobytes: u32, script: &str) -> Option<Ended> {
    std::fs::create_dir(home.path().join("room")).unwrap();
    let mut command = home.command_under("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
    let mount = "mount -t tmpfs -o size=\"$1\",mode=700 tmpfs room || exit 99";
    command.arg(format!("{mount}\ntableferry=\"$0\"\n{script}"));
    command.args([env!("CARGO_BIN_EXE_tableferry"), &format!("{kilobytes}k")]);
    let ended = command.current_dir(home.path()).output().ok()?;
    let ended = Ended::from(ended);
    (ended.status == 0).then_some(ended)
}

#[test]
fn a_file_system_without_the_room_is_refused_before_anything_arrives() {
    let (home, _server) = orders();
    // The data files of Orders have some 745 KiB.
    let script = "\"$tableferry\" fetch 1 room; echo \"exit $?\"; find room -type f -size +0";
    let Some(ended) = in_a_small_room(&home, 600, script) else {
        return;
    };
    assert!(ended.err.contains("has no room"), "{ended:?}");
    assert!(ended.out.trim_end().ends_with("exit 3"), "{ended:?}");
}

#[test]
fn a_file_system_that_gets_full_meanwhile_leaves_nothing_half_and_is_gone_on_with() {
    let (home, _server) = orders();
    // As JSON the same has some 3400 KiB, which is not known before.
    let fetch = "\"$tableferry\" fetch 1 room --as json";
    let lines = "find room -name '*.jsonl' -exec wc -l {} ';'";
    let script = format!(
        "{fetch}; echo \"first $?\"; {lines} | sed 's/^/early /'\n\
         mount -o remount,size=16m room\n\
         {fetch}; echo \"second $?\"; {lines} | sed 's/^/late /'"
    );
    let Some(ended) = in_a_small_room(&home, 1500, &script) else {
        return;
    };
    assert!(ended.err.contains("cannot be written"), "{ended:?}");
    let first = ended
        .out
        .lines()
        .find_map(|line| line.strip_prefix("first "));
    assert!(!["0", "101"].contains(&first.unwrap()), "{ended:?}");
    assert!(ended.out.contains("second 0"), "{ended:?}");
    let counted = |word: &str| -> Vec<String> {
        let lines = ended.out.lines();
        let counted = lines.filter_map(|line| line.strip_prefix(word));
        counted.map(str::to_owned).collect()
    };
    let late = counted("late ");
    assert_eq!(late.len(), 5, "{ended:?}");
    // What had its final name when there was no room left was whole.
    assert!(
        counted("early ").iter().all(|file| late.contains(file)),
        "{ended:?}"
    );
}

#[test]
fn where_a_file_cannot_grow_nothing_half_has_its_name_and_the_next_goes_on() {
    let (home, _server) = orders();
    let mut command = with_small_files(&home, 200);
    let ended = Ended::of(command.args(["fetch", "1", "copy"]));
    assert!(![0, 101].contains(&ended.status), "{ended:?}");
    assert!(ended.err.contains("error: "), "{ended:?}");
    let copied = files(&home.path().join("copy"));
    let large = copied.iter().filter(|file| {
        let extension = file.extension().unwrap_or_default();
        (extension == "gz" || extension == "json") && file.metadata().unwrap().len() > 20
    });
    assert_eq!(large.count(), 0, "{copied:?}");
    let again = fetch(&home, &["1", "copy"]);
    assert_eq!(again.status, 0, "{again:?}");
}
