//! The parts of Rust code that have texts: string literals, comments, and names.

use std::path::Path;

/// Whether the whole file belongs to the tests.
pub(super) fn is_test(path: &Path) -> bool {
    const ENDINGS: [&str; 3] = ["tests", "corpus", "fuzzing"];
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    path.components().any(|part| part.as_os_str() == "tests")
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The literals with a space in `code`, without those of a unit test, which is at the end of a file.
pub(super) fn sentences(code: &str) -> Vec<String> {
    let code = code
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let found = literals(code).into_iter();
    found.filter(|literal| literal.contains(' ')).collect()
}

fn literals(code: &str) -> Vec<String> {
    let literals = pieces(code).into_iter().filter_map(|piece| match piece {
        Piece::Literal(literal) => Some(literal),
        Piece::Comment(_) | Piece::Code(_) => None,
    });
    literals.collect()
}

/// The comments in `code`, joined, so that a phrase may continue in the next line.
pub(super) fn comments(code: &str) -> String {
    let comments = pieces(code).into_iter().filter_map(|piece| match piece {
        Piece::Comment(comment) => Some(comment.trim_start_matches(['/', '!'])),
        Piece::Literal(_) | Piece::Code(_) => None,
    });
    comments.collect::<Vec<_>>().join("\n")
}

/// The names in `code`, without literals and comments, each in words: `take_up` and `TakeUp` are `take up`.
pub(super) fn names(code: &str) -> String {
    let mut names = String::new();
    for piece in pieces(code) {
        let Piece::Code(code) = piece else {
            names.push('\n');
            continue;
        };
        for character in code.chars() {
            if character.is_uppercase() && names.ends_with(char::is_lowercase) {
                names.push(' ');
            }
            match character {
                '_' => names.push(' '),
                character if character.is_alphanumeric() => names.push(character),
                // Two names that follow each other are no phrase.
                _ if names.ends_with(" . ") => {}
                _ => names.push_str(" . "),
            }
        }
    }
    names
}

/// A piece of code.
enum Piece<'c> {
    /// A comment up to the end of its line, with its slashes.
    Comment(&'c str),
    /// The content of a string literal.
    Literal(String),
    /// Anything else: a character, or a character literal.
    Code(&'c str),
}

fn pieces(code: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = code;
    let mut is_in_word = false;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            let length = rest.find('\n').unwrap_or(rest.len());
            found.push(Piece::Comment(&rest[..length]));
            length
        } else if let Some((inside, length)) = raw(rest).filter(|_| !is_in_word) {
            found.push(Piece::Literal(inside.to_owned()));
            length
        } else if first == '"' {
            let length = quoted(rest);
            let inside = &rest[1..length.saturating_sub(1).max(1)];
            found.push(Piece::Literal(continued(inside)));
            length
        } else {
            let length = character(rest).unwrap_or(first.len_utf8());
            found.push(Piece::Code(&rest[..length]));
            length
        };
        is_in_word = first.is_alphanumeric() || first == '_';
        rest = &rest[length..];
    }
    found
}

/// The text and the length of the raw string at the start of `code`.
fn raw(code: &str) -> Option<(&str, usize)> {
    let after = code.strip_prefix('r')?;
    let text = after.trim_start_matches('#');
    let marks = &after[..after.len() - text.len()];
    let text = text.strip_prefix('"')?;
    let end = format!("\"{marks}");
    let length = text.find(&end)?;
    Some((&text[..length], 1 + marks.len() + 1 + length + end.len()))
}

/// The length of the string at the start of `code`, with its quotes.
fn quoted(code: &str) -> usize {
    let mut characters = code.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '"' => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// The length of the character literal at the start of `code`; `None` for a lifetime.
fn character(code: &str) -> Option<usize> {
    let inside = code.strip_prefix('\'')?;
    let length = if inside.starts_with('\\') {
        2 + inside[2..].find('\'')?
    } else {
        inside.chars().next()?.len_utf8()
    };
    inside[length..].starts_with('\'').then_some(length + 2)
}

/// A literal with its lines joined: a backslash at the end of a line skips the spaces of the next one.
fn continued(literal: &str) -> String {
    let mut parts = literal.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start())
}

#[test]
fn literals_are_found_and_code_and_comments_are_not() {
    let code = r##"
        // a comment with "a text"
        let a = "one \"two\" \
            three"; let quote = '"'; let lifetime: &'static str = r#"a "raw" text"#;
        let (backslash, name) = ('\\', "word"); per"after a word";
        #[cfg(test)]
mod tests { "in a test" }"##;
    let found = sentences(code);
    assert_eq!(
        found,
        [r#"one \"two\" three"#, "a \"raw\" text", "after a word"]
    );
}

#[test]
fn comments_and_names_are_found_and_literals_are_not() {
    let code = "/// First\n/// second.\nfn take_up(a: TakeUp) { \"in a text\"; } // last";
    assert_eq!(comments(code), " First\n second.\n last");
    let names = names(code);
    let words: Vec<_> = names
        .split_whitespace()
        .filter(|word| *word != ".")
        .collect();
    assert_eq!(words.join(" "), "fn take up a Take Up");
}
