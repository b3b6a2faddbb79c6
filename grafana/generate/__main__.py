"""Writes the dashboards. Usage: python3 grafana/generate [--check]

With --check nothing is written; the exit code is 1 when a dashboard is not what this would write, or when a dashboard
does not survive a pass through Grafana's own classes. Needs the package in requirements.txt; it makes a virtual
environment for it under target/ when that is missing.
"""

import hashlib
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

sys.dont_write_bytecode = True

FOLDER = Path(__file__).resolve().parent.parent
REQUIREMENTS = FOLDER / "generate/requirements.txt"
VENV = FOLDER.parent / "target/dashboards-venv"


def with_packages():
    """Goes on in the virtual environment, made if need be."""
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    ready = VENV / "ready"
    python = VENV / "bin/python"
    if Path(sys.prefix) == VENV and ready.exists():
        return
    if not ready.exists() or ready.read_text() != wanted:
        venv.create(VENV, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS],
                       check=True)
        ready.write_text(wanted)
    os.execv(python, [python, Path(__file__).parent, *sys.argv[1:]])


def written(dashboard):
    from grafana_foundation_sdk.cog.encoder import JSONEncoder

    return json.dumps(dashboard, indent=2, ensure_ascii=False, cls=JSONEncoder) + "\n"


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    with_packages()
    import boards
    import schema

    stale = []
    for name, dashboard in boards.all_of_them():
        text = written(dashboard)
        path = FOLDER / f"{name}.json"
        if unknown := schema.unknown(text):
            sys.exit(f"{path.name}: Grafana's schema does not have {', '.join(unknown)}")
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.name)
        if not check:
            path.write_text(text, encoding="utf-8")
    print("written" if not check else "out of date", *(stale or ["nothing"]))
    sys.exit(1 if check and stale else 0)


main()
