//! One page of operations, parsed as a list parses it: for benchmarks of the parser.

use super::client::MOST_ROWS;
use super::error::ApiError;
use super::wire;
use crate::operation::Operation;

/// A parsed page of operations.
#[doc(hidden)]
#[derive(Debug)]
pub struct OperationPage {
    /// The operations.
    pub operations: Vec<Operation>,
    /// The number of other rows.
    pub unusable: usize,
}

impl OperationPage {
    /// Parses a response of `GET /Emails/Operations`.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let page = wire::page::<Operation>(body, MOST_ROWS)?;
        Ok(Self {
            unusable: page.size() - page.rows.len(),
            operations: page.rows,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lists of rows grow by doubling.
    const MOST_ALLOCATIONS: u64 = 40;

    #[test]
    fn rows_as_twilio_documents_them_are_read_without_an_allocation_each() {
        let row = r#"{"id":"comms_operation_01h2xcejqtf2nbrexx3vqjhp41","status":"COMPLETED","stats":{"total":3,"delivered":2,"failed":1},"createdAt":"2023-06-14T16:40:03Z","updatedAt":"2023-06-14T16:40:09Z"}"#;
        let rows = [row; 1000].join(",");
        let page = format!(r#"{{"operations":[{rows}],"pagination":{{"next":null}}}}"#);
        let measured = allocation_counter::measure(|| {
            let parsed = OperationPage::parse(page.as_bytes()).unwrap();
            assert_eq!((parsed.operations.len(), parsed.unusable), (1000, 0));
        });
        assert!(measured.count_total <= MOST_ALLOCATIONS, "{measured:?}");
    }
}
