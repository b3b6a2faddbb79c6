//! The program. All of its code is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    twilio_email_exporter::cli::main()
}
