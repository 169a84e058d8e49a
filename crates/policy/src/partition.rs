//! AWS's partitions: sets of Regions with accounts, credentials and ARNs of their own.
//!
//! This is the only table of them. Names, suffixes, Regions and their patterns are those of
//! `partitions.json`, which botocore and the SDKs share (botocore 1.44.8).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::malformed::Malformed;

/// A partition; nothing crosses from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Partition {
    /// The commercial Regions.
    #[serde(rename = "aws")]
    Aws,
    /// The Regions in China.
    #[serde(rename = "aws-cn")]
    China,
    /// AWS GovCloud (US).
    #[serde(rename = "aws-us-gov")]
    GovCloud,
    /// AWS European Sovereign Cloud.
    #[serde(rename = "aws-eusc")]
    EuropeanSovereign,
    /// AWS Top Secret.
    #[serde(rename = "aws-iso")]
    Iso,
    /// AWS Secret.
    #[serde(rename = "aws-iso-b")]
    IsoB,
    /// The isolated Regions in Europe.
    #[serde(rename = "aws-iso-e")]
    IsoE,
    /// The isolated Regions `us-isof-…`.
    #[serde(rename = "aws-iso-f")]
    IsoF,
}

/// What distinguishes one partition.
struct Row {
    name: &'static str,
    dns_suffix: &'static str,
    dual_stack_dns_suffix: &'static str,
    global_region: &'static str,
    /// What the codes of its Regions begin with, each before a hyphen.
    region_prefixes: &'static [&'static str],
    console: Option<&'static str>,
}

