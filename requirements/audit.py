"""Ask PyPI for known vulnerabilities of everything that is locked; say what could not be asked.

`python requirements/audit.py`, with pip-audit in its environment. A vulnerability fails; no network
fails nothing, for a check has to be possible without one, and is said.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LOCKS = ["requirements/dev.txt", "requirements/checks.txt", "requirements/uv.txt"]
# Vulnerabilities that are known and do not concern us, each with the reason.
ACCEPTED: dict[str, str] = {}


def ask(lock: str) -> list[dict[str, Any]] | None:
    """Return what PyPI says of each package of a lock; None where it cannot be asked."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", lock, "--disable-pip"]
    ignored = [option for known in ACCEPTED for option in ("--ignore-vuln", known)]
    options = ["--require-hashes", "--progress-spinner=off", "--format=json", "--timeout=15"]
    ran = subprocess.run(
        [*command, *options, *ignored], cwd=ROOT, capture_output=True, text=True, check=False
    )
    try:
        found: list[dict[str, Any]] = json.loads(ran.stdout)["dependencies"]
    except ValueError:
        if "ConnectionError" in ran.stderr or "ServiceError" in ran.stderr:
            return None
        raise SystemExit(ran.stderr) from None
    return found


def main() -> int:
    """Audit every lock; fail if something in one is known to be vulnerable."""
    vulnerable = []
    for lock in LOCKS:
        found = ask(lock)
        if found is None:
            print(f"{lock}: not audited, for PyPI does not answer")
            continue
        if unasked := [one["name"] for one in found if "skip_reason" in one]:
            print(f"{lock}: PyPI says nothing of {len(unasked)} of {len(found)} packages")
        vulnerable += [
            f"{lock}: {one['name']} {one['version']}: {vulnerability['id']}"
            for one in found
            for vulnerability in one.get("vulns", ())
        ]
    print(*vulnerable, sep="\n", end="\n" if vulnerable else "", file=sys.stderr)
    return int(bool(vulnerable))


if __name__ == "__main__":
    sys.exit(main())
