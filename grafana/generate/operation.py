"""Operation: one send from its creation until it expires, and beside it the last sends like it."""

from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, VariableSort

from boards import dashboard, labels, variable, whole_life
from overview import CAMPAIGN, HIDDEN, LOST_BAR, SENT, STATE, WHERE, begun_at
from parts import (
    COLORS, GAUGE_CELL, GREY, LOSS, colored, column, count_cell, graph, now, override, query, share_cell, stat, table,
    thresholds, time_cell, words,
)
from promql import ACCOUNT, FEW, LOST, OF_ACCOUNT, first_of
from sends import (
    IN_FLIGHT, ONE, SEND, and_of, begun, called, each, each_emails, each_ended, each_reached, each_size, in_state,
    like_the_one, one, one_emails, one_ended, one_in_transit, one_reached, unless_scheduled,
)

SIZE = f"({one('size')} > 0)"
NOT_YET = words(_minus1=("not yet", GREY))
WAITS = words(_minus1=("scheduled", COLORS["scheduled"]))


def operations():
    """Operations of at least a few emails, the newest first, by their names.

    Those of the last hour of the time shown: to look through days of all operations takes many seconds.
    """
    size = f"last_over_time(twilio_email_operation_size{{{OF_ACCOUNT}}}[1h])"
    created = f"last_over_time(twilio_email_operation_created_timestamp_seconds{{{OF_ACCOUNT}}}[1h])"
    worth_it = first_of(f"({size} >= {FEW})", size)
    newest = f"max by ({SEND}) ({created} and on ({SEND}) ({worth_it}))"
    listed = f"sort_desc(max by (operation_id, send) ({called(newest)}))"
    what = (
        f"Operations of at least {FEW} emails that existed in the last hour of the time range, the newest first. To"
        " open another one, write its id into the address."
    )
    pattern = '/operation_id="(?<value>[^"]*)".*send="(?<text>[^"]*)"/'
    return variable("operation_id", "Operation", what, f"query_result({listed})", pattern, VariableSort.DISABLED)


def values():
    state = " + ".join(
        f"{number} * " + one("state", f',state="{state}"')
        for number, state in enumerate(("scheduled", "processing", "completed", "canceled"), start=1)
    )
    mappings = words(
        _0=("Other", GREY),
        _1=("Scheduled", COLORS["scheduled"]),
        _2=("Processing", COLORS["processing"]),
        _3=("Completed", "green"),
        _4=("Canceled", GREY),
    )
    before = f"{each_emails(LOST)} / {each_size()} unless on ({SEND}) twilio_email_operation_size{{{ONE}}}"
    before = and_of(f"({before})", f"({like_the_one()})")
    return [
        stat(
            "State",
            "The operation's state at Twilio. Completed means that every email has left the queue, not that it was"
            " delivered.",
            (5, 4),
            now(state),
            "none",
            thresholds(GREY),
            fill=True,
            mappings=mappings,
        ),
        stat(
            "Emails",
            "Emails of the operation. The number grows while Twilio processes the operation.",
            (3, 4),
            now(one("size")),
            "locale",
            thresholds("text"),
            decimals=0,
        ),
        stat(
            "Delivered",
            "The share of emails that were delivered, opened ones included.",
            (3, 4),
            now(unless_scheduled(f"{one_reached()} / {SIZE}")),
            "percentunit",
            thresholds("text"),
            mappings=WAITS,
            decimals=1,
            empty="no emails",
        ),
        stat(
            "Lost",
            "The share of emails that are undelivered or failed. Yellow from 2%, orange from 5%, red from 10%. Emails"
            " can be lost up to 72 hours after the send, because Twilio retries that long.",
            (3, 4),
            now(unless_scheduled(f"{one_emails(LOST)} / {SIZE}")),
            "percentunit",
            LOSS,
            mappings=WAITS,
            decimals=1,
            empty="no emails",
        ),
        stat(
            "Lost before",
            "The median share lost of up to nine earlier sends with the same ${label}.",
            (4, 4),
            now(f"quantile(0.5, {before})"),
            "percentunit",
            LOSS,
            decimals=1,
            empty="none before",
        ),
        stat(
            "Opened",
            "The share of delivered emails that were opened.",
            (3, 4),
            now(unless_scheduled(f"{one_emails('opened')} / clamp_min({one_reached()}, 1)")),
            "percentunit",
            thresholds("blue"),
            mappings=WAITS,
            decimals=1,
        ),
        stat(
            "Still in flight",
            "Emails without a final status: scheduled, queued or in transit.",
            (3, 4),
            now(f"clamp_min({one('size')} - {one_ended()}, 0)"),
            "locale",
            thresholds("text"),
            decimals=0,
        ),
    ]


def progress():
    """Parts that add up to the size, in both counting modes."""
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
        "The operation's emails by status. Together they are its size. An opened email counts only as opened, in both"
        " counting modes.",
        (15, 10),
        [query(expr, name) for name, expr in parts.items()],
        "short",
        colored(*parts),
        stacked=True,
    )


def about():
    bare = f"twilio_email_operation_info{{{ONE}}} or on ({SEND}) twilio_email_operation_size{{{ONE}}}"
    panel = table(
        "Labels",
        "The operation's account, id and labels.",
        (9, 10),
        [now(f"max without (instance, pod, container, endpoint, service, node) ({bare})")],
        [],
        sort="label",
        descending=False,
        header=False,
        overrides=[
            override("label", custom_width=105),
            override("value", custom_cellOptions={"type": "auto", "wrapText": True}),
        ],
    )
    return panel.with_transformation(DataTransformerConfig(id_val="labelsToFields", options={"mode": "rows"}))


