//! Whose certificates are taken: a server on the loopback that speaks TLS, and bundles that vouch for
//! it or do not.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rstest::rstest;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tableferry::aws::{Environment, FailureKind, Session, SignInError};
use tempfile::TempDir;

use crate::aws_room::fake::profile;

fn pem(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/flows/aws_room/tls")
        .join(name)
}

/// STS over TLS: who calls is a user of 111111111111.
fn serve(stream: TcpStream, config: Arc<ServerConfig>) -> Option<()> {
    const ANSWER: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <GetCallerIdentityResult><Arn>arn:aws:iam::111111111111:user/operator</Arn><UserId>AIDA</UserId>\
        <Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let mut stream = StreamOwned::new(ServerConnection::new(config).ok()?, stream);
    let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&seen).contains("Action=GetCallerIdentity") {
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        seen.extend_from_slice(&piece[..count]);
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
        ANSWER.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(ANSWER.as_bytes()).ok()?;
    stream.flush().ok()
}

/// A home whose profile `ops` sends its calls to the server, with more settings.
fn home(more: &str) -> TempDir {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain = vec![CertificateDer::from_pem_file(pem("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(pem("server-key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let config = Arc::clone(&config);
            std::thread::spawn(move || serve(stream, config));
        }
    });
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    let config = format!(
        "[profile ops]\nregion = eu-west-1\nendpoint_url = https://localhost:{port}\n{more}"
    );
    fs::write(home.path().join(".aws/config"), config).unwrap();
    let keys = "[ops]\naws_access_key_id = AKIAOPS\naws_secret_access_key = secret\n";
    fs::write(home.path().join(".aws/credentials"), keys).unwrap();
    home
}

async fn sign_in(home: &TempDir, bundle: Option<&Path>) -> Result<Session, SignInError> {
    let bundle = bundle.map(|path| ("AWS_CA_BUNDLE".to_owned(), path.display().to_string()));
    let variables = [("HOME".to_owned(), home.path().display().to_string())];
    Environment::from_variables(variables.into_iter().chain(bundle))
        .sign_in(&profile("ops"), None)
        .await
}

#[tokio::test]
async fn a_bundle_vouches_for_a_server_by_the_variable_or_the_profile() {
    let account = |session: Session| session.identity.account.to_string();
    let session = sign_in(&home(""), Some(&pem("authority.pem"))).await;
    assert_eq!(account(session.unwrap()), "111111111111");
    let setting = |name: &str| format!("ca_bundle = {}\n", pem(name).display());
    let session = sign_in(&home(&setting("authority.pem")), None).await;
    assert_eq!(account(session.unwrap()), "111111111111");
    // The variable goes before the setting.
    let session = sign_in(&home(&setting("other.pem")), Some(&pem("authority.pem"))).await;
    assert_eq!(account(session.unwrap()), "111111111111");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_told_as_one() {
    let other = pem("other.pem");
    let error = sign_in(&home(""), Some(&other)).await.unwrap_err();
    let SignInError::Call(failure) = error else {
        panic!("{error:?}");
    };
    assert_eq!(failure.kind, FailureKind::Connection, "{failure:?}");
    let hint = failure.hint.unwrap();
    assert!(hint.contains("certificate is not vouched for"), "{hint}");
    assert!(hint.contains(other.to_str().unwrap()), "{hint}");
    assert!(!hint.contains("is it running"), "{hint}");
}

#[rstest]
#[case::missing(None, "No such file")]
#[case::empty(Some(""), "no certificate in PEM")]
#[case::another_text(Some("not a certificate"), "no certificate in PEM")]
#[case::broken(
    Some("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"),
    "not PEM"
)]
#[case::no_certificate(
    Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    "can be read"
)]
#[tokio::test]
async fn a_bundle_that_cannot_be_read_is_an_error_with_its_name(
    #[case] text: Option<&str>,
    #[case] problem: &str,
) {
    let home = home("");
    let bundle = home.path().join("bundle.pem");
    if let Some(text) = text {
        fs::write(&bundle, text).unwrap();
    }
    let error = sign_in(&home, Some(&bundle)).await.unwrap_err();
    let SignInError::Profile { message, .. } = error else {
        panic!("{error:?}");
    };
    assert!(message.starts_with("AWS_CA_BUNDLE names"), "{message}");
    assert!(
        message.contains("bundle.pem") && message.contains(problem),
        "{message}"
    );
}

/// System bundles have held certificates that no library reads; the others still count.
#[tokio::test]
async fn one_certificate_of_a_bundle_that_cannot_be_read_spoils_no_other() {
    let home = home("");
    let odd = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let sound = fs::read_to_string(pem("authority.pem")).unwrap();
    let bundle = home.path().join("bundle.pem");
    fs::write(&bundle, format!("{odd}{sound}")).unwrap();
    sign_in(&home, Some(&bundle)).await.unwrap();
}
