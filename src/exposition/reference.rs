//! Generates the reference page `docs/metrics.md` from the catalogue. A test compares the committed page with it.

use std::iter;

use super::catalogue::{
    ALL, CONNECTIONS_CLOSED, Kind, LABELS, Metric, PROBE_DURATION, PROBE_SUCCESS, PROBED, Scope,
};
use super::connections::Closed;
use super::syntax::Syntax;

const INTRODUCTION: &str = "\
# Metrics

<!-- Generated from src/exposition/catalogue.rs; `UPDATE_DOCS=1 cargo test --lib exposition` writes it. -->

All names start with `twilio_email_`, except two of [probes](#probes). Times are seconds since 1970, durations are seconds, a yes or no is
1 or 0. Samples have no timestamps. A value that is not known has no series, and a family without samples is not exposed. Known label
values are 0 rather than absent. If Twilio cannot be read, the last values stay, and `twilio_email_operation_up` and
`twilio_email_operation_last_success_timestamp_seconds` show that they are old.

Counters start at 0, because Prometheus computes growth only between two samples: `rate()` and `increase()` miss the first value of a
series that starts above 0. Known label values are 0 from the start. If a value becomes known later (a campaign, with
`series.aggregate_by`, or a mailbox provider), its counters are 0 for two minutes and in at least one exposition. Then they expose the
whole count. So every Prometheus that scrapes at least every two minutes sees all growth, also across restarts. There are two exceptions,
which start above 0:

- an undocumented status in `twilio_email_api_requests_total`; `twilio_email_api_request_failures_total` counts it from 0
- the endpoint `emails`, if neither `series.tags` nor the collector of emails is on; it begins with the first probe of emails

## Formats

The exporter writes the format that the request accepts (`Accept`, with `q` values): the text format 0.0.4, which is the default, the
text format 1.0.0, or OpenMetrics 1.0.0, which Prometheus requests first. Names, labels and values are the same in all formats, and all
names are valid in every Prometheus. OpenMetrics adds:

- Types and units: the types `stateset` and `info`, and the units `seconds` and `bytes`.
- State sets: a second label, named like the metric, that has the state, as OpenMetrics requires.
- `_created` of counters and histograms: when they began to count. For `twilio_email_emails_accepted_total` and
  `twilio_email_email_outcomes_total`, that is when the account was first watched, also after a restart. For counters of API requests
  and `process_*`, it is the start of the process. Counters by label have no `_created`, because the exporter does not know that time.
- Exemplars of `twilio_email_emails_accepted_total` and `twilio_email_email_outcomes_total`: `operation_id` is the operation that added
  most emails when the counter last grew, the value is their number, and the time is when the exporter read them. Prometheus stores
  exemplars with `--enable-feature=exemplar-storage`.
- A fraction in each bound of a bucket (`1.0` instead of `1`), as Prometheus 3 writes it in any format.

## Labels

| label | meaning |
|---|---|
";

const PROCESS: &str = "
### `process_*`

The exporter's own process, as in Prometheus' client libraries: `process_cpu_seconds_total`,
`process_resident_memory_bytes`, `process_virtual_memory_bytes`, `process_open_fds`, `process_max_fds`,
`process_start_time_seconds` and `process_threads`.

Absent on systems other than Linux. `once` prints neither these nor `twilio_email_exporter_*`: node exporter, whose textfile
collector reads its output, has `process_*` itself.
";

const PROBES: &str = "
## Probes

Only `/probe` exposes these, beside the families of the operation: see [Probing](scaling.md#probing). `probe_success` and
`probe_duration_seconds`, whose names other probing exporters use, too, always exist. The others need `emails=true`.
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
        .chain(iter::once(PROBES.to_owned()))
        .chain(probed().map(entry))
        .collect()
}

/// The metrics of probes.
fn probed() -> impl Iterator<Item = &'static Metric> {
    [&PROBE_SUCCESS, &PROBE_DURATION]
        .into_iter()
        .chain(PROBED.iter().copied())
}

/// The heading above the metrics of a scope.
fn heading(scope: Scope) -> &'static str {
    match scope {
        Scope::Operation => {
            "\n## Per operation\n\n\
             For the operations within the series limit: always those of the configuration, then the newest ones. \
             Twilio returns an\noperation for seven days after its creation; then its series end.\n"
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
    let kind = match metric.kind.as_str() {
        kind if kind == metric.kind.word(Syntax::OpenMetrics) => kind.to_owned(),
        kind => {
            let special = metric.kind.word(Syntax::OpenMetrics);
            format!("{kind}; in OpenMetrics {special}")
        }
    };
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
        .map(|name| format!("{name}=\"{}\"", example_value(metric, name)))
        .collect();
    let labels = if labels.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", labels.join(","))
    };
    format!("{}{suffix}{labels} {}", metric.name, metric.example)
}

/// A value of the label `name` of a metric. Closed connections have reasons of their own.
fn example_value(metric: &Metric, name: &str) -> &'static str {
    if name == "reason" && metric.name == CONNECTIONS_CLOSED.name {
        return Closed::Idle.as_str();
    }
    let label = LABELS.iter().find(|label| label.name == name);
    label.map_or("", |label| label.example)
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
        for metric in ALL.iter().copied().chain(probed()) {
            assert!(
                page.contains(&format!("### `{}`\n", metric.name)),
                "{}",
                metric.name
            );
        }
    }
}
