//! Escaped label text. An operation's labels are part of each of its dozen or more samples, so they are escaped once per scrape.

use std::ops::Range;

use crate::operation::OperationId;

/// The label texts of many accounts or operations, such as `account="a",operation_id="b"`, in one allocation.
#[derive(Debug, Default)]
pub(super) struct LabelTexts {
    text: String,
    ends: Vec<usize>,
}

impl LabelTexts {
    /// Removes all texts and keeps the memory for the next scrape.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds the labels of an account.
    pub(super) fn push_account(&mut self, name: &str) {
        push_label(&mut self.text, "account", name);
        self.ends.push(self.text.len());
    }

    /// Adds the labels of an operation; `account` is the label text of its account.
    pub(super) fn push_operation(&mut self, account: &str, id: &OperationId) {
        self.text.push_str(account);
        self.text.push_str(",operation_id=\"");
        id.push_to(&mut self.text);
        self.text.push('"');
        self.ends.push(self.text.len());
    }

    /// The number of bytes of all texts together.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// The texts in the order in which they were added.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.range(0..self.ends.len())
    }

    pub(super) fn range(&self, places: Range<usize>) -> impl Iterator<Item = &str> {
        let mut start = places
            .start
            .checked_sub(1)
            .map_or(0, |last| self.ends[last]);
        self.ends[places].iter().map(move |&end| {
            let text = &self.text[start..end];
            start = end;
            text
        })
    }
}

/// The text `,name="value"`, which follows other labels.
pub(super) fn further(name: &str, value: &str) -> String {
    let mut text = String::new();
    push_further(&mut text, name, value);
    text
}

/// Appends `,name="value"`.
pub(super) fn push_further(text: &mut String, name: &str, value: &str) {
    text.push(',');
    push_label(text, name, value);
}

/// Whether Prometheus accepts `name` as the name of a label, and does not reserve it.
pub(super) fn is_label_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(plain)
        && !name.starts_with("__")
        && name.starts_with(|first: char| !first.is_ascii_digit())
}

fn push_label(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str("=\"");
    if value.contains(['\\', '"', '\n']) {
        for c in value.chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
    } else {
        text.push_str(value);
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        assert_eq!(further("a", "plain é"), ",a=\"plain é\"");
        assert_eq!(further("a", "\"q\" \\ \n\r"), ",a=\"\\\"q\\\" \\\\ \\n\r\"");
        assert_eq!(further("a", ""), ",a=\"\"");
    }

    #[test]
    fn texts_are_in_order_also_after_clear() {
        let id: OperationId = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
            .parse()
            .unwrap();
        let mut texts = LabelTexts::default();
        for _ in 0..2 {
            texts.clear();
            texts.push_account("a\"b");
            texts.push_operation("account=\"x\"", &id);
            let operation = format!("account=\"x\",operation_id=\"{id}\"");
            assert!(texts.iter().eq(["account=\"a\\\"b\"", &operation]));
            assert!(texts.range(1..2).eq([&operation]));
            assert_eq!(texts.range(1..1).count(), 0);
        }
    }

    #[test]
    fn names_that_prometheus_rejects_are_no_label_names() {
        for name in ["name", "_x", "Campaign_2"] {
            assert!(is_label_name(name), "{name}");
        }
        for name in ["", "__name__", "2nd", "a-b", "ä", "a b", "a\n"] {
            assert!(!is_label_name(name), "{name:?}");
        }
    }
}
