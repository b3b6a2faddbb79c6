"""Overview: is mail getting through, for whom not, what is in flight, and how fast the error budget is spent."""

from parts import (
    ANY_IS_BAD, BURN, CALLED, GAUGE_CELL, GREY, HIDDEN, LOSS, RUNBOOKS_OF_PANEL, STATE, accounts, bars, colour,
    coloured, column, dashboard, graph, labels, now, query, row, share_cell, stat, table, thresholds, variable,
    words,
)
from promql import (
    ACCOUNT, ENDED, FEW, LOST, NOW, accepted_by_value, and_of, burn, called, each, each_emails, each_reached,
    each_size, emails, first_of, in_state, in_transit, lost_share, outcomes, outcomes_by_value,
)

UP = f"twilio_email_up{{{ACCOUNT}}}"
AGE = f"time() - twilio_email_collection_last_success_timestamp_seconds{{{ACCOUNT}}}"
# Figures older than this, in seconds, say nothing about now.
OLD = 600
SECONDS = 1800
PER_MINUTE = "60 * "


def variables():
    kept = (
        'group by (value) (last_over_time(twilio_email_emails_by_label{account=~"$account",label="$label"}[$__range]))'
    )
    plain = 'group by (value) (label_join(twilio_email_up{account=~"$account",$label!=""}, "value", "", "account"))'
    what = "Which values of that label; `other` is what the exporter keeps no value of its own for."
    value = variable("value", "Value", what, f"query_result({kept} or {plain})", '/\\{value="(.*)"\\}/', several=True)
    objective = {
        "name": "objective",
        "label": "Objective",
        "description": "Share of the emails that come to an end which must be delivered.",
        "type": "custom",
        "query": "90 % : 0.9, 95 % : 0.95, 98 % : 0.98, 99 % : 0.99, 99.5 % : 0.995, 99.9 % : 0.999",
        "current": {"selected": True, "text": "99 %", "value": "0.99"},
        "options": [],
        "hide": 0,
        "multi": False,
        "includeAll": False,
    }
    return [accounts(), labels(), value, objective]


def verdict():
    """The first that holds, as a number that the panel turns into a word."""
    share, ended = lost_share(NOW), outcomes(ENDED, NOW)
    enough = f"{outcomes(LOST, NOW)} * {SECONDS} >= {FEW}"
    return first_of(
        f"5 + 0 * ({share} > 0.05 and {enough})",
        f"4 + 0 * min({UP} == 0 or {AGE} > {OLD})",
        f"3 + 0 * ({share} > 0.01 and {enough})",
        f"2 + 0 * ({ended} > 0)",
        f"1 + 0 * ({in_transit()} + {emails('queued')} > 0)",
        f"0 * count({UP})",
    )


def answer():
    mappings = words(
        _5=("No", "red"),
        _4=("Unknown", "purple"),
        _3=("Partly", "orange"),
        _2=("Yes", "green"),
        _1=("Stuck?", "orange"),
        _0=("Quiet", GREY),
    )
    share = lost_share(NOW)
    return [
        stat(
            "Is mail getting through?",
            "Of the emails that came to an end within 30 minutes. No: more than 5 % were lost. Partly: more than 1 %."
            " (Fewer than 10 lost emails count as none.) Unknown: Twilio cannot be reached or does not let the exporter"
            " in, or figures are older than 10 minutes. Stuck?: emails wait or are on their way, and none has come to"
            " an end. Quiet: nothing is under way.",
            (6, 4),
            now(verdict()),
            "none",
            thresholds(GREY),
            fill=True,
            mappings=mappings,
            links=[RUNBOOKS_OF_PANEL],
            empty="No exporter",
        ),
        stat(
            "Lost (30 min)",
            "Undelivered and failed emails, as a share of those that came to an end within 30 minutes.",
            (4, 4),
            now(share),
            "percentunit",
            LOSS,
            decimals=1,
            empty="none ended",
        ),
        stat(
            "Delivered (30 min)",
            "Emails that reached a mailbox within 30 minutes.",
            (5, 4),
            now(f"{outcomes('delivered', NOW)} * {SECONDS}"),
            "locale",
            thresholds("green"),
            decimals=0,
        ),
        stat(
            "In flight",
            "Emails that Twilio has queued, or has sent on without knowing yet what became of them.",
            (4, 4),
            now(f"{emails('queued')} + {in_transit()}"),
            "locale",
            thresholds("text"),
            decimals=0,
        ),
        stat(
            "Burn (1 h)",
            "How many times faster than the objective allows emails are being lost. At 1 the budget lasts just as long"
            " as its period; at 14.4 a month's budget is gone in two days.",
            (5, 4),
            now(burn("1h")),
            "suffix:×",
            BURN,
            decimals=1,
        ),
    ]


