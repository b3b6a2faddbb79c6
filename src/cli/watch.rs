//! `watch`: follows operations until they have settled, for a person at a terminal or for a script. It reads its options, and
//! starts [`watch`](crate::watch) with the client that the exporter uses.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;
use clap::builder::{EnumValueParser, StringValueParser};

use super::exit::ProgramError;
use super::options::{CREDENTIALS_HELP, ConnectionOptions, LogLevel, LogOptions, NonEmpty, given};
use super::{environment, logging, signals};
use crate::app;
use crate::clock::Clock;
use crate::config::{Account, Config, Overrides, parse_duration};
use crate::exposition::Instruments;
use crate::operation::OperationId;
use crate::twilio::Client;
use crate::watch::{self, Goal, JsonLines, Lines, LostShare, Report, Settings, Terminal};

/// The most operations of one watch. Each needs a request per interval.
const MOST_OPERATIONS: usize = 100;
/// The largest list of ids on standard input, in bytes: the most ids with room for spaces.
const LARGEST_INPUT: u64 = 16 * 1024;
/// The allowed intervals. A terminal is redrawn once a second; a person does not wait longer than minutes.
const INTERVALS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_mins(5);
/// The default interval. A campaign takes minutes, and a person watches it continuously.
const INTERVAL: Duration = Duration::from_secs(5);
/// Usage errors, as clap's.
const USAGE: u8 = 2;
/// The exit code of a program that ends by SIGPIPE, in shells. The reader of standard output has closed it.
const BROKEN_PIPE: u8 = 141;

/// The help of an option whose default differs here.
pub(super) const LEVEL_HELP: &str =
    "Log messages of this level and above: error, warn, info, debug or trace [default: error]";

/// The options of `watch`.
#[derive(Debug, clap::Args)]
#[command(after_help = help())]
pub(super) struct Options {
    /// Operations to follow: ids from Twilio's responses to the send requests; - reads them from stdin
    #[arg(required = true, value_name = "ID", value_delimiter = ',')]
    operations: Vec<Watched>,
    /// When a send is done: settled (no email is in flight) or completed by Twilio [default: settled]
    #[arg(long, env = "TWILIO_EMAIL_WATCH_UNTIL", value_name = "GOAL")]
    #[arg(value_parser = given(EnumValueParser::<Until>::new()), hide_env_values = true, hide_possible_values = true)]
    until: Option<NonEmpty<Until>>,
    /// Exit 1 if more than this share of a send's finished emails is lost, such as 5% [default: never]
    #[arg(long, env = "TWILIO_EMAIL_WATCH_FAIL_ABOVE", value_name = "PERCENT")]
    #[arg(value_parser = given(|text: &str| text.parse::<LostShare>()), hide_env_values = true)]
    fail_above: Option<NonEmpty<LostShare>>,
    /// Exit 124 if the sends are not done after this time, such as 30m [default: none]
    #[arg(long, env = "TWILIO_EMAIL_WATCH_TIMEOUT", value_name = "DURATION")]
    #[arg(value_parser = given(timeout), hide_env_values = true)]
    timeout: Option<NonEmpty<Duration>>,
    /// The shortest time between two reads of a send: 1s to 5m [default: 5s]
    #[arg(long, env = "TWILIO_EMAIL_WATCH_INTERVAL", value_name = "DURATION")]
    #[arg(value_parser = given(interval), hide_env_values = true)]
    interval: Option<NonEmpty<Duration>>,
    /// The account that sent the emails, if the configuration has several accounts [default: the only one]
    #[arg(long, env = "TWILIO_EMAIL_WATCH_ACCOUNT", value_name = "NAME")]
    #[arg(value_parser = given(StringValueParser::new()), hide_env_values = true)]
    account: Option<NonEmpty<String>>,
    /// The output: auto (bars on a terminal, else lines), lines or json [default: auto]
    // Not `format`, which is the log's.
    #[arg(
        long = "format",
        env = "TWILIO_EMAIL_WATCH_FORMAT",
        value_name = "FORMAT"
    )]
    #[arg(value_parser = given(EnumValueParser::<Format>::new()), hide_env_values = true, hide_possible_values = true)]
    shape: Option<NonEmpty<Format>>,
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(flatten)]
    log: LogOptions,
}

/// An operation to follow.
#[derive(Debug, Clone, Copy)]
enum Watched {
    Operation(OperationId),
    /// Those on standard input.
    Input,
}

impl FromStr for Watched {
    type Err = <OperationId as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "-" => Ok(Self::Input),
            id => id.parse().map(Self::Operation),
        }
    }
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Until {
    #[default]
    Settled,
    Completed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    #[default]
    Auto,
    Lines,
    Json,
}

/// The exit codes, and the credentials.
fn help() -> String {
    format!(
        "\
Exit codes:
  0    all sends are done
  1    more emails were lost than --fail-above allows
  2    wrong usage or configuration
  3    a send cannot be read: unknown id, rejected credentials, wrong address
  124  the sends were not done within --timeout
  130  Ctrl-C

{CREDENTIALS_HELP}"
    )
}

fn timeout(text: &str) -> Result<Duration, String> {
    let timeout = parse_duration(text).map_err(|error| error.to_string())?;
    if timeout.is_zero() {
        return Err("expected a time above 0; leave --timeout out for none".to_owned());
    }
    Ok(timeout)
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text).map_err(|error| error.to_string())?;
    if !INTERVALS.contains(&interval) {
        return Err("expected 1s to 5m".to_owned());
    }
    Ok(interval)
}

