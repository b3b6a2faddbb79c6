//! Generates the tables of `docs/configuration.md` from clap's options and from `config::keys`.
//!
//! A table is between two comments in the page; everything else in the page is written by hand.

use clap::{Arg, Args, Command};

use super::{LogOptions, ServeOptions};
use crate::config::keys::{CREDENTIALS, Key, SECTIONS, Section, TOKEN_URL};

/// The comment before a table, followed by the table's name.
const BEGIN: &str = "<!-- table: ";
/// The end of that comment.
const HOW: &str = " (generated; `UPDATE_DOCS=1 cargo test --lib options` writes it) -->\n";
/// The comment after a table.
const END: &str = "<!-- end of table -->\n";

/// The exporter's options as a clap command.
fn options() -> Command {
    let command = ServeOptions::augment_args(Command::new("twilio-email-exporter"));
    LogOptions::augment_args(command)
}

/// The table of options, without those that `--help` hides.
#[must_use]
pub fn option_table() -> String {
    let mut table = header(&[
        "option",
        "variable",
        "key in the file",
        "default",
        "meaning",
    ]);
    for option in options()
        .get_arguments()
        .filter(|option| !option.is_hide_set())
    {
        let name = format!("`--{} {}`", long(option), value_name(option));
        let variable = option.get_env().unwrap_or_default().display();
        let key = key_of(long(option)).map_or(String::new(), |path| format!("`{path}`"));
        let cells = [
            &name,
            &format!("`{variable}`"),
            &key,
            &default_of(option),
            &meaning_of(option),
        ];
        table += &row(&cells.map(String::as_str));
    }
    table
}

/// `page` with current tables.
///
/// # Errors
/// The name of the first table that does not occur exactly once.
pub fn with_tables(page: &str) -> Result<String, String> {
    let tables = [
        ("options".to_owned(), option_table()),
        ("credentials".to_owned(), credential_table()),
    ];
    let sections = SECTIONS.iter();
    let sections = sections.map(|section| (section.path.to_owned(), section_table(section)));
    let mut page = page.to_owned();
    for (name, table) in tables.into_iter().chain(sections) {
        let begin = format!("{BEGIN}{name}{HOW}");
        let parts: Vec<&str> = page.split(&begin).collect();
        let [before, rest] = parts[..] else {
            return Err(name);
        };
        let (_, after) = rest.split_once(END).ok_or(name)?;
        page = format!("{before}{begin}\n{table}\n{END}{after}");
    }
    Ok(page)
}

fn credential_table() -> String {
    let mut table = header(&["variable", "what"]);
    for variables in CREDENTIALS {
        let names: Vec<String> = variables
            .names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        table += &row(&[&names.join(", "), variables.meaning]);
    }
    table += &row(&[
        "each of them with `_FILE`",
        "a file that holds the value instead (`TWILIO_AUTH_TOKEN_FILE=/run/secrets/token`)",
    ]);
    let url = "where the OAuth client gets its tokens; `https://oauth.twilio.com/v2/token` if it is not set";
    table + &row(&[&format!("`{TOKEN_URL}`"), url])
}

fn section_table(section: &Section) -> String {
    let mut table = header(&["key", "default", "meaning"]);
    for key in section.keys {
        let name = format!("`{}`", key.name);
        table += &match key.option {
            None => row(&[&name, key.default, key.meaning]),
            Some(option) if section.path == "accounts[]" => row(&[
                &name,
                &format!("`--{option}`"),
                &format!("as `--{option}`, for this account"),
            ]),
            Some(option) => {
                let default = find(option).map_or(String::new(), |option| default_of(&option));
                row(&[&name, &default, &format!("as `--{option}`")])
            }
        };
    }
    table
}

fn header(cells: &[&str]) -> String {
    row(cells) + "|" + &"---|".repeat(cells.len()) + "\n"
}

fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| format!(" {cell} ")).collect();
    // An empty cell has one space.
    format!("|{}|\n", cells.join("|"))
        .replace("|  |", "| |")
        .replace("|  |", "| |")
}

fn find(long: &str) -> Option<Arg> {
    let command = options();
    let mut options = command.get_arguments();
    options
        .find(|option| option.get_long() == Some(long))
        .cloned()
}

