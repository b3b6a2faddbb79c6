"""PromQL in pieces: operations, the verdict on each account, and the one operation that is chosen."""

from promql import (
    ACCOUNT, ENDED, FEW, LABELED, LOST, NOT_EXCLUDED, NOW, NOW_SECONDS, OF_ACCOUNT, WHOLE, accepted, emails, first_of,
    in_transit, lines, outcomes, unread, up,
)

SEND = f"{ACCOUNT}, operation_id"
IN_FLIGHT = "scheduled|queued"
SCHEDULED = ',state="scheduled"'
FINISHED = "undelivered|failed|canceled"
# Losses of an operation that was completed (its queue empty) this long ago come late: Twilio retries for up to 72 hours.
LATE_AFTER = "1h"
# `rate` extrapolates, the difference of a gauge does not: late losses are taken for a little more than they are.
MARGIN = 1.2
# So few lost emails count where none is delivered; beside delivered ones, it takes FEW.
FEW_LOST = 3
# Shares above which mail gets through partly, and does not get through.
PARTLY, BADLY = 0.02, 0.05


def each(metric, matcher=""):
    """A metric of every operation of the chosen accounts, whatever the label."""
    return f"max by ({SEND}) (twilio_email_operation_{metric}{{{OF_ACCOUNT}{matcher}}})"


def each_emails(which, before=""):
    """Emails of every operation at one of these statuses; `before`: so long ago."""
    selector = f'twilio_email_operation_emails{{{OF_ACCOUNT},status=~"{which}"}}'
    return f"max by ({SEND}) (sum without (status) ({selector}{before and f' offset {before}'}))"


def exclusive():
    return f'max by ({ACCOUNT}) (twilio_email_stats_reading{{{OF_ACCOUNT},reading="exclusive"}})'


def each_reached():
    """Emails of every operation that reached a mailbox, whether `delivered` still counts the opened ones or not."""
    return f"({each_emails('delivered')} + {each_emails('opened')} * on ({ACCOUNT}) group_left () {exclusive()})"


def each_ended():
    return f"({each_reached()} + {each_emails(FINISHED)})"


def each_size():
    return f"({each('size')} > 0)"


def and_of(values, operations):
    """Values of these operations alone."""
    return lines(values, f"and on ({SEND}) {operations}")


def chosen(operations):
    """Those with the chosen values of the label, which is on `operation_info` or is `account`."""
    whole = f"twilio_email_operation_size{{{WHOLE}}}"
    labeled = f"twilio_email_operation_info{{{WHOLE}}}"
    return and_of(operations, f"({whole} or {labeled})")


def begun(values):
    """Without operations that still wait for their time: their shares are meaningless."""
    return lines(values, f"unless on ({SEND}) {each('state', SCHEDULED)} == 1")


def in_state(operations):
    """Adds the label `state`."""
    state = each("state").replace(f"({SEND})", f"({SEND}, state)")
    return lines(operations, f"* on ({SEND}) group_left (state) topk by ({SEND}) (1, {state} == 1)")


def known_as(operations, marks=("name", "campaign")):
    """Adds labels that users gave, where there are any."""
    marks = ", ".join(marks)
    info = f"max by ({SEND}, {marks}) (twilio_email_operation_info{{{OF_ACCOUNT}}})"
    bare = f"0 * {each('size')} + 1"
    # One each, should a pair of exporters have different labels. Of all operations: that is cheaper than to find these again.
    one_each = f"topk by ({SEND}) (1, {info} or on ({SEND}) {bare})"
    return lines(operations, f"* on ({SEND}) group_left ({marks}) {one_each}")


def called(operations):
    """Adds the label `send`: the name, else the campaign, else the end of the id."""
    named = f'label_join({known_as(operations)}, "send", "|", "name", "campaign", "operation_id")'
    for pattern, text in (
        ("([^|].*)[|][^|]*[|][^|]*", "$1"),
        ("[|]([^|].*)[|][^|]*", "$1"),
        ("[|][|].*?(.{1,6})", "unnamed, …$1"),
    ):
        named = f'label_replace({named}, "send", "{text}", "send", "{pattern}")'
    return named


