//! What stands between here and AWS: proxies, endpoints in the clear, and a clock that is wrong.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};

use rstest::rstest;

use crate::program::{Ended, Home, Server};

const PLAN: &str = "[source]\nprofile = 'prod-oncall'\n[destination]\nprofile = 'dev-admin'\n\
                    bucket = 'export-landing'\n[[tables]]\nname = 'Empty'\n";

/// A proxy that answers every request with one line.
fn proxy(line: &'static str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let head = BufReader::new(stream.try_clone().unwrap()).lines();
            // A head ends with an empty line.
            let _ = head
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .count();
            let _ = write!(stream, "HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n");
        }
    });
    format!("http://{address}")
}

fn home_with(endpoint: &str) -> Home {
    let home = Home::new();
    home.write(
        ".aws/config",
        &format!("[profile other]\nregion = eu-west-1\nendpoint_url = {endpoint}\n"),
    );
    home.write(
        ".aws/credentials",
        "[other]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n",
    );
    let plan = PLAN
        .replace("prod-oncall", "other")
        .replace("dev-admin", "other");
    home.write("plan.toml", &plan);
    home
}

#[rstest]
#[case::refused(
    "403 Forbidden",
    "the proxy that HTTPS_PROXY names did not open the way"
)]
#[case::unreached(
    "502 Bad Gateway",
    "the proxy that HTTPS_PROXY names did not open the way"
)]
#[case::login("407 Proxy Authentication Required", "the proxy asks for a login")]
fn a_proxy_that_refuses_is_told_as_the_proxy(#[case] line: &'static str, #[case] word: &str) {
    let home = home_with("https://ada:s3cret@endpoint.example:8443/x?token=t0ken");
    let mut program = home.command();
    program.arg("check").arg(home.path().join("plan.toml"));
    let ended = Ended::of(program.env("HTTPS_PROXY", proxy(line)));
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.err.contains(word), "{ended:?}");
    assert!(!ended.err.contains("is it running"), "{ended:?}");
}

#[test]
fn an_endpoint_is_shown_without_its_login_and_query() {
    let home = home_with("https://ada:s3cret@endpoint.example:8443/x?token=t0ken");
    let listed = Ended::of(home.command().arg("profiles"));
    assert!(
        listed.out.contains("https://endpoint.example:8443/x"),
        "{listed:?}"
    );
    let mut program = home.command();
    program.arg("check").arg(home.path().join("plan.toml"));
    // Nobody listens there, and the loopback needs no proxy.
    let failed = Ended::of(program.env(
        "AWS_ENDPOINT_URL",
        "http://ada:s3cret@127.0.0.1:1/?token=t0ken",
    ));
    assert!(
        failed
            .err
            .contains("http://127.0.0.1:1/, which is configured"),
        "{failed:?}"
    );
    for ended in [listed, failed] {
        let told = format!("{}{}", ended.out, ended.err);
        assert!(
            !told.contains("s3cret") && !told.contains("t0ken"),
            "{told}"
        );
    }
}

#[test]
fn an_endpoint_in_the_clear_is_told_where_it_is_listed() {
    for (endpoint, is_told) in [
        ("http://minio.corp:9000", true),
        ("https://minio.corp:9000", false),
        ("http://localhost:9000", false),
    ] {
        let ended = Ended::of(home_with(endpoint).command().arg("profiles"));
        let word = "calls to http://minio.corp:9000 go over the network unencrypted";
        assert_eq!(ended.out.contains(word), is_told, "{endpoint}: {ended:?}");
    }
}

/// The SDK corrects what AWS names; a refused HEAD has no body to name it in.
#[rstest]
fn a_wrong_clock_is_told_as_one_and_the_bucket_is_still_its_owner_s(
    #[values("+2h", "-2h")] offset: &str,
) {
    let home = Home::new();
    let _server = Server::with_clock(&home, "0.2", offset);
    let plan = home.write("plan.toml", PLAN);
    let checked = Ended::of(home.command().arg("check").arg(&plan));
    let ran = Ended::of(home.command().args(["run", "--yes"]).arg(&plan));
    for ended in [&checked, &ran] {
        let word = if offset == "+2h" {
            "2h behind AWS's"
        } else {
            "2h ahead of AWS's"
        };
        assert!(ended.out.contains(word), "{ended:?}");
        let told = format!("{}{}", ended.out, ended.err);
        assert!(!told.contains("does not belong"), "{ended:?}");
        assert!(!told.contains("another account's"), "{ended:?}");
    }
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[test]
fn a_clock_that_is_right_is_not_told() {
    let home = Home::new();
    let _server = Server::with_clock(&home, "0.2", "+3m");
    let plan = home.write("plan.toml", PLAN);
    let checked = Ended::of(home.command().arg("check").arg(&plan));
    assert!(!checked.out.contains("clock"), "{checked:?}");
}
