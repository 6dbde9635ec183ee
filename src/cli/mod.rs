//! The command line: the only code that knows clap or prints.
//!
//! One file per verb holds its arguments and a thin `run`; the work is below. [`main`] reads the
//! arguments, builds the one [`Ui`], runs the verb and turns its result into an [`Exit`].

mod audit;
mod completions;
mod connect;
mod context;
mod explain;
mod init;
mod log;
mod map;
mod moment;
mod output;
#[cfg(test)]
mod reference;
mod render;
mod report;
mod sample;
mod session;
mod standards;
mod sync;
mod ui;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::error::{Error, Exit, Kind, Result, codes};
use context::Context;
use ui::{Colour, LogFormat, Shape, Ui};

/// Moves records between systems, and can prove it.
#[derive(Parser, Debug)]
#[command(name = "consign", version, disable_help_subcommand = true, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 invalid, 3 environment, 4 denied, 5 partial, 6 refused, 7 locked, \
                        8 tampered, 10 differences. Explain a code with `consign --explain CODE`."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    noun: Option<Noun>,
}

/// What every verb understands.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "Everywhere")]
struct Global {
    /// The shape of what is printed on standard output; text unless given
    #[arg(short, long, global = true, value_enum, value_name = "SHAPE", hide_possible_values = false)]
    output: Option<Shape>,
    /// The project's file; without it `connectors.yaml` is looked for here and in the folders above
    #[arg(long, global = true, value_name = "FILE", env = "CONSIGN_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    /// The profile of the project's file that is in force
    #[arg(long, global = true, value_name = "NAME", env = "CONSIGN_PROFILE", hide_env_values = true)]
    profile: Option<String>,
    /// The folder of consign's own files; `.consign` beside the project's file unless given
    #[arg(long, global = true, value_name = "DIR", env = "CONSIGN_STATE", hide_env_values = true)]
    state: Option<PathBuf>,
    /// Works as if started in this folder
    #[arg(short = 'C', global = true, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Never asks: where an answer is needed, ends with exit 2 and names the flag
    #[arg(long, global = true)]
    no_input: bool,
    /// Says only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Says more
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Writes what is said on standard error as log lines
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// Whether to colour; `auto` asks the terminal and NO_COLOR
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
    /// Explains a code of a finding or an error
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
}

#[derive(Subcommand, Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made in a process, and taken apart at once")]
enum Noun {
    Connect(connect::Connect),
    Map(map::Map),
    Sync(sync::Sync),
    Audit(audit::Audit),
    Report(report::Report),
    Init(init::Init),
    Completions(completions::Completions),
}

/// Reads the arguments of the process, does what they say and tells how it ended.
pub fn main() -> Exit {
    ui::report_panics();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    match std::panic::catch_unwind(|| start(&arguments)) {
        Ok(exit) => exit,
        Err(_) => Exit::Failed,
    }
}

fn start(arguments: &[OsString]) -> Exit {
    let parsed = Cli::command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches).map(|cli| (cli, verb_path(&matches))));
    let (cli, verb) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error, arguments),
    };
    let ui = Ui::new(&cli.global, verb);
    let result = match &cli.global.directory {
        Some(folder) => std::env::set_current_dir(folder)
            .map_err(|e| Error::io(format!("entering the folder of `-C`, `{}`", folder.display()), e))
            .map_err(|e| e.into_kind(Kind::Invalid)),
        None => Ok(()),
    };
    let context = Context::new(cli.global, &ui);
    let result = result.and_then(|()| crate::sync::signals::as_first_process());
    let result = result.and_then(|()| context.ui.fits()).and_then(|()| run(cli.noun, &context));
    let exit = match result {
        Ok(exit) => exit,
        Err(error) => {
            ui.error(&error);
            error.exit()
        }
    };
    context.tell();
    match ui.end() {
        Ok(()) => exit,
        Err(error) => {
            ui.error(&error);
            exit.worst(error.exit())
        }
    }
}

fn run(noun: Option<Noun>, context: &Context<'_>) -> Result<Exit> {
    if let Some(code) = &context.global.explain {
        return explain::run(code, context);
    }
    match noun {
        None => Err(Error::new(Kind::Invalid, &codes::cli::USAGE, "a noun is missing").hint("see `consign --help`")),
        Some(Noun::Connect(noun)) => noun.run(context),
        Some(Noun::Map(noun)) => noun.run(context),
        Some(Noun::Sync(noun)) => noun.run(context),
        Some(Noun::Audit(noun)) => noun.run(context),
        Some(Noun::Report(noun)) => noun.run(context),
        Some(Noun::Init(verb)) => verb.run(context),
        Some(Noun::Completions(verb)) => verb.run(context),
    }
}

/// `map.check` for `consign map check`: the middle of the schema's name.
fn verb_path(matches: &clap::ArgMatches) -> String {
    let mut names = Vec::new();
    let mut here = matches;
    while let Some((name, below)) = here.subcommand() {
        names.push(name);
        here = below;
    }
    names.join(".")
}

/// Help, version and wrong usage: clap's own text, which is good; in JSON a document too.
fn usage(error: &clap::Error, arguments: &[OsString]) -> Exit {
    let wants_json = arguments.windows(2).any(|w| (w[0] == "-o" || w[0] == "--output") && w[1] == "json")
        || arguments.iter().any(|a| a == "-ojson" || a == "--output=json");
    let colour = !arguments.iter().any(|a| a == "--color=never") && ui::colour_allowed();
    if !error.use_stderr() {
        let colour = colour && std::io::stdout().is_terminal();
        ui::print_help(&error.render(), colour);
        return Exit::Done;
    }
    ui::print_usage_error(&error.render(), colour && std::io::stderr().is_terminal());
    if wants_json {
        let text = error.render().to_string();
        // What is missing stands in lines of its own, up to the usage.
        let lines = text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
        let cause = lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        let cause = cause.trim_start_matches("error: ").to_string();
        ui::print_document(&output::json::failure("usage", &Error::new(Kind::Invalid, &codes::cli::USAGE, cause)));
    }
    Exit::Invalid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        Cli::command().debug_assert();
    }

    /// An argument of a verb with the name of one of everywhere would take its place, and its value.
    #[test]
    fn no_verb_hides_what_holds_everywhere() {
        fn walk(command: &clap::Command, everywhere: &[String], path: &str) {
            for below in command.get_subcommands() {
                let path = format!("{path} {}", below.get_name());
                for argument in below.get_arguments() {
                    assert!(!everywhere.contains(&argument.get_id().to_string()), "{path} --{}", argument.get_id());
                }
                walk(below, everywhere, &path);
            }
        }
        let root = Cli::command();
        let everywhere: Vec<String> = root.get_arguments().map(|argument| argument.get_id().to_string()).collect();
        assert!(everywhere.contains(&"state".to_string()));
        walk(&root, &everywhere, "consign");
    }
}
