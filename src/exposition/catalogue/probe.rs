//! The metrics that only `/probe` exposes, in addition to the families of the operation.
//!
//! Each is the result of one read, so names have `probe_` where a counter of the account could be mistaken for it.

use crate::exposition::metric::{Kind, Metric, Scope};

/// Other probing exporters, such as `blackbox_exporter`, use the same name.
pub static PROBE_SUCCESS: Metric = Metric {
    name: "probe_success",
    kind: Kind::Gauge,
    scope: Scope::Exporter,
    own_labels: &[],
    help: "Whether the probe read all that was requested (1) or not (0).",
    details: "The operation, and with `emails=true` every email of it. After a failure, the operation's values are the last known ones, if it is tracked.",
    absent: "",
    example: "1",
};

/// See [`PROBE_SUCCESS`].
pub static PROBE_DURATION: Metric = Metric {
    name: "probe_duration_seconds",
    kind: Kind::Gauge,
    scope: Scope::Exporter,
    own_labels: &[],
    help: "How long the probe took, in seconds.",
    details: "It includes the wait for the account's rate limit.",
    absent: "",
    example: "0.081",
};

metrics! { PROBED:
    PROBE_EMAILS_COMPLETE: Operation Gauge "probe_emails_complete" [] {
        help: "Whether every email of the operation was read (1) or not (0).",
        details: "0 if the operation could not be read, if Twilio does not return the list or the list does not end before the deadline, \
                  if rows of other operations show that Twilio ignored `operationId`, and if rows are unusable. Counts of a part would look \
                  like lost emails, so the other values are absent then. `debug=true` shows the cause.",
        absent: "without `emails=true`.",
        example: "1",
    }
    PROBE_FOREIGN_ROWS: Operation Gauge "probe_foreign_rows" [] {
        help: "Rows of other operations in the list of the operation's emails.",
        details: "They are not counted. If it is above 0, Twilio ignored `operationId`.",
        absent: "without `emails=true`, if the list was not requested, and if the probe's deadline ended the read.",
        example: "0",
    }
    PROBE_UNUSABLE_ROWS: Operation Gauge "probe_unusable_rows" [] {
        help: "Rows in the list of the operation's emails that could not be used.",
        details: "Each may be an email of the operation: a row without an id or a status, with an impossible time, or that is not JSON.",
        absent: "without `emails=true`, if the list was not requested, and if the probe's deadline ended the read.",
        example: "0",
    }
    PROBE_EMAILS: Operation Gauge "probe_emails" ["status"] {
        help: "Emails of the operation by status, counted from the emails themselves.",
        details: "All nine documented statuses, and `unknown` for any other. `twilio_email_operation_emails` has Twilio's own sums.",
        absent: "unless every email was read.",
        example: "1894",
    }
    PROBE_PROVIDER_EMAILS: Operation Gauge "probe_provider_emails" ["provider", "status"] {
        help: "Emails of the operation by the recipient's mailbox provider and by status.",
        details: "For the providers that have an email of the operation.",
        absent: "unless every email was read.",
        example: "811",
    }
    PROBE_DELIVERY_DURATION: Operation Histogram "probe_delivery_duration_seconds" ["provider"] {
        help: "How long delivered emails of the operation took until the recipient's server accepted them, which is not the inbox, in seconds.",
        details: "From `scheduledFor`, else `createdAt`, to the `updatedAt` of a row that is `DELIVERED`. It shows the emails as they are \
                  at this probe, so use `histogram_quantile()` without `rate()`: if an email is opened, \
                  Twilio overwrites its time, and `twilio_email_probe_deliveries_unobserved` counts it.",
        absent: "unless every email was read.",
        example: "780",
    }
    PROBE_DELIVERIES_UNOBSERVED: Operation Gauge "probe_deliveries_unobserved" ["provider"] {
        help: "Delivered emails of the operation whose delivery time is unknown.",
        details: "Emails that were opened, and emails without a possible `updatedAt`. Many of them make the histogram of delivery times a biased sample.",
        absent: "unless every email was read.",
        example: "31",
    }
}
