//! Writing the plan to the file that was typed, and finding those that were saved before.

use std::fs::File;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};
use std::{env, io};

use jiff::Zoned;

use crate::job::{LARGEST_PLAN_FILE, Plan};
use crate::regular_file;
use crate::tui::message::MutationResult;
use crate::tui::services::SavedPlan;

/// How many files of the directory are looked at, and how many plans of them are shown.
const MOST_FILES: usize = 100;
const MOST_PLANS: usize = 10;

/// The plans in the working directory, by name.
#[must_use]
pub fn plans_here() -> Vec<SavedPlan> {
    let Ok(entries) = std::fs::read_dir(".") else {
        return Vec::new();
    };
    let names = entries
        .flatten()
        .map(|entry| PathBuf::from(entry.file_name()));
    let is_toml = |path: &PathBuf| path.extension().is_some_and(|end| end == "toml");
    let mut names: Vec<PathBuf> = names.filter(is_toml).take(MOST_FILES).collect();
    names.sort();
    let plans = names.into_iter().filter_map(|path| {
        let bytes = regular_file::read(&path, LARGEST_PLAN_FILE).ok()?;
        let plan = Plan::from_bytes(&bytes, &path.display().to_string(), Zoned::now()).ok()?;
        Some(SavedPlan { path, plan })
    });
    plans.take(MOST_PLANS).collect()
}

/// Writes the plan; a file that is there is left alone unless it may be replaced.
pub(super) fn save(typed: &Path, text: &str, may_replace: bool) -> MutationResult {
    let path = match without_tilde(typed, env::home_dir().as_deref()) {
        Ok(path) => path,
        Err(why) => return MutationResult::NotSaved(why),
    };
    match write(&path, text, may_replace) {
        Ok(()) => MutationResult::Saved(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            MutationResult::FileExists(path)
        }
        Err(error) => MutationResult::NotSaved(format!("{}: {error}", path.display())),
    }
}

/// The path with `~` expanded as a shell expands it; `~name` would be the home of another user.
fn without_tilde(typed: &Path, home: Option<&Path>) -> Result<PathBuf, String> {
    let mut parts = typed.components();
    let Some(Component::Normal(first)) = parts.next() else {
        return Ok(typed.to_owned());
    };
    if !first.as_encoded_bytes().starts_with(b"~") {
        return Ok(typed.to_owned());
    }
    if first != "~" {
        let name = first.display();
        return Err(format!(
            "{name} is not expanded: write the directory in full, or ./{name} for a file of this name"
        ));
    }
    match home.filter(|home| home.is_absolute()) {
        Some(home) => Ok(home.join(parts.as_path())),
        None => Err("~ cannot be expanded, since HOME names no directory".to_owned()),
    }
}

fn write(path: &Path, text: &str, may_replace: bool) -> io::Result<()> {
    let mut file = if may_replace {
        regular_file::replace(path)?
    } else {
        File::create_new(path)?
    };
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(typed: &str) -> Result<PathBuf, String> {
        without_tilde(Path::new(typed), Some(Path::new("/home/mona")))
    }

    #[test]
    fn a_tilde_is_the_home_directory_as_in_a_shell() {
        assert_eq!(
            expanded("~/plans/x.toml"),
            Ok("/home/mona/plans/x.toml".into())
        );
        for same in ["plan.toml", "/tmp/~x", "./~", "a~b", "plans/~/x"] {
            assert_eq!(expanded(same), Ok(same.into()));
        }
    }

    #[test]
    fn what_a_tilde_means_is_not_guessed() {
        assert!(expanded("~ada/x").unwrap_err().contains("./~ada"));
        for home in [None, Some(Path::new("relative")), Some(Path::new(""))] {
            assert!(without_tilde(Path::new("~/x"), home).is_err());
        }
    }
}
