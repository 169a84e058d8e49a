//! `sandbox serve`: its files, and what is read of it that an AWS host would be asked for by account.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::Value;

use crate::program::{Ended, Home, Server};

/// Serves with `--write-files`, and gives what was printed before it was ready; empty where it ended.
fn serve_into(home: &Home, directory: &str) -> Vec<String> {
    let mut child = home
        .command()
        .args(["sandbox", "serve", "--write-files", directory])
        .current_dir(home.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut printed = Vec::new();
    let mut is_ready = false;
    for line in lines.map_while(Result::ok) {
        if line.contains("---- ready") {
            is_ready = true;
            break;
        }
        printed.push(line);
    }
    let _ = child.kill();
    let _ = child.wait();
    if is_ready { printed } else { Vec::new() }
}

#[test]
fn the_aws_files_are_written_for_the_owner_alone_and_written_over_next_time() {
    let home = Home::new();
    for _ in 0..2 {
        let printed = serve_into(&home, "aws");
        let config = home.path().join("aws/config");
        let credentials = home.path().join("aws/credentials");
        assert!(printed.contains(&format!("export AWS_CONFIG_FILE={}", config.display())));
        assert!(printed.contains(&format!(
            "export AWS_SHARED_CREDENTIALS_FILE={}",
            credentials.display()
        )));
        let text = std::fs::read_to_string(&config).unwrap();
        assert!(text.contains("[profile prod-oncall]"), "{text}");
        let mode = std::fs::metadata(&credentials)
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let listed = Ended::of(
            home.command()
                .arg("profiles")
                .env("AWS_CONFIG_FILE", &config)
                .env("AWS_SHARED_CREDENTIALS_FILE", &credentials),
        );
        assert!(listed.out.contains("prod-oncall"), "{listed:?}");
    }
}

#[test]
fn a_file_that_is_not_the_sandboxs_is_left_as_it_is() {
    let home = Home::new();
    let mine = home.write("aws/config", "[profile mine]\nregion = eu-west-1\n");
    assert_eq!(serve_into(&home, "aws"), Vec::<String>::new());
    let text = std::fs::read_to_string(mine).unwrap();
    assert_eq!(text, "[profile mine]\nregion = eu-west-1\n");
}

#[test]
fn the_accounts_block_public_access_is_read_behind_an_endpoint_too() {
    let home = Home::new();
    let _server = Server::start(&home, 0, "1");
    let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/plans/no-grant.toml");
    let ended = Ended::of(home.command().args(["survey", plan]));
    assert_eq!(ended.status, 0, "{ended:?}");
    let facts: Value = serde_json::from_str(&ended.out).unwrap();
    let read = &facts["accounts"]["222222222222"]["public_access"];
    assert_eq!(read["state"], "absent", "{read}");
    assert_eq!(read["source"], "s3:GetAccountPublicAccessBlock", "{read}");
}
