//! The table of operations with its form. On a narrow screen, each row is laid out as a card.

use maud::{Markup, html};

use super::{bar, words};
use crate::operation::OperationId;
use crate::web::pages::filter::{Filter, Sort};
use crate::web::pages::operation::OperationSummary;
use crate::web::pages::overview::{Overview, Site};
use crate::web::pages::selection::{PAGE_SIZE, Selection};

/// The most labels of an operation in the table; its own page has all.
const MOST_LABELS: usize = 3;
/// The names of accounts to choose from, in bytes: below 100 KiB of HTML, however many there are.
const MOST_NAME_BYTES: usize = 4096;
/// The longest text of a title or a label in the table, in characters.
const LONGEST_TEXT: usize = 60;

pub(super) fn section(site: &Site, overview: &Overview, filter: &Filter) -> Markup {
    let selection = &overview.operations;
    let has_form = selection.total > 0 || filter.is_filtered();
    let has_accounts = overview.accounts.len() > 1;
    html! {
        section id="operations" aria-labelledby="operations-title" {
            h2 id="operations-title" { "Operations" }
            // The script adds the form once there is something to search, and does not change it afterwards.
            div id="operations-form" data-live[!has_form] {
                @if has_form {
                    (form(site, overview, filter))
                    (tabs(site, filter))
                }
            }
            div id="operations-list" data-live {
                @if selection.items.is_empty() {
                    (nothing(site, overview, filter))
                } @else {
                    (legend())
                    (table(site, selection, filter, has_accounts))
                    (pager(site, selection, filter))
                }
            }
        }
    }
}

fn form(site: &Site, overview: &Overview, filter: &Filter) -> Markup {
    let selection = &overview.operations;
    let is_state = |state: &str| filter.state.as_deref() == Some(state);
    let unknown_state = filter.state.as_ref();
    let unknown_state = unknown_state.filter(|state| !selection.states.contains(*state));
    html! {
        form class="filter" method="get" action=(site.link("/#operations")) role="search" aria-label="Operations" {
            div class="field wide" {
                label for="q" { "Search" }
                input id="q" name="q" type="search" value=(filter.text) placeholder="Name, campaign or id" maxlength="200" autocomplete="off";
            }
            @if overview.accounts.len() > 1 {
                div class="field" {
                    label for="account" { "Account" }
                    (account_field(overview, filter))
                }
            } @else if let Some(account) = &filter.account {
                input type="hidden" name="account" value=(account);
            }
            div class="field" {
                label for="state" { "State" }
                select id="state" name="state" {
                    option value="" { "All" }
                    @if let Some(state) = unknown_state { option value=(state) selected { (state) } }
                    @for state in &selection.states {
                        option value=(state) selected[is_state(state)] { (state) }
                    }
                }
            }
            div class="field" {
                label for="label" { "Label" }
                input id="label" name="label" value=(filter.label.as_deref().unwrap_or_default()) list="labels" placeholder="campaign=spring" maxlength="200" autocomplete="off";
                datalist id="labels" { @for label in &selection.labels { option value=(label) {} } }
            }
            @if filter.sort != Sort::default() {
                input type="hidden" name="sort" value=(filter.sort.as_str());
            }
            div class="field buttons" {
                button class="button main" type="submit" { "Show" }
                @if filter.is_filtered() {
                    a class="button" href=(site.link("/#operations")) { "Clear" }
                }
            }
        }
    }
}

/// A list of choices, or a field that proposes the first names if they are too long for a list.
fn account_field(overview: &Overview, filter: &Filter) -> Markup {
    let wanted = filter.account.as_deref();
    let names = overview.accounts.iter().map(|account| &*account.name);
    let mut bytes = 0;
    let proposed: Vec<&str> = names
        .take_while(|name| {
            bytes += name.len();
            bytes <= MOST_NAME_BYTES
        })
        .collect();
    let unknown = wanted.filter(|wanted| !proposed.contains(wanted));
    html! {
        @if proposed.len() == overview.accounts.len() {
            select id="account" name="account" {
                option value="" { "All" }
                @if let Some(name) = unknown { option value=(name) selected { (name) } }
                @for name in proposed {
                    option value=(name) selected[wanted == Some(name)] { (name) }
                }
            }
        } @else {
            input id="account" name="account" value=(wanted.unwrap_or_default()) list="accounts-proposed" placeholder="All" maxlength="200" autocomplete="off";
            datalist id="accounts-proposed" { @for name in proposed { option value=(name) {} } }
        }
    }
}

fn tabs(site: &Site, filter: &Filter) -> Markup {
    html! {
        nav class="tabs" aria-label="Order of operations" {
            @for sort in Sort::ALL {
                @let is_current = (sort == filter.sort).then_some("true");
                a href=(site.link(&filter.sorted(sort).link())) aria-current=[is_current] { (sort.title()) }
            }
        }
    }
}

fn nothing(site: &Site, overview: &Overview, filter: &Filter) -> Markup {
    html! {
        div class="empty" {
            @if filter.is_filtered() {
                p {
                    strong { "No operation matches." } " "
                    @match &filter.account {
                        Some(name) if overview.accounts.iter().all(|account| **name != *account.name) => {
                            "There is no account " bdi { (name) } "."
                        }
                        _ => "The page shows operations that have series.",
                    }
                }
                @if filter.text.parse::<OperationId>().is_ok() {
                    // It may be known and have no series.
                    p { a class="button" href=(site.link(&format!("/operations/{}", filter.text))) { "Look up this operation" } }
                } @else {
                    p { a class="button" href=(site.link("/#operations")) { "Show all" } }
                }
            } @else if overview.accounts.iter().all(|account| account.last_success.is_none()) {
                p { strong { "No operation is known yet." } " Operations appear here after the first collection that reaches Twilio." }
            } @else {
                p { strong { "There is no operation." } " Twilio returns an operation for seven days. New operations appear here by themselves." }
            }
        }
    }
}