pub(super) async fn run(options: &Options) -> Result<(), ProgramError> {
    // The output has all failures; log lines would damage the bars.
    logging::start(&options.log, LogLevel::Error);
    let settings = settings(options)?;
    let mut overrides = Overrides::default();
    options.connection.write_to(&mut overrides);
    let config = Config::load(&overrides, &environment::variable)?;
    logging::log_notices(&config);
    let name = NonEmpty::value(options.account.as_ref());
    let account = account(&config, name.as_deref())?;
    let clock = Clock::System;
    let instruments = Instruments::new(app::build()).context("cannot set up the client")?;
    let instruments = instruments.account(&account.name);
    let client =
        Client::new(account, instruments, clock.clone()).context("cannot set up the client")?;
    let stop = signals::stop_signal()?;
    let mut report = report(NonEmpty::value(options.shape.as_ref()).unwrap_or_default());
    let watch = watch::follow(&client, account, &settings, &clock, &mut *report, stop);
    match watch.await {
        Ok(ending) => match ending.exit_code() {
            0 => Ok(()),
            code => Err(ProgramError::Code(code, ending.error().map(str::to_owned))),
        },
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Err(ProgramError::Code(BROKEN_PIPE, None))
        }
        Err(error) => {
            let error = anyhow::Error::new(error);
            Err(error.context("cannot write to stdout").into())
        }
    }
}

fn report(format: Format) -> Box<dyn Report> {
    match (format, Terminal::stdout()) {
        (Format::Auto, Some(terminal)) => Box::new(terminal),
        (Format::Auto | Format::Lines, _) => Box::new(Lines::new(io::stdout())),
        (Format::Json, _) => Box::new(JsonLines::new(io::stdout())),
    }
}

fn settings(options: &Options) -> Result<Settings, ProgramError> {
    let mut operations = Vec::new();
    for watched in &options.operations {
        match watched {
            Watched::Operation(id) => operations.push(*id),
            Watched::Input => operations.extend(read_ids(io::stdin().lock())?),
        }
    }
    let mut seen = BTreeSet::new();
    operations.retain(|id| seen.insert(*id));
    if operations.is_empty() {
        return Err(usage("standard input has no operation id".to_owned()));
    }
    if operations.len() > MOST_OPERATIONS {
        return Err(usage(format!(
            "{} operations are too many for one watch, the most are {MOST_OPERATIONS}. The exporter and its dashboards show all of an account.",
            operations.len()
        )));
    }
    Ok(Settings {
        operations,
        goal: match NonEmpty::value(options.until.as_ref()).unwrap_or_default() {
            Until::Settled => Goal::Settled,
            Until::Completed => Goal::Completed,
        },
        fail_above: NonEmpty::value(options.fail_above.as_ref()),
        timeout: NonEmpty::value(options.timeout.as_ref()),
        interval: NonEmpty::value(options.interval.as_ref()).unwrap_or(INTERVAL),
    })
}

/// Reads ids that are separated by spaces, line breaks or commas.
fn read_ids(input: impl Read) -> Result<Vec<OperationId>, ProgramError> {
    let mut text = String::new();
    let read = input.take(LARGEST_INPUT + 1).read_to_string(&mut text);
    read.context("cannot read operation ids from standard input")?;
    if text.len() as u64 > LARGEST_INPUT {
        return Err(usage(format!(
            "standard input has more than {LARGEST_INPUT} bytes; expected at most {MOST_OPERATIONS} operation ids"
        )));
    }
    let words = text.split(|c: char| c.is_whitespace() || c == ',');
    let ids = words.filter(|word| !word.is_empty()).enumerate();
    ids.map(|(at, word)| {
        word.parse()
            .map_err(|error| usage(format!("standard input, word {}: {error}", at + 1)))
    })
    .collect()
}

/// The account that the user chose, or the only one.
fn account<'a>(config: &'a Config, name: Option<&str>) -> Result<&'a Account, ProgramError> {
    let names = || {
        let names: Vec<_> = config
            .accounts
            .iter()
            .map(|account| &*account.name)
            .collect();
        names.join(", ")
    };
    match (name, &config.accounts[..]) {
        (None, [only]) => Ok(only),
        (None, _) => Err(usage(format!(
            "the configuration has several accounts: give --account the one that sent the emails: {}",
            names()
        ))),
        (Some(name), accounts) => {
            let found = accounts.iter().find(|account| &*account.name == name);
            found.ok_or_else(|| {
                usage(format!(
                    "--account: the configuration has no such account; it has {}",
                    names()
                ))
            })
        }
    }
}

fn usage(message: String) -> ProgramError {
    ProgramError::Code(USAGE, Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";

    fn message(result: Result<Vec<OperationId>, ProgramError>) -> String {
        match result {
            Err(ProgramError::Code(USAGE, Some(message))) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ids_on_standard_input_are_separated_by_spaces_lines_or_commas() {
        let text = format!("{ID}\n  {ID},{ID}\r\n");
        assert_eq!(read_ids(text.as_bytes()).unwrap().len(), 3);
        assert!(read_ids(&b" \n"[..]).unwrap().is_empty());
        let wrong = message(read_ids(format!("{ID} s3cret").as_bytes()));
        assert!(wrong.starts_with("standard input, word 2: an operation id starts with"));
        assert!(!wrong.contains("s3cret"));
        let large = " ".repeat(20_000);
        assert!(message(read_ids(large.as_bytes())).contains("16384 bytes"));
    }

    #[test]
    fn times_are_within_their_limits() {
        assert_eq!(interval("1s"), Ok(Duration::from_secs(1)));
        for wrong in ["0s", "999ms", "6m", "soon"] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
        assert_eq!(timeout("1h"), Ok(Duration::from_hours(1)));
        assert!(timeout("0").is_err());
    }
}
