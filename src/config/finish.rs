//! `[finish]`: what is done when a run ends.

use std::ffi::OsString;
use std::path::Path;

use serde::{Deserialize, Deserializer};

use crate::work::{Finish, FinishCommand};

/// `[finish]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FinishFile {
    command: Option<Vec<String>>,
    bell: Option<bool>,
    notification: Option<bool>,
}

pub(super) fn finish<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Finish, D::Error> {
    let file = FinishFile::deserialize(deserializer)?;
    let default = Finish::default();
    let command = file.command.map(|words| command(&words)).transpose();
    Ok(Finish {
        command: command.map_err(serde::de::Error::custom)?,
        has_bell: file.bell.unwrap_or(default.has_bell),
        has_notification: file.notification.unwrap_or(default.has_notification),
    })
}

/// A program by a path from wherever one stands would be another in each directory.
fn command(words: &[String]) -> Result<FinishCommand, String> {
    let program = words.first().map_or("", String::as_str);
    let is_somewhere = program.contains('/') && !Path::new(program).is_absolute();
    if program.is_empty() || is_somewhere {
        return Err(format!(
            "`{program}` is no program: give its name as PATH finds it or its absolute path, then its arguments"
        ));
    }
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    FinishCommand::new(&words).ok_or_else(|| "give the program".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Finish, toml::de::Error> {
        #[derive(Deserialize)]
        struct File {
            #[serde(default, deserialize_with = "finish")]
            finish: Finish,
        }
        toml::from_str::<File>(text).map(|file| file.finish)
    }

    #[test]
    fn bell_and_notification_are_on_and_nothing_is_called_unless_it_is_said() {
        assert_eq!(read("").unwrap(), Finish::default());
        let off = read("[finish]\nbell = false\nnotification = false\n").unwrap();
        assert_eq!((off.has_bell, off.has_notification), (false, false));
        let named = read("[finish]\ncommand = ['notify-send', 'done; rm']\n").unwrap();
        let words = ["notify-send", "done; rm"].map(OsString::from);
        assert_eq!(named.command, FinishCommand::new(&words));
    }

    #[test]
    fn a_program_that_depends_on_where_one_stands_is_refused() {
        for command in ["[]", "['']", "['./notify']", "['bin/notify', 'x']"] {
            let error = read(&format!("[finish]\ncommand = {command}\n")).unwrap_err();
            assert!(error.message().contains("is no program"), "{error}");
        }
    }
}