/// What the colors of the bars mean.
fn legend() -> Markup {
    html! {
        ul class="legend" aria-label="Colors of the bars" {
            @for (class, word) in bar::PARTS {
                li { svg viewBox="0 0 10 10" aria-hidden="true" focusable="false" { rect class=(class) width="10" height="10" rx="3" {} } (word) }
            }
        }
    }
}

// The roles are explicit, because a browser drops those of a table that is laid out as cards.
fn table(site: &Site, selection: &Selection, filter: &Filter, has_accounts: bool) -> Markup {
    html! {
        table class="operations" role="table" aria-label={ "Operations, " (order(filter.sort)) } {
            thead role="rowgroup" {
                tr role="row" {
                    th role="columnheader" scope="col" { "Operation" }
                    @if has_accounts { th role="columnheader" scope="col" { "Account" } }
                    th role="columnheader" scope="col" { "State" }
                    th role="columnheader" scope="col" class="emails" { "Emails" }
                    th role="columnheader" scope="col" class="number" { "Size" }
                    th role="columnheader" scope="col" class="number" { "Lost" }
                    th role="columnheader" scope="col" class="number" { "Age" }
                }
            }
            tbody role="rowgroup" {
                @for operation in &selection.items { (row(site, operation, has_accounts)) }
            }
        }
    }
}

const fn order(sort: Sort) -> &'static str {
    match sort {
        Sort::Newest => "the newest first",
        Sort::InFlight => "most emails in flight first",
        Sort::Worst => "most lost emails first",
    }
}

fn row(site: &Site, operation: &OperationSummary, has_accounts: bool) -> Markup {
    let title = operation.title().map(shortened);
    html! {
        tr id=(operation.id) role="row" {
            th role="rowheader" scope="row" class="what" {
                @if let Some(title) = &title {
                    a class="title" href=(site.link(&operation.link())) { (title) }
                    span class="id" { (operation.id) }
                } @else {
                    a class="title id" href=(site.link(&operation.link())) { (operation.id) }
                }
                (labels(operation))
            }
            @if has_accounts { td role="cell" class="account" { span class="key" { "Account" } (operation.account) } }
            td role="cell" class="state" { (state(operation)) }
            td role="cell" class="emails" {
                @match &operation.emails {
                    Some(emails) => {
                        (bar::bar(emails))
                        span class="counts" aria-hidden="true" { (bar::text(emails)) }
                    }
                    None => span class="counts" { "not read yet" },
                }
            }
            td role="cell" class="number" {
                span class="key" { "Size" }
                @match operation.size { Some(size) => (words::grouped(u64::from(size))), None => "–" }
            }
            td role="cell" class="number" {
                span class="key" { "Lost" }
                @match operation.outcome.and_then(|outcome| Some((outcome.lost, outcome.lost_share?))) {
                    Some((0, _)) => "0%",
                    Some((_, share)) => span class=(words::class_of_lost(Some(share))) { (words::percent(share)) },
                    None => "–",
                }
            }
            td role="cell" class="number" {
                span class="key" { "Age" }
                (words::span(operation.age_seconds))
            }
        }
    }
}

fn labels(operation: &OperationSummary) -> Markup {
    let is_title = |value: &String| operation.title() == Some(value.as_str());
    let others = operation
        .labels
        .iter()
        .filter(|(_, value)| !is_title(value));
    let others: Vec<_> = others.collect();
    html! {
        @if !others.is_empty() {
            span class="labels" {
                @for (name, value) in others.iter().take(MOST_LABELS) {
                    span class="label" { (shortened(name)) "=" (shortened(value)) }
                    " "
                }
                @if others.len() > MOST_LABELS { span class="more" { "and " (others.len() - MOST_LABELS) " more" } }
            }
        }
    }
}

/// The state, and whether it can be read now.
pub(super) fn state(operation: &OperationSummary) -> Markup {
    let state = operation.state.as_deref().unwrap_or("unknown");
    let class = match state {
        "processing" | "scheduled" => "busy",
        "completed" => "well",
        _ => "quiet",
    };
    html! {
        span class={ "pill " (class) } { (state) }
        @if operation.up == Some(false) { " " span class="pill error" { "not read" } }
    }
}

fn pager(site: &Site, selection: &Selection, filter: &Filter) -> Markup {
    let first = (selection.page - 1) * PAGE_SIZE + 1;
    let last = first + selection.items.len() - 1;
    let number = |number: usize| words::grouped(number as u64);
    html! {
        nav class="pager" aria-label="Pages of operations" {
            p {
                (number(first)) "–" (number(last)) " of " (number(selection.matching))
                @if filter.is_filtered() { " that match" }
            }
            @if selection.pages > 1 {
                div {
                    @if selection.page > 1 {
                        a class="button" rel="prev" href=(site.link(&filter.at_page(selection.page - 1).link())) { "Previous" }
                    }
                    @if selection.page < selection.pages {
                        a class="button" rel="next" href=(site.link(&filter.at_page(selection.page + 1).link())) { "Next" }
                    }
                }
            }
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
