//! What holds for every plan and for every text.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::*;
use super::{WHOLE, now, parse};

fn sign_in() -> impl Strategy<Value = SignIn> {
    (
        "[^\\s\\pC][^\\pC]{0,8}[^\\s\\pC]",
        option::of(select(vec!["eu-west-1", "us-east-1", "ap-southeast-2"])),
        option::of("[A-Za-z0-9_+=,.@-]{1,20}"),
        option::of("[A-Za-z0-9_+=,.@:/-]{2,40}"),
        option::of("[A-Za-z0-9_+=,.@-]{2,64}"),
        option::of("[A-Za-z0-9_+=,.@-]{2,64}"),
        option::of(900..=43_200_u32),
        option::of("[A-Za-z0-9_+=/:,.@-]{9,40}"),
    )
        .prop_map(
            |(profile, region, role, external_id, session_name, source_identity, seconds, mfa)| {
                SignIn {
                    profile,
                    region: region.map(|region| region.parse().unwrap()),
                    role: role.map(|name| {
                        Arn::iam(
                            tableferry_policy::arn::Partition::Aws,
                            &"111111111111".parse().unwrap(),
                            format!("role/{name}"),
                        )
                    }),
                    external_id,
                    session_name,
                    source_identity,
                    duration_seconds: seconds,
                    mfa_serial: mfa,
                }
            },
        )
}

fn past() -> impl Strategy<Value = Timestamp> {
    (0_i64..40 * 86_400_000).prop_map(|age| now() - SignedDuration::from_millis(age))
}

fn span() -> impl Strategy<Value = Span> {
    let incremental = (
        past(),
        15_i64 * 60..=86_400,
        select(vec![View::NewImage, View::NewAndOldImages]),
    )
        .prop_map(|(to, length, view)| Span::Incremental {
            from: to - SignedDuration::from_secs(length),
            to,
            view,
        });
    prop_oneof![
        option::of(past()).prop_map(|time| Span::Full { time }),
        incremental
    ]
}

fn attribute_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<String>().prop_map(|text| serde_json::json!({ "S": text })),
        any::<i64>().prop_map(|number| serde_json::json!({ "N": number.to_string() })),
        any::<bool>().prop_map(|value| serde_json::json!({ "BOOL": value })),
        Just(serde_json::json!({ "NULL": true })),
        Just(serde_json::json!({ "B": "3q2+7w==" })),
        Just(serde_json::json!({ "NS": ["1", "2.5"] })),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|items| serde_json::json!({ "L": items })),
            btree_map(any::<String>(), inner, 0..3)
                .prop_map(|members| serde_json::json!({ "M": members })),
        ]
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    (
        btree_map("[a-z0-9_]{1,6}", "\\PC{1,12}", 1..4),
        btree_map("[a-z0-9_]{1,6}", attribute_value(), 0..4),
        any::<bool>(),
    )
        .prop_map(|(names, values, has_projection)| {
            let names: BTreeMap<_, _> = names
                .into_iter()
                .map(|(n, a)| (format!("#{n}"), a))
                .collect();
            let values: BTreeMap<_, _> = values
                .into_iter()
                .map(|(n, v)| (format!(":{n}"), v))
                .collect();
            let tokens: Vec<&str> = names.keys().map(String::as_str).collect();
            let uses = values.keys().map(|value| format!("size({value}) > attr"));
            let expression: Vec<String> = uses.collect();
            let projection = tokens.join(", ");
            Filter {
                key_condition: (!has_projection).then(|| format!("pk = {}", tokens.join("."))),
                expression: (!expression.is_empty()).then(|| expression.join(" AND ")),
                projection: has_projection.then_some(projection),
                names,
                values,
            }
        })
}

fn table_jobs() -> impl Strategy<Value = Vec<TableJob>> {
    let table = prop_oneof![
        "[A-Za-z0-9_.-]{3,20}".prop_map(TableRef::Name),
        "[A-Za-z0-9_.-]{3,20}".prop_map(|name| {
            let arn = format!("arn:aws:dynamodb:eu-west-3:111111111111:table/{name}");
            TableRef::Arn(arn.parse().unwrap())
        }),
    ];
    let job = (
        table,
        select(vec![Format::DynamoDbJson, Format::Ion]),
        span(),
        option::of(filter()),
    )
        .prop_map(|(table, format, span, filter)| TableJob {
            table,
            format,
            span,
            filter,
        });
    vec(job, 1..4).prop_map(|mut jobs| {
        let mut seen: Vec<String> = Vec::new();
        jobs.retain(|job| {
            let name = job.table.name().to_owned();
            let is_new = !seen.contains(&name);
            seen.push(name);
            is_new
        });
        jobs
    })
}

