//! The pages as HTML. Everything is escaped by type; nothing is styled or scripted inline, and nothing comes from another server.
//!
//! An element with `data-live` has an id, and the script replaces what differs in it. Forms are outside of such elements.

mod accounts;
mod bar;
mod links;
mod one_operation;
mod operations;
mod problems;
mod words;

use axum::http::StatusCode;
use maud::{DOCTYPE, Markup, html};

use crate::build_info;

use super::assets;
use super::filter::Filter;
use super::operation::OperationDetails;
use super::overview::{Overview, Site};

/// The page `/`.
pub(super) fn overview(site: &Site, overview: &Overview, filter: &Filter) -> Markup {
    let content = html! {
        div id="problems" data-live { (problems::summary(overview)) }
        @if overview.scraped.is_none() {
            div id="start" data-live { (problems::start(site)) }
        } @else {
            div id="start" data-live {}
        }
        section aria-labelledby="accounts-title" {
            h2 id="accounts-title" { "Accounts" }
            div id="accounts" data-live { (accounts::cards(site, overview, filter)) }
            div id="notes" data-live { (problems::notes(overview)) }
        }
        (operations::section(site, overview, filter))
        (links::section(site))
    };
    layout(site, None, &content)
}

/// The page of one operation.
pub(super) fn operation(site: &Site, operation: &OperationDetails) -> Markup {
    let content = html! {
        div id="operation" data-live { (one_operation::page(site, operation)) }
    };
    let title = operation.summary.title().unwrap_or(&operation.summary.id);
    layout(site, Some(title), &content)
}

/// A page that contains only an error.
pub(super) fn failure(site: &Site, status: StatusCode, problem: &str) -> Markup {
    let title = if status == StatusCode::NOT_FOUND {
        "There is no such operation"
    } else {
        "This address is not valid"
    };
    let content = html! {
        div class="failure" {
            h1 { (title) }
            p { (problem) }
            p { a class="button" href=(site.link("/")) { "Show everything" } }
        }
    };
    layout(site, Some(title), &content)
}

fn layout(site: &Site, title: Option<&str>, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title {
                    @if let Some(title) = title { (title) " · " }
                    "Twilio Email exporter"
                }
                link rel="icon" type="image/svg+xml" href=(site.link(&assets::icon()));
                link rel="stylesheet" href=(site.link(&assets::style()));
                script src=(site.link(&assets::script())) defer {}
            }
            body {
                a class="skip" href="#content" { "Skip to the content" }
                header class="top" {
                    div class="wrap" {
                        a class="brand" href=(site.link("/")) {
                            (mark())
                            span { "Twilio Email " span class="thin" { "exporter" } }
                        }
                        div class="clock" {
                            p id="updated" data-live { "As of " (words::clock(site.now)) }
                            button id="pause" class="button small" type="button" hidden { "Pause updates" }
                        }
                    }
                }
                main id="content" class="wrap" tabindex="-1" { (content) }
                p id="announcement" class="unseen" role="status" {}
                footer class="wrap" {
                    "Version " (build_info::VERSION)
                    ", revision " (build_info::REVISION)
                }
            }
        }
        "\n"
    }
}

/// An envelope with a rising line.
fn mark() -> Markup {
    html! {
        svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false" {
            rect x="2" y="5" width="28" height="22" rx="5" class="mark-back" {}
            path d="M6 20l6-5 5 4 9-9" class="mark-line" {}
        }
    }
}
