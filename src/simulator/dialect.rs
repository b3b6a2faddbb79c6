//! The ways in which Twilio's answers may differ without anyone having said so.
//!
//! Two of its documentation sites disagree on the shape of lists, and live accounts on more; see the comments on
//! each choice. The defaults are what the references at <https://www.twilio.com/docs/email/api> show.

use crate::timestamp::Timestamp;

/// How answers are written.
#[derive(Debug, Clone, Default)]
pub struct Dialect {
    /// The key under which a list holds its rows.
    pub list_key: ListKey,
    /// How a list points at its next page.
    pub pagination: PaginationStyle,
    /// The case of status words.
    pub words: Words,
    /// Whether it is `CANCELLED` instead of `CANCELED`.
    pub british: bool,
    /// How times are written.
    pub times: Times,
    /// The body of an error.
    pub errors: ErrorShape,
    /// The status with which an OAuth client is refused.
    pub client_refusal: ClientRefusal,
    /// How the life of an access token is written.
    pub lifetimes: Lifetimes,
}

/// The status with which an OAuth client is refused; RFC 6749, section 5.2, leaves the choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientRefusal {
    /// 401
    #[default]
    Unauthorized,
    /// 400
    BadRequest,
}

/// How the life of an access token is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lifetimes {
    /// `"expires_in": 3600`
    #[default]
    Number,
    /// `"expires_in": "3600"`
    Text,
    /// Not at all; RFC 6749, section 5.1, only recommends it.
    Unsaid,
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

/// How a list points at its next page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PaginationStyle {
    /// `{"next": token, "self": …}`, `next` being null at the end.
    #[default]
    Next,
    /// `{"nextPageToken": token, "pageSize": 50}`, without the token at the end.
    NextPageToken,
    /// `{"next": URL}`, at this origin (such as `https://elsewhere.example.com`), which clients must not follow.
    NextUrl(String),
    /// `{"meta": {"next_page_url": URL}}` at this origin, as Twilio's other products have it.
    MetaUrl(String),
    /// `{"meta": {"nextToken": token}}`, as others of them have it.
    MetaToken,
    /// `{"pagination": {"next": {"token": token}}}`
    NextObject,
    /// `{"next_page_uri": path, …}` beside the rows, as Twilio's API of 2010 has it.
    TopUri,
    /// `{"links": {"next": path}}`
    Links,
    /// `{"pagination": {"after": token}}`, which no client can know.
    Unknown,
}

/// The case of status words.
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

/// The body of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ErrorShape {
    /// `{"errors": [{"code": …, "message": …}]}`
    #[default]
    Errors,
    /// `{"code": …, "message": …, "more_info": …, "status": …}`, as Twilio's older products have it.
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
    fn every_way_to_write_a_time_means_the_same() {
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
    fn words_take_their_case_and_spelling() {
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
