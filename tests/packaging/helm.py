"""Packages, lints, renders and validates the Helm chart with Helm's own code.

Usage: helm.py           checks
       helm.py --write   writes the table of README.md anew
       helm.py --package REGISTRY NAME DIRECTORY   writes the chart as an archive, for an image of that registry and name
"""

import copy
import difflib
import json
import re
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

import helm_python
import objects
import yaml

CHART = objects.ROOT / "deploy/helm/twilio-email-exporter"
RULES = objects.ROOT / "deploy/prometheus/rules"
DASHBOARDS = objects.ROOT / "grafana"
TABLE = "<!-- table: values (generated; `tests/packages chart-readme` writes it) -->\n"
TABLE_END = "<!-- end of table -->\n"

# Values that are refused, and what the message must contain: the place, and the cause or the cure.
REFUSED = [
    ("presistence: {enabled: false}", ["presistence", "not allowed"]),
    ("persistence: {enabled: 'yes'}", ["/persistence/enabled", "want boolean"]),
    ("persistence: {size: 1 GiB}", ["persistence.size", "Write it as 1Gi"]),
    ("persistence: {enabled: false, existingClaim: counters}", ["persistence.existingClaim", "Set persistence.enabled"]),
    ("persistence: {whenDeleted: Keep}", ["/persistence/whenDeleted", "must be one of 'Retain', 'Delete'"]),
    ("persistence: {accessModes: []}", ["/persistence/accessModes", "got 0, want 1"]),
    ("credentials: {kind: apikey}", ["/credentials/kind", "must be one of 'apiKey'"]),
    ("credentials: {create: true}", ["credentials.values", "Add its keys"]),
    ("credentials: {create: true, existingSecret: a, values: {id: a, secret: b}}", ["credentials", "exclude each other"]),
    ("credentials: {create: true, values: {id: SK0}}", ["credentials.values", "key `secret` is missing"]),
    ("credentials: {values: {id: SK0, secret: b}}", ["credentials.values", "Set credentials.create"]),
    ("credentials: {kind: files}", ["credentials.kind", "Add accounts"]),
    ("config: {accounts: [{name: a}]}", ["config.accounts", "Set credentials.kind to `files`"]),
    ("config: {storage: {path: /tmp}}", ["config.storage", "Use `persistence`"]),
    ("config: [accounts]", ["/config", "want object"]),
    ("extraArgs: [--storage.path=/tmp]", ["extraArgs", "Use the value `persistence`"]),
    ("extraArgs: [-v]", ["extraArgs", "is not an option"]),
    ("image: {digest: latest}", ["image.digest", "64 hexadecimal digits"]),
    ("image: {tag: 1.2}", ["/image/tag", "want string"]),
    ("image: {pullPolicy: always}", ["/image/pullPolicy", "must be one of"]),
    ("log: {level: verbose}", ["/log/level", "must be one of 'error'"]),
    ("log: {format: text}", ["/log/format", "must be one of 'logfmt', 'json'"]),
    ("web: {telemetryPath: metrics}", ["web.telemetryPath", "Write it as /metrics"]),
    ("web: {tlsSecret: certificates}", ["web.tlsSecret", "Add tls_server_config"]),
    ("web: {config: {basic_auth_users: {a: b}}}", ["Probe", "Add health_without_auth: true"]),
    ("web: {config: {tls_server_config: {client_auth_type: RequireAndVerifyClientCert}}}", ["Probe", "no client certificate"]),
    ("serviceMonitor: {tlsConfig: {serverName: a}}", ["serviceMonitor.tlsConfig", "the exporter has no TLS"]),
    ("service: {port: 70000}", ["/service/port", "70,000"]),
    ("service: {type: Headless}", ["/service/type", "must be one of"]),
    ("serviceMonitor: {interval: '30'}", ["serviceMonitor.interval", "Write it as 30s"]),
    ("serviceMonitor: {interval: 10s}", ["serviceMonitor.scrapeTimeout", "longer than the interval of 10s"]),
    ("prometheusRule: {grafanaUrl: 'https://grafana.example.com/'}", ["prometheusRule.grafanaUrl", "Remove it"]),
    ("prometheusRule: {grafanaUrl: grafana}", ["prometheusRule.grafanaUrl", "Write it as https://"]),
    ("prometheusRule: {exclude: [objective]}", ["prometheusRule.exclude", "no file of rules called `objective`"]),
    ("networkPolicy: {egressPorts: [https]}", ["/networkPolicy/egressPorts/0", "want integer"]),
    ("podLabels: {tier: 1}", ["/podLabels/tier", "want string"]),
    ("livenessProbe: false", ["/livenessProbe", "want null or object"]),
]


