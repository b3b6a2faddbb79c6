//! The page of one operation: its counts, times, labels and sources. It has a link that probes the operation, because the page
//! itself makes no request.

use maud::{Markup, html};

use super::operations::state;
use super::{accounts, bar, words};
use crate::operation::Breakdown;
use crate::timestamp::Timestamp;
use crate::web::pages::filter::Filter;
use crate::web::pages::operation::OperationDetails;
use crate::web::pages::overview::Site;

pub(super) fn page(site: &Site, operation: &OperationDetails) -> Markup {
    let summary = &operation.summary;
    html! {
        nav class="crumbs" aria-label="Path" {
            a href=(site.link("/")) { "Overview" } " / "
            a href=(site.link(&Filter::of_account(&summary.account).link())) { "Account " (summary.account) }
        }
        div class="title-line" {
            h1 id="headline" { (summary.title().unwrap_or(&summary.id)) }
            (state(summary))
        }
        @if summary.title().is_some() { p class="id" { (summary.id) } }
        @if summary.up == Some(false) {
            p class="remark" { "The last attempt to read this operation failed. The values are from the last successful read; the log has the reason." }
        }
        div class="columns" {
            section class="card" aria-labelledby="emails-title" {
                h2 id="emails-title" { "Emails" }
                (emails(operation))
            }
            section class="card" aria-labelledby="times-title" {
                h2 id="times-title" { "Times" }
                (times(operation))
            }
            section class="card" aria-labelledby="labels-title" {
                h2 id="labels-title" { "Labels" }
                (labels(operation))
            }
            section class="card" aria-labelledby="more-title" {
                h2 id="more-title" { "More" }
                ul class="plain" {
                    li { a href=(site.link(&operation.probe)) { "Probe it now" } span class="aside" { "reads it from Twilio, as Prometheus does" } }
                    @if let Some(grafana) = &operation.grafana {
                        li { a href=(grafana) { "Its dashboard in Grafana" } }
                    }
                }
            }
        }
    }
}

fn emails(operation: &OperationDetails) -> Markup {
    let summary = &operation.summary;
    html! {
        @if let (Some(emails), Some(outcome)) = (&summary.emails, summary.outcome) {
            (accounts::share(Some(outcome)))
            (bar::bar(emails))
            table class="numbers" {
                thead { tr { th scope="col" { "Status" } th scope="col" class="number" { "Emails" } } }
                tbody {
                    @for (class, name, count) in statuses(emails) {
                        tr {
                            th scope="row" {
                                svg viewBox="0 0 10 10" aria-hidden="true" focusable="false" { rect class=(class) width="10" height="10" rx="3" {} }
                                (name)
                            }
                            td class="number" { (words::grouped(count)) }
                        }
                    }
                }
            }
            dl class="values" {
                (quantity("Size", summary.size))
                (quantity("Recipients", summary.recipients))
                (quantity("Attempts", summary.attempts))
            }
        } @else {
            p { "This operation has not been read yet." }
        }
    }
}

/// Each status with the class of its part of the bar.
fn statuses(emails: &Breakdown) -> [(&'static str, &'static str, u64); 8] {
    [
        ("flight", "scheduled", emails.scheduled),
        ("flight", "queued", emails.queued),
        ("flight", "sent, not confirmed", emails.sent),
        ("delivered", "delivered, not opened", emails.delivered),
        ("opened", "opened", emails.opened),
        ("lost", "undelivered", emails.undelivered),
        ("lost", "failed", emails.failed),
        ("canceled", "canceled", emails.canceled),
    ]
}

fn quantity(name: &str, value: Option<u32>) -> Markup {
    html! {
        div {
            dt { (name) }
            dd { @match value { Some(value) => (words::grouped(u64::from(value))), None => "–" } }
        }
    }
}

fn times(operation: &OperationDetails) -> Markup {
    let times = &operation.summary.times;
    let moment = |name: &str, at: Option<Timestamp>, is_future: bool| {
        html! {
            div {
                dt { (name) }
                dd {
                    @match at {
                        Some(at) => {
                            (words::time(at, times.now))
                            @let (ago, left) = (times.now.since(at), at.since(times.now));
                            span class="aside" {
                                @if is_future { "in " (words::span(left.as_secs())) }
                                @else { (words::span(ago.as_secs())) " ago" }
                            }
                        }
                        None => "–",
                    }
                }
            }
        }
    };
    html! {
        dl class="values" {
            (moment("Created", Some(times.created), false))
            (moment("Changed at Twilio", times.updated, false))
            (moment("Read", times.last_success, false))
            (moment("Expires", times.expires, true))
        }
    }
}

fn labels(operation: &OperationDetails) -> Markup {
    let summary = &operation.summary;
    html! {
        @if summary.labels.is_empty() {
            p { "It has no labels. Give it some in the configuration, in a file, or when you register it." }
        } @else {
            table class="numbers" {
                thead { tr { th scope="col" { "Label" } th scope="col" { "Value" } th scope="col" { "From" } } }
                tbody {
                    @for (name, value) in &*summary.labels {
                        tr {
                            th scope="row" { (name) }
                            td { (value) }
                            td class="soft" { (operation.label_sources.get(name).map_or("", String::as_str)) }
                        }
                    }
                }
            }
        }
        p class="soft" {
            @if operation.sources.is_empty() {
                "Found by discovery; no source lists it."
            } @else {
                "Listed by " (operation.sources.join(", ")) "."
            }
        }
    }
}
