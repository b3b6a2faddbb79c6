//! The list of one operation's emails.

use super::*;
use crate::email::EmailStatus;
use crate::operation::OperationId;

const OWN: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";
const OTHER: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp42";

fn of_operation(number: u32, operation: Option<&str>) -> Value {
    let mut row = email(number, "DELIVERED", NOW);
    if let Some(operation) = operation {
        row["operationId"] = json!(operation);
    }
    row
}

fn own() -> ListFilter {
    let operation: OperationId = OWN.parse().unwrap();
    ListFilter {
        operation: Some(operation),
        ..ListFilter::default()
    }
}

#[tokio::test]
async fn the_emails_of_one_operation_are_requested_with_the_page_size_of_the_caller() {
    let rows = [of_operation(1, Some(OWN)), of_operation(2, None)];
    let first = json!({"emails": rows, "pagination": {"next": "1"}});
    let last = json!({"emails": [of_operation(3, Some(OWN))], "pagination": {"next": null}});
    let (client, requested) = listing_of(vec![first, last]).await;
    let mut listing = client.emails(own()).with_page_size(2);
    assert_eq!(listing.page().await.unwrap().unwrap().len(), 2);
    assert_eq!(listing.page().await.unwrap().unwrap().len(), 1);
    assert_eq!(listing.page().await.unwrap(), None);
    assert!(!listing.ignores_operation() && listing.is_sound());
    let url = format!("/v1/Emails?operationId={OWN}&pageSize=2");
    assert_eq!(
        *requested.lock(),
        [url.clone(), format!("{url}&pageToken=1")]
    );
}

#[tokio::test]
async fn emails_of_other_operations_are_left_out_and_end_the_list() {
    let rows = [
        of_operation(1, Some(OWN)),
        of_operation(2, Some(OTHER)),
        // The server ignores the filter, so this may be an email of any operation.
        of_operation(3, None),
    ];
    let page = json!({"data": rows, "pagination": {"next": "0"}});
    let (client, _) = listing_of(vec![page]).await;
    let mut listing = client.emails(own());
    let emails = listing.page().await.unwrap().unwrap();
    assert_eq!(emails.len(), 1);
    assert_eq!(emails[0].operation, own().operation);
    assert!(listing.ignores_operation());
    assert_eq!(listing.foreign_rows(), 1);
    assert_eq!(listing.page().await.unwrap(), None);
}

#[tokio::test]
async fn a_full_page_is_as_large_as_requested() {
    let full = json!({"data": [of_operation(1, Some(OWN)), of_operation(2, Some(OWN))]});
    let (client, requested) = listing_of(vec![full]).await;
    let mut listing = client.emails(own()).with_page_size(2);
    assert_eq!(listing.page().await.unwrap().unwrap().len(), 2);
    assert_eq!(listing.page().await.unwrap_err(), UNREADABLE_NEXT);
    assert!(requested.lock()[1].ends_with("&pageSize=1"));
}

#[tokio::test]
async fn an_unknown_status_is_an_email_and_shows_that_a_status_filter_is_ignored() {
    let mut row = of_operation(1, Some(OWN));
    row["status"] = json!("DEFERRED");
    let page = json!({"data": [row], "pagination": {"next": null}});
    let (client, _) = listing_of(vec![page]).await;
    let status = Some(EmailStatus::Sent.as_str().to_owned());
    let mut listing = client.emails(ListFilter { status, ..own() });
    let emails = listing.page().await.unwrap().unwrap();
    assert_eq!(emails[0].status, EmailStatus::Unknown);
    assert!(listing.ignores_state());
}