def times():
    created = one("created_timestamp_seconds")
    moments = lambda share: f"(vector(time()) and on () {one_ended()} / {SIZE} >= {share})[$__range:$__interval]"
    starts = f"clamp_min({one('scheduled_timestamp_seconds')} - time(), 0)"
    after = lambda share: first_of(f"min_over_time({moments(share)}) - {created}", "vector(-1)")
    return [
        stat(
            "Finished, after",
            "The time from the creation until half, 90% and 99% of the emails were delivered, lost or canceled. If"
            " the time range does not contain the creation, or the exporter did not run then, the true time may be"
            " shorter.",
            (9, 4),
            [now(after(share), name) for share, name in ((0.5, "half"), (0.9, "90%"), (0.99, "99%"))],
            "s",
            thresholds("text"),
            named=True,
            mappings=NOT_YET,
            decimals=0,
        ),
        stat(
            "Times",
            "When the operation was created (a click shows the time since then), when it starts if it is scheduled,"
            " when it expires (seven days after its creation), and the age of its stats. The longer an operation is"
            " idle, the less often it is polled.",
            (15, 4),
            [
                now(f"1000 * {created}", "created"),
                now(first_of(starts, "vector(-1)"), "starts in"),
                now(f"{one('expires_timestamp_seconds')} - time()", "expires in"),
                now(f"time() - {one('last_success_timestamp_seconds')}", "age of the stats"),
            ],
            "s",
            thresholds("text"),
            named=True,
            # A date and a time side by side with three others on a phone.
            text_size=16,
            overrides=[
                override("created", unit="dateTimeAsIso", links=[whole_life()]),
                override("starts in", mappings=words(_minus1=("not scheduled", GREY), _0=("started", GREY))),
                override("age of the stats", thresholds=thresholds("text", (3 * 3600, "orange"), (6 * 3600, "red"))),
            ],
            decimals=0,
        ),
    ]


def rates():
    per_minute = lambda expr, name: query(first_of(f"60 * clamp_min({expr}, 0)", f"0 * {one('size')}"), name)
    ending = f"({one_reached(change=True)} + {one_emails('undelivered', change=True)} > 0)"
    return [
        graph(
            "Per minute",
            "The operation's emails that are delivered, opened and lost, per minute.",
            (8, 8),
            [
                per_minute(one_emails("failed", change=True), "failed"),
                per_minute(one_emails("undelivered", change=True), "undelivered"),
                per_minute(one_reached(change=True), "delivered"),
                per_minute(one_emails("opened", change=True), "opened"),
            ],
            "short",
            colored("failed", "undelivered", "delivered", "opened"),
        ),
        graph(
            "Lost, of all",
            "Undelivered and failed emails, as a share of the operation's emails so far. Dashed: 2%, 5% and 10%.",
            (8, 8),
            [query(f"{one_emails(status)} / {SIZE}", status) for status in ("failed", "undelivered")],
            "percentunit",
            colored("failed", "undelivered"),
            stacked=True,
            limits=LOSS,
            most=0.12,
        ),
        graph(
            "Time in transit",
            "An estimate of the time that emails take from Twilio to the recipient's server: the emails in transit,"
            " divided by the emails that are delivered or lost per second. 0 if none is in transit.",
            (8, 8),
            [query(first_of(f"{one_in_transit()} / {ending}", f"0 * {one_in_transit()}"), "in transit")],
            "s",
            colored("in transit"),
            most=5,
        ),
    ]


def beside():
    like = f"({like_the_one()})"
    of = lambda values: column(and_of(values, like))
    this = words(_1=("this one", "text"))
    return table(
        "Compared with the last operations of the same ${label}",
        "This operation and up to nine earlier ones of at least 10 emails with the same value of the label. Opened:"
        " the share of delivered emails that were opened. A click shows the operation from its creation to now.",
        (24, 10),
        [
            column(called(in_state(f"(time() - {like})"))),
            of(each("size")),
            of(begun(f"{each_ended()} / {each_size()}")),
            of(begun(f"{each_reached()} / {each_size()}")),
            of(begun(f"{each_emails(LOST)} / {each_size()}")),
            of(begun(f"{each_emails('opened')} / ({each_reached()} > 0)")),
            column(f"0 * max by ({SEND}) (twilio_email_operation_size{{{ONE}}}) + 1"),
            begun_at(like),
        ],
        [
            SENT,
            CAMPAIGN,
            ("G", " ", {"mappings": this, "custom_width": 70}),
            ("state", "State", STATE),
            ("A", "Age", time_cell(85)),
            ("B", "Size", count_cell(75)),
            ("C", "Finished", {**share_cell(thresholds("blue"), custom_cellOptions=GAUGE_CELL), "custom_width": 120}),
            ("D", "Delivered", {**share_cell(thresholds("text")), "custom_width": 85}),
            ("E", "Lost", {**LOST_BAR, "custom_width": 150}),
            ("F", "Opened", {**share_cell(thresholds("blue")), "custom_width": 75}),
            *WHERE,
            ("H", "begun", HIDDEN[0][2]),
            *HIDDEN,
        ],
        sort="Age",
        descending=False,
    )


def build():
    panels = [*values(), progress(), about(), *times(), *rates(), beside()]
    return dashboard(
        "operation",
        "One send from its creation until it expires, compared with earlier sends like it.",
        "now-7d",
        [operations(), labels()],
        panels,
    )
