"""A clean Debian that boots with systemd, in a container with a network of its own: what is installed there is started as on a server."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import peers

# What a server has at least. Nothing of the exporter's.
INCLUDED = "systemd,systemd-sysv,dbus,ca-certificates"


class Failed(Exception):
    """A property of the machine is wrong."""


def check(condition, text):
    if not condition:
        raise Failed(text)


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **options)
    check(done.returncode == 0, f"{' '.join(map(str, command))} exits with {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout.strip()


def base(directory, suite):
    """The root file system of a new installation, which is copied for each test."""
    root = directory / f"root-{suite}"
    if not (directory / f"{suite}.complete").exists():
        shutil.rmtree(root, ignore_errors=True)
        print(f"debootstrap {suite}", flush=True)
        run("debootstrap", "--variant=minbase", f"--include={INCLUDED}", suite, root)
        (directory / f"{suite}.complete").touch()
    return root


class Machine:
    """A booted copy of a root file system."""

    def __init__(self, template, directory):
        self.root = directory / "machine"
        run("cp", "--archive", "--reflink=auto", template, self.root)
        self.log = directory / "nspawn.log"
        self.container = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--private-network", "--console=pipe",
             f"--directory={self.root}", "--machine=exporter-test"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log.open("w"))
        self.leader = peers.until("the machine begins to boot", self._find_leader, 30)
        peers.until("the machine is up", lambda: self.call("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"), 60)

    def _find_leader(self):
        check(self.container.poll() is None, f"systemd-nspawn exits with {self.container.returncode}:\n{self.log.read_text()}")
        children = Path(f"/proc/{self.container.pid}/task/{self.container.pid}/children").read_text().split()
        # Before it is systemd, the child is still being set up.
        return next((child for child in children if "systemd" == Path(f"/proc/{child}/comm").read_text().strip()), None)

    def call(self, *command):
        """Runs a command there; a failure is no error."""
        return subprocess.run(
            ["nsenter", "--target", self.leader, "--mount", "--uts", "--ipc", "--net", "--pid", "--", "env", "-i",
             "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", *map(str, command)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120)

    def __call__(self, *command):
        done = self.call(*command)
        check(done.returncode == 0, f"{' '.join(map(str, command))} exits with {done.returncode}:\n{done.stdout[-3000:]}")
        return done.stdout.strip()

    def path(self, name):
        """A file of the machine, as this one sees it."""
        return self.root / name.lstrip("/")

    def _curl(self, url, *options):
        return subprocess.run(["nsenter", "--target", self.leader, "--net", "curl", "--silent", "--fail", "--noproxy", "*",
                               "--max-time", "12", *map(str, options), url], stdout=subprocess.PIPE, text=True, check=False)

    def get(self, url, *options):
        """The body of a response 200 on the machine's network, with more options of curl; None otherwise."""
        done = self._curl(url, *options)
        return done.stdout if done.returncode == 0 else None

    def responds(self, url):
        """Whether there is a response of any kind, such as 404."""
        return self._curl(url).returncode in (0, 22)

    def shows(self, unit, *properties):
        """Properties of a unit."""
        text = self("systemctl", "show", unit, f"--property={','.join(properties)}")
        values = dict(line.split("=", 1) for line in text.splitlines())
        return [values[name] for name in properties]

    def journal(self, unit):
        return self.call("journalctl", "--no-pager", "--output=cat", "--unit", unit).stdout

    def stop(self):
        if self.container.poll() is None:
            self.call("systemctl", "poweroff", "--force", "--force")
            deadline = time.monotonic() + 20
            while self.container.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
        if self.container.poll() is None:
            self.container.kill()
        self.container.wait()


def files_named(root, pattern):
    """Files below `root` whose names match, without what the system mounts."""
    return sorted(str(path.relative_to(root)) for top in ("etc", "usr", "var", "opt", "srv", "root", "home")
                  for path in (root / top).rglob("*") if re.search(pattern, path.name))
