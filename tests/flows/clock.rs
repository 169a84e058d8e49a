//! The served sandbox's clock, moved while it serves.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

use crate::program::{Home, Server};

/// How many minutes the `Date` of an answer is ahead of this machine's clock, to the nearest.
fn ahead(server: &Server, request: &str) -> i64 {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
    write!(
        stream,
        "{request} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let dates: Vec<&str> = answer
        .lines()
        .filter_map(|line| line.strip_prefix("date: "))
        .collect();
    let [date] = dates[..] else {
        panic!("{answer}");
    };
    let told = rfc2822::DateTimeParser::new()
        .parse_timestamp(date)
        .unwrap();
    let off = told.duration_since(Timestamp::now()) + SignedDuration::from_secs(30);
    off.as_secs().div_euclid(60)
}

#[test]
fn the_date_of_every_answer_goes_by_the_offset_which_a_file_changes_meanwhile() {
    let home = Home::new();
    let server = Server::with_clock(&home, "1", "+12h");
    assert_eq!(ahead(&server, "GET /"), 720);
    for (offset, minutes) in [("-90m", -90), ("0s", 0), ("8h", 480)] {
        home.move_clock(offset);
        assert_eq!(ahead(&server, "GET /"), minutes);
        assert_eq!(ahead(&server, "HEAD /export-landing"), minutes);
        assert_eq!(ahead(&server, "POST /"), minutes);
    }
}
