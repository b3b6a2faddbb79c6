"""PromQL in pieces: accounts, the values of a label, and the exporter's process.

All queries use the exporter's own metrics, so the dashboards need no recording rules. Two exporters of one
account differ in `instance` and in what a scheduler adds; of such a pair, the larger value counts.
"""

# The labels that distinguish accounts. Where Prometheus has no such label, it is empty and changes nothing.
PLACE = "cluster, namespace, job"
ACCOUNT = f"{PLACE}, account"

OF_JOB = 'job=~"$job"'
OF_ACCOUNT = f'{OF_JOB},account=~"$account"'
# Whole accounts, if all values are chosen or the label is `account`; nothing otherwise.
WHOLE = f'{OF_ACCOUNT},$label=~"$value"'
# Accounts that a chosen value of the label does not exclude: they are distinguished by another label than this.
NOT_EXCLUDED = f'{OF_ACCOUNT},$label=~"$value|"'
# The emails whose operations have the chosen values of the label.
LABELED = f'{OF_ACCOUNT},label="$label",value=~"$value"'

# Within which "now" is judged: long enough for a share to mean something, short enough for the night.
NOW = "30m"
NOW_SECONDS = 1800
QUEUED = 'status="queued"'
ENDED = "delivered|undelivered|failed"
LOST = "undelivered|failed"
# Fewer emails than this are no measure, unless most of them are lost.
FEW = 10
# Data older than this, in seconds, say nothing about now.
OLD = 600

OUTCOMES = ("twilio_email_email_outcomes_total", "twilio_email_email_outcomes_by_label_total")
ACCEPTED = ("twilio_email_emails_accepted_total", "twilio_email_emails_accepted_by_label_total")
EMAILS = ("twilio_email_emails", "twilio_email_emails_by_label")
OPERATIONS = ("twilio_email_operations", "twilio_email_operations_by_label")


def lines(*parts):
    """One expression, a part on each line."""
    return "\n".join(parts)


def first_of(*choices):
    """The first of these expressions that has any sample."""
    return "\nor on () ".join(choices)


def whole(vector):
    """The sum over all accounts."""
    return f"sum({vector})"


def of_account(metric, matchers=NOT_EXCLUDED, combine="max"):
    """A gauge of each account."""
    return f"{combine} by ({ACCOUNT}) (twilio_email_{metric}{{{matchers}}})"


# Of the chosen emails: whole accounts, or those with the chosen values of the label


def chosen(metrics, matcher, window=None):
    """Gauges, or the rates of counters within a window, for each account; one series for each account."""
    plain, labeled = metrics
    at = lambda metric, matchers: _rate(f"{metric}{{{matchers}{matcher and ',' + matcher}}}", window)
    of_whole = f"max by ({ACCOUNT}) (sum without (outcome, status, state) ({at(plain, WHOLE)}))"
    of_label = f"max by ({ACCOUNT}) (sum without (outcome, status, state, value) ({at(labeled, LABELED)}))"
    return f"({of_whole} or {of_label})"


def _rate(selector, window):
    return f"rate({selector}[{window}])" if window else selector


def outcomes(which, window):
    """Emails a second that reached one of these outcomes, for each account; the same in both counting modes."""
    return chosen(OUTCOMES, f'outcome=~"{which}"', window)


def accepted(window):
    return chosen(ACCEPTED, "", window)


def emails(which):
    """Emails of all tracked operations at one of these statuses, for each account."""
    return chosen(EMAILS, f'status=~"{which}"')


def operations(state):
    return chosen(OPERATIONS, f'state="{state}"')


def handled(window):
    """What losses are a share of: the emails that finished or, if there are more, those accepted meanwhile."""
    ended = outcomes(ENDED, window)
    return f"({accepted(window)} > {ended} or {ended})"


def burn(window):
    """How many times faster than the objective allows emails are lost; 0 where no email was handled."""
    return f"sum({outcomes(LOST, window)}) / clamp_min(sum({handled(window)}), 1e-9) / (1 - $objective)"


