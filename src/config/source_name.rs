//! The name of a URL source in logs, pages, responses and the label `source`.
//!
//! The path and the query of a URL may hold a secret (`/hooks/TOKEN`, `?key=TOKEN`), so the name never contains them.

use url::Url;

/// The longest name in the configuration, in characters: it is on every sample of the source.
const LONGEST: usize = 64;

/// Checks a name from the configuration.
pub(super) fn check(name: &str) -> Result<(), String> {
    let length = name.chars().count();
    if length == 0 || length > LONGEST || name.contains(char::is_control) {
        return Err(format!(
            "expected 1 to {LONGEST} characters, and no control characters"
        ));
    }
    Ok(())
}

/// The default name: scheme, host and port, and a fingerprint of the rest if there is any, so that two URLs of one host have different
/// names.
pub(super) fn of(url: &Url) -> String {
    let origin = url.origin().ascii_serialization();
    let rest = &url[url::Position::BeforePath..];
    if rest == "/" {
        return origin;
    }
    format!("{origin}#{:04x}", fingerprint(rest))
}

/// FNV-1a, folded to 16 bits: enough for the few URLs of one host, and too short to guess the text.
fn fingerprint(text: &str) -> u16 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let hash = text.bytes().fold(BASIS, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    });
    let pieces = hash.to_le_bytes();
    pieces.chunks(2).fold(0, |folded, pair| {
        folded
            ^ pair
                .iter()
                .rev()
                .fold(0, |word, byte| word << 8 | u16::from(*byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_neither_path_nor_query() {
        let name = |url: &str| of(&Url::parse(url).unwrap());
        assert_eq!(name("https://c.example"), "https://c.example");
        assert_eq!(name("https://c.example:443/"), "https://c.example");
        assert_eq!(name("http://c.example:8080/"), "http://c.example:8080");
        assert_eq!(name("http://[::1]:8080/"), "http://[::1]:8080");
        let names = ["/hooks/s3cret", "/?key=s3cret", "/?", "/a", "/b", "/a?b"]
            .map(|rest| name(&format!("https://c.example{rest}")));
        for (at, one) in names.iter().enumerate() {
            let fingerprint = one.strip_prefix("https://c.example#").unwrap();
            assert_eq!(fingerprint.len(), 4, "{one}");
            assert!(!names[..at].contains(one), "{names:?}");
        }
        // Names are labels: they must not change with a version.
        assert_eq!(name("https://c.example/a"), "https://c.example#0d60");
    }

    #[test]
    fn names_are_short_and_printable() {
        for name in ["crm", "Kampagnen Süd", &"a".repeat(64)] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in ["", "a\nb", &"a".repeat(65)] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}
