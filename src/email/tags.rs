//! The tags of an email: texts that its sender gave it, and that users may turn into labels.

use std::fmt;

/// Tags that are valid labels, by name. Their `Debug` shows none of them, because a sender may write anything there.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Tags(Box<[(Box<str>, Box<str>)]>);

impl Tags {
    /// Tags of an email, each with its value. The caller has checked that they are valid labels.
    #[must_use]
    pub fn new(tags: Vec<(Box<str>, Box<str>)>) -> Self {
        Self(tags.into())
    }

    /// The value of a tag.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut tags = self.0.iter();
        tags.find(|(own, _)| &**own == name)
            .map(|(_, value)| &**value)
    }
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tags", self.0.len())
    }
}
