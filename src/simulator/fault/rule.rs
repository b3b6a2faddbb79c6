//! A fault: the requests that it affects, its effect, and the number of requests until it ends. Tests build it; options and
//! `twilio.fault("…")` parse it from text.

use super::effect::Effect;

/// A fault of the simulated API.
///
/// Created with [`Fault::new`] or parsed from text, such as a command-line option:
///
/// ```text
/// fault  = [scope "="] effect *(":" option)
/// scope  = "all" | "list" [":page=" number] | "operation" [":id=" id] | "emails" [":page=" number]
///        | "unfiltered-emails" | "send" | "token"
/// effect = status                    400 to 599, with Twilio's body for errors
///        | "slow:" span              the usual response after a delay; span = 500ms, 2s, 1m
///        | "hang"                    no response
///        | "cut"                     closes the connection in the middle of the body
///        | "close" [":" number]      closes the connection after this number of bytes of the response; default 0
///        | "no-body"                 sends the headers without the body
///        | "early-hints"             informational responses (103) without end, and no final one
///        | "deaf"                    responds only to the first request of a connection; new connections work
///        | "oversized"               64 MiB of body
///        | "gzip"                    the usual body in gzip, whatever `Accept-Encoding` has
///        | "gzip-bomb"               64 MiB of body in 64 KiB of gzip
///        | "gzip-cut"                half of the usual body in gzip, with the length of that half
///        | "encoding:" name          the usual body with this `Content-Encoding` (br, zstd, …), which it does not have
///        | "html" [":" status]       a gateway's page; default status 200
///        | "wrong-json"              JSON of the wrong structure
///        | "empty"                   a list without rows          (lists only)
///        | "repeat-token"            always the same next page    (lists only)
///        | "endless"                 always another next page     (lists only)
///        | "empty-pages:" number     this number of pages without rows comes first (lists only)
///        | "moving-rows"             later pages leave out five rows, different ones each time (lists only)
///        | "ignore-dates" | "ignore-status" | "ignore-page-size" | "ignore-operation"
///                                    that parameter has no effect (lists only)
///        | "other-status" | "no-rows-of-status"
///                                    a filter by status selects another status, or nothing (lists only)
///        | "odd-figure" | "no-stats" | "no-status" | "odd-times" | "odd-byte"
///                                    the first row has a count of 1e19, no stats, no status, times of the
///                                    years 1 and 9999, or a byte that is not UTF-8
///        | "odd-words"               every row has a status and a stat of its own
///        | "byte-order-mark"         a byte order mark before the JSON
/// option = "retry-after=" seconds    with a status: the header as seconds, sent unchanged (60.5, any length)
///        | "retry-after-date=" seconds   the header as an HTTP date, this number of seconds from now
///        | "times=" number           for this number of requests; without it, until cleared
/// ```
///
/// The default scope is `all`. Examples: `429:retry-after=5`, `list=403`, `operation=slow:500ms`,
/// `list:page=3=500:times=1`.
///
/// If several faults match a request, all `slow` ones delay it, and the first other one determines the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The requests that it affects.
    pub scope: FaultScope,
    /// Its effect on them.
    pub effect: Effect,
    /// The number of requests until it ends; `None`: until cleared.
    pub times: Option<u32>,
}

/// The requests that a fault affects.
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
    /// The list of emails without `operationId`.
    UnfilteredEmails,
    /// Sends.
    Send,
    /// Requests for access tokens.
    Token,
}

impl Fault {
    /// A fault with this effect on every request, until cleared.
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

    /// The fault, limited to `scope`.
    #[must_use]
    pub fn on(self, scope: FaultScope) -> Self {
        Self { scope, ..self }
    }

    /// The fault, limited to the next `times` requests that match.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }
}
