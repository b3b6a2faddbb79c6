"""Overview: is mail getting through, for whom not, what is in flight, and how fast the error budget is spent."""

from grafana_foundation_sdk.builders.dashboard import CustomVariable
from grafana_foundation_sdk.models.dashboard import VariableOption

from boards import FIRING, RUNBOOKS_OF_PANEL, dashboard, labels, open_operation, open_overview, row, tidy, values
from parts import (
    ANY_IS_BAD, BURN, COLORED_CELL, COLORS, GAUGE_CELL, GREY, HIDE, LOSS, bars, color, colored, column, count_cell, fixed,
    graph, now, override, query, share_cell, stat, table, thresholds, time_cell, words,
)
from promql import (
    ENDED, FEW, LOST, NOW, NOW_SECONDS, accepted, accepted_by_value, burn, cause, data_age, emails, first_of,
    handled_by_value, in_transit, operations, outcomes, outcomes_by_value, sending, up, whole,
)
from sends import (
    and_of, begun, called, chosen, each, each_emails, each_ended, each_reached, each_size, ended_now, in_state,
    late, lost_now, share_now, words as verdicts,
)

PER_MINUTE = "60 * "
VERDICTS = words(
    _6=("Unknown", "purple"),
    _5=("No", "red"),
    _4=("Stuck?", "orange"),
    _3=("Partly", "orange"),
    _2=("Late losses", "yellow"),
    _1=("Yes", "green"),
    _0=("Quiet", GREY),
)
# Reasons of failed requests as the exporter counts them, and three that no request has.
CAUSES = words(
    unauthorized=("Credentials rejected (401)", "red"),
    forbidden=("Not permitted (403)", "red"),
    not_found=("Not found (404): base URL?", "red"),
    bad_request=("Bad request (400)", "red"),
    rate_limited=("Rate-limited (429)", "orange"),
    unavailable=("Twilio unavailable (503)", "orange"),
    server_error=("Server error at Twilio", "orange"),
    timeout=("No response in time", "orange"),
    connect=("No connection", "orange"),
    tls=("TLS failed", "red"),
    invalid_response=("Not Twilio's response", "red"),
    too_large=("Response too large", "orange"),
    unknown=("See the exporter's log", "orange"),
    late=("Data older than 10 min", "orange"),
    not_scraped=("Exporter not scraped", "red"),
)


def objective():
    choice = "90% : 0.9, 95% : 0.95, 98% : 0.98, 99% : 0.99, 99.5% : 0.995, 99.9% : 0.999"
    variable = CustomVariable("objective").label("Objective").values(choice)
    variable.description("The share of emails that must be neither undelivered nor failed.")
    return tidy(variable.current(VariableOption(selected=True, text="99%", value="0.99")))


def answer():
    share = f"sum({lost_now()}) / sum({ended_now()})"
    of_other_values = f'ALERTS{{{FIRING},label="$label",value!~"$value"}}'
    alerts = f'ALERTS{{{FIRING},$label=~"$value|"}} unless {of_other_values}'
    return [
        stat(
            "Is mail getting through?",
            "The worst of the chosen accounts, in the last 30 minutes. Unknown: an account cannot be read, or its"
            " data is older than 10 minutes. No: more than 5% of the finished emails were lost. Partly: more than 2%."
            " (Fewer than 10 lost emails count only if none was delivered.) Stuck?: emails are queued, and none"
            " finishes. Late losses: old sends lose emails, because Twilio retries for up to 72 hours. Yes: emails"
            " finish. Quiet: no send is active.",
            (5, 4),
            now(f"max({verdicts()})"),
            "none",
            thresholds(GREY),
            fill=True,
            mappings=VERDICTS,
            links=[RUNBOOKS_OF_PANEL],
            empty="No exporter",
        ),
        stat(
            "Lost (30 min)",
            "Undelivered and failed emails, as a share of those that finished in the last 30 minutes. Late losses are"
            " counted separately: emails of sends whose queue has been empty for an hour.",
            (5, 4),
            [now(share, "of emails now"), now(first_of(f"sum({late()})", "0 * " + whole(emails("queued"))), "late")],
            "percentunit",
            LOSS,
            named=True,
            overrides=[override("late", unit="locale", decimals=0, thresholds=thresholds("text", (1, "yellow")))],
            decimals=1,
            empty="none finished",
        ),
        stat(
            "Delivered (30 min)",
            "Emails delivered in the last 30 minutes. Delivered means that the recipient's server accepted the email.",
            (4, 4),
            now(f"{NOW_SECONDS} * " + whole(outcomes("delivered", NOW))),
            "locale",
            thresholds("text", (1, "green")),
            decimals=0,
        ),
        stat(
            "In flight",
            "Emails that are queued, or sent and not yet delivered or lost. Scheduled emails are not included.",
            (3, 4),
            now(f"{whole(emails('queued'))} + {whole(in_transit())}"),
            "locale",
            thresholds("text"),
            decimals=0,
        ),
        stat(
            "Burn (1 h)",
            "How many times faster emails are lost than the objective allows. At 1, the error budget lasts exactly as"
            " long as its period. At 14.4, a month's budget is used up in two days.",
            (4, 4),
            now(burn("1h")),
            "suffix:×",
            BURN,
            decimals=1,
        ),
        stat(
            "Alerts firing",
            "Firing alerts of the chosen jobs, accounts and values, and alerts about an exporter as a whole. Also 0"
            " if Prometheus has not loaded the alerting rules.",
            (3, 4),
            now(f"count(max without (replica, prometheus_replica) ({alerts})) or on () vector(0)"),
            "none",
            ANY_IS_BAD,
            links=[RUNBOOKS_OF_PANEL],
        ),
    ]


