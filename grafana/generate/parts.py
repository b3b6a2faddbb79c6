"""What the dashboards are made of: panels, variables, links, and the one meaning of each colour."""

REPOSITORY = "https://github.com/twilio-email-exporter/twilio-email-exporter"
RUNBOOKS = f"{REPOSITORY}/tree/main/docs/runbooks"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

UIDS = {
    "overview": ("twilio-email-overview", "Twilio Email / Overview"),
    "operation": ("twilio-email-operation", "Twilio Email / Operation"),
    "exporter": ("twilio-email-exporter", "Twilio Email / Exporter"),
}

# One colour, one meaning, on every panel. Names of Grafana's palette follow the theme; the grey is readable on both.
GREY = "#8b93a1"
COLOURS = {
    "failed": "red",
    "undelivered": "orange",
    "lost": "red",
    "delivered": "green",
    "opened": "blue",
    "in transit": "yellow",
    "queued": "purple",
    "scheduled": "light-purple",
    "canceled": GREY,
    "accepted": "purple",
    "processing": "purple",
    "completed": "green",
    "ended": "green",
}


def thresholds(base, *steps):
    """Colours from `base` upwards: `(value, colour)`."""
    return {
        "mode": "absolute",
        "steps": [{"color": base, "value": None}, *({"color": colour, "value": value} for value, colour in steps)],
    }


LOSS = thresholds("green", (0.01, "yellow"), (0.05, "red"))
BURN = thresholds("green", (1, "yellow"), (6, "orange"), (14.4, "red"))
PLAIN = thresholds("text")
ANY_IS_BAD = thresholds("green", (1, "red"))


def query(expr, legend="", **more):
    return {"expr": expr, "legendFormat": legend or "__auto", **more}


def now(expr, legend="", **more):
    """A query about the end of the time shown alone."""
    return query(expr, legend, instant=True, range=False, **more)


def column(expr):
    """A query whose answer is a column of a table."""
    return now(expr, format="table")


def words(**named):
    """Value mappings: number or text, what is shown, and its colour."""
    options = {
        key.lstrip("_").replace("minus", "-"): {"text": text, "color": colour, "index": index}
        for index, (key, (text, colour)) in enumerate(named.items())
    }
    return [{"type": "value", "options": options}]


def override(name, by="byName", **properties):
    """Properties of one field; `custom_…` means `custom.…`."""
    listed = [{"id": key.replace("custom_", "custom.", 1), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": by, "options": name}, "properties": listed}


def colour(name, shade=None, **properties):
    return override(name, color={"mode": "fixed", "fixedColor": shade or COLOURS[name]}, **properties)


def coloured(*names):
    return [colour(name) for name in names]


def panel(kind, title, description, size, targets, unit, options, defaults, overrides=(), **more):
    width, height = size
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "gridPos": {"w": width, "h": height},
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": DATASOURCE, **target} for index, target in enumerate(targets)
        ],
        "fieldConfig": {"defaults": {"unit": unit, **defaults}, "overrides": list(overrides)},
        "options": options,
        **more,
    }


def stat(title, description, size, target, unit, steps, fill=False, mappings=(), links=(), empty=None, **defaults):
    if empty is not None:
        defaults["noValue"] = empty
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "values": False, "fields": ""},
        "colorMode": "background" if fill else "value",
        "graphMode": "none",
        "textMode": "value",
        "justifyMode": "center",
        "orientation": "auto",
        "wideLayout": True,
    }
    defaults = {"thresholds": steps, "mappings": list(mappings), "links": list(links), **defaults}
    return panel("stat", title, description, size, [target], unit, options, defaults)


def bars(title, description, size, targets, unit, steps, **defaults):
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "values": False, "fields": ""},
        "displayMode": "basic",
        "orientation": "horizontal",
        "showUnfilled": True,
        "valueMode": "color",
        "namePlacement": "left",
        "minVizHeight": 16,
        "maxVizHeight": 28,
        "sizing": "auto",
    }
    return panel(
        "bargauge", title, description, size, targets, unit, options, {"thresholds": steps, "min": 0, **defaults}
    )


def graph(title, description, size, targets, unit, overrides=(), stacked=False, limits=None, most=None, **defaults):
    """Lines over time. `most`: how high the axis reaches at least, so that a flat 0 looks like one."""
    custom = {
        "drawStyle": "line",
        "lineInterpolation": "linear",
        "lineWidth": 1 if stacked else 2,
        "fillOpacity": 60 if stacked else 0,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if limits else "off"},
        **({"axisSoftMax": most} if most else {}),
    }
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "none" if stacked else "desc"},
    }
    defaults = {"custom": custom, "color": {"mode": "palette-classic"}, "min": 0, **defaults}
    if limits:
        defaults["thresholds"] = limits
    return panel("timeseries", title, description, size, targets, unit, options, defaults, overrides)


def table(title, description, size, targets, columns, sort, descending=True, keep=("account",), **defaults):
    """Instant queries side by side, joined by the labels they share.

    `columns` are `(field, heading, properties)` in order; a field is a label or the letter of a query.
    """
    field = lambda name: f"Value #{name}" if len(name) == 1 else name
    overrides = [override(field(name), displayName=heading, **properties) for name, heading, properties in columns]
    order = {field(name): index for index, (name, _, _) in enumerate(columns)}
    transformations = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": {}}},
    ]
    options = {"showHeader": True, "cellHeight": "sm", "sortBy": [{"displayName": sort, "desc": descending}]}
    defaults = {
        "custom": {"align": "left", "cellOptions": {"type": "auto"}, "inspect": False},
        "thresholds": PLAIN,
        **defaults,
    }
    more = {"transformations": transformations}
    return panel("table", title, description, size, targets, "short", options, defaults, overrides, **more)


