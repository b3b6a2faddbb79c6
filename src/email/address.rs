//! Finds the domain in an address as mail headers write it (<https://www.rfc-editor.org/rfc/rfc5322#section-3.4>).
//!
//! It copies only text that may be a domain: what follows an `@` outside quotes and comments. It reads every form of the RFC, obsolete
//! ones included; text in any other form gives no domain.

use std::iter::Peekable;
use std::str::Chars;

use super::domain::Domain;

impl Domain {
    /// The domain of an address in the form of a mail header (RFC 5322, section 3.4), or of several; `None` if there is no address, or
    /// one without a domain, or two with different domains.
    #[must_use]
    pub fn of_address(text: &str) -> Option<Self> {
        domain(text)
    }
}

fn domain(text: &str) -> Option<Domain> {
    let mut reader = AddressReader {
        chars: text.chars().peekable(),
        domain: None,
        place: Place::Outside,
        found: Found::Nothing,
        has_text: false,
        has_local_part: false,
    };
    reader.read();
    match reader.found {
        Found::Domain(domain) => Some(domain),
        Found::Nothing | Found::Unclear => None,
    }
}

/// The part of an address that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before or without angle brackets.
    Outside,
    /// In angle brackets.
    Inside,
    /// After angle brackets, where no address can be.
    Behind,
}

/// The addresses read so far.
#[derive(Debug)]
enum Found {
    Nothing,
    Domain(Domain),
    Unclear,
}

struct AddressReader<'a> {
    chars: Peekable<Chars<'a>>,
    /// The text after the last `@`.
    domain: Option<String>,
    place: Place,
    found: Found,
    /// Whether the current address has any text.
    has_text: bool,
    /// Whether there is any text that an `@` may follow. Without it, `@jane.doe` would be a domain.
    has_local_part: bool,
}

impl AddressReader<'_> {
    fn read(&mut self) {
        while let Some(next) = self.chars.next() {
            match (next, self.place) {
                ('"', _) => {
                    self.skip_quoted();
                    self.push('"');
                }
                ('(', _) => self.skip_comment(),
                ('\\', _) => {
                    self.chars.next();
                    self.push('\\');
                }
                ('<', Place::Outside) => {
                    // What came before was a name.
                    self.restart();
                    self.has_text = true;
                    self.place = Place::Inside;
                }
                ('>', Place::Inside) => {
                    self.end_address();
                    self.place = Place::Behind;
                }
                // An obsolete route (`<@relay.example,@other.example:jane@example.com>`) is no part of the address.
                (',' | ':', Place::Inside) => self.restart(),
                (',' | ';', Place::Outside | Place::Behind) => {
                    self.end_address();
                    self.place = Place::Outside;
                }
                // The name of a group, or `mailto:`.
                (':', Place::Outside) => {
                    self.restart();
                    self.has_text = false;
                }
                (_, Place::Behind) => {}
                ('@', _) => {
                    self.has_text = true;
                    self.domain = self.has_local_part.then(String::new);
                }
                (other, _) => self.push(other),
            }
        }
        self.end_address();
    }

    /// Drops the text that is not part of the current address.
    fn restart(&mut self) {
        self.domain = None;
        self.has_local_part = false;
    }

    fn push(&mut self, next: char) {
        let is_text = self.place != Place::Behind && !next.is_whitespace();
        self.has_text |= is_text;
        self.has_local_part |= is_text;
        if let Some(domain) = &mut self.domain {
            domain.push(next);
        }
    }

    /// Skips a quoted string up to its end, or to the end of the text.
    fn skip_quoted(&mut self) {
        while let Some(next) = self.chars.next() {
            match next {
                '"' => return,
                '\\' => {
                    self.chars.next();
                }
                _ => {}
            }
        }
    }

    /// Skips a comment, which may contain others.
    fn skip_comment(&mut self) {
        let mut depth = 1_usize;
        while depth > 0
            && let Some(next) = self.chars.next()
        {
            match next {
                '(' => depth += 1,
                ')' => depth -= 1,
                '\\' => {
                    self.chars.next();
                }
                _ => {}
            }
        }
    }

    /// Notes the address that ends here, if there is one.
    fn end_address(&mut self) {
        let had_text = std::mem::take(&mut self.has_text);
        let domain = self.domain.take();
        self.restart();
        if !had_text {
            return;
        }
        let domain = domain.and_then(|domain| Domain::parse(&domain));
        let before = std::mem::replace(&mut self.found, Found::Unclear);
        self.found = match (before, domain) {
            (Found::Nothing, Some(domain)) => Found::Domain(domain),
            (Found::Domain(before), Some(domain)) if before == domain => Found::Domain(domain),
            _ => Found::Unclear,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_domain_is_found_in_every_form_of_an_address() {
        for text in [
            "jane@example.com",
            " Jane.Doe+news@EXAMPLE.com. ",
            "<jane@example.com>",
            "Jane Doe <jane@example.com>",
            "\"jane@wrong.example\" <jane@example.com>",
            "jane@wrong.example <jane@example.com>",
            "\"Doe, Jane \\\" <x@wrong.example>\" <jane@example.com> (at @wrong.example)",
            "\"jane@wrong.example\"@example.com",
            "\"a\\\"@wrong.example\"@example.com",
            "jane\\@wrong.example@example.com",
            "jane@wrong.example@example.com",
            "jane%wrong.example@example.com",
            "(x@wrong.example) jane@example.com (Jane (at \\) @wrong.example))",
            "jane@(home)example.com",
            "jane@example.com (Jane",
            "<@wrong.example,@other.example:jane@example.com>",
            "Team: jane@example.com;",
            "Team: jane@example.com, Joe <joe@Example.com>;",
            "jane@example.com,",
            "mailto:jane@example.com",
            "j\u{e9}r\u{f4}me@example.com",
            "<jane@example.com> joe@wrong.example",
        ] {
            let found = domain(text).map(|domain| domain.to_string());
            assert_eq!(found.as_deref(), Some("example.com"), "{text}");
        }
        let unicode = domain("jane@b\u{fc}cher.example").unwrap();
        assert_eq!(unicode.as_str(), "xn--bcher-kva.example");
    }

    #[test]
    fn what_has_no_domain_or_two_gives_none() {
        for text in [
            "",
            " ",
            "jane",
            "example.com",
            "jane@",
            "jane@localhost",
            "@jane.doe",
            "Jane <@jane.doe>",
            "jane@[192.0.2.1]",
            "jane@[IPv6:2001:db8::1]",
            "jane@192.0.2.1",
            "jane@example.com joe",
            "jane@ex ample.com",
            "jane@\"example\".com",
            "\"jane@example.com",
            "(jane@example.com",
            "jane@example\\.com",
            "undisclosed-recipients:;",
            "jane@example.com, joe@example.net",
            "jane@example.com, joe",
            "joe, jane@example.com",
            "Jane <> joe@example.com",
            "mailto:jane@example.com?subject=x",
            "jane@example.com\u{0}",
        ] {
            assert_eq!(domain(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_nothing_but_a_domain_is_found(text in "[a-z@<>()\",;:\\\\\\[\\] .\u{e9}-]{0,40}") {
            if let Some(domain) = domain(&text) {
                prop_assert_eq!(Domain::parse(domain.as_str()), Some(domain.clone()));
                prop_assert!(domain.as_str().bytes().all(|c| c.is_ascii_alphanumeric() || b".-_".contains(&c)));
            }
        }
    }
}
