//! The string literals of Rust code that are sentences: messages, and texts of pages.

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
    let mut found = Vec::new();
    let mut rest = code;
    let mut is_in_word = false;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some((inside, length)) = raw(rest).filter(|_| !is_in_word) {
            found.push(inside.to_owned());
            length
        } else if first == '"' {
            let length = quoted(rest);
            found.push(continued(&rest[1..length.saturating_sub(1).max(1)]));
            length
        } else {
            character(rest).unwrap_or(first.len_utf8())
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
