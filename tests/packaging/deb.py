"""Makes the archive, the .deb and the .rpm, and installs, starts, upgrades, removes and purges the .deb on a clean Debian with systemd.

Usage: deb.py DIRECTORY PROGRAM        what is kept between runs is in DIRECTORY; PROGRAM is static

It needs root, and the programs debootstrap, systemd-nspawn, nsenter, dpkg-deb, lintian, rpm and curl.
"""

import gzip
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import peers
from machine import Failed, Machine, base, check, files_named, run

ROOT = Path(__file__).resolve().parent.parent.parent
UNIT = "twilio-email-exporter.service"
SOCKET = "twilio-email-exporter.socket"
ADDRESS = "http://127.0.0.1:10202"
CREDENTIALS = "/etc/twilio-email-exporter/credentials"
DEFAULTS = "/etc/default/twilio-email-exporter"
ACCEPTED = "twilio_email_emails_accepted_total"
# The oldest Debian that the packages are for.
SUITE = "bookworm"


def make(program, directory):
    """The packages; their names."""
    run(ROOT / "deploy/release/packages", program, directory, env={**os.environ, "COMPRESSION": "fast"})
    return next(directory.glob("*.deb")), next(directory.glob("*.rpm"))


def check_contents(deb, rpm, directory):
    """Both packages install the same files, manual pages and completions among them."""
    shown = directory / "contents"
    run("dpkg-deb", "--extract", deb, shown)
    files = {f"/{path.relative_to(shown)}" for path in shown.rglob("*") if path.is_file()}
    for wanted in ("/usr/bin/twilio-email-exporter", f"/usr/lib/systemd/system/{UNIT}", f"/usr/lib/systemd/system/{SOCKET}", DEFAULTS,
                   "/usr/share/man/man1/twilio-email-exporter.1.gz", "/usr/share/man/man1/twilio-email-exporter-once.1.gz",
                   "/usr/share/man/man1/twilio-email-exporter-watch.1.gz",
                   "/usr/share/bash-completion/completions/twilio-email-exporter",
                   "/usr/share/fish/vendor_completions.d/twilio-email-exporter.fish",
                   "/usr/share/zsh/vendor-completions/_twilio-email-exporter",
                   "/usr/share/doc/twilio-email-exporter/copyright", "/usr/share/doc/twilio-email-exporter/changelog.gz"):
        check(wanted in files, f"the .deb has no {wanted}; it has {sorted(files)}")
    for source, folder in [("deploy/prometheus/rules/*.yml", "rules"), ("grafana/*.json", "dashboards")]:
        wanted = {f"/usr/share/twilio-email-exporter/{folder}/{path.name}" for path in ROOT.glob(source)}
        check(wanted and wanted <= files, f"the .deb lacks some of {sorted(wanted)}")
    page = gzip.decompress((shown / "usr/share/man/man1/twilio-email-exporter.1.gz").read_bytes()).decode()
    check(".SH OPTIONS" in page and "web.listen" in page, "the manual page has no options")

    def shared(names):
        # Licenses, what lintian reads, and the directory of zsh are elsewhere in each family of distributions.
        return {name for name in names if not re.search(r"/doc/|/licenses/|/lintian/|/zsh/", name)}

    check(shared(run("rpm", "--query", "--package", "--list", rpm).splitlines()) == shared(files), "the .rpm has other files than the .deb")
    conf = run("dpkg-deb", "--info", deb, "conffiles").splitlines()
    check(conf == [DEFAULTS], f"conffiles of the .deb are {conf}")
    check(run("rpm", "--query", "--package", "--configfiles", rpm) == DEFAULTS, "the .rpm has other configuration files")
    size = run("dpkg-deb", "--field", deb, "Installed-Size")
    print(f"deb: {deb.stat().st_size / 1e6:.1f} MB, {int(size) * 1024 / 1e6:.1f} MB installed; rpm: {rpm.stat().st_size / 1e6:.1f} MB",
          flush=True)


