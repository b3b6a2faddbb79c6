"""PromQL in pieces, for what several panels ask.

Everything is asked of the exporter's own metrics, so the dashboards need no recording rules.
"""

ACCOUNT = 'account=~"$account"'
# Within which "now" is judged: long enough for a share to mean something, short enough for the night.
NOW = "30m"
ENDED = "delivered|undelivered|failed"
LOST = "undelivered|failed"
# Fewer emails than this are no reason to get up, and no measure for others.
FEW = 10


def lines(*parts):
    """One expression, a part on each line."""
    return "\n".join(parts)


def first_of(*choices):
    """The first of these expressions that gives anything at all."""
    return "\nor on () ".join(choices)


# Of the account


def outcomes(which, window, by=""):
    """Emails a second that reached one of these outcomes; the same under both readings of Twilio's figures."""
    selector = f'twilio_email_email_outcomes_total{{{ACCOUNT},outcome=~"{which}"}}'
    return f"sum{by} (rate({selector}[{window}]))"


def lost_share(window):
    """Of the emails that came to an end, the share that was lost; nothing where none did."""
    return f"{outcomes(LOST, window)} / ({outcomes(ENDED, window)} > 0)"


def burn(window):
    """How many times faster than the objective allows the error budget is spent; 0 where no email came to an end."""
    return f"({lost_share(window)} or 0 * {outcomes(ENDED, window)}) / (1 - $objective)"


def emails(status):
    """Emails of all tracked operations at this status, as Twilio gives them."""
    return f'sum(twilio_email_emails{{{ACCOUNT},status="{status}"}})'


def in_transit():
    """Emails that Twilio has sent on and knows no end of; in a funnel `sent` contains what came after."""
    of = lambda which: f'sum by (account) (twilio_email_emails{{{ACCOUNT},status=~"{which}"}})'
    funnel = f'max by (account) (twilio_email_stats_reading{{{ACCOUNT},reading="cumulative"}})'
    return f"sum(clamp_min({of('sent')} - on (account) {of('delivered|undelivered')} * on (account) {funnel}, 0))"


# By the values of the label that is chosen


def by_value(labelled, plain, matcher, window):
    """A rate for each value of the chosen label. The plain metric has that label if it is `account`, and no other."""
    of_label = f'{labelled}{{{ACCOUNT},label="$label",value=~"$value"{matcher}}}'
    of_account = f'{plain}{{{ACCOUNT},$label!="",$label=~"$value"{matcher}}}'
    joined = f'label_join(rate({of_account}[{window}]), "value", "", "account")'
    return f"(sum by (value) (rate({of_label}[{window}])) or sum by (value) ({joined}))"


def outcomes_by_value(which, window):
    labelled, plain = "twilio_email_email_outcomes_by_label_total", "twilio_email_email_outcomes_total"
    return by_value(labelled, plain, f',outcome=~"{which}"', window)


def accepted_by_value(window):
    return by_value("twilio_email_emails_accepted_by_label_total", "twilio_email_emails_accepted_total", "", window)


# Of operations. Two exporters may watch the same account, so each figure is taken once.


def each(metric, matcher=""):
    """A metric of every operation of the chosen accounts."""
    return f"max by (account, operation_id) ({metric}{{{ACCOUNT}{matcher}}})"


def each_emails(which, before=""):
    """Emails of every operation at one of these statuses; `before`: so long ago."""
    selector = f'twilio_email_operation_emails{{{ACCOUNT},status=~"{which}"}}'
    offset = before and f" offset {before}"
    return f"max by (account, operation_id) (sum without (status) ({selector}{offset}))"


def each_reached():
    """Emails of every operation that reached a mailbox, whether `delivered` still counts the opened ones or not."""
    exclusive = f'max by (account) (twilio_email_stats_reading{{{ACCOUNT},reading="exclusive"}})'
    return f"({each_emails('delivered')} + {each_emails('opened')} * on (account) group_left () {exclusive})"


def each_size():
    return f"({each('twilio_email_operation_size')} > 0)"


def known_as(operations):
    """Adds the label `name` that the user gave, where there is one."""
    name = f"max by (account, operation_id, name) (twilio_email_operation_info{{{ACCOUNT}}})"
    nameless = f"0 * {each('twilio_email_operation_size')} + 1"
    return lines(
        operations, f"* on (account, operation_id) group_left (name) ({name} or on (account, operation_id) {nameless})"
    )


def in_state(operations):
    """Adds the label `state`."""
    state = f"max by (account, operation_id, state) (twilio_email_operation_state{{{ACCOUNT}}} == 1)"
    return lines(operations, f"* on (account, operation_id) group_left (state) {state}")


def and_of(figures, operations):
    """Figures of these operations alone."""
    return lines(figures, f"and on (account, operation_id) {operations}")


def called(operations):
    """Adds the label `send`: the name, if any, and the id."""
    return f'label_join({known_as(operations)}, "send", " ", "name", "operation_id")'


# Of the one operation that is chosen

ONE = f'{ACCOUNT},operation_id="$operation_id"'


def one(metric, matcher=""):
    return f"max(twilio_email_operation_{metric}{{{ONE}{matcher}}})"


def one_emails(which, change=False):
    """Its emails at one of these statuses, or how fast they grow a second."""
    return f"max(sum without (status) ({_of_one(which, change)}))"


def one_reached(change=False):
    """Its emails that reached a mailbox, under either reading, or how fast they grow a second."""
    delivered, opened = (_of_one(status, change) for status in ("delivered", "opened"))
    exclusive = f'max by (account) (twilio_email_stats_reading{{{ACCOUNT},reading="exclusive"}})'
    return f"max({delivered} + ignoring (status) {opened} * on (account) group_left () {exclusive})"


def _of_one(which, change):
    selector = f'twilio_email_operation_emails{{{ONE},status=~"{which}"}}'
    return f"deriv({selector}[$__rate_interval])" if change else selector


def one_ended():
    """Its emails that came to an end, good or bad."""
    return f"({one_reached()} + {one_emails('undelivered|failed|canceled')})"


def one_in_transit():
    """Its emails that have left the queue and have come to no end."""
    return f"clamp_min({one('size')} - {one_emails('scheduled|queued')} - {one_ended()}, 0)"


def like_the_one():
    """The operation and up to nine before it that have the same value of the chosen label, none of them tiny."""
    created, size = "twilio_email_operation_created_timestamp_seconds", "twilio_email_operation_size"
    marked = lambda matchers: (
        f"(twilio_email_operation_info{{{matchers}}} or on (account, operation_id) {size}{{{matchers}}})"
    )
    same = f"({marked(ACCOUNT)} and on ($label) {marked(ONE)})"
    until_it = f"({each(created)} <= scalar({one('created_timestamp_seconds')}))"
    worth_it = f"({each(size)} >= {FEW} or {size}{{{ONE}}})"
    return f"topk(10, {and_of(and_of(until_it, same), worth_it)})"


# Of the exporter's process


def of_exporter(metric):
    """A metric that every process has, of the exporters alone."""
    return f"{metric} and on (job, instance) twilio_email_exporter_build_info"
