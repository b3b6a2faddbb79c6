//! The trait of resources that Twilio lists. Lists of different resources differ only in this.

use std::fmt;

use super::body;
use crate::exposition::Endpoint;
use crate::operation::{OperationId, Unexpected};
use crate::timestamp::Timestamp;

/// A resource that Twilio lists page by page.
pub trait Resource: fmt::Debug + Send + Sized + 'static {
    /// The id of a resource.
    type Id: fmt::Debug + Send + 'static;

    /// The path of the list, below the base URL.
    const PATH: &'static [&'static str];
    /// The possible keys of a page's rows. The first one with an array counts.
    const KEYS: &'static [&'static str];
    /// The `endpoint` label of requests for the list.
    const ENDPOINT: Endpoint;
    /// The largest page, in bytes.
    const LARGEST_PAGE: usize = body::LIMIT;

    /// Parses one row. Values that cannot be used, although the row can, are noted in `unexpected`.
    fn read(row: &[u8], unexpected: &mut Unexpected) -> Row<Self>;

    /// Parses the row that `json` begins with, if it is written as Twilio documents it, and returns its length in bytes. `None` for any
    /// other row, which [`Self::read`] parses; where both parse a row, they must return the same.
    #[must_use]
    fn read_documented(_json: &[u8]) -> Option<(Self, usize)> {
        None
    }

    /// When it was created.
    fn created(&self) -> Timestamp;

    /// Its `status`, in lower case.
    fn status(&self) -> &str;

    /// The operation that it belongs to, if Twilio returned it.
    fn operation(&self) -> Option<OperationId> {
        None
    }
}

/// A parsed row.
#[derive(Debug)]
pub enum Row<T: Resource> {
    /// A resource.
    Read(T),
    /// It is about the resource with this id, but its values are impossible; with the reason.
    Rejected(T::Id, &'static str),
    /// It has no valid id.
    Unreadable,
}
