"""Exporter: whether its data can be trusted, and what the API requests cost."""

from boards import RUNBOOKS_OF_PANEL, dashboard, row
from overview import CAUSES
from parts import (
    ANY_IS_BAD, COLORED_CELL, GREY, colored, column, count_cell, fixed, graph, now, override, query, stat, table,
    thresholds, time_cell, words,
)
from promql import ACCOUNT, OF_ACCOUNT, OF_JOB, cause, first_of, of_account, of_exporter, whole

# The exporter's default for max_requests_per_second; another limit is not exposed.
BUDGET = thresholds("transparent", (10, "orange"))
AGE = thresholds("green", (180, "yellow"), (600, "red"))
YES = words(_1=("yes", "green"), _0=("no", "red"), _minus1=("off", GREY))


def of(metric, combine="max"):
    return of_account(metric, OF_ACCOUNT, combine)


def counter(metric, window, function="rate"):
    """A counter of each exporter: what a pair does adds up, because Twilio serves both."""
    return f"{function}(twilio_email_{metric}{{{OF_ACCOUNT}}}[{window}])"


def age(metric):
    return f"(time() - {of(metric)})"


def pause():
    return f"clamp_min({of('api_paused_until_timestamp_seconds')} - time(), 0)"


def process(metric, matchers=OF_JOB):
    return f"twilio_email_exporter_{metric}{{{matchers}}}"


def health():
    seen = f"last_over_time({process('build_info')}[$__range])"
    saved = f"max(time() - ({process('state_last_save_timestamp_seconds')} > 0))"
    failing = f"sum(increase({process('state_save_failures_total')}[1h]))"
    return [
        stat(
            "Exporter",
            "Whether Prometheus can scrape every exporter that it scraped in the time range.",
            (4, 4),
            now(f"min(up{{{OF_JOB}}} and on (job, instance) {seen})"),
            "none",
            thresholds(GREY),
            fill=True,
            mappings=words(_1=("Up", "green"), _0=("Down", "red")),
            links=[RUNBOOKS_OF_PANEL],
            empty="Not scraped",
        ),
        stat(
            "Not read",
            "Accounts whose last collection did not reach Twilio or did not authenticate. The table below has the reason.",
            (4, 4),
            now(f"sum({of('up')} == bool 0)"),
            "none",
            ANY_IS_BAD,
            links=[RUNBOOKS_OF_PANEL],
            empty="Not scraped",
        ),
        stat(
            "Incomplete",
            "Accounts whose last collection did not read everything due before the deadline. Now and then this is"
            " normal: the next collection reads the rest first.",
            (4, 4),
            now(f"sum({of('collection_complete')} == bool 0)"),
            "none",
            thresholds("green", (1, "yellow")),
            empty="Not scraped",
        ),
        stat(
            "Data age",
            "The time since the last complete collection, for the account where it is longest.",
            (4, 4),
            now(f"max({age('collection_last_success_timestamp_seconds')})"),
            "s",
            AGE,
            decimals=0,
            empty="never read",
        ),
        stat(
            "Pause",
            "How much longer Twilio rate-limits the exporter, for the account where it is longest. During this"
            " pause, the exporter makes no request.",
            (4, 4),
            now(f"max({pause()})"),
            "s",
            thresholds("green", (1, "yellow"), (600, "red")),
            decimals=0,
            mappings=words(_0=("none", "green")),
            empty="Not scraped",
        ),
        stat(
            "Last saved",
            "The time since counters and high-water marks were last saved. The exporter saves only changes. In"
            " memory: it saves nothing, and counters start at 0 with the process.",
            (4, 4),
            now(first_of(f"1e9 + 0 * ({failing} > 0)", saved, f"0 * count({process('build_info')}) - 1")),
            "s",
            thresholds("green", (1e9, "red")),
            decimals=0,
            mappings=words(_minus1=("in memory", GREY), _1000000000=("failing", "red")),
            empty="Not scraped",
        ),
    ]


