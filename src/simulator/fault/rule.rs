//! A fault: which requests it concerns, what it does to them, and how often.

use super::effect::Effect;

/// Something that goes wrong with some requests.
///
/// Made with [`Fault::new`] or read from text, as on a command line:
///
/// ```text
/// fault  = [scope "="] effect *(":" option)
/// scope  = "all" | "list" [":page=" number] | "operation" [":id=" id] | "emails" [":page=" number] | "send"
///        | "token"
/// effect = status                    400 to 599, with Twilio's body for errors
///        | "slow:" span              answers later and as usual; span = 500ms, 2s, 1m
///        | "hang"                    never answers
///        | "cut"                     closes the connection in the middle of the body
///        | "close" [":" number]      closes the connection after so many bytes of the response; 0 if none is given
///        | "no-body"                 sends the headers, and never the body that they promise
///        | "deaf"                    answers no request of a connection but its first; new connections work
///        | "oversized"               64 MiB of body
///        | "gzip"                    the usual body in gzip, whatever was asked for
///        | "gzip-bomb"               64 MiB of body in 64 KiB of gzip
///        | "gzip-cut"                half of the usual body in gzip, as if it were whole
///        | "encoding:" name          the usual body, said to be in this encoding (br, zstd, …)
///        | "html" [":" status]       a gateway's page, with status 200 if none is given
///        | "wrong-json"              JSON that is no answer to the question
///        | "empty"                   a list without rows          (lists only)
///        | "repeat-token"            always the same next page    (lists only)
///        | "endless"                 always another next page     (lists only)
///        | "empty-pages:" number     so many pages without rows come first (lists only)
///        | "moving-rows"             later pages leave out five rows, others each time (lists only)
///        | "ignore-dates" | "ignore-status" | "ignore-page-size"
///                                    that parameter has no effect (lists only)
///        | "odd-figure" | "no-stats" | "no-status" | "odd-times" | "odd-byte"
///                                    the first row has a count of 1e19, no stats, no status, times of the
///                                    years 1 and 9999, or a byte that is no UTF-8
///        | "odd-words"               every row has a status and a stat of its own
///        | "byte-order-mark"         stands before the JSON
/// option = "retry-after=" seconds    with a status: the header as seconds, digit for digit (60.5, any length)
///        | "retry-after-date=" seconds   the same as an HTTP date so many seconds from now
///        | "times=" number           for so many requests; without it until cleared
/// ```
///
/// Without a scope it is `all`. Examples: `429:retry-after=5`, `list=403`, `operation=slow:500ms`,
/// `list:page=3=500:times=1`.
///
/// Of several faults that fit a request, all `slow` ones delay it, and the first other one decides the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which requests.
    pub scope: FaultScope,
    /// What happens to them.
    pub effect: Effect,
    /// For how many requests; none until cleared.
    pub times: Option<u32>,
}

/// Which requests a fault concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultScope {
    /// Every request.
    All,
    /// The list of operations: all its pages, or one, counted from 1.
    List(Option<u32>),
    /// Reads of single operations: all of them, or those of one id.
    Operation(Option<String>),
    /// The list of emails: all its pages, or one, counted from 1.
    Emails(Option<u32>),
    /// Sends.
    Send,
    /// Requests for access tokens.
    Token,
}

impl Fault {
    /// This effect for every request, until cleared.
    #[must_use]
    pub const fn new(effect: Effect) -> Self {
        Self {
            scope: FaultScope::All,
            effect,
            times: None,
        }
    }

    /// An error status for every request, until cleared.
    #[must_use]
    pub const fn status(code: u16) -> Self {
        Self::new(Effect::Status {
            code,
            retry_after: None,
        })
    }

    /// Only for `scope`.
    #[must_use]
    pub fn on(self, scope: FaultScope) -> Self {
        Self { scope, ..self }
    }

    /// Only for the next `times` requests that it fits.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }
}
