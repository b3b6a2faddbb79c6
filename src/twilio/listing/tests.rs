//! A list of a second resource, emails, through the same code.

mod emails;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::clock::Clock;
use crate::config::{Config, Overrides};
use crate::exposition::{Build, Endpoint, Instruments};
use crate::operation::Unexpected;
use crate::twilio::client::MOST_ROWS;
use crate::twilio::resource::Row;

/// An email, without the addresses and bodies that its row may have.
#[derive(Debug, PartialEq, Eq)]
struct Email {
    id: String,
    status: String,
    created: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    id: String,
    status: Option<String>,
    created_at: Option<String>,
}

impl Resource for Email {
    type Id = String;

    const PATH: &'static [&'static str] = &["Emails"];
    const KEYS: &'static [&'static str] = &["emails", "data"];
    const ENDPOINT: Endpoint = Endpoint::Emails;

    fn read(row: &[u8], _: &mut Unexpected) -> Row<Self> {
        let Ok(fields) = serde_json::from_slice::<Fields>(row) else {
            return Row::Unreadable;
        };
        let created = fields.created_at.and_then(|text| text.parse().ok());
        match (fields.status, created) {
            (Some(status), Some(created)) => Row::Read(Self {
                id: fields.id,
                status: status.to_ascii_lowercase(),
                created,
            }),
            _ => Row::Rejected(fields.id, "an email without `status` or `createdAt`"),
        }
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn status(&self) -> &str {
        &self.status
    }
}

/// Serves `pages`: the first one to a request without a token, and `pages[n]` to one with the token `n`. A page that is a number
/// is an error with that status. A request for one row gets the last page. Records the requests.
async fn server(pages: Vec<Value>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requested = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&requested);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            serve(stream, &pages, &log).await;
        }
    });
    (address, requested)
}

/// Serves one request per connection.
async fn serve(mut stream: TcpStream, pages: &[Value], log: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap();
    let token = target
        .split_once("pageToken=")
        .map_or("0", |(_, token)| token);
    let body = if target.ends_with("&pageSize=1") {
        pages.last().unwrap()
    } else {
        &pages[token.parse::<usize>().unwrap()]
    };
    let status = body.as_u64().unwrap_or(200);
    let body = body.to_string();
    log.lock().push(target.to_owned());
    let length = body.len();
    let response = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(response.as_bytes()).await.unwrap();
}

fn client(address: SocketAddr, clock: Clock) -> Client {
    let variable = |name: &str| match name {
        "TWILIO_ACCOUNT_SID" => Some("AC0123456789abcdef0123456789abcdef".into()),
        "TWILIO_AUTH_TOKEN" => Some("made-up-token-of-a-test".into()),
        _ => None,
    };
    let overrides = Overrides {
        base_url: Some(format!("http://{address}/v1")),
        ..Overrides::default()
    };
    let config = Config::load(&overrides, &variable).unwrap();
    let build = Build {
        version: "1",
        revision: "a",
    };
    let instruments = Instruments::new(build).unwrap();
    let account = &config.accounts[0];
    Client::new(account, instruments.account(&account.name), clock).unwrap()
}

fn email(number: u32, status: &str, created: Timestamp) -> Value {
    json!({
        "id": format!("comms_email_{number}"), "status": status, "createdAt": created.to_string(),
        "from": {"address": "jane@example.com"}, "to": [{"address": "joe@example.com"}],
    })
}

const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);
const HOUR: Duration = Duration::from_hours(1);

/// All rows of the list, and the list at its end.
async fn all<'a>(client: &'a Client, status: Option<&str>) -> (Vec<Email>, Listing<'a, Email>) {
    let status = status.map(str::to_owned);
    let mut listing = Listing::<Email>::new(client, NOW - HOUR, Some(NOW), status);
    let mut rows = Vec::new();
    while let Some(page) = listing.page().await.unwrap() {
        rows.extend(page);
    }
    (rows, listing)
}

