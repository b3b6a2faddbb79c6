//! The accounts, one card for each. If there are several pages of them, the selected account is first, then those with problems.

use maud::{Markup, html};

use super::{bar, words};
use crate::operation::Sums;
use crate::web::pages::account::{AccountSummary, Connection, Counters, Discovery};
use crate::web::pages::filter::Filter;
use crate::web::pages::grafana;
use crate::web::pages::overview::{Overview, Site};

/// The cards on a page: with the operations, below 100 KiB of HTML.
const PAGE_SIZE: usize = 12;

/// One page of cards. If there are more, the selected account is first, then those with the worst problems.
pub(super) fn cards(site: &Site, overview: &Overview, filter: &Filter) -> Markup {
    let mut accounts: Vec<&AccountSummary> = overview.accounts.iter().collect();
    let total = accounts.len();
    if total > PAGE_SIZE {
        let severities = overview.severities();
        accounts.sort_by_key(|account| {
            let is_selected = filter.account.as_deref() == Some(&*account.name);
            let severity = severities.get(&account.name);
            (!is_selected, severity.is_none(), severity.copied())
        });
    }
    let pages = total.div_ceil(PAGE_SIZE).max(1);
    let page = filter.accounts_page.min(pages);
    let first = (page - 1) * PAGE_SIZE;
    let shown: Vec<_> = accounts.into_iter().skip(first).take(PAGE_SIZE).collect();
    let link = |page: usize| site.link(&filter.at_accounts_page(page).accounts_link());
    html! {
        div class="cards" { @for account in &shown { (card(account, site)) } }
        @if pages > 1 {
            nav class="pager" aria-label="Pages of accounts" {
                p {
                    (first + 1) "–" (first + shown.len()) " of " (words::count(total as u64, "account", "accounts"))
                    ", those with problems first"
                }
                div {
                    @if page > 1 { a class="button" rel="prev" href=(link(page - 1)) { "Previous accounts" } }
                    @if page < pages { a class="button" rel="next" href=(link(page + 1)) { "Next accounts" } }
                }
            }
        }
    }
}

fn card(account: &AccountSummary, site: &Site) -> Markup {
    let (class, word) = connection(account);
    html! {
        article class="card" {
            div class="card-head" {
                h3 { (account.name) }
                span class={ "pill " (class) } { (word) }
            }
            (share(account.outcome))
            (bar::bar(&account.emails.unwrap_or_default()))
            dl class="values" {
                (entry("Delivered", &amount(account.outcome.map(|outcome| outcome.delivered))))
                (entry("In flight", &amount(account.outcome.map(|outcome| outcome.in_flight))))
                (entry("Operations", &html! { (words::grouped(account.operations)) }))
                (entry("Data", &age(account, site)))
                (entry("Discovery", &html! { (discovery(account.discovery)) }))
                (entry("Requests left", &requests(account)))
                (entry("Pause", &pause(account, site)))
                (entry("Counters", &counters(account, site)))
                (entry("Series", &series(account)))
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

/// The share of lost emails and the counts behind it. Without an outcome, nothing was read.
pub(super) fn share(outcome: Option<Sums>) -> Markup {
    let lost_share = outcome.and_then(|outcome| outcome.lost_share);
    html! {
        div class="share" {
            p class={ "big " (words::class_of_lost(lost_share)) } {
                @match lost_share { Some(share) => (words::percent(share)), None => "–" }
                " " span { "lost" }
            }
            p class="behind" {
                @match outcome {
                    Some(outcome) if outcome.finished > 0 => {
                        (words::grouped(outcome.lost)) " of " (words::count(outcome.finished, "finished email", "finished emails"))
                    }
                    Some(_) => "No email is finished yet",
                    None => "Not known yet: no collection has succeeded",
                }
            }
        }
    }
}

fn amount(value: Option<u64>) -> Markup {
    html! { @match value { Some(value) => (words::grouped(value)), None => "–" } }
}

fn entry(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

const fn connection(account: &AccountSummary) -> (&'static str, &'static str) {
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

fn age(account: &AccountSummary, site: &Site) -> Markup {
    html! {
        @match account.times.last_success {
            Some(success) => {
                (words::span(site.now.since(success).as_secs())) " old"
                @if !account.complete { span class="aside" { "last collection incomplete" } }
            }
            None => "none since the start",
        }
    }
}

fn requests(account: &AccountSummary) -> Markup {
    html! {
        @match account.requests_left {
            Some(left) => { (words::grouped(left as u64)) " of " (words::grouped(account.request_budget as u64)) }
            None => { "– of " (words::grouped(account.request_budget as u64)) }
        }
    }
}

fn pause(account: &AccountSummary, site: &Site) -> Markup {
    html! {
        @match (account.times.paused_until, account.times.next_login_at) {
            (Some(until), _) => { "until " (words::time(until, site.now)) }
            (None, Some(at)) => { "next login " (words::time(at, site.now)) }
            (None, None) => "none",
        }
    }
}

fn counters(account: &AccountSummary, site: &Site) -> Markup {
    html! {
        @match (account.counters, account.times.unsaved_since) {
            (Counters::Saved, _) => "saved",
            (Counters::MemoryOnly, _) => "in memory",
            (Counters::Unsaved, Some(since)) => span class="bad" { "not saved since " (words::time(since, site.now)) },
            (Counters::Unsaved, None) => span class="bad" { "not saved" },
        }
    }
}

fn series(account: &AccountSummary) -> Markup {
    html! {
        (words::grouped(account.operations_with_series)) " of " (words::grouped(account.series_limit as u64))
    }
}