def check_archive(program, directory):
    """The archive has what docs/install.md promises, and the commands there work."""
    archive = Path(run(ROOT / "deploy/release/archive", program, directory).splitlines()[-1])
    page = (ROOT / "docs/install.md").read_text()
    check(archive.name in page or "arm64" in archive.name, f"docs/install.md does not name {archive.name}")
    run("tar", "--extract", "--file", archive, cwd=directory)
    folder = directory / archive.name.removesuffix(".tar.gz")
    run("install", folder / "twilio-email-exporter", directory / "installed")
    check("twilio-email-exporter " in run(directory / "installed", "--version"), "the program of the archive does not run")
    for wanted in ("man/twilio-email-exporter.1", "man/twilio-email-exporter-watch.1", "completions/bash", "completions/zsh",
                   "completions/fish", "twilio-email-exporter.service", "LICENSE", "CHANGELOG.md"):
        check((folder / wanted).stat().st_size > 100, f"the archive has no {wanted}")


def check_policy(deb):
    """Debian's own checker reports nothing."""
    run("lintian", "--allow-root", "--fail-on", "error,warning", deb)


def accepted(machine):
    """The counter, once the account was read."""
    text = peers.until(f"the account is read:\n{machine.journal(UNIT)[-1500:]}", lambda: scraped(machine), 30)
    return peers.value(text, ACCEPTED)


def scraped(machine):
    text = machine.get(f"{ADDRESS}/metrics")
    return text if peers.value(text, "twilio_email_up") == 1 else None


def check_installation(machine, deb):
    """The service is installed and enabled, and waits for credentials, which only root can read."""
    install(machine, deb)
    check(machine.call("systemctl", "is-enabled", UNIT).stdout.strip() == "enabled", "the unit is not enabled")
    check(machine.shows(UNIT, "ActiveState") == ["inactive"], "the unit was started without credentials")
    check(machine("stat", "--format=%a %U", CREDENTIALS) == "700 root", "others can read the credentials")
    check("--web.listen-address" in machine("twilio-email-exporter", "--help"), "--help has no options")


def install(machine, deb):
    target = machine.path("/root") / deb.name
    target.write_bytes(deb.read_bytes())
    return machine("dpkg", "--install", f"/root/{deb.name}")


def check_without_credentials(machine):
    """The start fails with a reason, once: no loop."""
    check(machine.call("systemctl", "start", UNIT).returncode != 0 or
          peers.until("the unit fails", lambda: machine.shows(UNIT, "ActiveState") == ["failed"], 10), "it starts without credentials")
    code, restarts = machine.shows(UNIT, "ExecMainStatus", "NRestarts")
    check((code, restarts) == ("2", "0"), f"it exits with {code} and was restarted {restarts} times")
    check("credentials_api-key-sid" in machine.journal(UNIT), f"the journal does not name the file:\n{machine.journal(UNIT)}")


def check_start(machine):
    """With credentials it runs, in its sandbox, and counts."""
    machine("systemd-run", "--unit=simulated-twilio", "/usr/bin/twilio-email-exporter", "simulate")
    for name, text in [("api-key-sid", "SK" + "0" * 32), ("api-key-secret", "made-up-secret")]:
        file = machine.path(f"{CREDENTIALS}/{name}")
        file.write_text(f"{text}\n")
        file.chmod(0o600)
    with machine.path(DEFAULTS).open("a") as file:
        file.write("TWILIO_EMAIL_BASE_URL=http://127.0.0.1:10203/v1\n")
    peers.until("the simulator responds", lambda: machine.responds("http://127.0.0.1:10203/v1/Emails/Operations"), 20)
    machine("systemctl", "start", UNIT)
    count = accepted(machine)
    check_sandbox(machine)
    text = machine.get(f"{ADDRESS}/metrics")
    for name in ("process_start_time_seconds", "process_open_fds", "process_resident_memory_bytes"):
        check(re.search(rf"^{name} [1-9]", text, re.M), f"in the sandbox, {name} is missing")
    check("made-up-secret" not in machine.journal(UNIT) + text, "the secret is shown")
    return count


