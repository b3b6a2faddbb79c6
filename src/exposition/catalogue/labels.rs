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
        meaning: "The operation's id, as in Twilio's response to the send (202).",
        example: "comms_operation_01h2xcejqtf2nbrexx3vqjhp41",
    },
    Label {
        name: "status",
        meaning: "The status of emails: `scheduled`, `queued`, `sent`, `delivered`, `opened`, `undelivered`, `failed`, `canceled`. \
                  An undocumented stat has Twilio's name for it; at most 20 of these, further ones are added up as `other`. \
                  Of emails that are read one by one also `inbound`, and `unknown` for every undocumented status.",
        example: "delivered",
    },
    Label {
        name: "provider",
        meaning: "The mailbox provider of the recipient, by the domain of the address: `gmail`, `outlook`, `yahoo`, …; `other` for \
                  every domain that is not in the exporter's table.",
        example: "gmail",
    },
    Label {
        name: "recipient_domain",
        meaning: "The domain of the recipient's address, in its ASCII form, if it is one of the largest; `other` for the rest.",
        example: "example.com",
    },
    Label {
        name: "sender_domain",
        meaning: "The domain of the sender's address, in its ASCII form; `other` beyond the limit.",
        example: "news.example.com",
    },
    Label {
        name: "state",
        meaning: "The state of an operation: `scheduled`, `processing`, `completed`, `canceled`. \
                  An undocumented state has Twilio's name for it; at most 20 of these, further ones are added up as `other`.",
        example: "processing",
    },
    Label {
        name: "outcome",
        meaning: "The outcome of emails: `delivered` (including opened ones), `opened`, `undelivered`, `failed`, `canceled`.",
        example: "delivered",
    },
    Label {
        name: "label",
        meaning: "One of the labels that the configuration aggregates by (`series.aggregate_by`).",
        example: "campaign",
    },
    Label {
        name: "value",
        meaning: "A value of that label. Values beyond `series.max_label_values` are added up as `other`.",
        example: "spring",
    },
    Label {
        name: "older_than",
        meaning: "The least time since the emails were sent: `5m`, `1h`, `6h` or `1d`.",
        example: "1h",
    },
    Label {
        name: "reading",
        meaning: "The counting mode: `exclusive` (an email counts once, in its current status) or `cumulative` \
                  (an opened email still counts as delivered and as sent).",
        example: "exclusive",
    },
    Label {
        name: "endpoint",
        meaning: "The requested endpoint: `operation` (one operation), `operations` (the list), `emails`, `token` (an OAuth access token).",
        example: "operation",
    },
    Label {
        name: "code",
        meaning: "The HTTP status of the response, or `none` without a response.",
        example: "200",
    },
    Label {
        name: "reason",
        meaning: "Why a request or connection failed, a closed set. Of requests to Twilio: `unauthorized`, `forbidden`, `not_found`, `expired`, `bad_request`, `rate_limited`, \
                  `unavailable`, `server_error`, `timeout`, `connect`, `tls`, `invalid_response`, `too_large`. \
                  Of connections to the exporter: `no_request` (no complete request within 10 s), `idle` (for 5 minutes), \
                  `not_read` (the client did not read the response for a minute), `tls_handshake` (it failed or took more than 10 s), \
                  `malformed` (no valid HTTP), `large_head` (of a request), `too_many` (in all), `too_many_of_client` (of one address), \
                  `not_accepted` (usually no file descriptor is left). \
                  Of requests to the exporter: `too_many_scrapes` (`--web.max-requests`), `large_body`, `slow_body`, \
                  `unauthenticated`, `read_only` (the user may not change anything), `rate_limited`, `busy` (too many passwords wait for their check).",
        example: "rate_limited",
    },
    Label {
        name: "field",
        meaning: "The field of Twilio's response, a closed set: `body`, `created_at`, `updated_at`, `status`, `stats`.",
        example: "created_at",
    },
    Label {
        name: "collector",
        meaning: "The collector: `operations` (lists and reads operations), `tags` (reads the first email of operations for its tags and its schedule, if `series.tags` is set), \
                  `emails` (reads single emails, if they are collected).",
        example: "operations",
    },
    Label {
        name: "result",
        meaning: "The result of a lookup: `found` (a mail exchanger belongs to a provider of the table), `unknown` (none does, or there is none), `failed` (no name server responded, or all responded with an error; repeated after ten minutes), `skipped` (a thousand lookups were pending).",
        example: "found",
    },
    Label {
        name: "source",
        meaning: "The source that lists operations: the path of a file, or the `name` of a URL. A URL without a name has \
                  its scheme, host and port, with a fingerprint of its path and query (`https://crm.example#1f3a`).",
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
