//! The table of all labels of the metrics, for the reference page. Labels that users give to operations are not in it.

/// One label of the metrics.
#[derive(Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Its values and what they mean.
    pub meaning: &'static str,
    /// A value for the reference page.
    pub example: &'static str,
}

/// Every label except those that users give to operations.
pub static LABELS: &[Label] = &[
    Label {
        name: "account",
        meaning: "The account's name in the configuration, `default` without a configuration file; never a SID.",
        example: "marketing",
    },
    Label {
        name: "operation_id",
        meaning: "The operation's id as Twilio's 202 answer gave it.",
        example: "comms_operation_01h2xcejqtf2nbrexx3vqjhp41",
    },
    Label {
        name: "status",
        meaning: "Where emails stand: `scheduled`, `queued`, `sent`, `delivered`, `opened`, `undelivered`, `failed`, `canceled`. \
                  A figure that Twilio adds one day appears under Twilio's name for it; at most 20 of these, the rest are `other` together.",
        example: "delivered",
    },
    Label {
        name: "state",
        meaning: "Where an operation stands: `scheduled`, `processing`, `completed`, `canceled`. \
                  A state that Twilio adds one day appears under Twilio's name for it; at most 20 of these, the rest are `other` together.",
        example: "processing",
    },
    Label {
        name: "outcome",
        meaning: "What emails have reached: `delivered` (opened ones included), `opened`, `undelivered`, `failed`, `canceled`.",
        example: "delivered",
    },
    Label {
        name: "label",
        meaning: "One of the labels that the configuration aggregates by (`series.aggregate_by`).",
        example: "campaign",
    },
    Label {
        name: "value",
        meaning: "A value of that label. Those beyond `series.max_label_values` are `other` together.",
        example: "spring",
    },
    Label {
        name: "reading",
        meaning: "`exclusive` (an email counts once, under its present status) or `cumulative` \
                  (a funnel: an opened email still counts as delivered and as sent).",
        example: "exclusive",
    },
    Label {
        name: "endpoint",
        meaning: "What was asked for: `operation` (one operation), `operations` (the list), `emails`, `token` (an OAuth access token).",
        example: "operation",
    },
    Label {
        name: "code",
        meaning: "The HTTP status of the answer, or `none` if there was no answer.",
        example: "200",
    },
    Label {
        name: "reason",
        meaning: "Why it failed, a closed set: `unauthorized`, `forbidden`, `not_found`, `expired`, `bad_request`, `rate_limited`, \
                  `unavailable`, `server_error`, `timeout`, `connect`, `tls`, `invalid_response`, `too_large`. \
                  Of connections to the exporter: `no_request` (none, or part of one, in 10 s), `idle` (for 5 minutes), \
                  `not_read` (the answer, for a minute), `too_many`, `not_accepted` (usually no file descriptor is left).",
        example: "rate_limited",
    },
    Label {
        name: "field",
        meaning: "Where in Twilio's answer the value is, a closed set: `body`, `created_at`, `updated_at`, `status`, `stats`.",
        example: "created_at",
    },
    Label {
        name: "collector",
        meaning: "What collects: `operations` (lists and reads operations), `tags` (reads the tags of emails, if any are wanted).",
        example: "operations",
    },
    Label {
        name: "source",
        meaning: "Where operations are listed: the path of a file, or the `name` of a URL. A URL without a name is \
                  called by its scheme, host and port, with a fingerprint of its path and query (`https://crm.example#1f3a`).",
        example: "/etc/twilio-email/operations/spring.yml",
    },
    Label {
        name: "version",
        meaning: "The exporter's version.",
        example: "0.1.0",
    },
    Label {
        name: "revision",
        meaning: "The commit it was built from.",
        example: "b05020f",
    },
];
