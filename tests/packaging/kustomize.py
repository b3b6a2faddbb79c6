"""Renders and validates the manifests of deploy/kubernetes.

Usage: kustomize.py KUBECTL           checks, rendering by `KUBECTL kustomize`
       kustomize.py KUBECTL --write   writes operator/prometheusrules.yaml anew
"""

import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import helm_python
import objects
import yaml

MANIFESTS = objects.ROOT / "deploy/kubernetes"
CHART = objects.ROOT / "deploy/helm/twilio-email-exporter"
RULES = objects.ROOT / "deploy/prometheus/rules"
DASHBOARDS = objects.ROOT / "grafana"
GENERATED = MANIFESTS / "operator/prometheusrules.yaml"


def rules():
    """The rules as PrometheusRules: one object per file, with the file's text under `spec`."""
    texts = ["# Generated from deploy/prometheus/rules by `tests/packages kubernetes-rules`.\n"]
    for path in sorted(RULES.glob("*.yml")):
        name = path.stem.removeprefix("twilio-email-")
        texts.append(f"---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\n"
                     f"metadata:\n  name: twilio-email-exporter-{name}\n"
                     "  labels:\n    app.kubernetes.io/name: twilio-email-exporter\nspec:\n")
        texts += [f"  {line}" if line.strip() else line for line in path.read_text().splitlines(keepends=True)]
    return "".join(texts)


def render(kubectl, directory):
    done = subprocess.run([kubectl, "kustomize", MANIFESTS / directory], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)
    # A warning, such as one of a deprecated field, is an error here.
    if done.returncode or done.stderr.strip():
        return [], [done.stderr.strip() or f"kubectl kustomize exits with {done.returncode}"]
    return objects.parse(done.stdout), []


def as_text(value):
    """For comparison, whatever the order of the keys."""
    return json.dumps(value, sort_keys=True)


def pod(found):
    return next(one for one in found if one["kind"] == "StatefulSet")["spec"]


def check_same_pod(found):
    """The pod is the chart's, when nothing is set."""
    with helm_python.Chart.load(str(CHART)) as chart:
        rendered = chart.render({}, name="twilio-email-exporter", namespace="default")
    mine, charts = pod(found), yaml.safe_load(
        next(text for path, text in rendered.items() if path.endswith("/statefulset.yaml")))["spec"]
    errors = []
    for field in ("replicas", "serviceName", "persistentVolumeClaimRetentionPolicy"):
        if mine[field] != charts[field]:
            errors.append(f"{field} is {mine[field]}; the chart has {charts[field]}")
    for name in ("template", "volumeClaimTemplates"):
        one, other = mine[name], charts[name]
        one, other = (one[0], other[0]) if isinstance(one, list) else (one, other)
        for field in set(one["spec"]) | set(other["spec"]):
            if one["spec"].get(field) != other["spec"].get(field):
                errors.append(f"{name}: {field} is\n{json.dumps(one['spec'].get(field))}; the chart has\n"
                              f"{json.dumps(other['spec'].get(field))}")
    return errors


def check_commands(kubectl, found):
    """The commands of both READMEs make the Secret that the pod reads. Nothing is sent to a cluster."""
    errors = []
    container = pod(found)["template"]["spec"]
    volumes = {volume["secret"]["secretName"] for volume in container["volumes"] if "secret" in volume}
    read = {Path(entry["value"]).name for entry in container["containers"][0]["env"] if entry["name"].endswith("_FILE")}
    for page in (MANIFESTS / "README.md", CHART / "README.md"):
        command = re.search(r"^kubectl .*create secret generic .*$", page.read_text(), re.M)
        if not command:
            errors.append(f"{page.parent.name}/README.md has no command that creates the Secret")
            continue
        words = shlex.split(command[0])[1:]
        with tempfile.TemporaryDirectory() as work:
            for name in re.findall(r"--from-file=\S+=(\S+)", command[0]):
                (Path(work) / name).write_text("made-up\n")
            done = subprocess.run([kubectl, *words, "--dry-run=client", "--output=json"], cwd=work, text=True, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"HOME": work, "KUBECONFIG": "/dev/null"})
        if done.returncode:
            errors.append(f"{command[0]}: {done.stdout}")
            continue
        secret = json.loads(done.stdout)
        if secret["metadata"]["name"] not in volumes or set(secret["data"]) != read:
            errors.append(f"{command[0]} makes {secret['metadata']['name']} with {sorted(secret['data'])}; "
                          f"the pod reads {sorted(read)} of {sorted(volumes)}")
    return errors


def check_example(found):
    """The overlay has the dashboards and the rules as they are, and mounts the configuration that it generates."""
    errors = []
    boards = {f"twilio-email-{path.name}": path.read_text() for path in DASHBOARDS.glob("*.json")}
    maps = [one for one in found if one["kind"] == "ConfigMap"]
    of_boards = [one for one in maps if set(one["data"]) & set(boards)]
    if not boards or {name: text for one in of_boards for name, text in one["data"].items()} != boards:
        errors.append("grafana/kustomization.yaml does not have the dashboards of grafana, all of them")
    # `kubectl apply` keeps the object as JSON in an annotation, which may have 256 KiB.
    errors += [f"{one['metadata']['name']} is too large for `kubectl apply`" for one in of_boards
               if len(json.dumps(one)) > 250_000]
    mounted = {volume.get("configMap", {}).get("name") for volume in pod(found)["template"]["spec"]["volumes"]}
    if not mounted & {one["metadata"]["name"] for one in maps if "config.yml" in one["data"]}:
        errors.append("the pod does not mount the configuration")
    if any(container.get("env") for container in pod(found)["template"]["spec"]["containers"]):
        errors.append("the variables of a single account are still there")
    wanted = sorted(as_text(yaml.safe_load(path.read_text())) for path in RULES.glob("*.yml"))
    if sorted(as_text(one["spec"]) for one in found if one["kind"] == "PrometheusRule") != wanted:
        errors.append("the PrometheusRules differ from deploy/prometheus/rules")
    if {one["metadata"].get("namespace") for one in found} != {"mail-monitoring"}:
        errors.append("not every object is in the namespace")
    return errors


def main():
    kubectl, options = sys.argv[1], sys.argv[2:]
    if options == ["--write"]:
        GENERATED.write_text(rules())
        return 0
    errors = []
    if GENERATED.read_text() != rules():
        errors.append("operator/prometheusrules.yaml differs from deploy/prometheus/rules; "
                      "`tests/packages kubernetes-rules` writes it")
    with tempfile.TemporaryDirectory() as work:
        def check_base(found):
            return check_same_pod(found) + check_commands(kubectl, found)

        for directory, check in [("base", check_base), ("example", check_example)]:
            found, failures = render(kubectl, directory)
            if not failures:
                failures = objects.check(found, Path(work)) + objects.check_options(found) + check(found)
            print(f"kustomize, {directory}: {len(found)} objects")
            errors += [f"{directory}: {error}" for error in failures]
    for error in errors:
        print(f"kustomize.py: {error}", file=sys.stderr)
    return 1 if errors else 0


sys.exit(main())