def over_time():
    rate = lambda outcome: query(f"{PER_MINUTE}{outcomes(outcome, '$__rate_interval')}", outcome)
    lost, ended = outcomes_by_value(LOST, NOW), outcomes_by_value(ENDED, NOW)
    return [
        graph(
            "What becomes of emails, per minute",
            "Emails a minute by what they came to. An opened email has been delivered before and is counted there.",
            (14, 8),
            [rate("failed"), rate("undelivered"), rate("delivered")],
            "short",
            coloured("failed", "undelivered", "delivered"),
            stacked=True,
        ),
        graph(
            "Lost, by ${label}",
            "Share lost of the emails that came to an end in the 30 minutes before each moment. Dashed: 1 % and 5 %.",
            (10, 8),
            [query(f"{lost}\n/ ({ended} > 0)", "{{value}}")],
            "percentunit",
            limits=LOSS,
            most=0.06,
        ),
    ]


def for_whom():
    lost = each_emails(LOST)
    recently = f"({lost} - ({each_emails(LOST, '$__range')} or 0 * {lost}) > 0)"
    # Of one value alone, if one is chosen: the label stands on `operation_info`, or is `account`.
    chosen = lambda metric: f'{metric}{{{ACCOUNT},$label=~"$value"}}'
    chosen = f"({chosen('twilio_email_operation_info')} or {chosen('twilio_email_operation_size')})"
    worst = f"({first_of(f'topk(10, {and_of(recently, chosen)})', f'topk(10, {lost})')})"
    of_worst = lambda figures: column(and_of(figures, worst))
    per_value = lambda which: column(outcomes_by_value(which, "$__range") + " * $__range_s")
    share = lambda which, whole: column(
        f"{outcomes_by_value(which, '$__range')}\n/ ({outcomes_by_value(whole, '$__range')} > 0)"
    )
    return [
        table(
            "Operations that lost most",
            "The ten operations that lost most emails (undelivered or failed) in the time shown; where none lost any,"
            " over their whole life. A click opens the operation. Operations beyond the series limit are not seen"
            " here.",
            (14, 9),
            [
                column(called(in_state(worst))),
                of_worst(f"{lost} / {each_size()}"),
                of_worst(each("twilio_email_operation_size")),
                of_worst(f"time() - {each('twilio_email_operation_created_timestamp_seconds')}"),
            ],
            [
                ("send", "Operation", {**CALLED, "custom_minWidth": 255}),
                ("A", "Lost", {"unit": "locale", "decimals": 0, "custom_width": 80}),
                ("B", "Of all", {**share_cell(LOSS), "custom_width": 80}),
                ("C", "Size", {"unit": "locale", "decimals": 0, "custom_width": 80}),
                ("state", "State", {**STATE, "custom_width": 100}),
                ("D", "Age", {"unit": "s", "decimals": 0, "custom_width": 90}),
                ("account", "Account", {"custom_width": 110}),
                *HIDDEN,
            ],
            sort="Lost",
        ),
        table(
            "Lost, by ${label}, in the time shown",
            "For each value of the label: the share lost of the emails that came to an end in the time shown; emails"
            " lost, delivered and accepted; and of those delivered, the share opened.",
            (10, 9),
            [
                share(LOST, ENDED),
                per_value(LOST),
                per_value("delivered"),
                column(accepted_by_value("$__range") + " * $__range_s"),
                share("opened", "delivered"),
            ],
            [
                ("value", "Value", {"custom_minWidth": 110}),
                ("A", "Lost share", {**share_cell(LOSS, custom_cellOptions=GAUGE_CELL, max=0.2), "custom_width": 140}),
                ("B", "Lost", {"unit": "locale", "decimals": 0, "custom_width": 75}),
                ("C", "Delivered", {"unit": "locale", "decimals": 0, "custom_width": 90}),
                ("D", "Accepted", {"unit": "locale", "decimals": 0, "custom_width": 90}),
                ("E", "Opened", {**share_cell(thresholds("blue")), "custom_width": 75}),
            ],
            sort="Lost share",
        ),
    ]


