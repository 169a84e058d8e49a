//! Which endpoint a service's calls go to, where it is not AWS's own.
//!
//! It decides by the order that the AWS SDKs and Tools Reference Guide gives under
//! "Service-specific endpoints": the service's variable, `AWS_ENDPOINT_URL`, the service's setting
//! in the profile's `services` section, the profile's `endpoint_url`; and nothing at all where
//! configured endpoints are to be ignored.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::shared_files::SharedFiles;
use tableferry_policy::arn::Partition;

/// The endpoints that are configured, whatever service they are for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Endpoints {
    by_service: BTreeMap<String, String>,
    of_all: Option<String>,
}

impl Endpoints {
    /// The endpoints that hold for a profile, from the variables and the shared files.
    pub(super) fn of(
        profile: &str,
        files: &SharedFiles,
        variables: &BTreeMap<String, String>,
    ) -> Self {
        let setting = |key: &str| files.setting(profile, key);
        let says_ignore = variables
            .get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .map(String::as_str)
            .or_else(|| setting("ignore_configured_endpoint_urls"));
        if says_ignore.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Self::default();
        }
        let mut endpoints = Self {
            by_service: BTreeMap::new(),
            of_all: setting("endpoint_url")
                .filter(|url| !url.is_empty())
                .map(str::to_owned),
        };
        if let Some(section) = setting("services") {
            endpoints.by_service = files.service_endpoints(section);
        }
        if let Some(url) = variable(variables, "AWS_ENDPOINT_URL") {
            // The variable for all services goes before the profile's setting for one.
            endpoints.by_service.clear();
            endpoints.of_all = Some(url);
        }
        for (name, value) in variables {
            if let Some(service) = name.strip_prefix("AWS_ENDPOINT_URL_")
                && !value.is_empty()
            {
                endpoints
                    .by_service
                    .insert(service.to_ascii_lowercase(), value.clone());
            }
        }
        endpoints
    }

    /// The endpoint for a service, where it is not AWS's.
    pub(super) fn for_service(&self, service: &str) -> Option<&str> {
        self.by_service
            .get(service)
            .or(self.of_all.as_ref())
            .map(String::as_str)
    }

    /// The endpoint for all services that have none of their own.
    pub(super) fn for_all(&self) -> Option<&str> {
        self.of_all.as_deref()
    }

    /// The endpoints of single services.
    pub(super) fn by_service(&self) -> &BTreeMap<String, String> {
        &self.by_service
    }

    /// All of them, to be shown: the service, or `all`, and the URL.
    pub(super) fn listed(&self) -> Vec<(String, String)> {
        let of_all = self.of_all.iter().map(|url| ("all", url));
        let by_service = self
            .by_service
            .iter()
            .map(|(name, url)| (name.as_str(), url));
        of_all
            .chain(by_service)
            .map(|(service, url)| (service.to_owned(), url_without_secrets(url)))
            .collect()
    }

    /// What to know before calls are sent to them.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut urls: Vec<&String> = self.of_all.iter().chain(self.by_service.values()).collect();
        urls.sort_unstable();
        urls.dedup();
        urls.into_iter()
            .filter(|url| is_in_the_clear(url))
            .map(|url| {
                format!(
                    "calls to {} go over the network unencrypted: anyone on the way can read \
                     session tokens and answers; use https://, unless the network is your own",
                    url_without_secrets(url)
                )
            })
            .collect()
    }
}

/// A URL as it may be shown: scheme, host, port and path. A name, a password and a query may be secret.
#[must_use]
pub fn url_without_secrets(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    format!("{scheme}{}{path}", without_login(authority))
}

/// Whether what is sent to a URL can be read on the way there.
fn is_in_the_clear(url: &str) -> bool {
    let is_http = |scheme: &str| scheme.eq_ignore_ascii_case("http");
    url.split_once("://")
        .is_some_and(|(scheme, _)| is_http(scheme))
        && !is_loopback(url)
}

/// A URL's authority without the name and password in it.
fn without_login(authority: &str) -> &str {
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

/// Whether a URL's host is one of AWS's own, so that buckets may be named in the host.
pub(super) fn is_of_aws(url: &str) -> bool {
    Partition::of_host(&host(url)).is_some()
}

/// Whether a URL's host is this machine.
pub(super) fn is_loopback(url: &str) -> bool {
    let host = host(url);
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// A URL's host in lower case, without the port; an IPv6 address keeps its brackets.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = without_login(authority);
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if is_port(port) => host,
        _ => authority,
    };
    host.to_ascii_lowercase()
}

fn variable(variables: &BTreeMap<String, String>, name: &str) -> Option<String> {
    variables
        .get(name)
        .filter(|value| !value.is_empty())
        .cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awss_own_hosts_are_known_in_every_partition() {
        for url in [
            "https://s3.eu-west-1.amazonaws.com",
            "https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com/",
            "https://s3.cn-north-1.amazonaws.com.cn:443",
            "https://s3.dualstack.eu-west-1.API.aws",
        ] {
            assert!(is_of_aws(url), "{url}");
        }
        for url in [
            "http://localhost:5000",
            "http://127.0.0.1:9000/s3.amazonaws.com",
            "https://notamazonaws.com",
            "https://s3.amazonaws.com.example.org",
        ] {
            assert!(!is_of_aws(url), "{url}");
        }
    }

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        for (url, expected) in [
            (
                "https://ada:s3cret@minio.corp:9000/x?token=t#f",
                "https://minio.corp:9000/x",
            ),
            ("http://ada:p@ss@[::1]:5000", "http://[::1]:5000"),
            ("http://minio.corp/a@b", "http://minio.corp/a@b"),
            ("https://minio.corp?X-Amz-Signature=s", "https://minio.corp"),
            ("minio.corp:9000", "minio.corp:9000"),
        ] {
            assert_eq!(url_without_secrets(url), expected);
        }
    }

    #[test]
    fn only_http_to_another_machine_is_in_the_clear() {
        for (url, expected) in [
            ("http://minio.corp:9000", true),
            ("HTTP://10.0.0.1", true),
            ("https://minio.corp", false),
            ("http://localhost:5000", false),
            ("http://ada:s3cret@127.0.0.1:1/x", false),
        ] {
            assert_eq!(is_in_the_clear(url), expected, "{url}");
        }
    }

    #[test]
    fn this_machine_is_known_by_every_name() {
        for url in [
            "http://localhost:5000/x",
            "http://127.0.0.1:1",
            "http://127.9.9.9",
            "http://[::1]:5000",
            "http://[::1]",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "http://10.0.0.1:80",
            "https://localhost.example.org",
            "http://[::2]:1",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
