//! What `--help` and the manual show of each command in use. Every line is parsed by a test.

use clap::Command;

/// What an example is for, and its line.
pub(super) type Example = (&'static str, &'static str);

/// The examples of each command, by the command's words behind the program's name.
const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "",
        &[
            (
                "practise on an AWS in memory, without an account",
                "tableferry --sandbox",
            ),
            ("open the wizard on the profiles of ~/.aws", "tableferry"),
            (
                "open it with a plan filled in",
                "tableferry --plan plan.toml",
            ),
        ],
    ),
    (
        "run",
        &[
            (
                "check, ask, start, follow, verify",
                "tableferry run plan.toml",
            ),
            (
                "the same in a script",
                "tableferry run plan.toml --yes --output json",
            ),
            (
                "the same, and a program of yours is called at the end",
                "tableferry run plan.toml --yes --on-finish notify-send tableferry ended",
            ),
            (
                "all that comes before the question, and the AWS CLI's commands",
                "tableferry run plan.toml --dry-run",
            ),
        ],
    ),
    (
        "retry",
        &[(
            "start again what failed in run 3, with new tokens",
            "tableferry retry 3",
        )],
    ),
    (
        "export",
        &[
            (
                "one table, without a plan file",
                "tableferry export --from prod --to dev --table Orders --bucket export-landing",
            ),
            (
                "all tables of a name, as they were two hours ago",
                "tableferry export --from prod --to dev --table prod-* --bucket export-landing --time 2h",
            ),
        ],
    ),
    (
        "check",
        &[
            ("would AWS allow it?", "tableferry check plan.toml"),
            (
                "try it with an upload that is taken back",
                "tableferry check plan.toml --probe",
            ),
            (
                "judge facts that somebody else read",
                "tableferry check plan.toml --facts facts.json",
            ),
        ],
    ),
    (
        "survey",
        &[(
            "read what bears on the plan, for a colleague",
            "tableferry survey plan.toml",
        )],
    ),
    (
        "policies",
        &[
            (
                "what fixes the plan, as a shell script",
                "tableferry policies plan.toml --as cli",
            ),
            (
                "what to ask the other account's owner for",
                "tableferry policies plan.toml --as message",
            ),
        ],
    ),
    (
        "apply",
        &[
            (
                "make what is missing, each change shown and agreed to",
                "tableferry apply plan.toml",
            ),
            ("what is in place", "tableferry apply --list"),
        ],
    ),
    ("undo", &[("take change 3 away again", "tableferry undo 3")]),
    (
        "resume",
        &[
            ("go on with whatever was cut off", "tableferry resume"),
            (
                "look at the files of run 3 anew",
                "tableferry resume 3 --verify-again",
            ),
        ],
    ),
    (
        "exports",
        &[("what the journal holds, live", "tableferry exports --watch")],
    ),
    (
        "watch",
        &[
            (
                "every export that the journal knows to be under way",
                "tableferry watch",
            ),
            (
                "all of an account and Region",
                "tableferry watch --account prod-oncall",
            ),
        ],
    ),
    (
        "verify",
        &[
            (
                "every byte of run 3's exports",
                "tableferry verify 3 --deep",
            ),
            (
                "an archive that was copied elsewhere",
                "tableferry verify ./copies",
            ),
        ],
    ),
    (
        "fetch",
        &[("bring run 3's exports here", "tableferry fetch 3 copies")],
    ),
    (
        "mask",
        &[
            (
                "the exports of run 3 into the destination of the plan, as its [mask] says",
                "tableferry mask 3 --plan plan.toml",
            ),
            (
                "an archive of this machine into another directory",
                "tableferry mask ./copies --plan plan.toml --to ./masked --key orderId:S",
            ),
        ],
    ),
    (
        "archives",
        &[(
            "which exports lie below a prefix",
            "tableferry archives s3://export-landing/prod",
        )],
    ),
    (
        "athena",
        &[(
            "the table and a first query for run 3",
            "tableferry athena 3",
        )],
    ),
    (
        "history",
        &[
            (
                "what was done in the last month",
                "tableferry history --since 30d",
            ),
            (
                "what a colleague's machine shall know too",
                "tableferry history --table Orders --export orders.json",
            ),
        ],
    ),
    (
        "report",
        &[("a document on run 3 for an audit", "tableferry report 3")],
    ),
    (
        "import",
        &[
            (
                "the export of run 3 into a new table of its destination's account",
                "tableferry import 3 --table Orders-dev",
            ),
            (
                "any full export, with a plan for check, policies, apply and run",
                "tableferry import s3://landing/prod/AWSDynamoDB/01763805600000-a1b2c3d4 --table Orders-dev \
                 --profile dev --source-profile prod --write-plan import.toml",
            ),
        ],
    ),
    (
        "load",
        &[
            (
                "run 1's items into a table that is there, slowly",
                "tableferry load 1 --table Users --max-write-units 200",
            ),
            (
                "in a script, from a directory that `fetch` made",
                "tableferry load ./copy --table Users --profile dev-admin --yes --confirm Users",
            ),
        ],
    ),
    (
        "replay",
        &[
            (
                "what changed since the full export of run 1",
                "tableferry replay 2 3 --full 1 --table Users",
            ),
            (
                "read all of it, and count what it would do",
                "tableferry replay 2 3 --full 1 --table Users --dry-run",
            ),
        ],
    ),
    (
        "inventory setup",
        &[(
            "write the configuration, shown first",
            "tableferry inventory setup inventory.toml",
        )],
    ),
    (
        "inventory status",
        &[(
            "which reports arrived, and whether the newest is whole",
            "tableferry inventory status inventory.toml",
        )],
    ),
    (
        "inventory show",
        &[(
            "the configuration as CloudFormation",
            "tableferry inventory show inventory.toml --as cloudformation",
        )],
    ),
    (
        "profiles",
        &[(
            "what can be chosen, and what is ignored",
            "tableferry profiles",
        )],
    ),
    (
        "config",
        &[
            (
                "a file that documents every key",
                "tableferry config --init",
            ),
            (
                "what holds, and where it comes from",
                "tableferry config --show",
            ),
        ],
    ),
    (
        "explain",
        &[
            ("why run 3 failed", "tableferry explain 3"),
            ("every refusal of a log", "tableferry explain build.log"),
            (
                "a message, judged against both accounts",
                "tableferry explain message.txt --plan plan.toml",
            ),
        ],
    ),
    (
        "changes",
        &[(
            "who changed what a plan depends on",
            "tableferry changes plan.toml --since 2d",
        )],
    ),
    (
        "doctor",
        &[
            ("what is wrong here, to be pasted", "tableferry doctor"),
            (
                "for a program, without the network",
                "tableferry doctor --offline --output json",
            ),
        ],
    ),
    (
        "simulate",
        &[(
            "evaluate requests, a JSON object a line",
            "tableferry simulate requests.jsonl",
        )],
    ),
    (
        "policy lint",
        &[(
            "what is wrong with a bucket's policy",
            "tableferry policy lint policy.json --kind bucket",
        )],
    ),
    (
        "sandbox serve",
        &[(
            "an AWS for tests, on a port",
            "tableferry sandbox serve --port 4566",
        )],
    ),
    (
        "completions",
        &[(
            "completions for the bash that is running",
            "tableferry completions bash",
        )],
    ),
    (
        "man",
        &[
            ("the manual page", "tableferry man"),
            (
                "the pages of all commands as files",
                "tableferry man --dir man",
            ),
        ],
    ),
];

