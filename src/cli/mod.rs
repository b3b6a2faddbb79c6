//! The command line: parses it, runs the command, and returns the exit code. Without a command it is `serve`, so that
//! `twilio-email-exporter --config.file …` works like other exporters.

mod check;
mod demo;
mod environment;
mod exit;
mod generate;
mod health;
mod log_line;
mod logging;
mod once;
pub mod options;
mod output;
mod output_file;
mod rejected;
mod serve;
mod signals;
mod simulate;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::options::{LogOptions, ServeOptions};
use crate::build_info;

/// The text above the options in `--help`.
const ABOUT: &str = "\
Prometheus exporter for Twilio Email: how many emails of each send are delivered or lost.

Twilio creates an operation for each send request. This program polls the operations at each
scrape and exposes how many emails of each are queued, sent, delivered, opened, undelivered or
failed. To try it without an account, run `demo`.";

/// The program's name.
const NAME: &str = "twilio-email-exporter";

#[derive(Debug, Parser)]
#[command(name = NAME, version = build_info::SHORT, long_version = build_info::LONG, about = ABOUT)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true, after_help = options::CREDENTIALS_HELP)]
#[command(disable_help_flag = true, disable_version_flag = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
    /// Print this help
    // Only clap's short help; the long one has four screens of blank lines.
    #[arg(short, long, action = ArgAction::HelpShort, global = true, display_order = 1000, help_heading = None::<&str>)]
    help: Option<bool>,
    /// Print the version
    #[arg(short = 'V', long, action = ArgAction::Version, display_order = 1001, help_heading = None::<&str>)]
    version: Option<bool>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve /metrics; the default without a command
    Serve(Serve),
    /// Run the exporter with a simulated account; needs no Twilio account
    Demo(demo::Options),
    /// Serve a simulated Twilio Email API, for development and load tests
    Simulate(simulate::Options),
    /// Collect once and print the metrics; for cron jobs and the textfile collector
    Once(once::Options),
    /// Check that everything works: credentials, rights, files, addresses; report what fails, and the cure
    Check(check::Options),
    /// Follow a send in the terminal or in a script until it has settled
    Watch(watch::Options),
    /// Check whether the running exporter is ready; for health checks of containers
    Health(health::Options),
    /// Print completions for a shell: bash, elvish, fish, powershell or zsh
    Completions(generate::Completions),
    /// Print the manual page, or write the pages of all commands to a directory
    Man(generate::Manual),
    /// Print the help of a command
    // In place of clap's command, which prints the long help.
    Help {
        /// The command
        #[arg(value_name = "COMMAND")]
        command: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
#[command(after_help = options::CREDENTIALS_HELP)]
struct Serve {
    #[command(flatten)]
    options: ServeOptions,
    #[command(flatten)]
    log: LogOptions,
}

/// Parses the command line, runs the command, and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let parsed = parse(std::env::args_os());
    let parsed = match parsed.command {
        Some(Command::Help { command }) => parse(help_of(command)),
        _ => parsed,
    };
    let CommandLine { command, serve, .. } = parsed;
    let command = command.unwrap_or(Command::Serve(serve));
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return exit::report(&exit::ProgramError::Running(
                anyhow::Error::new(error).context("cannot start threads"),
            ));
        }
    };
    let result = runtime.block_on(async {
        signals::survive_file_size_limit();
        match command {
            Command::Serve(serve) => serve::run(&serve.options, &serve.log).await,
            Command::Demo(options) => demo::run(options).await,
            Command::Simulate(options) => simulate::run(options).await,
            Command::Once(options) => once::run(&options).await,
            Command::Check(options) => check::run(&options).await,
            Command::Watch(options) => watch::run(&options).await,
            Command::Health(options) => health::run(&options).await,
            Command::Completions(options) => generate::completions(command_line(), &options),
            Command::Man(options) => generate::manual(command_line(), &options),
            // `--help` exits when it is parsed.
            Command::Help { .. } => Ok(()),
        }
    });
    // Current collections are aborted, because nothing would expose their results.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => exit::report(&failure),
    }
}

/// Parses the arguments. Exits after `--help` and `--version`, and if the arguments are wrong.
fn parse(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> CommandLine {
    command_line()
        .try_get_matches_from(arguments)
        .and_then(|matches| CommandLine::from_arg_matches(&matches))
        .unwrap_or_else(|error| rejected::without_values(error).exit())
}

/// The arguments that print the help of `command`; without one, that of the program.
fn help_of(command: Option<String>) -> impl Iterator<Item = String> {
    let program = std::iter::once(NAME.to_owned());
    program.chain(command).chain(["--help".to_owned()])
}

/// The command line with its layout for `--help`.
fn command_line() -> clap::Command {
    let demo = |demo: clap::Command| {
        demo.mut_arg("listen", |option| option.help(demo::LISTEN_HELP))
            .mut_arg("level", |option| option.help(demo::LEVEL_HELP))
            .mut_arg("storage_path", |option| {
                option.help(options::STORAGE_IN_MEMORY_HELP)
            })
    };
    let once = |once: clap::Command| {
        once.mut_arg("storage_path", |option| {
            option.help(options::STORAGE_IN_MEMORY_HELP)
        })
    };
    let check =
        |check: clap::Command| check.mut_arg("level", |option| option.help(check::LEVEL_HELP));
    let watch =
        |watch: clap::Command| watch.mut_arg("level", |option| option.help(watch::LEVEL_HELP));
    let command = CommandLine::command();
    show_variables(
        command
            .mut_subcommand("demo", demo)
            .mut_subcommand("once", once)
            .mut_subcommand("check", check)
            .mut_subcommand("watch", watch),
    )
}

/// Adds each option's variable to its help on a separate line, because clap would break the line within the brackets.
fn show_variables(command: clap::Command) -> clap::Command {
    // The further paragraphs of an option are for `docs/configuration.md`, as part of a table.
    let short = |option: clap::Arg| option.long_help(None::<&str>);
    let show = |option: clap::Arg| match (option.get_env(), option.get_help()) {
        (Some(variable), Some(help)) => {
            let help = format!("{help}\n[env: {}]", variable.display());
            option.help(help).hide_env(true).next_line_help(true)
        }
        _ => option,
    };
    command
        .mut_args(short)
        .mut_args(show)
        .mut_subcommands(show_variables)
}

#[cfg(test)]
mod tests {
    use super::command_line;

    #[test]
    fn the_declaration_of_the_command_line_is_valid() {
        command_line().debug_assert();
    }

    #[test]
    fn help_fits_a_terminal_and_names_every_variable() {
        let mut command_line = command_line().term_width(100);
        command_line.build();
        let commands = std::iter::once(&command_line).chain(command_line.get_subcommands());
        for command in commands {
            let help = command.clone().render_help().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 100, "{line}");
                assert_eq!(
                    line.matches("[env: ").count(),
                    line.matches("TWILIO_EMAIL_").count(),
                    "{line}"
                );
            }
            for option in command
                .get_arguments()
                .filter(|option| !option.is_hide_set())
            {
                if let Some(variable) = option.get_env() {
                    let variable_text = format!("[env: {}]", variable.display());
                    assert!(help.contains(&variable_text), "{variable_text} in {help}");
                }
            }
        }
    }
}
