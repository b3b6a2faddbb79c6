"""Resolves compose.yaml, with and without .env.example, and checks what its services mount.

Usage: compose.py DOCKER-COMPOSE PROMTOOL AMTOOL PROGRAM        PROGRAM is the exporter
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import objects
import yaml

ROOT = objects.ROOT
# Without the developer's own settings: only those of the files.
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


class Failed(Exception):
    """A setting in the files is missing or wrong."""


def check(condition, text):
    if not condition:
        raise Failed(text)


def resolve(compose, *options):
    done = subprocess.run([compose, "--project-directory", ROOT, *options, "config", "--format", "json"], cwd=ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, env=ENVIRONMENT)
    check(done.returncode == 0 and not done.stderr, f"{' '.join(options)}: {done.stderr}")
    return json.loads(done.stdout)


def mounted(service):
    """The files of the repository that are mounted, with their places."""
    return {volume["target"]: Path(volume["source"]) for volume in service["volumes"] if volume["type"] == "bind"}


def check_shared(project):
    """Ports are open to this machine alone, what is mounted exists, and services find each other."""
    services = project["services"]
    for name, service in services.items():
        for port in service.get("ports", []):
            check(port["host_ip"] == "127.0.0.1", f"{name}: port {port['published']} is open to others")
        for target, source in mounted(service).items() if "volumes" in service else ():
            check(source.exists(), f"{name}: {source} does not exist")
        for volume in service.get("volumes", []):
            check(volume["type"] == "bind" or volume["source"] in project["volumes"], f"{name}: no volume {volume['source']}")
        check(service["image"] == "twilio-email-exporter" or re.search(r":v?\d", service["image"]), f"{name}: its version is not fixed")
    exporter = services["exporter"]
    check(exporter["read_only"] and exporter["cap_drop"] == ["ALL"], "the exporter may write or has capabilities")
    page = (ROOT / "docs/configuration.md").read_text()
    for variable in exporter["environment"]:
        check(variable.removesuffix("_FILE") in page, f"docs/configuration.md does not have the variable {variable}")


def check_commands(project, program):
    """The image's program has the command of each of its services, and the image's health check is right for it or off."""
    for name, service in project["services"].items():
        if service["image"] != "twilio-email-exporter":
            check(not service.get("command"), f"{name}: the options of this image are not checked here: {service['image']}")
            continue
        command = service.get("command") or []
        # With `--help`, the program reads the options before it, and then does nothing.
        run(program, *command, "--help", wanted="Usage: ")
        serves = not command or command[0].startswith("-") or command[0] == "serve"
        disabled = service.get("healthcheck", {}).get("disable", False)
        check(serves != disabled, f"{name}: the image's health check asks for the exporter's port; it is {'off' if disabled else 'on'}")


def check_simulated(project):
    services = project["services"]
    check(set(services) == {"simulator", "exporter", "prometheus", "alertmanager", "grafana"}, f"services are {sorted(services)}")
    port = services["simulator"]["command"][1].rsplit(":", 1)[1]
    check(services["exporter"]["environment"]["TWILIO_EMAIL_BASE_URL"] == f"http://simulator:{port}/v1", "the base URL is another")


def check_account(project):
    services = project["services"]
    check("simulator" not in services, "the simulator is still there")
    exporter = services["exporter"]
    check(set(exporter["environment"]) == {"TWILIO_API_KEY_FILE", "TWILIO_API_SECRET_FILE"},
          f"the exporter has the variables {sorted(exporter['environment'])}")
    secrets = {f"/run/secrets/{secret['source']}" for secret in exporter["secrets"]}
    check(secrets == set(exporter["environment"].values()), f"secrets are {sorted(secrets)}")
    for secret in project["secrets"].values():
        check(Path(secret["file"]).parent == ROOT / "secrets", f"a secret is in {secret['file']}")


def check_parts(project, promtool, amtool, work):
    """The files that Prometheus, Alertmanager and Grafana read are valid and in the right places."""
    services = project["services"]
    files = mounted(services["prometheus"])
    # As in the container, where the rules are beside the configuration.
    (work / "prometheus.yml").write_text(files["/etc/prometheus/prometheus.yml"].read_text())
    (work / "rules").symlink_to(files["/etc/prometheus/rules"])
    run(promtool, "check", "config", "--lint=all", work / "prometheus.yml", wanted=r"SUCCESS: (\d+) rule files found")
    config = yaml.safe_load((work / "prometheus.yml").read_text())
    names = [config["scrape_configs"][0]["static_configs"][0]["targets"][0],
             config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"][0]]
    run(amtool, "check-config", mounted(services["alertmanager"])["/etc/alertmanager/alertmanager.yml"], wanted="SUCCESS")
    files = mounted(services["grafana"])
    source = yaml.safe_load(files["/etc/grafana/provisioning/datasources/prometheus.yml"].read_text())["datasources"][0]
    names.append(source["url"].removeprefix("http://"))
    for name in names:
        service, port = name.split(":")
        check(port in {str(one["target"]) for one in services[service]["ports"]}, f"{service} does not listen on {port}")
    check(source["jsonData"]["timeInterval"] == config["global"]["scrape_interval"], "Grafana's interval is not Prometheus'")
    folder = yaml.safe_load(files["/etc/grafana/provisioning/dashboards/twilio-email.yml"].read_text())
    folder = folder["providers"][0]["options"]["path"]
    boards = {target for target in files if target.startswith(f"{folder}/")}
    check(boards == {f"{folder}/{path.name}" for path in (ROOT / "grafana").glob("*.json")}, f"dashboards are {sorted(boards)}")
    check(services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] in boards, "there is no home dashboard")


def run(*command, wanted):
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    check(done.returncode == 0 and re.search(wanted, done.stdout), f"{command[0]} {command[1]}: {done.stdout}")


def main():
    compose, promtool, amtool, program = sys.argv[1:]
    simulated = resolve(compose, "--env-file", "/dev/null")
    account = resolve(compose, "--env-file", ".env.example")
    for project in (simulated, account):
        check_shared(project)
        check_commands(project, program)
    check_simulated(simulated)
    check_account(account)
    with tempfile.TemporaryDirectory() as work:
        check_parts(simulated, promtool, amtool, Path(work))
    check(account["services"]["prometheus"] == simulated["services"]["prometheus"], "Prometheus differs with an account")
    print(f"compose: {len(simulated['services'])} services with the simulator, {len(account['services'])} with an account")


try:
    main()
except Failed as failure:
    sys.exit(f"compose.py: {failure}")
