//! The domain of an address: the only part that is kept of it. It has one form, so that equal domains compare as equal.

use std::borrow::Borrow;
use std::fmt;

/// The longest domain and the longest label of one, in characters (RFC 1035, section 2.3.4).
const LONGEST: usize = 253;
const LONGEST_LABEL: usize = 63;

/// A domain in lower case and in its ASCII form (IDNA), such as `example.com` or `xn--bcher-kva.example`.
///
/// It has at least two labels and is no IP address, so that a mistyped address whose last part is a name is not taken for a domain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(Box<str>);

impl Domain {
    /// Parses a domain in any case, with or without a final dot, in Unicode or ASCII.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > 4 * LONGEST {
            return None;
        }
        let ascii = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(text).ok()?
        };
        let domain = ascii.strip_suffix('.').unwrap_or(&ascii);
        let mut labels = domain.split('.');
        let is_domain = domain.len() <= LONGEST
            && domain.contains('.')
            && labels.clone().all(is_label)
            // The last label of an IP address is a number.
            && labels.next_back().is_some_and(|last| !last.bytes().all(|c| c.is_ascii_digit()));
        is_domain.then(|| Self(Box::from(domain)))
    }

    /// The domain.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Some domains of mail servers have underscores.
fn is_label(label: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
}

impl Borrow<str> for Domain {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_lower_case_and_ascii() {
        for (text, domain) in [
            ("Example.COM", "example.com"),
            (" mail.example.com. ", "mail.example.com"),
            ("B\u{fc}cher.example", "xn--bcher-kva.example"),
            ("b\u{fc}cher\u{3002}example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("1.example", "1.example"),
            ("a_b.example", "a_b.example"),
        ] {
            assert_eq!(Domain::parse(text).unwrap().as_str(), domain, "{text}");
        }
    }

    #[test]
    fn what_is_no_domain_is_rejected() {
        let long = format!("{}.example", "a".repeat(64));
        let longer = "a.".repeat(127) + "example";
        let longest = "\u{fc}".repeat(100_000);
        for text in [
            "",
            ".",
            "a",
            "jane",
            ".a.b",
            "a..b",
            "a.b..",
            "-a.b",
            "a-.b",
            "a b.c",
            "a.b/c",
            "a.b?c",
            "192.0.2.1",
            "[192.0.2.1]",
            "a.7",
            "a@b.c",
            "a\u{0}.b",
            "a\u{200d}.b",
            &long,
            &longer,
            &longest,
        ] {
            assert_eq!(Domain::parse(text), None, "{text:?}");
        }
    }
}
