//! The command line: what was asked for, carried out; every outcome is an exit code.

mod demo;
mod exit;
mod logging;
mod once;
pub mod options;
mod serve;
mod signals;
mod simulate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::options::{LogOptions, ServeOptions};

/// Prometheus exporter for Twilio Email: what became of every send, within a scrape.
///
/// Twilio answers a send with an operation; whether its mail arrives can only be learnt by polling. This program polls
/// and shows Prometheus how many emails of each operation are queued, sent, delivered, opened, undelivered or failed.
///
/// To look around without an account, run `demo`.
#[derive(Debug, Parser)]
#[command(name = "twilio-email-exporter", version = options::version(), args_conflicts_with_subcommands = true)]
#[command(after_help = options::CREDENTIALS_HELP)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve /metrics; this is what happens without a command.
    Serve(Serve),
    /// Show the exporter at work on a simulated account; needs nothing.
    Demo(demo::Options),
    /// Serve a simulated Twilio Email API, for development and load tests.
    Simulate(simulate::Options),
    /// Collect once and print the exposition; for cron jobs and the textfile collector.
    Once(once::Options),
}

#[derive(Debug, clap::Args)]
struct Serve {
    #[command(flatten)]
    options: ServeOptions,
    #[command(flatten)]
    log: LogOptions,
}

/// Parses the command line, runs, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let CommandLine { command, serve } = CommandLine::parse();
    let command = command.unwrap_or(Command::Serve(serve));
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return exit::report(&exit::Failure::Running(
                anyhow::Error::new(error).context("cannot start threads"),
            ));
        }
    };
    let result = runtime.block_on(async {
        match command {
            Command::Serve(serve) => serve::run(&serve.options, &serve.log).await,
            Command::Demo(options) => demo::run(options).await,
            Command::Simulate(options) => simulate::run(options).await,
            Command::Once(options) => once::run(&options).await,
        }
    });
    // Collections under way are abandoned; nothing they could still learn would be shown.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => exit::report(&failure),
    }
}

/// An environment variable, if it is text.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::CommandLine::command().debug_assert();
    }
}
