//! Properties of the policy room over many random cases.

#![expect(
    clippy::unwrap_used,
    reason = "a test may fail where it stands, also in the functions that build its cases"
)]

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use tableferry_policy::document::Document;
use tableferry_policy::edit::{Added, EditError, add_statement, diff, remove_statement};
use tableferry_policy::evaluate::{
    Context, Decision, Evaluation, Named, Policies, Principal, Request, evaluate,
};
use tableferry_policy::lint::{DocumentKind, lint};
use tableferry_policy::simulate::simulate_line;

const KEYS: [&str; 4] = [
    "aws:SourceVpce",
    "aws:username",
    "s3:max-keys",
    "aws:CalledVia",
];
const VALUES: [&str; 10] = [
    "a",
    "b",
    "ab",
    "abc",
    "10",
    "11",
    "true",
    "x*",
    "",
    "arn:aws:s3:::b/a",
];

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(texts).prop_map(str::to_owned)
}

fn wanted() -> impl Strategy<Value = String> {
    one_of(&[
        "a",
        "b",
        "ab",
        "a*",
        "*b",
        "a?",
        "?b*",
        "10",
        "11",
        "true",
        "*",
        "${aws:username}",
        "${aws:SourceVpce}b",
        "${aws:PrincipalTag/t, 'ab'}",
        "${*}",
        "arn:aws:s3:::*",
    ])
}

fn condition() -> impl Strategy<Value = (String, String, Value)> {
    let operator = one_of(&[
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "StringEqualsIfExists",
        "StringNotLikeIfExists",
        "NumericEquals",
        "NumericLessThan",
        "NumericGreaterThanEquals",
        "Bool",
        "ArnLike",
        "ArnNotEquals",
        "Null",
        "ForAnyValue:StringEquals",
        "ForAllValues:StringLike",
        "ForAllValues:StringNotEquals",
        "ForAnyValue:StringNotLike",
    ]);
    let values = proptest::collection::vec(wanted(), 1..3);
    (operator, proptest::sample::select(&KEYS[..]), values).prop_map(|(operator, key, values)| {
        let values = if operator == "Null" {
            json!(["true"])
        } else {
            json!(values)
        };
        (operator, key.to_owned(), values)
    })
}

fn statement(effect: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let resource = one_of(&[
        "*",
        "arn:aws:s3:::b/*",
        "arn:aws:s3:::b/a",
        "arn:aws:s3:::b/${aws:username}",
        "arn:aws:s3:::b/${aws:SourceVpce}*",
        "arn:aws:s3:::c/*",
    ]);
    let conditions = proptest::collection::vec(condition(), 0..3);
    let action = one_of(&["s3:*", "s3:PutObject", "*", "s3:Get*", "kms:*"]);
    (
        one_of(effect),
        action,
        resource,
        any::<[bool; 2]>(),
        conditions,
    )
        .prop_map(
            |(effect, action, resource, [not_action, not_resource], conditions)| {
                let mut statement = json!({"Effect": effect});
                statement[if not_action { "NotAction" } else { "Action" }] = json!(action);
                statement[if not_resource {
                    "NotResource"
                } else {
                    "Resource"
                }] = json!([resource]);
                for (operator, key, values) in conditions {
                    statement["Condition"][operator][key] = values;
                }
                statement
            },
        )
}

const BOTH: &[&str] = &["Allow", "Allow", "Deny"];

fn statements() -> impl Strategy<Value = Vec<Value>> {
    proptest::collection::vec(statement(BOTH), 1..4)
}

