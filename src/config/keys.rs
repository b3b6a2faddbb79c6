//! Every key of the configuration file and every variable of the credentials: the source of the tables
//! in `docs/configuration.md`.
//!
//! The readers of the sections name the same keys. A test compares what they accept with these tables, so a key cannot be
//! added to one of them alone.

#[cfg(test)]
mod tests;

/// One mapping of the file.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// Its path; `[]` after a list.
    pub path: &'static str,
    /// Its keys, and those of the mappings in it that have no section of their own.
    pub keys: &'static [Key],
}

/// One key.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// Its path within the section.
    pub name: &'static str,
    /// The text of the column for defaults.
    pub default: &'static str,
    /// What it does, and its limits.
    pub meaning: &'static str,
    /// The option (without `--`) that sets the same value, and whose default and meaning apply.
    pub option: Option<&'static str>,
}

/// One row of the table of credentials.
#[derive(Debug, PartialEq, Eq)]
pub struct Variables {
    /// Its variables.
    pub names: &'static [&'static str],
    /// Their values.
    pub meaning: &'static str,
}

const fn key(name: &'static str, default: &'static str, meaning: &'static str) -> Key {
    Key {
        name,
        default,
        meaning,
        option: None,
    }
}

/// A key that sets the same value as an option.
const fn as_option(name: &'static str, option: &'static str) -> Key {
    Key {
        name,
        default: "",
        meaning: "",
        option: Some(option),
    }
}

/// The variables of the credentials of the account `default`. With `_FILE` at its end, each names a file.
pub const CREDENTIALS: &[Variables] = &[
    Variables {
        names: &["TWILIO_API_KEY", "TWILIO_API_SECRET"],
        meaning: "an API key's SID (`SK` and 32 hexadecimal digits) and its secret",
    },
    Variables {
        names: &["TWILIO_OAUTH_CLIENT_ID", "TWILIO_OAUTH_CLIENT_SECRET"],
        meaning: "an OAuth client's id and secret, for the client credentials grant",
    },
    Variables {
        names: &["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"],
        meaning: "the account's SID (`AC` and 32 hexadecimal digits) and its auth token",
    },
];

/// The variable with the URL of the token endpoint; it holds no secret, so it has no `_FILE`.
pub const TOKEN_URL: &str = "TWILIO_OAUTH_TOKEN_URL";

