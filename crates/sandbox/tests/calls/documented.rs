use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use tableferry_sandbox::{Options, Sandbox, SharedFiles};

/// The keys of a profile, out of the credentials file that the sandbox writes.
fn credentials(files: &SharedFiles, profile: &str) -> SharedCredentialsProvider {
    let header = format!("[{profile}]");
    let value = |name: &str| {
        let mut lines = files.credentials.lines();
        lines.find(|line| *line == header)?;
        let mut lines = lines.take_while(|line| !line.starts_with('['));
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))
    };
    let (id, secret) = (value("aws_access_key_id"), value("aws_secret_access_key"));
    let keys = Credentials::new(id.unwrap(), secret.unwrap(), None, None, "sandbox");
    SharedCredentialsProvider::new(keys)
}

fn in_ireland(files: &SharedFiles) -> SdkConfig {
    SdkConfig::builder()
        .region(Region::new("eu-west-1"))
        .credentials_provider(credentials(files, "prod-admin"))
        .behavior_version(BehaviorVersion::latest())
        .build()
}

/// In the process: the sandbox takes the place of the SDK's HTTP client.
#[tokio::test]
async fn another_accounts_bucket_without_a_policy_refuses_the_upload() {
    let sandbox = Sandbox::open(Options::default()).unwrap();
    let config = in_ireland(&sandbox.profiles(None)).into_builder();
    let config = config.http_client(sandbox.http_client()).build();
    let refused = aws_sdk_s3::Client::new(&config)
        .put_object()
        .bucket("export-nopolicy")
        .key("prod/a")
        .send()
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("AccessDenied"));
}

/// On a port: for the AWS CLI, boto3, and the SDKs of other languages.
#[tokio::test]
async fn the_same_world_is_served_on_the_loopback() {
    let sandbox = Sandbox::open(Options::default()).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = sandbox.serve(listener, async { drop(stopped.await) });

    let config = in_ireland(&sandbox.profiles(Some(&endpoint))).into_builder();
    let config = config.endpoint_url(&endpoint).build();
    let client = aws_sdk_dynamodb::Client::new(&config);
    let calls = async {
        let tables = client.list_tables().send().await.unwrap();
        stop.send(()).unwrap();
        tables
    };
    let (tables, served) = tokio::join!(calls, served);
    served.unwrap();
    assert!(tables.table_names().contains(&"Orders".to_owned()));
}
