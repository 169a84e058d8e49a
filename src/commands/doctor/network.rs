//! The profiles, and the way to AWS: endpoints, proxies, authorities, STS, the clock.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::files::Places;
use super::finding::{Finding, State};
use crate::aws::profiles::Profile;
use crate::aws::reach::{Clock, Reach};
use crate::aws::url_without_secrets;

const PROFILES: &str = "profiles";
const NETWORK: &str = "network";
const REACHABILITY: &str = "reachability";

/// How many profiles are named; of more, how many there are is told.
const MOST_PROFILES: usize = 50;

/// How many Regions and endpoints are asked, and how many of them at once.
const MOST_ASKED: usize = 16;
const ASKED_AT_ONCE: usize = 8;

/// What says how HTTP goes, as the SDK's client reads it; the small letters count as well.
const PROXIES: [&str; 3] = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];

/// What can be chosen, and what cannot, each with its reason.
pub(super) fn profiles(places: &Places) -> Vec<Finding> {
    let profiles = places.environment.profiles();
    let mut findings: Vec<Finding> = profiles
        .problems
        .iter()
        .map(|problem| Finding::new(PROFILES, State::Notable, "files", problem))
        .collect();
    if profiles.usable.is_empty() {
        let words = "there is none that can be chosen";
        let none = Finding::new(PROFILES, State::Wrong, "profiles", words);
        findings.push(none.hint(
            "`aws configure sso` or `aws configure` makes one; `tableferry --sandbox` needs none",
        ));
    }
    let ignored = profiles.ignored.iter().map(|ignored| {
        let words = format!("cannot be used ({}): {}", ignored.place, ignored.reason);
        Finding::new(PROFILES, State::Notable, &ignored.name, words)
    });
    let all = profiles.usable.iter().map(profile).chain(ignored);
    let beyond = (profiles.usable.len() + profiles.ignored.len()).saturating_sub(MOST_PROFILES);
    findings.extend(all.take(MOST_PROFILES));
    if beyond > 0 {
        let words = format!("{beyond} more; `tableferry profiles` lists all");
        findings.push(Finding::right(PROFILES, "profiles", words));
    }
    findings
}

fn profile(profile: &Profile) -> Finding {
    let mut words = vec![profile.kind.label().to_owned()];
    words.push(match &profile.region {
        Some(region) => region.to_string(),
        None => "no Region".to_owned(),
    });
    words.extend(profile.role_arn.as_ref().map(ToString::to_string));
    words.extend(profile.mfa_serial.as_ref().map(|_| "MFA".to_owned()));
    let endpoints = profile.endpoints.iter();
    words.extend(endpoints.map(|(service, url)| format!("endpoint of {service} {url}")));
    words.extend(profile.warnings.iter().cloned());
    let state = if profile.region.is_none() || !profile.warnings.is_empty() {
        State::Notable
    } else {
        State::Right
    };
    Finding::new(PROFILES, state, &profile.name, words.join(", "))
}

/// What stands between this machine and AWS, as far as it is configured.
pub(super) fn settings(places: &Places) -> Vec<Finding> {
    let mut findings = proxies(|name| std::env::var(name).ok());
    for bundle in places.environment.ca_bundles() {
        let subject = bundle.path.display().to_string();
        let named = format!("authorities named by {}", bundle.named_by);
        findings.push(match bundle.problem {
            None => Finding::right(NETWORK, subject, named),
            Some(problem) => {
                let words = format!("{named}: {problem}");
                Finding::new(NETWORK, State::Wrong, subject, words).hint(
                    "name a file of PEM certificates, or leave it out to trust the system's authorities",
                )
            }
        });
    }
    if findings.is_empty() {
        let words = "no proxy, no authorities of one's own";
        findings.push(Finding::right(NETWORK, "way to AWS", words));
    }
    findings
}

