//! Writes the families that the `prometheus` crate gathers, with the exporter's own writer, so that each format has one writer. The
//! exporter has only counters, gauges and histograms there.

use prometheus::proto::{Metric, MetricFamily, MetricType};

use super::catalogue::{ALL, Kind};
use super::labels::push_further;
use super::text::{Header, Text};
use super::value::SampleValue;

/// Writes a family; nothing for a type other than counter, gauge and histogram. `since` returns when a
/// series began to count, if that is known.
pub(super) fn write(
    gathered: &MetricFamily,
    since: impl Fn(&Metric) -> Option<SampleValue>,
    text: &mut Text<'_>,
) {
    let Some(kind) = kind(gathered) else {
        return;
    };
    let mut family = text.headed(Header {
        name: gathered.name(),
        help: gathered.help(),
        kind,
    });
    let mut labels = String::new();
    for metric in gathered.get_metric() {
        labels.clear();
        for label in metric.get_label() {
            push_further(&mut labels, label.name(), label.value());
        }
        match gathered.get_field_type() {
            MetricType::COUNTER => {
                family.suffixed("", &labels, metric.get_counter().get_value());
                family.created(&labels, since(metric));
            }
            MetricType::GAUGE => family.suffixed("", &labels, metric.get_gauge().get_value()),
            _ => {
                let histogram = metric.get_histogram();
                let finite = histogram.get_bucket().iter();
                let finite = finite.filter(|bucket| bucket.upper_bound().is_finite());
                for bucket in finite {
                    family.bucket(&labels, bucket.upper_bound(), bucket.cumulative_count());
                }
                family.bucket(&labels, f64::INFINITY, histogram.get_sample_count());
                family.suffixed("_sum", &labels, histogram.get_sample_sum());
                family.suffixed("_count", &labels, histogram.get_sample_count());
                family.created(&labels, since(metric));
            }
        }
    }
}

/// The type of a family. The crate does not know the types that only OpenMetrics has; the catalogue does.
fn kind(gathered: &MetricFamily) -> Option<Kind> {
    match gathered.get_field_type() {
        MetricType::COUNTER => Some(Kind::Counter),
        MetricType::HISTOGRAM => Some(Kind::Histogram),
        MetricType::GAUGE => {
            let metric = ALL.iter().find(|metric| metric.name == gathered.name());
            Some(metric.map_or(Kind::Gauge, |metric| metric.kind))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use prometheus::{Encoder, Histogram, HistogramOpts, IntGaugeVec, Opts, Registry, TextEncoder};

    use super::*;
    use crate::exposition::Syntax;

    #[test]
    fn the_text_is_that_of_the_crates_own_encoder() {
        let registry = Registry::new();
        let opts = HistogramOpts::new("span_seconds", "A span.").buckets(vec![0.005, 1.0, 30.0]);
        let histogram = Histogram::with_opts(opts).unwrap();
        let gauges = Opts::new("odd_gauge", "A \\ and a\nbreak.");
        let gauges = IntGaugeVec::new(gauges, &["a", "b"]).unwrap();
        registry.register(Box::new(histogram.clone())).unwrap();
        registry.register(Box::new(gauges.clone())).unwrap();
        for value in [0.001, 0.7, 99.5] {
            histogram.observe(value);
        }
        gauges.with_label_values(&["\"\\\n", ""]).set(-3);
        gauges
            .with_label_values(&["x", "y"])
            .set(i64::from(i32::MAX));
        let gathered = registry.gather();
        let mut ours = Vec::new();
        let mut text = Text::new(&mut ours, Syntax::Text);
        for family in &gathered {
            write(family, |_| None, &mut text);
        }
        let mut theirs = Vec::new();
        TextEncoder::new().encode(&gathered, &mut theirs).unwrap();
        assert_eq!(
            String::from_utf8(ours).unwrap(),
            String::from_utf8(theirs).unwrap()
        );
    }
}
