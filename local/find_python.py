"""Find an interpreter of one Python version that really runs.

Any Python 3 runs this file: it chooses the one that the environment is made with.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

SAY_VERSION = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"


def candidates(version, environment):
    """List where an interpreter of this version may be, most likely first."""
    yield Path(sys.executable)
    command = "python" + version
    for folder in environment.get("PATH", "").split(os.pathsep):
        yield Path(folder) / command
    home = Path(environment.get("HOME") or Path.home())
    for pyenv in (environment.get("PYENV_ROOT"), home / ".pyenv"):
        releases = Path(pyenv).glob("versions/" + version + "*") if pyenv else ()
        for folder in sorted(releases, key=release, reverse=True):
            yield folder / "bin" / command


def release(folder):
    """Order the names of pyenv's versions: 3.13.10 comes after 3.13.9."""
    return [int(number) for number in re.findall(r"\d+", folder.name)]


def runs(path, version):
    """Return the interpreter behind this path if it is of this version, else None.

    A pyenv shim has the right name, and fails when it is called.
    """
    try:
        answer = subprocess.run(
            [str(path), "-c", SAY_VERSION],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    said, _, executable = answer.stdout.decode(errors="replace").strip().partition(" ")
    return executable if answer.returncode == 0 and said == version else None


def find(version, environment=os.environ):
    """Return the interpreter to use, or the bare version, which uv then fetches."""
    for path in candidates(version, environment):
        executable = runs(path, version)
        if executable:
            return executable
    return version


if __name__ == "__main__":
    print(find(sys.argv[1]))
