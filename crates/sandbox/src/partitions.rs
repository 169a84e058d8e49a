//! The partitions that a world can lie in, and how the world that ships is carried into each.
//!
//! The asset is written down once, in `aws`. ARNs, Regions, and the hosts of the sign-in are renamed
//! for the other partitions by the table of the policy crate; account ids, names and keys stay.

use tableferry_policy::arn::Partition;

/// The partitions that the sandbox has a world in.
pub(super) const PARTITIONS: [Partition; 3] =
    [Partition::Aws, Partition::GovCloud, Partition::China];

/// The Regions of the asset: of the profiles, and two others.
const ASSET: [&str; 3] = ["eu-west-1", "us-east-1", "eu-central-1"];

/// What stands for each Region of the asset ("AWS Regions": AWS GovCloud (US) and the partition of
/// China have two).
fn regions(partition: Partition) -> Option<[&'static str; 3]> {
    match partition {
        Partition::Aws => Some(ASSET),
        Partition::GovCloud => Some(["us-gov-west-1", "us-gov-east-1", "us-gov-east-1"]),
        Partition::China => Some(["cn-north-1", "cn-northwest-1", "cn-northwest-1"]),
        _ => None,
    }
}

/// The Region of every profile.
pub(super) fn home_region(partition: Partition) -> &'static str {
    regions(partition).map_or("eu-west-1", |[home, ..]| home)
}

/// The access portal of IAM Identity Center ("Finding the AWS access portal URL", IAM Identity Center
/// user guide).
pub(super) const fn start_url(partition: Partition) -> &'static str {
    match partition {
        Partition::China => "https://start.home.awsapps.cn/directory/tableferry",
        Partition::GovCloud => "https://start.us-gov-home.awsapps.com/directory/tableferry",
        _ => "https://tableferry.awsapps.com/start",
    }
}

/// A service of a Region as `kms:ViaService` names it.
pub(super) fn via_service(partition: Partition, service: &str, region: &str) -> String {
    format!("{service}.{region}.{}", partition.dns_suffix())
}

/// The asset's text with the names that a partition has; `None` where the sandbox has no world.
pub(super) fn carried(asset: &str, partition: Partition) -> Option<String> {
    let mut text = asset.replace("arn:aws:", &format!("arn:{partition}:"));
    for (from, to) in ASSET.into_iter().zip(regions(partition)?) {
        text = text.replace(from, to);
    }
    if let Some(console) = partition.console() {
        let sign_in = |console: &str| console.replacen("console", "signin", 1);
        let from = Partition::Aws.console().map(sign_in).unwrap_or_default();
        text = text.replace(&from, &sign_in(console));
    }
    let version = "\"version\": 1,";
    Some(text.replacen(
        version,
        &format!("{version} \"partition\": \"{partition}\","),
        1,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"version": 1, "key": "arn:aws:kms:eu-west-1:1:key/a",
        "policy": "arn:aws:iam::aws:policy/AdministratorAccess", "region": "eu-central-1",
        "saml": "https://signin.aws.amazon.com/saml"}"#;

    /// The addresses are those of "Configure SAML assertions for the authentication response" (IAM user
    /// guide, and the same page of AWS GovCloud (US) and of the Regions in China).
    #[test]
    fn a_world_is_carried_with_its_regions_arns_and_sign_in() {
        let gov = carried(TEXT, Partition::GovCloud).unwrap();
        for expected in [
            r#""partition": "aws-us-gov""#,
            "arn:aws-us-gov:kms:us-gov-west-1:1:key/a",
            "arn:aws-us-gov:iam::aws:policy/AdministratorAccess",
            r#""region": "us-gov-east-1""#,
            "https://signin.amazonaws-us-gov.com/saml",
        ] {
            assert!(gov.contains(expected), "{expected}: {gov}");
        }
        let china = carried(TEXT, Partition::China).unwrap();
        for expected in [
            "arn:aws-cn:kms:cn-north-1:1:key/a",
            r#""region": "cn-northwest-1""#,
            "https://signin.amazonaws.cn/saml",
        ] {
            assert!(china.contains(expected), "{expected}: {china}");
        }
    }

    #[test]
    fn a_partition_without_a_world_has_none() {
        assert_eq!(carried(TEXT, Partition::Iso), None);
        assert!(
            PARTITIONS
                .into_iter()
                .all(|partition| regions(partition).is_some())
        );
    }
}
