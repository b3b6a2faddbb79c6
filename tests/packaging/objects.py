"""What Kubernetes objects must keep, whether Helm or Kustomize renders them: schemas, the Pod Security Standard, references."""

import json
import re
import subprocess
from pathlib import Path

import kubernetes_validate
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
VERSIONS = ["1.30", "1.33"]
OPERATOR = "monitoring.coreos.com"
# https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
RESTRICTED_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


class Loader(yaml.SafeLoader):
    """Refuses a key that is there twice, as Helm and Kubernetes do."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep) for key, _ in node.value]
        twice = {str(key) for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"{sorted(twice)} more than once", node.start_mark)
        return super().construct_mapping(node, deep)


def parse(text):
    """The objects of a stream."""
    return [one for one in yaml.load_all(text, Loader) if one]


def check(objects, work):
    """The errors of `objects`. Those of Prometheus Operator are checked by a program of its own, in the directory `work`."""
    errors = []
    seen = set()
    custom = []
    for one in objects:
        key = f"{one['kind']} {one['metadata']['name']}"
        if key in seen:
            errors.append(f"{key}: rendered twice")
        seen.add(key)
        if one["apiVersion"].startswith(OPERATOR):
            custom.append(one)
            continue
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                errors.append(f"{key}: Kubernetes {version}: {error.message} at {'.'.join(map(str, error.path))}")
            except kubernetes_validate.SchemaNotFoundError as error:
                errors.append(f"{key}: Kubernetes {version} does not have it: {error}")
    errors += check_custom(custom, work)
    for pod_owner in [one for one in objects if "template" in one.get("spec", {})]:
        errors += [f"{pod_owner['kind']}: {error}" for error in check_restricted(pod_owner) + check_volumes(pod_owner)]
    return errors + check_selectors(objects) + check_rules(objects, work)


def check_custom(objects, work):
    """Against the schemas of Prometheus Operator."""
    if not objects:
        return []
    file = work / "operator.json"
    file.write_text(json.dumps(objects))
    # The program is run where its packages are installed.
    script = ROOT / "target/packages/node/operator.mjs"
    script.write_text((ROOT / "tests/packaging/operator.mjs").read_text())
    done = subprocess.run(["node", script, file], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):
        return [f"operator.mjs failed with {done.returncode}"]
    checked = re.search(r"^(\d+) checked$", done.stdout, re.M)
    if not checked or int(checked[1]) != len(objects):
        return [f"operator.mjs checked {checked and checked[1]} of {len(objects)} objects"]
    return [line for line in done.stdout.splitlines() if not line.endswith(" checked")]


def check_restricted(owner):
    """The Pod Security Standard `restricted`."""
    spec = owner["spec"]["template"]["spec"]
    pod = spec.get("securityContext", {})
    errors = []
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            errors.append(f"{field} is set")
    for volume in spec.get("volumes", []):
        kinds = set(volume) - {"name"}
        if not kinds <= RESTRICTED_VOLUMES:
            errors.append(f"volume {volume['name']} is a {kinds}")
    for container in spec["containers"] + spec.get("initContainers", []):
        own = container.get("securityContext", {})
        name = container["name"]
        both = {**pod, **own}
        if own.get("allowPrivilegeEscalation") is not False:
            errors.append(f"{name}: privileges may be escalated")
        if own.get("privileged"):
            errors.append(f"{name}: privileged")
        if own.get("capabilities", {}).get("drop") != ["ALL"] or set(own["capabilities"].get("add", [])) - {"NET_BIND_SERVICE"}:
            errors.append(f"{name}: capabilities are kept")
        if both.get("runAsNonRoot") is not True or both.get("runAsUser", 1) == 0:
            errors.append(f"{name}: may run as root")
        if both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            errors.append(f"{name}: no seccomp profile")
        # Not part of the standard, but of this project.
        if own.get("readOnlyRootFilesystem") is not True:
            errors.append(f"{name}: the root file system is writable")
        if any(port.get("hostPort") for port in container.get("ports", [])):
            errors.append(f"{name}: uses a port of the host")
        if not container.get("resources", {}).get("requests"):
            errors.append(f"{name}: requests no resources")
    return errors


def check_volumes(owner):
    """Each mount has a volume, each volume a mount, no file is mounted by `subPath`, and probes have a port."""
    spec = owner["spec"]["template"]["spec"]
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    volumes |= {claim["metadata"]["name"] for claim in owner["spec"].get("volumeClaimTemplates", [])}
    errors = []
    mounted = set()
    for container in spec["containers"]:
        ports = {port["name"] for port in container.get("ports", [])}
        for mount in container.get("volumeMounts", []):
            mounted.add(mount["name"])
            if "subPath" in mount:
                errors.append(f"{mount['name']} is mounted by subPath, which is never updated")
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            port = container.get(probe, {}).get("httpGet", {}).get("port")
            if port is not None and port not in ports:
                errors.append(f"{probe}: there is no port {port}")
    if mounted != volumes:
        errors.append(f"volumes {sorted(volumes)} and mounts {sorted(mounted)} differ")
    return errors


def matches(selector, labels):
    return all(labels.get(name) == value for name, value in selector.items())


def check_selectors(objects):
    """Each selector selects what it is for, by its labels and by the name of the port."""
    pods = [one["spec"]["template"] for one in objects if "template" in one.get("spec", {})]
    services = [one for one in objects if one["kind"] == "Service"]
    errors = []
    for one in objects:
        spec = one.get("spec", {})
        key = f"{one['kind']} {one['metadata']['name']}"
        if one["kind"] == "ServiceMonitor":
            found = [service for service in services if matches(spec["selector"]["matchLabels"], service["metadata"]["labels"])]
            ports = {port["name"] for service in found for port in service["spec"]["ports"]}
            if len(found) != 1 or not {endpoint["port"] for endpoint in spec["endpoints"]} <= ports:
                errors.append(f"{key}: selects no port of exactly one Service")
            continue
        selector = spec.get("podSelector", spec.get("selector"))
        if selector is None:
            continue
        selector = selector.get("matchLabels", selector)
        if not selector or not all(matches(selector, pod["metadata"]["labels"]) for pod in pods):
            errors.append(f"{key}: does not select the pod")
        if one["kind"] == "StatefulSet" and spec["serviceName"] not in {service["metadata"]["name"] for service in services}:
            errors.append(f"{key}: there is no Service {spec['serviceName']}")
    return errors


def check_rules(objects, work):
    """The rules of PrometheusRules, by promtool."""
    files = []
    for one in [one for one in objects if one["kind"] == "PrometheusRule"]:
        files.append(work / f"{one['metadata']['name']}.yml")
        files[-1].write_text(yaml.safe_dump(one["spec"]))
    if not files:
        return []
    done = subprocess.run(["promtool", "check", "rules", *files], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    return [] if done.returncode == 0 else [f"promtool check rules: {done.stdout}"]


def check_options(objects):
    """Options and variables of the container exist: docs/configuration.md is generated from the program's own."""
    page = (ROOT / "docs/configuration.md").read_text()
    errors = []
    for owner in [one for one in objects if "template" in one.get("spec", {})]:
        for container in owner["spec"]["template"]["spec"]["containers"]:
            for option in [argument.split("=")[0] for argument in container.get("args", []) if argument.startswith("--")]:
                if f"| `{option} " not in page and f"| `{option}`" not in page:
                    errors.append(f"docs/configuration.md does not have the option {option}")
            for variable in [variable["name"] for variable in container.get("env", [])]:
                if variable.startswith("TWILIO_") and variable.removesuffix("_FILE") not in page:
                    errors.append(f"docs/configuration.md does not have the variable {variable}")
    return errors
