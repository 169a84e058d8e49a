//! A world kept in a file, and served on the loopback.

use std::path::Path;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types::ExportStatus;
use tableferry_policy::arn::Partition;
use tableferry_sandbox::{Options, Sandbox};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::clients::{assume, config, keys, profile, with};
use super::exports::{ended, finish, request};

#[tokio::test]
async fn a_restart_goes_on_with_sessions_policies_and_jobs() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("world.json");
    let open = || with(|options| options.state = Some(file.clone()));
    let first = open();
    let oncall = assume(&first, "prod-admin", "OnCallExporter", "oncall").await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&config(&first, oncall.clone(), "eu-west-1"));
    let arn = request(&dynamodb, "Events", "export-landing")
        .send()
        .await
        .unwrap()
        .export_description
        .unwrap()
        .export_arn
        .unwrap();
    let s3 = aws_sdk_s3::Client::new(&profile(&first, "dev-admin").await);
    s3.delete_bucket_policy()
        .bucket("export-frankfurt")
        .send()
        .await
        .unwrap_err();
    s3.delete_bucket_policy()
        .bucket("export-kms-only")
        .send()
        .await
        .unwrap();
    // Its clients hold it too.
    drop((first, dynamodb, s3));

    let second = open();
    let dynamodb = aws_sdk_dynamodb::Client::new(&config(&second, oncall, "eu-west-1"));
    let export = ended(&dynamodb, &arn).await;
    assert_eq!(
        export.export_status,
        Some(ExportStatus::Completed),
        "{export:?}"
    );
    let s3 = aws_sdk_s3::Client::new(&profile(&second, "dev-admin").await);
    assert!(
        s3.get_bucket_policy()
            .bucket("export-kms-only")
            .send()
            .await
            .is_err()
    );
    s3.get_object()
        .bucket("export-landing")
        .key(export.export_manifest.unwrap())
        .send()
        .await
        .unwrap();
}

/// A state that the version 8818de0 wrote, with a policy that it applied and an export in flight.
#[tokio::test]
async fn the_state_of_an_earlier_version_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("world.json");
    let kept = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/calls/states/8818de0.json"
    );
    std::fs::copy(kept, &file).unwrap();
    let sandbox = with(|options| {
        options.state = Some(file.clone());
        options.partition = Some(Partition::Aws);
    });
    let config = profile(&sandbox, "prod-admin").await;
    let table = "arn:aws:dynamodb:eu-west-1:111111111111:table/Empty";
    let described = aws_sdk_dynamodb::Client::new(&config)
        .describe_export()
        .export_arn(format!("{table}/export/01795707276359-08bca45c"))
        .send()
        .await
        .unwrap();
    let export = described.export_description.unwrap();
    assert_eq!(export.export_status, Some(ExportStatus::Completed));
    assert_eq!(export.s3_bucket.as_deref(), Some("export-nopolicy"));
    let s3 = aws_sdk_s3::Client::new(&profile(&sandbox, "dev-admin").await);
    let policy = s3.get_bucket_policy().bucket("export-nopolicy").send();
    let policy = policy.await.unwrap();
    assert!(policy.policy().unwrap().contains("TableferryWrite"));
}

/// Two that each write the whole world would undo each other's changes without a word.
#[test]
fn a_state_file_is_played_by_one_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("world.json");
    let open = || {
        Sandbox::open(Options {
            state: Some(file.clone()),
            ..Options::default()
        })
    };
    let first = open().unwrap();
    let refused = open().unwrap_err().to_string();
    assert!(refused.contains("world.json is in use"), "{refused}");
    assert!(refused.contains("sandbox serve"), "{refused}");
    drop(first);
    open().unwrap();
}

fn open(file: &Path) -> Result<Sandbox, String> {
    let options = Options {
        state: Some(file.to_owned()),
        ..Options::default()
    };
    Sandbox::open(options).map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", cause.unwrap_or_default())
    })
}

