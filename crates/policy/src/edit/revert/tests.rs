use proptest::prelude::*;

use super::*;
use crate::document::PrincipalKind;
use crate::edit::bytes::slice;
use crate::edit::{
    Added, List, add_condition, add_statement, add_value, new_document, remove_statement,
    remove_value, say_the_same,
};
use crate::evaluate::{Context, Decision, Named, Policies, Principal, Request, evaluate};

fn added(document: &str, statement: &str) -> String {
    match add_statement(document, statement).unwrap() {
        Added::Inserted { text } => text,
        Added::AlreadyGranted { by } => panic!("`{by}` grants it"),
    }
}

fn allow(sid: &str, action: &str) -> String {
    format!(
        r#"{{"Sid":"{sid}","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::111111111111:role/Exporter"}},"Action":"{action}","Resource":"arn:aws:s3:::landing/*"}}"#
    )
}

fn document(statements: &[&str]) -> String {
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {}\n  ]\n}}",
        statements.join(",\n    ")
    )
}

const DENY: &str = r#"{"Sid": "OfficeOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::landing/*", "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}"#;
/// The same with an exemption in it.
const SPARING: &str = r#"{"Sid": "OfficeOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::landing/*", "Condition": {"Bool": { "aws:ViaAWSService": "false" }, "NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}"#;
const BARE: &str = r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::landing/*"}"#;
const BARE_EXEMPTING: &str = r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::landing/*", "Condition": { "Bool": { "aws:ViaAWSService": "false" } }}"#;

#[test]
fn an_edit_that_still_stands_is_taken_back_to_the_byte() {
    let before = document(&[DENY, BARE]);
    let after = added(
        &document(&[SPARING, BARE_EXEMPTING]),
        &allow("Ours", "s3:PutObject"),
    );
    let taken = revert(Some(&before), &after, &after).unwrap();
    assert_eq!(taken.text.as_deref(), Some(before.as_str()));
    assert_eq!(taken.taken, ["Ours", "OfficeOnly", "#1"]);
    assert_eq!(taken.left, Vec::<String>::new());
}

#[test]
fn what_others_added_since_stays_and_the_rest_is_as_it_was() {
    let before = document(&[DENY, BARE]);
    let after = added(
        &document(&[SPARING, BARE_EXEMPTING]),
        &allow("Ours", "s3:PutObject"),
    );
    let theirs = allow("Theirs", "s3:GetObject");
    let live = added(&after, &theirs);
    let taken = revert(Some(&before), &after, &live).unwrap();
    assert_eq!(taken.text, Some(added(&before, &theirs)));
}

#[test]
fn a_document_that_holds_nothing_but_ours_is_deleted() {
    let after = new_document(&allow("Ours", "s3:PutObject"));
    let taken = revert(None, &after, &after).unwrap();
    assert_eq!(taken.text, None);
    let theirs = allow("Theirs", "s3:GetObject");
    let taken = revert(None, &after, &added(&after, &theirs)).unwrap();
    let text = taken.text.unwrap();
    let left = Document::parse(&text).unwrap();
    assert_eq!(left.statements().len(), 1);
    assert_eq!(left.statements()[0].label(0), "Theirs");
}

#[test]
fn what_somebody_altered_since_is_left_and_told() {
    let before = document(&[DENY]);
    let after = added(&document(&[SPARING]), &allow("Ours", "s3:PutObject"));
    let live = after.replace("\"s3:PutObject\"", "\"s3:Put*\"");
    assert_ne!(live, after);
    let taken = revert(Some(&before), &after, &live).unwrap();
    assert_eq!(taken.taken, ["OfficeOnly"]);
    assert_eq!(
        taken.left,
        ["the statement `Ours` was altered since: it is left as it is"]
    );
    let text = taken.text.unwrap();
    assert!(text.contains("s3:Put*") && text.contains(DENY), "{text}");
}

/// A Sid is only a name: what we wrote is known by what it says.
#[test]
fn what_somebody_gave_another_sid_is_taken_away_all_the_same() {
    let before = document(&[DENY]);
    let after = added(&document(&[SPARING]), &allow("Ours", "s3:PutObject"));
    let live = after
        .replace("\"Ours\"", "\"Exports\"")
        .replace("OfficeOnly", "Office");
    let taken = revert(Some(&before), &after, &live).unwrap();
    assert_eq!(taken.taken, ["Ours", "OfficeOnly"]);
    assert_eq!(taken.left, Vec::<String>::new());
    assert_eq!(taken.text, Some(before.replace("OfficeOnly", "Office")));
    // Nothing but ours, and without a Sid.
    let after = new_document(&allow("Ours", "s3:PutObject"));
    let live = after.replace("\"Sid\": \"Ours\",", "");
    assert_ne!(live, after);
    assert_eq!(revert(None, &after, &live).unwrap().text, None);
}

/// The exemption goes, what somebody did to the rest of the Deny stays.
#[test]
fn an_exemption_is_taken_out_of_a_deny_that_somebody_altered_besides() {
    let before = document(&[DENY]);
    let after = document(&[SPARING]);
    for (theirs, own) in [
        ("203.0.113.0/24", "198.51.100.0/24"),
        (
            "\"203.0.113.0/24\"",
            "[\"203.0.113.0/24\", \"192.0.2.0/24\"]",
        ),
        ("\"s3:*\"", "[\"s3:Put*\", \"s3:Get*\"]"),
        (
            "\"Principal\": \"*\"",
            "\"Principal\": {\"AWS\": \"111111111111\"}",
        ),
    ] {
        let live = after.replace(theirs, own);
        assert_ne!(live, after);
        let taken = revert(Some(&before), &after, &live).unwrap();
        assert_eq!(taken.taken, ["OfficeOnly"], "{own}");
        assert_eq!(taken.left, Vec::<String>::new(), "{own}");
        assert_eq!(taken.text, Some(before.replace(theirs, own)));
    }
}

#[test]
fn an_exemption_that_was_the_whole_condition_goes_with_it() {
    let before = document(&[BARE]);
    let after = document(&[BARE_EXEMPTING]);
    let theirs = ("arn:aws:s3:::landing/*", "arn:aws:s3:::landing/in/*");
    let named = |text: &str| text.replace("{\"Effect\"", "{\"Sid\": \"Keep\", \"Effect\"");
    let (before, after) = (named(&before), named(&after));
    let live = after.replace(theirs.0, theirs.1);
    let taken = revert(Some(&before), &after, &live).unwrap();
    assert_eq!(taken.text, Some(before.replace(theirs.0, theirs.1)));
}

/// A value that was put into a list is taken out of what is a longer list by now.
#[test]
fn a_value_is_taken_out_of_a_list_that_others_widened() {
    let deny = |values: &str| {
        document(&[&format!(
            r#"{{"Sid": "Only", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::landing/*", "Condition": {{"ArnNotEquals": {{"aws:PrincipalArn": {values}}}}}}}"#
        )])
    };
    for (before, after, live, wanted) in [
        (
            r#""Q""#,
            r#"["Q", "R"]"#,
            r#"["Q", "R", "S"]"#,
            r#"["Q", "S"]"#,
        ),
        (r#"["Q"]"#, r#"["Q", "R"]"#, r#"["R", "S"]"#, r#"["S"]"#),
        // Theirs was taken away, so that one value is left of what was one value before.
        (r#""Q""#, r#"["Q", "R"]"#, r#"["R", "S"]"#, r#""S""#),
    ] {
        let taken = revert(Some(&deny(before)), &deny(after), &deny(live)).unwrap();
        assert_eq!(taken.left, Vec::<String>::new());
        assert_eq!(taken.text, Some(deny(wanted)), "{live}");
    }
    // Somebody took ours out of the list already.
    let live = deny(r#"["Q", "S"]"#);
    let taken = revert(Some(&deny(r#""Q""#)), &deny(r#"["Q", "R"]"#), &live).unwrap();
    assert_eq!(taken.text, Some(live));
    assert!(taken.taken.is_empty() && taken.left.is_empty(), "{taken:?}");
}

/// What we added stands no more, and its effect does: that is not gone.
#[test]
fn what_stands_in_other_words_is_left_and_told() {
    let before = document(&[DENY]);
    let after = added(&document(&[SPARING]), &allow("Ours", "s3:PutObject"));
    let describe = |live: &str| {
        let taken = revert(Some(&before), &after, live).unwrap();
        assert_eq!(taken.text.as_deref(), Some(live), "{live}");
        assert_eq!(taken.taken, Vec::<String>::new());
        taken.left
    };
    let of = |statement: &str| added(&before, statement);
    let exports = |action| allow("Exports", action);
    let word = ["the statement `Exports` grants some of what was added: it is left as it is"];
    for statement in [
        exports("s3:Put*"),
        exports("S3:PUTOBJECT").replace("landing/*", "*"),
        exports("s3:PutObject").replace("role/Exporter", "root"),
        exports("s3:*").replace(
            r#"{"AWS":"arn:aws:iam::111111111111:role/Exporter"}"#,
            r#""*""#,
        ),
        exports("s3:PutObject").replace(
            r#"/*"}"#,
            r#"/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}"#,
        ),
    ] {
        assert_eq!(describe(&of(&statement)), word, "{statement}");
    }
    for statement in [
        exports("s3:GetObject"),
        exports("s3:PutObject").replace("landing", "other"),
        exports("s3:PutObject").replace("role/Exporter", "role/Other"),
        exports("s3:PutObject").replace("Allow", "Deny"),
    ] {
        assert_eq!(
            describe(&of(&statement)),
            Vec::<String>::new(),
            "{statement}"
        );
    }
}

/// An exemption whose value somebody altered is not what we wrote.
#[test]
fn a_deny_that_holds_a_part_of_what_was_put_into_it_is_told() {
    let before = document(&[DENY]);
    let after = document(&[SPARING]);
    let live = after.replace(r#""false""#, r#"["false", "true"]"#);
    let taken = revert(Some(&before), &after, &live).unwrap();
    assert_eq!(taken.text, Some(live));
    assert_eq!(
        taken.left,
        ["the statement `OfficeOnly` was altered since: it is left as it is"]
    );
    // Another value in its place is nothing of ours.
    let live = after.replace(r#""false""#, r#""true""#);
    let taken = revert(Some(&before), &after, &live).unwrap();
    assert_eq!(taken.left, Vec::<String>::new());
}

#[test]
fn what_somebody_took_away_already_needs_no_word() {
    let before = document(&[DENY]);
    let after = added(&document(&[SPARING]), &allow("Ours", "s3:PutObject"));
    let taken = revert(Some(&before), &after, &before).unwrap();
    assert_eq!(taken.text.as_deref(), Some(before.as_str()));
    assert!(taken.taken.is_empty() && taken.left.is_empty(), "{taken:?}");
}

/// S3 and IAM may give a document back laid out anew.
#[test]
fn a_document_that_was_laid_out_anew_is_known_again() {
    let before = document(&[DENY, BARE]);
    let after = added(
        &document(&[SPARING, BARE_EXEMPTING]),
        &allow("Ours", "s3:PutObject"),
    );
    let value: serde_json::Value = serde_json::from_str(&after).unwrap();
    let theirs = allow("Theirs", "s3:GetObject");
    let live = added(&value.to_string(), &theirs);
    let text = revert(Some(&before), &after, &live).unwrap().text.unwrap();
    assert!(say_the_same(&text, &added(&before, &theirs)), "{text}");
    assert!(!text.contains("ViaAWSService"));
}

/// The samples' `kms:`, which is cut short, and what it is repaired to.
const CUT_SHORT: &str = r#"{ "Sid": "Use of the key", "Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "kms:", "Resource": "*" }"#;
const REPAIRED: &str = r#"{ "Sid": "Use of the key", "Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*" }"#;

/// A statement of somebody else's that was repaired is given back, with a Sid and without one.
#[test]
fn an_action_that_was_repaired_is_given_back() {
    let nameless = |text: &str| text.replace(r#""Sid": "Use of the key", "#, "");
    let both = [
        (CUT_SHORT.to_owned(), REPAIRED.to_owned()),
        (nameless(CUT_SHORT), nameless(REPAIRED)),
    ];
    for (was, wrote) in both {
        let (before, after) = (document(&[DENY, &was]), document(&[DENY, &wrote]));
        let taken = revert(Some(&before), &after, &after).unwrap();
        assert_eq!(taken.text.as_ref(), Some(&before));
        assert_eq!(taken.left, Vec::<String>::new());
        let theirs = allow("Theirs", "s3:GetObject");
        let taken = revert(Some(&before), &after, &added(&after, &theirs)).unwrap();
        assert_eq!(taken.text, Some(added(&before, &theirs)));
        // Somebody laid the document out anew.
        let value: serde_json::Value = serde_json::from_str(&after).unwrap();
        let live = added(&value.to_string(), &theirs);
        let text = revert(Some(&before), &after, &live).unwrap().text.unwrap();
        assert!(say_the_same(&text, &added(&before, &theirs)), "{text}");
        // Somebody gave the old text back already.
        let taken = revert(Some(&before), &after, &added(&before, &theirs)).unwrap();
        assert_eq!(taken.text, Some(added(&before, &theirs)));
        assert!(taken.taken.is_empty() && taken.left.is_empty(), "{taken:?}");
    }
}

const DEAD: &str = "AROASANDBOXGONE00000A";

#[test]
fn a_deleted_principal_is_never_put_back() {
    let stale =
        allow("Stale", "s3:GetObject").replace("arn:aws:iam::111111111111:role/Exporter", DEAD);
    let listed = r#"{"Sid":"Listed","Effect":"Deny","Principal":{"AWS":["AROASANDBOXGONE00000A","222222222222"]},"Action":"s3:*","Resource":"arn:aws:s3:::landing/*"}"#;
    let exempt = r#"{"Sid":"Listed","Effect":"Deny","Principal":{"AWS":["222222222222"]},"Action":"s3:*","Resource":"arn:aws:s3:::landing/*","Condition": { "Bool": { "aws:ViaAWSService": "false" } }}"#;
    let before = document(&[&stale, listed, BARE]);
    let after = added(&document(&[exempt, BARE]), &allow("Ours", "s3:PutObject"));
    let text = revert(Some(&before), &after, &after).unwrap().text.unwrap();
    let wanted = r#"{"Sid":"Listed","Effect":"Deny","Principal":{"AWS":["222222222222"]},"Action":"s3:*","Resource":"arn:aws:s3:::landing/*"}"#;
    assert_eq!(text, document(&[wanted, BARE]));
}

#[test]
fn a_list_that_was_put_around_a_lone_statement_goes_again() {
    let before = format!(r#"{{"Version":"2012-10-17","Statement":{DENY}}}"#);
    let after = added(&before, &allow("Ours", "s3:PutObject"));
    // Somebody gave the document an Id since.
    let with_id = |text: &str| text.replacen('{', "{\"Id\":\"x\",", 1);
    let taken = revert(Some(&before), &after, &with_id(&after)).unwrap();
    assert_eq!(taken.text, Some(with_id(&before)));
}

#[test]
fn an_edit_concerns_what_its_statements_are_about() {
    let before = document(&[BARE]);
    let ours = allow("Ours", "s3:PutObject").replace("landing/*", "landing/prod/*");
    let after = added(&before, &ours);
    assert!(concerns(
        Some(&before),
        &after,
        "arn:aws:s3:::landing/prod/AWSDynamoDB/x"
    ));
    assert!(!concerns(
        Some(&before),
        &after,
        "arn:aws:s3:::landing/test/AWSDynamoDB/x"
    ));
    // A Deny that was given an exemption is about all that it denies.
    let exempt = document(&[BARE_EXEMPTING]);
    assert!(concerns(
        Some(&before),
        &exempt,
        "arn:aws:s3:::landing/test/x"
    ));
}

/// Statements with Sids of their own, so that each is told from the others.
fn statements() -> impl Strategy<Value = Vec<String>> {
    let action = prop::sample::select(vec!["s3:GetObject", "s3:PutObjectTagging", "s3:ListBucket"]);
    let condition = prop::option::of(prop::sample::select(vec![
        r#"{"Bool":{"aws:SecureTransport":"true"}}"#,
        r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.0.2.0/24"]}}"#,
    ]));
    let one = (any::<bool>(), action, condition, any::<bool>());
    prop::collection::vec(one, 1..5).prop_map(|parts| {
        let numbered = parts.into_iter().enumerate();
        let statement = |(index, (is_deny, action, condition, has_sid))| {
            let effect = if is_deny { "Deny" } else { "Allow" };
            let sid = if has_sid {
                format!(r#""Sid": "S{index}", "#)
            } else {
                String::new()
            };
            let condition = match condition {
                Some(condition) => format!(r#", "Condition": {condition}"#),
                None => String::new(),
            };
            format!(
                r#"{{ {sid}"Effect": "{effect}", "Principal": {{"AWS": "222222222222"}}, "Action": "{action}", "Resource": "arn:aws:s3:::landing/{index}/*"{condition} }}"#
            )
        };
        numbered.map(statement).collect()
    })
}

/// A document of statements in one of the layouts that are seen in the wild.
fn laid_out(statements: &[String], layout: u8) -> String {
    match (layout, statements) {
        (0, [lone]) => format!(r#"{{"Statement": {lone}, "Version": "2012-10-17"}}"#),
        (0 | 1, _) => format!(
            r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
            statements.join(",")
        ),
        (2, _) => format!(
            "{{\n\t\"Version\": \"2012-10-17\",\n\t\"Statement\": [\n\t\t{}\n\t]\n}}\n",
            statements.join(",\n\t\t")
        ),
        _ => format!(
            "{{ \"Version\": \"2012-10-17\",\r\n  \"Id\": \"x\", \"Statement\": [ {} ]}}",
            statements.join(" , ")
        ),
    }
}

proptest! {
    #[test]
    fn undoing_at_once_gives_the_bytes_back(
        statements in statements(),
        layout in 0..4_u8,
        count in 1..4_usize,
    ) {
        let before = laid_out(&statements, layout);
        let mut after = before.clone();
        for index in 0..count {
            after = added(&after, &allow(&format!("Ours{index}"), "s3:PutObject*").replace("landing", &format!("b{index}")));
        }
        let taken = revert(Some(&before), &after, &after).unwrap();
        prop_assert_eq!(taken.text, Some(before));
        prop_assert_eq!(taken.left, Vec::<String>::new());
    }

    /// Others add a statement, and take one of theirs away, before we undo.
    #[test]
    fn what_others_did_meanwhile_stays(
        statements in statements(),
        layout in 0..4_u8,
        takes_first in any::<bool>(),
    ) {
        let before = laid_out(&statements, layout);
        let after = added(&before, &allow("Ours", "s3:PutObject"));
        let theirs = allow("Theirs", "s3:AbortMultipartUpload");
        let mut live = added(&after, &theirs);
        let mut expected = added(&before, &theirs);
        if takes_first && statements[0].contains("\"S0\"") {
            live = remove_statement(&live, "S0").unwrap().text;
            expected = remove_statement(&expected, "S0").unwrap().text;
        }
        let text = revert(Some(&before), &after, &live).unwrap().text.unwrap();
        prop_assert!(say_the_same(&text, &expected), "{text}\n{expected}");
        // Every statement that is not ours keeps its bytes.
        let document = Document::parse(&live).unwrap();
        for statement in document.statements() {
            if statement.label(0) != "Ours" {
                prop_assert!(text.contains(slice(&live, statement.span)), "{text}");
            }
        }
    }
}

/// What one step of an edit of ours does.
#[derive(Debug, Clone)]
enum Step {
    Statement,
    Exemption(&'static str, &'static str, &'static str),
    Action,
    Resource,
    Principal,
}

fn steps() -> impl Strategy<Value = Vec<(Step, prop::sample::Index)>> {
    let step = prop::sample::select(vec![
        Step::Statement,
        Step::Exemption("Bool", "aws:ViaAWSService", "false"),
        Step::Exemption(
            "ArnNotEquals",
            "aws:PrincipalArn",
            "arn:aws:iam::111111111111:role/Exporter",
        ),
        Step::Exemption("NotIpAddress", "aws:SourceIp", "198.51.100.7/32"),
        Step::Action,
        Step::Resource,
        Step::Principal,
    ]);
    prop::collection::vec((step, any::<prop::sample::Index>()), 1..5)
}

/// The document after a step, and the index of the statement that it altered; `None` where the document
/// says it already, or cannot be given it.
fn take(text: &str, step: &Step, at: usize, count: usize) -> Option<(String, usize)> {
    let text = match step {
        Step::Statement => {
            let ours = allow(&format!("Ours{count}"), "s3:PutObject*");
            let ours = ours.replace("landing", &format!("b{count}"));
            return Some((added(text, &ours), usize::MAX));
        }
        Step::Exemption(operator, key, value) => {
            add_condition(text, at, operator, key, value).ok()?
        }
        Step::Action => add_value(text, at, &List::Actions, "s3:GetObjectTagging").ok()?,
        Step::Resource => {
            add_value(text, at, &List::Resources, "arn:aws:s3:::landing/in/*").ok()?
        }
        Step::Principal => {
            let of_kind = List::Principals(PrincipalKind::Aws);
            add_value(
                text,
                at,
                &of_kind,
                "arn:aws:iam::111111111111:role/Exporter",
            )
            .ok()?
        }
    };
    Some((text, at))
}

/// Statements as somebody may have written them: escapes, a value spelled twice, keys in any order.
fn odd(statements: &[String], is_odd: bool) -> Vec<String> {
    let dress = |text: &String| {
        let odd = text
            .replace(
                "\"s3:GetObject\"",
                "[ \"s3\\u003aGetObject\",\t\"S3:GETOBJECT\" ]",
            )
            .replace("\"222222222222\"", "[\"222222222222\" ]")
            .replace("\"Bool\":", "\"bool\" :");
        if is_odd { odd } else { text.clone() }
    };
    statements.iter().map(dress).collect()
}

proptest! {
    /// Statements, exemptions and values are put in; the rest keeps its bytes, the document stays one,
    /// and reverting gives the bytes back.
    #[test]
    fn what_is_put_in_and_reverted_leaves_every_byte(
        statements in statements(),
        layout in 0..4_u8,
        is_odd in any::<bool>(),
        steps in steps(),
    ) {
        let before = laid_out(&odd(&statements, is_odd), layout);
        let old = Document::parse(&before).unwrap();
        let mut after = before.clone();
        let mut touched = Vec::new();
        for (count, (step, at)) in steps.iter().enumerate() {
            let at = at.index(old.statements().len());
            if let Some((text, at)) = take(&after, step, at, count) {
                after = text;
                touched.push(at);
            }
        }
        let new = Document::parse(&after).unwrap();
        for (at, statement) in old.statements().iter().enumerate() {
            let now = &new.statements()[at];
            if touched.contains(&at) {
                prop_assert_eq!(statement.label(at), now.label(at));
            } else {
                prop_assert_eq!(slice(&before, statement.span), slice(&after, now.span));
            }
        }
        let taken = revert(Some(&before), &after, &after).unwrap();
        prop_assert_eq!(taken.text.as_ref(), Some(&before));
        // Somebody gave the document an Id and another statement since.
        let theirs = allow("Theirs", "s3:AbortMultipartUpload");
        let since = |text: &str| added(&text.replacen('{', "{\"Id\":\"y\",", 1).replace("\"Id\": \"x\", ", ""), &theirs);
        let taken = revert(Some(&before), &after, &since(&after)).unwrap();
        prop_assert_eq!(taken.left, Vec::<String>::new());
        let text = taken.text.unwrap();
        prop_assert!(say_the_same(&text, &since(&before)), "{text}\n{}", since(&before));
        let document = Document::parse(&text).unwrap();
        for (at, statement) in old.statements().iter().enumerate() {
            prop_assert_eq!(slice(&before, statement.span), slice(&text, document.statements()[at].span));
        }
    }

    /// An exempt Deny no longer hits what it exempts, and hits the rest as before.
    #[test]
    fn an_exemption_exempts_just_what_it_names(condition in 0..4_usize, is_list in any::<bool>()) {
        const OURS: &str = "arn:aws:iam::111111111111:role/Exporter";
        const OTHER: &str = "arn:aws:iam::111111111111:role/Other";
        let value = if is_list { r#"["arn:aws:iam::111111111111:role/Admin"]"# } else { r#""arn:aws:iam::111111111111:role/Admin""# };
        let condition = [
            String::new(),
            r#", "Condition": {}"#.to_owned(),
            format!(r#", "Condition": {{"arnnotlike": {{"AWS:PrincipalArn": {value}}}}}"#),
            r#", "Condition": {"StringLike": {"aws:userid": "*"}}"#.to_owned(),
        ][condition].clone();
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},
            {{"Sid":"Guard","Effect":"Deny","Action":"s3:*","Resource":"*"{condition}}}]}}"#
        );
        let after = add_condition(&text, 1, "ArnNotEquals", "aws:PrincipalArn", OURS).unwrap();
        let decide = |text: &str, caller: &str| {
            let mut context = Context::default();
            context.set("aws:PrincipalArn", caller.to_owned());
            context.set("aws:userid", "AROAEXAMPLEEXAMPLE001:pat".to_owned());
            let request = Request {
                principal: Principal::parse(caller).unwrap(),
                action: "s3:PutObject",
                resource: "arn:aws:s3:::landing/x",
                resource_account: "111111111111",
                context: &context,
            };
            let document = Document::parse(text).unwrap();
            let policies = Policies { identity: vec![Named::new("p", document)], ..Policies::default() };
            evaluate(&request, &policies).decision
        };
        prop_assert_eq!(decide(&text, OURS), Decision::ExplicitDeny);
        prop_assert_eq!(decide(&after, OURS), Decision::Allowed);
        prop_assert_eq!(decide(&text, OTHER), Decision::ExplicitDeny);
        prop_assert_eq!(decide(&after, OTHER), Decision::ExplicitDeny);
    }
}

/// A repair in place: what is cut short gives way to what was meant.
#[test]
fn a_value_that_was_put_in_the_place_of_another_gives_it_back() {
    let cut_short = r#"{"Sid": "Use", "Effect": "Allow", "Principal": "*", "Action": ["kms:", "kms:Encrypt"], "Resource": "*"}"#;
    let before = document(&[cut_short, DENY]);
    let after = add_value(&before, 0, &List::Actions, "kms:Decrypt").unwrap();
    let after = remove_value(&after, 0, &List::Actions, "kms:").unwrap();
    assert!(
        after.contains(r#"["kms:Encrypt", "kms:Decrypt"]"#),
        "{after}"
    );
    let theirs = allow("Theirs", "s3:GetObject");
    let taken = revert(Some(&before), &after, &added(&after, &theirs)).unwrap();
    assert_eq!(taken.text, Some(added(&before, &theirs)));
    assert_eq!(taken.taken, ["Use"]);
    // Somebody put an action more into it since: that stays.
    let live = add_value(&after, 0, &List::Actions, "kms:Sign").unwrap();
    let text = revert(Some(&before), &after, &live).unwrap().text.unwrap();
    assert!(
        text.contains(r#"["kms:Encrypt", "kms:Sign", "kms:"]"#),
        "{text}"
    );
}

const OTHER: &str = "arn:aws:iam::111111111111:role/Other";

fn deny_of(principals: &str) -> String {
    format!(
        r#"{{"Sid":"NotThese","Effect":"Deny","Principal":{{"AWS":{principals}}},"Action":"s3:*","Resource":"arn:aws:s3:::landing/*"}}"#
    )
}

#[test]
fn a_live_principal_that_was_taken_out_is_put_back() {
    let both = deny_of(&format!(
        r#"["arn:aws:iam::111111111111:role/Exporter","{OTHER}"]"#
    ));
    let before = document(&[&both, BARE]);
    let list = List::Principals(PrincipalKind::Aws);
    let exporter = "arn:aws:iam::111111111111:role/Exporter";
    let after = remove_value(&before, 0, &list, exporter).unwrap();
    let taken = revert(Some(&before), &after, &after).unwrap();
    assert_eq!(taken.text.as_deref(), Some(before.as_str()));
    assert_eq!(taken.taken, ["NotThese"]);
    let theirs = allow("Theirs", "s3:GetObject");
    let taken = revert(Some(&before), &after, &added(&after, &theirs)).unwrap();
    assert_eq!(taken.text, Some(added(&before, &theirs)));
}

#[test]
fn a_statement_that_was_taken_out_is_put_back_once() {
    let deny = deny_of(r#""arn:aws:iam::111111111111:role/Exporter""#);
    let before = document(&[&deny, BARE]);
    let after = document(&[BARE]);
    let taken = revert(Some(&before), &after, &after).unwrap();
    assert_eq!(taken.text.as_deref(), Some(before.as_str()));
    assert_eq!(taken.taken, ["NotThese"]);
    // What others added since stays, and the statement stands behind it.
    let live = added(&after, &allow("Theirs", "s3:GetObject"));
    let text = revert(Some(&before), &after, &live).unwrap().text.unwrap();
    let labels = |text: &str| -> Vec<String> {
        let document = Document::parse(text).unwrap();
        let statements = document.statements().iter().enumerate();
        statements.map(|(at, one)| one.label(at)).collect()
    };
    assert_eq!(labels(&text), ["#0", "Theirs", "NotThese"]);
    assert!(text.contains(&deny), "{text}");
    // Somebody put it back already.
    let put_back = added(&live, &deny);
    let reverted = revert(Some(&before), &after, &put_back).unwrap();
    assert_eq!(reverted.text, Some(put_back));
    assert_eq!(reverted.taken, Vec::<String>::new());
}
