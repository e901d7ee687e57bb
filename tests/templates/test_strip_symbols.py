"""What the awswrangler layer's build cuts from shared libraries, and what it leaves alone."""

import runpy
import shutil
import sysconfig
from pathlib import Path

import msgspec._core as core
import pytest

ROOT = Path(__file__).parents[2]
STRIP = runpy.run_path(str(ROOT / "layers" / "awswrangler" / "strip_symbols.py"))


def test_a_library_that_shares_its_bytes_with_uvs_cache_is_replaced(tmp_path: Path) -> None:
    cached = tmp_path / f"cached{sysconfig.get_config_var('EXT_SUFFIX')}"
    shutil.copy(core.__file__, cached)
    whole = cached.read_bytes()
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / cached.name).hardlink_to(cached)

    STRIP["main"](layer)

    assert cached.read_bytes() == whole
    assert [path.name for path in layer.iterdir()] == [cached.name]
    assert (layer / cached.name).stat().st_mode == cached.stat().st_mode
    assert len((layer / cached.name).read_bytes()) <= len(whole)


@pytest.mark.parametrize("text", [b"", b"# Python\n", b"\x7fELF\x01\x01"])
def test_what_is_no_library_of_64_bits_stays(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "a.so"
    path.write_bytes(text)
    STRIP["main"](tmp_path)
    assert path.read_bytes() == text