def packaged(work):
    """The chart as an archive, as a release publishes it: everything else here uses that one."""
    archive = Path(helm_python.package(str(CHART), destination=str(work)))
    with tarfile.open(archive) as files:
        inside = {member.name.split("/", 1)[1]: member for member in files.getmembers() if member.isfile()}
        links = [member.name for member in files.getmembers() if not (member.isfile() or member.isdir())]
        texts = {name: files.extractfile(member).read().decode() for name, member in inside.items()}
    errors = [f"{name} is a link in the archive" for name in links]
    for source, folder in [(RULES.glob("*.yml"), "files/rules"), (DASHBOARDS.glob("*.json"), "files/dashboards")]:
        wanted = {f"{folder}/{path.name}": path.read_text() for path in source}
        found = {name: text for name, text in texts.items() if name.startswith(f"{folder}/")}
        if not wanted or wanted != found:
            errors.append(f"{folder} of the archive has {sorted(found)}, not the files {sorted(wanted)} as they are")
    return archive, errors


def check_versions():
    """Chart, program and changelog have one version."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    program = re.search(r'^version = "(.*)"', (objects.ROOT / "Cargo.toml").read_text(), re.M)[1]
    return [f"Chart.yaml: {key} is {chart[key]}; Cargo.toml has {program}" for key in ("version", "appVersion")
            if chart[key] != program]


def render(archive, values):
    with helm_python.Chart.load_archive(archive.read_bytes()) as chart:
        chart.validate_schema(values)
        rendered = chart.render(values, name="release", namespace="monitoring")
    found = []
    for path, text in sorted(rendered.items()):
        if not path.endswith("NOTES.txt"):
            found += objects.parse(text)
    return found


def check_shape(name, archive, values, work):
    """One set of values: lint, render, validate."""
    errors = []
    for version in objects.VERSIONS:
        report = helm_python.lint(str(archive), values, strict=True, kube_version=version)
        errors += [f"lint: {message['path']}: {message['error']}" for message in report["messages"] if message["severity"] >= 2]
    found = render(archive, values)
    errors += objects.check(found, work) + objects.check_options(found) + check_contents(found, values)
    print(f"chart, {name}: {len(found)} objects")
    return [f"{name}: {error}" for error in errors]


def check_contents(found, values):
    """Rules and dashboards are those of deploy/prometheus and grafana."""
    errors = []
    rules = [one["spec"]["groups"] for one in found if one["kind"] == "PrometheusRule"]
    boards = {key: json.loads(text) for one in found if one["metadata"]["name"].startswith("release-twilio-email-exporter-dashboard-")
              for key, text in one["data"].items()}
    wanted = []
    if values.get("prometheusRule", {}).get("enabled"):
        grafana = values["prometheusRule"].get("grafanaUrl", "http://localhost:3000")
        wanted = [yaml.safe_load(path.read_text().replace("http://localhost:3000", grafana))["groups"]
                  for path in sorted(RULES.glob("*.yml")) if path.stem not in values["prometheusRule"].get("exclude", [])]
        if not wanted:
            errors.append("there are no rules to compare with")
    if sorted(map(str, rules)) != sorted(map(str, wanted)):
        errors.append("the groups of the PrometheusRules differ from those of deploy/prometheus/rules")
    if values.get("dashboards", {}).get("enabled"):
        wanted = {f"twilio-email-{path.name}": json.loads(path.read_text()) for path in DASHBOARDS.glob("*.json")}
        if not wanted or boards != wanted:
            errors.append("the dashboards of the ConfigMaps differ from those of grafana")
    return errors


def check_refused(archive):
    """Wrong values are refused, and the message explains why. The other checks show that right values are accepted."""
    errors = []
    for text, fragments in REFUSED:
        try:
            render(archive, yaml.safe_load(text))
            errors.append(f"`{text}` is accepted")
        except helm_python.HelmError as error:
            message = str(error)
            if not all(fragment in message for fragment in fragments):
                errors.append(f"`{text}`: the message is {message!r}, not one with {fragments}")
    print(f"chart: {len(REFUSED)} wrong values refused")
    return errors


def check_checksum(archive):
    """A changed configuration restarts the pod; nothing else of it changes."""
    values = yaml.safe_load((CHART / "ci/accounts-values.yaml").read_text())
    changed = copy.deepcopy(values)
    changed["config"]["series"]["max_operations"] = 501
    sums = []
    for one in (values, changed):
        pod = next(found for found in render(archive, one) if found["kind"] == "StatefulSet")["spec"]["template"]
        sums.append(pod["metadata"]["annotations"].pop("checksum/config"))
        sums.append(pod)
    fine = sums[0] != sums[2] and sums[1] == sums[3]
    return [] if fine else ["the checksum does not follow the configuration alone"]


def keys(values, prefix=""):
    for key, value in values.items():
        yield prefix + key
        if isinstance(value, dict):
            yield from keys(value, f"{prefix}{key}.")


def check_schema():
    """The schema has the keys of values.yaml and no others."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    def compare(shape, value, place):
        if "properties" not in shape:
            return []
        differing = set(shape["properties"]) ^ set(value)
        # Helm itself adds `global`; `claims` has no useful default.
        errors = [f"values.schema.json: {place}{key} is not in both" for key in differing - {"global", "claims"}]
        if shape.get("additionalProperties") is not False:
            errors.append(f"values.schema.json: {place} lets unknown keys through")
        for key in set(shape["properties"]) & set(value):
            if isinstance(value[key], dict):
                errors += compare(shape["properties"][key], value[key], f"{place}{key}.")
        return errors

    return compare(schema, values, "")


