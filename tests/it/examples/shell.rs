//! The commands of a shell block, as far as pages use the shell's grammar.

/// A command with its variables: `NAME=value command argument…`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) variables: Vec<String>,
    pub(super) words: Vec<String>,
}

/// The commands of a block: one a line, or several around `|`, `&&` and `;`.
pub(super) fn commands(block: &str) -> Vec<Command> {
    let joined = block.replace("\\\n", " ");
    joined.lines().flat_map(of_line).collect()
}

fn of_line(line: &str) -> Vec<Command> {
    let mut commands = Vec::new();
    let words = words(line);
    for words in words.split(|word| matches!(word.as_str(), "|" | "&&" | ";")) {
        let words = words
            .iter()
            .skip_while(|word| *word == "export" || *word == "sudo");
        let (mut variables, mut rest) = (Vec::new(), Vec::new());
        for word in words {
            let name = word.split_once('=').map(|(name, _)| name);
            match name.filter(|name| rest.is_empty() && is_variable(name)) {
                Some(name) => variables.push(name.to_owned()),
                None => rest.push(word.clone()),
            }
        }
        if !rest.is_empty() || !variables.is_empty() {
            commands.push(Command {
                variables,
                words: rest,
            });
        }
    }
    commands
}

fn is_variable(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    !name.is_empty() && name.chars().all(is_part)
}

/// The words of a line, without quotes and comments.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (c, quote) {
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (_, Some(open)) if c == open => quote = None,
            ('#', None) if word.is_none() => break,
            (' ' | '\t', None) => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn commands_have_their_variables_and_words() {
    let block = "# a comment\nexport A_B=1\nsudo C=2 run 'a b' --x=\"y z\"   # more\ncurl -s \\\n  url | jq '.a'\n";
    let command = |variables: &[&str], words: &[&str]| Command {
        variables: variables.iter().map(ToString::to_string).collect(),
        words: words.iter().map(ToString::to_string).collect(),
    };
    let wanted = [
        command(&["A_B"], &[]),
        command(&["C"], &["run", "a b", "--x=y z"]),
        command(&[], &["curl", "-s", "url"]),
        command(&[], &["jq", ".a"]),
    ];
    assert_eq!(commands(block), wanted);
}
