"""What an earlier version deploys, unpacked from its archive beside this file.

An archive has what `git archive VERSION template.yaml scenarios functions layers statemachines`
gives, compressed by xz: a checkout need not have tags, nor a history.
"""

import tarfile
from pathlib import Path

VERSIONS = ["0.1"]


def unpack(version: str, folder: Path) -> Path:
    """Unpack what a version deploys; return the folder of its template.

    The package lies in its layer as `sam build` puts it there. What that installs besides, the
    emulator's Python has.
    """
    with tarfile.open(Path(__file__).with_name(f"{version}.tar.xz")) as archive:
        archive.extractall(folder, filter="data")
    layer = folder / "layers" / "service_logs"
    (layer / "python").mkdir()
    (layer / "servicelogs").rename(layer / "python" / "servicelogs")
    return folder