fn document(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn context() -> impl Strategy<Value = Vec<Option<String>>> {
    proptest::collection::vec(proptest::option::of(one_of(&VALUES)), KEYS.len())
}

fn known(values: &[Option<String>]) -> Context {
    let mut context = Context::default();
    for (key, value) in KEYS.iter().zip(values) {
        if let Some(value) = value {
            context.set(key, value.clone());
        }
    }
    context
}

fn judge(identity: &str, boundary: Option<&str>, context: &Context) -> Evaluation {
    let named = |text| Named::new("p", Document::parse(text).unwrap());
    let policies = Policies {
        identity: vec![named(identity)],
        boundary: boundary.map(named),
        ..Policies::default()
    };
    let request = Request {
        principal: Principal::parse("arn:aws:iam::111111111111:user/ann").unwrap(),
        action: "s3:PutObject",
        resource: "arn:aws:s3:::b/a",
        resource_account: "111111111111",
        context,
    };
    evaluate(&request, &policies)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn printing_what_was_parsed_keeps_the_meaning(statements in statements(), values in context()) {
        let text = document(&statements);
        let value: Value = serde_json::from_str(&text).unwrap();
        let printed = serde_json::to_string_pretty(&value).unwrap();
        let context = known(&values);
        prop_assert_eq!(judge(&text, None, &context).decision, judge(&printed, None, &context).decision);
    }

    #[test]
    fn adding_a_deny_never_allows_more(
        statements in statements(), more in statement(&["Deny"]), values in context(),
    ) {
        let context = known(&values);
        let before = judge(&document(&statements), None, &context).decision;
        let mut longer = statements;
        longer.push(more);
        let after = judge(&document(&longer), None, &context).decision;
        prop_assert!(after == before || after == Decision::ExplicitDeny);
    }

    #[test]
    fn adding_an_allow_never_allows_less(
        statements in statements(), more in statement(&["Allow"]), values in context(),
    ) {
        let context = known(&values);
        let before = judge(&document(&statements), None, &context).decision;
        let mut longer = statements;
        longer.push(more);
        let after = judge(&document(&longer), None, &context).decision;
        prop_assert!(after == before || (before == Decision::ImplicitDeny && after == Decision::Allowed));
    }

    /// Every value that the unknown keys could hold leads to one of the answers reported, and every
    /// answer reported is reached by the values given with it.
    #[test]
    fn depends_is_sound_and_its_examples_are_real(
        identity in statements(), boundary in proptest::option::of(statements()), values in context(),
        unknown in proptest::sample::subsequence(vec![0_usize, 1, 2, 3], 1..3),
    ) {
        let identity = document(&identity);
        let boundary = boundary.map(|statements| document(&statements));
        let mut context = known(&values);
        for at in &unknown {
            context.set_unknown(KEYS[*at]);
        }
        let told = judge(&identity, boundary.as_deref(), &context);
        let possible: BTreeSet<Decision> = match told.decision {
            Decision::Depends if !told.is_exhaustive => [Decision::Allowed, Decision::ExplicitDeny, Decision::ImplicitDeny].into(),
            Decision::Depends => told.outcomes.iter().map(|outcome| outcome.decision).collect(),
            sure => [sure].into(),
        };
        let assumed = |choice: &[Option<Vec<String>>]| {
            let mut assumed = known(&values);
            for (at, value) in unknown.iter().zip(choice) {
                match value {
                    None => assumed.remove(KEYS[*at]),
                    Some(values) => assumed.set_all(KEYS[*at], values.clone()),
                }
            }
            judge(&identity, boundary.as_deref(), &assumed).decision
        };
        let universe: Vec<Vec<Option<Vec<String>>>> = unknown.iter().map(|at| {
            let mut all: Vec<Option<Vec<String>>> = vec![None];
            all.extend(VALUES.iter().map(|value| Some(vec![(*value).to_owned()])));
            all.extend(["aab", "9", "10.5", "false", "AB", "zz"].map(|value| Some(vec![value.to_owned()])));
            if KEYS[*at] == "aws:CalledVia" {
                all.extend([["a", "b"], ["ab", "zz"], ["b", "zz"]].map(|list| Some(list.map(str::to_owned).to_vec())));
            }
            all
        }).collect();
        let others = universe.get(1).cloned().unwrap_or_else(|| vec![None]);
        for first in &universe[0] {
            for second in &others {
                let found = assumed(&[first.clone(), second.clone()]);
                prop_assert!(possible.contains(&found), "{found:?} at {first:?} {second:?}: {told:?}");
            }
        }
        for outcome in &told.outcomes {
            let mut exact = known(&values);
            for at in &unknown {
                exact.remove(KEYS[*at]);
            }
            for (key, value) in &outcome.when {
                if let Some(values) = value {
                    exact.set_all(key, values.clone());
                }
            }
            prop_assert_eq!(judge(&identity, boundary.as_deref(), &exact).decision, outcome.decision);
        }
    }

    #[test]
    fn adding_then_removing_gives_back_every_byte(
        statements in statements(), mut new in statement(&["Allow"]), layout in 0..4_u8, values in context(),
    ) {
        new["Sid"] = json!("TableferryExport");
        let value = json!({"Version": "2012-10-17", "Statement": statements});
        let text = match layout {
            0 => value.to_string(),
            1 => serde_json::to_string_pretty(&value).unwrap(),
            2 => format!(" {}\n", value.to_string().replace(",{\"Effect", " ,\n\t{\"Effect")),
            _ => json!({"Statement": statements[0], "Version": "2012-10-17"}).to_string(),
        };
        let context = known(&values);
        match add_statement(&text, &new.to_string()) {
            Ok(Added::Inserted { text: longer }) => {
                let removed = remove_statement(&longer, "TableferryExport").unwrap();
                prop_assert_eq!(&removed.text, &text);
                prop_assert!(diff(&text, &longer).contains("TableferryExport"));
                // Nothing but what the new statement allows has changed.
                let (before, after) = (judge(&text, None, &context).decision, judge(&longer, None, &context).decision);
                let alone = judge(&document(&[new]), None, &context).decision;
                prop_assert!(after == before || (alone == Decision::Allowed && after == Decision::Allowed));
                let again = add_statement(&longer, &longer_statement(&longer));
                prop_assert!(matches!(again, Ok(Added::AlreadyGranted { .. })), "{again:?}");
            }
            Ok(Added::AlreadyGranted { .. }) => {
                let alone = judge(&document(&[new]), None, &context).decision;
                let before = judge(&text, None, &context).decision;
                prop_assert!(alone != Decision::Allowed || before != Decision::ImplicitDeny);
            }
            Err(error) => prop_assert!(matches!(error, EditError::Conflict { .. }), "{error}"),
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}", line in "[\\[\\]{}:,\"a-zA-Z0-9*$.\\\\ ]{0,200}") {
        for text in [&text, &line] {
            let _ = Document::parse(text);
            let _ = simulate_line(text, &mut String::new());
            for (_, kind) in DocumentKind::NAMES {
                let _ = lint(text, kind);
            }
            let _ = add_statement(text, text);
            let _ = diff(text, &line);
        }
    }

    #[test]
    fn no_broken_document_makes_it_panic(statements in statements(), cut in 0..400_usize, put in "[\\[\\]{}\",:*$]{0,2}") {
        let mut text = document(&statements);
        let at = cut.min(text.len());
        if text.is_char_boundary(at) {
            text.insert_str(at, &put);
        }
        let _ = Document::parse(&text);
        for (_, kind) in DocumentKind::NAMES {
            let _ = lint(&text, kind);
        }
        let _ = remove_statement(&text, "a");
    }
}

/// The statement that was added, as it stands in the document.
fn longer_statement(document: &str) -> String {
    let value: Value = serde_json::from_str(document).unwrap();
    value["Statement"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .to_string()
}
