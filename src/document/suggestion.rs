//! Finds the known key that is most similar to an unknown one, for "did you mean".

use strsim::osa_distance;

/// Longer keys are not compared: the longest known key has 23 characters, and the comparison takes quadratic time.
const LONGEST: usize = 40;

/// The most similar key of `known`, if at most a third of its letters differ.
pub(crate) fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    if key.len() > LONGEST {
        return None;
    }
    let key = key.to_ascii_lowercase().replace('-', "_");
    let distances = known.iter().map(|each| (osa_distance(&key, each), *each));
    let (distance, nearest) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= (nearest.len() / 3).max(1)).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_keys_are_found_and_others_are_not() {
        let known = ["account_sid", "auth_token_file", "name", "id", "base_url"];
        for (key, meant) in [
            ("acount_sid", Some("account_sid")),
            ("accountSid", Some("account_sid")),
            ("auth-token-file", Some("auth_token_file")),
            ("nmae", Some("name")),
            ("baseurl", Some("base_url")),
            ("di", Some("id")),
            ("password", None),
            ("", None),
        ] {
            assert_eq!(nearest(key, &known), meant, "{key}");
        }
        assert_eq!(nearest(&"a".repeat(1000), &known), None);
        assert_eq!(nearest("name", &[]), None);
    }
}
