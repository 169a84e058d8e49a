//! Many exports in two accounts under one `watch`: all are seen to their end, in few calls.
//!
//! `WATCHED_EXPORTS=150` watches so many in each account: the whole quota of one, and minutes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};

use crate::program::{Home, Server, move_clock};
use crate::relay::{self, Fate, Passing};

/// How many exports there are in each account where nobody says.
const USUAL: usize = 30;

/// The accounts by their profiles, each with a table whose point-in-time recovery is on.
const TABLES: [(&str, &str); 2] = [
    (
        "prod-admin",
        "arn:aws:dynamodb:eu-west-1:111111111111:table/Empty",
    ),
    (
        "dev-admin",
        "arn:aws:dynamodb:eu-west-1:222222222222:table/Fixtures",
    ),
];

/// The key of a profile, and a client that uses it.
fn client(home: &Home, server: &Server, profile: &str) -> (String, Client) {
    let text = std::fs::read_to_string(home.path().join(".aws/credentials")).unwrap();
    let section = text.split(&format!("[{profile}]")).nth(1).unwrap();
    let value = |name: &str| {
        let line = section.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_once('=').unwrap().1.trim().to_owned()
    };
    let (id, secret) = (value("aws_access_key_id"), value("aws_secret_access_key"));
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new(id.clone(), secret, None, None, "the test"))
        .endpoint_url(format!("http://127.0.0.1:{}", server.port))
        .build();
    (id, Client::from_conf(config))
}

/// Starts exports as another machine would; the keys of both accounts.
fn start(home: &Home, server: &Server, count: usize) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut keys = Vec::new();
        for (profile, table) in TABLES {
            let (key, client) = client(home, server, profile);
            for number in 0..count {
                let export = client.export_table_to_point_in_time().table_arn(table);
                let export = export.s3_bucket("export-landing");
                let export = export.s3_bucket_owner("222222222222");
                let export = export.s3_prefix(format!("watched/{profile}/{number}"));
                export.send().await.unwrap();
            }
            keys.push(key.to_lowercase());
        }
        keys
    })
}

#[test]
fn exports_in_two_accounts_are_all_seen_to_their_end_in_few_calls() {
    let count = std::env::var("WATCHED_EXPORTS").ok();
    let count = count.map_or(USUAL, |text| text.parse().unwrap());
    let home = Home::new();
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n",
    );
    let offset = home.write("clock-offset", "+0s");
    let option = format!("--clock-offset=@{}", offset.display());
    let server = Server::in_memory(&home, &[&option], "3600");
    let keys = start(&home, &server, count);
    // By key and operation.
    let calls: Arc<Mutex<BTreeMap<(String, String), usize>>> = Arc::default();
    let counted = Arc::clone(&calls);
    let path = home.path().to_owned();
    // A page of ListExports has 25 exports at the most.
    let round = 2 * count.div_ceil(25);
    let mut listings = 0;
    let mut watch = home.command();
    watch.args(["watch", "--output", "json"]);
    watch.args(
        TABLES
            .iter()
            .flat_map(|(profile, _)| ["--account", profile]),
    );
    let ended = relay::run(&home, &server, &mut watch, move |head, passing| {
        if passing == Passing::Answer {
            return Fate::Pass;
        }
        let key = keys.iter().find(|key| head.contains(key.as_str()));
        let target = head
            .lines()
            .find_map(|line| line.strip_prefix("x-amz-target: "));
        let operation = target.and_then(|target| target.trim().rsplit('.').next());
        let operation = operation.unwrap_or("other").to_owned();
        if operation == "listexports" {
            listings += 1;
            // After three rounds all end at once.
            if listings == 3 * round {
                move_clock(&path, "+2h");
            }
        }
        let call = (key.cloned().unwrap_or_default(), operation);
        *counted.lock().unwrap().entry(call).or_default() += 1;
        Fate::Pass
    });
    assert_eq!(ended.status, 0, "{}", ended.err);
    let exports = ended.exports();
    let completed = exports
        .iter()
        .filter(|export| export["status"] == "COMPLETED");
    assert_eq!(completed.count(), 2 * count);
    let calls = calls.lock().unwrap();
    let of = |operation: &str| -> Vec<usize> {
        let of = calls.iter().filter(|((_, called), _)| called == operation);
        of.map(|(_, count)| *count).collect()
    };
    // Each export is described when it is found and when it has ended, and once more at the most.
    let described = of("describeexport");
    assert_eq!(described.len(), 2, "{calls:?}");
    assert!(
        described.iter().all(|calls| *calls <= 3 * count),
        "{calls:?}"
    );
    // Beside the three rounds, the first look back and a last round in each account.
    let listed: usize = of("listexports").iter().sum();
    assert!(listed <= 8 * round, "{calls:?}");
}
