//! One page of emails, parsed as a list parses it: for benchmarks of the parser.

use super::client::MOST_ROWS;
use super::error::ApiError;
use super::wire;
use crate::email::Email;

/// A parsed page of emails.
#[doc(hidden)]
#[derive(Debug)]
pub struct EmailPage {
    /// The emails.
    pub emails: Vec<Email>,
    /// The number of other rows.
    pub unusable: usize,
}

impl EmailPage {
    /// Parses a response of `GET /Emails`.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let page = wire::page::<Email>(body, MOST_ROWS)?;
        Ok(Self {
            unusable: page.size() - page.rows.len(),
            emails: page.rows,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: usize = 100;
    const BODY: usize = 50 * 1024;

    /// A page whose rows have bodies with escapes, which a parser would have to copy.
    fn page() -> String {
        let body = "<p style=\\\"margin:0\\\">J\\u00f6rg</p>\\n".repeat(BODY / 34);
        let row = |row: usize| {
            format!(
                r#"{{"id":"comms_email_01h2xcejqtf2nbrexx3vqj{row:04}","status":"SENT","to":[{{"address":"a@example.com","name":"{body}"}}],
"from":{{"name":"{body}","address":"b@example.com"}},"content":{{"subject":"{body}","html":["{body}",{{"{body}":"{body}"}}]}}}}"#
            )
        };
        let rows: Vec<String> = (0..ROWS).map(row).collect();
        format!(
            r#"{{"emails":[{}],"pagination":{{"next":null}}}}"#,
            rows.join(",")
        )
    }

    #[test]
    fn names_subjects_and_bodies_are_skipped_without_a_copy() {
        let page = page();
        let measured = allocation_counter::measure(|| {
            let parsed = EmailPage::parse(page.as_bytes()).unwrap();
            assert_eq!((parsed.emails.len(), parsed.unusable), (ROWS, 0));
        });
        let per_row = measured.bytes_total / ROWS as u64;
        assert!(per_row < 1024, "{per_row} of {} bytes", page.len() / ROWS);
        assert!(measured.bytes_max < page.len() as u64 / 100, "{measured:?}");
    }
}
