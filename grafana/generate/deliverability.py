"""Deliverability: how fast mailbox providers accept emails, which of them do not, and what stays without a result."""

from boards import dashboard, row, variable
from overview import LOST_BAR
from parts import (
    LOSS, column, count_cell, fixed, graph, heatmap, note, now, override, query, share_cell, stat, table, thresholds,
)
from promql import ACCOUNT, ENDED, LOST, NOW, OF_ACCOUNT

OF_PROVIDER = f'{OF_ACCOUNT},provider=~"$provider"'
# A time to delivery that people notice, one that they complain about.
SLOW = thresholds("text", (60, "yellow"), (900, "orange"), (3600, "red"))
# For how long emails are unconfirmed, and how that looks.
AGES = {"5m": "blue", "1h": "yellow", "6h": "orange", "1d": "red"}
UNSEEN = """
Twilio's Email API does not show complaints ("report spam"), clicks, unsubscribes, the reason of a bounce, or whether an accepted
email is in the inbox or in the spam folder. *Delivered* means that the recipient's server accepted the email.

| to know | look at |
|---|---|
| complaints and reputation at Gmail | [Google Postmaster Tools](https://postmaster.google.com) |
| complaints at Yahoo and AOL | [Yahoo Sender Hub](https://senders.yahooinc.com) |
| reputation at Outlook.com | [Microsoft SNDS](https://sendersupport.olc.protection.outlook.com/snds/) |
| bounces, clicks, unsubscribes of single emails | *Email Logs* in Twilio's Console, which [have the events of each email](https://www.twilio.com/docs/glossary/sends). They may lack the reason of a bounce |

**Emails can be lost 72 hours after their send**, because Twilio retries a deferred email that long before it counts as undelivered. Until
then it is *sent*, and on this dashboard *unconfirmed*.
"""


def providers():
    text = f"label_values(twilio_email_provider_outcomes_total{{{OF_ACCOUNT}}}, provider)"
    return variable("provider", "Provider", "Mailbox providers of the recipients.", text, everything=".*")


def buckets(by, window="$__rate_interval", function="rate"):
    """Of a pair of exporters, the one that saw more deliveries counts."""
    series = f"twilio_email_delivery_duration_seconds_bucket{{{OF_PROVIDER}}}"
    return f"sum by ({by}) (max by ({ACCOUNT}, provider, le) ({function}({series}[{window}])))"


def quantile(share, by="", window="$__rate_interval"):
    """Without the NaN of a provider that accepted nothing."""
    return f"histogram_quantile({share}, {buckets(by + 'le', window)}) >= 0"


def outcomes(which, by, window="$__range", function="increase", metric="provider_outcomes_total", matchers=OF_PROVIDER):
    series = f'twilio_email_{metric}{{{matchers},outcome=~"{which}"}}'
    once = f"max by ({ACCOUNT}, {by}) (sum without (outcome) ({function}({series}[{window}])))"
    return f"sum by ({by}) ({once})"


def share(part, whole, by, **more):
    return f"{outcomes(part, by, **more)} / ({outcomes(whole, by, **more)} > 0)"


def matcher(age):
    return f',older_than="{age}"'


def unconfirmed(matcher):
    return f"sum by (older_than) (max by ({ACCOUNT}, older_than) (twilio_email_emails_unconfirmed{{{OF_ACCOUNT}{matcher}}}))"


def unobserved():
    series = f"increase(twilio_email_deliveries_unobserved_total{{{OF_PROVIDER}}}[$__range])"
    return f"sum(max by ({ACCOUNT}, provider) ({series}))"


def disagreeing():
    series = f"max by ({ACCOUNT}, operation_id) (twilio_email_operation_emails_mismatch{{{OF_ACCOUNT}}})"
    return f"sum({series})"


