"""The dashboards as wholes: which there are, their variables, and the links between them."""

from grafana_foundation_sdk.builders import dashboard as of_dashboard
from grafana_foundation_sdk.models import dashboard as model

from parts import DATASOURCE, Ready
from promql import OF_ACCOUNT, OF_JOB

REPOSITORY = "https://github.com/twilio-email-exporter/twilio-email-exporter"
RUNBOOKS = f"{REPOSITORY}/tree/main/docs/runbooks"

UIDS = {
    "overview": ("twilio-email-overview", "Twilio Email / Overview"),
    "operation": ("twilio-email-operation", "Twilio Email / Operation"),
    "deliverability": ("twilio-email-deliverability", "Twilio Email / Deliverability"),
    "exporter": ("twilio-email-exporter", "Twilio Email / Exporter"),
}


def all_of_them():
    """Each dashboard with the name of its file."""
    import deliverability
    import exporter
    import operation
    import overview

    for module in (overview, operation, deliverability, exporter):
        yield module.__name__, module.build()


# Variables


def datasource():
    variable = of_dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
    return tidy(variable.multi(False).include_all(False))


def variable(name, label, description, expr, regex="", sort=model.VariableSort.ALPHABETICAL_ASC, everything=None):
    """Values that Prometheus has in the time range; `everything`: what stands for all of them."""
    made = of_dashboard.QueryVariable(name).label(label).description(description).datasource(DATASOURCE)
    made.query({"query": expr, "refId": f"variable-{name}"}).regex(regex).sort(sort)
    made.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).multi(everything is not None)
    made.include_all(everything is not None)
    if everything is not None:
        everything_chosen = model.VariableOption(selected=True, text=["All"], value=["$__all"])
        made.all_value(everything).current(everything_chosen)
    return tidy(made)


def tidy(builder):
    """Without what the library adds to every variable, although only one of intervals has it."""
    made = builder.build()
    made.auto = made.auto_min = made.auto_count = None
    return Ready(made)


def places():
    """The variables of every dashboard: where accounts are."""
    jobs = "label_values(twilio_email_exporter_build_info, job)"
    accounts = f"label_values(twilio_email_up{{{OF_JOB}}}, account)"
    return [
        variable("job", "Job", "Jobs of Prometheus that scrape exporters.", jobs, everything=".+"),
        variable("account", "Account", "Names of accounts in the exporter's configuration.", accounts, everything=".*"),
    ]


def labels():
    """Names of the labels that emails are summed up by; `account` where there are none, and beside them."""
    kept = f"group by (label) (last_over_time(twilio_email_emails_by_label{{{OF_ACCOUNT}}}[$__range]))"
    account = 'label_replace(vector(1), "label", "account", "", "")'
    what = "The label that emails are grouped by: account, or one of series.aggregate_by."
    return variable("label", "By", what, f"query_result({kept} or {account})", '/\\{label="(.*)"\\}/')


def values():
    of_label = f'last_over_time(twilio_email_emails_by_label{{{OF_ACCOUNT},label="$label"}}[$__range])'
    of_account = f'label_join(twilio_email_up{{{OF_ACCOUNT},$label!=""}}, "value", "", "account")'
    what = "Values of that label. `other` is all values beyond series.max_label_values."
    expr = f"query_result(group by (value) ({of_label}) or group by (value) ({of_account}))"
    return variable("value", "Value", what, expr, '/\\{value="(.*)"\\}/', everything=".*")


# Links


def to(board, text, icon="dashboard"):
    link = of_dashboard.DashboardLink(text).type(model.DashboardLinkType.LINK).icon(icon).url(f"/d/{UIDS[board][0]}")
    return link.include_vars(True).keep_time(True)


def runbooks_link():
    link = of_dashboard.DashboardLink("Runbooks").type(model.DashboardLinkType.LINK).icon("doc").url(RUNBOOKS)
    return link.target_blank(True)


RUNBOOKS_OF_PANEL = {"title": "Runbooks", "url": RUNBOOKS, "targetBlank": True}
CARRIED = "&${datasource:queryparam}&${job:queryparam}"


def open_overview():
    """A link from a table's account to its overview."""
    url = f"/d/{UIDS['overview'][0]}?${{__url_time_range}}{CARRIED}&var-account=${{__data.fields.account}}"
    return {"title": "Show this account", "url": url}


def open_operation():
    """A link from a table's row to its operation, from its creation to now; `begun` is a field of the row."""
    url = (
        f"/d/{UIDS['operation'][0]}?from=${{__data.fields.begun.numeric}}&to=now{CARRIED}"
        "&var-account=${__data.fields.account}&${label:queryparam}&var-operation_id=${__data.fields.operation_id}"
    )
    return {"title": "Open this operation", "url": url}


def whole_life():
    """A link from the time of creation, in milliseconds, to the time from then to now, on the same dashboard."""
    url = (
        f"/d/{UIDS['operation'][0]}?from=${{__value.numeric}}&to=now{CARRIED}"
        "&${account:queryparam}&${label:queryparam}&${operation_id:queryparam}"
    )
    return {"title": "Show the time from its creation to now", "url": url}


# Dashboards

# Of an alert, the labels that show a person what it is about. Others are not read: where an alert's own label comes
# out empty, Prometheus keeps the text of its template there.
ALERT_LABELS = "alertname, severity, job, account, label, value, operation_id, window"


class Alerts(model.AnnotationQuery):
    """Marks on every graph where an alert of this exporter fires."""

    def to_json(self):
        # Prometheus' own keys of an annotation, which the library does not know.
        return {
            **super().to_json(),
            "titleFormat": "{{alertname}}",
            "textFormat": "{{account}} {{value}} {{operation_id}}",
            "tagKeys": "severity",
            "useValueForTime": False,
        }


# The alerts that fire for the chosen jobs and accounts, and those that are about no account.
FIRING = 'alertname=~"TwilioEmail.*",alertstate="firing",job=~"$job|",account=~"$account|"'


def alerts():
    target = {"refId": "Anno", "expr": f"max by ({ALERT_LABELS}) (ALERTS{{{FIRING}}})", "interval": "60s"}

    class Target(model.AnnotationTarget):
        def to_json(self):
            return target

    return Alerts(
        name="Alerts", datasource=DATASOURCE, enable=True, hide=False, icon_color="red", target=Target(),
    )


def dashboard(board, description, since, variables, panels):
    uid, title = UIDS[board]
    made = of_dashboard.Dashboard(title).uid(uid).description(description).tags(["twilio-email"]).readonly()
    made.version(1).tooltip(model.DashboardCursorSync.CROSSHAIR).refresh("30s").time(since, "now").timezone("browser")
    made.annotation(Ready(alerts()))
    for one in (datasource(), *places(), *variables):
        made.with_variable(one)
    for other, (_, name) in UIDS.items():
        if other != board:
            made.link(to(other, name.split(" / ")[1]))
    made.link(runbooks_link())
    for number, panel in enumerate(panels, start=1):
        panel.id(number)
        if isinstance(panel, of_dashboard.Row):
            made.with_row(panel)
        else:
            made.with_panel(panel)
    return made.build()


def row(title):
    return of_dashboard.Row(title)