def in_transit():
    """Emails of each account that Twilio has sent and has no result of. In a funnel, `sent` includes later statuses."""
    funnel = of_account("stats_reading", f'{OF_ACCOUNT},reading="cumulative"')
    return f"clamp_min({emails('sent')} - {emails('delivered|undelivered')} * on ({ACCOUNT}) {funnel}, 0)"


# By the values of the label


def by_value(metrics, matcher, window=None):
    """Like `chosen`, for each value of the label. The plain metric has that label if it is `account`, and no other."""
    plain, labeled = metrics
    at = lambda metric, matchers: _rate(f"{metric}{{{matchers}{matcher and ',' + matcher}}}", window)
    of_label = f"sum without (outcome) ({at(labeled, LABELED)})"
    named_plain = OF_ACCOUNT + ',$label!="",$label=~"$value"'
    of_plain = f"sum without (outcome) ({at(plain, named_plain)})"
    named = f'label_join({of_plain}, "value", "", "account")'
    once = lambda vector: f"max by ({ACCOUNT}, value) ({vector})"
    return f"sum by (value) ({once(of_label)} or {once(named)})"


def outcomes_by_value(which, window):
    return by_value(OUTCOMES, f'outcome=~"{which}"', window)


def accepted_by_value(window):
    return by_value(ACCEPTED, "", window)


def sending(window):
    """The values of which something was accepted within the window, or is queued: losses of others come late."""
    return f"({accepted_by_value(window)} > 0 or {by_value(EMAILS, QUEUED)} > 0)"


def handled_by_value(window):
    ended = outcomes_by_value(ENDED, window)
    return f"({accepted_by_value(window)} > {ended} or {ended})"


# Whether an account is read


def up(accounts=NOT_EXCLUDED):
    return of_account("up", accounts)


def data_age(accounts=NOT_EXCLUDED):
    """Seconds since everything due was last read, for each account; of a pair, the fresher one counts."""
    return f"(time() - {of_account('collection_last_success_timestamp_seconds', accounts)})"


def not_scraped(accounts=NOT_EXCLUDED):
    """Accounts whose exporter cannot be scraped any more; one that was removed while its exporter runs is not meant."""
    was = f"last_over_time(twilio_email_up{{{accounts}}}[$__range])"
    down = f"{was} and on ({PLACE}, instance) up{{{OF_JOB}}} == 0"
    nobody = f"{was} unless on ({PLACE}) twilio_email_exporter_build_info{{{OF_JOB}}}"
    return f"(max by ({ACCOUNT}) ({down} or {nobody}) unless {up(accounts)})"


def unread():
    """The accounts whose present state is unknown."""
    return f"({up()} == 0 or {data_age()} > {OLD} or {not_scraped()})"


def cause(accounts=NOT_EXCLUDED):
    """The accounts that are not read, with the label `reason`."""
    failures = f"increase(twilio_email_api_request_failures_total{{{accounts}}}[1h])"
    most = f"topk by ({ACCOUNT}) (1, max by ({ACCOUNT}, reason) (sum without (endpoint) ({failures})) > 0)"
    named = lambda of, reason: f'label_replace({of}, "reason", "{reason}", "", "")'
    return f"\nor on ({ACCOUNT}) ".join((
        f"({most} and on ({ACCOUNT}) {up(accounts)} == 0)",
        named(f"({up(accounts)} == 0)", "unknown"),
        named(f"({data_age(accounts)} > {OLD})", "late"),
        named(not_scraped(accounts), "not_scraped"),
        # So that the column is there when all are read.
        named(f"(0 * {up(accounts)})", ""),
    ))


# Of the exporter's process


def of_exporter(metric):
    """A metric that every process has, of the exporters alone; `{}` in it stands for the chosen jobs."""
    exporters = f"twilio_email_exporter_build_info{{{OF_JOB}}}"
    return f"{metric.replace('{}', '{' + OF_JOB + '}')} and on (job, instance) {exporters}"