fn proxies(variable: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let given = |name: &str| {
        let names = [name.to_owned(), name.to_lowercase()];
        names.into_iter().find_map(|name| {
            let value = variable(&name).filter(|value| !value.is_empty())?;
            Some((name, value))
        })
    };
    let proxies = PROXIES.into_iter().filter_map(given);
    let mut findings: Vec<Finding> = proxies
        .map(|(name, url)| Finding::right(NETWORK, name, url_without_secrets(&url)))
        .collect();
    if !findings.is_empty() {
        findings
            .extend(given("NO_PROXY").map(|(name, hosts)| Finding::right(NETWORK, name, hosts)));
    }
    findings
}

/// Whether STS answers in each Region of the profiles, by each of their endpoints.
pub(super) async fn reachability(places: &Places, patience: Duration) -> Vec<Finding> {
    let profiles = places.environment.profiles().usable;
    // By Region and endpoints: the first profile with them, and how many have them.
    let mut asked = BTreeMap::new();
    for profile in profiles {
        let Some(region) = profile.region else {
            continue;
        };
        let place = (region.to_string(), profile.endpoints);
        let (_, profiles): &mut (String, usize) = asked.entry(place).or_insert((profile.name, 0));
        *profiles += 1;
    }
    let beyond = asked.len().saturating_sub(MOST_ASKED);
    let answers =
        stream::iter(asked.into_values().take(MOST_ASKED)).map(|(name, profiles)| async move {
            let reach = places.environment.reach_sts(&name, patience).await;
            let others = match profiles {
                1 => name.clone(),
                2 => format!("{name} and another profile"),
                more => format!("{name} and {} other profiles", more - 1),
            };
            match reach {
                Ok(reach) => told(&reach, &others),
                Err(error) => vec![Finding::new(
                    REACHABILITY,
                    State::Notable,
                    others,
                    format!("not asked: {error}"),
                )],
            }
        });
    let mut findings: Vec<Finding> = answers
        .buffered(ASKED_AT_ONCE)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .flatten()
        .collect();
    if findings.is_empty() {
        let words = "no profile names a Region, so that none was asked";
        findings.push(Finding::right(REACHABILITY, "STS", words));
    }
    if beyond > 0 {
        let words = format!("{beyond} more Regions and endpoints were not asked");
        findings.push(Finding::right(REACHABILITY, "STS", words));
    }
    findings
}

/// What came of asking, for these profiles.
fn told(reach: &Reach, profiles: &str) -> Vec<Finding> {
    let subject = format!("STS in {} ({profiles})", reach.region);
    let answer = match &reach.failure {
        None => Finding::right(REACHABILITY, subject, "answers"),
        Some(failure) => {
            let found = Finding::new(REACHABILITY, State::Wrong, subject, failure.to_string());
            match &failure.hint {
                Some(hint) => found.hint(hint),
                None => found,
            }
        }
    };
    let clock = match &reach.clock {
        Clock::Unknown => None,
        Clock::Right => Some(Finding::right(REACHABILITY, "clock", "agrees with AWS's")),
        Clock::Wrong(sentence) => {
            let wrong = Finding::new(REACHABILITY, State::Wrong, "clock", sentence);
            Some(wrong.hint("set this machine's clock, best by NTP"))
        }
    };
    std::iter::once(answer).chain(clock).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_password_is_not_told_and_small_letters_count() {
        let variable = |name: &str| match name {
            "https_proxy" => Some("http://mona:s3cret@proxy.corp:3128".to_owned()),
            "NO_PROXY" => Some("localhost".to_owned()),
            "HTTP_PROXY" => Some(String::new()),
            _ => None,
        };
        let found: Vec<String> = proxies(variable).iter().map(Finding::line).collect();
        assert_eq!(
            found,
            [
                "  right    https_proxy: http://proxy.corp:3128",
                "  right    NO_PROXY: localhost"
            ]
        );
    }

    #[test]
    fn without_a_proxy_its_exceptions_say_nothing() {
        let variable = |name: &str| (name == "NO_PROXY").then(|| "localhost".to_owned());
        assert!(proxies(variable).is_empty());
    }
}
