//! Emails that are sent and never confirmed, in stats the only sign of mail that a provider defers.

use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::simulator::SimulatorSettings;

use crate::support::exporter::{Exporter, one_account};
use crate::support::exposition::Exposition;
use crate::support::scene::{INTERVAL, morning, pass};
use crate::support::twilio::Twilio;

const NAME: &str = "twilio_email_emails_unconfirmed";
const HOUR: Duration = Duration::from_hours(1);

fn unconfirmed(seen: &Exposition) -> [Option<f64>; 4] {
    ["5m", "1h", "6h", "1d"].map(|age| seen.value(NAME, &[("older_than", age)]))
}

#[tokio::test]
async fn emails_that_are_sent_and_not_confirmed_are_counted_by_the_age_of_their_operations() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let exporter = Exporter::start_at(&one_account(&twilio, ""), clock.clone()).await;
    let exporter = exporter.settled().await;
    assert_eq!(unconfirmed(&exporter.scrape().await), [Some(0.0); 4]);
    twilio.put(
        Duration::ZERO,
        json!({"total": 5, "sent": 2, "delivered": 3}),
    );
    let old = twilio.put(30 * HOUR, json!({"total": 4, "sent": 4}));
    pass(&clock, INTERVAL);
    let seen = exporter.scrape().await;
    assert_eq!(unconfirmed(&seen), [Some(4.0); 4]);
    pass(&clock, Duration::from_mins(5));
    let seen = exporter.scrape().await;
    assert_eq!(unconfirmed(&seen), [6.0, 4.0, 4.0, 4.0].map(Some));
    // The provider accepts the deferred mail at last.
    let created = old.created();
    twilio.set(
        old,
        created,
        "COMPLETED",
        json!({"total": 4, "delivered": 4}),
    );
    pass(&clock, 4 * HOUR);
    let seen = exporter.scrape().await;
    assert_eq!(unconfirmed(&seen), [2.0, 2.0, 0.0, 0.0].map(Some));
}
