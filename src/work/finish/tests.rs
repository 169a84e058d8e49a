use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use super::*;

fn command(words: &[&str]) -> FinishCommand {
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    FinishCommand::new(&words).unwrap()
}

fn facts() -> FinishFacts {
    FinishFacts {
        run: Some(RunId(7)),
        status: RunStatus::Failed,
        destination: Some("s3://export-landing/prod".to_owned()),
        operations: 3,
        completed: 2,
        failed: 1,
        verified: 2,
    }
}

/// What a shell writes to a file, called with the facts.
async fn written(script: &str, directory: &Path) -> String {
    let file = directory.join("written");
    let command = command(&["sh", "-c", script, "sh", file.to_str().unwrap()]);
    let variables = facts().variables(false);
    let cancel = CancellationToken::new();
    call(&command, &variables, &cancel).await.unwrap();
    std::fs::read_to_string(file).unwrap()
}

#[tokio::test]
async fn the_environment_is_path_home_and_the_facts_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let environment = written("exec env > \"$1\"", directory.path()).await;
    let shells_own = ["PWD", "OLDPWD", "SHLVL", "_"];
    let mut names: Vec<&str> = environment
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .filter(|name| !shells_own.contains(name))
        .collect();
    names.sort_unstable();
    let mut expected = vec![
        "PATH",
        "TABLEFERRY_COMPLETED",
        "TABLEFERRY_FAILED",
        "TABLEFERRY_OPERATIONS",
        "TABLEFERRY_RUN",
        "TABLEFERRY_STATUS",
        "TABLEFERRY_URI",
        "TABLEFERRY_VERIFIED",
    ];
    expected.extend(std::env::var_os("HOME").map(|_| "HOME"));
    expected.sort_unstable();
    assert_eq!(names, expected);
    for line in [
        "TABLEFERRY_RUN=7",
        "TABLEFERRY_STATUS=failed",
        "TABLEFERRY_URI=s3://export-landing/prod",
        "TABLEFERRY_OPERATIONS=3",
        "TABLEFERRY_COMPLETED=2",
        "TABLEFERRY_FAILED=1",
        "TABLEFERRY_VERIFIED=2",
    ] {
        assert!(environment.lines().any(|found| found == line), "{line}");
    }
}

#[tokio::test]
async fn standard_input_is_empty() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(written("cat > \"$1\"", directory.path()).await, "");
}

#[tokio::test]
async fn words_are_passed_as_they_are_and_no_shell_reads_them() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("touched");
    let word = format!("$(touch {})", file.display());
    let command = command(&["test", &word, "=", &word]);
    let cancel = CancellationToken::new();
    call(&command, &[], &cancel).await.unwrap();
    assert!(!file.exists());
}

#[tokio::test]
async fn a_program_that_is_not_there_or_ends_badly_is_told_with_its_name() {
    let call = async |words: &[&str]| {
        let cancel = CancellationToken::new();
        call(&command(words), &[], &cancel).await.unwrap_err()
    };
    let error = call(&["/nonexistent/notify"]).await;
    assert!(
        matches!(&error, FinishError::NotStarted { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("/nonexistent/notify"), "{error}");
    let error = call(&["sh", "-c", "exit 3"]).await;
    let FinishError::Failed { status, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(status.code(), Some(3));
}

/// A shell that waits for a child of its own, which holds a pipe open: the pipe's end comes when both are gone.
struct Endless {
    pipe: std::path::PathBuf,
    command: FinishCommand,
}

impl Endless {
    fn new(directory: &Path) -> Self {
        let pipe = directory.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let script = "exec 3> \"$1\"; sleep 100000 & echo begun >&3; wait";
        Self {
            command: command(&["sh", "-c", script, "sh", pipe.to_str().unwrap()]),
            pipe,
        }
    }

    /// Waits until both run, while time stands still.
    async fn begun(&self) -> BufReader<std::fs::File> {
        let pipe = self.pipe.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let mut reader = BufReader::new(std::fs::File::open(pipe).unwrap());
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            assert_eq!(line, "begun\n");
            reader
        });
        reading.await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_minute_it_is_ended_with_all_that_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let endless = Endless::new(directory.path());
    let cancel = CancellationToken::new();
    let begun = tokio::time::Instant::now();
    let (called, mut reader) = tokio::join!(call(&endless.command, &[], &cancel), endless.begun());
    let error = called.unwrap_err();
    assert!(matches!(error, FinishError::TooLong { .. }), "{error:?}");
    assert_eq!(begun.elapsed().as_secs(), 60);
    // It comes to its end only once nobody holds the pipe.
    reader.read_to_end(&mut Vec::new()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_it_with_all_that_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let endless = Endless::new(directory.path());
    let cancel = CancellationToken::new();
    let cut_off = async {
        let reader = endless.begun().await;
        cancel.cancel();
        reader
    };
    let (called, mut reader) = tokio::join!(call(&endless.command, &[], &cancel), cut_off);
    let error = called.unwrap_err();
    assert!(matches!(error, FinishError::CutOff { .. }), "{error:?}");
    reader.read_to_end(&mut Vec::new()).unwrap();
}
