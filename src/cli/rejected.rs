//! Errors of the command line without what was typed: a secret may stand where an option, a command or a value should.

use clap::Error;
use clap::error::{ContextKind, ContextValue};

/// Stands for what is not shown.
const HIDDEN: &str = "…";

/// `error` without values and words; names of options stay.
pub(super) fn without_values(mut error: Error) -> Error {
    for kind in [
        ContextKind::InvalidArg,
        ContextKind::InvalidSubcommand,
        ContextKind::InvalidValue,
    ] {
        let typed = match error.get(kind) {
            Some(ContextValue::String(text)) => !text.starts_with('-'),
            _ => false,
        };
        if typed {
            error.insert(kind, ContextValue::String(HIDDEN.to_owned()));
        }
    }
    // "To pass it as a value" quotes it once more.
    error.remove(ContextKind::Suggested);
    error
}

#[cfg(test)]
mod tests {
    use super::super::command_line;
    use super::*;

    fn told(arguments: &[&str]) -> String {
        let typed = std::iter::once("twilio-email-exporter").chain(arguments.iter().copied());
        let error = command_line().try_get_matches_from(typed).unwrap_err();
        without_values(error).to_string()
    }

    #[test]
    fn what_was_typed_in_a_wrong_place_is_not_repeated() {
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
        ] {
            let told = told(arguments);
            assert!(!told.contains("s3cret"), "{arguments:?}: {told}");
            assert!(told.starts_with("error: "), "{told}");
        }
    }

    #[test]
    fn the_option_and_what_it_takes_are_told() {
        let told = told(&["--log.level", "verbose"]);
        assert!(told.contains("--log.level <LEVEL>"), "{told}");
        assert!(told.contains("error, warn, info, debug, trace"), "{told}");
    }
}
