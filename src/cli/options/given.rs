//! An option's value that may be empty, which means: not given.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser, ValueParser};
use clap::{Arg, Command, Error};

/// What stands behind an option or in its variable; `None` if that is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NonEmpty<T>(Option<T>);

impl<T: Clone> NonEmpty<T> {
    /// What was given, if anything was.
    pub(super) fn value(given: Option<&Self>) -> Option<T> {
        given.and_then(|given| given.0.clone())
    }
}

/// Everything in a list that is not empty.
pub(super) fn values<T: Clone>(given: &[NonEmpty<T>]) -> Vec<T> {
    given.iter().filter_map(|each| each.0.clone()).collect()
}

/// As `parser`, which never sees an empty text.
pub(super) fn given<P: TypedValueParser>(parser: P) -> ValueParser
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