def each_account():
    count = lambda vector: column(f"{vector} * {NOW_SECONDS}")
    return table(
        "Accounts",
        "The accounts, the worst first, with the reason if one cannot be read. Shares and counts are of the last 30"
        " minutes. Late losses: emails of sends whose queue has been empty for an hour.",
        (24, 6),
        [
            column(verdicts()),
            column(cause()),
            column(data_age()),
            column(share_now()),
            column(lost_now()),
            column(f"{late()} or 0 * {up()}"),
            count(outcomes("delivered", NOW)),
            column(f"{emails('queued')} + {in_transit()}"),
        ],
        [
            ("account", "Account", {"custom_minWidth": 120, "links": [open_overview()]}),
            ("A", "Getting through?", {"mappings": VERDICTS, "custom_cellOptions": COLORED_CELL, "custom_width": 135}),
            ("reason", "Not read because", {"mappings": CAUSES, "custom_cellOptions": COLORED_CELL, "custom_width": 205}),
            ("C", "Data age", {**time_cell(95), "thresholds": thresholds("text", (600, "red")),
                               "custom_cellOptions": COLORED_CELL}),
            ("D", "Lost share", {**share_cell(LOSS), "custom_width": 95}),
            ("E", "Lost", count_cell(80)),
            ("F", "Late losses", count_cell(100)),
            ("G", "Delivered", count_cell(95)),
            ("H", "In flight", count_cell(90)),
            ("job", "Job", {"custom_width": 130}),
            ("B", "", HIDE),
        ],
        sort="Getting through?",
    )


def line(name, color):
    """A named line that stays where it is."""
    style = {"fill": "dash", "dash": [10, 10]}
    return override(name, color=fixed(color), custom_lineStyle=style, custom_lineWidth=1)


def over_time():
    rate = lambda outcome: query(PER_MINUTE + whole(outcomes(outcome, "$__rate_interval")), outcome)
    # Short, because what was just accepted dilutes the share for as long.
    window = "10m"
    lost, of = outcomes_by_value(LOST, window), handled_by_value(window)
    limits = [
        (0.02, "2%: check your list", "yellow"),
        (0.05, "5%: providers review an account", "orange"),
        (0.1, "10%: providers stop an account", "red"),
        (0.003, "0.3% complaints: limit of Gmail and Yahoo", "purple"),
    ]
    return [
        graph(
            "Outcomes of emails, per minute",
            "Emails per minute, by outcome. An opened email counts as delivered.",
            (12, 9),
            [rate("failed"), rate("undelivered"), rate("delivered")],
            "short",
            colored("failed", "undelivered", "delivered"),
            stacked=True,
        ),
        graph(
            "Lost, by ${label}",
            "The share lost of the emails that finished (or were accepted, if these are more) in the 10 minutes"
            " before each point. A line ends when no email is queued and none was accepted for 10 minutes. Dashed:"
            " bounce rates at which sending providers act. For comparison: the complaint rate at which Gmail and Yahoo"
            " act; this API does not show complaints.",
            (12, 9),
            [
                query(f"{lost}\n/ ({of} > 0)\nand on (value) {sending(window)}", "{{value}}"),
                *(query(f"vector({share})", name) for share, name, _ in limits),
            ],
            "percentunit",
            [line(name, color) for _, name, color in limits],
            most=0.12,
        ),
    ]


