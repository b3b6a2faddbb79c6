//! The page at `/`: the accounts, their status, and links. It is plain HTML without scripts or external resources, and makes no request
//! to Twilio.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::service::Service;
use crate::operation::{OperationState, Status};
use crate::snapshot::AccountSnapshot;
use crate::timestamp::Timestamp;

const STYLE: &str = include_str!("landing.css");
/// Written between rows, so that the page's source is readable.
const NEW_LINE: &str = "\n";

/// Renders the page from the last known values.
pub(super) async fn landing(State(service): State<Arc<Service>>) -> impl IntoResponse {
    let snapshot = service.collector.known().await;
    let page = page(
        &snapshot.accounts,
        service.clock.now(),
        &service.telemetry_path,
        service.api,
    );
    let policy = [(CONTENT_SECURITY_POLICY, policy())];
    (policy, Html(page.into_string()))
}

/// The page's policy: its style and nothing else.
fn policy() -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, STYLE.as_bytes());
    let hash = STANDARD.encode(hash);
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn page(accounts: &[AccountSnapshot], now: Timestamp, metrics: &str, api: bool) -> Markup {
    let revision = option_env!("TWILIO_EMAIL_REVISION").filter(|text| !text.is_empty());
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "twilio-email-exporter" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "twilio-email-exporter" }
                    p {
                        "Watches the Email operations of "
                        @if accounts.len() == 1 { "one account" } @else { (accounts.len()) " accounts" }
                        " through Twilio’s API. Values are from the last collection; every scrape runs one."
                    }
                    div class="table" {
                        table {
                            thead {
                                tr {
                                    th { "Account" }
                                    th { "Twilio" }
                                    th { "Discovery" }
                                    th { "Last collection" }
                                    th class="number" { "Operations" }
                                    th class="number" { "In flight" }
                                    th class="number" { "Emails delivered or opened" }
                                    th class="number" { "Undelivered or failed" }
                                }
                            }
                            tbody {
                                (NEW_LINE)
                                @for account in accounts { (row(account, now)) (NEW_LINE) }
                            }
                        }
                    }
                    ul {
                        li { a href=(metrics) { "Metrics" } }
                        li { a href="/sd" { "Operations as targets" } }
                        @if api {
                            li { a href="/api/v1/operations" { "Operations" } }
                            li { a href="/api/v1/openapi.json" { "API" } }
                        }
                        li { a href="/-/healthy" { "Healthy?" } }
                        li { a href="/-/ready" { "Ready?" } }
                    }
                    footer {
                        "Version " (env!("CARGO_PKG_VERSION"))
                        @if let Some(revision) = revision { ", revision " (revision) }
                    }
                }
            }
        }
        (NEW_LINE)
    }
}

fn row(account: &AccountSnapshot, now: Timestamp) -> Markup {
    let status = &account.status;
    // Per account: another account may have collected already.
    let has_collected = status.duration.is_some();
    let totals = &account.totals;
    let in_flight =
        totals.in_state(&OperationState::Processing) + totals.in_state(&OperationState::Scheduled);
    let reached = account
        .counting_mode
        .reached_mailbox(totals.at(Status::Delivered), totals.at(Status::Opened));
    let lost = totals.at(Status::Undelivered) + totals.at(Status::Failed);
    let twilio = match (status.paused_until, status.up, has_collected) {
        (Some(until), _, _) => ("warn", format!("paused until {until}")),
        (None, true, _) => ("good", "reached".to_owned()),
        (None, false, true) => ("bad", "not reached, see the log".to_owned()),
        (None, false, false) => ("", "first collection running".to_owned()),
    };
    let discovery = match status.discovery_up {
        Some(true) => ("good", "listing"),
        Some(false) => ("bad", "refused or failing"),
        None if has_collected => ("", "off"),
        None => ("", "not known yet"),
    };
    let age = status.last_success.map_or_else(
        || "none complete yet".to_owned(),
        |success| format!("complete, {} ago", age(now.since(success).as_secs())),
    );
    html! {
        tr {
            th scope="row" { (account.name) }
            td class=(twilio.0) { (twilio.1) }
            td class=(discovery.0) { (discovery.1) }
            td { (age) }
            td class="number" { (grouped(totals.size())) }
            td class="number" { (grouped(in_flight)) }
            td class="number" { (grouped(reached)) }
            td class="number" { (grouped(lost)) }
        }
    }
}

/// A number with thousands separators: 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A span in the largest unit that is precise enough.
fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        let path = "/<b a='\"'>&";
        let page = page(&[], Timestamp::from_millis(0), path, false).into_string();
        assert!(
            page.contains("href=\"/&lt;b a='&quot;'&gt;&amp;\""),
            "{page}"
        );
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn ages_use_the_largest_unit_that_is_precise_enough() {
        assert_eq!(
            [119, 7199, 7200, 172_800].map(age),
            ["119 s", "119 min", "2 h", "2 days"]
        );
    }
}
