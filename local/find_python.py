"""Find an interpreter of one Python version that really runs.

Any Python 3 runs this file: it chooses the one that the environment is made with.
"""

import os
import re
import shutil
import subprocess
import sys

SAY_VERSION = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"


def candidates(version, environment=None):
    """List where an interpreter of this version may be, most likely first."""
    environment = os.environ if environment is None else environment
    command = "python" + version
    for folder in environment.get("PATH", "").split(os.pathsep):
        yield os.path.join(folder, command)
    home = environment.get("HOME", os.path.expanduser("~"))
    for pyenv in (environment.get("PYENV_ROOT"), os.path.join(home, ".pyenv")):
        versions = os.path.join(pyenv, "versions") if pyenv else ""
        if os.path.isdir(versions):
            for name in sorted(os.listdir(versions), key=release, reverse=True):
                if name == version or name.startswith(version + "."):
                    yield os.path.join(versions, name, "bin", command)


def release(name):
    """Order the names of pyenv's versions: 3.13.10 comes after 3.13.9."""
    return [int(number) for number in re.findall(r"\d+", name)]


def runs(path, version):
    """Return the interpreter behind this path if it is of this version, else None.

    A pyenv shim has the right name, and fails when it is called.
    """
    if not shutil.which(path):
        return None
    try:
        answer = subprocess.run(
            [path, "-c", SAY_VERSION], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    said, _, executable = answer.stdout.decode(errors="replace").strip().partition(" ")
    return executable if answer.returncode == 0 and said == version else None


def find(version, environment=None):
    """Return the interpreter to use, or the bare version, which uv then fetches."""
    for path in candidates(version, environment):
        executable = runs(path, version)
        if executable:
            return executable
    return version


if __name__ == "__main__":
    print(find(sys.argv[1]))
