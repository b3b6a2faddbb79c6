"""What Grafana's own classes, of the version in requirements.txt, do not know of a dashboard."""

import json

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

# Prometheus' own keys of an annotation; the schema leaves them to the data source.
OF_THE_DATA_SOURCE = ("/annotations/list/0",)


def unknown(text):
    """Keys and values that a pass through the classes loses or changes: the schema has no place for them."""
    register_default_plugins()
    dashboard = json.loads(text)
    passed = json.loads(json.dumps(Dashboard.from_json(dashboard), cls=JSONEncoder))
    return [place for place in lost(dashboard, passed) if not place.startswith(OF_THE_DATA_SOURCE)]


def lost(before, after, place=""):
    match before, after:
        case dict(), dict():
            for key, value in before.items():
                if key in after:
                    yield from lost(value, after[key], f"{place}/{key}")
                else:
                    yield f"{place}/{key}"
        case list(), list() if len(before) == len(after):
            for index, (one, other) in enumerate(zip(before, after)):
                yield from lost(one, other, f"{place}/{index}")
        case _:
            if before != after:
                yield place
