//! `completions` and `man`: the files that shells and `man` need, generated from the declaration of the command line.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use super::exit::ProgramError;
use super::output::write_result;

/// The options of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell that reads the completions
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// The options of `man`.
#[derive(Debug, clap::Args)]
pub(super) struct Manual {
    /// Directory for the pages of all commands; without it, the main page is printed
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// Prints the completions of `command`.
pub(super) fn completions(mut command: Command, options: &Completions) -> Result<(), ProgramError> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut command, name, &mut script);
    write_result(&script).context("cannot write the completions to stdout")?;
    Ok(())
}

/// Prints the main page of `command`, or writes the pages of all commands to a directory.
pub(super) fn manual(command: Command, options: &Manual) -> Result<(), ProgramError> {
    if let Some(directory) = &options.directory {
        return write_pages(command, directory);
    }
    let mut page = Vec::new();
    Man::new(command)
        .render(&mut page)
        .and_then(|()| write_result(&page))
        .context("cannot write the manual page to stdout")?;
    Ok(())
}

fn write_pages(command: Command, directory: &Path) -> Result<(), ProgramError> {
    std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(command, directory))
        .with_context(|| format!("cannot write manual pages to {}", directory.display()))?;
    Ok(())
}