# The verdict on an account


def late():
    """Emails of each account that were lost now, of operations whose queue has been empty for long."""
    grown = f"clamp_min({each_emails(LOST)} - {each_emails(LOST, NOW)}, 0)"
    done = f'twilio_email_operation_state{{{OF_ACCOUNT},state="completed"}} offset {LATE_AFTER} == 1'
    return f"(sum by ({ACCOUNT}) ({chosen(and_of(grown, f'({done})'))}) > 0)"


def lost_now():
    """Emails of each account that were lost now, without late losses."""
    lost = f"{NOW_SECONDS} * {outcomes(LOST, NOW)}"
    return f"clamp_min({lost} - {MARGIN} * ({late()} or 0 * {up()}), 0)"


def ended_now():
    return f"({NOW_SECONDS} * {outcomes(ENDED, NOW)} > 0)"


def share_now():
    return f"{lost_now()} / {ended_now()}"


def words():
    """How it is with each account: the first that holds, as a number; the larger, the worse."""
    delivered = outcomes("delivered", NOW)
    enough = f"({lost_now()} >= {FEW_LOST} + {FEW - FEW_LOST} * ({delivered} > bool 0))"
    waiting = f"({emails('queued')} > 0 or ({in_transit()} > 0 and {accepted('1h')} > 0))"
    return "\nor ".join((
        f"(6 + 0 * {unread()})",
        f"(3 + 2 * (({enough} / {ended_now()} > {PARTLY}) > bool {BADLY}))",
        f"(4 + 0 * ({waiting} unless {ended_now()}))",
        f"(2 + 0 * ({late()} >= {FEW}))",
        f"(1 + 0 * {ended_now()})",
        f"(0 * {up()})",
    ))


# Of the one operation that is chosen

ONE = f'{OF_ACCOUNT},operation_id="$operation_id"'


def one(metric, matcher=""):
    return f"max(twilio_email_operation_{metric}{{{ONE}{matcher}}})"


def one_emails(which, change=False):
    """Its emails at one of these statuses, or how fast they grow a second."""
    return f"max(sum without (status) ({_of_one(which, change)}))"


def one_reached(change=False):
    """Its emails that reached a mailbox, in both counting modes, or how fast they grow a second."""
    delivered, opened = (
        f"max by ({ACCOUNT}) (sum without (status) ({_of_one(status, change)}))" for status in ("delivered", "opened")
    )
    return f"max({delivered} + {opened} * on ({ACCOUNT}) {exclusive()})"


def _of_one(which, change):
    selector = f'twilio_email_operation_emails{{{ONE},status=~"{which}"}}'
    return f"deriv({selector}[$__rate_interval])" if change else selector


def one_ended():
    return f"({one_reached()} + {one_emails(FINISHED)})"


def one_in_transit():
    """Its emails that have left the queue and have no final status."""
    return f"clamp_min({one('size')} - {one_emails(IN_FLIGHT)} - {one_ended()}, 0)"


def unless_scheduled(value):
    """The value, or -1 while the operation waits for its time: 0% would judge what has not begun."""
    waits = f"0 * ({one('state', SCHEDULED)} == 1) - 1"
    return first_of(waits, value)


def like_the_one(several=10):
    """The operation and up to nine before it that have the same value of the chosen label, none of them tiny."""
    marked = lambda matchers: (
        f"(twilio_email_operation_info{{{matchers}}} or on ({SEND}) twilio_email_operation_size{{{matchers}}})"
    )
    same = f"({marked(OF_ACCOUNT)} and on ($label) {marked(ONE)})"
    until_it = f"({each('created_timestamp_seconds')} <= scalar({one('created_timestamp_seconds')}))"
    worth_it = f"({each('size')} >= {FEW} or on ({SEND}) twilio_email_operation_size{{{ONE}}})"
    return f"topk({several}, {and_of(and_of(until_it, same), worth_it)})"
