//! What each format holds, and what it must not.

use rstest::rstest;
use serde_json::{Value, json};

use super::{RemedyBundle, Rendered, cli, cloudformation, json as as_json, terraform};
use crate::assess::facts::{Fact, Facts};
use crate::assess::remedy::{GrantOptions, Remedy, remedies, whole};
use crate::assess::tests::world::*;
use crate::job::Plan;

fn found(plan: &Plan, facts: &Facts) -> Vec<Remedy> {
    remedies(plan, facts, now(), GrantOptions::default()).remedies
}

fn all(plan: &Plan, facts: &Facts) -> Vec<Remedy> {
    whole(plan, facts, now(), GrantOptions::default()).remedies
}

/// A bucket whose policy has a variable in it, and grants the exporter nothing.
fn own_folders() -> Facts {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = known(document(&json!([{
        "Sid": "OwnFolders",
        "Effect": "Allow",
        "Principal": { "AWS": "arn:aws:iam::222222222222:root" },
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::export-landing/${aws:username}/*"
    }])));
    facts
}

fn no_policy() -> Facts {
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = absent();
    facts
}

/// Each format but the request texts.
fn each(plan: &Plan, facts: &Facts, remedies: &[Remedy]) -> [Rendered; 3] {
    let bundle = RemedyBundle::new(plan, facts, remedies);
    [terraform(&bundle), cloudformation(&bundle), cli(&bundle)]
}

/// The text without its comments.
fn effective(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_stands_in_a_policy_is_kept_in_the_whole_document_of_every_format() {
    let (plan, facts) = (aes_plan(), own_folders());
    for rendered in each(&plan, &facts, &found(&plan, &facts)) {
        assert_eq!(rendered.left_out, Vec::<String>::new());
        let text = effective(&rendered.text);
        assert!(text.contains("OwnFolders"), "{text}");
        assert!(text.contains("TableferryWrite"), "{text}");
    }
}

/// "Strings and Templates" of the Terraform language: `$${` is `${`, and `%%{` is `%{`.
#[test]
fn policy_variables_are_no_templates_of_terraform() {
    let (plan, facts) = (aes_plan(), own_folders());
    let remedies = found(&plan, &facts);
    let text = terraform(&RemedyBundle::new(&plan, &facts, &remedies)).text;
    assert!(text.contains("export-landing/$${aws:username}/*"), "{text}");
    assert!(!text.replace("$${", "").contains("${"), "{text}");
}

#[test]
fn a_policy_that_is_there_is_imported_and_kept_and_a_new_one_is_not() {
    let plan = aes_plan();
    for (facts, is_there) in [(own_folders(), true), (no_policy(), false)] {
        let remedies = found(&plan, &facts);
        let bundle = RemedyBundle::new(&plan, &facts, &remedies);
        let text = terraform(&bundle).text;
        for words in [
            "to = aws_s3_bucket_policy.landing",
            "prevent_destroy = true",
        ] {
            assert_eq!(text.contains(words), is_there, "{text}");
        }
        let text = cloudformation(&bundle).text;
        assert_eq!(text.contains("DeletionPolicy: Retain"), is_there, "{text}");
    }
}

#[test]
fn a_bucket_policy_is_put_with_its_expected_owner_and_a_key_policy_without_a_bypass() {
    let plan = kms_plan();
    let mut facts = no_policy();
    facts.retain_keys(|_| false);
    facts.put_key(key(KEY, &json!([granting_key()[0]])));
    let remedies = found(&plan, &facts);
    let text = cli(&RemedyBundle::new(&plan, &facts, &remedies)).text;
    let of_buckets: Vec<&str> = text.split("aws s3api ").skip(1).collect();
    assert_eq!(of_buckets.len(), 2, "{text}");
    for call in of_buckets {
        let call = call.split("--policy \"$wanted\"").next().unwrap();
        assert!(
            call.contains("--expected-bucket-owner 222222222222"),
            "{call}"
        );
    }
    assert!(text.contains("aws kms put-key-policy"), "{text}");
    assert!(text.contains("--policy-name default"), "{text}");
    assert!(!text.contains("bypass"), "{text}");
}

#[test]
fn a_document_that_was_not_read_is_replaced_by_no_format() {
    let plan = aes_plan();
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = refused("s3:GetBucketPolicy");
    let remedies = all(&plan, &facts);
    for rendered in each(&plan, &facts, &remedies) {
        assert!(
            rendered.left_out.iter().any(|words| words.starts_with(
                "bucket policy of export-landing in account 222222222222 is not written"
            ) && words.contains("s3:GetBucketPolicy")),
            "{rendered:#?}"
        );
        let text = effective(&rendered.text);
        for word in [
            "aws_s3_bucket_policy",
            "AWS::S3::BucketPolicy",
            "put-bucket-policy",
        ] {
            assert!(!text.contains(word), "{text}");
        }
    }
}

#[test]
fn a_remedy_that_is_not_sound_is_told_and_not_written() {
    let (plan, facts) = (aes_plan(), no_policy());
    let mut remedies = found(&plan, &facts);
    remedies[0]
        .problems
        .push("it would lock you out".to_owned());
    for rendered in each(&plan, &facts, &remedies) {
        assert!(!effective(&rendered.text).contains("TableferryWrite"));
        let [words] = rendered.left_out.as_slice() else {
            panic!("{rendered:#?}");
        };
        assert!(
            words.ends_with("is not written: it would lock you out"),
            "{words}"
        );
    }
    let bundle = RemedyBundle::new(&plan, &facts, &remedies);
    let request_texts = bundle.request_texts(None);
    // What is needed is asked for all the same, without the document.
    assert!(
        request_texts.text.contains("s3:PutObject on "),
        "{request_texts:#?}"
    );
    assert!(
        !request_texts.text.contains("TableferryWrite"),
        "{request_texts:#?}"
    );
    assert!(request_texts.left_out[0].contains("lock you out"));
    let object: Value = serde_json::from_str(&as_json(&bundle, &[]).text).unwrap();
    assert_eq!(object["remedies"][0]["is_writable"], false);
    assert_eq!(
        object["remedies"][0]["problems"],
        json!(["it would lock you out"])
    );
}

/// Somebody else's facts may hold anything; a comment must stay one.
#[rstest]
#[case("\n")]
#[case("\r")]
#[case("\u{85}")]
#[case("\u{2028}")]
fn nothing_in_the_facts_ends_a_comment(#[case] end: &str) {
    let (plan, facts) = (aes_plan(), no_policy());
    let mut remedies = found(&plan, &facts);
    remedies[0].warnings.push(format!("x{end}injected"));
    for rendered in each(&plan, &facts, &remedies) {
        assert!(rendered.text.contains("injected"));
        for line in rendered
            .text
            .split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
        {
            assert!(
                !line.contains("injected") || line.trim_start().starts_with('#'),
                "{line}"
            );
        }
    }
}

#[test]
fn a_name_is_one_word_of_a_shell_and_one_string_of_terraform() {
    let mut plan = aes_plan();
    let hostile = "p'; touch /tmp/x; \"${boom}\" \\";
    if let Some(sign_in) = &mut plan.destination.sign_in {
        sign_in.profile = hostile.to_owned();
    }
    let facts = no_policy();
    let remedies = found(&plan, &facts);
    let bundle = RemedyBundle::new(&plan, &facts, &remedies);
    let script = cli(&bundle).text;
    let word = r#"destination_profile='p'\''; touch /tmp/x; "${boom}" \'"#;
    assert!(script.lines().any(|line| line == word), "{script}");
    let text = terraform(&bundle).text;
    let string = r#"  profile             = "p'; touch /tmp/x; \"$${boom}\" \\""#;
    assert!(text.lines().any(|line| line == string), "{text}");
}

#[test]
fn a_role_that_the_plan_assumes_is_assumed_by_terraform_and_told_in_the_script() {
    let role = "arn:aws:iam::222222222222:role/Changer";
    let mut plan = aes_plan();
    if let Some(sign_in) = &mut plan.destination.sign_in {
        sign_in.role = Some(role.parse().unwrap());
        sign_in.external_id = Some("ferry".to_owned());
    }
    let facts = no_policy();
    let remedies = found(&plan, &facts);
    let bundle = RemedyBundle::new(&plan, &facts, &remedies);
    let text = terraform(&bundle).text;
    assert!(text.contains(&format!("role_arn = \"{role}\"")), "{text}");
    assert!(text.contains("external_id = \"ferry\""), "{text}");
    let script = cli(&bundle).text;
    assert!(
        script.contains(&format!("# The plan assumes {role} on top")),
        "{script}"
    );
}

#[test]
fn an_account_that_the_plan_signs_in_to_nowhere_needs_a_profile_to_be_named() {
    let third = KEY.replace("222222222222", "333333333333");
    let plan = plan(
        "owner = '222222222222'\nprefix = 'prod'",
        &format!("[encryption]\nalgorithm = 'KMS'\nkey = '{third}'"),
    );
    let mut facts = facts();
    let mut foreign = granting_key();
    foreign[0]["Principal"]["AWS"] = json!("arn:aws:iam::333333333333:root");
    foreign.as_array_mut().unwrap().truncate(1);
    facts.retain_keys(|_| false);
    facts.put_key(key(&third, &foreign));
    let remedies = all(&plan, &facts);
    let bundle = RemedyBundle::new(&plan, &facts, &remedies);
    let script = cli(&bundle).text;
    let line = "account_333333333333_profile=${ACCOUNT_333333333333_PROFILE:?names no profile of account 333333333333}";
    assert!(script.lines().any(|told| told == line), "{script}");
    let text = terraform(&bundle).text;
    assert!(
        text.contains("provider = aws.account_333333333333"),
        "{text}"
    );
    assert!(
        text.contains("allowed_account_ids = [\"333333333333\"]"),
        "{text}"
    );
}

/// There is no resource for the policy of a key that exists, and `AWS::KMS::Key` makes a new one.
#[test]
fn a_template_makes_no_key_and_no_table() {
    let plan = kms_plan();
    let mut facts = facts();
    facts.retain_keys(|_| false);
    facts.put_key(key(KEY, &json!([granting_key()[0]])));
    facts.table_mut("Orders").unwrap().recovery = absent();
    let remedies = found(&plan, &facts);
    for account in ["111111111111", "222222222222"] {
        let account = account.parse().unwrap();
        let bundle = RemedyBundle::new(&plan, &facts, &remedies).of_account(&account);
        let rendered = cloudformation(&bundle);
        let text = effective(&rendered.text);
        assert!(!text.contains("Type: AWS::KMS::Key"), "{text}");
        assert!(!text.contains("Type: AWS::DynamoDB::Table"), "{text}");
        assert_eq!(rendered.left_out.len(), 1, "{rendered:#?}");
    }
}

#[test]
fn point_in_time_recovery_is_a_block_in_terraform() {
    let plan = aes_plan();
    let mut facts = facts();
    facts.table_mut("Orders").unwrap().recovery = absent();
    let remedies = found(&plan, &facts);
    let rendered = terraform(&RemedyBundle::new(&plan, &facts, &remedies));
    assert!(!effective(&rendered.text).contains("aws_dynamodb_table"));
    let block = "#   point_in_time_recovery {\n#     enabled = true\n#   }";
    assert!(rendered.text.contains(block), "{}", rendered.text);
}

/// Roles of Identity Center cannot be edited by hand.
#[test]
fn no_format_writes_a_policy_of_a_permission_sets_role() {
    let plan = aes_plan();
    let mut facts = facts();
    let role = "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Ops_0123456789abcdef";
    facts.source_mut().caller.arn =
        "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/pat"
            .parse()
            .unwrap();
    facts.source_mut().role = facts.source().role.clone().map(|mut known| {
        known.arn = role.parse().unwrap();
        known
    });
    facts.source_mut().identity_policies = known(Vec::new());
    let remedies = all(&plan, &facts);
    for rendered in each(&plan, &facts, &remedies) {
        assert!(
            !effective(&rendered.text).contains("dynamodb:"),
            "{}",
            rendered.text
        );
        assert!(
            rendered
                .left_out
                .iter()
                .any(|words| words.contains("permission set Ops")),
            "{rendered:#?}"
        );
    }
}

#[test]
fn an_inline_policy_of_a_role_goes_by_its_name_without_the_path() {
    let plan = aes_plan();
    let mut facts = facts();
    facts.source_mut().role = facts.source().role.clone().map(|mut known| {
        known.arn = "arn:aws:iam::111111111111:role/teams/export/OnCallExporter"
            .parse()
            .unwrap();
        known
    });
    facts.source_mut().identity_policies = known(Vec::new());
    let remedies = found(&plan, &facts);
    let account = "111111111111".parse().unwrap();
    let bundle = RemedyBundle::new(&plan, &facts, &remedies).of_account(&account);
    let text = terraform(&bundle).text;
    assert!(text.contains("role     = \"OnCallExporter\""), "{text}");
    let text = cloudformation(&bundle).text;
    assert!(text.contains("RoleName: \"OnCallExporter\""), "{text}");
    let text = cli(&bundle).text;
    assert!(text.contains("aws iam put-role-policy"), "{text}");
    assert!(text.contains("--role-name OnCallExporter"), "{text}");
}

#[test]
fn everything_that_is_granted_already_is_no_second_statement_of_the_whole_policies() {
    let (plan, facts) = (kms_plan(), facts());
    let remedies = all(&plan, &facts);
    let bundle = RemedyBundle::new(&plan, &facts, &remedies);
    let object: Value = serde_json::from_str(&as_json(&bundle, &[]).text).unwrap();
    let told: Vec<(&Value, usize, bool)> = object["remedies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|remedy| {
            let statements = remedy["document"]["Statement"].as_array().unwrap().len();
            (&remedy["kind"], statements, remedy["added"] == json!([]))
        })
        .collect();
    assert_eq!(
        told,
        [
            // Export, follow, list, write, encrypt.
            (&json!("role_policy"), 5, false),
            (&json!("bucket_policy"), 1, true),
            (&json!("key_policy"), 2, true),
        ]
    );
}

/// What was found missing is no second statement beside the whole, and a Deny that hits is fixed.
#[test]
fn the_whole_policies_fix_what_the_least_would() {
    let plan = aes_plan();
    let mut statements = granting_bucket();
    statements[0]["Action"] = json!(["s3:PutObject", "s3:AbortMultipartUpload"]);
    let addresses = json!({ "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" } });
    let office = deny(&addresses);
    statements.as_array_mut().unwrap().push(office);
    let mut facts = facts();
    facts.bucket_mut(&landing()).policy = known(document(&statements));
    let remedies = all(&plan, &facts);
    let bundle = RemedyBundle::new(&plan, &facts, &remedies);
    let object: Value = serde_json::from_str(&as_json(&bundle, &[]).text).unwrap();
    let remedies = object["remedies"].as_array().unwrap();
    let of_bucket = remedies
        .iter()
        .find(|remedy| remedy["kind"] == "bucket_policy")
        .unwrap();
    let statements = of_bucket["document"]["Statement"].as_array().unwrap();
    let sids: Vec<&Value> = statements.iter().map(|one| &one["Sid"]).collect();
    assert_eq!(sids, ["AllowExport", "Guard", "TableferryWrite"]);
    let condition = &statements[1]["Condition"];
    assert_eq!(condition["Bool"]["aws:ViaAWSService"], "false");
    let actions = &statements[2]["Action"];
    let all = ["s3:PutObject", "s3:PutObjectAcl", "s3:AbortMultipartUpload"];
    assert_eq!(*actions, json!(all));
    assert_eq!(of_bucket["added"], json!(["TableferryWrite"]));
}

#[test]
fn there_is_a_text_for_each_who_can_fix_something() {
    let plan = kms_plan();
    let mut facts = no_policy();
    facts.retain_keys(|_| false);
    facts.put_key(key(KEY, &json!([granting_key()[0]])));
    let remedies = found(&plan, &facts);
    let text = RemedyBundle::new(&plan, &facts, &remedies)
        .request_texts(None)
        .text;
    let heads: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("To "))
        .collect();
    assert_eq!(
        heads,
        [
            "To the destination's owner (222222222222)",
            "To the key's owner (222222222222)"
        ]
    );
    for words in [
        "s3:PutObject on arn:aws:s3:::export-landing/prod",
        "until the export is done",
    ] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn where_nothing_is_missing_a_script_does_nothing_and_a_template_is_none() {
    let (plan, facts) = (aes_plan(), facts());
    let [terraform, template, script] = each(&plan, &facts, &[]);
    assert!(!terraform.text.contains("resource "), "{}", terraform.text);
    assert_eq!(template.text, "");
    assert_eq!(effective(&script.text), "set -eu");
}

/// The fact that a policy was read says whose it may replace; an absent one was read too.
#[test]
fn an_absent_policy_was_read() {
    let plan = aes_plan();
    let mut facts = no_policy();
    let remedies = all(&plan, &facts);
    let bundle = RemedyBundle::new(&plan, &facts, &remedies);
    assert!(bundle.items().iter().all(super::RemedyItem::is_writable));
    facts.bucket_mut(&landing()).policy = Fact::UNASKED;
    let bundle = RemedyBundle::new(&plan, &facts, &remedies);
    assert!(!bundle.items().iter().all(super::RemedyItem::is_writable));
}
