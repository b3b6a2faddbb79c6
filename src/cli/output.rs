//! Writes to standard output and standard error. A full disk or a closed pipe never causes a panic.

use std::fmt::Display;
use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

/// Standard error, for the log. A line that cannot be written is lost, and the caller continues.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogOutput;

impl Write for LogOutput {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // There is no other place to report the error.
        let _ = io::stderr().write_all(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogOutput {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}

/// Writes a message and a line break to standard error. Errors are ignored.
pub(super) fn write_message(message: impl Display) {
    // One write, so that other processes' lines do not interleave.
    let _ = LogOutput.write_all(format!("{message}\n").as_bytes());
}

/// Writes a notice for a person to standard output. Errors are ignored.
pub(super) fn write_notice(notice: impl Display) {
    let mut output = io::stdout().lock();
    // The notice is not the command's result, so the command continues without it.
    let _ = writeln!(output, "{notice}").and_then(|()| output.flush());
}

/// Writes a command's result to standard output.
///
/// # Errors
/// When not all of it could be written.
pub(super) fn write_result(result: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(result)?;
    output.flush()
}
