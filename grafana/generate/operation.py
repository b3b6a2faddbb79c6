"""Operation: one send from its creation until Twilio forgets it, and beside the last sends like it."""

from parts import (
    CALLED, COLOURS, GAUGE_CELL, GREY, HIDDEN, LOSS, STATE, accounts, coloured, column, dashboard, graph, labels,
    now, override, query, share_cell, stat, table, thresholds, variable, words,
)
from promql import (
    FEW, LOST, ONE, and_of, called, each, each_emails, each_reached, each_size, first_of, in_state, like_the_one, one,
    one_emails, one_ended, one_in_transit, one_reached,
)

SIZE = f"({one('size')} > 0)"
NOT_YET = words(_minus1=("not yet", GREY))


def variables():
    size = 'last_over_time(twilio_email_operation_size{account=~"$account"}[$__range])'
    worth_it = first_of(f"group by (operation_id) ({size} >= {FEW})", f"group by (operation_id) ({size})")
    what = f"Operations of at least {FEW} emails, the newest first. A smaller one opens by its id in the address."
    text = f"query_result({worth_it})"
    operation = variable("operation_id", "Operation", what, text, '/\\{operation_id="(.*)"\\}/', sort=2)
    return [accounts(), operation, labels()]


def figures():
    state = " + ".join(
        f"{number} * " + one("state", f',state="{state}"')
        for number, state in enumerate(("scheduled", "processing", "completed", "canceled"), start=1)
    )
    mappings = words(
        _0=("Other", GREY),
        _1=("Scheduled", COLOURS["scheduled"]),
        _2=("Processing", COLOURS["processing"]),
        _3=("Completed", "green"),
        _4=("Canceled", GREY),
    )
    return [
        stat(
            "State",
            "What Twilio says of the operation. Completed: every email has left the queue; whether they arrived is told"
            " beside.",
            (5, 4),
            now(state),
            "none",
            thresholds(GREY),
            fill=True,
            mappings=mappings,
        ),
        stat(
            "Emails",
            "Emails that the operation has created. They become more while it is being processed.",
            (3, 4),
            now(one("size")),
            "locale",
            thresholds("text"),
            decimals=0,
        ),
        stat(
            "Delivered",
            "Emails that reached a mailbox, opened ones included, of all.",
            (4, 4),
            now(f"{one_reached()} / {SIZE}"),
            "percentunit",
            thresholds("green"),
            decimals=1,
            empty="no emails",
        ),
        stat(
            "Lost",
            "Undelivered and failed emails, of all. Yellow from 1 %, red from 5 %.",
            (4, 4),
            now(f"{one_emails(LOST)} / {SIZE}"),
            "percentunit",
            LOSS,
            decimals=1,
            empty="no emails",
        ),
        stat(
            "Opened",
            "Opened emails, of those that reached a mailbox.",
            (4, 4),
            now(f"{one_emails('opened')} / clamp_min({one_reached()}, 1)"),
            "percentunit",
            thresholds("blue"),
            decimals=1,
        ),
        stat(
            "Still to come",
            "Emails that have come to no end: scheduled, queued or in transit.",
            (4, 4),
            now(f"clamp_min({one('size')} - {one_ended()}, 0)"),
            "locale",
            thresholds("text"),
            decimals=0,
        ),
    ]


def progress():
    """Parts that add up to the size, under both readings of Twilio's figures."""
    parts = {
        "failed": one_emails("failed"),
        "undelivered": one_emails("undelivered"),
        "opened": one_emails("opened"),
        "delivered": f"{one_reached()} - {one_emails('opened')}",
        "in transit": one_in_transit(),
        "queued": one_emails("queued"),
        "scheduled": one_emails("scheduled"),
        "canceled": one_emails("canceled"),
    }
    return graph(
        "Progress",
        "Where the operation's emails stand; together they are its size. An opened email is shown as opened alone,"
        " whichever way Twilio counts it.",
        (15, 14),
        [query(expr, name) for name, expr in parts.items()],
        "short",
        coloured(*parts),
        stacked=True,
    )


def several(title, description, size, targets, overrides=(), **defaults):
    """Several figures side by side, each with its name."""
    panel = stat(title, description, size, targets[0], "s", thresholds("text"), decimals=0, **defaults)
    more = [{"refId": chr(ord("A") + index), **target} for index, target in enumerate(targets)]
    options = {**panel["options"], "textMode": "value_and_name", "text": {"titleSize": 14, "valueSize": 22}}
    return {
        **panel,
        "targets": [{**panel["targets"][0], **target} for target in more],
        "options": options,
        "fieldConfig": {**panel["fieldConfig"], "overrides": list(overrides)},
    }


def about(series):
    panel = table(
        "What it is",
        "The operation's account and id, and the labels that users gave it.",
        (9, 6),
        [now(series)],
        [],
        sort="label",
        descending=False,
    )
    options = {**panel["options"], "showHeader": False}
    columns = [
        override("label", custom_width=105),
        override("value", custom_cellOptions={"type": "auto", "wrapText": True}),
    ]
    return {
        **panel,
        "options": options,
        "transformations": [{"id": "labelsToFields", "options": {"mode": "rows"}}],
        "fieldConfig": {**panel["fieldConfig"], "overrides": columns},
    }


