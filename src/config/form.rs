//! The forms of secrets. A text of another form is refused when it is read, and no error contains any part of it.

use serde::de::IgnoredAny;

use super::sid::Sid;

/// The kind of a secret, or of the name that belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// An account's or an API key's SID.
    Sid(Sid),
    /// An OAuth client's id.
    ClientId,
    /// An auth token, an API key's secret, an OAuth client's secret. Twilio's are letters and digits; RFC 6749, appendix A,
    /// allows all visible ASCII characters in a client's secret.
    Secret,
    /// A password for Basic authentication. It may contain spaces and all of Unicode.
    Password,
    /// The text after the scheme in `Authorization`.
    Credentials,
}

impl Form {
    /// Whether white space around the secret is ignored, as in Prometheus for passwords and credentials.
    pub(super) const fn is_trimmed(self) -> bool {
        matches!(self, Self::Password | Self::Credentials)
    }

    /// Refuses a `text` of another form.
    pub(super) fn check(self, text: &str) -> Result<(), String> {
        match self {
            Self::Sid(sid) => return sid.check(text),
            Self::ClientId if !is_word(text) => {
                return Err(
                    "a client's id is one word without white space or control characters".into(),
                );
            }
            _ => {}
        }
        match self.fault(text) {
            Some(fault) => Err(fault.to_owned()),
            None => Ok(()),
        }
    }

    fn fault(self, text: &str) -> Option<&'static str> {
        if text.contains("-----BEGIN ") {
            return Some(
                "holds a certificate or a key in PEM; it must be the secret and nothing else",
            );
        }
        if is_json(text) {
            return Some("holds JSON; it must be the secret and nothing else");
        }
        if self == Self::Password {
            let odd = text.contains(|c: char| c.is_control() || is_invisible(c));
            return odd.then_some(
                "holds control characters or invisible ones; it must be the password and nothing else",
            );
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Some(
                "holds white space or control characters; it must be the secret and nothing else",
            );
        }
        if !text.is_ascii() {
            return Some(
                "holds characters beyond ASCII, perhaps invisible ones; copy it once more",
            );
        }
        if self != Self::Secret {
            return None;
        }
        let quoted = |quote| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
        if quoted('"') || quoted('\'') {
            return Some("is in quotation marks, which would be part of it; remove them");
        }
        if text
            .split_once('=')
            .is_some_and(|(name, _)| name.starts_with("TWILIO_"))
        {
            return Some("holds a variable's name as well; it must be the secret and nothing else");
        }
        if Sid::begins(text) {
            return Some("is a SID; write the secret that belongs to the SID");
        }
        None
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether `text` is an object or a list with text in it, as secret managers print it.
fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
        && text.contains('"')
        && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Whether `c` is an invisible mark that no keyboard types: byte order, width, direction.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(form: Form, text: &str) -> String {
        let reported = form.check(text).err().unwrap_or_default();
        assert!(!reported.contains("s3cret"), "{reported}");
        reported
    }

    #[test]
    fn usual_secrets_are_accepted() {
        for text in [
            "0123456789abcdef0123456789abcdef",
            "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF",
            "made-up-token",
            "a/b+c==",
            "{s3cret}",
            "[]",
            "\"",
            "x=y",
            "AC",
            "ACs3cret",
        ] {
            for form in [Form::Secret, Form::Password, Form::Credentials] {
                assert_eq!(reported(form, text), "", "{text}");
            }
        }
        assert_eq!(reported(Form::Password, "correct horse  båttery"), "");
        assert_eq!(reported(Form::Password, &sid("AC")), "");
        assert_eq!(reported(Form::ClientId, &sid("OQ")), "");
    }

    fn sid(prefix: &str) -> String {
        prefix.to_owned() + &"0".repeat(32)
    }

    #[test]
    fn a_text_that_cannot_be_a_secret_is_refused_with_the_reason() {
        let pem = "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----";
        let account = sid("AC");
        let pair = sid("SK") + ":s3cret";
        let client = sid("OQ");
        for (text, why) in [
            (pem, "PEM"),
            (r#"{"token": "s3cret"}"#, "JSON"),
            (r#"["s3cret"]"#, "JSON"),
            (r#"{"token":"s3cret"}"#, "JSON"),
            ("s3 cret", "white space"),
            ("s3\tcret", "white space"),
            ("s3\u{a0}cret", "white space"),
            ("s3\ncret", "white space"),
            ("s3\0cret", "control characters"),
            ("s3\u{7f}cret", "control characters"),
            ("s3cret\u{200b}", "beyond ASCII"),
            ("\u{feff}s3cret", "beyond ASCII"),
            ("“s3cret”", "beyond ASCII"),
            ("\"s3cret\"", "quotation marks"),
            ("'s3cret'", "quotation marks"),
            ("TWILIO_AUTH_TOKEN=s3cret", "a variable's name"),
            (&account, "a SID"),
            (&pair, "a SID"),
            (&client, "a SID"),
        ] {
            let reported = reported(Form::Secret, text);
            assert!(reported.contains(why), "{text:?}: {reported:?}");
        }
    }

    #[test]
    fn a_client_id_is_one_word() {
        assert_eq!(reported(Form::ClientId, "OQ0123"), "");
        for wrong in ["", " ", "two words", "line\nbreak", "é", "\u{feff}x"] {
            assert!(
                reported(Form::ClientId, wrong).contains("one word"),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn a_password_may_contain_spaces_but_no_invisible_characters() {
        for (text, why) in [
            ("s3\ncret", "control characters"),
            ("s3\tcret", "control characters"),
            ("s3\u{feff}cret", "invisible"),
            ("s3cret\u{202e}", "invisible"),
            (r#"{"password": "s3cret"}"#, "JSON"),
        ] {
            let reported = reported(Form::Password, text);
            assert!(reported.contains(why), "{text:?}: {reported:?}");
        }
        assert!(reported(Form::Credentials, "Bearer s3cret").contains("white space"));
    }
}
