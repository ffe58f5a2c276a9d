//! `--config FILE`: the flags of `serve`, in TOML.
//!
//! What the file says becomes the flags' defaults, so a flag wins over the environment, that over the file, and
//! that over the default, with one place that knows each setting.

use std::{fs, path::Path};

use clap::{Arg, ArgAction, ArgMatches, Command, builder::OsStr};

/// The subcommand that has a file.
const SERVE: &str = "serve";

/// The flag that names it, which the file itself cannot set.
const CONFIG: &str = "config";

/// The file that the command line or the environment names, if any. Other faults of the command line are for
/// the parse that follows.
pub(super) fn named(command: &Command) -> Option<String> {
    let matches = command.clone().ignore_errors(true).try_get_matches().ok()?;
    let serve: &ArgMatches = matches.subcommand_matches(SERVE)?;
    serve.try_get_one::<String>(CONFIG).ok().flatten().cloned()
}

/// Takes a file's settings as defaults; gives the command, and every fault of the file.
pub(super) fn apply(command: Command, path: &Path) -> (Command, Vec<String>) {
    let shown = path.display();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            return (
                command,
                vec![format!("--config: cannot read {shown} ({error}): check the path")],
            );
        }
    };
    match text.parse::<toml::Table>() {
        Ok(table) => take(command, &table, &shown.to_string()),
        Err(error) => {
            let line = error.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ");
            (command, vec![format!("--config: {shown} is no TOML: {line}")])
        }
    }
}

fn take(mut command: Command, table: &toml::Table, path: &str) -> (Command, Vec<String>) {
    let mut faults = Vec::new();
    for (key, value) in table {
        let Some((global, id)) = setting(&command, key) else {
            let fault = format!(
                "{path}: there is no setting `{key}`: `proof-server serve --help` lists them, without the dashes"
            );
            faults.push(fault);
            continue;
        };
        let text = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(yes) => yes.to_string(),
            other => {
                let kind = other.type_str();
                faults.push(format!(
                    "{path}: `{key}` is of type {kind}: give text, a number, true or false"
                ));
                continue;
            }
        };
        // For the life of the process, as a default that is written in the code.
        let text: OsStr = (&*Box::leak(text.into_boxed_str())).into();
        let default = |arg: Arg| arg.default_value(text);
        command = if global {
            command.mut_arg(id, default)
        } else {
            command.mut_subcommand(SERVE, |serve| serve.mut_arg(id, default))
        };
    }
    (command, faults)
}

/// The flag that `key` names: whether it is one of all commands, and its id.
fn setting(command: &Command, key: &str) -> Option<(bool, String)> {
    let of = |command: &Command| {
        let arg = command.get_arguments().find(|arg| arg.get_long() == Some(key))?;
        let action = arg.get_action();
        let settable = action.takes_values() || matches!(action, ArgAction::SetTrue);
        (settable && !arg.is_hide_set() && key != CONFIG).then(|| arg.get_id().as_str().to_owned())
    };
    let serve = command.find_subcommand(SERVE)?;
    of(serve).map(|id| (false, id)).or_else(|| of(command).map(|id| (true, id)))
}