def values():
    delivered, lost = (f"sum({outcomes(which, 'provider')})" for which in ("delivered", LOST))
    ended = f"sum({outcomes(ENDED, 'provider')})"
    hour = unconfirmed(matcher("1h"))
    return [
        stat(
            "Time to delivery",
            "The time from the moment for which an email is scheduled, else from its creation, until the recipient's"
            " server accepts it: median, 95th and 99th percentile in the time range.",
            (8, 4),
            [now(quantile(part, window="$__range"), name) for part, name in ((0.5, "half"), (0.95, "95%"), (0.99, "99%"))],
            "s",
            SLOW,
            named=True,
            decimals=1,
            empty="none seen",
        ),
        stat(
            "Lost",
            "Undelivered and failed emails, as a share of those that finished in the time range.",
            (4, 4),
            now(f"{lost} / ({ended} > 0)"),
            "percentunit",
            LOSS,
            decimals=1,
            empty="none finished",
        ),
        stat(
            "Unconfirmed for an hour",
            "Emails that were sent at least an hour ago and are neither delivered nor lost. Twilio retries for up to"
            " 72 hours. This is the only sign of deferred mail in the API.",
            (4, 4),
            now(f"sum({hour})"),
            "locale",
            thresholds("text", (1, "yellow")),
            decimals=0,
        ),
        stat(
            "Deliveries without a time",
            "The share of deliveries in the time range whose time is unknown, because the email was opened before the"
            " exporter read it. If the share is large, do not rely on the times to delivery.",
            (4, 4),
            now(f"{unobserved()} / ({delivered} > 0)"),
            "percentunit",
            thresholds("text", (0.1, "yellow"), (0.5, "orange")),
            decimals=1,
            empty="none delivered",
        ),
        stat(
            "Stats and emails disagree",
            "Operations whose stats disagree with their emails, of all that could be compared. If it stays above 0, either the"
            " stats or the list of emails is wrong: `/probe?target=ID&emails=true` shows both.",
            (4, 4),
            now(disagreeing()),
            "locale",
            thresholds("text", (1, "yellow")),
            decimals=0,
            empty="none compared",
        ),
    ]


def speed():
    return [
        graph(
            "Time to delivery, 95% of the emails, by provider",
            "95% of the emails that the provider accepted in the 30 minutes before each point took no longer than"
            " this. If the line of a single provider rises, that provider defers your mail. Dashed: a minute, 15"
            " minutes, an hour.",
            (12, 9),
            [query(quantile(0.95, "provider, ", NOW), "{{provider}}")],
            "s",
            limits=SLOW,
            orders=True,
        ),
        heatmap(
            "Time to delivery, how many emails",
            "Deliveries of the chosen providers per interval, by how long they took. Darker means more.",
            (12, 9),
            buckets("le", function="increase"),
            "s",
        ),
        graph(
            "Time to delivery, all chosen providers",
            "Median, 95th and 99th percentile of the emails that were accepted in the 30 minutes before each point."
            " Dashed: a minute, 15 minutes, an hour.",
            (12, 8),
            [query(quantile(part, window=NOW), name) for part, name in ((0.5, "half"), (0.95, "95%"), (0.99, "99%"))],
            "s",
            [
                override("half", color=fixed("green")),
                override("95%", color=fixed("orange")),
                override("99%", color=fixed("red")),
            ],
            limits=SLOW,
            orders=True,
        ),
        graph(
            "Unconfirmed, by age",
            "Emails that were sent at least that long ago and are neither delivered nor lost. Each line includes"
            " older emails. This panel shows whole accounts, not providers.",
            (12, 8),
            [query(f"sum({unconfirmed(matcher(age))})", f"for {age}") for age in AGES],
            "short",
            [override(f"for {age}", color=fixed(shade)) for age, shade in AGES.items()],
            most=5,
        ),
    ]