fn selectors() -> impl Strategy<Value = Vec<TableSelector>> {
    let selector = (
        "[a-zA-Z0-9_.-]{0,8}[*?][a-zA-Z0-9_.*?-]{0,8}",
        select(vec![Format::DynamoDbJson, Format::Ion]),
        span(),
        option::of(filter()),
    )
        .prop_map(|(pattern, format, span, filter)| TableSelector {
            tables: Selected::Pattern(pattern.parse().unwrap()),
            format,
            span: SpanChoice::from(&span),
            filter,
        });
    vec(selector, 0..3)
}

fn plan() -> impl Strategy<Value = Plan> {
    let encryption = prop_oneof![
        Just(Encryption::Aes256),
        option::of("[a-z/0-9-]{1,30}").prop_map(|key| Encryption::Kms {
            key: key.map(|key| key.parse().unwrap())
        }),
    ];
    let destination = (
        option::of(sign_in()),
        "[a-z0-9][a-z0-9._-]{1,30}[a-z0-9]",
        option::of("[0-9]{12}"),
        option::of("[^\\pC]{0,12}[^\\pC/]"),
    )
        .prop_map(|(sign_in, bucket, owner, prefix)| Destination {
            sign_in,
            bucket: bucket.parse().unwrap(),
            owner: owner.map(|owner| owner.parse().unwrap()),
            prefix: prefix.map(|prefix| prefix.parse().unwrap()),
        });
    let tables = (table_jobs(), selectors());
    (sign_in(), destination, encryption, tables).prop_map(
        |(sign_in, destination, encryption, (tables, selectors))| Plan {
            kind: Kind::Export,
            source: Source { sign_in },
            destination,
            encryption,
            mask: None,
            tables,
            selectors,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_plan_that_is_written_is_read_as_the_same_plan(plan in plan()) {
        let text = plan.to_toml();
        match parse(&text) {
            Ok(read) => prop_assert_eq!(read, plan),
            Err(violations) => prop_assert!(false, "{}\n{}", violations, text),
        }
    }

    #[test]
    fn a_request_is_kept_word_for_word_in_json(plan in plan()) {
        for job in &plan.tables {
            let arn = plan.table_arn(job, &"111111111111".parse().unwrap(), &"eu-west-1".parse().unwrap());
            let request = plan.request(job, arn, None, "token".to_owned());
            let kept = serde_json::to_string(&request).unwrap();
            let read: ExportRequest = serde_json::from_str(&kept).unwrap();
            prop_assert_eq!(read, request);
        }
    }

    #[test]
    fn a_damaged_plan_is_refused_at_a_place_that_exists(
        damage in vec((any::<Index>(), any::<Index>(), "\\PC{0,3}|[\\x00-\\x1f\"'\\[\\]{}=#]"), 1..4),
    ) {
        let mut text = WHOLE.to_owned();
        for (from, length, patch) in damage {
            let start = text.floor_char_boundary(from.index(text.len()));
            let end = text.floor_char_boundary((start + length.index(12)).min(text.len()));
            text.replace_range(start..end.max(start), &patch);
        }
        if let Err(violations) = parse(&text) {
            prop_assert!(!violations.is_empty());
            let lines = u32::try_from(text.split('\n').count()).unwrap();
            for violation in &violations {
                prop_assert!((1..=lines).contains(&violation.line));
                prop_assert!(violation.column >= 1);
                prop_assert!(!violation.hint.is_empty());
                prop_assert!(!violation.to_string().contains(char::from(0x1b)));
            }
        }
    }

    #[test]
    fn no_text_whatever_makes_the_reader_panic(text in "\\PC{0,60}|(\\[\\[?[a-z]{1,8}\\]?\\]?\n?|[a-z]{1,6} ?= ?[^\n]{0,9}\n){0,9}") {
        let _ = parse(&text);
    }
}
