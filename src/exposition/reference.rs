//! Generates the reference page `docs/metrics.md` from the catalogue. A test compares the committed page with it.

use std::iter;

use super::catalogue::{ALL, Kind, LABELS, Metric, Scope};

const INTRODUCTION: &str = "\
# Metrics

<!-- Drawn from src/exposition/catalogue.rs; `UPDATE_DOCS=1 cargo test --lib exposition` writes it anew. -->

All names start with `twilio_email_`. Times are seconds since 1970, durations are seconds, a yes or no is 1 or 0. Samples carry no
timestamps. What is not known is absent, and so is a family that has nothing to say; known label values are shown as 0 rather than
left out. When Twilio cannot be read, the last figures stay, and `twilio_email_operation_up` and
`twilio_email_operation_last_success_timestamp_seconds` tell that they are old.

Counters begin at 0, so that `rate()` and `increase()` need no extra care. Prometheus sees a counter grow only between two samples; a
series that began with its full value would never have grown. Known label values are 0 from the start. Where a value becomes known later (a
campaign, with `series.aggregate_by`), its counters are 0 in at least one exposition and for two minutes, then show all that was
counted; this is kept over restarts, and holds for every Prometheus that scrapes at least every two minutes. One thing begins above 0: a status in `twilio_email_api_requests_total` that
Twilio does not document (`twilio_email_api_request_failures_total` counts it from 0).

## Labels

| label | meaning |
|---|---|
";

const PROCESS: &str = "
### `process_*`

The exporter's own process, as all of Prometheus' client libraries show it: `process_cpu_seconds_total`,
`process_resident_memory_bytes`, `process_virtual_memory_bytes`, `process_open_fds`, `process_max_fds`,
`process_start_time_seconds` and `process_threads`.

Absent on systems other than Linux. `once` prints neither these nor `twilio_email_exporter_*`: node exporter, whose textfile
collector reads its output, has `process_*` itself.
";

/// The page `docs/metrics.md`.
#[must_use]
pub fn reference() -> String {
    let labels = LABELS
        .iter()
        .map(|label| format!("| `{}` | {} |\n", label.name, label.meaning));
    let scopes = Scope::ALL.into_iter().flat_map(|scope| {
        let entries = ALL.iter().filter(move |metric| metric.scope == scope);
        iter::once(heading(scope).to_owned()).chain(entries.map(|metric| entry(metric)))
    });
    iter::once(INTRODUCTION.to_owned())
        .chain(labels)
        .chain(scopes)
        .chain(iter::once(PROCESS.to_owned()))
        .collect()
}

/// The heading above the metrics of a scope.
fn heading(scope: Scope) -> &'static str {
    match scope {
        Scope::Operation => {
            "\n## Per operation\n\n\
             For the operations that the series limit lets through: those of the configuration always, then the newest. \
             Twilio keeps an\noperation's data for seven days; its series end with them.\n"
        }
        Scope::Account => "\n## Per account\n\nFor every account of the configuration.\n",
        Scope::Exporter => "\n## The exporter\n",
    }
}

fn entry(metric: &Metric) -> String {
    let Metric { name, help, .. } = metric;
    let details = match metric.details {
        "" => String::new(),
        details => format!(" {details}"),
    };
    let labels: Vec<_> = metric.labels().map(|label| format!("`{label}`")).collect();
    let labels = match labels.as_slice() {
        [] => "none".to_owned(),
        labels => labels.join(", "),
    };
    let absent = match metric.absent {
        "" => String::new(),
        absent => format!("- Absent: {absent}\n"),
    };
    let kind = metric.kind.as_str();
    let example = example(metric);
    format!(
        "\n### `{name}`\n\n{help}{details}\n\n- Type: {kind}\n- Labels: {labels}\n{absent}\n```\n{example}\n```\n"
    )
}

/// A sample in the exposition format; for a histogram, its number of observations.
fn example(metric: &Metric) -> String {
    let suffix = if metric.kind == Kind::Histogram {
        "_count"
    } else {
        ""
    };
    let labels: Vec<_> = metric
        .labels()
        .map(|name| {
            let label = LABELS.iter().find(|label| label.name == name);
            format!("{name}=\"{}\"", label.map_or("", |label| label.example))
        })
        .collect();
    let labels = if labels.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", labels.join(","))
    };
    format!("{}{suffix}{labels} {}", metric.name, metric.example)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_committed_page_matches_the_catalogue() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(path, reference()).unwrap();
        }
        let committed = fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == reference(),
            "docs/metrics.md is not what the catalogue says; UPDATE_DOCS=1 cargo test --lib exposition writes it anew"
        );
    }

    #[test]
    fn every_metric_has_an_entry() {
        let page = reference();
        for metric in ALL {
            assert!(
                page.contains(&format!("### `{}`\n", metric.name)),
                "{}",
                metric.name
            );
        }
    }
}