def each_account():
    off = f"0 * {of('up')} - 1"
    requests = f"sum by ({ACCOUNT}) ({counter('api_requests_total', '$__rate_interval')})"
    failures = f"sum by ({ACCOUNT}) ({counter('api_request_failures_total', '1h', 'increase')})"
    yes = {"mappings": YES, "custom_cellOptions": COLORED_CELL, "custom_width": 65}
    complete = {"mappings": words(_1=("yes", "green"), _0=("no", "orange"))}
    aged = {"thresholds": AGE, "custom_cellOptions": COLORED_CELL}
    failed = {"thresholds": thresholds("text", (1, "orange")), "custom_cellOptions": COLORED_CELL}
    return table(
        "Accounts",
        "Read: reached Twilio and authenticated; if not, why. Listed: Twilio returns the list of operations (off:"
        " discovery is off). Complete: everything due was read. Hidden: operations without series of their own."
        " Failures: requests that failed within an hour. Skew: Twilio's clock minus the exporter's.",
        (24, 6),
        [
            column(of("up", "min")),
            column(f"{of('discovery_up', 'min')} or on ({ACCOUNT}) {off}"),
            column(of("collection_complete", "min")),
            column(age("collection_last_success_timestamp_seconds")),
            column(pause()),
            column(f"sum by ({ACCOUNT}) (max by ({ACCOUNT}, state) (twilio_email_operations{{{OF_ACCOUNT}}}))"),
            column(of("operations_without_series")),
            column(requests),
            column(failures),
            column(of("collection_duration_seconds")),
            column(cause(OF_ACCOUNT)),
            column(of("api_clock_skew_seconds")),
        ],
        [
            ("account", "Account", {"custom_minWidth": 90}),
            ("A", "Read", yes),
            ("reason", "Not read because", {"mappings": CAUSES, "custom_cellOptions": COLORED_CELL, "custom_width": 180}),
            ("B", "Listed", yes),
            ("C", "Complete", {**yes, **complete, "custom_width": 85}),
            ("D", "Data age", {**time_cell(85), **aged}),
            ("E", "Pause", {**time_cell(65), "mappings": words(_0=("none", GREY))}),
            ("J", "Collection", {**time_cell(90), "decimals": 1}),
            ("F", "Operations", count_cell(95)),
            ("G", "Hidden", count_cell(70)),
            ("H", "Requests", {"unit": "reqps", "decimals": 2, "custom_width": 95}),
            ("I", "Failures", {**count_cell(85), **failed}),
            ("L", "Skew", {"unit": "s", "decimals": 1, "custom_width": 75}),
            ("job", "Job", {"custom_width": 105}),
            ("K", "", {"custom_hideFrom": {"viz": True, "legend": True, "tooltip": True}}),
        ],
        sort="Account",
        descending=False,
    )


