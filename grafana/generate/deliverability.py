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
**What this API does not show:** complaints ("report spam"), clicks, unsubscribes, the reason of a bounce, and whether an accepted
email is in the inbox or in the spam folder. *Delivered* means that the recipient's server accepted the email.

| to know | look at |
|---|---|
| complaints and reputation at Gmail | [Google Postmaster Tools](https://postmaster.google.com) |
| complaints at Yahoo and AOL | [Yahoo Sender Hub](https://senders.yahooinc.com) |
| reputation at Outlook.com | [Microsoft SNDS](https://sendersupport.olc.protection.outlook.com/snds/) |
| reasons of bounces, clicks, unsubscribes | Twilio's console and logs |

**Losses can trail a send by 72 hours.** So long does Twilio retry a deferred email before it counts it as undelivered. Until then
it is *sent*, and here *unconfirmed*.
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
            "From the moment for which an email was scheduled, else created, until the recipient's server accepted it,"
            " in the time shown: half of the emails took no longer than the first, 95 and 99 of 100 no longer than the"
            " others.",
            (8, 4),
            [now(quantile(part, window="$__range"), name) for part, name in ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %"))],
            "s",
            SLOW,
            named=True,
            decimals=1,
            empty="none seen",
        ),
        stat(
            "Lost",
            "Undelivered and failed emails, as a share of those that finished in the time shown.",
            (4, 4),
            now(f"{lost} / ({ended} > 0)"),
            "percentunit",
            LOSS,
            decimals=1,
            empty="none finished",
        ),
        stat(
            "Unconfirmed for an hour",
            "Emails that were sent at least an hour ago and are neither delivered nor lost: Twilio retries for up to 72"
            " hours. The only sign of deferrals in this API.",
            (4, 4),
            now(f"sum({hour})"),
            "locale",
            thresholds("text", (1, "yellow")),
            decimals=0,
        ),
        stat(
            "Deliveries without a time",
            "Deliveries whose time could not be seen, because the email had been opened before it was read or the"
            " exporter was down, of all in the time shown. The more, the less the times to delivery mean.",
            (4, 4),
            now(f"{unobserved()} / ({delivered} > 0)"),
            "percentunit",
            thresholds("text", (0.1, "yellow"), (0.5, "orange")),
            decimals=1,
            empty="none delivered",
        ),
        stat(
            "Stats unlike emails",
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
            "Time to delivery, 95 % of the emails, by provider",
            "Of 100 emails that the provider's servers accepted in the 30 minutes before each moment, 95 took no longer than this. A"
            " line that rises for one provider alone means that it defers your mail. Dashed: a minute, 15 minutes, an hour.",
            (12, 9),
            [query(quantile(0.95, "provider, ", NOW), "{{provider}}")],
            "s",
            limits=SLOW,
            orders=True,
        ),
        heatmap(
            "Time to delivery, how many emails",
            "Deliveries by how long they took, in each interval; the darker, the more. Of the chosen providers.",
            (12, 9),
            buckets("le", function="increase"),
            "s",
        ),
        graph(
            "Time to delivery, all chosen providers",
            "Of the emails accepted in the 30 minutes before each moment, half took no longer than the lowest line, 95 and 99 of 100 no"
            " longer than the others. Dashed: a minute, 15 minutes, an hour.",
            (12, 8),
            [query(quantile(part, window=NOW), name) for part, name in ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %"))],
            "s",
            [
                override("half", color=fixed("green")),
                override("95 %", color=fixed("orange")),
                override("99 %", color=fixed("red")),
            ],
            limits=SLOW,
            orders=True,
        ),
        graph(
            "Unconfirmed, by age",
            "Emails that were sent at least that long ago and are neither delivered nor lost. Each line includes the older"
            " ones. Of whole accounts: this panel does not distinguish providers.",
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
            "Each mailbox provider in the time shown: the share lost of the emails that finished, how many were lost and"
            " delivered, the share opened of those delivered, times to delivery, and emails in transit now.",
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
                ("F", "95 %", {**time, "custom_width": 110}),
                ("G", "99 %", {**time, "custom_width": 110}),
                ("H", "In transit", count_cell(100)),
            ],
            sort="Lost share",
        ),
        graph(
            "Lost, by provider",
            "Share lost of the emails that finished in the 30 minutes before each moment. Dashed: 2 %, 5 % and 10 %.",
            (12, 8),
            [query(share(LOST, ENDED, "provider", **recently), "{{provider}}")],
            "percentunit",
            limits=LOSS,
            most=0.12,
        ),
        graph(
            "Delivered per minute, by provider",
            "Emails a minute that the providers' servers accepted.",
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
            "The domains to which most emails were lost in the time shown. `other` is every domain without a name of its"
            " own. Only with collectors.emails.max_domains above 0.",
            "recipient_domain",
            "collectors.emails.max_domains is 0",
        ),
        of(
            "Senders' domains",
            "The domains from which most emails were lost in the time shown: a domain alone among them may lack SPF, DKIM"
            " or DMARC.",
            "sender_domain",
            "none yet",
        ),
    ]


def build():
    unseen = note("What cannot be seen here", "Where to find what Twilio's API does not have.", (24, 8), UNSEEN.strip())
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
        "How fast mailbox providers accept emails, which of them do not, and what stays without a result. Needs the"
        " collector of emails (--collector.emails).",
        "now-6h",
        [providers()],
        panels,
    )
