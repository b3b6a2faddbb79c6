//! Parses a request to the simulated API and validates its parameters. It shares no code with the client, so that a misreading of
//! the documentation in one of the two fails a test.

use axum::extract::Query;
use axum::http::{Method, Uri};

use crate::timestamp::Timestamp;

use super::creation_filter::CreationFilter;
use super::fault::{Parameter, WrongStatus};
use super::id::OperationPosition;

/// The rows on a page without `pageSize`. The limits are documented with it
/// (<https://www.twilio.com/docs/email/api>).
const PAGE_SIZE: usize = 50;
const PAGE_SIZES: std::ops::RangeInclusive<usize> = 1..=1000;
/// The path of the token endpoint. Twilio has it on its own host, so it has no prefix.
const TOKEN_PATH: &str = "/v2/token";

/// A parsed request.
#[derive(Debug)]
pub(super) enum ApiRequest {
    /// `GET …/Emails/Operations/{id}`
    Operation(String),
    /// `GET …/Emails/Operations`
    Operations(ListQuery),
    /// `GET …/Emails`
    Emails(ListQuery),
    /// `POST …/Emails`
    Send,
    /// `POST /v2/token`
    Token,
    /// A list with an invalid parameter; the name of that parameter.
    Invalid(&'static str),
    /// No resource of the API.
    Unknown,
}

/// The parameters of a list. Unknown parameters are ignored, as Twilio does.
#[derive(Debug)]
pub(super) struct ListQuery {
    pub(super) window: CreationFilter,
    pub(super) status: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) size: usize,
    pub(super) token: Option<PageToken>,
}

/// The start of a page. It is a position in the account, so that new operations do not shift pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageToken {
    /// The last operation of the previous page; for emails, the operation of the next email.
    pub(super) position: OperationPosition,
    /// For emails: how many of the operation's emails were on earlier pages.
    pub(super) offset: u32,
    /// The number of the page that the token requests.
    pub(super) page: u32,
}

impl ApiRequest {
    pub(super) fn of(method: &Method, uri: &Uri, prefix: &str) -> Self {
        if (method, uri.path()) == (&Method::POST, TOKEN_PATH) {
            return Self::Token;
        }
        let path = uri.path().strip_prefix(prefix).unwrap_or_default();
        let list = |make: fn(ListQuery) -> Self| match ListQuery::of(uri) {
            Ok(query) => make(query),
            Err(parameter) => Self::Invalid(parameter),
        };
        match (method, path) {
            (&Method::GET, "/Emails") => list(Self::Emails),
            (&Method::POST, "/Emails") => Self::Send,
            (&Method::GET, "/Emails/Operations") => list(Self::Operations),
            (&Method::GET, path) => match path.strip_prefix("/Emails/Operations/") {
                Some(id) if !id.is_empty() && !id.contains('/') => Self::Operation(id.to_owned()),
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }

    /// The request as a server sees it whose pages have at most `most` rows.
    pub(super) fn with_most_rows(self, most: usize) -> Self {
        let limited = |query: ListQuery| ListQuery {
            size: query.size.min(most),
            ..query
        };
        match self {
            Self::Operations(query) => Self::Operations(limited(query)),
            Self::Emails(query) => Self::Emails(limited(query)),
            other => other,
        }
    }

    pub(super) const fn is_list(&self) -> bool {
        matches!(self, Self::Operations(_) | Self::Emails(_))
    }
}

impl ListQuery {
    fn of(uri: &Uri) -> Result<Self, &'static str> {
        let parameters = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map(|Query(parameters)| parameters)
            .unwrap_or_default();
        let text = |name: &'static str| {
            let mut parameters = parameters.iter();
            parameters
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        let time = |name| {
            let time = text(name).map(str::parse::<Timestamp>).transpose();
            time.map_err(|_| name)
        };
        let size = match text("pageSize") {
            None => PAGE_SIZE,
            Some(size) => size
                .parse()
                .ok()
                .filter(|size| PAGE_SIZES.contains(size))
                .ok_or("pageSize")?,
        };
        let token = match text("pageToken") {
            None | Some("") => None,
            Some(token) => Some(PageToken::read(token).ok_or("pageToken")?),
        };
        Ok(Self {
            window: CreationFilter {
                from: time("startDate")?,
                until: time("endDate")?,
                after: None,
            },
            status: text("status").map(str::to_ascii_uppercase),
            operation: text("operationId").map(str::to_owned),
            size,
            token,
        })
    }

    /// The query as a server sees it that ignores `parameter`.
    pub(super) fn without(self, parameter: Parameter) -> Self {
        match parameter {
            Parameter::Dates => Self {
                window: CreationFilter {
                    from: None,
                    until: None,
                    ..self.window
                },
                ..self
            },
            Parameter::Status => Self {
                status: None,
                ..self
            },
            Parameter::PageSize => Self {
                size: PAGE_SIZE,
                ..self
            },
            Parameter::Operation => Self {
                operation: None,
                ..self
            },
        }
    }

    /// The query as a server sees it that mistakes the status.
    pub(super) fn with_wrong_status(self, wrong: WrongStatus) -> Self {
        let mistaken = |status: String| match wrong {
            WrongStatus::Other if status == "SENT" => "DELIVERED".to_owned(),
            WrongStatus::Other => "SENT".to_owned(),
            WrongStatus::Nothing => String::new(),
        };
        Self {
            status: self.status.map(mistaken),
            ..self
        }
    }

    /// The number of the requested page, from 1.
    pub(super) fn page_number(&self) -> u32 {
        self.token.map_or(1, |token| token.page)
    }

    /// Whether the status `word` (upper case, American spelling) matches the filter.
    pub(super) fn matches_status(&self, word: &str) -> bool {
        self.status
            .as_ref()
            .is_none_or(|wanted| wanted == word || wanted == "CANCELLED" && word == "CANCELED")
    }
}

impl PageToken {
    pub(super) fn text(&self) -> String {
        let OperationPosition { created, chance } = self.position;
        format!(
            "PT{created:016x}{chance:020x}{:08x}{:08x}",
            self.offset, self.page
        )
    }

    fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("PT")?;
        if digits.len() != 52 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let number =
            |from: usize, until: usize| u128::from_str_radix(&digits[from..until], 16).ok();
        Some(Self {
            position: OperationPosition {
                created: u64::try_from(number(0, 16)?).ok()?.cast_signed(),
                chance: number(16, 36)?,
            },
            offset: number(36, 44)?.try_into().ok()?,
            page: number(44, 52)?.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(uri: &'static str) -> ApiRequest {
        ApiRequest::of(&Method::GET, &Uri::from_static(uri), "/v1")
    }

    #[test]
    fn tokens_round_trip() {
        for created in [i64::MIN, -1, 0, 1_775_370_000_000, i64::MAX] {
            let token = PageToken {
                position: OperationPosition {
                    created,
                    chance: (1 << 80) - 1,
                },
                offset: 7,
                page: 3,
            };
            assert_eq!(PageToken::read(&token.text()), Some(token));
        }
        for wrong in ["", "PT", "x", &format!("PT{}", "é".repeat(26))] {
            assert_eq!(PageToken::read(wrong), None);
        }
    }

    #[test]
    fn invalid_parameters_are_rejected_by_name_and_unknown_ones_ignored() {
        for (uri, name) in [
            ("/v1/Emails/Operations?pageSize=0", "pageSize"),
            ("/v1/Emails/Operations?pageSize=1001", "pageSize"),
            ("/v1/Emails?pageSize=many", "pageSize"),
            ("/v1/Emails/Operations?startDate=yesterday", "startDate"),
            ("/v1/Emails/Operations?endDate=2026-04-05", "endDate"),
            ("/v1/Emails/Operations?pageToken=guess", "pageToken"),
        ] {
            assert!(
                matches!(parse(uri), ApiRequest::Invalid(found) if found == name),
                "{uri}"
            );
        }
        let fine = "/v1/Emails/Operations?operation_id=x&pageSize=1000&status=canceled";
        let ApiRequest::Operations(query) = parse(fine) else {
            panic!("a list");
        };
        assert_eq!(query.size, 1000);
        assert!(query.matches_status("CANCELED") && !query.matches_status("COMPLETED"));
    }

    #[test]
    fn a_path_matches_exactly() {
        assert!(matches!(parse("/v1/Emails/Operations/x"), ApiRequest::Operation(id) if id == "x"));
        for unknown in [
            "/v1",
            "/v2/Emails",
            "/v1/Emails/Operations/",
            "/v1/Emails/Operations/x/y",
        ] {
            assert!(matches!(parse(unknown), ApiRequest::Unknown), "{unknown}");
        }
    }
}