def check_sandbox(machine):
    """It is another user, without privileges, with a filter of system calls; it writes to one directory."""
    pid = machine.shows(UNIT, "MainPID")[0]
    status = dict(line.split(":\t", 1) for line in machine("cat", f"/proc/{pid}/status").splitlines() if ":\t" in line)
    check(int(status["Uid"].split()[0]) >= 61184, f"the user is {status['Uid']}, not a dynamic one")
    check(int(status["CapEff"], 16) == 0 and int(status["CapBnd"], 16) == 0, "it has capabilities")
    check(status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", "it may gain privileges, or make any system call")
    mounts = machine("cat", f"/proc/{pid}/mounts").splitlines()
    writable = [mount.split()[1] for mount in mounts
                if "rw" in mount.split()[3].split(",") and not re.match(r"/(proc|dev|sys|run|tmp|var/tmp)(/|$)", mount.split()[1])]
    check(writable == ["/var/lib/private/twilio-email-exporter"], f"it may write to {writable}")
    secret = machine.call("setpriv", "--reuid", "65534", "--clear-groups", "cat", f"/run/credentials/{UNIT}/credentials_api-key-secret")
    check(secret.returncode != 0, "other users can read the credentials")


def check_running(machine, before):
    """A reload does not restart it, and a crash loses no counts."""
    pid = machine.shows(UNIT, "MainPID")[0]
    machine("systemctl", "reload", UNIT)
    peers.until("the reload succeeds", lambda: "twilio_email_exporter_config_last_reload_successful 1" in
                (machine.get(f"{ADDRESS}/metrics") or ""), 10)
    check(machine.shows(UNIT, "MainPID")[0] == pid, "a reload restarts it")
    machine("sh", "-c", f"kill -9 {pid}")
    peers.until("it is started again", lambda: machine.shows(UNIT, "ActiveState", "NRestarts") == ["active", "1"], 20)
    check(accepted(machine) >= before, "a counter went back after kill -9")


def check_watchdog(machine):
    """An exporter that hangs is started again."""
    folder = machine.path(f"/etc/systemd/system/{UNIT}.d")
    folder.mkdir()
    (folder / "watchdog.conf").write_text("[Service]\nWatchdogSec=2s\nRestartSec=100ms\n")
    machine("systemctl", "daemon-reload")
    machine("systemctl", "restart", UNIT)
    # Type=notify: the start does not wait for a response.
    check(machine.get(f"{ADDRESS}/-/healthy") is not None, "it is started, and does not respond")
    pid = machine.shows(UNIT, "MainPID")[0]
    machine("sh", "-c", f"kill -STOP {pid}")
    peers.until("the watchdog starts it again", lambda: machine.shows(UNIT, "ActiveState")[0] == "active" and
                machine.shows(UNIT, "MainPID")[0] not in ("0", pid), 30)
    check("watchdog" in machine.journal(UNIT).lower(), "the journal does not name the watchdog")
    (folder / "watchdog.conf").unlink()
    folder.rmdir()
    machine("systemctl", "daemon-reload")


def check_socket(machine):
    """Socket activation: the first request starts it, and a restart refuses none."""
    before = machine.path(DEFAULTS).read_text()
    machine("systemctl", "stop", UNIT)
    machine.path(DEFAULTS).write_text(f"{before}TWILIO_EMAIL_WEB_SYSTEMD_SOCKET=true\n")
    machine("systemctl", "start", SOCKET)
    check(machine.shows(UNIT, "ActiveState") == ["inactive"], "it runs before there is a request")
    check(machine.get(f"{ADDRESS}/-/healthy") is not None, "a request does not start it")
    machine("systemctl", "--no-block", "restart", UNIT)
    for _ in range(20):
        check(machine.get(f"{ADDRESS}/-/healthy") is not None, "a restart refuses a request")
    machine("systemctl", "stop", SOCKET, UNIT)
    machine.path(DEFAULTS).write_text(before)
    machine("systemctl", "start", UNIT)


def check_web_configuration(machine, work):
    """TLS of the exporter itself, with everything that is secret among the credentials."""
    authority = peers.Authority(work)
    pair = authority.issue("localhost").read_text()
    # Certificate and key are one file; each is read as what it is for.
    files = {"server.crt": pair, "server.key": pair,
             "web.yml": "tls_server_config: {cert_file: credentials_server.crt, key_file: credentials_server.key}\n"}
    for name, text in files.items():
        machine.path(f"{CREDENTIALS}/{name}").write_text(text)
    before = machine.path(DEFAULTS).read_text()
    machine.path(DEFAULTS).write_text(f"{before}TWILIO_EMAIL_WEB_CONFIG_FILE=/run/credentials/{UNIT}/credentials_web.yml\n")
    machine("systemctl", "restart", UNIT)
    check(machine.get("https://localhost:10202/-/healthy", "--cacert", authority.certificate) is not None, "it does not respond with TLS")
    check(machine.get(f"{ADDRESS}/-/healthy") is None, "it responds without TLS, too")
    machine.path(DEFAULTS).write_text(before)
    for name in files:
        machine.path(f"{CREDENTIALS}/{name}").unlink()
    machine("systemctl", "restart", UNIT)


def check_upgrade(machine, deb):
    """The new program runs, and what was disabled stays disabled."""
    pid = machine.shows(UNIT, "MainPID")[0]
    install(machine, deb)
    check(machine.shows(UNIT, "ActiveState") == ["active"] and machine.shows(UNIT, "MainPID")[0] != pid, "an upgrade does not restart it")
    machine("systemctl", "disable", UNIT)
    install(machine, deb)
    check(machine.call("systemctl", "is-enabled", UNIT).stdout.strip() == "disabled", "an upgrade enables what was disabled")
    machine("systemctl", "enable", UNIT)


def check_removal(machine, deb, before):
    """A removal stops it and keeps its counters; after a new installation they continue; a purge leaves nothing."""
    state = "/var/lib/private/twilio-email-exporter/state.redb"
    machine("dpkg", "--remove", "twilio-email-exporter")
    check(machine.get(f"{ADDRESS}/-/healthy") is None, "it still runs after its removal")
    check(machine.path(state).exists() and machine.path(CREDENTIALS).exists(), "its removal deletes counters or credentials")
    check(machine.path(DEFAULTS).exists() and not machine.path("/usr/bin/twilio-email-exporter").exists(), "its removal is another")
    install(machine, deb)
    machine("systemctl", "restart", "simulated-twilio")
    machine("systemctl", "start", UNIT)
    check(accepted(machine) >= before, "a counter went back after a removal")
    machine("systemctl", "stop", UNIT)
    check(machine.shows(UNIT, "Result", "ExecMainStatus") == ["success", "0"], "it does not stop cleanly")
    machine("systemctl", "stop", "simulated-twilio")
    machine("dpkg", "--purge", "twilio-email-exporter")
    # Not counted: what this test and systemd put there.
    left = [name for name in files_named(machine.root, "twilio") if not re.match(r"root/|var/log/|var/lib/systemd/", name)]
    check(not left, f"a purge leaves {left}")


def check_rpm(rpm, template, directory):
    """RPM's own program installs, verifies and removes it. There is no distribution of RPM's here to start it on."""
    root = directory / "rpm-root"
    run("cp", "--archive", "--reflink=auto", template, root)
    tool = ["rpm", f"--root={root}", "--dbpath=/var/lib/rpm"]
    run(*tool, "--initdb")
    # The new RPM database has no /bin/sh, which the package's scripts need. The root file system has it.
    run(*tool, "--install", "--nodeps", rpm)
    changed = run(*tool, "--verify", "--nodeps", "twilio-email-exporter")
    check(not changed, f"after its installation, files differ: {changed}")
    check((root / CREDENTIALS.lstrip("/")).stat().st_mode & 0o777 == 0o700, "others can read the credentials")
    run("chroot", root, "/usr/bin/twilio-email-exporter", "--version")
    with (root / DEFAULTS.lstrip("/")).open("a") as file:
        file.write("# mine\n")
    run(*tool, "--erase", "--nodeps", "twilio-email-exporter")
    left = [name for name in files_named(root, "twilio-email") if not name.startswith("var/lib/rpm")]
    check(left == ["etc/default/twilio-email-exporter.rpmsave", "etc/twilio-email-exporter"], f"its removal leaves {left}")
    print("rpm: installed, verified, removed", flush=True)


def main():
    directory, program = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    template = base(directory, SUITE)
    with tempfile.TemporaryDirectory(dir=directory) as work:
        work = Path(work)
        deb, rpm = make(program, work / "packages")
        check_contents(deb, rpm, work)
        check_archive(program, work / "archive")
        check_policy(deb)
        machine = Machine(template, work)
        try:
            check_installation(machine, deb)
            check_without_credentials(machine)
            count = check_start(machine)
            check_running(machine, count)
            check_watchdog(machine)
            check_socket(machine)
            check_web_configuration(machine, work)
            check_upgrade(machine, deb)
            check_removal(machine, deb, accepted(machine))
            print(f"deb: installed, started, upgraded, removed and purged on Debian {SUITE} with systemd", flush=True)
        finally:
            machine.stop()
        check_rpm(rpm, template, work)
    return 0


try:
    sys.exit(main())
except (Failed, peers.Missed, subprocess.TimeoutExpired) as failure:
    sys.exit(f"deb.py: {failure}")