#[tokio::test]
async fn emails_are_listed_page_by_page_by_the_same_code() {
    let created = NOW - Duration::from_mins(10);
    let (address, requested) = server(vec![
        json!({"emails": [email(1, "DELIVERED", created), email(2, "OPENED", created)], "pagination": {"next": "1"}}),
        json!({"data": [email(3, "DELIVERED", created), 7, {"id": "comms_email_4"}], "pagination": {"next": null}}),
    ])
    .await;
    let client = client(address, Clock::manual(NOW));
    let (rows, mut listing) = all(&client, None).await;
    let ids: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["comms_email_1", "comms_email_2", "comms_email_3"]);
    assert_eq!((listing.pages(), listing.page_size()), (2, Some(2)));
    assert_eq!((listing.unreadable(), listing.is_sound()), (1, false));
    let why = ApiError::Implausible("an email without `status` or `createdAt`");
    assert_eq!(listing.take_rejected(), [("comms_email_4".to_owned(), why)]);
    assert!(listing.is_newest_first() && !listing.ignores_dates());
    let dates = "startDate=2026-04-05T05%3A20%3A00Z&endDate=2026-04-05T06%3A20%3A02Z";
    let first = format!("/v1/Emails?{dates}&pageSize=1000");
    assert_eq!(
        *requested.lock(),
        [first.clone(), format!("{first}&pageToken=1")]
    );
}

#[tokio::test]
async fn a_list_of_emails_that_ignores_a_filter_is_noticed() {
    let long_ago = NOW - 24 * HOUR;
    let (address, requested) = server(vec![
        json!({"data": [email(1, "OPENED", long_ago), email(2, "DELIVERED", long_ago)], "pagination": {"next": "1"}}),
    ])
    .await;
    let client = client(address, Clock::manual(NOW));
    let (rows, listing) = all(&client, Some("delivered")).await;
    assert_eq!(rows.len(), 2);
    assert!(listing.ignores_state() && listing.ignores_dates());
    // If the server ignores the filter, the pages contain the whole account.
    assert_eq!(listing.pages(), 1);
    assert!(requested.lock()[0].contains("&status=DELIVERED&"));
}

/// A client of a server with these pages at [`NOW`], and the requests that the server gets.
async fn listing_of(pages: Vec<Value>) -> (Client, Arc<Mutex<Vec<String>>>) {
    let (address, requested) = server(pages).await;
    (client(address, Clock::manual(NOW)), requested)
}

fn emails(count: usize) -> Vec<Value> {
    vec![email(1, "DELIVERED", NOW); count]
}

#[tokio::test]
async fn a_page_with_more_than_twice_the_requested_rows_is_refused() {
    let rows = |count| json!({"data": emails(count), "pagination": {"next": null}});
    let (client_of_full, _) = listing_of(vec![rows(MOST_ROWS)]).await;
    let (read, _) = all(&client_of_full, None).await;
    assert_eq!(read.len(), MOST_ROWS);
    let (client, _) = listing_of(vec![rows(MOST_ROWS + 1)]).await;
    let mut listing = Listing::<Email>::new(&client, NOW - HOUR, None, None);
    let limit = MOST_ROWS;
    assert_eq!(
        listing.page().await.unwrap_err(),
        ApiError::TooManyRows { limit }
    );
    assert_eq!(listing.page().await.unwrap(), None, "the list ends there");
}

#[tokio::test]
async fn a_list_of_rows_in_the_requested_state_has_applied_the_filter() {
    let page = json!({"data": emails(2), "pagination": {"next": null}});
    let (client, _) = listing_of(vec![page]).await;
    assert!(!all(&client, Some("delivered")).await.1.ignores_state());
}

#[tokio::test]
async fn only_a_refused_first_page_refuses_the_whole_list() {
    let first = json!({"data": emails(1), "pagination": {"next": "1"}});
    let (client, _) = listing_of(vec![first, json!(403)]).await;
    let mut listing = Listing::<Email>::new(&client, NOW - HOUR, None, None);
    assert_eq!(listing.page().await.unwrap().unwrap().len(), 1);
    let cause = Box::new(ApiError::Forbidden);
    let broken = ApiError::BrokenList { page: 2, cause };
    assert_eq!(listing.page().await.unwrap_err(), broken);
    let (client, _) = listing_of(vec![json!(403)]).await;
    let mut listing = Listing::<Email>::new(&client, NOW - HOUR, None, None);
    assert_eq!(listing.page().await.unwrap_err(), ApiError::Forbidden);
}