def times():
    created = one("created_timestamp_seconds")
    moments = lambda share: f"(vector(time()) and on () {one_ended()} / {SIZE} >= {share})[$__range:$__interval]"
    after = lambda share: first_of(f"min_over_time({moments(share)}) - {created}", "vector(-1)")
    bare = f"twilio_email_operation_info{{{ONE}}} or on (account, operation_id) twilio_email_operation_size{{{ONE}}}"
    return [
        about(f"max without (job, instance) ({bare})"),
        several(
            "Came to an end, after",
            "How long after the creation half, 90 % and 99 % of the emails had been delivered, lost or canceled. Right"
            " if the time shown contains the operation's beginning and the exporter ran then, otherwise at most so"
            " long.",
            (9, 4),
            [now(after(share), name) for share, name in ((0.5, "half"), (0.9, "90 %"), (0.99, "99 %"))],
            mappings=NOT_YET,
        ),
        several(
            "Times",
            "How long ago the operation was created, when Twilio forgets it (seven days after that), and how old its"
            " figures are. An operation that rests is read less and less often.",
            (9, 4),
            [
                now(f"time() - {created}", "age"),
                now(f"{one('expires_timestamp_seconds')} - time()", "forgotten in"),
                now(f"time() - {one('last_success_timestamp_seconds')}", "figures' age"),
            ],
            [override("figures' age", thresholds=thresholds("green", (3 * 3600, "orange"), (6 * 3600, "red")))],
        ),
    ]


def rates():
    per_minute = lambda expr, name: query(first_of(f"60 * clamp_min({expr}, 0)", f"0 * {one('size')}"), name)
    ending = f"({one_reached(change=True)} + {one_emails('undelivered', change=True)} > 0)"
    return [
        graph(
            "Per minute",
            "How many emails a minute the operation gets delivered, opened and lost.",
            (8, 8),
            [
                per_minute(one_emails("failed", change=True), "failed"),
                per_minute(one_emails("undelivered", change=True), "undelivered"),
                per_minute(one_reached(change=True), "delivered"),
                per_minute(one_emails("opened", change=True), "opened"),
            ],
            "short",
            coloured("failed", "undelivered", "delivered", "opened"),
        ),
        graph(
            "Lost, of all",
            "Undelivered and failed emails, as a share of the operation's emails so far. Dashed: 1 % and 5 %.",
            (8, 8),
            [query(f"{one_emails(status)} / {SIZE}", status) for status in ("failed", "undelivered")],
            "percentunit",
            coloured("failed", "undelivered"),
            stacked=True,
            limits=LOSS,
            most=0.06,
        ),
        graph(
            "Time in transit",
            "How long emails are on their way from Twilio to the recipient's server, estimated: those in transit,"
            " divided by those that arrive or bounce in a second. 0 while none is in transit.",
            (8, 8),
            [query(first_of(f"{one_in_transit()} / {ending}", f"0 * {one_in_transit()}"), "in transit")],
            "s",
            coloured("in transit"),
            most=5,
        ),
    ]


def beside():
    like = f"({like_the_one()})"
    of = lambda figures: column(and_of(figures, like))
    ended = f"({each_reached()} + {each_emails('undelivered|failed|canceled')})"
    this = words(_1=("this one", "text"))
    return table(
        "Beside the last operations with the same ${label}",
        "This operation and up to nine before it with the same value of the label, of at least 10 emails. Opened: of"
        " those delivered. A click opens the operation.",
        (24, 11),
        [
            column(called(in_state(f"(time() - {like})"))),
            of(each("twilio_email_operation_size")),
            of(f"{ended} / {each_size()}"),
            of(f"{each_reached()} / {each_size()}"),
            of(f"{each_emails(LOST)} / {each_size()}"),
            of(f"{each_emails('opened')} / ({each_reached()} > 0)"),
            column(f"0 * max by (account, operation_id) (twilio_email_operation_size{{{ONE}}}) + 1"),
        ],
        [
            ("send", "Operation", {**CALLED, "custom_width": 265}),
            ("G", " ", {"mappings": this, "custom_width": 90}),
            ("state", "State", {**STATE, "custom_width": 110}),
            ("A", "Age", {"unit": "s", "decimals": 0, "custom_width": 110}),
            ("B", "Size", {"unit": "locale", "decimals": 0, "custom_width": 90}),
            ("C", "Ended", {**share_cell(thresholds("blue"), custom_cellOptions=GAUGE_CELL), "custom_minWidth": 150}),
            ("D", "Delivered", {**share_cell(thresholds("green")), "custom_width": 100}),
            ("E", "Lost", {**share_cell(LOSS), "custom_width": 90}),
            ("F", "Opened", {**share_cell(thresholds("blue")), "custom_width": 90}),
            ("account", "Account", {"custom_width": 120}),
            *HIDDEN,
        ],
        sort="Age",
        descending=False,
    )


def build():
    panels = [*figures(), progress(), times(), *rates(), beside()]
    return dashboard(
        "operation",
        "One send from its creation until Twilio forgets it, and beside the last sends like it.",
        "now-24h",
        variables(),
        panels,
    )
