//! `check`: tries everything that the exporter needs, and prints the results. A script reads the exit code.

use std::io::{IsTerminal, stdout};

use anyhow::{Context, anyhow};
use clap::ValueEnum;

use super::exit::ProgramError;
use super::options::{CREDENTIALS_HELP, LogLevel, LogOptions, ServeOptions};
use super::output::write_result;
use super::{environment, logging, signals};
use crate::app;
use crate::check::{self, Marks, Report, Section, Settings, Status, Style};
use crate::clock::Clock;
use crate::config::Config;
use crate::exposition::Instruments;

/// The help of `--log.level`.
pub(super) const LEVEL_HELP: &str =
    "Log messages of this level and above: error, warn, info, debug or trace [default: error]";

/// The columns of a terminal whose size is unknown.
const COLUMNS: usize = 80;

/// The options of `check`: those of `serve`, and its own.
#[derive(Debug, clap::Args)]
#[command(after_help = CREDENTIALS_HELP)]
pub(super) struct Options {
    /// The output: text or json
    #[arg(
        // `--log.format` has the id `format`.
        id = "output_format",
        long = "format",
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    format: Format,
    /// Check only what needs no network: the configuration, its files, the storage and the addresses
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    serve: ServeOptions,
    #[command(flatten)]
    log: LogOptions,
}

/// How the results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One document, for programs.
    Json,
}

pub(super) async fn run(options: &Options) -> Result<(), ProgramError> {
    // Warnings are results, so the log has only errors.
    logging::start(&options.log, LogLevel::Error);
    let stop = signals::stop()?;
    let overrides = options.serve.overrides();
    let config_file = overrides.config_file.clone();
    let load = move || Config::load(&overrides, &environment::variable);
    let instruments =
        Instruments::new(app::build()).context("cannot set up the exporter's own metrics")?;
    let settings = Settings {
        offline: options.offline,
        config_file,
        clock: Clock::System,
        instruments: &instruments,
    };
    let style = style();
    let mut unwritten = Ok(());
    let show = |section: &Section| {
        if options.format == Format::Text && unwritten.is_ok() {
            unwritten = write_result(style.section(section).as_bytes());
        }
    };
    let report = tokio::select! {
        report = check::check(load, &settings, show) => report,
        () = stop => return Err(anyhow!("stopped before everything was checked").into()),
    };
    let last = match options.format {
        Format::Text => style.summary(&report).into_bytes(),
        Format::Json => report.to_json(),
    };
    unwritten
        .and_then(|()| write_result(&last))
        .context("cannot write the results to stdout")?;
    match code(&report) {
        0 => Ok(()),
        code => Err(ProgramError::Code(code, None)),
    }
}

/// 0 if everything works, 1 if something does not, 2 if the configuration is wrong.
fn code(report: &Report) -> u8 {
    if report.is_misconfigured() {
        2
    } else {
        u8::from(report.count(Status::Failed) > 0)
    }
}

/// The style that the standard output can show.
fn style() -> Style {
    let columns = stdout()
        .is_terminal()
        .then(|| terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| usize::from(width.0)));
    let variable = |name| environment::variable(name).filter(|value| !value.is_empty());
    // The first of these decides (`setlocale(3)`).
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(variable)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let is_utf_8 = locale.contains("utf-8") || locale.contains("utf8");
    // <https://no-color.org>
    let color =
        variable("NO_COLOR").is_none() && variable("TERM").is_none_or(|term| term != "dumb");
    Style {
        columns,
        marks: if is_utf_8 { Marks::Signs } else { Marks::Words },
        color,
    }
}
