//! The filter of a list request, and the rows that belong to it.

use url::Url;

use crate::operation::OperationId;
use crate::timestamp::Timestamp;

/// The rows that a list contains. The default is all rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListFilter {
    /// Rows created from this time on.
    pub from: Option<Timestamp>,
    /// Rows created until this time.
    pub until: Option<Timestamp>,
    /// Rows with this status, in lower case.
    pub status: Option<String>,
    /// Rows of this operation; only emails have one.
    pub operation: Option<OperationId>,
}

impl ListFilter {
    /// Adds the filter to a request.
    ///
    /// `createdAt` has whole seconds, so a window is extended to whole seconds, and by one more second at its end.
    pub(super) fn add_to(&self, url: &mut Url) {
        let whole = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1000)).to_string();
        let seconds = |time: Timestamp| time.as_millis().div_euclid(1000);
        let from = self.from.map(|from| whole(seconds(from)));
        let until = self.until.map(|until| whole(seconds(until) + 2));
        let status = self
            .status
            .as_ref()
            .map(|status| status.to_ascii_uppercase());
        let operation = self.operation.map(|id| id.to_string());
        url.query_pairs_mut()
            .extend_pairs(operation.map(|id| ("operationId", id)))
            .extend_pairs(from.map(|from| ("startDate", from)))
            .extend_pairs(until.map(|until| ("endDate", until)))
            .extend_pairs(status.map(|status| ("status", status)));
    }
}
