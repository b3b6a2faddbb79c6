//! One card for each account.

use maud::{Markup, html};

use super::{bar, words};
use crate::web::pages::account::{AccountFigures, Connection, Counters, Discovery};
use crate::web::pages::filter::Filter;
use crate::web::pages::grafana;
use crate::web::pages::overview::Site;

pub(super) fn card(account: &AccountFigures, site: &Site) -> Markup {
    let outcome = &account.outcome;
    let (class, word) = connection(account);
    html! {
        article class="card" {
            div class="card-head" {
                h3 { (account.name) }
                span class={ "pill " (class) } { (word) }
            }
            div class="share" {
                p class={ "big " (words::class_of_lost(outcome.lost_share)) } {
                    @match outcome.lost_share {
                        Some(share) => (words::percent(share)),
                        None => "–",
                    }
                    " " span { "lost" }
                }
                p class="behind" {
                    @if outcome.finished > 0 {
                        (words::grouped(outcome.lost)) " of " (words::count(outcome.finished, "finished email", "finished emails"))
                    } @else {
                        "No email is finished yet"
                    }
                }
            }
            (bar::bar(&account.emails))
            dl class="figures" {
                (figure("Delivered", &html! { (words::grouped(outcome.delivered)) }))
                (figure("In flight", &html! { (words::grouped(outcome.in_flight)) }))
                (figure("Operations", &html! { (words::grouped(account.operations)) }))
                (figure("Data", &age(account, site)))
                (figure("Discovery", &html! { (discovery(account.discovery)) }))
                (figure("Requests left", &requests(account)))
                (figure("Pause", &pause(account, site)))
                (figure("Counters", &counters(account, site)))
                (figure("Series", &series(account)))
            }
            p class="card-links" {
                a href=(site.link(&Filter::of_account(&account.name).link())) aria-label={ "Operations of " (account.name) } { "Operations" }
                @if let Some(base) = &site.grafana {
                    a href=(grafana::overview(base, Some(&account.name))) aria-label={ "Dashboard of " (account.name) " in Grafana" } { "Grafana" }
                }
            }
        }
    }
}

fn figure(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

const fn connection(account: &AccountFigures) -> (&'static str, &'static str) {
    match account.connection {
        Connection::Starting => ("quiet", "first collection running"),
        Connection::Reached => ("well", "reached"),
        Connection::Paused => ("warning", "paused"),
        Connection::NotReached => ("error", "not reached"),
    }
}

const fn discovery(discovery: Discovery) -> &'static str {
    match discovery {
        Discovery::Unknown => "not known yet",
        Discovery::Listing => "listing",
        Discovery::Failing => "failing",
        Discovery::Off => "off",
    }
}

fn age(account: &AccountFigures, site: &Site) -> Markup {
    html! {
        @match account.times.last_success {
            Some(success) => {
                (words::span(site.now.since(success).as_secs())) " old"
                @if !account.complete { span class="aside" { "last collection incomplete" } }
            }
            None => "none complete yet",
        }
    }
}

fn requests(account: &AccountFigures) -> Markup {
    html! {
        @match account.requests_left {
            Some(left) => { (words::grouped(left as u64)) " of " (words::grouped(account.request_budget as u64)) }
            None => { "– of " (words::grouped(account.request_budget as u64)) }
        }
    }
}

fn pause(account: &AccountFigures, site: &Site) -> Markup {
    html! {
        @match (account.times.paused_until, account.times.next_login_at) {
            (Some(until), _) => { "until " (words::time(until, site.now)) }
            (None, Some(at)) => { "next login " (words::time(at, site.now)) }
            (None, None) => "none",
        }
    }
}

fn counters(account: &AccountFigures, site: &Site) -> Markup {
    html! {
        @match (account.counters, account.times.unsaved_since) {
            (Counters::Saved, _) => "saved",
            (Counters::MemoryOnly, _) => "in memory",
            (Counters::Unsaved, Some(since)) => span class="bad" { "not saved since " (words::time(since, site.now)) },
            (Counters::Unsaved, None) => span class="bad" { "not saved" },
        }
    }
}

fn series(account: &AccountFigures) -> Markup {
    html! {
        (words::grouped(account.operations_with_series)) " of " (words::grouped(account.series_limit as u64))
    }
}