fn long(option: &Arg) -> &str {
    option.get_long().unwrap_or_default()
}

fn value_name(option: &Arg) -> String {
    let names = option.get_value_names().unwrap_or_default();
    names.iter().map(ToString::to_string).collect()
}

/// The path of the key that sets the same value as an option.
fn key_of(long: &str) -> Option<String> {
    let keys = SECTIONS
        .iter()
        .flat_map(|section| section.keys.iter().map(move |key| (section, key)));
    let mut keys = keys.filter(|(_, key): &(_, &Key)| key.option == Some(long));
    keys.next()
        .map(|(section, key)| format!("{}.{}", section.path, key.name))
}

/// The default that the help names.
fn default_of(option: &Arg) -> String {
    let help = option
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let default = help.split_once("[default: ").map(|(_, rest)| rest);
    let default = default.and_then(|rest| rest.split([']', ',']).next());
    match default {
        Some("none") | None => "none".to_owned(),
        Some(default) => format!("`{default}`"),
    }
}

/// The paragraphs of the help after the first one; the first one if it is the only one.
fn meaning_of(option: &Arg) -> String {
    let help = option.get_long_help().or(option.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    match help.split_once("\n\n") {
        Some((_, meaning)) => meaning.replace('\n', " "),
        None => help,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");

    #[test]
    fn the_page_has_the_current_tables() {
        let page = fs::read_to_string(PAGE).unwrap();
        let wanted =
            with_tables(&page).expect("every table has its place in docs/configuration.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(PAGE, &wanted).unwrap();
            return;
        }
        assert!(
            page == wanted,
            "docs/configuration.md has other tables; UPDATE_DOCS=1 cargo test --lib options writes them"
        );
    }

    #[test]
    fn the_page_names_every_option_variable_and_key() {
        let page = fs::read_to_string(PAGE).unwrap();
        let mut names = Vec::new();
        for option in options().get_arguments() {
            names.push(format!("`--{}", long(option)));
            // Those that `--help` hides are named in the text.
            if !option.is_hide_set() {
                names.push(format!("`{}`", option.get_env().unwrap().display()));
                assert!(!value_name(option).is_empty(), "{option}");
            }
        }
        let variables = CREDENTIALS
            .iter()
            .flat_map(|row| row.names)
            .chain([&TOKEN_URL]);
        names.extend(variables.map(|name| format!("`{name}`")));
        for section in SECTIONS {
            names.push(format!("`{}`", section.path.trim_end_matches("[]")));
            names.extend(section.keys.iter().map(|key| format!("| `{}` |", key.name)));
        }
        assert!(names.len() > 70, "only {names:?}");
        let missing: Vec<_> = names.iter().filter(|name| !page.contains(*name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn a_key_that_sets_an_option_names_one() {
        for key in SECTIONS.iter().flat_map(|section| section.keys) {
            if let Some(option) = key.option {
                let option = find(option).expect(option);
                assert!(
                    option_table().contains(&format!(".{}`", key.name)),
                    "{option}"
                );
            }
        }
    }

    #[test]
    fn the_help_names_every_credential_and_every_option_has_a_default() {
        let help = super::super::CREDENTIALS_HELP;
        for name in CREDENTIALS.iter().flat_map(|row| row.names) {
            assert!(help.contains(name), "{name}");
        }
        for option in options()
            .get_arguments()
            .filter(|option| !option.is_hide_set())
        {
            let help = option.get_help().unwrap().to_string();
            assert!(help.contains("[default: ") && help.ends_with(']'), "{help}");
        }
    }

    #[test]
    fn a_page_without_a_table_is_an_error() {
        let begin = format!("{BEGIN}options{HOW}");
        assert_eq!(with_tables(""), Err("options".to_owned()));
        assert_eq!(with_tables(&begin), Err("options".to_owned()));
        assert_eq!(
            with_tables(&format!("{begin}{END}{begin}{END}")),
            Err("options".to_owned())
        );
        // The next table that is missing.
        assert_eq!(
            with_tables(&format!("{begin}{END}")),
            Err("credentials".to_owned())
        );
    }
}
