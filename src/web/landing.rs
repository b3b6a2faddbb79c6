//! The page at `/`: what is watched, how it stands, and the links. Plain HTML, no script, nothing from elsewhere.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;

use super::service::Service;
use crate::operation::{OperationState, Status};
use crate::snapshot::AccountSnapshot;
use crate::timestamp::Timestamp;

const STYLE: &str = include_str!("landing.css");

/// Shows what is known; asks Twilio nothing.
pub(super) async fn landing(State(service): State<Arc<Service>>) -> Html<String> {
    let snapshot = service.collector.snapshot().await;
    let now = service.clock.now();
    let mut rows = String::new();
    for account in &snapshot.accounts {
        push_row(&mut rows, account, now);
    }
    let metrics = escape(&service.telemetry_path);
    let api = if service.api {
        "<li><a href=\"/api/v1/operations\">Operations</a></li>\n<li><a href=\"/api/v1/openapi.json\">API</a></li>\n"
    } else {
        ""
    };
    let mut version = escape(env!("CARGO_PKG_VERSION"));
    if let Some(revision) = option_env!("TWILIO_EMAIL_REVISION").filter(|text| !text.is_empty()) {
        version = format!("{version}, revision {}", escape(revision));
    }
    Html(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>twilio-email-exporter</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>twilio-email-exporter</h1>\n\
         <p>Watches the Email operations of {} through Twilio’s API. Figures are as of the last collection; every scrape makes one.</p>\n\
         <div class=\"table\"><table>\n<thead><tr><th>Account</th><th>Twilio</th><th>Discovery</th><th>Last collection</th>\
         <th class=\"number\">Operations</th><th class=\"number\">In flight</th><th class=\"number\">Emails delivered or opened</th>\
         <th class=\"number\">Undelivered or failed</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table></div>\n\
         <ul>\n<li><a href=\"{metrics}\">Metrics</a></li>\n<li><a href=\"/sd\">Operations as targets</a></li>\n{api}<li><a href=\"/-/healthy\">Healthy?</a></li>\n<li><a href=\"/-/ready\">Ready?</a></li>\n</ul>\n\
         <footer>Version {version}</footer>\n</main>\n</body>\n</html>\n",
        if snapshot.accounts.len() == 1 {
            "one account".to_owned()
        } else {
            format!("{} accounts", snapshot.accounts.len())
        },
    ))
}

fn push_row(rows: &mut String, account: &AccountSnapshot, now: Timestamp) {
    let status = &account.status;
    // Of this account: another one's first collection says nothing about it.
    let collected = status.duration.is_some();
    let totals = &account.totals;
    let in_flight =
        totals.in_state(&OperationState::Processing) + totals.in_state(&OperationState::Scheduled);
    let reached = account
        .counting_mode
        .reached_mailbox(totals.at(Status::Delivered), totals.at(Status::Opened));
    let lost = totals.at(Status::Undelivered) + totals.at(Status::Failed);
    let twilio = match (status.paused_until, status.up, collected) {
        (Some(until), _, _) => ("warn", format!("paused until {until}")),
        (None, true, _) => ("good", "reached".to_owned()),
        (None, false, true) => ("bad", "not reached, see the log".to_owned()),
        (None, false, false) => ("", "first collection under way".to_owned()),
    };
    let discovery = match status.discovery_up {
        Some(true) => ("good", "listing"),
        Some(false) => ("bad", "refused or failing"),
        None if collected => ("", "off"),
        None => ("", "not known yet"),
    };
    let age = status.last_success.map_or_else(
        || "none complete yet".to_owned(),
        |success| format!("complete, {} ago", age(now.since(success).as_secs())),
    );
    // Writing to a string does not fail.
    let _ = writeln!(
        rows,
        "<tr><th scope=\"row\">{}</th><td class=\"{}\">{}</td><td class=\"{}\">{}</td><td>{age}</td>\
         <td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
        escape(&account.name),
        twilio.0,
        twilio.1,
        discovery.0,
        discovery.1,
        grouped(totals.size()),
        grouped(in_flight),
        grouped(reached),
        grouped(lost),
    );
}

/// A number as people read it: 1,234,567.
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

/// A span as people say it.
fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Text that means nothing to HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out() {
        assert_eq!(escape("<b a='\"'>&"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn ages_are_said_in_the_largest_unit_that_tells_enough() {
        assert_eq!(
            [119, 7199, 7200, 172_800].map(age),
            ["119 s", "119 min", "2 h", "2 days"]
        );
    }
}