def described():
    """Each value of values.yaml with its comment: (key, default, comment). A map whose keys have comments is described by them."""
    lines = (CHART / "values.yaml").read_text().splitlines()
    values = yaml.safe_load("\n".join(lines))
    path, comment, rows = [], [], []
    for line in lines:
        if line.strip().startswith("#"):
            comment.append(line.strip()[1:].strip())
            continue
        found = re.match(r"^( *)([A-Za-z]+):", line)
        if found:
            path = path[:len(found[1]) // 2] + [found[2]]
            if comment:
                value = values
                for key in path:
                    value = value[key]
                rows.append((".".join(path), value, " ".join(comment)))
        comment = []
    covered = {key for key, _, _ in rows}
    missing = [key for key in keys(values)
               if key not in covered
               and not any(key.startswith(f"{one}.") for one in covered)
               and not any(one.startswith(f"{key}.") for one in covered)]
    assert not missing, f"values.yaml: without a comment: {missing}"
    return rows


def readme():
    """README.md with its table as values.yaml has it."""
    text = (CHART / "README.md").read_text()
    before, rest = text.split(TABLE)
    _, after = rest.split(TABLE_END)
    lines = ["", "| value | default | meaning |", "|---|---|---|"]
    for key, value, comment in described():
        default = "" if value in ("", {}, []) else f"`{json.dumps(value) if not isinstance(value, str) else value}`"
        lines.append(f"| `{key}` | {default} | {comment.replace('|', chr(92) + '|')} |".replace("|  |", "| |"))
    return before + TABLE + "\n".join(lines) + "\n\n" + TABLE_END + after


def check_readme():
    found, wanted = (CHART / "README.md").read_text(), readme()
    if found == wanted:
        return []
    difference = difflib.unified_diff(found.splitlines(), wanted.splitlines(), "README.md", "values.yaml", lineterm="", n=0)
    return ["README.md differs from values.yaml; `tests/packages chart-readme` writes it:\n" + "\n".join(difference)]


def readme_shapes():
    """The installations in README.md: the options of its command, and each of its examples of values."""
    text = (CHART / "README.md").read_text()
    by_option = {}
    for path, value in re.findall(r"--set (\S+)=(\S+)", text):
        place = by_option
        *folders, key = path.split(".")
        for folder in folders:
            place = place.setdefault(folder, {})
        place[key] = yaml.safe_load(value)
    examples = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)]
    assert by_option and len(examples) >= 2, "README.md has no command or no examples"
    shapes = [("README.md's command", by_option)]
    return shapes + [(f"README.md's example {number}", values) for number, values in enumerate(examples, 1)]


def package(registry, name, directory):
    """The chart as an archive whose default image is that of a registry."""
    with tempfile.TemporaryDirectory() as work:
        copied = Path(work) / CHART.name
        shutil.copytree(CHART, copied)
        values = (copied / "values.yaml").read_text()
        for before, after in [("  registry: ''\n", f"  registry: {registry}\n"),
                              ("  repository: twilio-email-exporter/twilio-email-exporter\n", f"  repository: {name}\n")]:
            assert values.count(before) == 1, f"values.yaml does not have {before!r} once"
            values = values.replace(before, after)
        (copied / "values.yaml").write_text(values)
        Path(directory).mkdir(parents=True, exist_ok=True)
        archive = Path(helm_python.package(str(copied), destination=str(directory)))
    image = next(one for one in render(archive, {}) if one["kind"] == "StatefulSet")["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image.startswith(f"{registry}/{name}:"), f"the archive's image is {image}"
    print(archive)


def main():
    if sys.argv[1:2] == ["--package"]:
        package(*sys.argv[2:])
        return 0
    if sys.argv[1:] == ["--write"]:
        (CHART / "README.md").write_text(readme())
        return 0
    if not shutil.which("promtool"):
        print("helm.py: promtool is missing; tests/run installs it", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        archive, errors = packaged(work)
        errors += check_versions() + check_schema() + check_readme() + check_refused(archive) + check_checksum(archive)
        shapes = [("defaults", {})]
        shapes += [(path.name, yaml.safe_load(path.read_text())) for path in sorted((CHART / "ci").glob("*-values.yaml"))]
        shapes += readme_shapes()
        for name, values in shapes:
            errors += check_shape(name, archive, values, work)
        print(f"chart: packaged and checked by Helm {helm_python.helm_sdk_version()}, for Kubernetes {' and '.join(objects.VERSIONS)}")
    for error in errors:
        print(f"helm.py: {error}", file=sys.stderr)
    return 1 if errors else 0


sys.exit(main())
