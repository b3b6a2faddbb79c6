//! A bcrypt hash of a password. Its text is never shown.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// The highest cost. Each step doubles the time of a check: 70 ms at 10, 15 s at 18. No scrape waits longer.
const HIGHEST_COST: u32 = 18;
/// The lowest cost that bcrypt has.
const LOWEST_COST: u32 = 4;
/// The length of every hash.
const LENGTH: usize = 60;

/// A checked bcrypt hash (`$2y$10$…`).
pub struct PasswordHash(SecretString);

impl PasswordHash {
    /// The hash in `text`.
    ///
    /// # Errors
    /// When it is not a bcrypt hash. The error repeats nothing of it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let cure = "Create one with `htpasswd -nBC 10 \"\"`";
        if !["$2a$", "$2b$", "$2x$", "$2y$"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            return Err(format!(
                "expected a bcrypt hash, which starts with $2y$, $2b$ or $2a$. {cure}"
            ));
        }
        if text.len() != LENGTH {
            return Err(format!(
                "expected a bcrypt hash of {LENGTH} characters, found {}. {cure}",
                text.chars().count()
            ));
        }
        let parts: bcrypt::HashParts = text
            .parse()
            .map_err(|_| format!("the bcrypt hash is malformed. {cure}"))?;
        let cost = parts.get_cost();
        if !(LOWEST_COST..=HIGHEST_COST).contains(&cost) {
            return Err(format!(
                "the cost of the bcrypt hash is {cost}; expected {LOWEST_COST} to {HIGHEST_COST}, because each step doubles the time of a check. {cure}"
            ));
        }
        Ok(Self(text.to_owned().into()))
    }

    /// Whether `password` belongs to the hash. Takes milliseconds to seconds of CPU time.
    #[must_use]
    pub fn matches(&self, password: &[u8]) -> bool {
        bcrypt::verify(password, self.0.expose_secret()).unwrap_or(false)
    }

    /// The text of the hash, as part of a cache key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of `made-up`, at the lowest cost.
    fn hash() -> String {
        bcrypt::hash("made-up", 4).unwrap()
    }

    #[test]
    fn only_the_password_of_the_hash_matches() {
        for version in ["$2a$", "$2b$", "$2y$"] {
            let text = version.to_owned() + &hash()[4..];
            let hash = PasswordHash::parse(&text).unwrap();
            assert!(hash.matches(b"made-up"), "{version}");
            for other in [&b"made-up "[..], b"", b"made", b"made-up\0", &[255; 100]] {
                assert!(!hash.matches(other), "{other:?}");
            }
            assert_eq!(format!("{hash:?}"), "[REDACTED]");
        }
    }

    #[test]
    fn an_error_contains_nothing_of_the_hash() {
        let good = hash();
        let wrong_salt = format!("{}!{}", &good[..7], &good[8..]);
        for wrong in [
            "s3cret",
            "",
            &good[..59],
            &good[1..],
            &format!("{good}x"),
            &wrong_salt,
            &good.replacen("$04$", "$03$", 1),
            &good.replacen("$04$", "$19$", 1),
            &good.replacen("$04$", "$xx$", 1),
            "$2y$10$ééééééééééééééééééééééééééé",
        ] {
            let error = PasswordHash::parse(wrong).unwrap_err();
            assert!(error.contains("htpasswd"), "{error}");
            for piece in [&good[10..20], "s3cret", "é"] {
                assert!(!error.contains(piece), "{error}");
            }
        }
    }
}
