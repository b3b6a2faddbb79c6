"""Checks the files that a release publishes besides programs and packages: chart, source, bill of materials, notes.

Usage: release.py DIRECTORY
"""

import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def main():
    directory = Path(sys.argv[1])
    bill = json.loads((directory / "sbom.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX", bill["bomFormat"]
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
    own = bill["metadata"]["component"]
    assert (own["name"], own["version"]) == ("twilio-email-exporter", version), own
    found = {(part["name"], part["version"]) for part in bill["components"]}
    locked = set(re.findall(r'name = "(.*)"\nversion = "(.*)"', (ROOT / "Cargo.lock").read_text()))
    assert found <= locked, f"not of Cargo.lock: {sorted(found - locked)}"
    # What the program surely contains, and what only tests use.
    names = {name for name, _ in found}
    assert {"tokio", "axum", "reqwest", "rustls", "redb"} <= names, sorted(names)
    assert not {"proptest", "rcgen", "criterion"} & names, "parts of tests are in the bill of materials"
    unlicensed = [part["name"] for part in bill["components"] if not part.get("licenses")]
    assert not unlicensed, f"without a license: {unlicensed}"
    assert (directory / "notes.md").read_text().strip(), "the notes are empty"
    assert list(directory.glob(f"twilio-email-exporter-{version}.tgz")), "there is no chart"
    with tarfile.open(directory / f"twilio-email-exporter-{version}-source.tar.gz") as archive:
        texts = {name: archive.extractfile(f"twilio-email-exporter-{version}-source/{name}").read() for name in ("REVISION", "Cargo.lock")}
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert len(texts["REVISION"]) >= 12 and head.startswith(texts["REVISION"].decode()), texts["REVISION"]
    paths = [part.get("purl", "") for part in bill["components"] if "file:" in part.get("purl", "")]
    assert not paths, f"paths of this machine are in the bill of materials: {paths}"
    print(f"release: {len(found)} parts in the bill of materials")


main()
