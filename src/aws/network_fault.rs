//! Why a call got no answer, where its causes say it: a proxy, a certificate, or no TLS at all.
//!
//! It decides by the types of the causes, and never by their words.

use std::error::Error;
use std::io;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use tower_service::Service;

/// What a proxy's tunnel fails with; hyper-util gives the type no name outside.
type TunnelError = <Tunnel<HttpConnector> as Service<Uri>>::Error;

/// What kept a call from being answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NetworkFault {
    /// The proxy asks for a name and a password.
    ProxyLogin,
    /// The proxy did not open the way.
    Proxy,
    /// The server's certificate is not vouched for.
    Certificate,
    /// What answers does not speak TLS, or not as it is spoken here.
    Tls,
    /// Something else, or nothing that is known.
    Other,
}

impl NetworkFault {
    /// The fault among an error's causes.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(fault) = Self::named(error) {
                return fault;
            }
            next = error.source();
        }
        Self::Other
    }

    fn named(error: &(dyn Error + 'static)) -> Option<Self> {
        // An error of the system's passes over what it wraps when it is asked for its cause.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        if let Some(wrapped) = wrapped {
            return Some(Self::of(wrapped)).filter(|fault| *fault != Self::Other);
        }
        if let Some(tunnel) = error.downcast_ref::<TunnelError>() {
            return Some(match tunnel {
                TunnelError::ProxyAuthRequired => Self::ProxyLogin,
                _ => Self::Proxy,
            });
        }
        match error.downcast_ref::<rustls::Error>()? {
            rustls::Error::InvalidCertificate(_) => Some(Self::Certificate),
            _ => Some(Self::Tls),
        }
    }
}
