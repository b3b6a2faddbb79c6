//! The effects of faults on requests: statuses, delays, broken connections, and responses that violate Twilio's documentation.
//! `service` and the modules of responses apply them.

use std::time::Duration;

/// The effect of a fault on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// An error with this status.
    Status {
        /// 400 to 599.
        code: u16,
        /// The `Retry-After` header.
        retry_after: Option<RetryAfterHeader>,
    },
    /// The usual response after a delay.
    Slow(Duration),
    /// No response; the connection stays open.
    Hang,
    /// Half of the usual response, then the connection is closed.
    Cut,
    /// This number of bytes of the usual response, then the connection is closed.
    Close(u64),
    /// The headers of the usual response without the body; the connection stays open.
    NoBody,
    /// Informational responses (103) without end, and no final one.
    EarlyHints,
    /// The usual response to the first request of a connection, and none to later ones; the connection stays open.
    Deaf,
    /// A body of 64 MiB.
    Oversized,
    /// The usual response in gzip.
    Gzip,
    /// A body of 64 MiB in 64 KiB of gzip.
    GzipBomb,
    /// Half of the usual response in gzip, with the `Content-Length` of that half.
    GzipCut,
    /// The usual response with this `Content-Encoding`, which it does not have.
    Encoding(String),
    /// An HTML page with this status.
    Html(u16),
    /// JSON of the wrong structure.
    WrongJson,
    /// A list without rows. No effect on other requests.
    Empty,
    /// A list whose next page is always the same. No effect on other requests.
    RepeatToken,
    /// A list that starts again with a new token instead of ending. No effect on other requests.
    Endless,
    /// This number of pages without rows before the first page with rows. No effect on other requests.
    EmptyPages(u32),
    /// Every page except the first leaves out five rows, different ones each time, as if rows moved between pages. No effect on
    /// other requests.
    MovingRows,
    /// This parameter of a list has no effect. No effect on other requests.
    Ignore(Parameter),
    /// A filter by status that selects other emails or operations than it should. No effect on other requests.
    WrongStatus(WrongStatus),
    /// The usual response with a value that Twilio's documentation does not allow.
    Invalid(InvalidValue),
}

/// A value that Twilio's documentation does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidValue {
    /// A count of 1e19, in the first row.
    Count,
    /// `stats` is null, in the first row.
    NoStats,
    /// `status` is null, in the first row.
    NoStatus,
    /// Times of the years 1 and 9999, in the first row.
    Times,
    /// A byte that is not UTF-8, in the first row.
    Byte,
    /// In every row, a status and a stat that no other row has.
    Words,
    /// A byte order mark before the JSON.
    ByteOrderMark,
}

/// A parameter of lists that a server may ignore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// `startDate` and `endDate`.
    Dates,
    /// `status`.
    Status,
    /// `pageSize`.
    PageSize,
    /// `operationId`.
    Operation,
}

/// What a filter by status selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongStatus {
    /// Another status than the requested one.
    Other,
    /// Nothing.
    Nothing,
}

/// How `Retry-After` is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryAfterHeader {
    /// As seconds: digits with or without a fraction, sent unchanged.
    Seconds(String),
    /// As an HTTP date, this number of seconds from now.
    Date(u32),
}

impl Effect {
    /// Whether it affects only lists.
    pub(super) const fn is_of_lists(&self) -> bool {
        matches!(
            self,
            Self::Empty
                | Self::RepeatToken
                | Self::Endless
                | Self::EmptyPages(_)
                | Self::MovingRows
                | Self::Ignore(_)
                | Self::WrongStatus(_)
        )
    }
}
