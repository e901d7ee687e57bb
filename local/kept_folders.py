"""Folders that are fetched or made once, and kept outside of all checkouts of a machine."""

import fcntl
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def cache_folder() -> Path:
    """Say where they are.

    Root's home is closed to the user that OpenSearch runs as then.
    """
    if chosen := os.environ.get("SERVICE_LOGS_CACHE"):
        return Path(chosen)
    if os.geteuid() == 0:
        return Path("/var/cache/service-logs")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "service-logs"


def kept(name: str, make: Callable[[Path], Path]) -> Path:
    """Give the folder of a name; who asks first makes it, in a temporary one, and others wait.

    `make` returns which folder in the temporary one is kept: it is there whole, or not at all.
    """
    cache = cache_folder()
    home = cache / name
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.is_dir():
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                make(Path(folder)).rename(home)
    return home
