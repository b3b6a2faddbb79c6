"""Builds the image, and starts, checks, scrapes, stops and starts the exporter in it as Kubernetes would: no root, nothing writable but
/data. The image's own health check runs in the container as an engine runs it.

Usage: image.py DIRECTORY        what is kept between runs is in DIRECTORY: the build's base image and its caches

It needs root, and the programs buildah, skopeo, debootstrap, openssl, unshare and setpriv. No registry is used: the base image of the
build is made here, of Debian and of the Rust toolchain that is installed. Everything else listens on loopback.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import peers

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = "localhost/twilio-email-exporter:test"
# Bytes of all files.
LARGEST = 20_000_000
REVISION = "abc1234"
ALLOWED = {"data", "etc", "usr"}
# In nanoseconds, because an image has its times in this unit.
SECOND = 1_000_000_000
HEALTHY, UNHEALTHY = 0, 1


class Failed(Exception):
    """A property of the image is wrong."""


def say(text):
    print(f"image: {text}", flush=True)


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=False, **options)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))} exits with {done.returncode}: {done.stdout[-2000:]}")
    return done.stdout.strip()


class Buildah:
    """buildah with its storage in a directory, without a daemon."""

    def __init__(self, directory):
        self.command = ["buildah", "--storage-driver", "vfs", "--root", directory / "store", "--runroot", directory / "run"]

    def __call__(self, *arguments, **options):
        return run(*self.command, *arguments, **options)

    def has(self, name):
        return bool(self("images", "--quiet", "--filter", f"reference={name}"))


def make_base(buildah, directory, name):
    """The build's base image, which a registry would have: Debian, a C compiler, Rust."""
    release = name.rsplit("-", 1)[1]
    root = directory / "base"
    say(f"making {name} of Debian {release} and {run('rustc', '--version')}")
    if not (root / "usr/bin/gcc").exists():
        shutil.rmtree(root, ignore_errors=True)
        run("debootstrap", "--variant=minbase", "--include=ca-certificates,gcc,libc6-dev", release, root)
    toolchain = Path(run("rustc", "--print", "sysroot"))
    for part in ("bin", "lib"):
        shutil.copytree(toolchain / part, root / "usr/local" / part, dirs_exist_ok=True, symlinks=True)
    # This machine may need authorities of its own to reach the crates.
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", root / "etc/ssl/certs/ca-certificates.crt")
    container = buildah("from", "scratch")
    buildah("copy", "--quiet", container, root, "/")
    buildah("config", "--env", "PATH=/usr/local/bin:/usr/bin:/bin", "--env", "CARGO_HOME=/usr/local/cargo", container)
    buildah("commit", "--quiet", "--rm", container, name)
    shutil.rmtree(root)


def build(buildah, directory):
    dockerfile = (ROOT / "Dockerfile").read_text()
    base = re.search(r"^FROM (\S+) AS build$", dockerfile, re.M)[1]
    if not buildah.has(base):
        make_base(buildah, directory, base)
    begin = time.monotonic()
    # Docker's format: OCI's has no health checks.
    log = directory / "build.log"
    with log.open("w") as out:
        try:
            buildah("build", "--isolation", "chroot", "--pull-never", "--format", "docker",
                    "--build-arg", f"REVISION={REVISION}", "--build-arg", "CREATED=2026-01-01T00:00:00Z",
                    "--tag", NAME, "--file", ROOT / "Dockerfile", ROOT, stderr=out)
        except Failed as failure:
            raise Failed(f"{failure}\n{log.read_text()[-3000:]}") from failure
    say(f"built in {time.monotonic() - begin:.0f} s")