/// The sections of the file, in the order of the page.
pub const SECTIONS: &[Section] = &[
    Section {
        path: "accounts[]",
        keys: &[
            key(
                "name",
                "needed",
                "value of the label `account`; unique, at most 64 characters. Counters belong to the name: with a new name they restart",
            ),
            key(
                "account_sid",
                "one of the two pairs, or `oauth`",
                "the account's SID, with `auth_token_file`",
            ),
            key(
                "auth_token_file",
                "",
                "a file with the account's auth token",
            ),
            key(
                "api_key_sid",
                "",
                "an API key's SID, with `api_key_secret_file`",
            ),
            key("api_key_secret_file", "", "a file with the key's secret"),
            key("oauth", "", "an OAuth client, see below"),
            as_option("base_url", "twilio.base-url"),
            as_option("ca_file", "twilio.ca-file"),
            as_option("proxy_from_environment", "twilio.proxy-from-environment"),
            key(
                "proxy_url",
                "none",
                "the proxy between the exporter and Twilio: `http://`, `https://`, `socks5://` or `socks5h://`, with user name and password if it needs them",
            ),
            key(
                "no_proxy",
                "none",
                "hosts without the proxy of `proxy_url`, comma-separated: names, `.domain`, addresses and networks (`10.0.0.0/8`)",
            ),
            as_option("discovery", "discovery"),
            key(
                "operations",
                "none",
                "operations that are always watched and have series, see below",
            ),
            key(
                "operation_files",
                "none",
                "files that list operations, as Prometheus' `file_sd`, see below",
            ),
            key(
                "operation_urls",
                "none",
                "URLs that list operations, as Prometheus' `http_sd`, see below",
            ),
            key(
                "max_requests_per_second",
                "`10`",
                "above 0, up to 1,000,000; fractions are fine. After an idle time, the exporter may send at once as many requests as two seconds allow. A collection plans at most as many as one minute allows, but at least 4",
            ),
            key("max_concurrent_requests", "`8`", "1 to 256"),
            key(
                "request_timeout",
                "`10s`",
                "for one request including the response; 10ms to 2m",
            ),
            key(
                "stats_reading",
                "`auto`",
                "the counting mode of Twilio's stats: `exclusive` (an opened email no longer counts as delivered), `cumulative` (it still does), or `auto`: exclusive until stats or single emails prove the other",
            ),
        ],
    },
    Section {
        path: "accounts[].oauth",
        keys: &[
            key("client_id", "needed", "the client's id"),
            key("client_secret_file", "needed", "a file with its secret"),
            key(
                "token_url",
                "`https://oauth.twilio.com/v2/token`",
                "where it requests access tokens; used also with a `base_url` of your own",
            ),
        ],
    },
    Section {
        path: "accounts[].operations[]",
        keys: &[
            key(
                "id",
                "needed",
                "`comms_operation_…`; once per account, but several accounts may have the same",
            ),
            key("labels", "none", "labels of `operation_info`, at most 16"),
        ],
    },
    Section {
        path: "accounts[].operation_urls[]",
        keys: &[
            key(
                "url",
                "needed",
                "`http://` or `https://`. Its path and query may be secret: they appear in no log, page, response or label",
            ),
            key(
                "name",
                "scheme, host and port of the URL, with a fingerprint of the rest (`https://crm.example#1f3a`)",
                "the name of the source in logs, responses and the label `source`; 1 to 64 characters",
            ),
            key(
                "refresh_interval",
                "`1m`",
                "time between two requests; 100ms to 1d",
            ),
            key("timeout", "`10s`", "for one response; 10ms to 2m"),
            key(
                "basic_auth.username",
                "needed in `basic_auth`",
                "user name for Basic authentication",
            ),
            key(
                "basic_auth.password_file",
                "needed in `basic_auth`",
                "a file with its password",
            ),
            key(
                "authorization.type",
                "`Bearer`",
                "the scheme of the header `Authorization`. Not together with `basic_auth`",
            ),
            key(
                "authorization.credentials_file",
                "needed in `authorization`",
                "a file with the text after the scheme",
            ),
            key(
                "tls_config.ca_file",
                "the system's",
                "the only authorities that are trusted",
            ),
            key(
                "tls_config.cert_file",
                "none",
                "the client certificate, with `key_file`",
            ),
            key("tls_config.key_file", "none", "the key of that certificate"),
            key(
                "tls_config.server_name",
                "the URL's",
                "the server name in the handshake and in the server's certificate",
            ),
            key(
                "tls_config.insecure_skip_verify",
                "`false`",
                "`true`: no certificate is verified, which is logged as a warning",
            ),
        ],
    },
    Section {
        path: "series",
        keys: &[
            as_option("max_operations", "series.max-operations"),
            key(
                "min_size",
                "`1`",
                "the fewest emails of a discovered operation that gets series; an operation without a size counts as 1",
            ),
            key(
                "labels",
                "every one",
                "the labels that `operation_info` has; `[]`: none",
            ),
            key(
                "aggregate_by",
                "none",
                "labels, at most 8. Emails and operations are also aggregated by their values: `emails_by_label`, `operations_by_label`, `emails_accepted_by_label_total`, `email_outcomes_by_label_total`",
            ),
            key(
                "max_label_values",
                "`100`",
                "1 to 10,000: the most values of each of these labels with their own series; further values are `other`",
            ),
            key(
                "tags",
                "none",
                "tags of emails that become labels of their operations, see below",
            ),
        ],
    },
    Section {
        path: "collectors",
        keys: &[
            as_option("emails.enabled", "collector.emails"),
            key(
                "emails.max_domains",
                "`0`",
                "0 to 10,000; recipient domains with series of their own, the largest ones that have at least 10 emails; 0: recipient domains are not counted",
            ),
            key(
                "emails.max_sender_domains",
                "`20`",
                "0 to 10,000; the same for domains of senders; 0: only `other`",
            ),
            key(
                "emails.max_emails",
                "`1000000`",
                "1 to 50,000,000; emails in memory, for each account; each takes 40 bytes at most and is kept for seven days. Beyond it, whole operations are left out",
            ),
            key(
                "emails.request_share",
                "`0.25`",
                "above 0, up to 0.9; the share of `max_requests_per_second` that emails may take. Operations always have the rest",
            ),
            key(
                "emails.providers_file",
                "none",
                "a [table of mailbox providers](mailbox-providers.md) that extends or replaces the built-in one; the collector and probes of emails use it",
            ),
            key(
                "emails.resolve_mx",
                "`false`",
                "whether the [mail exchangers](mailbox-providers.md#domains-of-companies) of domains that are in no table are looked up. Name servers get the domains of recipients",
            ),
            key(
                "emails.name_servers",
                "this machine's",
                "at most 3 IP addresses, each with or without a port: the name servers for that",
            ),
        ],
    },
    Section {
        path: "storage",
        keys: &[as_option("path", "storage.path")],
    },
];