/// The lock is on the file: another name for it, a file beside it or a hard link, is no way around.
#[test]
fn a_world_that_is_played_is_in_use_by_every_name() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("world.json");
    let other = directory.path().join("other.json");
    let first = open(&file).unwrap();
    std::fs::hard_link(&file, &other).unwrap();
    // What lies beside it does not hold the lock.
    for beside in std::fs::read_dir(directory.path()).unwrap() {
        let beside = beside.unwrap().path();
        if beside != file && beside != other {
            std::fs::remove_file(beside).unwrap();
        }
    }
    for name in [&file, &other] {
        let refused = open(name).unwrap_err();
        assert!(refused.contains("is in use"), "{refused}");
    }
    drop(first);
    open(&other).unwrap();
}

/// The world of a process is not written over one that somebody put in its place.
#[test]
fn a_state_file_that_was_replaced_is_not_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let (file, moved) = (
        directory.path().join("world.json"),
        directory.path().join("moved.json"),
    );
    let first = open(&file).unwrap();
    std::fs::rename(&file, &moved).unwrap();
    let second = open(&file).unwrap();
    let before = std::fs::read(&file).unwrap();
    first.change_bucket_policy("export-landing", None);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let saved = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        first.serve(listener, std::future::ready(())).await
    });
    let refused = saved.unwrap_err().to_string();
    assert!(refused.contains("is in use"), "{refused}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    drop(second);
}

#[test]
fn a_world_is_neither_read_nor_written_through_a_link() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let foreign = at("notes");
    std::fs::write(&foreign, "somebody's notes").unwrap();
    for link in ["world.json", "dangling.json"] {
        symlink(
            if link == "world.json" {
                "notes"
            } else {
                "nowhere"
            },
            at(link),
        )
        .unwrap();
        let refused = open(&at(link)).unwrap_err();
        assert!(refused.contains("symbolic link"), "{refused}");
    }
    // What a new world is written to before it takes its place.
    symlink("notes", at("new.json.new")).unwrap();
    open(&at("new.json")).unwrap();
    assert!(!at("new.json").is_symlink());
    assert_eq!(
        std::fs::read_to_string(&foreign).unwrap(),
        "somebody's notes"
    );
    assert!(!at("nowhere").exists());
}

#[tokio::test]
async fn a_state_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("world.json");
    let sandbox = with(|options| options.state = Some(file.clone()));
    assume(&sandbox, "prod-admin", "OnCallExporter", "oncall").await;
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_holds_no_world_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("world.json");
    for text in ["", "{}", "not a world"] {
        std::fs::write(&file, text).unwrap();
        let options = Options {
            state: Some(file.clone()),
            ..Options::default()
        };
        assert!(Sandbox::open(options).is_err(), "{text}");
    }
}

#[test]
fn a_state_file_that_cannot_be_written_is_an_error_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        state: Some(directory.path().join("nowhere").join("world.json")),
        ..Options::default()
    };
    let error = Sandbox::open(options).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot write the sandbox's state file"),
        "{error}"
    );
}

#[tokio::test]
async fn the_same_world_is_served_on_the_loopback() {
    let sandbox = with(|_| ());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    assert!(sandbox.profiles(Some(&endpoint)).config.contains(&endpoint));
    let stop = CancellationToken::new();
    let server = {
        let (sandbox, stop) = (sandbox.clone(), stop.clone());
        tokio::spawn(async move { sandbox.serve(listener, stop.cancelled_owned()).await })
    };
    let config = |profile: &str| {
        SdkConfig::builder()
            .endpoint_url(&endpoint)
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(keys(&sandbox, profile)))
            .behavior_version(BehaviorVersion::latest())
            .build()
    };
    let dynamodb = aws_sdk_dynamodb::Client::new(&config("prod-admin"));
    let export = finish(&dynamodb, request(&dynamodb, "Empty", "export-landing")).await;
    assert_eq!(export.item_count(), Some(0), "{export:?}");
    let s3 = aws_sdk_s3::config::Builder::from(&config("dev-admin"))
        .force_path_style(true)
        .build();
    let s3 = aws_sdk_s3::Client::from_conf(s3);
    let key = export.export_manifest().unwrap();
    s3.head_object()
        .bucket("export-landing")
        .key(key)
        .send()
        .await
        .unwrap();
    let body = aws_sdk_s3::primitives::ByteStream::from_static(b"ahoy");
    s3.put_object()
        .bucket("export-landing")
        .key("x")
        .body(body)
        .send()
        .await
        .unwrap();
    drop((dynamodb, s3));
    stop.cancel();
    server.await.unwrap().unwrap();
}
