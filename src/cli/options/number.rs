//! Whole numbers as values of options. The error of a wrong value names the allowed numbers; clap's own names the cause in Rust's
//! words.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::document::walk::expected_whole;

/// A parser of whole numbers in `range`.
pub(in crate::cli) fn whole_number<N>(
    range: RangeInclusive<N>,
) -> impl Fn(&str) -> Result<N, String> + Clone + Send + Sync + 'static
where
    N: FromStr + PartialOrd + Display + Clone + Send + Sync + 'static,
{
    move |text: &str| {
        let number = text
            .parse::<N>()
            .ok()
            .filter(|number| range.contains(number));
        number.ok_or_else(|| expected_whole(&range))
    }
}
