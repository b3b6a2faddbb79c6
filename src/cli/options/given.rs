//! Option values for which an empty text means that they are not set. Compose files set an unused variable to an empty text.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser, ValueParser};
use clap::{Arg, Command, Error};

/// The value of an option or its variable; `None` if it is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct NonEmpty<T>(Option<T>);

impl<T: Clone> NonEmpty<T> {
    /// The value, if one is set.
    pub(in crate::cli) fn value(given: Option<&Self>) -> Option<T> {
        given.and_then(|given| given.0.clone())
    }
}

/// The values of a list that are not empty.
pub(super) fn values<T: Clone>(given: &[NonEmpty<T>]) -> Vec<T> {
    given.iter().filter_map(|each| each.0.clone()).collect()
}

/// Like `parser`, for texts that are not empty.
pub(in crate::cli) fn given<P: TypedValueParser>(parser: P) -> ValueParser
where
    P::Value: Clone + Send + Sync + 'static,
{
    ValueParser::new(GivenParser(parser))
}

#[derive(Clone)]
struct GivenParser<P>(P);

impl<P: TypedValueParser> TypedValueParser for GivenParser<P>
where
    P::Value: Clone + Send + Sync + 'static,
{
    type Value = NonEmpty<P::Value>;

    fn parse_ref(
        &self,
        command: &Command,
        option: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, Error> {
        if value.is_empty() {
            return Ok(NonEmpty(None));
        }
        self.0
            .parse_ref(command, option, value)
            .map(|value| NonEmpty(Some(value)))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}
