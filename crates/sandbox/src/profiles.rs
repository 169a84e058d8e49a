//! The sandbox's profiles, as the texts of the AWS tools' shared files.

use std::fmt::Write as _;

use super::identifier::uuid_of;
use super::partitions::{home_region, start_url};
use super::world::{ProfileEntry, World};

/// The texts of the shared files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedFiles {
    /// What `~/.aws/config` would hold.
    pub config: String,
    /// What `~/.aws/credentials` would hold.
    pub credentials: String,
}

pub(super) fn write(world: &World, endpoint: Option<&str>) -> SharedFiles {
    let mut files = SharedFiles {
        config: String::new(),
        credentials: String::new(),
    };
    for profile in &world.profiles {
        write_settings(&mut files.config, world, profile, endpoint);
        write_keys(&mut files.credentials, world, profile);
    }
    let _ = write!(
        files.config,
        "[sso-session tableferry]\nsso_start_url = {}\nsso_region = {}\n\
         sso_registration_scopes = sso:account:access\n",
        start_url(world.partition),
        home_region(world.partition),
    );
    files
}

fn write_settings(
    config: &mut String,
    world: &World,
    profile: &ProfileEntry,
    endpoint: Option<&str>,
) {
    let region = home_region(world.partition);
    let _ = writeln!(config, "[profile {}]\nregion = {region}", profile.name);
    for (name, value) in &profile.settings {
        let value = match (name.as_str(), endpoint) {
            ("role_session_name", Some(_)) => session_name(world, value),
            _ => value.clone(),
        };
        let _ = writeln!(config, "{name} = {value}");
    }
    if let Some(endpoint) = endpoint {
        let _ = writeln!(config, "endpoint_url = {endpoint}");
        config.push_str("s3 =\n    addressing_style = path\n");
    }
    config.push('\n');
}

/// A session's name that another world does not use.
///
/// The AWS CLI keeps the sessions of roles under a hash of what it asked for, this name included;
/// without a difference it would bring a new world the credentials of an old one.
fn session_name(world: &World, name: &str) -> String {
    let world = uuid_of(&world.born.to_string());
    format!("{name}-{}", world.get(..6).unwrap_or_default())
}

fn write_keys(credentials: &mut String, world: &World, profile: &ProfileEntry) {
    let Some(access_key) = &profile.access_key else {
        return;
    };
    let Some(opened) = world.open_key(access_key) else {
        return;
    };
    let _ = writeln!(
        credentials,
        "[{}]\naws_access_key_id = {access_key}\naws_secret_access_key = {}",
        profile.name, opened.secret
    );
    if let Some(token) = opened.token {
        let _ = writeln!(credentials, "aws_session_token = {token}");
    }
    credentials.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use tableferry_policy::arn::Partition;

    fn world(born: &str) -> World {
        World::fresh(Partition::Aws, born.parse().unwrap()).unwrap()
    }

    #[test]
    fn keys_stand_in_the_credentials_and_the_rest_in_the_config() {
        let files = write(&world("2026-11-22T10:00:00Z"), None);
        assert!(files.config.contains(
            "[profile prod-oncall]\nregion = eu-west-1\n\
             role_arn = arn:aws:iam::111111111111:role/OnCallExporter\n\
             role_session_name = oncall\nsource_profile = prod-admin\n\n"
        ));
        assert!(!files.config.contains("aws_secret_access_key"));
        assert!(
            files
                .credentials
                .starts_with("[prod-admin]\naws_access_key_id = AKIASANDBOXPRODADMIN\n")
        );
        assert_eq!(files.credentials.matches("aws_session_token").count(), 1);
    }

    #[test]
    fn with_an_endpoint_every_profile_goes_there_and_sessions_are_the_worlds_own() {
        let endpoint = Some("http://127.0.0.1:4577");
        let one = write(&world("2026-11-22T10:00:00Z"), endpoint).config;
        let other = write(&world("2026-11-22T10:00:01Z"), endpoint).config;
        let profiles = one.matches("[profile ").count();
        assert_eq!(
            one.matches("endpoint_url = http://127.0.0.1:4577\n")
                .count(),
            profiles
        );
        assert_eq!(
            one.matches("    addressing_style = path\n").count(),
            profiles
        );
        assert_ne!(one, other);
    }
}