# A send in a table: its name, where it leads, and what it belongs to.
SENT = ("send", "Send", {"custom_minWidth": 160, "links": [open_operation()]})
CAMPAIGN = ("campaign", "Campaign", {"custom_width": 110})
STATES = words(
    scheduled=("Scheduled", COLORS["scheduled"]),
    processing=("Processing", COLORS["processing"]),
    completed=("Completed", COLORS["completed"]),
    canceled=("Canceled", GREY),
)
STATE = {"mappings": STATES, "custom_cellOptions": COLORED_CELL, "custom_width": 100}
WHERE = [("account", "Account", {"custom_width": 100}), ("job", "Job", {"custom_width": 100})]
HIDDEN = [(label, label, HIDE) for label in ("operation_id", "name")]
# The whole bar is a fifth: more than that is as bad, and smaller shares can be distinguished.
LOST_BAR = {**share_cell(LOSS, custom_cellOptions=GAUGE_CELL, max=0.2), "custom_width": 175}


def begun_at(operations):
    """When they were created, in milliseconds: links take it from the column `begun`."""
    return column(and_of(f"1000 * {each('created_timestamp_seconds')}", operations))


def sizeable():
    """1 for every operation of a size worth a look, else 0."""
    return f"{each('size')} >= bool {FEW}"


def for_whom():
    share = f"{each_emails(LOST)} / {each_size()}"
    # One rank for both: a send of some size is before any smaller one.
    worst = f"topk(20, {chosen(begun(f'({share} + ({sizeable()}))'))})"
    of_worst = lambda values: and_of(values, worst)
    per_value = lambda which: column(outcomes_by_value(which, "$__range") + " * $__range_s")
    part = lambda which, of: column(f"{outcomes_by_value(which, '$__range')}\n/ ({of} > 0)")
    return [
        table(
            "Sends, by loss",
            "The 20 operations of the last seven days that lost the largest share of their emails (undelivered or"
            f" failed). Operations of fewer than {FEW} emails appear only if there are no others. Scheduled sends have"
            " no share. Operations without series are not in the table. A click shows the send from its creation to"
            " now.",
            (24, 10),
            [
                column(called(in_state(f"({of_worst(share)})"))),
                column(of_worst(each_emails(LOST))),
                column(of_worst(each("size"))),
                column(of_worst(f"time() - {each('created_timestamp_seconds')}")),
                begun_at(worst),
            ],
            [
                SENT,
                ("A", "Lost share", LOST_BAR),
                CAMPAIGN,
                ("C", "Size", count_cell(90)),
                ("state", "State", STATE),
                ("B", "Lost", count_cell(85)),
                ("D", "Age", time_cell(100)),
                *WHERE,
                ("E", "begun", HIDE),
                *HIDDEN,
            ],
            sort="Lost share",
        ),
        table(
            "Lost, by ${label}, in the time shown",
            "For each value of the label, in the time range: the share lost of the emails that finished (or were"
            " accepted, if these are more); the numbers of lost, delivered and accepted emails; the share of delivered"
            " emails that were opened.",
            (24, 7),
            [
                part(LOST, handled_by_value("$__range")),
                per_value(LOST),
                per_value("delivered"),
                column(accepted_by_value("$__range") + " * $__range_s"),
                part("opened", outcomes_by_value("delivered", "$__range")),
            ],
            [
                ("value", "Value", {"custom_minWidth": 160}),
                ("A", "Lost share", LOST_BAR),
                ("B", "Lost", count_cell(100)),
                ("C", "Delivered", count_cell(110)),
                ("D", "Accepted", count_cell(110)),
                ("E", "Opened", {**share_cell(thresholds("blue")), "custom_width": 100}),
            ],
            sort="Lost share",
        ),
    ]


