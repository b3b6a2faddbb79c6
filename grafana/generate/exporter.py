"""Exporter: whether its figures can be trusted, and what its dealings with Twilio cost."""

from parts import (
    ANY_IS_BAD, COLOURED_CELL, GREY, RUNBOOKS_OF_PANEL, accounts, coloured, column, dashboard, graph, now, override,
    query, row, stat, table, thresholds, words,
)
from promql import ACCOUNT, first_of, of_exporter

# The exporter's default for max_requests_per_second; another limit is not exposed.
BUDGET = thresholds("transparent", (10, "orange"))
AGE = thresholds("green", (180, "yellow"), (600, "red"))
YES = words(_1=("yes", "green"), _0=("no", "red"), _minus1=("off", GREY))


def of(metric, matcher=""):
    return f"twilio_email_{metric}{{{ACCOUNT}{matcher}}}"


def by_account(metric):
    return f"min by (account) ({of(metric)})"


def health():
    seen = "last_over_time(twilio_email_exporter_build_info[$__range])"
    paused = f"max(clamp_min({of('api_paused_until_timestamp_seconds')} - time(), 0))"
    age = f"max(time() - {of('collection_last_success_timestamp_seconds')})"
    saved = "max(time() - (twilio_email_exporter_state_last_save_timestamp_seconds > 0))"
    failing = "sum(increase(twilio_email_exporter_state_save_failures_total[1h]))"
    return [
        stat(
            "Exporter",
            "Whether Prometheus reaches every exporter that it reached in the time shown.",
            (4, 4),
            now(f"min(up and on (job, instance) {seen})"),
            "none",
            thresholds(GREY),
            fill=True,
            mappings=words(_1=("Up", "green"), _0=("Down", "red")),
            links=[RUNBOOKS_OF_PANEL],
            empty="Not scraped",
        ),
        stat(
            "Not read",
            "Accounts whose last collection did not reach Twilio or was not let in. The table below tells which.",
            (4, 4),
            now(f"sum({of('up')} == bool 0)"),
            "none",
            ANY_IS_BAD,
            links=[RUNBOOKS_OF_PANEL],
            empty="Not scraped",
        ),
        stat(
            "Incomplete",
            "Accounts of which not everything due was read before the deadline. Now and then is fine: what was left out"
            " goes first at the next scrape.",
            (4, 4),
            now(f"sum({of('collection_complete')} == bool 0)"),
            "none",
            thresholds("green", (1, "yellow")),
            empty="Not scraped",
        ),
        stat(
            "Data age",
            "How long ago everything due was last read, for the account where that is longest.",
            (4, 4),
            now(age),
            "s",
            AGE,
            decimals=0,
            empty="never read",
        ),
        stat(
            "Pause",
            "How much longer Twilio asked to be left alone, the longest of all accounts. Nothing is asked of it until"
            " then.",
            (4, 4),
            now(paused),
            "s",
            thresholds("green", (1, "yellow"), (600, "red")),
            decimals=0,
            mappings=words(_0=("none", "green")),
            empty="Not scraped",
        ),
        stat(
            "Last saved",
            "How long ago counters and marks were last saved; they are saved when something changes. In memory: nothing"
            " is, and counters start at 0 with the process.",
            (4, 4),
            now(first_of(f"1e9 + 0 * ({failing} > 0)", saved, "0 * count(twilio_email_exporter_build_info) - 1")),
            "s",
            thresholds("green", (1e9, "red")),
            decimals=0,
            mappings=words(_minus1=("in memory", GREY), _1000000000=("failing", "red")),
            empty="Not scraped",
        ),
    ]


def each_account():
    off = f"0 * {by_account('up')} - 1"
    requests = f"sum by (account) (rate({of('api_requests_total')}[$__rate_interval]))"
    failures = f"sum by (account) (increase({of('api_request_failures_total')}[1h]))"
    yes = {"mappings": YES, "custom_cellOptions": COLOURED_CELL, "custom_width": 85}
    return table(
        "Accounts",
        "Read: reached Twilio and was let in. Listed: the list of operations answers (off: discovery is off). Complete:"
        " everything due was read. Hidden: operations without series of their own. Failures: requests that failed"
        " within an hour.",
        (24, 6),
        [
            column(by_account("up")),
            column(f"{by_account('discovery_up')} or on (account) {off}"),
            column(by_account("collection_complete")),
            column(f"max by (account) (time() - {of('collection_last_success_timestamp_seconds')})"),
            column(f"max by (account) (clamp_min({of('api_paused_until_timestamp_seconds')} - time(), 0))"),
            column(f"sum by (account) ({of('operations')})"),
            column(f"max by (account) ({of('operations_without_series')})"),
            column(requests),
            column(failures),
            column(f"max by (account) ({of('collection_duration_seconds')})"),
        ],
        [
            ("account", "Account", {"custom_minWidth": 140}),
            ("A", "Read", {**yes}),
            ("B", "Listed", {**yes}),
            (
                "C",
                "Complete",
                {
                    "mappings": words(_1=("yes", "green"), _0=("no", "orange")),
                    "custom_cellOptions": COLOURED_CELL,
                    "custom_width": 95,
                },
            ),
            (
                "D",
                "Data age",
                {
                    "unit": "s",
                    "decimals": 0,
                    "thresholds": AGE,
                    "custom_cellOptions": COLOURED_CELL,
                    "custom_width": 100,
                },
            ),
            ("E", "Pause", {"unit": "s", "decimals": 0, "mappings": words(_0=("none", GREY)), "custom_width": 85}),
            ("J", "Collection", {"unit": "s", "decimals": 1, "custom_width": 105}),
            ("F", "Operations", {"unit": "locale", "decimals": 0, "custom_width": 110}),
            ("G", "Hidden", {"unit": "locale", "decimals": 0, "custom_width": 90}),
            ("H", "Requests", {"unit": "reqps", "decimals": 2, "custom_width": 115}),
            (
                "I",
                "Failures",
                {
                    "decimals": 0,
                    "thresholds": thresholds("text", (1, "orange")),
                    "custom_cellOptions": COLOURED_CELL,
                    "custom_width": 90,
                },
            ),
        ],
        sort="Account",
        descending=False,
    )


