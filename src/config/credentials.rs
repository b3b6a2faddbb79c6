//! What an account shows Twilio to be let in: one complete pair of a SID and its secret.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::problem::Findings;

/// How requests are authorized.
#[derive(Clone)]
pub enum Credentials {
    /// HTTP Basic: an API key's SID and its secret, or the account's SID and its auth token.
    Basic {
        /// The SID.
        username: String,
        /// The secret or the token.
        password: SecretString,
    },
}

/// Which kind a SID is of; it shows in its first two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sid {
    Account,
    ApiKey,
}

/// What stands at one place of a configuration.
pub(super) enum Found<T> {
    Nothing,
    /// Something that has already been told as a problem.
    Wrong,
    This(T),
}

/// A SID and its secret, as far as they were given, and how their places are called.
pub(super) struct Pair {
    pub(super) sid: Found<String>,
    pub(super) sid_place: String,
    pub(super) secret: Found<SecretString>,
    pub(super) secret_place: String,
}

/// The SID hides too: with it starts every guess at a token.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { .. } => f.write_str("Basic([REDACTED])"),
        }
    }
}

impl Sid {
    const DIGITS: usize = 32;

    const fn prefix(self) -> &'static str {
        match self {
            Self::Account => "AC",
            Self::ApiKey => "SK",
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Account => "an account SID",
            Self::ApiKey => "an API key SID",
        }
    }

    /// Refuses a `text` that is no such SID, without repeating it: it may be a token in the wrong place.
    pub(super) fn check(self, text: &str) -> Result<String, String> {
        let digits = text.strip_prefix(self.prefix());
        let digit = |c: char| c.is_ascii_hexdigit();
        if digits.is_some_and(|digits| digits.len() == Self::DIGITS && digits.chars().all(digit)) {
            return Ok(text.to_owned());
        }
        let (noun, prefix, count) = (self.noun(), self.prefix(), Self::DIGITS);
        Err(format!(
            "{noun} is `{prefix}` and {count} hexadecimal digits"
        ))
    }
}

impl<T> Found<T> {
    pub(super) const fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// `None` becomes `Wrong`: whoever returned it told the problem.
    pub(super) fn told(value: Option<T>) -> Self {
        value.map_or(Self::Wrong, Self::This)
    }
}

impl Found<SecretString> {
    /// As a SID of the kind `sid`.
    pub(super) fn as_sid(&self, sid: Sid, place: &str, findings: &mut Findings) -> Found<String> {
        match self {
            Self::Nothing => Found::Nothing,
            Self::Wrong => Found::Wrong,
            Self::This(text) => Found::told(findings.take(place, sid.check(text.expose_secret()))),
        }
    }
}

impl Pair {
    pub(super) const fn is_nothing(&self) -> bool {
        self.sid.is_nothing() && self.secret.is_nothing()
    }

    /// Tells which half is missing.
    fn tell_half(&self, findings: &mut Findings) {
        let (missing, present) = match (self.sid.is_nothing(), self.secret.is_nothing()) {
            (true, false) => (&self.sid_place, &self.secret_place),
            (false, true) => (&self.secret_place, &self.sid_place),
            _ => return,
        };
        let present = present.rsplit('.').next().unwrap_or(present);
        findings.problem(
            missing,
            format_args!("missing, but needed beside {present}"),
        );
    }

    fn complete(self) -> Option<Credentials> {
        match (self.sid, self.secret) {
            (Found::This(username), Found::This(password)) => {
                Some(Credentials::Basic { username, password })
            }
            _ => None,
        }
    }
}

/// Chooses between the pairs that were given. An API key wins, because it can be revoked by itself.
///
/// An account's SID beside an API key is no half pair: many environments set it for everything of Twilio's.
/// `None`, where at least one pair was begun, means that a problem has been told.
pub(super) fn choose(key: Pair, token: Pair, findings: &mut Findings) -> Option<Credentials> {
    key.tell_half(findings);
    if key.is_nothing() || !token.secret.is_nothing() {
        token.tell_half(findings);
    }
    let (key_place, token_place) = (key.sid_place.clone(), token.secret_place.clone());
    match (key.complete(), token.complete()) {
        (Some(key), Some(_)) => {
            let message = format_args!("not used: the API key of {key_place} is preferred");
            findings.notice(&token_place, message);
            Some(key)
        }
        (key, token) => key.or(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_has_its_letters_and_32_digits() {
        let sid = format!("AC{}", "0".repeat(32));
        assert_eq!(Sid::Account.check(&sid), Ok(sid.clone()));
        let told = Err("an API key SID is `SK` and 32 hexadecimal digits".to_owned());
        for wrong in [
            &sid,
            "",
            "SK",
            &format!("SK{}", "g".repeat(32)),
            &format!("SK{}", "0".repeat(33)),
        ] {
            assert_eq!(Sid::ApiKey.check(wrong), told, "{wrong}");
        }
    }

    #[test]
    fn debug_shows_neither_half() {
        let credentials = Credentials::Basic {
            username: "AC123".into(),
            password: SecretString::from("s3cret"),
        };
        assert_eq!(format!("{credentials:?}"), "Basic([REDACTED])");
    }
}
