//! What `ImportTable` has no parameter for, by the shape of `TableCreationParameters`: what it is, and the
//! command that makes it.

use crate::job::shell_quoted;

/// A setting of the exported table that the new one will not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// What it is.
    pub what: String,
    /// The command that sets it on the new table, or what to do where no call does it.
    pub how: String,
}

/// The settings of the exported table, as far as they are known.
#[expect(
    clippy::struct_excessive_bools,
    reason = "DescribeTable has these, each on its own"
)]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnSettings {
    /// Local secondary indexes, by name.
    pub local_indexes: Vec<String>,
    /// `StreamViewType`, where a stream is on.
    pub stream: Option<String>,
    /// The attribute of the time to live, where it is on.
    pub time_to_live: Option<String>,
    /// The tags.
    pub tags: Vec<(String, String)>,
    /// Whether point-in-time recovery is on.
    pub has_recovery: bool,
    /// Whether it is protected against deletion.
    pub is_protected: bool,
    /// Whether it has a resource policy.
    pub has_policy: bool,
    /// The table class, where it is not the standard one.
    pub class: Option<String>,
    /// The Regions of its replicas.
    pub replicas: Vec<String>,
    /// Whether its capacity is provisioned, which is what auto scaling changes.
    pub is_provisioned: bool,
}

/// The new table, as commands name it.
#[derive(Debug, Clone, Copy)]
pub struct NewTable<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its ARN.
    pub arn: &'a str,
    /// Its Region.
    pub region: &'a str,
    /// The profile of its account.
    pub profile: &'a str,
}

/// What is left behind, each with its command.
#[must_use]
pub fn left_behind(settings: &OwnSettings, table: NewTable<'_>) -> Vec<LeftBehind> {
    let place = format!(
        "--profile {} --region {}",
        shell_quoted(table.profile),
        table.region
    );
    let name = shell_quoted(table.name);
    let mut left = Vec::new();
    let mut add = |what: String, how: String| left.push(LeftBehind { what, how });
    let update =
        |option: &str| format!("aws dynamodb update-table {place} --table-name {name} {option}");
    if !settings.local_indexes.is_empty() {
        add(
            format!("local indexes: {}", settings.local_indexes.join(", ")),
            "only CreateTable makes them: make a global index in their place, or create the table first \
             and load it"
                .to_owned(),
        );
    }
    if let Some(view) = &settings.stream {
        let option = format!("--stream-specification StreamEnabled=true,StreamViewType={view}");
        add(format!("stream: {view}"), update(&option));
    }
    if let Some(attribute) = &settings.time_to_live {
        let specification = format!("Enabled=true,AttributeName={attribute}");
        add(
            format!("time to live: {attribute}"),
            format!(
                "aws dynamodb update-time-to-live {place} --table-name {name} \
                 --time-to-live-specification {}",
                shell_quoted(&specification)
            ),
        );
    }
    if !settings.tags.is_empty() {
        let tags = settings.tags.iter();
        let tags: Vec<String> = tags
            .map(|(key, value)| shell_quoted(&format!("Key={key},Value={value}")))
            .collect();
        add(
            format!("tags: {}", settings.tags.len()),
            format!(
                "aws dynamodb tag-resource {place} --resource-arn {} --tags {}",
                table.arn,
                tags.join(" ")
            ),
        );
    }
    if settings.has_recovery {
        add(
            "point-in-time recovery".to_owned(),
            format!(
                "aws dynamodb update-continuous-backups {place} --table-name {name} \
                 --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
            ),
        );
    }
    if settings.is_protected {
        add(
            "deletion protection".to_owned(),
            update("--deletion-protection-enabled"),
        );
    }
    if let Some(class) = &settings.class {
        add(
            format!("table class {class}"),
            update(&format!("--table-class {class}")),
        );
    }
    if settings.has_policy {
        add(
            "resource policy".to_owned(),
            format!(
                "aws dynamodb put-resource-policy {place} --resource-arn {} --policy file://POLICY.json",
                table.arn
            ),
        );
    }
    for replica in &settings.replicas {
        let option = format!("--replica-updates 'Create={{RegionName={replica}}}'");
        add(format!("replica in {replica}"), update(&option));
    }
    if settings.is_provisioned {
        add(
            "auto scaling, which is not read".to_owned(),
            format!(
                "aws application-autoscaling describe-scalable-targets --service-namespace dynamodb \
                 shows that of the exported table; register-scalable-target {place} sets it on \
                 table/{}",
                table.name
            ),
        );
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: NewTable<'_> = NewTable {
        name: "Orders-copy",
        arn: "arn:aws:dynamodb:eu-west-1:222222222222:table/Orders-copy",
        region: "eu-west-1",
        profile: "dev-admin",
    };

    #[test]
    fn a_table_with_nothing_besides_leaves_nothing_behind() {
        assert_eq!(left_behind(&OwnSettings::default(), TABLE), []);
    }

    /// The commands are those of the AWS CLI's reference.
    #[test]
    fn each_setting_has_its_command() {
        let settings = OwnSettings {
            local_indexes: vec!["by-date".to_owned()],
            time_to_live: Some("expires".to_owned()),
            tags: vec![("team".to_owned(), "the port".to_owned())],
            has_recovery: true,
            is_protected: true,
            ..OwnSettings::default()
        };
        let left = left_behind(&settings, TABLE);
        let commands: Vec<&str> = left.iter().map(|left| left.how.as_str()).collect();
        let place = "--profile dev-admin --region eu-west-1";
        assert_eq!(
            commands[1..],
            [
                format!(
                    "aws dynamodb update-time-to-live {place} --table-name Orders-copy --time-to-live-specification Enabled=true,AttributeName=expires"
                ),
                format!(
                    "aws dynamodb tag-resource {place} --resource-arn {} --tags 'Key=team,Value=the port'",
                    TABLE.arn
                ),
                format!(
                    "aws dynamodb update-continuous-backups {place} --table-name Orders-copy --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
                ),
                format!(
                    "aws dynamodb update-table {place} --table-name Orders-copy --deletion-protection-enabled"
                ),
            ]
        );
        assert!(commands[0].starts_with("only CreateTable makes them"));
    }
}
