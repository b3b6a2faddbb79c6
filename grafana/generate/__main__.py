"""Writes the dashboards. Usage: python3 grafana/generate [--check]

With --check nothing is written; the exit code is 1 when a dashboard is not what this would write.
"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import exporter  # noqa: E402
import operation  # noqa: E402
import overview  # noqa: E402

FOLDER = Path(__file__).resolve().parent.parent


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    stale = []
    for name, module in (("overview", overview), ("operation", operation), ("exporter", exporter)):
        text = json.dumps(module.build(), indent=2, ensure_ascii=False) + "\n"
        path = FOLDER / f"{name}.json"
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.name)
        if not check:
            path.write_text(text, encoding="utf-8")
    print("written" if not check else "out of date", *(stale or ["nothing"]))
    sys.exit(1 if check and stale else 0)


main()