def whom():
    at_provider = f'twilio_email_provider_emails{{{OF_PROVIDER},status="sent"}}'
    waiting = f"sum by (provider) (max by ({ACCOUNT}, provider) ({at_provider}))"
    recently = {"window": NOW, "function": "rate"}
    window = {"window": "$__rate_interval", "function": "rate"}
    time = {"unit": "s", "decimals": 1, "thresholds": SLOW, "custom_cellOptions": {"type": "color-text"}}
    return [
        table(
            "Providers",
            "For each mailbox provider, in the time range: the share lost of the emails that finished, the numbers of"
            " lost and delivered emails, the share of delivered emails that were opened, and times to delivery. In"
            " transit: emails whose status is `sent` now.",
            (24, 9),
            [
                column(share(LOST, ENDED, "provider")),
                column(outcomes(LOST, "provider")),
                column(outcomes("delivered", "provider")),
                column(share("opened", "delivered", "provider")),
                column(quantile(0.5, "provider, ", "$__range")),
                column(quantile(0.95, "provider, ", "$__range")),
                column(quantile(0.99, "provider, ", "$__range")),
                column(waiting),
            ],
            [
                ("provider", "Provider", {"custom_minWidth": 120}),
                ("A", "Lost share", LOST_BAR),
                ("B", "Lost", count_cell(90)),
                ("C", "Delivered", count_cell(100)),
                ("D", "Opened", {**share_cell(thresholds("blue")), "custom_width": 90}),
                ("E", "Time, half", {**time, "custom_width": 110}),
                ("F", "95%", {**time, "custom_width": 110}),
                ("G", "99%", {**time, "custom_width": 110}),
                ("H", "In transit", count_cell(100)),
            ],
            sort="Lost share",
        ),
        graph(
            "Lost, by provider",
            "The share lost of the emails that finished in the 30 minutes before each point. Dashed: 2%, 5% and 10%.",
            (12, 8),
            [query(share(LOST, ENDED, "provider", **recently), "{{provider}}")],
            "percentunit",
            limits=LOSS,
            most=0.12,
        ),
        graph(
            "Delivered per minute, by provider",
            "Emails per minute that the providers' servers accepted.",
            (12, 8),
            [query("60 * " + outcomes("delivered", "provider", **window), "{{provider}}")],
            "short",
        ),
    ]


def domains():
    def of(title, description, side, empty):
        of_side = {"metric": f"{side}_outcomes_total", "matchers": OF_ACCOUNT}
        lost = f"topk(20, {outcomes(LOST, side, **of_side)})"
        return table(
            title,
            description,
            (12, 8),
            [
                column(lost),
                column(share(LOST, ENDED, side, **of_side)),
                column(outcomes("delivered", side, **of_side)),
            ],
            [
                (side, "Domain", {"custom_minWidth": 130}),
                ("B", "Lost share", LOST_BAR),
                ("A", "Lost", count_cell(85)),
                ("C", "Delivered", count_cell(95)),
            ],
            sort="Lost",
            empty=empty,
        )

    return [
        of(
            "Recipients' domains",
            "The recipient domains with the most lost emails in the time range. `other` is all domains without series"
            " of their own. Needs collectors.emails.max_domains above 0.",
            "recipient_domain",
            "collectors.emails.max_domains is 0",
        ),
        of(
            "Senders' domains",
            "The sender domains with the most lost emails in the time range. If a single domain loses emails, check"
            " its SPF, DKIM and DMARC.",
            "sender_domain",
            "none yet",
        ),
    ]


def build():
    unseen = note("What this API does not show", "Where to find what Twilio's API does not have.", (24, 8), UNSEEN.strip())
    panels = [
        *values(),
        *speed(),
        row("Providers"),
        *whom(),
        row("Domains"),
        *domains(),
        unseen,
    ]
    return dashboard(
        "deliverability",
        "How fast mailbox providers accept emails, which providers reject them, and which emails are unconfirmed."
        " Needs the collector of emails (--collector.emails).",
        "now-6h",
        [providers()],
        panels,
    )
