//! `tableferry config`: a file that documents every key, its mistakes, and what holds.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Exit;
use super::error::CommandError;
use super::report::Report;
use crate::args::{ConfigArgs, Global};
use crate::config::{Config, ConfigError, Setting, TEMPLATE};
use crate::private_file;

const SCHEMA: u32 = 1;

/// Writes, checks or shows the configuration file.
pub(super) fn config(
    args: &ConfigArgs,
    global: &Global,
    report: &Report,
) -> Result<Exit, CommandError> {
    if args.init {
        init(global, report)?;
    } else {
        show(args.show, global, report)?;
    }
    Ok(Exit::Done)
}

fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

fn init(global: &Global, report: &Report) -> Result<(), ConfigError> {
    let path = match &global.config {
        Some(path) => path.clone(),
        None => Config::default_path(variable)?,
    };
    write(&path).map_err(|cause| ConfigError::Unwritable {
        path: path.clone(),
        cause,
    })?;
    report.line(&format!(
        "wrote {}: every key is in it, commented out",
        path.display()
    ));
    report.object(&json!({"event": "written", "schema": SCHEMA, "path": path}));
    Ok(())
}

/// A file that is there is left as it is, and no link is followed.
fn write(path: &Path) -> std::io::Result<()> {
    let directory: PathBuf = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    private_file::create_directory(&directory)?;
    let mut file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(TEMPLATE.as_bytes())?;
    file.sync_all()
}

fn show(is_shown: bool, global: &Global, report: &Report) -> Result<(), ConfigError> {
    let config = Config::read(global.config.as_deref(), variable)?;
    let path = config.path.display();
    let state = if config.is_file_present() {
        "is right"
    } else {
        "is not there: the defaults hold"
    };
    report.line(&format!("{path} {state}"));
    report.object(&json!({
        "event": "configuration",
        "schema": SCHEMA,
        "path": config.path,
        "is_present": config.is_file_present(),
    }));
    if is_shown {
        for setting in config.settings() {
            report.line(&words(&setting));
            report.object(&json!({
                "event": "setting",
                "key": setting.key,
                "value": setting.value,
                "origin": setting.origin,
            }));
        }
    }
    Ok(())
}

fn words(setting: &Setting) -> String {
    let value = setting
        .value
        .as_ref()
        .map_or_else(|| "not set".to_owned(), ToString::to_string);
    format!("{} = {value}  ({})", setting.key, setting.origin)
}
