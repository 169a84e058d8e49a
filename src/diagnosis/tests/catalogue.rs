//! The catalogue: every entry loads, explains its positive examples, and none of its negative ones.

use std::collections::BTreeSet;

use crate::diagnosis::catalogue::{Catalogue, Cause};
use crate::diagnosis::scan::scan;
use crate::diagnosis::{Circumstances, diagnose};

/// The causes that a text may have.
fn causes(text: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    scan(text.as_bytes(), |found| {
        let known = Circumstances::of_text(&found.error);
        let diagnosis = diagnose(&found.error, &known);
        let candidates = diagnosis.iter().flat_map(|diagnosis| &diagnosis.candidates);
        ids.extend(candidates.map(|one| one.cause.id.clone()));
        diagnosis.is_some()
    })
    .unwrap();
    ids
}

fn each(check: impl Fn(&Cause) -> Vec<String>) {
    let wrong: Vec<String> = Catalogue::built_in()
        .causes()
        .iter()
        .flat_map(check)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_of_the_catalogue_is_loaded() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/causes");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        match Catalogue::load(&text) {
            Ok(catalogue) => count += catalogue.causes().len(),
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
    assert_eq!(Catalogue::built_in().causes().len(), count);
    let ids: BTreeSet<&str> = Catalogue::built_in()
        .causes()
        .iter()
        .map(|cause| cause.id.as_str())
        .collect();
    assert_eq!(ids.len(), count, "an id is in two files");
}

#[test]
fn every_cause_explains_its_positive_examples() {
    each(|cause| {
        let missed = cause
            .positive
            .iter()
            .filter(|text| !causes(text).contains(&cause.id));
        missed
            .map(|text| format!("{}: {text}\n   {:?}", cause.id, causes(text)))
            .collect()
    });
}

#[test]
fn no_cause_explains_its_negative_examples() {
    each(|cause| {
        let hit = cause
            .negative
            .iter()
            .filter(|text| causes(text).contains(&cause.id));
        hit.map(|text| format!("{}: {text}", cause.id)).collect()
    });
}

#[test]
fn an_entry_without_both_kinds_of_example_is_not_loaded() {
    let entry = |positive: &str, negative: &str| {
        format!(
            "[[cause]]\nid = \"a\"\nclass = \"permission\"\ntitle = \"t\"\nmeans = \"m\"\nfix = \"f\"\nlook = \"l\"\n\
             sources = [\"s\"]\npositive = [{positive}]\nnegative = [{negative}]\n[[cause.when]]\n\
             certainty = \"likely\"\ncode = [\"X\"]\n"
        )
    };
    assert!(Catalogue::load(&entry("\"p\"", "\"n\"")).is_ok());
    let refused = |text: &str| Catalogue::load(text).unwrap_err();
    assert!(refused(&entry("", "\"n\"")).contains("no positive example"));
    assert!(refused(&entry("\"p\"", "")).contains("no negative example"));
    let twice = entry("\"p\"", "\"n\"").repeat(2);
    assert!(refused(&twice).contains("given twice"));
}

/// docs/faq.md is for the one who has the message and not the program.
#[test]
fn the_faq_tells_every_cause_and_no_other() {
    const FAQ: &str = include_str!("../../../docs/faq.md");
    each(|cause| {
        let entry = format!(
            "\n### {} (`{}`)\n\n{}\n\n*To do:* {}\n\n*Look at:* {}\n",
            cause.title, cause.id, cause.means, cause.fix, cause.look
        );
        let is_told = FAQ.contains(&entry);
        (!is_told).then_some(entry).into_iter().collect()
    });
    let entries = FAQ.lines().filter(|line| line.starts_with("### "));
    assert_eq!(entries.count(), Catalogue::built_in().causes().len());
}