/// The examples of a command.
#[must_use]
pub fn examples(path: &str) -> &'static [Example] {
    let found = EXAMPLES.iter().find(|(command, _)| *command == path);
    found.map_or(&[], |(_, examples)| examples)
}

/// A command with its examples behind its help, and its subcommands with theirs.
pub(super) fn with_examples(command: Command, path: &str) -> Command {
    let examples = examples(path);
    let command = if examples.is_empty() {
        command
    } else {
        let mut text = command
            .get_after_help()
            .map_or_else(String::new, |help| format!("{help}\n\n"));
        text.push_str("Examples:");
        let lines = examples.iter();
        text.extend(lines.map(|(purpose, line)| format!("\n  {line}\n      {purpose}")));
        command.after_help(text)
    };
    command.mut_subcommands(|below| {
        let path = format!("{path} {}", below.get_name());
        with_examples(below, path.trim_start())
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Args;

    /// The commands that do something, by their words.
    fn paths(command: &Command, path: &str, found: &mut Vec<String>) {
        if command.get_subcommands().next().is_none() || path.is_empty() {
            found.push(path.to_owned());
        }
        for below in command.get_subcommands() {
            let path = format!("{path} {}", below.get_name());
            paths(below, path.trim_start(), found);
        }
    }

    #[test]
    fn every_command_has_an_example() {
        let mut commands = Vec::new();
        paths(&Args::command(), "", &mut commands);
        let without: Vec<_> = commands
            .iter()
            .filter(|path| examples(path).is_empty())
            .collect();
        assert!(without.is_empty(), "{without:?}");
        let unknown = EXAMPLES
            .iter()
            .filter(|(path, _)| !commands.iter().any(|known| known == path));
        assert_eq!(unknown.count(), 0);
    }

    #[test]
    fn every_example_is_a_line_of_its_command() {
        for (path, examples) in EXAMPLES {
            for (_, line) in *examples {
                let words: Vec<&str> = line.split(' ').collect();
                assert!(words[1..].join(" ").starts_with(path), "{line}");
                if let Err(error) = Args::read(&words) {
                    panic!("{line}: {error}");
                }
            }
        }
    }
}
