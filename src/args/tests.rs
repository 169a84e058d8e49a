//! Where options may stand, and what they ask for.

use super::*;

#[test]
fn the_definitions_agree_with_each_other() {
    Args::command().debug_assert();
}

/// Every way to put the global options before the command, between it and its plan, and behind.
#[test]
fn the_global_options_may_stand_before_or_after_the_command_each_by_itself() {
    let globals: [&[&str]; 5] = [
        &["--sandbox"],
        &["--sandbox-job", "2"],
        &["--sandbox-state", "F"],
        &["--read-only"],
        &["--config", "C"],
    ];
    for placing in 0..3_usize.pow(5) {
        let place = |index: u32| placing / 3_usize.pow(index) % 3;
        let at = |wanted: usize| {
            let chosen = (0..).zip(globals);
            let chosen = chosen.filter(move |(index, _)| place(*index) == wanted);
            chosen.flat_map(|(_, words)| words.iter().copied())
        };
        let line = ["tableferry"].into_iter().chain(at(0)).chain(["check"]);
        let line = line.chain(at(1)).chain(["plan.toml"]).chain(at(2));
        let line: Vec<&str> = line.collect();
        let args = Args::try_parse_from(&line).unwrap();
        args.check().unwrap();
        let global = args.global;
        let text = format!(
            "{} {} {} {:?} {:?}",
            global.sandbox,
            global.sandbox_job,
            global.read_only,
            global.sandbox_state,
            global.config
        );
        assert_eq!(text, r#"true 2 true Some("F") Some("C")"#, "{line:?}");
    }
}

#[test]
fn the_sandbox_s_clock_is_moved_where_there_is_a_sandbox() {
    for line in [
        "tableferry --clock-offset -90m sandbox serve",
        "tableferry sandbox serve --clock-offset=-90m",
        "tableferry --sandbox check plan.toml --clock-offset -90m",
    ] {
        let args = Args::try_parse_from(line.split(' ')).unwrap();
        args.check().unwrap();
        let expected = jiff::SignedDuration::from_mins(-90);
        assert_eq!(args.global.clock_offset, Some(ClockOffset::Fixed(expected)));
    }
    let line = "tableferry check plan.toml --clock-offset 8h";
    let error = Args::parse_from(line.split(' ')).check().unwrap_err();
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn the_sandbox_s_world_is_placed_where_it_has_one() {
    for line in [
        "tableferry --sandbox-partition aws-cn sandbox serve",
        "tableferry --sandbox check plan.toml --sandbox-partition aws-cn",
    ] {
        let args = Args::try_parse_from(line.split(' ')).unwrap();
        args.check().unwrap();
        assert_eq!(args.global.sandbox_partition, Some(Partition::China));
    }
    let line = "tableferry --sandbox --sandbox-partition aws-iso check plan.toml";
    let error = Args::try_parse_from(line.split(' ')).unwrap_err();
    assert!(error.to_string().contains("give aws, aws-us-gov or aws-cn"));
    let line = "tableferry --sandbox-partition aws-cn check plan.toml";
    let error = Args::parse_from(line.split(' ')).check().unwrap_err();
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn the_sandbox_s_state_is_nothing_without_the_sandbox() {
    for line in [
        ["tableferry", "--sandbox-state", "F", "check", "plan.toml"],
        ["tableferry", "check", "plan.toml", "--sandbox-state", "F"],
    ] {
        let error = Args::parse_from(line).check().unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("--sandbox"), "{error}");
    }
}

/// The words of a shell's line as far as the documents use them: quotes, and what ends a command.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut is_word = false;
    for character in line.chars() {
        match (quote, character) {
            (Some(end), _) if character == end => quote = None,
            (None, '\'' | '"') => (quote, is_word) = (Some(character), true),
            (None, '#' | '|' | '>') if !is_word => break,
            (None, ' ') => {
                if is_word {
                    words.push(std::mem::take(&mut word));
                }
                is_word = false;
            }
            _ => {
                word.push(character);
                is_word = true;
            }
        }
    }
    if is_word {
        words.push(word);
    }
    words
}

/// Every line of a shell's block that names the program is one that it takes.
#[rstest::rstest]
#[case::readme("README.md", 30)]
#[case::archives("docs/archives.md", 8)]
#[case::automation("docs/automation.md", 6)]
#[case::faq("docs/faq.md", 1)]
#[case::inventory("docs/inventory.md", 5)]
#[case::json("docs/json.md", 6)]
#[case::kms("docs/kms.md", 3)]
#[case::permissions("docs/permissions.md", 2)]
#[case::sandbox("docs/sandbox.md", 1)]
#[case::sign_in("docs/sign-in.md", 2)]
fn every_command_that_a_document_prints_is_a_command_line(
    #[case] page: &str,
    #[case] at_least: usize,
) {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join(page)).unwrap();
    let mut count = 0;
    for block in text.split("```sh\n").skip(1) {
        let block = block.split("```").next().unwrap().replace("\\\n", " ");
        for line in block.lines() {
            let padded = format!(" {line}");
            let Some((_, rest)) = padded.split_once(" tableferry ") else {
                continue;
            };
            let words = words(&format!("tableferry {rest}"));
            if let Err(error) = Args::read(&words) {
                panic!("{line}: {error}");
            }
            count += 1;
        }
    }
    assert!(count >= at_least, "{count}");
}
