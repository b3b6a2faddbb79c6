//! Removes typed text from errors of the command line. A user may have typed a secret in place of an option, a command or a value.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Replaces removed text.
const HIDDEN: &str = "…";

/// `error` without typed text. Names of options and arguments stay.
pub(super) fn without_values(mut error: Error) -> Error {
    // In other errors, the argument is what was typed.
    let is_of_value = matches!(
        error.kind(),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation
    );
    for kind in [
        ContextKind::InvalidArg,
        ContextKind::InvalidSubcommand,
        ContextKind::InvalidValue,
    ] {
        let is_declared = is_of_value && kind == ContextKind::InvalidArg;
        let typed = match error.get(kind) {
            Some(ContextValue::String(text)) => !is_declared && !text.starts_with('-'),
            _ => false,
        };
        if typed {
            error.insert(kind, ContextValue::String(HIDDEN.to_owned()));
        }
    }
    // The tip "to pass it as a value" repeats the text.
    error.remove(ContextKind::Suggested);
    error
}

#[cfg(test)]
mod tests {
    use super::super::command_line;
    use super::*;

    fn message(arguments: &[&str]) -> String {
        let typed = std::iter::once("twilio-email-exporter").chain(arguments.iter().copied());
        let error = command_line().try_get_matches_from(typed).unwrap_err();
        without_values(error).to_string()
    }

    #[test]
    fn an_error_does_not_repeat_typed_text() {
        for arguments in [
            &["s3cret"][..],
            &["once", "s3cret"],
            &["--auth-token", "s3cret"],
            &["--auth-token=s3cret"],
            &["--twilio.auth-token=s3cret"],
            &["--web.listen-address", "s3cret"],
            &["--web.listen-address=s3cret"],
            &["--log.level", "s3cret"],
            &["--operation", "s3cret"],
            &["--twilio.discovery", "s3cret"],
            &["--storage.path", "x", "--", "s3cret"],
            &["simulate", "--simulator.latency", "s3cret"],
            &["simulate", "--simulator.seed", "s3cret"],
            &["simulate", "--simulator.listen-address", "s3cret"],
            &["watch", "s3cret"],
            &["completions", "s3cret"],
        ] {
            let message = message(arguments);
            assert!(!message.contains("s3cret"), "{arguments:?}: {message}");
            assert!(message.starts_with("error: "), "{message}");
        }
    }

    #[test]
    fn an_error_names_the_option_and_its_possible_values() {
        let message = message(&["--log.level", "verbose"]);
        assert!(message.contains("--log.level <LEVEL>"), "{message}");
        assert!(
            message.contains("error, warn, info, debug, trace"),
            "{message}"
        );
    }

    #[test]
    fn an_error_names_the_argument() {
        for (arguments, argument) in [
            (["watch", "x"], "for '<ID>...'"),
            (["completions", "x"], "for '<SHELL>'"),
        ] {
            let message = message(&arguments);
            assert!(message.contains(argument), "{message}");
        }
    }

    #[test]
    fn an_error_of_a_number_names_the_option_and_the_allowed_numbers() {
        for (option, allowed) in [
            ("--series.max-operations <N>", "0 to 1000000"),
            ("--web.max-requests <N>", "0 to 512"),
            ("--simulator.seed <N>", "0 to 18446744073709551615"),
            ("--simulator.operations <N>", "0 to 4294967295"),
            ("--simulator.active <N>", "0 to 4294967295"),
            ("--simulator.email-body <BYTES>", "0 to 1048576"),
        ] {
            let name = option.split(' ').next().unwrap();
            for wrong in ["x", "-1", "1.5", "99999999999999999999"] {
                let typed = format!("{name}={wrong}");
                let message = message(&["demo", &typed]);
                let reported = message.contains(&format!("for '{option}'"))
                    && message.contains(&format!("expected a whole number from {allowed}"));
                assert!(reported, "{typed}: {message}");
            }
        }
    }
}
