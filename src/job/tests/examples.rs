//! The example plans that stand in the repository.

use std::path::PathBuf;

use super::{now, parse};

fn examples() -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/plans");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

#[test]
fn every_example_is_a_plan_and_says_what_it_shows() {
    let examples = examples();
    assert!(examples.len() >= 19, "{}", examples.len());
    for (path, text) in examples {
        let shown = path.display();
        assert!(text.starts_with("# "), "{shown} has no comment");
        let plan = parse(&text).unwrap_or_else(|violations| panic!("{shown}: {violations}"));
        assert_eq!(parse(&plan.to_toml()).unwrap(), plan, "{shown}");
    }
}

#[test]
fn only_the_examples_of_bad_keys_and_old_times_are_warned_of() {
    let mut warned: Vec<String> = examples()
        .into_iter()
        .filter(|(_, text)| !parse(text).unwrap().warnings(now()).is_empty())
        .map(|(path, _)| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    warned.sort_unstable();
    assert_eq!(
        warned,
        ["key-alias", "key-aws-managed", "time-outside-window"]
    );
}
