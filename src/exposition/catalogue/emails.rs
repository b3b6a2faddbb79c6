//! The metrics about single emails, which the collector of emails reads. They are a table of their own, because an account without
//! the collector has none of them.

use crate::exposition::metric::{Kind, Metric, Scope};

metrics! { EMAIL_METRICS:
    OPERATION_EMAILS_MISMATCH: Operation Gauge "operation_emails_mismatch" [] {
        help: "Whether the stats of the operation and its emails disagree (1) or not (0).",
        details: "The exporter compares Twilio's stats, in the account's counting mode, with the statuses of the single emails. It does so only if it has \
                  read all emails of the operation, and neither they nor the stats changed within ten minutes of these reads.",
        absent: "unless emails are collected; while not all emails have been read; while the stats or the emails change; and if an email has an \
                 undocumented status.",
        example: "0",
    }
    DELIVERY_DURATION: Account Histogram "delivery_duration_seconds" ["provider"] {
        help: "How long emails took until the recipient's server accepted them, which is not the inbox, in seconds.",
        details: "From `scheduledFor`, else `createdAt`, to the `updatedAt` of a row with the status `DELIVERED`. Twilio's times have \
                  whole seconds. `twilio_email_deliveries_unobserved_total` counts the deliveries that are missing here. Emails created before the \
                  account was first watched do not count. An email counts for the provider that its domain had when it was first counted.",
        absent: "unless emails are collected (`collectors.emails.enabled`), until they have been saved for the first time, and for a provider \
                 until it has an email. A new series is 0 for its first two minutes.",
        example: "780",
    }
    DELIVERIES_UNOBSERVED: Account Counter "deliveries_unobserved_total" ["provider"] {
        help: "Delivered emails whose delivery time the exporter could not observe.",
        details: "Emails that were opened before the exporter read them, so that Twilio had overwritten their time, and emails without a \
                  possible `updatedAt`. If there are many, the histogram of delivery times is a biased sample.",
        absent: "like `twilio_email_delivery_duration_seconds`.",
        example: "31",
    }
    PROVIDER_OUTCOMES: Account Counter "provider_outcomes_total" ["provider", "outcome"] {
        help: "Emails that have reached the outcome, by the recipient's mailbox provider; emails can be lost up to three days after their send.",
        details: "Counted from the emails themselves: each email counts once for each outcome. `delivered` means accepted by the recipient's \
                  server, not the inbox. Twilio retries deferred mail for up to 72 hours before it counts it as lost. Complaints, clicks and \
                  bounce reasons are not in Twilio's API ([where to look instead](emails.md#what-it-cannot-show)).",
        absent: "like `twilio_email_delivery_duration_seconds`.",
        example: "1894",
    }
    PROVIDER_EMAILS: Account Gauge "provider_emails" ["provider", "status"] {
        help: "Emails of the last seven days by the recipient's mailbox provider and by status.",
        details: "Of the emails that the exporter has read. Emails that the account received are in `twilio_email_inbound_total`.",
        absent: "like `twilio_email_delivery_duration_seconds`.",
        example: "811",
    }
    RECIPIENT_DOMAIN_OUTCOMES: Account Counter "recipient_domain_outcomes_total" ["recipient_domain", "outcome"] {
        help: "Emails that have reached the outcome, by the domain of the recipient.",
        details: "The largest domains with at least 10 emails have names, as many as `collectors.emails.max_domains`; `other` counts the rest. A domain \
                  that has a name keeps it: its emails never count as `other` later.",
        absent: "unless `collectors.emails.max_domains` is above 0; else like `twilio_email_delivery_duration_seconds`.",
        example: "311",
    }
    SENDER_DOMAIN_OUTCOMES: Account Counter "sender_domain_outcomes_total" ["sender_domain", "outcome"] {
        help: "Emails that have reached the outcome, by the domain of the sender.",
        details: "As many domains as `collectors.emails.max_sender_domains` have names; `other` counts the rest.",
        absent: "like `twilio_email_delivery_duration_seconds`.",
        example: "1894",
    }
    DELIVERY_DURATION_BY_LABEL: Account Histogram "delivery_by_label_duration_seconds" ["label", "value"] {
        help: "How long emails took until the recipient's server accepted them, by a label of their operations, in seconds.",
        details: "Like `twilio_email_delivery_duration_seconds`, for the labels in `series.aggregate_by`. An email counts under the value that its operation \
                  has when the exporter sees it delivered; one without the label is not included. Beyond `series.max_label_values` values, `other` \
                  counts the rest.",
        absent: "unless emails are collected and `series.aggregate_by` is set. A value has series from its first email until seven days after the last \
                 of its operations has expired. A new series is 0 for its first two minutes.",
        example: "780",
    }
    DELIVERIES_UNOBSERVED_BY_LABEL: Account Counter "deliveries_unobserved_by_label_total" ["label", "value"] {
        help: "Delivered emails whose delivery time the exporter could not observe, by a label of their operations.",
        details: "The deliveries that are missing in `twilio_email_delivery_by_label_duration_seconds`.",
        absent: "like `twilio_email_delivery_by_label_duration_seconds`.",
        example: "31",
    }
    DELIVERY_OUTCOMES_BY_LABEL: Account Counter "delivery_outcomes_by_label_total" ["label", "value", "outcome"] {
        help: "Emails that have reached the outcome, by a label of their operations.",
        details: "Counted from the emails themselves, as `twilio_email_provider_outcomes_total`. `twilio_email_email_outcomes_by_label_total` counts the \
                  same from the stats of operations, and includes what an operation reached before it had the label.",
        absent: "like `twilio_email_delivery_by_label_duration_seconds`.",
        example: "1894",
    }
    INBOUND: Account Counter "inbound_total" [] {
        help: "Emails that the account received.",
        details: "Emails with the status `INBOUND`.",
        absent: "unless emails are collected, and until they have been saved for the first time.",
        example: "4",
    }
    EMAILS_COVERAGE: Account Gauge "emails_coverage_ratio" [] {
        help: "Share of the last seven days whose emails have been read at least once, from 0 to 1.",
        details: "It rises after the first start, and after a time in which the exporter did not run. The exporter reads the newest emails first.",
        absent: "unless emails are collected; until they have been saved for the first time; and while Twilio refuses the list of all emails.",
        example: "1",
    }
    EMAILS_LEFT_OUT: Account Counter "emails_left_out_total" [] {
        help: "Rows of emails that were not counted because there are more than `collectors.emails.max_emails`.",
        details: "An email counts each time that its row is read. All emails of an operation are left out, or none. Starts at 0 with the process.",
        absent: "unless emails are collected.",
        example: "0",
    }
    EMAILS_FOREIGN_ROWS: Account Counter "emails_foreign_rows_total" [] {
        help: "Rows of other operations in lists of the emails of one operation, which were not counted.",
        details: "If it is above 0, Twilio ignores `operationId`. Starts at 0 with the process.",
        absent: "unless emails are collected.",
        example: "0",
    }
    MX_LOOKUPS: Exporter Counter "exporter_mx_lookups_total" ["result"] {
        help: "Lookups of the mail exchangers of recipients' domains, by result.",
        details: "Starts at 0 with the process. After `failed` and `skipped`, the emails count as `other`.",
        absent: "without `collectors.emails.resolve_mx`.",
        example: "0",
    }
}
