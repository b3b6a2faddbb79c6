//! How an account goes, for people.

use crate::diagnosis::{AccountFacts, Ongoing};
use crate::snapshot::AccountSnapshot;
use crate::timestamp::Timestamp;

/// What is known of an account, and how it goes.
#[derive(Debug, Clone)]
pub struct AccountOverview {
    /// What is known.
    pub snapshot: AccountSnapshot,
    /// The facts behind its findings.
    pub facts: AccountFacts,
}

/// What has lasted since `since`; `None` if it does not hold.
pub(super) fn ongoing<T>(since: Option<Timestamp>, what: Option<T>) -> Option<Ongoing<T>> {
    let (since, what) = since.zip(what)?;
    Some(Ongoing { what, since })
}