def check_config(buildah, directory):
    """The metadata of the image."""
    store = directory / "image"
    shutil.rmtree(store, ignore_errors=True)
    buildah("push", "--quiet", "--format", "docker", NAME, f"dir:{store}")
    # Raw: otherwise skopeo converts it to the format of OCI, which has no health checks.
    described = json.loads(run("skopeo", "inspect", "--config", "--raw", f"dir:{store}"))
    config = described["config"]
    wanted = {"User": "65532:65532", "Entrypoint": ["/usr/bin/twilio-email-exporter"], "Volumes": {"/data": {}},
              "ExposedPorts": {"10202/tcp": {}}}
    for key, value in wanted.items():
        if config.get(key) != value:
            raise Failed(f"{key} is {config.get(key)}, not {value}")
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in config["Labels"].items()}
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
    for key, value in {"version": version, "revision": REVISION, "licenses": "Apache-2.0"}.items():
        if labels.get(key) != value:
            raise Failed(f"label {key} is {labels.get(key)}, not {value}")
    for key in ("title", "description", "source", "documentation", "created"):
        if not labels.get(key):
            raise Failed(f"label {key} is missing")
    check = config.get("Healthcheck") or {}
    if check.get("Test") != ["CMD", *wanted["Entrypoint"], "health"]:
        raise Failed(f"the health check is {check}")
    for key, least, most in (("Interval", 1, 30), ("Timeout", 1, 10), ("StartPeriod", 1, 120)):
        if not least * SECOND <= check.get(key, 0) <= most * SECOND:
            raise Failed(f"{key} of the health check is {check.get(key)} ns; expected {least} to {most} s")
    return config