#[tokio::test]
async fn a_full_page_without_pagination_is_the_end_only_if_a_shorter_page_names_its_next_one() {
    // The server returns the same page for a request of one row.
    let full = json!({"data": emails(PAGE_SIZE)});
    let (client, requested) = listing_of(vec![full]).await;
    let mut listing = Listing::<Email>::new(&client, NOW - HOUR, None, None);
    assert_eq!(listing.page().await.unwrap().unwrap().len(), PAGE_SIZE);
    assert_eq!(listing.page().await.unwrap_err(), UNREADABLE_NEXT);
    assert!(requested.lock()[1].ends_with("&pageSize=1"));

    let full = json!({"data": emails(PAGE_SIZE)});
    let one_row = json!({"data": emails(1), "pagination": {"next": "1"}});
    let (client, requested) = listing_of(vec![full, one_row]).await;
    assert_eq!(all(&client, None).await.0.len(), PAGE_SIZE);
    assert_eq!(requested.lock().len(), 2);

    let one_less = json!({"data": emails(PAGE_SIZE - 1)});
    let (client, requested) = listing_of(vec![one_less]).await;
    assert_eq!(all(&client, None).await.0.len(), PAGE_SIZE - 1);
    assert_eq!(requested.lock().len(), 1);

    // A later page without pagination is the end, however full.
    let first = json!({"data": emails(1), "pagination": {"next": "1"}});
    let (client, requested) = listing_of(vec![first, json!({"data": emails(PAGE_SIZE)})]).await;
    assert_eq!(all(&client, None).await.0.len(), PAGE_SIZE + 1);
    assert_eq!(requested.lock().len(), 2);
}

#[tokio::test]
async fn a_page_size_in_the_pagination_says_when_a_page_is_full() {
    let page = |rows| json!({"data": emails(rows), "pagination": {"pageSize": 2}});
    for (rows, requests) in [(1, 1), (2, 2), (3, 2)] {
        let (client, requested) = listing_of(vec![page(rows)]).await;
        let mut listing = Listing::<Email>::new(&client, NOW - HOUR, None, None);
        assert_eq!(listing.page().await.unwrap().unwrap().len(), rows);
        let last = listing.page().await;
        assert_eq!(last.is_err(), requests == 2, "{rows}");
        assert_eq!(requested.lock().len(), requests, "{rows}");
    }
}

#[tokio::test]
async fn an_empty_page_says_nothing_of_the_page_size() {
    let empty = json!({"data": [], "pagination": {"next": "1"}});
    let last = json!({"data": emails(1), "pagination": {"next": null}});
    let (client, _) = listing_of(vec![empty, last]).await;
    let (_, listing) = all(&client, None).await;
    assert_eq!((listing.pages(), listing.page_size()), (2, None));
}

/// Whether a list with these creation times ignores dates, and whether it is newest first.
async fn observed(created: &[Timestamp]) -> (bool, bool) {
    let rows: Vec<_> = created
        .iter()
        .map(|created| email(1, "DELIVERED", *created))
        .collect();
    let (client, _) = listing_of(vec![json!({"data": rows, "pagination": {"next": null}})]).await;
    let (_, listing) = all(&client, None).await;
    (listing.ignores_dates(), listing.is_newest_first())
}

#[tokio::test]
async fn two_rows_more_than_an_hour_outside_the_dates_prove_that_the_dates_are_ignored() {
    let second = Duration::from_secs(1);
    let (early, late) = (NOW - 2 * HOUR, NOW + HOUR);
    for (created, ignored) in [
        ([late, early], false),
        ([late + second, late + second], true),
        ([early - second, early - second], true),
        ([late + second, early - second], true),
        ([late + second, early], false),
        ([late, early - second], false),
    ] {
        assert_eq!(observed(&created).await.0, ignored, "{created:?}");
    }
}

#[tokio::test]
async fn rows_within_two_seconds_may_have_any_order_and_later_ones_show_another_order() {
    let seconds = |seconds: u64| NOW - Duration::from_secs(60 - seconds);
    assert!(observed(&[seconds(0), seconds(2)]).await.1);
    assert!(!observed(&[seconds(0), seconds(3)]).await.1);
    // One row in another order is enough, whatever comes after it.
    let again = [seconds(9), seconds(0), seconds(9), seconds(0)];
    assert!(!observed(&again).await.1);
}

#[tokio::test]
async fn a_list_with_an_unusable_row_is_not_sound() {
    for row in [json!(7), json!({"id": "comms_email_4"})] {
        let page = json!({"data": [row], "pagination": {"next": null}});
        let (client, _) = listing_of(vec![page]).await;
        assert!(!all(&client, None).await.1.is_sound());
    }
    let page = json!({"data": emails(1), "pagination": {"next": null}});
    let (client, _) = listing_of(vec![page]).await;
    let (_, mut listing) = all(&client, None).await;
    assert!(listing.is_sound());
    listing.note_unread(0);
    assert!(listing.is_sound());
    listing.note_unread(1);
    assert!(!listing.is_sound());
}
