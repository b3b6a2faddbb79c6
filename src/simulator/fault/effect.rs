//! What a fault does to a request.

use std::time::Duration;

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// An error with this status.
    Status {
        /// 400 to 599.
        code: u16,
        /// The header that says when to come back.
        retry_after: Option<RetryAfterHeader>,
    },
    /// The usual answer, later.
    Slow(Duration),
    /// No answer, with the connection kept open.
    Hang,
    /// Half of the usual answer, then the connection is closed.
    Cut,
    /// So many bytes of the usual response, then the connection is closed.
    Close(u64),
    /// The headers of the usual response, then nothing, with the connection kept open.
    NoBody,
    /// The usual response to the first request of a connection. No response to its others, with the connection kept open.
    Deaf,
    /// A body beyond any sane limit.
    Oversized,
    /// The usual answer in gzip.
    Gzip,
    /// A body beyond any sane limit in little gzip.
    GzipBomb,
    /// Half of the usual answer in gzip, with the right length for it.
    GzipCut,
    /// The usual answer, said to be in this encoding.
    Encoding(String),
    /// An HTML page with this status.
    Html(u16),
    /// JSON of the wrong structure.
    WrongJson,
    /// A list without rows. Nothing for other requests.
    Empty,
    /// A list whose next page is always the same. Nothing for other requests.
    RepeatToken,
    /// A list that begins again, with a new token, wherever it should end. Nothing for other requests.
    Endless,
    /// So many pages without rows before the first one with rows. Nothing for other requests.
    EmptyPages(u32),
    /// Every page but the first leaves out five rows, each time others: as if they had moved to a page that was given
    /// already. Nothing for other requests.
    MovingRows,
    /// A parameter that has no effect. Nothing for other requests.
    Ignore(Parameter),
    /// The usual answer with something in it that no document allows.
    Odd(Odd),
}

/// What no document allows, and an answer may hold all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Odd {
    /// A count of 1e19, in the first row.
    Figure,
    /// `stats` is null, in the first row.
    NoStats,
    /// `status` is null, in the first row.
    NoStatus,
    /// Times of the years 1 and 9999, in the first row.
    Times,
    /// A byte that is no UTF-8, in the first row.
    Byte,
    /// A status and a stat in every row that no other has.
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
}

/// How `Retry-After` is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryAfterHeader {
    /// As seconds: digits, with or without a fraction, sent as they are.
    Seconds(String),
    /// As an HTTP date, so many seconds from now.
    Date(u32),
}

impl Effect {
    pub(super) const fn is_of_lists(&self) -> bool {
        matches!(
            self,
            Self::Empty
                | Self::RepeatToken
                | Self::Endless
                | Self::EmptyPages(_)
                | Self::MovingRows
                | Self::Ignore(_)
        )
    }
}
