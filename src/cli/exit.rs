//! The exit codes: 0 success, 1 failure while running, 2 wrong usage or configuration. `watch` has further ones.

use std::process::ExitCode;

use super::output::write_message;
use crate::config::ConfigError;

/// Why the program fails.
#[derive(Debug)]
pub(super) enum ProgramError {
    /// The configuration is wrong.
    Configuration(ConfigError),
    /// A failure with its own exit code, and a message if there is one.
    Code(u8, Option<String>),
    /// Any other failure.
    Running(anyhow::Error),
}

impl From<ConfigError> for ProgramError {
    fn from(error: ConfigError) -> Self {
        Self::Configuration(error)
    }
}

impl From<anyhow::Error> for ProgramError {
    /// The web configuration is read only when the exporter binds its addresses.
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<ConfigError>() {
            Ok(error) => Self::Configuration(error),
            Err(error) => Self::Running(error),
        }
    }
}

/// Prints the error to stderr and returns the exit code. It does not use the log, whose options may be the wrong ones.
pub(super) fn report(failure: &ProgramError) -> ExitCode {
    match failure {
        ProgramError::Configuration(error) => {
            write_message(format_args!("twilio-email-exporter: {error}"));
            ExitCode::from(2)
        }
        ProgramError::Code(code, message) => {
            if let Some(message) = message {
                write_message(format_args!("twilio-email-exporter: {message}"));
            }
            ExitCode::from(*code)
        }
        ProgramError::Running(error) => {
            write_message(format_args!("twilio-email-exporter: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
