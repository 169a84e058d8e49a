//! The authorities whose word is taken for a server's certificate: the system's, or those of a bundle
//! that `AWS_CA_BUNDLE` or a profile's `ca_bundle` names in their place, as the AWS CLI has it.

use std::path::Path;

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::regular_file;

/// The most bytes that a bundle may have: the system's own has a fifth of a million.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The authorities of a bundle. `Err` says what is wrong with the file.
pub(super) fn read_bundle(path: &Path) -> Result<TlsContext, String> {
    let bytes = regular_file::read(path, LARGEST).map_err(|error| error.to_string())?;
    let found: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("it is not PEM: {error}"))?;
    if found.is_empty() {
        return Err("it holds no certificate in PEM".to_owned());
    }
    // The SDK's HTTP client panics at one that it cannot read; system bundles have held such ones.
    let mut readable = RootCertStore::empty();
    let mut store = TrustStore::empty();
    for certificate in found {
        let pem = pem(&certificate);
        if readable.add(certificate).is_ok() {
            store.add_pem_certificate(pem);
        }
    }
    if readable.is_empty() {
        return Err("none of its certificates can be read".to_owned());
    }
    TlsContext::builder()
        .with_trust_store(store)
        .build()
        .map_err(|error| error.to_string())
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = STANDARD.encode(certificate);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for (index, character) in text.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str("\n-----END CERTIFICATE-----\n");
    pem
}
