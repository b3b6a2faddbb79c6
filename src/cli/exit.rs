//! Exit codes: 0 fine, 1 failed while running, 2 wrong usage or configuration.

use std::process::ExitCode;

use super::output::write_message;
use crate::config::ConfigError;

/// Why the program ends badly.
#[derive(Debug)]
pub(super) enum ProgramError {
    /// The configuration is wrong.
    Configuration(ConfigError),
    /// It started, or could have.
    Running(anyhow::Error),
}

impl From<ConfigError> for ProgramError {
    fn from(error: ConfigError) -> Self {
        Self::Configuration(error)
    }
}

impl From<anyhow::Error> for ProgramError {
    fn from(error: anyhow::Error) -> Self {
        Self::Running(error)
    }
}

/// Says on stderr what is wrong, and with which code to exit. Not through the log: its format or level may be what is wrong.
pub(super) fn report(failure: &ProgramError) -> ExitCode {
    match failure {
        ProgramError::Configuration(error) => {
            write_message(format_args!("twilio-email-exporter: {error}"));
            ExitCode::from(2)
        }
        ProgramError::Running(error) => {
            write_message(format_args!("twilio-email-exporter: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
