//! What goes wrong, on demand.

mod parse;

use std::time::Duration;

pub use parse::FaultError;

use super::call::Call;

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
    pub scope: Scope,
    /// What happens to them.
    pub effect: Effect,
    /// For how many requests; none until cleared.
    pub times: Option<u32>,
}

/// Which requests a fault concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
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

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// An error with this status.
    Status {
        /// 400 to 599.
        code: u16,
        /// The header that says when to come back.
        retry_after: Option<RetryAfter>,
    },
    /// The usual answer, later.
    Slow(Duration),
    /// No answer, with the connection kept open.
    Hang,
    /// Half of the usual answer, then the connection is closed.
    Cut,
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
pub enum RetryAfter {
    /// As seconds: digits, with or without a fraction, sent as they are.
    Seconds(String),
    /// As an HTTP date, so many seconds from now.
    Date(u32),
}

impl Fault {
    /// This effect for every request, until cleared.
    #[must_use]
    pub const fn new(effect: Effect) -> Self {
        Self {
            scope: Scope::All,
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
    pub fn on(self, scope: Scope) -> Self {
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

    fn fits(&self, call: &Call) -> bool {
        let scope = match (&self.scope, call) {
            (Scope::All, _) | (Scope::Send, Call::Send) | (Scope::Token, Call::Token) => true,
            (Scope::List(page), Call::Operations(query))
            | (Scope::Emails(page), Call::Emails(query)) => {
                page.is_none_or(|page| page == query.page_number())
            }
            (Scope::Operation(wanted), Call::Operation(id)) => {
                wanted.as_ref().is_none_or(|wanted| wanted == id)
            }
            _ => false,
        };
        scope && (call.is_list() || !self.effect.is_of_lists())
    }
}

impl Effect {
    const fn is_of_lists(&self) -> bool {
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

/// Takes from `faults` what happens to `call`: how long it is delayed, and what becomes of its answer.
pub(super) fn strike(faults: &mut Vec<Fault>, call: &Call) -> (Duration, Option<Effect>) {
    let (mut delay, mut answer) = (Duration::ZERO, None);
    for fault in faults.iter_mut().filter(|fault| fault.fits(call)) {
        match &fault.effect {
            Effect::Slow(span) => delay += *span,
            effect if answer.is_none() => answer = Some(effect.clone()),
            _ => continue,
        }
        fault.times = fault.times.map(|times| times.saturating_sub(1));
    }
    faults.retain(|fault| fault.times != Some(0));
    (delay, answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_faults_wear_off_and_slowness_adds_up() {
        let mut faults: Vec<Fault> = ["operation=slow:2s", "slow:1s:times=1", "500:times=2", "404"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let call = Call::Operation("x".to_owned());
        let mut struck = || {
            let (delay, effect) = strike(&mut faults, &call);
            let Some(Effect::Status { code, .. }) = effect else {
                panic!("{effect:?}");
            };
            (delay.as_secs(), code)
        };
        assert_eq!(struck(), (3, 500));
        assert_eq!(struck(), (2, 500));
        assert_eq!(struck(), (2, 404));
    }

    #[test]
    fn faults_of_lists_leave_other_requests_alone() {
        let mut faults = vec![Fault::new(Effect::Empty).times(1)];
        let (_, effect) = strike(&mut faults, &Call::Operation("x".to_owned()));
        assert_eq!(effect, None);
        assert_eq!(faults.len(), 1);
    }
}
