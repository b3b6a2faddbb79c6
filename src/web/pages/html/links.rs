//! Links to more information.

use maud::{Markup, html};

use crate::web::pages::grafana;
use crate::web::pages::overview::Site;

/// The documentation.
const DOCUMENTATION: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "#readme");

pub(super) fn section(site: &Site) -> Markup {
    html! {
        section aria-labelledby="links-title" {
            h2 id="links-title" { "Links" }
            ul class="links" {
                (link(&site.link(&site.metrics), "Metrics", "what Prometheus scrapes"))
                (link(&site.link("/sd"), "Service discovery", "operations as targets of probes, for http_sd_configs"))
                @if site.api {
                    (link(&site.link("/api/v1/operations"), "Operations as JSON", "the API for senders"))
                    (link(&site.link("/api/v1/openapi.json"), "API description", "OpenAPI 3.1"))
                }
                (link(&site.link("/-/healthy"), "Health", "whether the process works"))
                (link(&site.link("/-/ready"), "Readiness", "whether the first collection has finished"))
                @if let Some(base) = &site.grafana {
                    (link(&grafana::overview(base, None), "Grafana", "the dashboard of all accounts"))
                }
                (link(DOCUMENTATION, "Documentation", "configuration, metrics, troubleshooting"))
            }
        }
    }
}

fn link(path: &str, name: &str, about: &str) -> Markup {
    html! { li { a href=(path) { (name) } span class="aside" { (about) } } }
}