def requests():
    failures = f"sum by (reason) ({counter('api_request_failures_total', '$__rate_interval', 'increase')}) > 0"
    none = f'label_replace(0 * count({of("up")}), "reason", "none", "", "")'
    buckets = f"sum by (endpoint, le) ({counter('api_request_duration_seconds_bucket', '$__rate_interval')})"
    quantile = lambda share: f"histogram_quantile({share}, {buckets}) >= 0"
    by = lambda labels: f"sum by ({labels}) ({counter('api_requests_total', '$__rate_interval')})"
    paused = f"sum({of('api_paused_until_timestamp_seconds')} > bool time())"
    return [
        graph(
            "Requests by account",
            "Requests to Twilio per second, including retries. Dashed: 10, the default of an account's"
            " max_requests_per_second.",
            (8, 8),
            [query(by("account"), "{{account}}")],
            "reqps",
            limits=BUDGET,
        ),
        graph(
            "Requests by response",
            "Requests to Twilio per second, by endpoint and HTTP status; `none` means no response.",
            (8, 8),
            [query(by("endpoint, code") + " > 0", "{{endpoint}} {{code}}")],
            "reqps",
            stacked=True,
        ),
        graph(
            "Failed requests",
            "Failed requests per interval, by reason. docs/troubleshooting.md explains the reasons.",
            (8, 8),
            [query(first_of(failures, none), "{{reason}}")],
            "short",
            stacked=True,
            events=True,
            most=5,
        ),
        graph(
            "Latency",
            "How long requests to Twilio take, including the response: the median and the 95th percentile.",
            (8, 8),
            [query(quantile(0.5), "{{endpoint}} 50%"), query(quantile(0.95), "{{endpoint}} 95%")],
            "s",
        ),
        graph(
            "Duration of a collection",
            "How long it takes to read everything due. Data that takes longer than the scrape timeout appears at the"
            " next scrape.",
            (8, 8),
            [query(f"max by (account) ({of('collection_duration_seconds')})", "{{account}}")],
            "s",
        ),
        graph(
            "Pauses and missing data",
            "The number of accounts that Twilio rate-limits (paused), that cannot be read, and whose last collection"
            " was incomplete.",
            (8, 8),
            [
                query(paused, "paused"),
                query(f"sum({of('up')} == bool 0)", "not read"),
                query(f"sum({of('collection_complete')} == bool 0)", "incomplete"),
            ],
            "short",
            [
                override("paused", color=fixed("yellow")),
                override("not read", color=fixed("red")),
                override("incomplete", color=fixed("orange")),
            ],
            most=5,
        ),
    ]


def extent():
    hidden = whole(of("operations_without_series"))
    in_state = lambda more="": f"max by ({ACCOUNT}, state) (twilio_email_operations{{{OF_ACCOUNT}{more}}})"
    states = ("scheduled", "processing", "completed", "canceled")
    return [
        graph(
            "Tracked operations",
            "Operations of the last seven days by state, including those without series.",
            (8, 8),
            [query(whole(in_state(f',state="{state}"')), state) for state in states],
            "short",
            colored(*states),
            stacked=True,
            most=5,
        ),
        graph(
            "Series limit",
            "How many operations have series of their own, and how many have none because of the series limit or their"
            " size.",
            (8, 8),
            [query(f"{whole(in_state())} - {hidden}", "with series"), query(hidden, "hidden")],
            "short",
            [override("with series", color=fixed("blue")), override("hidden", color=fixed("orange"))],
            most=5,
        ),
        graph(
            "Samples per scrape",
            "The number of samples of a scrape: about 20 for each operation with series.",
            (8, 8),
            [query(of_exporter("scrape_samples_scraped{}"), "{{instance}}")],
            "short",
        ),
    ]


def processes():
    each = lambda metric: [query(of_exporter(metric), "{{instance}}")]
    return [
        graph("Memory", "Resident memory of the exporter's process.", (6, 8), each("process_resident_memory_bytes{}"),
              "bytes"),
        graph(
            "CPU",
            "CPU time of the exporter's process in the five minutes before each point; 100% is one processor.",
            (6, 8),
            each("rate(process_cpu_seconds_total{}[5m])"),
            "percentunit",
            most=0.1,
        ),
        graph(
            "Duration of a scrape",
            "How long a scrape takes, including the collection.",
            (6, 8),
            each("scrape_duration_seconds{}"),
            "s",
        ),
        graph(
            "Time since the start",
            "How long the exporter's process has been running. It falls to 0 at a restart.",
            (6, 8),
            each("time() - process_start_time_seconds{}"),
            "s",
        ),
    ]


def build():
    panels = [
        *health(),
        each_account(),
        row("Requests to Twilio"),
        *requests(),
        row("Operations and series"),
        *extent(),
        row("The process"),
        *processes(),
    ]
    return dashboard(
        "exporter",
        "Whether the exporter's data can be trusted, and what the API requests cost.",
        "now-6h",
        [],
        panels,
    )