def check_files(root):
    """Nothing is in the image but the program, its certificates and its directory; the program needs no other file."""
    top = {path.name for path in root.iterdir()}
    # buildah makes these while it mounts.
    if not top - {"dev", "proc", "sys", "run"} <= ALLOWED:
        raise Failed(f"the image has {sorted(top)}")
    data = (root / "data").stat()
    if (data.st_uid, data.st_gid) != (65532, 65532):
        raise Failed(f"/data belongs to {data.st_uid}:{data.st_gid}")
    program = root / "usr/bin/twilio-email-exporter"
    dynamic = subprocess.run(["readelf", "--dynamic", "--program-headers", program], stdout=subprocess.PIPE, text=True, check=True)
    if "NEEDED" in dynamic.stdout or "INTERP" in dynamic.stdout:
        raise Failed("the program is not static")
    size = sum(path.lstat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    say(f"{size / 1e6:.1f} MB, of which the program is {program.stat().st_size / 1e6:.1f} MB")
    if size > LARGEST:
        raise Failed(f"the image has {size} bytes; at most {LARGEST} are allowed")


class Container:
    """The image's root file system, read-only, in a mount namespace of its own, run as the image specifies and without privileges."""

    def __init__(self, root, config, work):
        self.root, self.config, self.work = root, config, work
        self.mounts = {}

    def mount(self, target, source):
        """Shows `source` at `target`, as an engine does for volumes, secrets and its own files."""
        place = self.root / target.lstrip("/")
        if Path(source).is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        self.mounts[target] = source

    def start(self, name, *arguments, environment=None):
        return self.execute(name, [*self.config["Entrypoint"], *arguments], environment)

    def health(self, environment):
        """The exit code and the output of the image's health check, within its own timeout, with the variables of the container."""
        check = self.config["Healthcheck"]
        log = self.work / "health.log"
        log.write_text("")
        process = self.execute("health", check["Test"][1:], environment)
        try:
            code = process.wait(check["Timeout"] / SECOND)
        except subprocess.TimeoutExpired:
            # An engine counts that as unhealthy, too.
            process.kill()
            process.wait()
            code = UNHEALTHY
        return code, log.read_text().strip()

    def execute(self, name, command, environment):
        user, group = self.config["User"].split(":")
        script = ["set -e", f"mount --rbind {self.root} {self.root}"]
        script += [f"mount --bind {source} {self.root}{target}" for target, source in self.mounts.items()]
        script += [f"mount -o remount,bind,ro {self.root}",
                   f'exec chroot --userspec={user}:{group} --groups= {self.root} "$@"']
        variables = dict(entry.split("=", 1) for entry in self.config.get("Env", []))
        log = self.work / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                ["setpriv", "--no-new-privs", "unshare", "--mount", "sh", "-c", "\n".join(script), "container",
                 *map(str, command)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env={**variables, "PATH": os.environ["PATH"], **(environment or {})})
        process.log = log
        return process


def check_process(process):
    """It is no root, has no privileges, and its root file system is read-only."""
    directory = Path(f"/proc/{process.pid}")
    status = dict(line.split(":\t", 1) for line in (directory / "status").read_text().splitlines() if ":\t" in line)
    if status["Uid"].split() != ["65532"] * 4 or int(status["CapEff"], 16) or status["NoNewPrivs"] != "1":
        raise Failed(f"it runs as {status['Uid']} with {status['CapEff']}, new privileges: {status['NoNewPrivs']}")
    roots = [line.split() for line in (directory / "mountinfo").read_text().splitlines() if line.split()[4] == "/"]
    if not roots or "ro" not in roots[-1][5].split(","):
        raise Failed(f"its root is mounted as {roots}")


def stop(process):
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code = process.wait(20)
    if code != 0:
        raise Failed(f"it exits with {code} after SIGTERM:\n{process.log.read_text()[-2000:]}")
    return time.monotonic() - begin


def check_health(container, variables, start):
    """The health check of an exporter that does not run, is not ready, is ready, hangs, and has stopped."""

    def expect(when, code, words, environment=variables):
        found, said = container.health(environment)
        if found != code or words not in said:
            raise Failed(f"the health check of an exporter that {when} exits with {found} and says {said!r}")

    expect("does not run", UNHEALTHY, "cannot connect")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        # It accepts connections and responds to nothing, so the first collection goes on.
        exporter = container.start("waiting", environment=variables | {
            "TWILIO_EMAIL_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/v1", "TWILIO_EMAIL_STORAGE_PATH": ""})
        try:
            peers.until("the exporter listens", lambda: container.health(variables)[1].find("503") >= 0, 20)
            expect("is not ready", UNHEALTHY, "503")
            stop(exporter)
        finally:
            exporter.kill()
    exporter, _ = start()
    expect("is ready", HEALTHY, "ready")
    exporter.send_signal(signal.SIGSTOP)
    expect("hangs", UNHEALTHY, "did not respond")
    exporter.send_signal(signal.SIGCONT)
    expect("goes on", HEALTHY, "ready")
    stop(exporter)
    expect("has stopped", UNHEALTHY, "cannot connect")
    say("health check: healthy when ready; unhealthy when it does not run, is not ready, hangs, or has stopped")


def documented():
    """The variables of the command in docs/install.md that starts the image; those that name secrets name files in the container."""
    command = re.search(r"^docker run (.*?)\n```", (ROOT / "docs/install.md").read_text(), re.M | re.S)[1]
    variables = dict(re.findall(r"--env (\w+)=(\S+)", command))
    for option in ("--read-only", "--cap-drop ALL", "--security-opt no-new-privileges", ":/data", ":10202:10202"):
        if option not in command:
            raise Failed(f"docs/install.md starts the image without {option}")
    if not variables or not all(name.endswith("_FILE") and path.startswith("/run/secrets/") for name, path in variables.items()):
        raise Failed(f"docs/install.md starts the image with the variables {sorted(variables)}")
    return variables


def check_life(container, work):
    """From the first start to the second, with a host name and TLS, as for Twilio's API."""
    data = work / "data"
    data.mkdir()
    os.chown(data, 65532, 65532)
    variables = documented()
    for name, path in variables.items():
        secret = work / Path(path).name
        secret.write_text("made-up-secret\n" if "SECRET" in name else "SK" + "0" * 32 + "\n")
        secret.chmod(0o444)
        container.mount(path, secret)
    (work / "resolv.conf").write_text("nameserver 127.0.0.77\n")
    (work / "hosts").write_text("127.0.0.1 localhost\n")
    container.mount("/data", data)
    container.mount("/etc/resolv.conf", work / "resolv.conf")
    container.mount("/etc/hosts", work / "hosts")
    port, api = peers.free_port(), peers.free_port()
    running = []
    try:
        running.append(container.start("simulator", "simulate", "--simulator.listen-address", f"127.0.0.1:{api}"))
        peers.until("the simulator listens", lambda: peers.listens(api), 10)
        authority = peers.Authority(work)
        peers.NameServer("127.0.0.77", {"twilio.test": "127.0.0.1"})
        secure = peers.TlsProxy(authority.issue("twilio.test"), api)
        # Variables and no options, because the health check has only the container's variables.
        variables |= {"TWILIO_EMAIL_BASE_URL": f"https://twilio.test:{secure.port}/v1",
                      "TWILIO_EMAIL_WEB_LISTEN_ADDRESS": f"127.0.0.1:{port}"}
        address = f"http://127.0.0.1:{port}"

        def start():
            begin = time.monotonic()
            exporter = container.start("exporter", environment=variables)
            running.append(exporter)
            peers.until(f"the exporter is ready\n{exporter.log}", lambda: exporter.poll() is not None or
                        peers.get(f"{address}/-/ready") is not None, 20, every=0.005)
            if exporter.poll() is not None:
                raise Failed(f"it exits with {exporter.returncode}:\n{exporter.log.read_text()[-2000:]}")
            return exporter, time.monotonic() - begin

        # An authority that the image does not have: the certificate is refused, so certificates are verified.
        exporter, _ = start()
        text = peers.get(f"{address}/metrics")
        if peers.value(text, "twilio_email_up") != 0 or not re.search(r'failures_total\{.*reason="tls".*\} [1-9]', text):
            raise Failed(f"a certificate of an unknown authority is accepted, or fails otherwise:\n{exporter.log.read_text()[-2000:]}")
        stop(exporter)

        # The image's bundle and that authority: the program reads the bundle where the image has it.
        bundle = work / "bundle.crt"
        bundle.write_text((container.root / "etc/ssl/certs/ca-certificates.crt").read_text() + authority.certificate.read_text())
        container.mount("/etc/ssl/certs/ca-certificates.crt", bundle)
        exporter, seconds = start()
        say(f"{seconds * 1000:.0f} ms from start to ready")
        check_process(exporter)
        text = peers.until("a scrape reads the account", lambda: peers.scraped(f"{address}/metrics"), 20)
        before = peers.value(text, "twilio_email_emails_accepted_total")
        say(f"scraped: {len(text.splitlines())} lines; stopped in {stop(exporter) * 1000:.0f} ms")
        if not (data / "state.redb").exists():
            raise Failed(f"/data has {[path.name for path in data.iterdir()]}, no state.redb")

        exporter, _ = start()
        text = peers.until("a scrape reads the account again", lambda: peers.scraped(f"{address}/metrics"), 20)
        after = peers.value(text, "twilio_email_emails_accepted_total")
        if before is None or after is None or after < before:
            raise Failed(f"a counter was {before} and is {after} after a restart")
        stop(exporter)
        check_health(container, variables, start)
        stop(running[0])
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()


def main():
    directory = Path(sys.argv[1]).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    buildah = Buildah(directory)
    with tempfile.TemporaryDirectory() as work:
        build(buildah, directory)
        config = check_config(buildah, directory)
        container = buildah("from", "--pull-never", NAME)
        try:
            version = buildah("run", "--isolation", "chroot", container, "--", *config["Entrypoint"], "--version")
            if REVISION not in version:
                raise Failed(f"--version prints {version}, without the revision {REVISION}")
            root = Path(buildah("mount", container))
            check_files(root)
            # The packages contain the same program.
            shutil.copy2(root / "usr/bin/twilio-email-exporter", directory / "twilio-email-exporter")
            check_life(Container(root, config, Path(work)), Path(work))
        finally:
            buildah("rm", container)
    return 0


try:
    sys.exit(main())
except (Failed, peers.Missed) as failure:
    sys.exit(f"image.py: {failure}")
