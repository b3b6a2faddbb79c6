//! The table of all metrics of this exporter. [`ALL`] has those of a scrape, and its part [`EMAIL_METRICS`] is about single emails;
//! [`PROBED`] has those that only `/probe` exposes. The exposition, the reference page and the tests of names use it.
//!
//! Names and help follow <https://prometheus.io/docs/practices/naming/>. `process_*` is not here, because Prometheus' client
//! libraries define those names.

mod labels;
#[cfg(test)]
mod tests;

pub use super::metric::{Kind, Metric, Scope};
pub use emails::{
    DELIVERIES_UNOBSERVED, DELIVERIES_UNOBSERVED_BY_LABEL, DELIVERY_DURATION,
    DELIVERY_DURATION_BY_LABEL, DELIVERY_OUTCOMES_BY_LABEL, EMAIL_METRICS, EMAILS_COVERAGE,
    EMAILS_FOREIGN_ROWS, EMAILS_LEFT_OUT, INBOUND, MX_LOOKUPS, OPERATION_EMAILS_MISMATCH,
    PROVIDER_EMAILS, PROVIDER_OUTCOMES, RECIPIENT_DOMAIN_OUTCOMES, SENDER_DOMAIN_OUTCOMES,
};
pub use labels::{LABELS, Label};
pub use probe::{
    PROBE_DELIVERIES_UNOBSERVED, PROBE_DELIVERY_DURATION, PROBE_DURATION, PROBE_EMAILS,
    PROBE_EMAILS_COMPLETE, PROBE_FOREIGN_ROWS, PROBE_PROVIDER_EMAILS, PROBE_SUCCESS,
    PROBE_UNUSABLE_ROWS, PROBED,
};

/// The prefix of every name.
pub const PREFIX: &str = "twilio_email_";

/// Declares each metric as a static and adds it to a list of metrics, so that none is missing there.
macro_rules! metrics {
    ($list:ident: $($constant:ident: $scope:ident $kind:ident $name:literal $labels:tt {
        help: $help:literal, details: $details:literal, absent: $absent:literal, example: $example:literal,
    })*) => {
        $(
            #[doc = $help]
            pub static $constant: Metric = Metric {
                name: concat!("twilio_email_", $name),
                kind: Kind::$kind,
                scope: Scope::$scope,
                own_labels: &$labels,
                help: $help,
                details: $details,
                absent: $absent,
                example: $example,
            };
        )*

        /// These metrics, in the order of the reference page.
        pub static $list: &[&Metric] = &[$(&$constant),*];
    };
}

// After the macro, which they use.
mod emails;
mod probe;

/// The metrics of a scrape, in the order of the reference page.
pub static ALL: &[&Metric] = &{
    const GENERAL: usize = GENERAL_METRICS.len();
    let mut all: [&Metric; GENERAL + EMAIL_METRICS.len()] =
        [&OPERATION_EMAILS; GENERAL + EMAIL_METRICS.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < GENERAL {
            GENERAL_METRICS[at]
        } else {
            EMAIL_METRICS[at - GENERAL]
        };
        at += 1;
    }
    all
};

