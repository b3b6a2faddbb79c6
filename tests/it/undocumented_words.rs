//! Words that Twilio does not document become values of labels, up to a limit.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::simulator::SimulatorSettings;

use crate::support::exporter::{Exporter, one_account};
use crate::support::exposition::Exposition;
use crate::support::scene::{INTERVAL, morning, pass};
use crate::support::twilio::Twilio;

const UNEXPECTED: &str = "twilio_email_api_unexpected_values_total";

/// The values of a label in a family.
fn values(seen: &Exposition, family: &str, label: &str) -> BTreeSet<String> {
    let samples = seen.samples(&format!("twilio_email_{family}"));
    let values = samples.iter().map(|sample| sample.labels[label].clone());
    values.collect()
}

#[tokio::test]
async fn two_thousand_undocumented_words_make_twenty_series_of_each_kind() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    for n in 0..2000 {
        let mut stats = json!({"total": 1});
        for kind in 0..16 {
            stats[format!("w{n}_{kind}")] = json!(1);
        }
        twilio.put_as(Duration::from_hours(1), &format!("S{n}"), stats);
    }
    let yaml = one_account(&twilio, "") + "series: {max_operations: 2000}\n";
    let exporter = Exporter::start_at(&yaml, clock.clone()).await;
    for round in 1..3 {
        let seen = exporter.scrape().await;
        for (family, label, documented) in [
            ("operations", "state", 4),
            ("operation_state", "state", 4),
            ("emails", "status", 8),
            ("operation_emails", "status", 8),
        ] {
            let values = values(&seen, family, label);
            assert!(values.contains("other"), "{family}: {values:?}");
            assert_eq!(values.len(), documented + 21, "{family}: {values:?}");
        }
        let other =
            |family, label| seen.value(&format!("twilio_email_{family}"), &[(label, "other")]);
        assert_eq!(other("operations", "state"), Some(1980.0));
        assert_eq!(other("emails", "status"), Some(31_980.0));
        assert!(seen.value(UNEXPECTED, &[("field", "status")]) >= Some(1980.0 * f64::from(round)));
        assert!(seen.value(UNEXPECTED, &[("field", "stats")]) >= Some(31_980.0 * f64::from(round)));
        seen.expect(
            "with odd words",
            &[("up", 1.0), ("collection_complete", 1.0)],
        );
        pass(&clock, INTERVAL);
    }
}
