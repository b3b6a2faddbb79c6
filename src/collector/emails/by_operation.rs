//! Reads the emails of known operations, if Twilio does not return the list of all emails. It reads one list for each operation,
//! after the operation's stats have changed.

use super::operation_lists::LastRead;
use super::reader::{ListedRows, Reader};
use crate::collector::email_probe::is_too_large;
use crate::collector::ledger::Ledger;
use crate::delivery::OperationTally;
use crate::operation::OperationId;
use crate::timestamp::Timestamp;
use crate::twilio::{ApiError, ListFilter};

/// The result of a run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct OperationsRead {
    /// Whether everything due was read, and every row could be used.
    pub(super) is_complete: bool,
    /// Rows of other operations than the requested one.
    pub(super) foreign_rows: usize,
}

/// Reads the emails of operations that are due, within the budget.
pub(super) async fn read(
    reader: &Reader<'_>,
    operations: &Ledger,
    oldest: Timestamp,
) -> Result<OperationsRead, ApiError> {
    let span = (oldest, reader.now());
    let compared = |id| {
        let emails = reader.ledger.lock();
        emails.is_some_and(|emails| emails.tally(id).is_some_and(OperationTally::is_open))
    };
    // A snapshot locks the registry before the state, so the state must not be locked here.
    let mut lists = std::mem::take(&mut reader.state.lock().operations);
    let due = lists.due(operations, span, compared);
    reader.state.lock().operations = lists;
    let mut found = OperationsRead {
        is_complete: due.len() <= reader.budget.left(),
        ..OperationsRead::default()
    };
    for (id, stats) in due {
        if reader.budget.is_spent() {
            break;
        }
        let began = reader.now();
        let of_operation = read_one(reader, id).await?;
        // The results of the first run are baseline, and this run has a result.
        reader.ledger.end();
        found.is_complete &= of_operation.is_complete;
        found.foreign_rows += of_operation.foreign_rows;
        if of_operation.foreign_rows > 0 {
            // Twilio returns the whole account: each further list would have the same rows.
            found.is_complete = false;
            break;
        }
        let complete = of_operation.is_complete.then_some(began);
        let read = LastRead { stats, complete };
        reader.state.lock().operations.note_read(id, read);
    }
    Ok(found)
}

/// Reads the emails of one operation, with smaller pages if they are too large.
async fn read_one(reader: &Reader<'_>, id: OperationId) -> Result<OperationsRead, ApiError> {
    loop {
        let size = reader.state.lock().page_size();
        let filter = ListFilter {
            operation: Some(id),
            ..ListFilter::default()
        };
        let mut list = reader.list(filter, size);
        let mut listed = ListedRows::default();
        let read = loop {
            match reader.page(&mut list, &mut listed).await {
                Ok(Some(_)) => {}
                Ok(None) => break Ok(()),
                // An operation of another account, or one that has just expired.
                Err(error) if error.is_about_resource() && list.pages() == 0 => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        match read {
            Err(error) if is_too_large(&error) && reader.state.lock().shrink_pages(size) => {}
            Err(error) => return Err(error),
            Ok(()) => {
                return Ok(OperationsRead {
                    is_complete: list.is_sound(),
                    foreign_rows: list.foreign_rows(),
                });
            }
        }
    }
}
