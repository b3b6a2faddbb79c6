//! The command line: parses it, runs the command, and returns the exit code.

mod demo;
mod environment;
mod exit;
mod logging;
mod once;
pub mod options;
mod output;
mod rejected;
mod serve;
mod signals;
mod simulate;

use std::process::ExitCode;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::options::{LogOptions, ServeOptions};

/// The text above the options in `--help`.
const ABOUT: &str = "\
Prometheus exporter for Twilio Email: what became of every send, within a scrape.

Twilio answers a send with an operation; whether its mail arrives can only be learnt by asking. This
program asks, and shows Prometheus how many emails of each operation are queued, sent, delivered,
opened, undelivered or failed. To look around without an account, run `demo`.";

#[derive(Debug, Parser)]
#[command(name = "twilio-email-exporter", version = options::version(), about = ABOUT)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true, after_help = options::CREDENTIALS_HELP)]
#[command(disable_help_flag = true, disable_version_flag = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
    /// Print this help
    // One help, in clap's short shape: its long one is four screens of blank lines.
    #[arg(short, long, action = ArgAction::HelpShort, global = true, display_order = 1000, help_heading = None::<&str>)]
    help: Option<bool>,
    /// Print the version
    #[arg(short = 'V', long, action = ArgAction::Version, display_order = 1001, help_heading = None::<&str>)]
    version: Option<bool>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve /metrics; this is what happens without a command
    Serve(Serve),
    /// Show the exporter at work on a simulated account; needs nothing
    Demo(demo::Options),
    /// Serve a simulated Twilio Email API, for development and load tests
    Simulate(simulate::Options),
    /// Collect once and print the metrics; for cron jobs and the textfile collector
    Once(once::Options),
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
    let matches = command_line()
        .try_get_matches()
        .unwrap_or_else(|error| rejected::without_values(error).exit());
    let CommandLine { command, serve, .. } = CommandLine::from_arg_matches(&matches)
        .unwrap_or_else(|error| rejected::without_values(error).exit());
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
        }
    });
    // Current collections are aborted, because nothing would expose their results.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => exit::report(&failure),
    }
}

/// The command line with its layout for `--help`.
fn command_line() -> clap::Command {
    let demo = |demo: clap::Command| {
        demo.mut_arg("listen", |option| option.help(demo::LISTEN_HELP))
            .mut_arg("level", |option| option.help(demo::LEVEL_HELP))
    };
    show_variables(CommandLine::command().mut_subcommand("demo", demo))
}

/// Adds each option's variable to its help on a separate line, because clap would break the line within the brackets.
fn show_variables(command: clap::Command) -> clap::Command {
    let show = |option: clap::Arg| match (option.get_env(), option.get_help()) {
        (Some(variable), Some(help)) => {
            let help = format!("{help}\n[env: {}]", variable.display());
            option.help(help).hide_env(true).next_line_help(true)
        }
        _ => option,
    };
    command.mut_args(show).mut_subcommands(show_variables)
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
                    let told = format!("[env: {}]", variable.display());
                    assert!(help.contains(&told), "{told} in {help}");
                }
            }
        }
    }
}