impl Partition {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Aws,
        Self::China,
        Self::GovCloud,
        Self::EuropeanSovereign,
        Self::Iso,
        Self::IsoB,
        Self::IsoE,
        Self::IsoF,
    ];

    const fn row(self) -> Row {
        match self {
            Self::Aws => Row {
                name: "aws",
                dns_suffix: "amazonaws.com",
                dual_stack_dns_suffix: "api.aws",
                global_region: "us-east-1",
                region_prefixes: &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"],
                console: Some("console.aws.amazon.com"),
            },
            Self::China => Row {
                name: "aws-cn",
                dns_suffix: "amazonaws.com.cn",
                dual_stack_dns_suffix: "api.amazonwebservices.com.cn",
                global_region: "cn-northwest-1",
                region_prefixes: &["cn"],
                console: Some("console.amazonaws.cn"),
            },
            Self::GovCloud => Row {
                name: "aws-us-gov",
                dns_suffix: "amazonaws.com",
                dual_stack_dns_suffix: "api.aws",
                global_region: "us-gov-west-1",
                region_prefixes: &["us-gov"],
                console: Some("console.amazonaws-us-gov.com"),
            },
            Self::EuropeanSovereign => Row {
                name: "aws-eusc",
                dns_suffix: "amazonaws.eu",
                dual_stack_dns_suffix: "api.amazonwebservices.eu",
                global_region: "eusc-de-east-1",
                region_prefixes: &["eusc-de"],
                console: Some("console.amazonaws-eusc.eu"),
            },
            Self::Iso => Row {
                name: "aws-iso",
                dns_suffix: "c2s.ic.gov",
                dual_stack_dns_suffix: "api.aws.ic.gov",
                global_region: "us-iso-east-1",
                region_prefixes: &["us-iso"],
                console: None,
            },
            Self::IsoB => Row {
                name: "aws-iso-b",
                dns_suffix: "sc2s.sgov.gov",
                dual_stack_dns_suffix: "api.aws.scloud",
                global_region: "us-isob-east-1",
                region_prefixes: &["us-isob"],
                console: None,
            },
            Self::IsoE => Row {
                name: "aws-iso-e",
                dns_suffix: "cloud.adc-e.uk",
                dual_stack_dns_suffix: "api.cloud-aws.adc-e.uk",
                global_region: "eu-isoe-west-1",
                region_prefixes: &["eu-isoe"],
                console: None,
            },
            Self::IsoF => Row {
                name: "aws-iso-f",
                dns_suffix: "csp.hci.ic.gov",
                dual_stack_dns_suffix: "api.aws.hci.ic.gov",
                global_region: "us-isof-south-1",
                region_prefixes: &["us-isof"],
                console: None,
            },
        }
    }

    /// The partition as ARNs write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The domain under which the partition's services are reached, and which ends the names of its
    /// service principals' keys such as `kms:ViaService`.
    #[must_use]
    pub const fn dns_suffix(self) -> &'static str {
        self.row().dns_suffix
    }

    /// The domain of its endpoints that speak IPv6 as well.
    #[must_use]
    pub const fn dual_stack_dns_suffix(self) -> &'static str {
        self.row().dual_stack_dns_suffix
    }

    /// The Region in which its global services (IAM, Organizations) are reached and signed.
    #[must_use]
    pub const fn global_region(self) -> &'static str {
        self.row().global_region
    }

    /// The domain of its console; `None` where AWS publishes none.
    #[must_use]
    pub const fn console(self) -> Option<&'static str> {
        self.row().console
    }

    /// The ARN of a policy that AWS manages, such as `AdministratorAccess`.
    #[must_use]
    pub fn managed_policy(self, name: &str) -> String {
        format!("arn:{self}:iam::aws:policy/{name}")
    }

    /// Whether a text has the form of a Region's code, and begins as the codes of a partition do.
    pub(crate) fn knows_region(code: &str) -> bool {
        let is_code = code.rsplit_once('-').is_some_and(|(head, number)| {
            head.contains('-')
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        is_code
            && Self::region_prefixes().any(|prefix| {
                code.strip_prefix(prefix)
                    .is_some_and(|rest| rest.starts_with('-'))
            })
    }

    /// Whether the code of a Region may begin with a text.
    pub(crate) fn has_region_like(head: &str) -> bool {
        Self::region_prefixes().any(|prefix| {
            prefix.starts_with(head)
                || head
                    .strip_prefix(prefix)
                    .is_some_and(|rest| rest.starts_with('-'))
        })
    }

    fn region_prefixes() -> impl Iterator<Item = &'static str> {
        Self::ALL
            .into_iter()
            .flat_map(|partition| partition.row().region_prefixes.iter().copied())
    }

    /// The partition whose Regions have codes of this form.
    pub(crate) fn of_region(code: &str) -> Self {
        // The longest prefix wins: `us-gov-west-1` begins as the commercial Regions do, too.
        let matched = |partition: Self| {
            let prefixes = partition.row().region_prefixes.iter();
            prefixes
                .filter(|prefix| {
                    code.strip_prefix(**prefix)
                        .is_some_and(|rest| rest.starts_with('-'))
                })
                .map(|prefix| prefix.len())
                .max()
        };
        Self::ALL
            .into_iter()
            .filter_map(|partition| Some((matched(partition)?, partition)))
            .max_by_key(|(length, _)| *length)
            .map_or(Self::Aws, |(_, partition)| partition)
    }

    /// The partition under whose domain a host lies; of two that share a domain the first.
    #[must_use]
    pub fn of_host(host: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|partition| {
            let row = partition.row();
            [row.dns_suffix, row.dual_stack_dns_suffix]
                .iter()
                .any(|suffix| {
                    host.strip_suffix(suffix)
                        .is_some_and(|before| before.ends_with('.'))
                })
        })
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Partition {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::ALL
            .into_iter()
            .find(|partition| partition.as_str() == text)
            .ok_or_else(|| {
                Malformed::new(
                    text,
                    "a partition: aws, aws-cn, aws-us-gov, aws-eusc or one of aws-iso…",
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition_of(code: &str) -> Partition {
        code.parse::<crate::arn::Region>().unwrap().partition()
    }

    /// Regions of every partition, by `partitions.json`.
    #[test]
    fn a_region_knows_its_partition() {
        for (code, expected) in [
            ("eu-west-1", Partition::Aws),
            ("us-east-1", Partition::Aws),
            ("mx-central-1", Partition::Aws),
            ("cn-north-1", Partition::China),
            ("us-gov-west-1", Partition::GovCloud),
            ("eusc-de-east-1", Partition::EuropeanSovereign),
            ("us-iso-east-1", Partition::Iso),
            ("us-isob-east-1", Partition::IsoB),
            ("eu-isoe-west-1", Partition::IsoE),
            ("us-isof-south-1", Partition::IsoF),
            ("zz-new-1", Partition::Aws),
        ] {
            assert_eq!(partition_of(code), expected, "{code}");
        }
    }

    #[test]
    fn every_partition_reads_its_own_name_and_holds_its_global_region() {
        for partition in Partition::ALL {
            assert_eq!(partition.as_str().parse(), Ok(partition));
            assert_eq!(partition_of(partition.global_region()), partition);
            let written = serde_json::to_string(&partition).unwrap();
            assert_eq!(written, format!("\"{partition}\""));
        }
        assert!("aws-mars".parse::<Partition>().is_err());
    }

    #[test]
    fn hosts_of_aws_are_told_by_the_whole_suffix() {
        let of = Partition::of_host;
        assert_eq!(of("s3.eu-west-1.amazonaws.com"), Some(Partition::Aws));
        assert_eq!(
            of("sts.cn-north-1.amazonaws.com.cn"),
            Some(Partition::China)
        );
        assert_eq!(of("sts.us-iso-east-1.c2s.ic.gov"), Some(Partition::Iso));
        assert_eq!(of("amazonaws.com.example.org"), None);
        assert_eq!(of("notamazonaws.com"), None);
    }

    #[test]
    fn a_managed_policy_is_named_in_its_partition() {
        assert_eq!(
            Partition::GovCloud.managed_policy("AdministratorAccess"),
            "arn:aws-us-gov:iam::aws:policy/AdministratorAccess"
        );
    }
}
