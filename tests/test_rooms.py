"""The package's rooms: what each may import, as docs/structure.md says."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "layers" / "service_logs" / "servicelogs"

# Each may import those before it on its line, and whatever these may import.
BASE = {"errors", "records", "dates"}
MAY_IMPORT = {
    "errors": set(),
    "log_lines": {"errors"},
    "records": {"errors"},
    "dates": {"errors", "records"},
    "cloudformation": {"errors"},
    "parsing": BASE,
    "formats": BASE | {"parsing"},
    "settings": BASE | {"parsing", "formats"},
    "sources": BASE | {"parsing"},
    "detection": BASE | {"parsing", "formats", "settings", "sources"},
    "delivery": BASE | {"parsing", "formats", "settings", "sources"},
    "opensearch": BASE | {"parsing", "formats", "settings", "sources", "detection", "delivery"},
    "lake": BASE | {"parsing", "formats", "settings", "sources", "detection", "delivery"},
}
MAY_IMPORT["command_line"] = {*MAY_IMPORT}
MAY_IMPORT["__main__"] = {"command_line"}

# Libraries that only some rooms know; every other room may not import them.
ONLY_IN = {
    "opensearchpy": {"opensearch"},
    "pyarrow": {"lake", "sources"},
    "boto3": {"lake", "opensearch", "sources"},
    "botocore": {"lake", "opensearch", "sources", "delivery"},
    "aws_lambda_powertools": {"lake", "opensearch", "sources", "delivery"},
    "awswrangler": {"lake"},
    "numpy": {"lake"},
    "pandas": {"lake"},
    "yaml": {"opensearch"},
    "moto": set(),
}
FUNCTIONS = sorted(path.name for path in (ROOT / "functions").iterdir() if path.is_dir())


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(module: Path) -> str:
    first, *_ = module.relative_to(PACKAGE).parts
    return first.removesuffix(".py")


@cache
def imports(module: Path) -> tuple[str, ...]:
    """Give what a module imports, wherever in it, as dotted names."""
    return tuple(_imports(module))


def _imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are written whole"
            name = node.module or ""
            # `from servicelogs import formats` imports a room.
            yield from (
                f"{name}.{alias.name}" if name == "servicelogs" else name for alias in node.names
            )


def rooms_imported(module: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(module) if name.startswith("servicelogs.")} - {
        room(module)
    }


def test_every_room_is_named_here_and_in_the_page_on_structure() -> None:
    rooms = {room(module) for module in modules()} - {"__init__"}
    assert rooms == {*MAY_IMPORT}
    page = (ROOT / "docs" / "structure.md").read_text()
    described = set(re.findall(r"^\| `(\w+)(?:/|\.py)`", page, re.MULTILINE))
    assert described == rooms - {"__main__"}


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_rooms_that_its_own_may_know(module: Path) -> None:
    if room(module) != "__init__":
        assert rooms_imported(module) <= MAY_IMPORT[room(module)]


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_known_only_where_it_has_to_be(library: str) -> None:
    found = {room(one) for one in modules() if library in {n.split(".")[0] for n in imports(one)}}
    assert found <= ONLY_IN[library]
    assert found or library == "moto"


def test_in_sources_only_the_reader_of_parquet_knows_pyarrow() -> None:
    names = {
        one.name
        for one in modules()
        if room(one) == "sources" and any(n.startswith("pyarrow") for n in imports(one))
    }
    assert names == {"parquet.py", "parquet_pages.py"}


def test_in_the_lake_only_what_converts_loads_pyarrow() -> None:
    """The functions that stage, plan and publish begin without it."""
    steps = ("stage", "plan", "split", "publish", "clean", "expire", "summaries", "schema")
    modules = ", ".join(f"servicelogs.lake.{step}" for step in steps)
    heavy = "{'pyarrow', 'pandas', 'awswrangler'}"
    code = f"import sys, {modules}; sys.exit(bool({heavy} & sys.modules.keys()))"
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == 0


def test_what_answers_cloudformation_needs_nothing_that_could_be_missing() -> None:
    needed = [PACKAGE / f"{name}.py" for name in ("cloudformation", "errors", "log_lines")]
    names = {name for one in needed for name in imports(one)}
    ours = {name for name in names if name.startswith("servicelogs")}
    assert ours <= {f"servicelogs.{one.stem}" for one in needed}
    assert {name.split(".")[0] for name in names - ours} <= sys.stdlib_module_names


@pytest.mark.parametrize("function", ["configure_bucket", "set_up_lake", "set_up_opensearch"])
def test_a_custom_resource_imports_nothing_before_it_can_answer_that_it_failed(function) -> None:
    code = ast.parse((ROOT / "functions" / function / "app.py").read_text())
    names = {
        alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
        for node in code.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    ours = {name for name in names if name.startswith("servicelogs")}
    assert ours == {
        "servicelogs.cloudformation",
        "servicelogs.log_lines.fail_on_one_line",
        "servicelogs.log_lines.start_logging",
    }
    assert {name.split(".")[0] for name in names - ours} <= sys.stdlib_module_names


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_thin(function: str) -> None:
    code = (ROOT / "functions" / function / "app.py").read_text()
    assert len(code.splitlines()) <= 90


def test_only_opensearchs_room_writes_what_a_bulk_request_holds() -> None:
    """A reject keeps where its record was meant to go, for those who send it again."""
    knows = {
        str(one.relative_to(PACKAGE))
        for one in modules()
        if room(one) != "opensearch" and re.search(r'"_index"|"create"', one.read_text())
    }
    assert knows == {"delivery/rejects.py"}
