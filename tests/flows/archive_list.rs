//! `archives` and `athena`: what lies in a bucket, and how it is queried.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::program::{Ended, Home};
use crate::verify_buckets::{BUCKET, folder, orders, with_client, world};

fn run(home: &Home, arguments: &[&str]) -> Ended {
    let mut command = home.command();
    Ended::of(command.args(arguments).current_dir(home.path()))
}

fn archives(home: &Home, place: &str) -> Ended {
    run(
        home,
        &[
            "archives",
            place,
            "--profile",
            "dev-admin",
            "--output",
            "json",
        ],
    )
}

fn of_event(ended: &Ended, event: &str) -> Vec<Value> {
    let objects = ended.objects().into_iter();
    objects.filter(|object| object["event"] == event).collect()
}

/// A full export of a hundred minutes ago, two windows that meet around it, and one after a gap.
#[test]
fn chains_and_gaps_are_told_from_the_manifests() {
    let now = Timestamp::now();
    let at = |minutes| {
        let time = now - SignedDuration::from_mins(minutes);
        time.strftime("%Y-%m-%dT%H:%M:00Z").to_string()
    };
    let full = format!("[[tables]]\nname = 'Orders'\ntime = '{}'\n", at(100));
    let (home, server) = world(&full, "0.2", &[]);
    for (from, to) in [(120, 90), (90, 60), (45, 30)] {
        let plan = std::fs::read_to_string(home.path().join("plan.toml")).unwrap();
        let window = format!(
            "type = 'INCREMENTAL_EXPORT'\nfrom = '{}'\nto = '{}'",
            at(from),
            at(to)
        );
        let plan = plan.replace(&format!("time = '{}'", at(100)), &window);
        let name = format!("changes-{from}.toml");
        home.write(&name, &plan);
        let ended = run(&home, &["run", "--yes", &name]);
        assert_eq!(ended.status, 0, "{ended:?}");
    }
    // One that is under way, or failed, and one whose list of files is gone.
    with_client(&home, &server, async |client| {
        let started = "verifying/AWSDynamoDB/01693685827463-2d8752fd/_started";
        let put = client.put_object().bucket(BUCKET).key(started);
        put.send().await.unwrap();
    });
    let ended = archives(&home, &format!("s3://{BUCKET}"));
    assert_eq!(ended.status, 0, "{ended:?}");
    let found = of_event(&ended, "archive");
    assert_eq!(found.len(), 5, "{found:?}");
    let states: Vec<&Value> = found.iter().map(|export| &export["state"]).collect();
    assert_eq!(
        states.iter().filter(|state| **state == "complete").count(),
        4
    );
    assert_eq!(
        states
            .iter()
            .filter(|state| **state == "incomplete")
            .count(),
        1
    );
    let whole = found
        .iter()
        .find(|export| export["time"].is_string())
        .unwrap();
    let chains = of_event(&ended, "chain");
    assert_eq!(chains.len(), 2, "{chains:?}");
    let instant = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    let expected = |minutes| at(minutes).parse::<Timestamp>().unwrap();
    assert_eq!(chains[0]["base"], whole["id"]);
    assert_eq!(
        (instant(&chains[0]["from"]), instant(&chains[0]["to"])),
        (expected(120), expected(60))
    );
    assert_eq!(
        (
            instant(&chains[0]["gap"]["from"]),
            instant(&chains[0]["gap"]["to"])
        ),
        (expected(60), expected(45))
    );
    assert_eq!(
        (&chains[1]["base"], &chains[1]["gap"]),
        (&Value::Null, &Value::Null)
    );
    let told = run(
        &home,
        &[
            "archives",
            &format!("s3://{BUCKET}/verifying"),
            "--profile",
            "dev-admin",
        ],
    );
    assert!(told.out.contains("gap     nothing from"), "{told:?}");
    assert!(told.out.contains("still running, or failed"), "{told:?}");
    let nothing = archives(&home, &format!("s3://{BUCKET}/elsewhere"));
    assert_eq!(
        (nothing.status, of_event(&nothing, "archive").len()),
        (0, 0)
    );
}

#[test]
fn a_place_that_is_no_bucket_or_may_not_be_listed_is_an_error() {
    let (home, _server) = orders();
    assert_eq!(archives(&home, "verifying/x").status, 2);
    let ended = archives(&home, "s3://no-such-bucket-here");
    assert_eq!(ended.status, 2, "{ended:?}");
    let place = format!("s3://{BUCKET}");
    let refused = run(
        &home,
        &[
            "archives",
            &place,
            "--profile",
            "prod-oncall",
            "--output",
            "json",
        ],
    );
    assert_eq!(refused.status, 5, "{refused:?}");
    let told = of_event(&refused, "verdict").into_iter();
    let mut told = told.filter(|verdict| verdict["subject"]["action"] == "s3:ListBucket");
    let told = told.next().unwrap();
    assert_eq!(told["verdict"], "denied", "{told}");
    assert_eq!(
        told["subject"]["resource"],
        format!("arn:aws:s3:::{BUCKET}")
    );
}

#[test]
fn the_statements_for_athena_come_from_the_items() {
    let (home, _server) = orders();
    let ended = run(&home, &["athena", "1"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    // The sandbox's orders have every type.
    for part in [
        "CREATE EXTERNAL TABLE IF NOT EXISTS `orders_export` (",
        "`labels`:struct<`ss`:array<string>>",
        "`weights`:struct<`ns`:array<string>>",
        "`lines`:struct<`l`:array<struct<`m`:struct<`price`:struct<`n`:string>",
        "`note`:struct<`s`:string,`null`:boolean>",
        &format!("LOCATION 's3://{BUCKET}/{}/data/'", folder(&home)),
        "\"item\".\"orderid\".\"s\" AS \"orderid\"",
    ] {
        assert!(ended.out.contains(part), "{part}\n{}", ended.out);
    }
    let few = run(&home, &["athena", "1", "--sample", "10", "--table", "mine"]);
    assert!(
        few.out.contains("`mine`") && few.out.contains("those of the 10 lines"),
        "{few:?}"
    );
    let list = run(&home, &["athena", "1", "--list"]);
    let lines: Vec<&str> = list.out.lines().collect();
    assert_eq!(lines.len(), 5, "{list:?}");
    let start = format!("s3://{BUCKET}/{}/data/", folder(&home));
    assert!(
        lines.iter().all(|line| line.starts_with(&start)),
        "{list:?}"
    );
}