def in_flight():
    created = each("created_timestamp_seconds")
    newest = f"topk(15, {chosen(f'({created} + 1e10 * ({sizeable()}))')})"
    of_newest = lambda values: column(and_of(values, newest))
    return [
        graph(
            "Emails in flight",
            "Emails without a final status: scheduled for later, queued at Twilio, and in transit to the recipient's"
            " server.",
            (8, 8),
            [
                query(whole(emails("scheduled")), "scheduled"),
                query(whole(emails("queued")), "queued"),
                query(whole(in_transit()), "in transit"),
            ],
            "short",
            colored("scheduled", "queued", "in transit"),
            stacked=True,
        ),
        graph(
            "Operations in progress",
            "Operations that are scheduled or being processed, including those without series.",
            (8, 8),
            [query(whole(operations(state)), state) for state in ("scheduled", "processing")],
            "short",
            colored("scheduled", "processing"),
            most=5,
        ),
        graph(
            "Accepted and finished, per minute",
            "Accepted: emails created. Finished: emails that reached a final status. While accepted is above"
            " finished, the queue grows.",
            (8, 8),
            [
                query(PER_MINUTE + whole(accepted("$__rate_interval")), "accepted"),
                query(PER_MINUTE + whole(outcomes(ENDED + "|canceled", "$__rate_interval")), "finished"),
            ],
            "short",
            colored("accepted", "finished"),
        ),
        table(
            "Newest sends",
            f"The 15 newest operations of at least {FEW} emails, in any state (of any size if there are none)."
            " Finished: the share of emails that are delivered, lost or canceled. Opened: the share of delivered"
            " emails that were opened. Scheduled sends have no shares. A click shows the send from its creation to"
            " now.",
            (24, 10),
            [
                column(called(in_state("(" + and_of(f"(time() - {created})", newest) + ")"))),
                of_newest(each("size")),
                of_newest(begun(f"{each_ended()} / {each_size()}")),
                of_newest(begun(f"{each_reached()} / {each_size()}")),
                of_newest(begun(f"{each_emails(LOST)} / {each_size()}")),
                of_newest(begun(f"{each_emails('opened')} / ({each_reached()} > 0)")),
                of_newest(f"time() - {each('updated_timestamp_seconds')}"),
                begun_at(newest),
            ],
            [
                SENT,
                CAMPAIGN,
                ("state", "State", STATE),
                ("A", "Age", time_cell(90)),
                ("B", "Size", count_cell(80)),
                ("C", "Finished", {**share_cell(thresholds("blue"), custom_cellOptions=GAUGE_CELL), "custom_width": 140}),
                ("D", "Delivered", {**share_cell(thresholds("text")), "custom_width": 90}),
                ("E", "Lost", {**share_cell(LOSS), "custom_width": 70}),
                ("F", "Opened", {**share_cell(thresholds("blue")), "custom_width": 75}),
                ("G", "Last change", time_cell(100)),
                *WHERE,
                ("H", "begun", HIDE),
                *HIDDEN,
            ],
            sort="Age",
            descending=False,
        ),
    ]


def budget():
    windows = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"]
    spent = burn("$__range")
    return [
        stat(
            "Error budget",
            "The time range is the period of the objective. Left: the share of the error budget that is not used."
            " Spent: how many times the budget was used, if more emails were lost than the objective allows.",
            (4, 8),
            [now(f"1 - ({spent} <= 1)", "left"), now(f"{spent} > 1", "spent")],
            "percentunit",
            thresholds("orange", (0.5, "green")),
            named=True,
            overrides=[override("spent", unit="suffix: times over", decimals=1, thresholds=thresholds("red"))],
            decimals=0,
        ),
        bars(
            "Burn by window",
            "How many times faster emails were lost than the objective allows, within each window up to now. Two"
            " windows together mean an incident: above 14.4 in 1h and 5m, a severe one; above 6 in 6h and 30m, a"
            " serious one; above 1 in 3d and 6h, a slow one. Late losses are included.",
            (8, 8),
            [now(burn(window), window) for window in windows],
            "suffix:×",
            BURN,
            decimals=1,
        ),
        graph(
            "Burn over time",
            "The burn in a short and two longer windows. Dashed: 1, 6 and 14.4.",
            (12, 8),
            [query(burn(window), window) for window in ("5m", "1h", "6h")],
            "suffix:×",
            [color("5m", "super-light-orange"), color("1h", "orange"), color("6h", "dark-red")],
            limits=BURN,
        ),
    ]


def by_label():
    opened = f"{outcomes_by_value('opened', '6h')}\n/ ({outcomes_by_value('delivered', '6h')} > 0)"
    return [
        graph(
            "Delivered, by ${label}, per minute",
            "Delivered emails per minute.",
            (12, 8),
            [query(PER_MINUTE + outcomes_by_value("delivered", "$__rate_interval"), "{{value}}")],
            "short",
        ),
        graph(
            "Opened, by ${label}",
            "Emails opened in the six hours before each point, as a share of the emails delivered in these hours."
            " People open emails late, so the share starts low after a send, and may be above 100% between sends.",
            (12, 8),
            [query(opened, "{{value}}")],
            "percentunit",
        ),
    ]


def build():
    panels = [
        *answer(),
        each_account(),
        *over_time(),
        *for_whom(),
        row("In flight"),
        *in_flight(),
        row("Error budget"),
        *budget(),
        row("By ${label}"),
        *by_label(),
    ]
    return dashboard(
        "overview",
        "Whether mail gets through, which accounts and sends lose emails, how many are in flight, and how fast the"
        " error budget burns.",
        "now-6h",
        [labels(), values(), objective()],
        panels,
    )