GAUGE_CELL = {"type": "gauge", "mode": "basic", "valueDisplayMode": "color"}
COLOURED_CELL = {"type": "color-text"}


def share_cell(steps, **more):
    return {
        "unit": "percentunit",
        "decimals": 1,
        "min": 0,
        "max": 1,
        "thresholds": steps,
        "custom_cellOptions": COLOURED_CELL,
        **more,
    }


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "gridPos": {"w": 24, "h": 1}, "panels": []}


def arranged(panels):
    """Numbers the panels and places them from left to right, a new line where one is full; a list is one column."""
    placed = []
    x = y = height = 0
    for item in panels:
        stack = item if isinstance(item, list) else [item]
        width = stack[0]["gridPos"]["w"]
        if x + width > 24:
            x, y, height = 0, y + height, 0
        down = 0
        for part in stack:
            part["gridPos"] = {"x": x, "y": y + down, **part["gridPos"]}
            down += part["gridPos"]["h"]
            placed.append({"id": len(placed) + 1, **part})
        x, height = x + width, max(height, down)
    return placed


# Variables


def datasource():
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "regex": "",
        "refresh": 1,
        "hide": 0,
        "multi": False,
        "includeAll": False,
        "options": [],
        "current": {},
    }


def variable(name, label, description, text, regex="", sort=1, several=False):
    """Values that Prometheus knows in the time shown."""
    everything = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return {
        "name": name,
        "label": label,
        "description": description,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": text, "refId": f"variable-{name}"},
        "definition": text,
        "regex": regex,
        "refresh": 2,
        "sort": sort,
        "hide": 0,
        "multi": several,
        "includeAll": several,
        **({"allValue": ".*", "current": everything} if several else {"current": {}}),
        "options": [],
    }


def accounts():
    text = "label_values(twilio_email_up, account)"
    return variable("account", "Account", "Accounts as the exporter's configuration names them.", text, several=True)


def labels():
    """Names of the labels that figures are kept by; `account` where there are none, and beside them."""
    kept = 'group by (label) (last_over_time(twilio_email_emails_by_label{account=~"$account"}[$__range]))'
    account = 'label_replace(vector(1), "label", "account", "", "")'
    what = "By which label figures are told apart: account, or one of the exporter's aggregate_by."
    return variable("label", "By", what, f"query_result({kept} or {account})", '/\\{label="(.*)"\\}/')


# Links


def to(board, text, icon="dashboard"):
    uid = UIDS[board][0]
    return {
        "title": text,
        "type": "link",
        "icon": icon,
        "url": f"/d/{uid}",
        "tooltip": "",
        "tags": [],
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
    }


def runbooks_link():
    return {
        **to("overview", "Runbooks", "doc"),
        "url": RUNBOOKS,
        "includeVars": False,
        "keepTime": False,
        "targetBlank": True,
    }


RUNBOOKS_OF_PANEL = {"title": "Runbooks", "url": RUNBOOKS, "targetBlank": True}


def open_board(board, title):
    """A link from a value to another dashboard, with the time and the data source kept."""
    return {
        "title": title,
        "url": f"/d/{UIDS[board][0]}?${{__url_time_range}}&${{datasource:queryparam}}&${{account:queryparam}}",
    }


def open_operation(value):
    """A link from a table's cell to its row's operation."""
    link = open_board("operation", "Open this operation")
    return {**link, "url": f"{link['url']}&${{label:queryparam}}&var-operation_id=${{{value}}}"}


# What an operation is called: the user's name for it, else its id without the prefix that all ids share.
NAME_OR_ID = [
    {"type": "regex", "options": {"pattern": "^(.+) comms_operation_.*$", "result": {"text": "$1", "index": 0}}},
    {"type": "regex", "options": {"pattern": "^ ?comms_operation_(.*)$", "result": {"text": "$1", "index": 1}}},
]
CALLED = {"mappings": NAME_OR_ID, "links": [open_operation("__data.fields.operation_id")]}
STATES = words(
    scheduled=("Scheduled", COLOURS["scheduled"]),
    processing=("Processing", COLOURS["processing"]),
    completed=("Completed", COLOURS["completed"]),
    canceled=("Canceled", GREY),
)
STATE = {"mappings": STATES, "custom_cellOptions": COLOURED_CELL}
HIDDEN = [
    (label, label, {"custom_hideFrom": {"viz": True, "legend": True, "tooltip": True}})
    for label in ("operation_id", "name")
]


def alerts():
    """Marks on every graph where an alert of this exporter fires."""
    return {
        "name": "Alerts",
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": "red",
        "target": {"refId": "Anno", "expr": 'ALERTS{alertname=~"TwilioEmail.*",alertstate="firing"}', "interval": "60s"},
        "titleFormat": "{{alertname}}",
        "textFormat": "{{account}} {{operation_id}}",
        "tagKeys": "severity",
        "useValueForTime": False,
    }


def dashboard(board, description, since, variables, panels):
    uid, title = UIDS[board]
    others = [to(other, name.split(" / ")[1]) for other, (_, name) in UIDS.items() if other != board]
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["twilio-email"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": since, "to": "now"},
        "timepicker": {},
        "timezone": "browser",
        "annotations": {"list": [alerts()]},
        "templating": {"list": [datasource(), *variables]},
        "links": [*others, runbooks_link()],
        "panels": arranged(panels),
    }
