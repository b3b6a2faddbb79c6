//! What a list of the Email API holds: the one thing in which lists of different resources differ.

use std::fmt;

use crate::exposition::Endpoint;
use crate::operation::Unexpected;
use crate::timestamp::Timestamp;

/// A resource that Twilio lists page by page.
pub trait Resource: fmt::Debug + Send + Sized + 'static {
    /// What names one of them.
    type Id: fmt::Debug + Send + 'static;

    /// The address of the list, below the base URL.
    const PATH: &'static [&'static str];
    /// The keys under which a page may hold its rows. The first one that holds an array counts.
    const KEYS: &'static [&'static str];
    /// How requests for the list are counted.
    const ENDPOINT: Endpoint;

    /// Reads one row as it is written. What is odd in it and costs only itself is noted in `unexpected`.
    fn read(row: &[u8], unexpected: &mut Unexpected) -> Row<Self>;

    /// When it was created.
    fn created(&self) -> Timestamp;

    /// Its `status`, in lower case.
    fn status(&self) -> &str;
}

/// What a row turned out to be.
#[derive(Debug)]
pub enum Row<T: Resource> {
    /// One of the resource.
    Read(T),
    /// It is about this one, and says nothing that can be believed; with the reason.
    Rejected(T::Id, &'static str),
    /// It is about none.
    Unreadable,
}