metrics! { GENERAL_METRICS:
    OPERATION_EMAILS: Operation Gauge "operation_emails" ["status"] {
        help: "Emails of the operation by status, as Twilio reports them.",
        details: "A status without emails is 0. Whether the statuses add up to the size depends on `twilio_email_stats_reading`.",
        absent: "until the operation has been read.",
        example: "1894",
    }
    OPERATION_SIZE: Operation Gauge "operation_size" [] {
        help: "Emails of the operation.",
        details: "Twilio's `stats.total`; it grows while Twilio processes the operation.",
        absent: "until the operation has been read, and if Twilio does not report it.",
        example: "2000",
    }
    OPERATION_RECIPIENTS: Operation Gauge "operation_recipients" [] {
        help: "Recipients that the operation targets.",
        details: "Twilio's `stats.recipients`.",
        absent: "until the operation has been read, and if Twilio does not report it.",
        example: "2000",
    }
    OPERATION_ATTEMPTS: Operation Gauge "operation_attempts" [] {
        help: "Attempts to send that Twilio has made for the operation.",
        details: "Twilio's `stats.attempts`.",
        absent: "until the operation has been read, and if Twilio does not report it.",
        example: "2013",
    }
    OPERATION_STATE: Operation StateSet "operation_state" ["state"] {
        help: "Whether the operation is in this state (1) or not (0).",
        details: "One series for each documented state. There is no failed state: emails fail, operations do not.",
        absent: "until the operation has been read.",
        example: "1",
    }
    OPERATION_CREATED: Operation Gauge "operation_created_timestamp_seconds" [] {
        help: "When the operation was created, in seconds since 1970.",
        details: "Twilio's `createdAt`. If it is missing, or differs from the time in the operation's id by more than a day, the time in the id.",
        absent: "until the operation has been read.",
        example: "1775370000",
    }
    OPERATION_SCHEDULED: Operation Gauge "operation_scheduled_timestamp_seconds" [] {
        help: "Time for which the operation is or was scheduled, in seconds since 1970.",
        details: "`scheduledFor` of its first email, which the exporter reads once, if the operation is scheduled, and `series.tags` is set or emails are collected.",
        absent: "for an operation that is not scheduled, until its first email has been read, and if the time in it is impossible.",
        example: "1775373600",
    }
    OPERATION_UPDATED: Operation Gauge "operation_updated_timestamp_seconds" [] {
        help: "When Twilio last changed the operation, in seconds since 1970.",
        details: "Twilio's `updatedAt`.",
        absent: "until the operation has been read, and if Twilio does not report it or reports an impossible time (before the creation or after the expiry).",
        example: "1775370315.25",
    }
    OPERATION_EXPIRES: Operation Gauge "operation_expires_timestamp_seconds" [] {
        help: "When the operation expires at Twilio, in seconds since 1970.",
        details: "Seven days after its creation. All series of the operation end then.",
        absent: "until the operation has been read.",
        example: "1775974800",
    }
    OPERATION_UP: Operation Gauge "operation_up" [] {
        help: "Whether the last attempt to read the operation succeeded (1) or not (0).",
        details: "While it is 0, the operation's values are those of the last successful read. A response with an impossible count (not a whole number, below 0, above 100 million, above the total in both counting modes) is a failed read.",
        absent: "before the first attempt.",
        example: "1",
    }
    OPERATION_LAST_SUCCESS: Operation Gauge "operation_last_success_timestamp_seconds" [] {
        help: "When the operation was last read, in seconds since 1970.",
        details: "The age of the values: `time() - twilio_email_operation_last_success_timestamp_seconds`. \
                  The longer an operation is idle, the less often it is polled.",
        absent: "until the operation has been read.",
        example: "1775370330.118",
    }
    OPERATION_INFO: Operation Info "operation_info" [] {
        help: "Labels of the operation; the value is always 1.",
        details: "The labels that you gave the operation (`name`, `campaign`, …; `series.labels` selects them), beside `account` and `operation_id`. To add one to another metric: \
                  `twilio_email_operation_emails * on (account, operation_id) group_left (campaign) twilio_email_operation_info`.",
        absent: "for an operation without such labels.",
        example: "1",
    }
    UP: Account Gauge "up" [] {
        help: "Whether the last collection reached Twilio and authenticated (1) or not (0).",
        details: "0 means wrong credentials, missing rights, a wrong base URL or no connection to Twilio: nothing could be read. `twilio_email_api_request_failures_total` has the reason.",
        absent: "",
        example: "1",
    }
    DISCOVERY_UP: Account Gauge "discovery_up" [] {
        help: "Whether Twilio returns the list of operations (1) or not (0).",
        details: "",
        absent: "with discovery off, and before the first response.",
        example: "1",
    }
    COLLECTION_COMPLETE: Account Gauge "collection_complete" [] {
        help: "Whether everything due was read before the deadline (1) or not (0).",
        details: "Operations that were not read keep their last values and are due at the next scrape. Also 0 if a page of a list failed, if nothing could be read, and if the clock is wrong (`twilio_email_api_clock_skew_seconds`).",
        absent: "",
        example: "1",
    }
    COLLECTION_DURATION: Account Gauge "collection_duration_seconds" [] {
        help: "How long the last finished collection took, in seconds.",
        details: "",
        absent: "until a collection has finished.",
        example: "0.184",
    }
    COLLECTOR_SUCCESS: Account Gauge "collector_success" ["collector"] {
        help: "Whether the last finished run of a collector read everything due (1) or not (0).",
        details: "Each collector runs on its own: if Twilio does not return the list of emails, tags are missing and stats are not.",
        absent: "until the collector has finished a run.",
        example: "1",
    }
    COLLECTOR_DURATION: Account Gauge "collector_duration_seconds" ["collector"] {
        help: "How long the last finished run of a collector took, in seconds.",
        details: "",
        absent: "until the collector has finished a run.",
        example: "0.184",
    }
    COLLECTION_LAST_SUCCESS: Account Gauge "collection_last_success_timestamp_seconds" [] {
        help: "When a collection was last complete, in seconds since 1970.",
        details: "",
        absent: "until a collection has been complete.",
        example: "1775370330.302",
    }
    API_CLOCK_SKEW: Account Gauge "api_clock_skew_seconds" [] {
        help: "Twilio's clock minus this machine's at the last response, in seconds.",
        details: "Negative if this machine's clock is ahead. Twilio's time has whole seconds. Beyond a minute, check NTP; beyond an hour, operations expire at the wrong time, and `twilio_email_collection_complete` is 0.",
        absent: "until Twilio has sent a response with its time (the `Date` header).",
        example: "-0.4",
    }
    OPERATIONS: Account Gauge "operations" ["state"] {
        help: "Tracked operations by state.",
        details: "All tracked operations, also those without series of their own.",
        absent: "",
        example: "3",
    }
    OPERATIONS_WITHOUT_SERIES: Account Gauge "operations_without_series" [] {
        help: "Tracked operations that have no series of their own, because of the series limit or their size.",
        details: "If it is not 0 and you need these operations, raise `--series.max-operations`.",
        absent: "",
        example: "0",
    }
    EMAILS: Account Gauge "emails" ["status"] {
        help: "Emails of all tracked operations by status, as Twilio reports them.",
        details: "It decreases when an operation expires.",
        absent: "",
        example: "51230",
    }
    EMAILS_UNCONFIRMED: Account Gauge "emails_unconfirmed" ["older_than"] {
        help: "Emails sent at least this long ago and neither delivered nor lost; exact if emails are collected, else an upper bound.",
        details: "This is the only sign of deferred mail: Twilio retries it for up to three days and reports nothing. With the collector of emails, and once 99% of the last seven days have been read, the exporter counts the emails themselves. Otherwise it sums up the unconfirmed emails of all tracked operations that are at least this old: `sent` in the counting mode `exclusive`, `sent` without `delivered` and `undelivered` in the mode `cumulative`. An operation's age counts from its creation, or from the time for which it was scheduled if that is known. So the sum can include new emails of a long send, and a confirmation is seen only when the operation is polled next.",
        absent: "",
        example: "37",
    }
    EMAILS_ACCEPTED: Account Counter "emails_accepted_total" [] {
        help: "Emails created, over all operations ever seen.",
        details: "Emails from before the account was first watched are not counted (baseline). A value is saved before it is exposed, so it never decreases when the process stops or is killed.",
        absent: "until it has been saved for the first time.",
        example: "184300",
    }
    EMAIL_OUTCOMES: Account Counter "email_outcomes_total" ["outcome"] {
        help: "Emails that have reached the outcome, over all operations ever seen; emails can be lost up to three days after their send.",
        details: "An opened email counts as `delivered` too, in both counting modes. If Twilio corrects a count downwards, the counter does not decrease.",
        absent: "until it has been saved for the first time.",
        example: "1204",
    }
    OPERATIONS_BY_LABEL: Account Gauge "operations_by_label" ["label", "value", "state"] {
        help: "Tracked operations that have the label's value, by state.",
        details: "Operations without the label are not included.",
        absent: "unless the configuration aggregates by labels; and from seven days after the last operation with the value has expired.",
        example: "3",
    }
    EMAILS_BY_LABEL: Account Gauge "emails_by_label" ["label", "value", "status"] {
        help: "Emails of all tracked operations that have the label's value, by status, as Twilio reports them.",
        details: "It decreases when an operation expires.",
        absent: "unless the configuration aggregates by labels; and from seven days after the last operation with the value has expired.",
        example: "2310",
    }
    EMAILS_ACCEPTED_BY_LABEL: Account Counter "emails_accepted_by_label_total" ["label", "value"] {
        help: "Emails created, over the operations ever seen with the label's value.",
        details: "Like `twilio_email_emails_accepted_total`. A new series is 0 for its first two minutes, and in at least one exposition, before it exposes its count. So `rate()` and `increase()` include the whole count in every Prometheus that scrapes at least every two minutes. An email counts for one value only: if an operation's label changes, later growth counts for the new value.",
        absent: "until it has been saved for the first time; unless the configuration aggregates by labels; and from seven days after the last operation with the value has expired.",
        example: "2000",
    }
    EMAIL_OUTCOMES_BY_LABEL: Account Counter "email_outcomes_by_label_total" ["label", "value", "outcome"] {
        help: "Emails that have reached the outcome, over the operations ever seen with the label's value.",
        details: "Like `twilio_email_email_outcomes_total`. A new series is 0 for its first two minutes, like that of `twilio_email_emails_accepted_by_label_total`.",
        absent: "until it has been saved for the first time; unless the configuration aggregates by labels; and from seven days after the last operation with the value has expired.",
        example: "1894",
    }
    STATS_READING: Account StateSet "stats_reading" ["reading"] {
        help: "Whether this is the counting mode of the account (1) or not (0).",
        details: "Twilio documents both modes. The exporter assumes `exclusive` until stats or single emails prove `cumulative`, unless the configuration sets the mode.",
        absent: "",
        example: "1",
    }
    API_PAUSED_UNTIL: Account Gauge "api_paused_until_timestamp_seconds" [] {
        help: "When the pause that Twilio requested ends, in seconds since 1970, or 0 without a pause.",
        details: "The exporter makes no request for the account until then.",
        absent: "",
        example: "0",
    }
    API_LOGIN_RETRY: Account Gauge "api_login_retry_timestamp_seconds" [] {
        help: "When the exporter tries rejected credentials again, in seconds since 1970, or 0 if none are rejected.",
        details: "Until then the exporter makes no request for the account, unless the credentials change. The wait is 1, 2, 4, then 5 minutes. It ends immediately when the file contains a new secret or a reload applies new credentials.",
        absent: "",
        example: "0",
    }
    API_REQUESTS: Account Counter "api_requests_total" ["endpoint", "code"] {
        help: "Requests to Twilio by endpoint and HTTP status.",
        details: "Repeated requests count each time. Starts at 0 with the process, with the statuses that Twilio documents and `none`, for each endpoint that the account uses.",
        absent: "for another status until the first response with it; for `emails`, if neither `series.tags` nor the collector of emails is on, until the first probe of emails; and for `token` without an OAuth client.",
        example: "482",
    }
    API_REQUEST_FAILURES: Account Counter "api_request_failures_total" ["endpoint", "reason"] {
        help: "Requests to Twilio that failed, by endpoint and reason.",
        details: "Starts at 0 with the process.",
        absent: "for `emails`, if neither `series.tags` nor the collector of emails is on, until the first probe of emails; and for `token` without an OAuth client; 0 from the start for the others.",
        example: "2",
    }
    API_UNEXPECTED_VALUES: Account Counter "api_unexpected_values_total" ["field"] {
        help: "Values in Twilio's responses that could not be used as they were, by field.",
        details: "The exporter uses the rest of such a response, so the request did not fail. `created_at`: differs from the time in the operation's id by more than a day; the exporter uses the time in the id. \
                  `updated_at`: a time at which the operation cannot have changed; it is left out. `status`: not a word that can be a label's value; an operation whose state is known keeps its values, with `operation_up` 0, and a new one gets the state `unreadable`. Also an undocumented state beyond the limit, which counts as `other`. \
                  `stats`: an undocumented stat that is not a count, which is left out, or one beyond the limit, which counts as `other`. `body`: a byte order mark, which is skipped, or bytes outside the rows of a list that are not JSON; no row is lost. \
                  If a documented stat is not a possible count, the read of its operation fails with the reason `invalid_response`. Starts at 0 with the process.",
        absent: "",
        example: "0",
    }
    API_REQUEST_DURATION: Account Histogram "api_request_duration_seconds" ["endpoint"] {
        help: "How long requests to Twilio took, in seconds.",
        details: "From sending to the end of the response, including requests without a response. Starts at 0 with the process.",
        absent: "for `emails`, if neither `series.tags` nor the collector of emails is on, until the first probe of emails; and for `token` without an OAuth client.",
        example: "482",
    }
    SOURCE_UP: Account Gauge "source_up" ["source"] {
        help: "Whether the last read of the file or URL that lists operations succeeded (1) or not (0).",
        details: "While it is 0, the operations of the last successful read stay. The log has the error.",
        absent: "before the first read, and when the file does not exist any more.",
        example: "1",
    }
    SOURCE_OPERATIONS: Account Gauge "source_operations" ["source"] {
        help: "Operations that the file or URL had at its last successful read.",
        details: "An operation that several sources list counts for each of them.",
        absent: "until a read has succeeded, and when the file does not exist any more.",
        example: "12",
    }
    SOURCE_LAST_SUCCESS: Account Gauge "source_last_success_timestamp_seconds" ["source"] {
        help: "When a read of the file or URL that lists operations last succeeded, in seconds since 1970.",
        details: "Updated even if nothing has changed.",
        absent: "until a read has succeeded, and when the file does not exist any more.",
        example: "1775370330.118",
    }
    BUILD_INFO: Exporter Info "exporter_build_info" ["version", "revision"] {
        help: "What the exporter was built from; the value is always 1.",
        details: "",
        absent: "",
        example: "1",
    }
    CONFIG_SUCCESSFUL: Exporter Gauge "exporter_config_last_reload_successful" [] {
        help: "Whether the last attempt to load the configuration succeeded (1) or not (0).",
        details: "While it is 0, the last valid configuration stays active.",
        absent: "",
        example: "1",
    }
    CONFIG_SUCCESS: Exporter Gauge "exporter_config_last_reload_success_timestamp_seconds" [] {
        help: "When the configuration was last loaded, in seconds since 1970.",
        details: "",
        absent: "",
        example: "1775368800.5",
    }
    WEB_CONFIG_SUCCESSFUL: Exporter Gauge "exporter_web_config_last_reload_successful" [] {
        help: "Whether the last attempt to load the web configuration succeeded (1) or not (0).",
        details: "It includes the certificates and keys of the file. While it is 0, the last valid web configuration stays active.",
        absent: "without `--web.config.file`.",
        example: "1",
    }
    WEB_CONFIG_SUCCESS: Exporter Gauge "exporter_web_config_last_reload_success_timestamp_seconds" [] {
        help: "When the web configuration was last loaded, in seconds since 1970.",
        details: "",
        absent: "without `--web.config.file`.",
        example: "1775368800.5",
    }
    PASSWORD_CHECKS: Exporter Counter "exporter_password_checks_total" [] {
        help: "Checks of a request's password against a hash.",
        details: "Starts at 0 with the process. The exporter remembers results, so this grows only with new and with wrong passwords.",
        absent: "without `--web.config.file`.",
        example: "2",
    }
    CONNECTIONS_CLOSED: Exporter Counter "exporter_http_connections_closed_total" ["reason"] {
        help: "Connections to the exporter that it closed itself, by reason.",
        details: "Starts at 0 with the process. `idle` is normal. `no_request`, `too_many` and `too_many_of_client` mean that a client opens connections without requests.",
        absent: "",
        example: "0",
    }
    REQUESTS_REFUSED: Exporter Counter "exporter_http_requests_refused_total" ["reason"] {
        help: "Requests to the exporter that it refused, by reason.",
        details: "Starts at 0 with the process. `too_many_scrapes` means that scrapes overlap: Prometheus counts each as failed (`up` 0).",
        absent: "",
        example: "0",
    }
    REGISTRY_REBUILDS: Exporter Counter "exporter_registry_rebuilds_total" [] {
        help: "How often an account's operations were loaded again from the store after a panic.",
        details: "Starts at 0 with the process. If it is above 0, the exporter has a bug; the log has the place. No operation and no count is lost.",
        absent: "",
        example: "0",
    }
    STATE_SAVED: Exporter Gauge "exporter_state_last_save_timestamp_seconds" [] {
        help: "When counters and high-water marks were last saved, in seconds since 1970, or 0 before the first save.",
        details: "",
        absent: "when everything is kept in memory (`--storage.path` is empty).",
        example: "1775368800.5",
    }
    STATE_SAVE_FAILURES: Exporter Counter "exporter_state_save_failures_total" [] {
        help: "Attempts to save counters and high-water marks that failed.",
        details: "While saves fail, gauges are current and the counters of emails stay at their last saved values.",
        absent: "when everything is kept in memory (`--storage.path` is empty).",
        example: "0",
    }
    STATE_UNSAVED: Exporter Gauge "exporter_state_unsaved_seconds" [] {
        help: "Age of the oldest unsaved change, in seconds, or 0 if everything is saved.",
        details: "Counted from the first attempt to save the change, by a monotonic clock. It grows while saves fail and while the disk hangs; a save that hangs does not count as failed.",
        absent: "when everything is kept in memory (`--storage.path` is empty).",
        example: "0",
    }
    STATE_FILES_LOST: Exporter Counter "exporter_state_files_lost_total" [] {
        help: "State files that were deleted, replaced or truncated while the exporter ran.",
        details: "The exporter writes a new file from memory each time. Starts at 0 with the process.",
        absent: "when everything is kept in memory (`--storage.path` is empty).",
        example: "0",
    }
}
