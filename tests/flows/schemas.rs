//! The schemas in docs/schemas, held against what the commands print, and docs/json.md against the schemas.

use std::path::Path;

use rstest::rstest;
use serde_json::Value;

use crate::program::{Ended, Home};

fn schema(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What of a value breaks a schema, in the words of JSON Schema that ours use.
fn faults(value: &Value, schema: &Value, place: &str) -> Vec<String> {
    if let Some(options) = schema["anyOf"].as_array() {
        // An event has one schema; its own faults say more than that none of all fits.
        let own = options
            .iter()
            .find(|option| option["properties"]["event"]["const"] == value["event"]);
        return match own {
            Some(own) => faults(value, own, place),
            None => vec![format!(
                "{place}: no schema for the event {}",
                value["event"]
            )],
        };
    }
    let mut found = Vec::new();
    if let Some(wanted) = schema.get("const")
        && value != wanted
    {
        found.push(format!("{place}: {value} is not {wanted}"));
    }
    if let Some(wanted) = schema["enum"].as_array()
        && !wanted.contains(value)
    {
        found.push(format!("{place}: {value} is not among {wanted:?}"));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.is_empty() && !types.iter().any(|wanted| is_a(value, wanted)) {
        found.push(format!("{place}: {value} is none of {types:?}"));
    }
    if let (Some(members), Some(known)) = (value.as_object(), schema["properties"].as_object()) {
        for required in schema["required"].as_array().into_iter().flatten() {
            if !members.contains_key(required.as_str().unwrap()) {
                found.push(format!("{place}: {required} is missing"));
            }
        }
        for (name, member) in members {
            match known.get(name) {
                Some(schema) => found.extend(faults(member, schema, &format!("{place}.{name}"))),
                None => found.push(format!("{place}: `{name}` is not in the schema")),
            }
        }
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        for (index, item) in items.iter().enumerate() {
            found.extend(faults(item, schema, &format!("{place}[{index}]")));
        }
    }
    found
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// What a command prints fits its schema; `events` are seen among it, so that the test is about something.
#[track_caller]
fn fits(home: &Home, name: &str, arguments: &[&str], events: &[&str]) {
    let arguments = [arguments, &["--output", "json"]].concat();
    let ended = Ended::of(home.sandbox(&arguments).current_dir(home.path()));
    let schema = schema(name);
    let objects = ended.objects();
    let wrong: Vec<String> = objects
        .iter()
        .flat_map(|object| faults(object, &schema, name))
        .collect();
    assert!(wrong.is_empty(), "{arguments:?}\n{}", wrong.join("\n"));
    for event in events {
        let is_seen = objects.iter().any(|object| object["event"] == **event);
        assert!(is_seen, "no {event} of {arguments:?}: {ended:?}");
    }
}

#[test]
fn what_a_run_prints_fits_its_schema_from_the_check_to_the_list() {
    let home = Home::new();
    let plan = include_str!("../../assets/plans/no-grant.toml");
    home.write("plan.toml", plan);
    fits(
        &home,
        "check",
        &["check", "plan.toml"],
        &["identity", "verdict", "remedy", "checked"],
    );
    fits(
        &home,
        "run",
        &["run", "plan.toml", "--yes"],
        &["verdict", "error", "finished"],
    );
    let apply = ["apply", "plan.toml", "--yes", "--allow", "bucket-policy"];
    fits(
        &home,
        "apply",
        &apply,
        &["proposal", "applied", "held", "checked"],
    );
    let events = ["identity", "start_summary", "run", "export", "finished"];
    fits(&home, "run", &["run", "plan.toml", "--yes"], &events);
    fits(&home, "run", &["resume"], &["finished"]);
    fits(&home, "exports", &["exports"], &["export", "finished"]);
    fits(
        &home,
        "archive",
        &["verify", "1", "--deep"],
        &["estimated", "archive", "finished"],
    );
    fits(
        &home,
        "archive",
        &["fetch", "1", "copies"],
        &["archive", "finished"],
    );
}

#[rstest]
#[case::profiles("profiles", &["profiles"], &["profile"])]
#[case::config("config", &["config", "--show"], &["configuration", "setting"])]
#[case::doctor("doctor", &["doctor"], &[])]
#[case::a_plan_that_is_not_there("run", &["run", "no.toml"], &["error", "finished"])]
fn what_a_command_prints_fits_its_schema(
    #[case] name: &str,
    #[case] arguments: &[&str],
    #[case] events: &[&str],
) {
    fits(&Home::new(), name, arguments, events);
}

#[test]
fn a_value_that_breaks_a_schema_is_told() {
    let schema = schema("doctor");
    let value = serde_json::json!({"schema": 2, "findings": [{"state": "fine"}]});
    let found = faults(&value, &schema, "doctor").join("\n");
    for fault in [
        "schema: 2 is not 1",
        "\"version\" is missing",
        "\"fine\" is not among",
    ] {
        assert!(found.contains(fault), "{found}");
    }
}

#[test]
fn every_field_of_a_schema_stands_in_the_page() {
    fn names(schema: &Value, found: &mut Vec<String>) {
        if let Some(properties) = schema["properties"].as_object() {
            for (name, below) in properties {
                found.push(name.clone());
                names(below, found);
            }
        }
        for below in schema["anyOf"].as_array().into_iter().flatten() {
            names(below, found);
        }
        if schema.get("items").is_some() {
            names(&schema["items"], found);
        }
    }
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let page = std::fs::read_to_string(docs.join("json.md")).unwrap();
    let folder = docs.join("schemas");
    let mut fields = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().path();
        let name = name.file_stem().unwrap().to_str().unwrap();
        assert!(page.contains(&format!("schemas/{name}.json")), "{name}");
        names(&schema(name), &mut fields);
    }
    assert!(fields.len() > 50, "{fields:?}");
    for field in fields {
        assert!(
            page.contains(&format!("`{field}`")),
            "docs/json.md lacks {field}"
        );
    }
}
