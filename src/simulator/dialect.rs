//! Undocumented variants of Twilio's responses. Two of Twilio's documentation sites disagree about the structure of lists, and real
//! accounts may differ further; each choice has a comment. The defaults follow the reference at
//! <https://www.twilio.com/docs/email/api>.

use crate::timestamp::Timestamp;

/// The format of responses.
#[derive(Debug, Clone, Default)]
pub struct Dialect {
    /// The key under which a list holds its rows.
    pub list_key: ListKey,
    /// How a list names its next page.
    pub pagination: PaginationStyle,
    /// The case of statuses.
    pub words: Words,
    /// Whether to write `CANCELLED` instead of `CANCELED`.
    pub british: bool,
    /// How times are written.
    pub times: Times,
    /// How an email names its recipient.
    pub recipients: Recipients,
    /// The body of an error.
    pub errors: ErrorShape,
    /// The HTTP status for a rejected OAuth client.
    pub client_refusal: ClientRefusal,
    /// How the lifetime of an access token is written.
    pub lifetimes: Lifetimes,
}

/// The HTTP status for a rejected OAuth client; RFC 6749, section 5.2, allows both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientRefusal {
    /// 401
    #[default]
    Unauthorized,
    /// 400
    BadRequest,
}

/// How the lifetime of an access token is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lifetimes {
    /// `"expires_in": 3600`
    #[default]
    Number,
    /// `"expires_in": "3600"`
    Text,
    /// Not at all; RFC 6749, section 5.1, only recommends it.
    Omitted,
}

/// The key under which a list holds its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListKey {
    /// `operations` or `emails`.
    #[default]
    Named,
    /// `data` for both.
    Data,
}

/// How a list names its next page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PaginationStyle {
    /// `{"next": token, "self": …}`, `next` being null at the end.
    #[default]
    Next,
    /// `{"nextPageToken": token, "pageSize": 50}`, without the token at the end.
    NextPageToken,
    /// `{"next": URL}`, at this origin (such as `https://elsewhere.example.com`), which clients must not follow.
    NextUrl(String),
    /// `{"meta": {"next_page_url": URL}}` at this origin, as in other products of Twilio's.
    MetaUrl(String),
    /// `{"meta": {"nextToken": token}}`, as in further products of Twilio's.
    MetaToken,
    /// `{"pagination": {"next": {"token": token}}}`
    NextObject,
    /// `{"next_page_uri": path, …}` next to the rows, as in Twilio's API of 2010.
    TopUri,
    /// `{"links": {"next": path}}`
    Links,
    /// `{"pagination": {"after": token}}`, which no client supports.
    Unknown,
}

/// The case of statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Words {
    /// `COMPLETED`
    #[default]
    Upper,
    /// `completed`
    Lower,
    /// `Completed`
    Title,
}

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Times {
    /// `2026-04-05T06:20:00Z`
    #[default]
    Seconds,
    /// `2026-04-05T06:20:00.250Z`
    Millis,
    /// `2026-04-05T08:20:00.250000+02:00`
    Offset,
}

/// How an email names its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Recipients {
    /// `"to": [{"address": …}]`
    #[default]
    List,
    /// `"to": {"address": …}`
    Object,
}

/// The body of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ErrorShape {
    /// `{"errors": [{"code": …, "message": …}]}`
    #[default]
    Errors,
    /// `{"code": …, "message": …, "more_info": …, "status": …}`, as in Twilio's older products.
    Flat,
}

impl Dialect {
    pub(super) fn word(&self, upper: &str) -> String {
        let upper = if self.british && upper == "CANCELED" {
            "CANCELLED"
        } else {
            upper
        };
        match self.words {
            Words::Upper => upper.to_owned(),
            Words::Lower => upper.to_ascii_lowercase(),
            Words::Title => {
                let mut word = upper.to_ascii_lowercase();
                if let Some(first) = word.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                word
            }
        }
    }

    pub(super) fn time(&self, millis: i64) -> String {
        let fraction = millis.rem_euclid(1000);
        let seconds = |millis: i64| {
            let mut text = Timestamp::from_millis(millis - fraction).to_string();
            text.pop();
            text
        };
        match self.times {
            Times::Seconds => seconds(millis) + "Z",
            Times::Millis => format!("{}.{fraction:03}Z", seconds(millis)),
            Times::Offset => format!("{}.{fraction:03}000+02:00", seconds(millis + 2 * 3_600_000)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_of_a_time_is_the_same_time() {
        let millis = 1_775_370_000_250;
        let text = |times| {
            Dialect {
                times,
                ..Dialect::default()
            }
            .time(millis)
        };
        assert_eq!(text(Times::Seconds), "2026-04-05T06:20:00Z");
        assert_eq!(text(Times::Millis), "2026-04-05T06:20:00.250Z");
        assert_eq!(text(Times::Offset), "2026-04-05T08:20:00.250000+02:00");
        let parsed: Timestamp = text(Times::Offset).parse().unwrap();
        assert_eq!(parsed.as_millis(), millis);
    }

    #[test]
    fn statuses_have_the_dialects_case_and_spelling() {
        let british = Dialect {
            british: true,
            words: Words::Title,
            ..Dialect::default()
        };
        assert_eq!(british.word("CANCELED"), "Cancelled");
        assert_eq!(british.word("PROCESSING"), "Processing");
        assert_eq!(Dialect::default().word("CANCELED"), "CANCELED");
    }
}
