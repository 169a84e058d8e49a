//! Plans with a mask.

use rstest::rstest;
use serde_json::json;

use super::*;

const PLAN: &str = r#"
[source]
profile = "prod"

[destination]
profile = "dev"
bucket = "landing"
owner = "222222222222"
prefix = "masked"

[encryption]
algorithm = "KMS"
key = "arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab"

[mask]
staging = "prod-staging"
staging_prefix = "unmasked"
secret_environment = "MASK_SECRET"

[[mask.attributes]]
path = "customerId"
as = "hash"

[[mask.attributes]]
path = 'labels."a.b"[*]'
as = "replace"
with = { S = "removed" }

[[tables]]
name = "Orders"
"#;

fn masked(more: &str) -> String {
    format!(
        "[source]\nprofile = 'prod'\n[destination]\nbucket = 'landing'\n[mask]\nstaging = 'staging'\n{more}\n\
         [[tables]]\nname = 'Orders'\n"
    )
}

#[test]
fn a_plan_with_a_mask_exports_to_the_staging_bucket_as_the_source() {
    let plan = parse(PLAN).unwrap();
    let staging = &plan.destination;
    assert_eq!(staging.bucket.as_str(), "prod-staging");
    assert_eq!(staging.prefix(), Some("unmasked"));
    assert_eq!(staging.sign_in.as_ref().unwrap().profile, "prod");
    assert_eq!(staging.owner, None);
    assert_eq!(plan.encryption, Encryption::Aes256);
    let mask = plan.mask.as_ref().unwrap();
    assert_eq!(mask.destination.bucket.as_str(), "landing");
    assert_eq!(mask.destination.prefix(), Some("masked"));
    assert_eq!(mask.destination.sign_in.as_ref().unwrap().profile, "dev");
    assert!(matches!(mask.encryption, Encryption::Kms { .. }));
    assert_eq!(
        mask.secret,
        Some(SecretSource::Environment("MASK_SECRET".to_owned()))
    );
    let methods: Vec<&MaskMethod> = mask.rules.iter().map(|rule| &rule.method).collect();
    let removed = MaskMethod::Replace(json!({"S": "removed"}));
    assert_eq!(methods, [&MaskMethod::Hash, &removed]);
    assert_eq!(parse(&plan.to_toml()).unwrap(), plan);
}

#[test]
fn a_staging_bucket_may_leave_the_account_where_the_plan_says_so() {
    let attribute = "[[mask.attributes]]\npath = 'a'\nas = 'drop'";
    let switch = "staging_leaves_the_account = true\nstaging_owner = '222222222222'\n\
                  staging_key = 'alias/staging'\nsecret_file = '/run/secret'";
    let plan = parse(&masked(&format!("{switch}\n{attribute}"))).unwrap();
    assert_eq!(
        plan.destination.owner.as_ref().unwrap().as_str(),
        "222222222222"
    );
    assert_eq!(plan.encryption.key(), Some("alias/staging"));
    assert_eq!(parse(&plan.to_toml()).unwrap(), plan);
    let same = masked(&format!("staging_leaves_the_account = true\n{attribute}"))
        .replace("'staging'", "'landing'");
    assert!(parse(&same).is_ok());
}

#[rstest]
#[case("", "5", "[mask] lacks `attributes`")]
#[case("attributes = []", "7:14", "the mask names no attribute")]
#[case(
    "staging_owner = '222222222222'",
    "7:17",
    "`staging_owner` names an account"
)]
#[case(
    "secret_environment = 's3cr3t value'",
    "7:22",
    "`secret_environment` is no name of a variable"
)]
#[case(
    "secret_environment = 'A'\nsecret_file = '/b'",
    "7:22",
    "the secret comes from a file and from the environment"
)]
#[case("stagin_key = 'x'", "7:1", "unknown key `stagin_key` in [mask]")]
#[case(
    "[[mask.attributes]]\npath = 'a'\nas = 'hush'",
    "9:6",
    "did you mean `hash`?"
)]
#[case(
    "[[mask.attributes]]\npath = 'a'\nas = 'hash'",
    "8:8",
    "`hash` needs a secret"
)]
#[case(
    "[[mask.attributes]]\npath = 'a'",
    "7",
    "[[mask.attributes]] lacks `as`"
)]
#[case(
    "[[mask.attributes]]\nas = 'drop'",
    "7",
    "[[mask.attributes]] lacks `path`"
)]
#[case(
    "[[mask.attributes]]\npath = 'a.'\nas = 'drop'",
    "8:8",
    "a name is missing"
)]
#[case(
    "[[mask.attributes]]\npath = 'a'\nas = 'replace'",
    "7",
    "`replace` needs what it writes"
)]
#[case(
    "[[mask.attributes]]\npath = 'a'\nas = 'replace'\nwith = 'x'",
    "10:8",
    "the value of `with` has no type"
)]
#[case(
    "[[mask.attributes]]\npath = 'a'\nas = 'drop'\nwith = { S = 'x' }",
    "10:1",
    "`with` is what `replace` writes"
)]
#[case(
    "[[mask.attributes]]\npath = 'a[*].b'\nas = 'drop'\n[[mask.attributes]]\npath = 'a[0]'\nas = 'null'",
    "11:8",
    "`a[0]` and `a[*].b` mask one value"
)]
fn what_breaks_a_rule_of_masks_is_told_with_its_place(
    #[case] more: &str,
    #[case] place: &str,
    #[case] problem: &str,
) {
    let told = parse(&masked(more)).unwrap_err().to_string();
    let line = told
        .split("plan.toml:")
        .find(|violation| violation.contains(problem))
        .unwrap_or_else(|| panic!("{told}"));
    assert!(line.starts_with(&format!("{place}:")), "{told}");
}

#[test]
fn a_staging_bucket_of_the_destination_and_ion_are_refused() {
    let attribute = "[[mask.attributes]]\npath = 'a'\nas = 'drop'";
    let same = masked(attribute).replace("'staging'", "'landing'");
    let told = parse(&same).unwrap_err().to_string();
    assert!(
        told.contains("6:11: error: the staging bucket is the destination's"),
        "{told}"
    );
    let ion = masked(attribute) + "format = 'ION'\n";
    let told = parse(&ion).unwrap_err().to_string();
    assert!(told.contains("a mask reads DynamoDB JSON"), "{told}");
    let upload =
        "kind = 'upload'\n[source]\nprofile = 'a'\n[destination]\nbucket = 'landing'\n[mask]\n";
    let told = parse(upload).unwrap_err().to_string();
    assert!(told.contains("unknown key `mask` in a plan"), "{told}");
}

#[test]
fn an_attribute_of_the_key_is_masked_by_hash_alone() {
    let plan = parse(PLAN).unwrap();
    let mask = plan.mask.unwrap();
    assert_eq!(
        mask.unfit_for_keys(["customerId", "orderId"].into_iter()),
        None
    );
    let unfit = mask
        .unfit_for_keys(["orderId", "labels"].into_iter())
        .unwrap();
    assert_eq!(unfit.path.to_string(), r#"labels."a.b"[*]"#);
}
