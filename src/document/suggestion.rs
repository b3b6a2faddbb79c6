//! The known key that an unknown one was probably meant to be.

/// Longer keys are no misspelling of ours (the longest has 23 characters), and the comparison is quadratic.
const LONGEST: usize = 40;

/// The one of `known` that is nearest to `key`, if it is near: at most a third of its letters differ.
pub(crate) fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    if key.len() > LONGEST {
        return None;
    }
    let key = key.to_ascii_lowercase().replace('-', "_");
    let distances = known.iter().map(|each| (distance(&key, each), *each));
    let (distance, nearest) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= (nearest.len() / 3).max(1)).then_some(nearest)
}

/// Insertions, deletions, replacements and swaps of neighbours from `a` to `b` ("optimal string alignment").
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                let before: &[usize] = &before;
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_keys_are_found_and_far_ones_are_not() {
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

    #[test]
    fn a_swap_is_one_step() {
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
