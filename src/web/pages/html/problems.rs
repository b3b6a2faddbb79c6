//! What is wrong, first of all; and how to begin.

use maud::{Markup, html};

use super::words;
use crate::diagnosis::{Finding, Severity};
use crate::timestamp::Timestamp;
use crate::web::pages::account::{AccountFigures, Connection};
use crate::web::pages::overview::{Overview, Site};

/// The headline, and each problem.
pub(super) fn summary(overview: &Overview) -> Markup {
    let problems: Vec<&Finding> = overview
        .findings
        .iter()
        .map(|shown| &shown.finding)
        .filter(|finding| finding.severity < Severity::Notice)
        .collect();
    let now = overview.at;
    html! {
        div class={ "hero " (tone(&problems, &overview.accounts)) } {
            div class="hero-sign" aria-hidden="true" { (sign(problems.first().map(|finding| finding.severity))) }
            div {
                h1 id="headline" { (headline(&problems, &overview.accounts)) }
                p { (watching(overview)) }
            }
        }
        @if !problems.is_empty() {
            section aria-labelledby="problems-title" {
                h2 id="problems-title" class="unseen" { "Problems" }
                @for finding in problems { (problem(finding, now)) }
            }
        }
    }
}

/// What one may want to know of, at the end.
pub(super) fn notes(overview: &Overview) -> Markup {
    let notes = overview.findings.iter().map(|shown| &shown.finding);
    let notes: Vec<&Finding> = notes
        .filter(|finding| finding.severity == Severity::Notice)
        .collect();
    html! {
        @if !notes.is_empty() {
            details class="notes" {
                summary { (words::count(notes.len() as u64, "note", "notes")) }
                @for note in notes {
                    p { strong { (note.what) "." } " " (note.cause) " " (note.cure) }
                }
            }
        }
    }
}

/// For an exporter that nobody has scraped.
pub(super) fn start(site: &Site) -> Markup {
    html! {
        section class="start" aria-labelledby="start-title" {
            h2 id="start-title" { "Nobody has scraped this exporter yet" }
            p {
                "Paste this into " code { "prometheus.yml" }
                ", and reload Prometheus. Replace the host by one under which Prometheus reaches this exporter, if it is another one."
            }
            pre tabindex="0" aria-label="Scrape configuration" { code { (site.snippet) } }
        }
    }
}

fn problem(finding: &Finding, now: Timestamp) -> Markup {
    html! {
        article class={ "problem " (finding.severity.as_str()) } {
            div class="problem-sign" aria-hidden="true" { (sign(Some(finding.severity))) }
            div {
                h3 { (finding.what) "." }
                @if let Some(since) = finding.since {
                    p class="since" {
                        "Since " (words::time(since, now)) " (" (words::span(now.since(since).as_secs())) ")"
                    }
                }
                p { (finding.cause) }
                p class="cure" { strong { "What to do: " } (finding.cure) }
            }
        }
    }
}

fn headline(problems: &[&Finding], accounts: &[AccountFigures]) -> String {
    let is_starting = |account: &AccountFigures| account.connection == Connection::Starting;
    match problems {
        [] if accounts.iter().any(is_starting) => "The first collection is running".to_owned(),
        [] => "The exporter works".to_owned(),
        _ => words::count(problems.len() as u64, "problem", "problems"),
    }
}

fn tone(problems: &[&Finding], accounts: &[AccountFigures]) -> &'static str {
    match problems.first() {
        Some(worst) => worst.severity.as_str(),
        None if accounts
            .iter()
            .any(|account| account.connection == Connection::Starting) =>
        {
            "starting"
        }
        None => "well",
    }
}

fn watching(overview: &Overview) -> Markup {
    let operations: u64 = overview
        .accounts
        .iter()
        .map(|account| account.operations)
        .sum();
    html! {
        "Watching " (words::count(operations, "operation", "operations"))
        " of the last seven days in "
        (words::count(overview.accounts.len() as u64, "account", "accounts")) ". "
        @if let Some(at) = overview.scraped {
            "Scraped " (words::span(overview.at.since(at).as_secs())) " ago."
        } @else {
            "Not scraped yet."
        }
    }
}

/// A sign whose form differs by severity, not its color alone.
fn sign(severity: Option<Severity>) -> Markup {
    let (class, path) = match severity {
        Some(Severity::Error) => ("error", "M8 8l8 8M16 8l-8 8"),
        Some(Severity::Warning) => ("warning", "M12 6.5v7M12 17v.5"),
        Some(Severity::Notice) => ("notice", "M12 7v.5M12 10.500v7"),
        None => ("well", "M7 12.500l3.500 3.500L17 9"),
    };
    html! {
        svg class={ "sign " (class) } viewBox="0 0 24 24" focusable="false" {
            @if severity == Some(Severity::Warning) {
                path class="shape" d="M12 1.500L23.500 21.500H.500z" {}
            } @else if severity == Some(Severity::Error) {
                path class="shape" d="M7.500 1h9L23 7.500v9L16.500 23h-9L1 16.500v-9z" {}
            } @else {
                circle class="shape" cx="12" cy="12" r="11" {}
            }
            path class="stroke" d=(path) {}
        }
    }
}
