//! A strict parser of the text format 0.0.4, independent of the writer that it checks.
//! It rejects more than Prometheus does: what Prometheus tolerates or drops is still a mistake of the exporter.

mod reader;

use std::collections::BTreeMap;

use twilio_email_exporter::operation::OperationId;

/// A parsed exposition.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    /// In the order of the text.
    pub(crate) families: Vec<Family>,
}

/// One family.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    /// The word after `# TYPE`.
    pub(crate) kind: String,
    pub(crate) help: String,
    pub(crate) samples: Vec<Sample>,
}

/// One sample. In a histogram its name is the family's with a suffix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Exposition {
    /// The family of that name.
    pub(crate) fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name == name)
    }

    /// The samples of that name, which in a histogram has a suffix.
    pub(crate) fn samples(&self, name: &str) -> Vec<&Sample> {
        let samples = self.families.iter().flat_map(|family| &family.samples);
        samples.filter(|sample| sample.name == name).collect()
    }

    /// The value of the only sample of that name that has (at least) these labels; `None` if there is no such sample.
    ///
    /// # Panics
    ///
    /// If several samples have these labels.
    #[track_caller]
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut matching = self.samples(name);
        matching.retain(|sample| sample.has(labels));
        assert!(
            matching.len() <= 1,
            "{name} with {labels:?} matches several samples: {matching:#?}"
        );
        matching.first().map(|sample| sample.value)
    }
}

impl Exposition {
    /// The value of a family of the account `default`, without `twilio_email_` in front.
    #[track_caller]
    pub(crate) fn of_account(&self, family: &str) -> Option<f64> {
        self.of("default", family)
    }

    /// The value of a family of that account.
    #[track_caller]
    pub(crate) fn of(&self, account: &str, family: &str) -> Option<f64> {
        self.value(&format!("twilio_email_{family}"), &[("account", account)])
    }

    /// The requests to this Twilio endpoint with this status code (`none`: without a response); `None` if there was none.
    #[track_caller]
    pub(crate) fn requests(&self, endpoint: &str, code: &str) -> Option<f64> {
        let labels = [("endpoint", endpoint), ("code", code)];
        self.value("twilio_email_api_requests_total", &labels)
    }

    /// The value of `twilio_email_operation_…` of that operation, whatever its account.
    #[track_caller]
    pub(crate) fn of_operation(&self, id: OperationId, family: &str) -> Option<f64> {
        let id = id.to_string();
        let labels = [("operation_id", id.as_str())];
        self.value(&format!("twilio_email_operation_{family}"), &labels)
    }

    /// The operation's emails with that status.
    #[track_caller]
    pub(crate) fn emails(&self, id: OperationId, status: &str) -> Option<f64> {
        let id = id.to_string();
        let labels = [("operation_id", id.as_str()), ("status", status)];
        self.value("twilio_email_operation_emails", &labels)
    }

    /// Requests of the account `default` that failed, by endpoint and reason; only those that did.
    pub(crate) fn failures(&self) -> BTreeMap<(String, String), f64> {
        let failures = self.samples("twilio_email_api_request_failures_total");
        let failures = failures
            .into_iter()
            .filter(|sample| sample.value > 0.0 && sample.has(&[("account", "default")]));
        let named = |sample: &Sample| {
            let label = |name: &str| sample.labels[name].clone();
            ((label("endpoint"), label("reason")), sample.value)
        };
        failures.map(named).collect()
    }

    /// Panics unless each of these families of the account `default` has this value.
    #[track_caller]
    pub(crate) fn expect(&self, when: &str, wanted: &[(&str, f64)]) {
        for (family, wanted) in wanted {
            let found = self.of_account(family);
            assert_eq!(found, Some(*wanted), "{family} {when}: found, wanted");
        }
    }
}

impl Sample {
    /// Whether it has all of these labels.
    pub(crate) fn has(&self, labels: &[(&str, &str)]) -> bool {
        let has =
            |(name, value): &(&str, &str)| self.labels.get(*name).is_some_and(|own| own == value);
        labels.iter().all(has)
    }
}