def requests():
    failures = f"sum by (reason) (increase({of('api_request_failures_total')}[$__rate_interval])) > 0"
    none = f'label_replace(0 * count({of("up")}), "reason", "none", "", "")'
    quantile = lambda share: (
        f"histogram_quantile({share}, sum by (endpoint, le)"
        f" (rate({of('api_request_duration_seconds_bucket')}[$__rate_interval])))"
    )
    return [
        graph(
            "Requests by account",
            "Requests to Twilio a second, repeated ones included. Dashed, where in sight: 10, the limit of an account"
            " unless max_requests_per_second says otherwise.",
            (8, 8),
            [query(f"sum by (account) (rate({of('api_requests_total')}[$__rate_interval]))", "{{account}}")],
            "reqps",
            limits=BUDGET,
        ),
        graph(
            "Requests by answer",
            "Requests to Twilio a second, by endpoint and HTTP status; `none`: there was no answer.",
            (8, 8),
            [
                query(
                    f"sum by (endpoint, code) (rate({of('api_requests_total')}[$__rate_interval]))",
                    "{{endpoint}} {{code}}",
                )
            ],
            "reqps",
            stacked=True,
        ),
        graph(
            "Failed requests",
            "Requests that failed, by reason, in each interval. docs/troubleshooting.md tells what each reason means.",
            (8, 8),
            [query(first_of(failures, none), "{{reason}}")],
            "short",
            decimals=0,
            most=5,
        ),
        graph(
            "Latency",
            "How long requests to Twilio take, answer included: half of them take no longer than the first, 95 of 100"
            " no longer than the second.",
            (8, 8),
            [query(quantile(0.5), "{{endpoint}} 50 %"), query(quantile(0.95), "{{endpoint}} 95 %")],
            "s",
        ),
        graph(
            "Duration of a collection",
            "How long it takes to read what is due. What takes longer than the scrape's timeout shows at the next"
            " scrape.",
            (8, 8),
            [query(f"max by (account) ({of('collection_duration_seconds')})", "{{account}}")],
            "s",
        ),
        graph(
            "Pauses and missing figures",
            "Accounts that Twilio asked to wait, that were not read, and that were read in part.",
            (8, 8),
            [
                query(f"sum({of('api_paused_until_timestamp_seconds')} > bool time())", "paused"),
                query(f"sum({of('up')} == bool 0)", "not read"),
                query(f"sum({of('collection_complete')} == bool 0)", "incomplete"),
            ],
            "short",
            [
                override("paused", color={"mode": "fixed", "fixedColor": "yellow"}),
                override("not read", color={"mode": "fixed", "fixedColor": "red"}),
                override("incomplete", color={"mode": "fixed", "fixedColor": "orange"}),
            ],
            decimals=0,
            most=3,
        ),
    ]


def extent():
    states = ("scheduled", "processing", "completed", "canceled")
    hidden = of("operations_without_series")
    in_state = {state: of("operations", f',state="{state}"') for state in states}
    return [
        graph(
            "Tracked operations",
            "Operations of the last seven days by state, whatever the series limit.",
            (8, 8),
            [query(f"sum({series})", state) for state, series in in_state.items()],
            "short",
            coloured(*states),
            stacked=True,
            decimals=0,
        ),
        graph(
            "Series limit",
            "How many operations have series of their own, and how many have none because of the series limit or their"
            " size.",
            (8, 8),
            [
                query(f"sum({of('operations')}) - sum({hidden})", "with series"),
                query(f"sum({hidden})", "hidden"),
            ],
            "short",
            [
                override("with series", color={"mode": "fixed", "fixedColor": "blue"}),
                override("hidden", color={"mode": "fixed", "fixedColor": "orange"}),
            ],
            decimals=0,
        ),
        graph(
            "Samples per scrape",
            "How many samples a scrape brings into Prometheus: about 20 for each operation with series.",
            (8, 8),
            [query(of_exporter("scrape_samples_scraped"), "{{instance}}")],
            "short",
        ),
    ]


def process():
    each = lambda expr: [query(expr, "{{instance}}")]
    return [
        graph(
            "Memory",
            "Resident memory of the exporter's process.",
            (6, 8),
            each(of_exporter("process_resident_memory_bytes")),
            "bytes",
        ),
        graph(
            "CPU",
            "Processor time of the exporter's process in the five minutes before each moment; 100 % is one processor.",
            (6, 8),
            each(of_exporter("rate(process_cpu_seconds_total[5m])")),
            "percentunit",
            most=0.1,
        ),
        graph(
            "Duration of a scrape",
            "How long Prometheus waits for the exposition, the collection included.",
            (6, 8),
            each(of_exporter("scrape_duration_seconds")),
            "s",
        ),
        graph(
            "Time since the start",
            "How long the exporter's process has been running; a fall to 0 is a restart.",
            (6, 8),
            each(of_exporter("time() - process_start_time_seconds")),
            "s",
        ),
    ]


def build():
    panels = [
        *health(),
        each_account(),
        row("Requests to Twilio"),
        *requests(),
        row("What is watched"),
        *extent(),
        row("The process"),
        *process(),
    ]
    return dashboard(
        "exporter",
        "Whether the exporter's figures can be trusted, and what its dealings with Twilio cost.",
        "now-6h",
        [accounts()],
        panels,
    )
