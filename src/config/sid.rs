//! Twilio's SIDs: the names of an account and of an API key.

/// The kind of a SID, which its first two letters show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sid {
    Account,
    ApiKey,
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

    /// Whether `text` begins with a SID of any kind: two capital letters and 32 hexadecimal digits.
    pub(super) fn begins(text: &str) -> bool {
        let bytes = text.as_bytes();
        let (letters, digits) = (bytes.get(..2), bytes.get(2..2 + Self::DIGITS));
        letters.is_some_and(|letters| letters.iter().all(u8::is_ascii_uppercase))
            && digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    }

    /// Refuses a `text` that is not a SID of this kind. The error does not contain it: it may be a token in the wrong place.
    pub(super) fn check(self, text: &str) -> Result<(), String> {
        let digits = text.strip_prefix(self.prefix());
        let digit = |c: char| c.is_ascii_hexdigit();
        if digits.is_some_and(|digits| digits.len() == Self::DIGITS && digits.chars().all(digit)) {
            return Ok(());
        }
        let (noun, prefix, count) = (self.noun(), self.prefix(), Self::DIGITS);
        Err(format!(
            "{noun} is `{prefix}` and {count} hexadecimal digits"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_has_its_letters_and_32_digits() {
        let sid = format!("AC{}", "0".repeat(32));
        assert_eq!(Sid::Account.check(&sid), Ok(()));
        let reported = Err("an API key SID is `SK` and 32 hexadecimal digits".to_owned());
        for wrong in [
            &sid,
            "",
            "SK",
            &format!("SK{}", "g".repeat(32)),
            &format!("SK{}", "0".repeat(33)),
        ] {
            assert_eq!(Sid::ApiKey.check(wrong), reported, "{wrong}");
        }
    }
}
