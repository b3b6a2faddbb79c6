//! Fuzz target: the escaping of labels. It reads the written text again with a strict reader that shares no code with the writer.

use super::labels::{LabelTexts, is_label_name, push_further};

/// Writes the lines of `input`, a name and its value in turns, as labels. Values are separated by NUL, because they may have line breaks.
///
/// # Panics
/// If the written text is not valid, or does not read as what was written.
pub fn label_text(input: &[u8]) {
    let input = String::from_utf8_lossy(input);
    let mut parts = input.split('\0');
    let account = parts.next().unwrap_or_default();
    let mut texts = LabelTexts::default();
    texts.push_account(account);
    let mut text = texts.iter().collect::<String>();
    let mut written = vec![("account".to_owned(), account.to_owned())];
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        if is_label_name(name) {
            push_further(&mut text, name, value);
            written.push((name.to_owned(), value.to_owned()));
        }
    }
    assert_eq!(read(&text), Some(written), "{text:?}");
}

/// Reads `a="b",c="d"` as Prometheus' format describes it: `\\`, `\"` and `\n` are the only escapes, and a line break ends the sample.
fn read(text: &str) -> Option<Vec<(String, String)>> {
    let mut labels = Vec::new();
    let mut rest = text;
    loop {
        let (name, quoted) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut characters = quoted.chars();
        loop {
            match characters.next()? {
                '"' => break,
                '\n' => return None,
                '\\' => value.push(match characters.next()? {
                    'n' => '\n',
                    escaped @ ('\\' | '"') => escaped,
                    _ => return None,
                }),
                plain => value.push(plain),
            }
        }
        labels.push((name.to_owned(), value));
        rest = characters.as_str();
        if rest.is_empty() {
            return Some(labels);
        }
        rest = rest.strip_prefix(',')?;
    }
}
