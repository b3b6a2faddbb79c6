//! Series of accounts and operations over three hours, as if Prometheus had scraped them.

use std::fmt::Write as _;

use crate::support::dashboard::{Chosen, Dashboard};
use crate::support::history::History;

/// A series that keeps its value for three hours.
pub(super) fn constant(value: u32) -> String {
    format!("{value}x180")
}

/// An account at one exporter. Values are in promtool's notation, one for each minute.
pub(super) struct Account<'a> {
    pub(super) job: &'a str,
    pub(super) name: &'a str,
    pub(super) instance: &'a str,
    /// The label `cluster` where it is not empty.
    pub(super) cluster: &'a str,
    pub(super) up: &'a str,
    /// When everything was last read.
    pub(super) read: &'a str,
    pub(super) accepted: &'a str,
    pub(super) delivered: &'a str,
    pub(super) undelivered: &'a str,
    pub(super) queued: &'a str,
}

impl Default for Account<'_> {
    /// One that is read every minute and sends nothing.
    fn default() -> Self {
        Self {
            job: "j",
            name: "a",
            instance: "one:1",
            cluster: "",
            up: "1x180",
            read: "0+60x180",
            accepted: "0x180",
            delivered: "0x180",
            undelivered: "0x180",
            queued: "0x180",
        }
    }
}

impl Account<'_> {
    pub(super) fn write(&self, history: &mut History) {
        let mut target = format!(r#"job="{}",instance="{}""#, self.job, self.instance);
        if !self.cluster.is_empty() {
            let _ = write!(target, r#",cluster="{}""#, self.cluster);
        }
        let at = format!(r#"{target},account="{}""#, self.name);
        let name = |metric: &str| format!("twilio_email_{metric}{{{at}}}");
        history
            .series(&format!("up{{{target}}}"), "1x180")
            .series(
                &format!("twilio_email_exporter_build_info{{{target}}}"),
                "1x180",
            )
            .series(&name("up"), self.up)
            .series(
                &name("collection_last_success_timestamp_seconds"),
                self.read,
            )
            .series(&name("emails_accepted_total"), self.accepted);
        for (reading, value) in [("exclusive", 1), ("cumulative", 0)] {
            let series = format!(r#"twilio_email_stats_reading{{{at},reading="{reading}"}}"#);
            history.series(&series, &constant(value));
        }
        for (outcome, values) in [
            ("delivered", self.delivered),
            ("undelivered", self.undelivered),
            ("failed", "0x180"),
        ] {
            let series =
                format!(r#"twilio_email_email_outcomes_total{{{at},outcome="{outcome}"}}"#);
            history.series(&series, values);
        }
        for (status, values) in [
            ("queued", self.queued),
            ("sent", "0x180"),
            ("delivered", "0x180"),
        ] {
            let series = format!(r#"twilio_email_emails{{{at},status="{status}"}}"#);
            history.series(&series, values);
        }
    }
}

/// An operation of the account `a` of the job `j`, created when the history begins.
pub(super) struct Operation<'a> {
    pub(super) id: &'a str,
    pub(super) instance: &'a str,
    pub(super) state: &'a str,
    pub(super) size: u32,
    /// Labels of users: `,name="Sale"`.
    pub(super) labels: &'a str,
    /// Emails by status, in promtool's notation.
    pub(super) emails: &'a [(&'a str, &'a str)],
}

impl Default for Operation<'_> {
    fn default() -> Self {
        Self {
            id: "x",
            instance: "one:1",
            state: "completed",
            size: 100,
            labels: "",
            emails: &[],
        }
    }
}

impl Operation<'_> {
    pub(super) fn write(&self, history: &mut History) {
        let at = format!(
            r#"job="j",instance="{}",account="a",operation_id="{}""#,
            self.instance, self.id
        );
        let name = |metric: &str| format!("twilio_email_operation_{metric}{{{at}}}");
        history
            .series(&name("size"), &constant(self.size))
            .series(&name("created_timestamp_seconds"), "0x180")
            .series(&name("updated_timestamp_seconds"), "0x180")
            .series(
                &format!("twilio_email_operation_info{{{at}{}}}", self.labels),
                "1x180",
            );
        for state in ["scheduled", "processing", "completed", "canceled"] {
            let series = format!(r#"twilio_email_operation_state{{{at},state="{state}"}}"#);
            history.series(&series, &constant(u32::from(state == self.state)));
        }
        for status in [
            "scheduled",
            "queued",
            "sent",
            "delivered",
            "opened",
            "undelivered",
            "failed",
            "canceled",
        ] {
            let given = self.emails.iter().find(|(name, _)| *name == status);
            let series = format!(r#"twilio_email_operation_emails{{{at},status="{status}"}}"#);
            history.series(&series, given.map_or("0x180", |(_, values)| values));
        }
    }
}

/// The counters of the campaign `value` of the account `a`, with as many emails queued.
pub(super) fn campaign(
    history: &mut History,
    value: &str,
    delivered: &str,
    undelivered: &str,
    queued: u32,
) {
    let at = format!(r#"job="j",instance="one:1",account="a",label="campaign",value="{value}""#);
    history.series(
        &format!("twilio_email_emails_accepted_by_label_total{{{at}}}"),
        delivered,
    );
    for (outcome, values) in [("delivered", delivered), ("undelivered", undelivered)] {
        let series =
            format!(r#"twilio_email_email_outcomes_by_label_total{{{at},outcome="{outcome}"}}"#);
        history.series(&series, values);
    }
    for (status, emails) in [("queued", queued), ("sent", 0), ("delivered", 0)] {
        let series = format!(r#"twilio_email_emails_by_label{{{at},status="{status}"}}"#);
        history.series(&series, &constant(emails));
    }
}

/// The query with this letter of a panel, two hours shown; `chosen` are variables, of the others all values.
pub(super) fn query(file: &str, title: &str, letter: char, chosen: &[(&str, &str)]) -> String {
    let mut values = Chosen::new();
    let defaults = [
        ("job", ".+"),
        ("account", ".*"),
        ("label", "account"),
        ("value", ".*"),
        ("objective", "0.99"),
        ("operation_id", "x"),
        ("provider", ".*"),
        ("__range", "7200s"),
        ("__range_s", "7200"),
        ("__rate_interval", "240s"),
    ];
    for (name, value) in defaults.iter().chain(chosen) {
        values.insert((*name).to_owned(), (*value).to_owned());
    }
    let place = format!("{file}: {title} {letter}");
    let mut queries = Dashboard::named(file).panel(title, &values).into_iter();
    let found = queries.find(|query| query.place == place);
    found.unwrap_or_else(|| panic!("no {place}")).expr
}

/// A query of the overview.
pub(super) fn overview(title: &str, letter: char, chosen: &[(&str, &str)]) -> String {
    query("overview.json", title, letter, chosen)
}
