//! The problems at the top of the page, the notes at its end, and the first steps for an exporter that nobody has scraped. Problems
//! with the same cause and cure are one entry.

use maud::{Markup, html};

use super::words;
use crate::diagnosis::{Finding, Severity};
use crate::timestamp::Timestamp;
use crate::web::pages::account::{AccountSummary, Connection};
use crate::web::pages::overview::{Overview, Site};

/// The problems that a page shows in full. Those with the same cause and cure count as one.
const MOST_IN_FULL: usize = 10;
/// The most further problems with one line each; the JSON has all of them.
const MOST_NAMED: usize = 40;

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
                @let groups = alike(&problems);
                @for group in groups.iter().take(MOST_IN_FULL) { (problem(group, now)) }
                @let rest: Vec<_> = groups.iter().skip(MOST_IN_FULL).flatten().copied().collect();
                @if !rest.is_empty() { (others("more problems", &rest)) }
            }
        }
    }
}

/// The problems in their order; those with the same cause and cure are together, such as one failure of many accounts.
fn alike<'f>(problems: &[&'f Finding]) -> Vec<Vec<&'f Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let texts = |of: &Finding| (of.severity, of.code, of.cause.clone(), of.cure.clone());
    for problem in problems {
        let group = groups
            .iter_mut()
            .find(|group| texts(group[0]) == texts(problem));
        match group {
            Some(group) => group.push(problem),
            None => groups.push(vec![problem]),
        }
    }
    groups
}

/// Problems in one line each.
fn others(title: &str, problems: &[&Finding]) -> Markup {
    html! {
        details class="notes" {
            summary { (words::count(problems.len() as u64, title, title)) }
            ul { @for problem in problems.iter().take(MOST_NAMED) { li { (problem.what) "." } } }
            @if problems.len() > MOST_NAMED {
                p { (words::count((problems.len() - MOST_NAMED) as u64, "other is", "others are")) " not shown. This page as JSON has all of them." }
            }
        }
    }
}

/// The notices, at the end of the page.
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
                    p { strong { (note.what) "." } " " (words::prose(&note.cause)) " " (words::prose(&note.cure)) }
                }
            }
        }
    }
}

/// The first steps, for an exporter that nobody has scraped.
pub(super) fn start(site: &Site) -> Markup {
    html! {
        section class="start" aria-labelledby="start-title" {
            h2 id="start-title" { "Prometheus does not scrape this exporter yet" }
            p {
                "Paste this into " code { "prometheus.yml" }
                " and reload Prometheus. If Prometheus reaches this exporter at another address, change " code { "targets" } "."
            }
            pre tabindex="0" aria-label="Scrape configuration" { code { (site.snippet) } }
        }
    }
}

/// Problems with the same cause and cure; the first one in full.
fn problem(group: &[&Finding], now: Timestamp) -> Markup {
    let finding = group[0];
    let since = group.iter().filter_map(|finding| finding.since).min();
    html! {
        article class={ "problem " (finding.severity.as_str()) } {
            div class="problem-sign" aria-hidden="true" { (sign(Some(finding.severity))) }
            div {
                h3 { (words::prose(&finding.what)) "." }
                @if group.len() > 1 { (others("more with the same cause", &group[1..])) }
                @if let Some(since) = since {
                    p class="since" {
                        @if group.len() > 1 { "The first one since " } @else { "Since " }
                         (words::time(since, now)) ", for " (words::span(now.since(since).as_secs()))
                    }
                }
                p class="cause" { (words::prose(&finding.cause)) }
                p class="cure" { strong { "What to do: " } (words::prose(&finding.cure)) }
            }
        }
    }
}

fn headline(problems: &[&Finding], accounts: &[AccountSummary]) -> String {
    let is_starting = |account: &AccountSummary| account.connection == Connection::Starting;
    match problems {
        [] if accounts.iter().any(is_starting) => "The first collection is running".to_owned(),
        [] => "The exporter works".to_owned(),
        _ => words::count(problems.len() as u64, "problem", "problems"),
    }
}

fn tone(problems: &[&Finding], accounts: &[AccountSummary]) -> &'static str {
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
    let unread = overview.accounts.iter();
    let unread = unread.filter(|account| account.emails.is_none()).count();
    html! {
        @if operations > 0 || unread == 0 {
            "Watching " (words::count(operations, "operation", "operations"))
            " of the last seven days in "
            (words::count(overview.accounts.len() as u64, "account", "accounts")) ". "
        }
        @if unread > 0 {
            (words::count(unread as u64, "account has", "accounts have")) " not been read yet. "
        }
        @if let Some(at) = overview.scraped {
            "Scraped " (words::span(overview.at.since(at).as_secs())) " ago."
        } @else {
            "Not scraped yet."
        }
    }
}

/// A sign whose shape, not only its color, shows the severity.
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