def in_flight():
    created = each("twilio_email_operation_created_timestamp_seconds")
    sizeable = f"topk(15, {and_of(created, each('twilio_email_operation_size') + f' >= {FEW}')})"
    newest = f"({first_of(sizeable, f'topk(15, {created})')})"
    of_newest = lambda figures: column(and_of(figures, newest))
    ended = f"({each_reached()} + {each_emails('undelivered|failed|canceled')})"
    state = lambda which: query(f'sum(twilio_email_operations{{{ACCOUNT},state="{which}"}})', which)
    return [
        graph(
            "Emails in flight",
            "Emails that have come to no end: scheduled for later, queued at Twilio, and in transit to the recipient's"
            " server.",
            (8, 8),
            [
                query(emails("scheduled"), "scheduled"),
                query(emails("queued"), "queued"),
                query(in_transit(), "in transit"),
            ],
            "short",
            coloured("scheduled", "queued", "in transit"),
            stacked=True,
        ),
        graph(
            "Operations under way",
            "Operations that wait for their time or are being processed; all that are tracked, whatever the series"
            " limit.",
            (8, 8),
            [state("scheduled"), state("processing")],
            "short",
            coloured("scheduled", "processing"),
            decimals=0,
        ),
        graph(
            "Accepted and ended, per minute",
            "Emails created, and emails that came to an end. While the first is above the second, the queue grows.",
            (8, 8),
            [
                query(
                    f"{PER_MINUTE}sum(rate(twilio_email_emails_accepted_total{{{ACCOUNT}}}[$__rate_interval]))",
                    "accepted",
                ),
                query(f"{PER_MINUTE}{outcomes(ENDED + '|canceled', '$__rate_interval')}", "ended"),
            ],
            "short",
            coloured("accepted", "ended"),
        ),
        table(
            "Newest operations",
            f"The fifteen newest operations of at least {FEW} emails, under way or not (of any size where there are"
            " none). Ended: emails that were delivered, lost or canceled, of all. Opened: of those delivered. A click"
            " opens the operation.",
            (24, 11),
            [
                column(called(in_state(f"(time() - {newest})"))),
                of_newest(each("twilio_email_operation_size")),
                of_newest(f"{ended} / {each_size()}"),
                of_newest(f"{each_reached()} / {each_size()}"),
                of_newest(f"{each_emails(LOST)} / {each_size()}"),
                of_newest(f"{each_emails('opened')} / ({each_reached()} > 0)"),
                of_newest(f"time() - {each('twilio_email_operation_updated_timestamp_seconds')}"),
            ],
            [
                ("send", "Operation", {**CALLED, "custom_width": 265}),
                ("state", "State", {**STATE, "custom_width": 110}),
                ("A", "Age", {"unit": "s", "decimals": 0, "custom_width": 110}),
                ("B", "Size", {"unit": "locale", "decimals": 0, "custom_width": 90}),
                (
                    "C",
                    "Ended",
                    {**share_cell(thresholds("blue"), custom_cellOptions=GAUGE_CELL), "custom_minWidth": 150},
                ),
                ("D", "Delivered", {**share_cell(thresholds("green")), "custom_width": 100}),
                ("E", "Lost", {**share_cell(LOSS), "custom_width": 90}),
                ("F", "Opened", {**share_cell(thresholds("blue")), "custom_width": 90}),
                ("G", "Last change", {"unit": "s", "decimals": 0, "custom_width": 110}),
                ("account", "Account", {"custom_width": 120}),
                *HIDDEN,
            ],
            sort="Age",
            descending=False,
        ),
    ]


def budget():
    windows = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"]
    left = "1 - " + burn("$__range")
    firing = 'count(ALERTS{alertname=~"TwilioEmail.*",alertstate="firing"}) or on () vector(0)'
    return [
        [
            stat(
                "Budget left",
                "What is left of the emails that the objective allows to be lost, if the time shown is its period."
                " Below zero: more were lost than that.",
                (4, 4),
                now(left),
                "percentunit",
                thresholds("red", (0, "orange"), (0.5, "green")),
                decimals=0,
            ),
            stat(
                "Alerts firing",
                "Alerts of this exporter that fire now, of all accounts. 0 also where its rules are not loaded into"
                " Prometheus.",
                (4, 4),
                now(firing),
                "none",
                ANY_IS_BAD,
                links=[RUNBOOKS_OF_PANEL],
            ),
        ],
        bars(
            "Burn by window",
            "How many times faster than the objective allows emails were lost, within each window up to now. Two"
            " windows together tell an incident: above 14.4 over 1h and 5m it is grave, above 6 over 6h and 30m"
            " serious, above 1 over 3d and 6h slow.",
            (8, 8),
            [now(burn(window), window) for window in windows],
            "suffix:×",
            BURN,
            decimals=1,
        ),
        graph(
            "Burn over time",
            "The same burn over a short and two longer windows. Dashed: 1, 6 and 14.4.",
            (12, 8),
            [query(burn(window), window) for window in ("5m", "1h", "6h")],
            "suffix:×",
            [colour("5m", "super-light-orange"), colour("1h", "orange"), colour("6h", "dark-red")],
            limits=BURN,
        ),
    ]


def by_label():
    opened = f"{outcomes_by_value('opened', '6h')}\n/ ({outcomes_by_value('delivered', '6h')} > 0)"
    return [
        graph(
            "Delivered, by ${label}, per minute",
            "Emails a minute that reached a mailbox.",
            (12, 8),
            [query(f"{PER_MINUTE}{outcomes_by_value('delivered', '$__rate_interval')}", "{{value}}")],
            "short",
        ),
        graph(
            "Opened, by ${label}",
            "Emails opened in the six hours before each moment, as a share of those delivered in them. People open"
            " late: after a send it starts low, and between sends it may be above 100 %.",
            (12, 8),
            [query(opened, "{{value}}")],
            "percentunit",
        ),
    ]


def build():
    panels = [
        *answer(),
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
        "Is mail getting through, for whom not, what is in flight, and how fast the error budget is spent.",
        "now-6h",
        variables(),
        panels,
    )
